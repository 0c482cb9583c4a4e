// What Mono's svcutil leaves out of the contract: names of results, several results, faults. The
// types in gov.appeals.v1 are those that it made from the served description.

using System;
using System.Runtime.Serialization;
using System.ServiceModel;
using gov.appeals.v1;

static class Ns
{
    public const string Appeals = "urn:gov:appeals:v1";
}

[DataContract(Namespace = Ns.Appeals)]
public class ValidationFault
{
    [DataMember(Order = 0)] public string Code;
    [DataMember(Order = 1)] public string Message;
    [DataMember(Order = 2)] public string CorrelationId;
    [DataMember(Order = 3)] public FieldError[] Errors;
}

[DataContract(Namespace = Ns.Appeals)]
public class ConflictFault
{
    [DataMember(Order = 0)] public string Code;
    [DataMember(Order = 1)] public string Message;
    [DataMember(Order = 2)] public string CorrelationId;
    [DataMember(Order = 3)] public string ReceiptNumber;
    [DataMember(Order = 4)] public string ExistingSha256;
    [DataMember(Order = 5)] public int? ExistingRevision;
}

[DataContract(Namespace = Ns.Appeals)]
public class NotFoundFault
{
    [DataMember(Order = 0)] public string Code;
    [DataMember(Order = 1)] public string Message;
    [DataMember(Order = 2)] public string CorrelationId;
}

[DataContract(Namespace = Ns.Appeals)]
public class AccessFault
{
    [DataMember(Order = 0)] public string Code;
    [DataMember(Order = 1)] public string Message;
    [DataMember(Order = 2)] public string CorrelationId;
}

[DataContract(Namespace = Ns.Appeals)]
public class BusyFault
{
    [DataMember(Order = 0)] public string Code;
    [DataMember(Order = 1)] public string Message;
    [DataMember(Order = 2)] public string CorrelationId;
    [DataMember(Order = 3)] public int RetryAfterSeconds;
}

[MessageContract(WrapperName = "Ping", WrapperNamespace = Ns.Appeals)]
public class PingRequest
{
}

[MessageContract(WrapperName = "PingResponse", WrapperNamespace = Ns.Appeals)]
public class PingAnswer
{
    [MessageBodyMember(Namespace = Ns.Appeals, Order = 0)] public DateTime ServerTime;
    [MessageBodyMember(Namespace = Ns.Appeals, Order = 1)] public string Version;
    [MessageBodyMember(Namespace = Ns.Appeals, Order = 2)] public string PeerCode;
    [MessageBodyMember(Namespace = Ns.Appeals, Order = 3)] public string ContractSha256;
}

[MessageContract(WrapperName = "FindAppealsResponse", WrapperNamespace = Ns.Appeals)]
public class FindAppealsAnswer
{
    [MessageBodyMember(Namespace = Ns.Appeals, Order = 0)] public RegisterLine[] Items;
    [MessageBodyMember(Namespace = Ns.Appeals, Order = 1)] public string NextCursor;
    [MessageBodyMember(Namespace = Ns.Appeals, Order = 2)] public DateTime? CompleteUntil;
}

[MessageContract(WrapperName = "FindAppeals", WrapperNamespace = Ns.Appeals)]
public class FindAppealsRequest
{
    [MessageBodyMember(Namespace = Ns.Appeals, Order = 0)] public string RegisteredFrom;
    [MessageBodyMember(Namespace = Ns.Appeals, Order = 1)] public string RegisteredTo;
    [MessageBodyMember(Namespace = Ns.Appeals, Order = 2)] public DateTime? ChangedFrom;
    [MessageBodyMember(Namespace = Ns.Appeals, Order = 3)] public DateTime? ChangedTo;
    [MessageBodyMember(Namespace = Ns.Appeals, Order = 4)] public QuestionStateName? State;
    [MessageBodyMember(Namespace = Ns.Appeals, Order = 5)] public string TopicPrefix;
    [MessageBodyMember(Namespace = Ns.Appeals, Order = 6)] public string OrganisationId;
    [MessageBodyMember(Namespace = Ns.Appeals, Order = 7)] public string Cursor;
    [MessageBodyMember(Namespace = Ns.Appeals, Order = 8)] public int? Max;
    [MessageBodyMember(Namespace = Ns.Appeals, Order = 9)] public int? MaxBytes;
}

[MessageContract(WrapperName = "GetAttachment", WrapperNamespace = Ns.Appeals)]
public class GetAttachmentRequest
{
    [MessageBodyMember(Namespace = Ns.Appeals, Order = 0)] public string AttachmentId;
}

[MessageContract(WrapperName = "GetAttachmentResponse", WrapperNamespace = Ns.Appeals)]
public class GetAttachmentAnswer
{
    [MessageBodyMember(Namespace = Ns.Appeals, Order = 0)] public string AttachmentId;
    [MessageBodyMember(Namespace = Ns.Appeals, Order = 1)] public string FileName;
    [MessageBodyMember(Namespace = Ns.Appeals, Order = 2)] public string MediaType;
    [MessageBodyMember(Namespace = Ns.Appeals, Order = 3)] public long Size;
    [MessageBodyMember(Namespace = Ns.Appeals, Order = 4)] public string Sha256;
    [MessageBodyMember(Namespace = Ns.Appeals, Order = 5)] public byte[] Content;
}

[ServiceContract(Name = "IAppealService", Namespace = Ns.Appeals)]
public interface IAppeals
{
    [OperationContract(Action = Ns.Appeals + "/Ping", ReplyAction = Ns.Appeals + "/PingResponse")]
    [FaultContract(typeof(AccessFault), Action = Ns.Appeals + "/AccessFault", Name = "AccessFault", Namespace = Ns.Appeals)]
    PingAnswer Ping(PingRequest request);

    [OperationContract(Action = Ns.Appeals + "/SubmitAppeal", ReplyAction = Ns.Appeals + "/SubmitAppealResponse")]
    [FaultContract(typeof(ValidationFault), Action = Ns.Appeals + "/ValidationFault", Name = "ValidationFault", Namespace = Ns.Appeals)]
    [FaultContract(typeof(ConflictFault), Action = Ns.Appeals + "/ConflictFault", Name = "ConflictFault", Namespace = Ns.Appeals)]
    [FaultContract(typeof(BusyFault), Action = Ns.Appeals + "/BusyFault", Name = "BusyFault", Namespace = Ns.Appeals)]
    [return: MessageParameter(Name = "Receipt")]
    Receipt SubmitAppeal(AppealIn Appeal);

    [OperationContract(Action = Ns.Appeals + "/GetAppeal", ReplyAction = Ns.Appeals + "/GetAppealResponse")]
    [FaultContract(typeof(NotFoundFault), Action = Ns.Appeals + "/NotFoundFault", Name = "NotFoundFault", Namespace = Ns.Appeals)]
    [return: MessageParameter(Name = "Appeal")]
    AppealOut GetAppeal(AppealKey Key, bool? IncludeText);

    [OperationContract(Action = Ns.Appeals + "/FindAppeals", ReplyAction = Ns.Appeals + "/FindAppealsResponse")]
    FindAppealsAnswer FindAppeals(FindAppealsRequest request);

    [OperationContract(Action = Ns.Appeals + "/AttachFile", ReplyAction = Ns.Appeals + "/AttachFileResponse")]
    [return: MessageParameter(Name = "AttachmentId")]
    string AttachFile(AppealKey OwnerKey, string FileName, string MediaType, int? Size, string Sha256, byte[] Content, string MessageKey, AttachmentRole? Role);

    [OperationContract(Action = Ns.Appeals + "/GetAttachment", ReplyAction = Ns.Appeals + "/GetAttachmentResponse")]
    GetAttachmentAnswer GetAttachment(GetAttachmentRequest request);
}
