// Mono WCF against the gateway; prints one line for each feature (see tests/interop/rows.py).

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.ServiceModel;
using System.ServiceModel.Channels;
using System.ServiceModel.Description;
using System.ServiceModel.Dispatcher;
using System.Text;
using System.Xml;
using gov.appeals.v1;

static class Peer
{
    static readonly string Code = Env("PEER");
    static readonly string Key = Env("KEY");
    static readonly string Text = Env("TEXT");
    static readonly byte[] Bytes = Enumerable.Range(0, 2048).Select(i => (byte)i).ToArray();

    static string Env(string name)
    {
        return Environment.GetEnvironmentVariable("INTEROP_" + name);
    }

    static void Must(bool condition, object detail)
    {
        if (!condition) throw new Exception(Convert.ToString(detail));
    }

    static BasicHttpBinding Basic(BasicHttpSecurityMode mode = BasicHttpSecurityMode.TransportCredentialOnly)
    {
        var binding = new BasicHttpBinding(mode) { SendTimeout = TimeSpan.FromSeconds(20) };
        binding.Security.Transport.ClientCredentialType = HttpClientCredentialType.Basic;
        return binding;
    }

    static CustomBinding Custom(MessageVersion version)
    {
        return new CustomBinding(
            new TextMessageEncodingBindingElement(version, Encoding.UTF8),
            new HttpTransportBindingElement { AuthenticationScheme = AuthenticationSchemes.Basic });
    }

    /// Calls the service as WCF users do: a factory, a channel, credentials of the factory.
    static T Call<T>(Func<IAppeals, T> work, Binding binding = null, string address = null, string user = null,
        string key = null, IEndpointBehavior watch = null, X509Certificate2 certificate = null)
    {
        var factory = new ChannelFactory<IAppeals>(binding ?? Basic(), new EndpointAddress(address ?? Env("HTTP")));
        factory.Credentials.UserName.UserName = user ?? Code;
        factory.Credentials.UserName.Password = key ?? Key;
        if (certificate != null) factory.Credentials.ClientCertificate.Certificate = certificate;
        if (watch != null) factory.Endpoint.Behaviors.Add(watch);
        var channel = factory.CreateChannel();
        using (new OperationContextScope((IContextChannel)channel))
            return work(channel);
    }

    static string Ping(Binding binding = null, string address = null, string user = null, string key = null)
    {
        var found = Call(c => c.Ping(new PingRequest()), binding, address, user, key);
        Must(found.PeerCode == Code, "PeerCode " + found.PeerCode);
        return "";
    }

    static AppealIn Appeal(string name)
    {
        return new AppealIn { ExternalId = Code + "-" + name, Text = Text };
    }

    static AppealKey Named(string name)
    {
        return new AppealKey { ExternalId = name };
    }

    static AppealOut Stored(AppealIn appeal, Binding binding = null)
    {
        Call(c => c.SubmitAppeal(appeal), binding);
        return Call(c => c.GetAppeal(Named(appeal.ExternalId), true), binding);
    }

    static string Same(AppealOut found)
    {
        Must(found.Text == Text, found.Text);
        return "";
    }

    /// The typed detail of the fault that a call must end in.
    static F Fault<F>(Action call)
    {
        try
        {
            call();
        }
        catch (FaultException<F> fault)
        {
            return fault.Detail;
        }
        throw new Exception("no fault");
    }

    /// A header of HTTP on the next call: how a binding without security carries a key.
    static void Header(string name, string value)
    {
        var http = new HttpRequestMessageProperty();
        http.Headers[name] = value;
        OperationContext.Current.OutgoingMessageProperties[HttpRequestMessageProperty.Name] = http;
    }

    /// Sees what goes out and what comes back, with the headers that WCF keeps to itself.
    class Watch : IEndpointBehavior, IClientMessageInspector
    {
        public UniqueId Sent, RelatesTo;
        public string Action;

        public object BeforeSendRequest(ref Message request, IClientChannel channel)
        {
            request.Headers.MessageId = Sent = new UniqueId();
            return null;
        }

        public void AfterReceiveReply(ref Message reply, object state)
        {
            RelatesTo = reply.Headers.RelatesTo;
            Action = reply.Headers.Action;
        }

        public void ApplyClientBehavior(ServiceEndpoint endpoint, ClientRuntime runtime)
        {
            runtime.MessageInspectors.Add(this);
        }

        public void AddBindingParameters(ServiceEndpoint endpoint, BindingParameterCollection parameters) { }
        public void ApplyDispatchBehavior(ServiceEndpoint endpoint, EndpointDispatcher dispatcher) { }
        public void Validate(ServiceEndpoint endpoint) { }
    }

    static string Addressed(MessageVersion version)
    {
        var watch = new Watch();
        var found = Call(c => c.Ping(new PingRequest()), Custom(version), watch: watch);
        Must(found.PeerCode == Code, "PeerCode " + found.PeerCode);
        Must(watch.RelatesTo == watch.Sent, "RelatesTo " + watch.RelatesTo);
        return watch.Action;
    }

    /// The description by messages, as WCF's own tools ask for it.
    static string Exchanged()
    {
        var asked = new MetadataExchangeClient(new Uri(Env("HTTP") + "/mex"), MetadataExchangeClientMode.MetadataExchange);
        var kinds = asked.GetMetadata().MetadataSections.Select(section => section.Metadata.GetType().Name).ToArray();
        Must(kinds.Contains("ServiceDescription") && kinds.Contains("XmlSchema"), string.Join(", ", kinds));
        return string.Join(", ", kinds);
    }

    static string Shown()
    {
        // Mono would take the connection of another call, on which it showed no certificate.
        ServicePointManager.FindServicePoint(new Uri(Env("HTTPS"))).CloseConnectionGroup("");
        var binding = Basic(BasicHttpSecurityMode.Transport);
        binding.Security.Transport.ClientCredentialType = HttpClientCredentialType.Certificate;
        var own = new X509Certificate2("own.p12", "interop");
        var found = Call(c => c.Ping(new PingRequest()), binding, Env("HTTPS"), certificate: own);
        Must(found.PeerCode == Env("TLS"), "PeerCode " + found.PeerCode);
        return "";
    }

    static string Refused()
    {
        try
        {
            Ping(key: "gw_0000000000_wrong");
        }
        catch (Exception error)
        {
            return error.GetType().Name + ": " + error.Message;
        }
        throw new Exception("a wrong key was taken");
    }

    static string Unknown()
    {
        try
        {
            Call(c =>
            {
                OperationContext.Current.OutgoingMessageHeaders.Add(
                    MessageHeader.CreateHeader("Strange", "urn:example:strange", "x", true));
                return c.Ping(new PingRequest());
            });
        }
        catch (FaultException fault)
        {
            Must(fault.Code.Name == "MustUnderstand", fault.Code.Name);
            return fault.Code.Name;
        }
        throw new Exception("executed");
    }

    static FindAppealsAnswer Find(BasicHttpBinding binding, int? bytes)
    {
        return Call(c => c.FindAppeals(new FindAppealsRequest { Max = 1000, MaxBytes = bytes }), binding);
    }

    static string Large()
    {
        var limit = "refused by default";
        try
        {
            Find(Basic(), 1000000);
            limit = "Mono does not hold its own limit";
        }
        catch (CommunicationException)
        {
        }
        var raised = Basic();
        raised.MaxReceivedMessageSize = 2000000;
        var found = Find(raised, 1000000);
        Must(found.Items.Length >= 300 && found.NextCursor == null, found.Items.Length);
        return found.Items.Length + " lines; " + limit;
    }

    static Dictionary<string, Func<string>> Rows()
    {
        return new Dictionary<string, Func<string>>
        {
            ["mex"] = Exchanged,
            ["soap11"] = () => Call(c => c.SubmitAppeal(Appeal("11"))).ReceiptNumber,
            ["soap12"] = () => Call(c => c.SubmitAppeal(Appeal("12")), Custom(MessageVersion.Soap12)).ReceiptNumber,
            ["addressing11"] = () => Addressed(MessageVersion.Soap11WSAddressing10),
            ["addressing"] = () => Addressed(MessageVersion.Soap12WSAddressing10),
            ["ws_http"] = () => Call(c =>
            {
                Header("X-API-Key", Key);
                Must(c.Ping(new PingRequest()).PeerCode == Code, "another peer");
                return "the key in X-API-Key";
            }, new WSHttpBinding(SecurityMode.None)),
            ["https"] = () => Ping(Basic(BasicHttpSecurityMode.Transport), Env("HTTPS")),
            ["basic"] = () => Ping(),
            ["basic_refused"] = Refused,
            ["challenge"] = () => Ping() + "HttpWebRequest sends it only when asked",
            ["repeat"] = () =>
            {
                var first = Call(c => c.SubmitAppeal(Appeal("repeat")));
                var again = Call(c => c.SubmitAppeal(Appeal("repeat")));
                Must(first.ReceiptNumber == again.ReceiptNumber && first.AcceptedAt == again.AcceptedAt
                    && first.ContentSha256 == again.ContentSha256, again.ReceiptNumber);
                return first.ReceiptNumber;
            },
            ["text"] = () => Same(Stored(Appeal("text"))),
            ["list"] = () =>
            {
                var asked = Appeal("list");
                asked.Questions = new[] { new QuestionIn { Text = "Первый" }, new QuestionIn { Text = "Второй" } };
                var found = string.Join(" ", Stored(asked).Questions.Select(q => q.Text));
                Must(found == "Первый Второй", found);
                return found;
            },
            ["instant"] = () =>
            {
                var sent = new DateTime(2026, 11, 20, 6, 30, 0, DateTimeKind.Utc);
                var asked = Appeal("instant");
                asked.ReceivedAt = sent.ToLocalTime();
                var found = Stored(asked).ReceivedAt.ToUniversalTime();
                Must(found == sent, found);
                return found.ToString("o");
            },
            ["attachment"] = () =>
            {
                Call(c => c.SubmitAppeal(Appeal("file")));
                var id = Call(c => c.AttachFile(Named(Code + "-file"), "фото.bin", null, null, null, Bytes, Code + "-file-1", null));
                var found = Call(c => c.GetAttachment(new GetAttachmentRequest { AttachmentId = id }));
                Must(found.Content.SequenceEqual(Bytes), "other bytes");
                return "";
            },
            ["fault_validation"] = () =>
            {
                var wrong = Appeal("wrong");
                wrong.ProblemAddress = new Address { Oktmo = "1" };
                var found = Fault<ValidationFault>(() => Call(c => c.SubmitAppeal(wrong)));
                var first = found.Errors[0];
                Must(found.Code == "validation" && first.Path.EndsWith("/ProblemAddress/Oktmo"), first.Path);
                return found.Code + " " + first.Path + " " + first.Code;
            },
            ["fault_conflict"] = () =>
            {
                var number = Call(c => c.SubmitAppeal(Appeal("conflict"))).ReceiptNumber;
                var other = Appeal("conflict");
                other.Subject = "Другое";
                var found = Fault<ConflictFault>(() => Call(c => c.SubmitAppeal(other)));
                Must(found.ReceiptNumber == number, found.ReceiptNumber);
                return number;
            },
            ["fault_not_found"] = () =>
            {
                var found = Fault<NotFoundFault>(() => Call(c => c.GetAppeal(Named("нет"), null), Custom(MessageVersion.Soap12)));
                Must(found.Code == "not_found", found.Code);
                return found.Code;
            },
            ["fault_access"] = () =>
            {
                var found = Fault<AccessFault>(() => Ping(user: Env("BARRED"), key: Env("BARRED_KEY")));
                Must(found.Code == "access", found.Code);
                return found.Code;
            },
            ["fault_busy"] = () =>
            {
                var found = Fault<BusyFault>(() => Call(c => c.SubmitAppeal(Appeal("busy")), address: Env("BUSY")));
                Must(found.RetryAfterSeconds >= 1, found.RetryAfterSeconds);
                return "RetryAfterSeconds " + found.RetryAfterSeconds;
            },
            ["must_understand"] = Unknown,
            ["default_limit"] = () =>
            {
                var found = Find(Basic(), null);
                Must(found.NextCursor != null, "the list was not long enough");
                return found.Items.Length + " lines and a cursor";
            },
            ["large_answer"] = Large,
            ["chunked"] = () =>
            {
                var streamed = new BasicHttpBinding { TransferMode = TransferMode.Streamed };
                return Call(c =>
                {
                    Header("X-API-Key", Key);
                    Must(c.Ping(new PingRequest()).PeerCode == Code, "another peer");
                    return "TransferMode.Streamed";
                }, streamed);
            },
            ["client_certificate"] = Shown,
            ["utf16"] = () =>
            {
                var binding = Basic();
                binding.TextEncoding = Encoding.Unicode;
                return Same(Stored(Appeal("utf16"), binding));
            },
        };
    }

    static int Main()
    {
        var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false)) { AutoFlush = true };
        var mono = Type.GetType("Mono.Runtime").GetMethod("GetDisplayName",
            System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static).Invoke(null, null);
        output.WriteLine("version\tok\tMono WCF " + mono.ToString().Split(' ')[0]);
        foreach (var row in Rows())
        {
            string verdict = "ok", words;
            try
            {
                words = row.Value();
            }
            catch (Exception error)
            {
                verdict = "fail";
                words = error.GetType().Name + ": " + error.Message;
                Console.Error.WriteLine(row.Key + ": " + error);
            }
            output.WriteLine(row.Key + "\t" + verdict + "\t" + string.Join(" ", words.Split('\n', '\t', '\r')));
        }
        return 0;
    }
}
