"""Every XML namespace the gateway reads or writes, under one short name each."""

from typing import Final

APPEALS: Final = "urn:gov:appeals:v1"
"""Our contract: wsdl/appeals, xsd/appeals."""

SOAP11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12: Final = "http://www.w3.org/2003/05/soap-envelope"
WSA: Final = "http://www.w3.org/2005/08/addressing"
WSA_2004: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSA_ANONYMOUS: Final = "http://www.w3.org/2005/08/addressing/anonymous"
WSA_NONE: Final = "http://www.w3.org/2005/08/addressing/none"
WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
WSSE11: Final = "http://docs.oasis-open.org/wss/oasis-wss-wssecurity-secext-1.1.xsd"
WSS_MESSAGE: Final = (
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0"
)
WSS_MESSAGE11: Final = "http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1"
WSS_USERNAME: Final = (
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"
)
WSS_X509: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0"
"""Bases of the URIs that name types of tokens, references and encodings; 1.1 kept those of 1.0."""
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
DS_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
DS_MORE_2007: Final = "http://www.w3.org/2007/05/xmldsig-more#"
XENC: Final = "http://www.w3.org/2001/04/xmlenc#"
EXC_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
"""Namespace of InclusiveNamespaces, and the algorithm's own name."""

MEX: Final = "http://schemas.xmlsoap.org/ws/2004/09/mex"
TRANSFER: Final = "http://schemas.xmlsoap.org/ws/2004/09/transfer"

WSDL: Final = "http://schemas.xmlsoap.org/wsdl/"
WSDL_SOAP11: Final = "http://schemas.xmlsoap.org/wsdl/soap/"
WSDL_SOAP12: Final = "http://schemas.xmlsoap.org/wsdl/soap12/"
WSAW: Final = "http://www.w3.org/2006/05/addressing/wsdl"
WSAM: Final = "http://www.w3.org/2007/05/addressing/metadata"
WSP: Final = "http://schemas.xmlsoap.org/ws/2004/09/policy"
WSOMA: Final = "http://schemas.xmlsoap.org/ws/2004/09/policy/optimizedmimeserialization"
XOP: Final = "http://www.w3.org/2004/08/xop/include"
XSD: Final = "http://www.w3.org/2001/XMLSchema"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
XML: Final = "http://www.w3.org/XML/1998/namespace"


def tag(namespace: str, local: str) -> str:
    """Return the lxml (Clark) name `{namespace}local`."""
    return f"{{{namespace}}}{local}"
