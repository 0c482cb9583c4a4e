"""Faults as the stacks of our peers write them: prefixes, places and codes as they came."""

from __future__ import annotations

from gateway import ns

A = ns.APPEALS
WCF = "http://schemas.microsoft.com/net/2005/12/windowscommunicationfoundation/dispatcher"


def envelope11(fault, *, prefix="s", header=""):
    return (
        f'<{prefix}:Envelope xmlns:{prefix}="{ns.SOAP11}">{header}<{prefix}:Body>{fault}'
        f"</{prefix}:Body></{prefix}:Envelope>"
    )


def envelope12(fault, *, prefix="s", header=""):
    return envelope11(fault, prefix=prefix, header=header).replace(ns.SOAP11, ns.SOAP12)


MONO_NONE = "http://schemas.microsoft.com/ws/2005/05/addressing/none"
MONO_HEADER = (
    f'<s:Header><Action s:mustUnderstand="1" xmlns="{MONO_NONE}">{A}IBack/SubmitStatusFault'
    "</Action></s:Header>"
)
MONO_TYPED = '<?xml version="1.0" encoding="utf-8"?>' + envelope11(
    '<s:Fault><faultcode>Sender</faultcode><faultstring xml:lang="">нет</faultstring><detail>'
    f'<StateFault xmlns:i="{ns.XSI}" xmlns="{A}"><Code>state</Code></StateFault></detail>'
    "</s:Fault>",
    header=MONO_HEADER,
)
MONO_BUSY_12 = '\ufeff<?xml version="1.0" encoding="utf-8"?>' + envelope12(
    "<s:Fault><s:Code><s:Value>Receiver</s:Value><s:Subcode><s:Value xmlns:a='urn:x'>a:x</s:Value>"
    '</s:Subcode></s:Code><s:Reason><s:Text xml:lang="">позже</s:Text></s:Reason><s:Detail>'
    f'<BusyFault xmlns:i="{ns.XSI}" xmlns="{A}"><Code>busy</Code></BusyFault></s:Detail></s:Fault>',
    header=MONO_HEADER,
)
MONO_DEFECT_12 = '\ufeff<?xml version="1.0" encoding="utf-8"?>' + envelope12(
    f'<s:Fault><s:Code><s:Value xmlns:a="{MONO_NONE}">a:InternalServiceFault</s:Value></s:Code>'
    '<s:Reason><s:Text xml:lang="">The server was unable to process the request</s:Text>'
    "</s:Reason></s:Fault>"
)
WCF_TYPED = envelope11(
    '<s:Fault><faultcode>s:Client</faultcode><faultstring xml:lang="ru-RU">Ошибка</faultstring>'
    f'<detail><StateFault xmlns="{A}" xmlns:i="{ns.XSI}"><Code>state</Code></StateFault></detail>'
    "</s:Fault>"
)
WCF_TYPED_12 = envelope12(
    '<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason><s:Text xml:lang="en-US">no'
    f'</s:Text></s:Reason><s:Detail><ConflictFault xmlns="{A}"><Code>conflict</Code>'
    "</ConflictFault></s:Detail></s:Fault>"
)
WCF_UNKNOWN = envelope11(
    f'<s:Fault><faultcode xmlns:a="{WCF}">a:InternalServiceFault</faultcode>'
    '<faultstring xml:lang="en-US">The server was unable to process the request.</faultstring>'
    "</s:Fault>"
)
WCF_UNREADABLE = envelope11(
    f'<s:Fault><faultcode xmlns:a="{WCF}">a:DeserializationFailed</faultcode>'
    '<faultstring xml:lang="en-US">The formatter threw an exception</faultstring></s:Fault>'
)
WCF_SECURITY = envelope11(
    f'<s:Fault><faultcode xmlns:o="{ns.WSSE}">o:InvalidSecurity</faultcode>'
    '<faultstring xml:lang="en-US">An error occurred when verifying security for the message.'
    "</faultstring></s:Fault>"
)
WCF_SECURITY_12 = envelope12(
    "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode>"
    f'<s:Value xmlns:a="{ns.WSSE}">a:FailedAuthentication</s:Value></s:Subcode></s:Code>'
    '<s:Reason><s:Text xml:lang="en-US">denied</s:Text></s:Reason></s:Fault>'
)
WCF_BUSY = envelope12(
    "<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode>"
    f'<s:Value xmlns:a="{WCF}">a:ServerTooBusy</s:Value></s:Subcode></s:Code>'
    '<s:Reason><s:Text xml:lang="en-US">busy</s:Text></s:Reason></s:Fault>'
)
WCF_ACTION = envelope11(
    f'<s:Fault><faultcode xmlns:a="{ns.WSA}">a:ActionNotSupported</faultcode>'
    '<faultstring xml:lang="en-US">cannot be processed at the receiver</faultstring></s:Fault>'
)
JAX_WS_TYPED = envelope11(
    f'<S:Fault xmlns:ns4="{ns.SOAP12}"><faultcode>S:Server</faultcode>'
    "<faultstring>validation</faultstring><detail>"
    f'<ns2:ValidationFault xmlns:ns2="{A}"><ns2:Code>validation</ns2:Code></ns2:ValidationFault>'
    "</detail></S:Fault>",
    prefix="S",
)
JAX_WS_DEFECT = envelope11(
    f'<S:Fault xmlns:ns4="{ns.SOAP12}"><faultcode>S:Server</faultcode>'
    "<faultstring>null</faultstring><detail>"
    '<ns2:exception xmlns:ns2="http://jax-ws.dev.java.net/" class="java.lang.NullPointerException">'
    "<message>BusyFault</message><ns2:stackTrace/></ns2:exception></detail></S:Fault>",
    prefix="S",
)
JAX_WS_TYPED_12 = envelope12(
    f'<ns3:Fault xmlns:ns3="{ns.SOAP12}" xmlns:ns4="{ns.SOAP11}"><ns3:Code><ns3:Value>ns3:Receiver'
    "</ns3:Value></ns3:Code><ns3:Reason><ns3:Text xml:lang='en'>busy</ns3:Text></ns3:Reason>"
    f'<ns3:Detail><ns2:BusyFault xmlns:ns2="{A}"/></ns3:Detail></ns3:Fault>',
    prefix="S",
)
JAX_WS_UNADDRESSED = envelope11(
    f'<E:Fault xmlns:E="{ns.SOAP11}"><faultcode xmlns:E="{ns.SOAP11}" xmlns:wsa="{ns.WSA}">'
    "wsa:MessageAddressingHeaderRequired</faultcode><faultstring>A required header representing a"
    " Message Addressing Property is not present</faultstring></E:Fault>",
    prefix="S",
    header=f'<S:Header><FaultDetail xmlns="{ns.WSA}"><ProblemHeaderQName>{{{ns.WSA}}}Action'
    "</ProblemHeaderQName></FaultDetail></S:Header>",
)
JAX_WS_UNADDRESSED_12 = envelope12(
    f'<env:Fault xmlns:env="{ns.SOAP12}"><env:Code><env:Value>env:Sender</env:Value><env:Subcode>'
    f'<env:Value xmlns:wsa="{ns.WSA}">wsa:MessageAddressingHeaderRequired</env:Value><env:Subcode>'
    f'<env:Value xmlns:wsa="{ns.WSA}">wsa:MessageAddressingHeaderRequired</env:Value></env:Subcode>'
    '</env:Subcode></env:Code><env:Reason><env:Text xml:lang="en">not present</env:Text>'
    f'</env:Reason><env:Detail><ns2:ProblemHeaderQName xmlns:ns2="{ns.WSA}">ns2:Action'
    "</ns2:ProblemHeaderQName></env:Detail></env:Fault>",
    prefix="S",
)
JAX_WS_MUST_12 = envelope12(
    f'<S:Fault xmlns:ns4="{ns.SOAP11}"><S:Code><S:Value>S:MustUnderstand</S:Value></S:Code>'
    '<S:Reason><S:Text xml:lang="en">One or more mandatory SOAP header blocks not understood'
    "</S:Text></S:Reason></S:Fault>",
    prefix="S",
    header=f'<S:Header><NotUnderstood xmlns:abc="{ns.WSSE}" xmlns="{ns.SOAP12}" '
    'qname="abc:Security"/></S:Header>',
)
METRO_VERSION = envelope11(
    "<S:Fault><faultcode>S:VersionMismatch</faultcode><faultstring>Couldn't create SOAP message."
    " Expecting Envelope in another namespace</faultstring></S:Fault>",
    prefix="S",
)
PHP_UNTYPED = envelope11(
    "<SOAP-ENV:Fault><faultcode>SOAP-ENV:Server</faultcode><faultstring>later</faultstring>"
    "<detail><BusyFault><Code>busy</Code></BusyFault></detail></SOAP-ENV:Fault>",
    prefix="SOAP-ENV",
)
PHP_NESTED = envelope11(
    "<SOAP-ENV:Fault><faultcode>SOAP-ENV:Server</faultcode><faultstring>нет</faultstring><detail>"
    "<item><key>NotFoundFault</key><value><item><key>Code</key><value>not_found</value></item>"
    "</value></item></detail></SOAP-ENV:Fault>",
    prefix="SOAP-ENV",
)
PHP_12 = envelope12(
    "<env:Fault><env:Code><env:Value>env:Sender</env:Value></env:Code><env:Reason><env:Text>"
    "Procedure 'X' not present</env:Text></env:Reason></env:Fault>",
    prefix="env",
)
PHP_OWN_CODE = envelope11(
    "<SOAP-ENV:Fault><faultcode>42</faultcode><faultstring>?</faultstring></SOAP-ENV:Fault>",
    prefix="SOAP-ENV",
)
GSOAP = envelope11(
    "<SOAP-ENV:Fault><faultcode>SOAP-ENV:Client</faultcode><faultstring>Validation constraint"
    f' violation</faultstring><detail><ns1:ValidationFault xmlns:ns1="{A}"/></detail>'
    "</SOAP-ENV:Fault>",
    prefix="SOAP-ENV",
)
GSOAP_12 = envelope12(
    "<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Receiver</SOAP-ENV:Value>"
    "</SOAP-ENV:Code><SOAP-ENV:Reason><SOAP-ENV:Text>end of file</SOAP-ENV:Text></SOAP-ENV:Reason>"
    "</SOAP-ENV:Fault>",
    prefix="SOAP-ENV",
)
GSOAP_MUST = envelope12(
    "<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:MustUnderstand</SOAP-ENV:Value>"
    "</SOAP-ENV:Code><SOAP-ENV:Reason><SOAP-ENV:Text>no</SOAP-ENV:Text></SOAP-ENV:Reason>"
    "</SOAP-ENV:Fault>",
    prefix="SOAP-ENV",
)
AXIS = envelope11(
    "<soapenv:Fault><faultcode>soapenv:Server.userException</faultcode><faultstring>SQL"
    "</faultstring><detail/></soapenv:Fault>",
    prefix="soapenv",
)
AXIS_CLIENT = envelope11(
    "<soapenv:Fault><faultcode>soapenv:Client.Authentication</faultcode><faultstring>who?"
    "</faultstring></soapenv:Fault>",
    prefix="soapenv",
)
CXF_SECURITY = envelope11(
    '<soap:Fault><faultcode xmlns:ns1="http://ws.apache.org/wss4j">ns1:SecurityError</faultcode>'
    "<faultstring>A security error was encountered when verifying the message</faultstring>"
    "</soap:Fault>",
    prefix="soap",
)
LOST_PREFIX = envelope11(
    "<soap:Fault><faultcode>wsse:FailedAuthentication</faultcode><faultstring>no</faultstring>"
    "</soap:Fault>",
    prefix="soap",
)
QUALIFIED_11 = envelope11(
    "<s:Fault><s:faultcode>s:Client</s:faultcode><s:faultstring>no</s:faultstring></s:Fault>"
)
ACCESS = envelope11(
    f"<s:Fault><faultcode>s:Client</faultcode><faultstring>no</faultstring><detail><AccessFault "
    f'xmlns="{A}"/></detail></s:Fault>'
)
UNREACHABLE = envelope12(
    "<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode>"
    f'<s:Value xmlns:w="{ns.WSA}">w:EndpointUnavailable</s:Value></s:Subcode></s:Code><s:Reason>'
    f'<s:Text xml:lang="en">down</s:Text></s:Reason><s:Detail><w:RetryAfter xmlns:w="{ns.WSA}">'
    "5000</w:RetryAfter></s:Detail></s:Fault>"
)
WITHOUT_CODE = envelope11("<s:Fault><faultstring>нечто</faultstring></s:Fault>")
