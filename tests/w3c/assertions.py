"""The assertions of the collection, one a line: where they stand, what they ask, what shows it.

Source: SOAP Version 1.2 Specification Assertions and Test Collection, second edition (W3C, 27 April
2007), section 2. What an assertion asks is told in our words; the numbers are sections of SOAP 1.2,
second edition, Part 1 for names in x1 and Part 2 for names in x2.
"""

from __future__ import annotations

from typing import Final, NamedTuple

ALL: Final = "every test"
HEADERS: Final = "every test with a header block"
BODIES: Final = "every test with a body block"
ROLES: Final = "every test with a role"
MANDATORY: Final = "every test with a mandatory block"
FAULTS: Final = "every fault received"
ENCODED: Final = "every test with SOAP encoding"
RPC: Final = "every test of the RPC convention"
STYLED: Final = "every test with encodingStyle"
ENCODED_MARK: Final = b'e:encodingStyle="http://www.w3.org/2003/05/soap-encoding"'

RELAY: Final = "not offered: a relay's rule; the gateway is an ultimate receiver"
PROSE: Final = "not testable: speaks to those who write specifications"
MODEL: Final = "not testable by messages: a model of properties and states"
CLIENT: Final = "not offered: a rule for the requesting node; this is the responding one"
GRAPH: Final = "not offered: rpc/encoded"


class Assertion(NamedTuple):
    """One assertion.

    tests: ids that the collection names, then ours (G…), or one of the groups above. why: says why
    nothing is run for it, empty when something is.
    """

    id: str
    section: str
    asks: str
    tests: tuple[str, ...] = ()
    why: str = ""


def _ids(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_A = Assertion
PART1: Final = (
    _A("x1-conformance-part1", "1.2", "implement every MUST of Part 1 that pertains", (ALL,)),
    _A("x1-conformance-part2", "1.2", "implement every MUST of an adjunct that is used", (ALL,)),
    _A(
        "x1-reltoxml-noschema",
        "1.3",
        "values stand in the message; no schema is needed to know them",
        why="not testable: the engine reads no schema of the envelope",
    ),
    _A(
        "x1-reltoxml-lexicalform", "1.3", "all lexical forms of a type mean the same", ("T38", "G1")
    ),
    _A("x1-soapnodes-procmodel", "2.1", "process by the processing model", (ALL,)),
    _A("x1-soaproles-invariant", "2.2", "roles stay the same for one message", ("T62",)),
    _A(
        "x1-soaproles-next",
        "2.2",
        "every receiver acts as next",
        _ids("T1 T17 T66 T67 T68 T74 T75 TH4"),
    ),
    _A("x1-soaproles-none", "2.2", "nobody acts as none", _ids("T8 T18 T19")),
    _A(
        "x1-soaproles-ur",
        "2.2",
        "the last receiver acts as ultimateReceiver",
        _ids("T36 T37 T78 T79"),
    ),
    _A("x1-muprocessing-true", "2.4", "process a mandatory block or fault", (MANDATORY,)),
    _A(
        "x1-muprocessing-ur",
        "2.4",
        "a mandatory block for another role is no error",
        _ids("T15 T19"),
    ),
    _A("x1-structinterpbodies-ur", "2.5", "process the children of Body", (BODIES,)),
    _A(
        "x1-procsoapmsgs-steps",
        "2.6",
        "headers are judged before the Body, one fault",
        (ALL, "G2", "G3"),
    ),
    _A(
        "x1-procsoapmsgs-headerspec",
        "2.6",
        "a processed block is processed by its specification",
        (HEADERS,),
    ),
    _A("x1-procsoapmsgs-body", "2.6", "an ultimate receiver processes the Body", (BODIES,)),
    _A("x1-procsoapmsgs-fault", "2.6", "failure is one fault", (FAULTS,)),
    _A("x1-procsoapmsgs-faultchoice", "2.6", "any one of the possible faults", ("T23",)),
    _A("x1-relayable-behavior", "2.7.1", "which blocks a relay passes on", why=RELAY),
    _A("x1-forwardinter-behavior", "2.7.2", "what a relay removes and keeps", why=RELAY),
    _A("x1-forwardinter-featuresem", "2.7.2", "a relay follows the forwarding feature", why=RELAY),
    _A("x1-soapinterminfoset-preserve", "2.7.4", "what a relay may change", why=RELAY),
    _A("x1-envvermodel-permsg", "2.8", "the version is found for each message", _ids("T24 T30 G4")),
    _A("x1-envvermodel-msgversion", "2.8", "each version by its own semantics", _ids("T34 G4")),
    _A(
        "x1-envvermodel-fault",
        "2.8",
        "an unknown version is VersionMismatch, any other malformation Sender",
        _ids("T24 T30 TH3 T14 T28 T69 T70 T71 T72 TH2 G5 G6"),
    ),
    _A("x1-soapfeature-override", "3.1", "no binding overrides the processing model", why=PROSE),
    _A("x1-featurereq-spec", "3.1.1", "what a feature's specification holds", why=PROSE),
    _A("x1-soapmep-spec", "3.2", "what an exchange pattern's specification holds", why=PROSE),
    _A("x1-soapmep-featurereq", "3.2", "an exchange pattern is a feature", why=PROSE),
    _A("x1-soapmep-include", "3.2", "an exchange pattern says where faults go", why=PROSE),
    _A("x1-soapmodules-specrules", "3.3", "what a module's specification holds", why=PROSE),
    _A("x1-bindfw-enablemep", "4.2", "a binding enables a pattern", why=PROSE),
    _A("x1-bindfw-featurecomb", "4.2", "features say how they combine", why=PROSE),
    _A("x1-bindfw-featuredepend", "4.2", "features say what they depend on", why=PROSE),
    _A("x1-bindfw-xml10", "4.2", "a binding need not use XML 1.0", why=PROSE),
    _A(
        "x1-bindfw-streaming",
        "4.2",
        "streaming gives the results of the whole envelope",
        why="holds by construction: nothing is processed before the envelope is whole",
    ),
    _A("x1-soapenv-diichild", "5", "a message is one Envelope", (ALL, "G5")),
    _A(
        "x1-soapenv-docprop",
        "5",
        "no notations or entities; any encoding",
        _ids("T64 T25 T65 T66 T67 G7"),
    ),
    _A("x1-soapenv-dtd", "5", "no document type declaration", ("T25",)),
    _A(
        "x1-soapenv-pi",
        "5",
        "instructions SHOULD be faulted (T26 wants them passed over)",
        ("T26",),
    ),
    _A(
        "x1-soapenvelope-prop",
        "5.1",
        "Envelope: name, qualified attributes, Header?, Body",
        (ALL, "G5", "G6"),
    ),
    _A(
        "x1-soapencattr-prop",
        "5.1.1",
        "encodingStyle is a URI in the envelope's namespace",
        (STYLED,),
    ),
    _A(
        "x1-soapencattr-restrictions",
        "5.1.1",
        "encodingStyle on blocks and below only",
        (STYLED, "G8"),
    ),
    _A(
        "x1-soapencattr-scope",
        "5.1.1",
        "its scope is the element and what is below",
        _ids("T73 G9"),
    ),
    _A("x1-soapencattr-none", "5.1.1", "none, or no attribute, claims nothing", _ids("T73 G9")),
    _A(
        "x1-soaphead-prop",
        "5.2",
        "Header: qualified attributes, qualified children",
        (HEADERS, "G10", "G11"),
    ),
    _A("x1-soapheadblock-prop", "5.2.1", "a block has a namespace", (HEADERS, "G10")),
    _A("x1-soaprole-prop", "5.2.2", "role is a URI", (ROLES,)),
    _A(
        "x1-soaprole-omit",
        "5.2.2",
        "no role means ultimateReceiver",
        _ids("T3 T22 T32 T34 T35 T56 T57"),
    ),
    _A("x1-soaprole-acceptur", "5.2.2", "ultimateReceiver is accepted", _ids("T36 T37")),
    _A(
        "x1-soaprole-ignore",
        "5.2.2",
        "role below a block or in the Body is ignored",
        _ids("T74 G12"),
    ),
    _A("x1-soapmu-prop", "5.2.3", "mustUnderstand is a boolean", (MANDATORY, "T14", "T39")),
    _A(
        "x1-soapmu-omit",
        "5.2.3",
        "no mustUnderstand means false",
        _ids("T1 T2 T3 T4 T5 T6 T7 T9 T10 T18 T29 T37 T56 T57 T66 T67 T68 T74 T76"),
    ),
    _A("x1-soapmu-acceptfalse", "5.2.3", "false and 0 are accepted", _ids("T11 T38 T40")),
    _A(
        "x1-soapmu-allrep",
        "5.2.3",
        "every lexical form is accepted",
        _ids("T11 T12 T13 T15 T16 T17 T19 T21 T22 T32 T35 T36 T38 T40 T62 T63 T74 T75 TH4 G1"),
    ),
    _A(
        "x1-soapmu-ignore",
        "5.2.3",
        "mustUnderstand below a block or in the Body is ignored",
        _ids("T74 G12"),
    ),
    _A("x1-soaprelay-prop", "5.2.4", "relay is a boolean", ("G13",)),
    _A("x1-soaprelay-omit", "5.2.4", "no relay means false", why=RELAY),
    _A("x1-soaprelay-acceptfalse", "5.2.4", "false and 0 are accepted", ("G13",)),
    _A("x1-soaprelay-allrep", "5.2.4", "every lexical form is accepted", ("G13",)),
    _A("x1-soaprelay-ignore", "5.2.4", "relay below a block or in the Body is ignored", ("G12",)),
    _A("x1-soapbody-prop", "5.3", "Body: qualified attributes, qualified children", (ALL, "G14")),
    _A("x1-soapfault-prop", "5.4", "Fault: Code, Reason, Node?, Role?, Detail?", (FAULTS,)),
    _A("x1-soapfault-single", "5.4", "one Fault, alone in the Body", (FAULTS,)),
    _A("x1-soapfault-only", "5.4", "nothing beside a Fault", (FAULTS,)),
    _A("x1-faultcodeelement-prop", "5.4.1", "Code: Value, Subcode?", (FAULTS,)),
    _A("x1-faultvalueelement-prop", "5.4.1.1", "Value: one of the five codes", (FAULTS,)),
    _A(
        "x1-faultsubcodeelement-prop", "5.4.1.2", "Subcode: Value, Subcode?", (FAULTS, "T33", "T80")
    ),
    _A(
        "x1-faultsubvalueelem-prop",
        "5.4.1.3",
        "a Subcode's Value is a qualified name",
        (FAULTS, "T33", "T80"),
    ),
    _A("x1-faultstringelement-prop", "5.4.2", "Reason: Text in one or more languages", (FAULTS,)),
    _A("x1-reasontextelement-prop", "5.4.2.1", "Text says its language", (FAULTS,)),
    _A("x1-faultactorelement-prop", "5.4.3", "Node is a URI", (FAULTS, "T21")),
    _A("x1-faultactorelement-intermediaries", "5.4.3", "a relay says Node", ("T21",)),
    _A("x1-faultroleelement-prop", "5.4.4", "Role is a role of the node", (FAULTS, "T21", "TH4")),
    _A(
        "x1-faultdetailelement-prop",
        "5.4.5",
        "Detail: any attributes and children",
        (FAULTS, "T27", "T28", "T58"),
    ),
    _A("x1-faultcodes-mu", "5.4.6", "who reads a fault knows its codes", why=CLIENT),
    _A(
        "x1-soapupgrade-prop",
        "5.4.7.1",
        "Upgrade: SupportedEnvelope, one or more",
        (FAULTS, "T30", "TH3"),
    ),
    _A(
        "x1-soapsupportedenv-prop", "5.4.7.2", "SupportedEnvelope has qname", (FAULTS, "T30", "TH3")
    ),
    _A("x1-soapqnamesu-prop", "5.4.7.3", "that qname is a qualified name", (FAULTS, "T30", "TH3")),
    _A(
        "x1-soapnotunderstood-prop",
        "5.4.8.1",
        "NotUnderstood has qname",
        _ids("T12 T13 T16 T17 T21 T35 T36 TH4 G2"),
    ),
    _A(
        "x1-soapqnamenu-prop",
        "5.4.8.2",
        "that qname is a qualified name",
        _ids("T12 T13 T16 T17 T21 T35 T36 TH4 G2"),
    ),
    _A("x1-useofuris-baseuri", "6", "relative URIs by XML Base", _ids("T75 G15")),
    _A("x1-useofuris-ipv6", "6", "IPv6 literals in URIs", ("T40",)),
    _A("x1-useofuris-length", "6", "URIs of 2,048 characters", ("T29",)),
    _A("x1-version-soap11", "A", "how 1.1 and 1.2 meet", _ids("T30 TH3 XMLP-5 G4")),
)
"""84 assertions of Part 1."""

_VALUES = _ids("T41 T42 T43 T44 T45 T46 T47 T48 T49 T50 T51 T52 T53 T54 T55")
_EDGES = _ids("T41 T42 T43 T44 T45 T46")
_BINDING = _ids("TH1 TH2 TH3 TH4")
PART2: Final = (
    _A("x2-values-struct", "2.3", "labels of a struct differ", why=GRAPH),
    _A("x2-values-array", "2.3", "an array has no labels", why=GRAPH),
    _A("x2-encrules-rep", "3.1", "every representation is accepted", ("T76",)),
    _A("x2-encodingedgesandnodes-edge", "3.1.1", "an edge is an element", (ENCODED,)),
    _A("x2-encodingedgesandnodes-edgeterm", "3.1.1", "where an edge ends", (ENCODED,)),
    _A("x2-simpleenc-lexvalue", "3.1.2", "a simple value is its characters", _VALUES),
    _A("x2-complexenc-obedge", "3.1.3", "an outbound edge is a child", _EDGES),
    _A("x2-complexenc-distlab", "3.1.3", "a label is the child's name", _EDGES),
    _A(
        "x2-complexenc-distpos",
        "3.1.3",
        "a position is the child's place",
        _ids("T46 T47 T48 T49 T50"),
    ),
    _A("x2-complexenc-array", "3.1.3", "itemType and arraySize of an array", (ENCODED,)),
    _A("x2-complexenc-nil", "3.1.3", "an edge that ends nowhere", ("T77",)),
    _A("x2-enctypename-tnprop", "3.1.4", "the type name of a node", (ENCODED,)),
    _A(
        "x2-itemtypeattr-prop",
        "3.1.4.1",
        "itemType",
        _ids("T27 T42 T46 T47 T48 T50 T58 T59 T60 T61"),
    ),
    _A("x2-idattr-prop", "3.1.5.1", "id", _ids("T56 T57 T76")),
    _A("x2-refattr-prop", "3.1.5.2", "ref", _ids("T56 T57 T76")),
    _A("x2-uniqueidconstraints-onlyone", "3.1.5.3", "ref names one id", _ids("T56 T57 T76")),
    _A("x2-uniqueidconstraints-exclusive", "3.1.5.3", "not ref and id together", ("T59",)),
    _A("x2-arraySizeattr-prop", "3.1.6", "arraySize", _ids("T42 T46 T47 T48 T49 T50 T58 T60 T61")),
    _A("x2-nodeTypeattr-prop", "3.1.7", "nodeType", why=GRAPH),
    _A("x2-soapforrpc-sdm", "4", "an encoding of RPC supports the data model", why=GRAPH),
    _A("x2-rpcinvocation-model", "4.2.1", "a call is a struct", (RPC,)),
    _A("x2-rpcresponse-model", "4.2.2", "a response is a struct; void has no result", (RPC, "T31")),
    _A("x2-rpcencrestriction-onechild", "4.2.3", "one child of Body", (RPC,)),
    _A("x2-rpcsoaphead-hb", "4.3", "what is beside the call stands in headers", ("T32",)),
    _A("x2-rpcfaults-rules", "4.4", "which fault for which error", _ids("T72 T69 T70 T33 T80")),
    _A("x2-bindprops-uri", "5.1.1", "properties are named by URIs", why=MODEL),
    _A("x2-meppropconv-def", "6.1", "properties of patterns", why=MODEL),
    _A("x2-mepname-uri", "6.2.1", "the name of Request-Response", why=MODEL),
    _A("x2-bindformdesc-propdef", "6.2.3", "properties of Request-Response", why=MODEL),
    _A("x2-bindformdesc-reqctx", "6.2.3", "the requesting node's context", why=MODEL),
    _A("x2-bindformdesc-resctx", "6.2.3", "the responding node's context", why=MODEL),
    _A("x2-bindformdesc-reqsttr", "6.2.3", "the requesting node's states", why=MODEL),
    _A("x2-bindformdesc-ressttr", "6.2.3", "the responding node's states", why=MODEL),
    _A("x2-bindformdesc-stream", "6.2.3", "streaming follows the framework", why=MODEL),
    _A("x2-bindformdesc-dlock", "6.2.3", "a requesting node avoids deadlock", why=CLIENT),
    _A("x2-mepname2-uri", "6.3.1", "the name of SOAP Response", why=MODEL),
    _A("x2-bindformdesc2-propdef", "6.3.3", "properties of SOAP Response", why=MODEL),
    _A("x2-bindformdesc2-reqctx", "6.3.3", "the requesting node's context", why=MODEL),
    _A("x2-bindformdesc2-resctx", "6.3.3", "the responding node's context", why=MODEL),
    _A("x2-bindformdesc2-reqsttr", "6.3.3", "the requesting node's states", why=MODEL),
    _A("x2-bindformdesc2-ressttr", "6.3.3", "the responding node's states", why=MODEL),
    _A("x2-WebMethodFeatureName-uri", "6.4.1", "the name of Web Method", why=MODEL),
    _A("x2-webmethodstatemachine-urivalue", "6.4.3", "a request names its method", why=CLIENT),
    _A("x2-webmethodstatemachine-compat", "6.4.3", "the pattern fits the method", why=MODEL),
    _A(
        "x2-httpmediatype-mediatype",
        "7.1.4",
        "application/soap+xml in and out",
        (*_BINDING, "G16", "G17"),
    ),
    _A("x2-http-bindname-uri", "7.2", "the name of the HTTP binding", why=MODEL),
    _A("x2-http-suptransmep-uris", "7.3", "Request-Response and SOAP Response", ("TH1", "XMLP-2")),
    _A("x2-http-suptfeatures-webmethod", "7.4", "Web Method", ("TH1", "XMLP-2")),
    _A("x2-http-suptfeatures-methrest", "7.4", "POST and GET by pattern", ("TH1", "XMLP-2")),
    _A("x2-http-reqsoapnode-dlock", "7.5.1", "a requesting node avoids deadlock", why=CLIENT),
    _A("x2-http-reqbindreqstate-reqfld", "7.5.1.1", "fields of the request", _BINDING),
    _A("x2-http-reqbindwaitstate-trans", "7.5.1.2", "what each status means", _BINDING),
    _A("x2-http-respbindreceive-initerror", "7.5.2.1", "400, 405 and 415", _ids("TH2 TH5 G18 G19")),
    _A("x2-http-respbindprocess-reshdr", "7.5.2.2", "fields of the response", (*_BINDING, "TH5")),
    _A(
        "x2-http-respbindprocess-fltmap",
        "7.5.2.2",
        "the status of each fault",
        _ids("TH2 TH3 TH4 TH5"),
    ),
    _A("x2-namemap-rules-sql", "B.1", "application names as XML names", why=GRAPH),
)
"""56 assertions of Part 2."""
