"""The wires: the SOAP route, the codec of the main contract, and the channels."""
