"""ФИАС as a simulated peer: the catalogue of deliveries by REST and SOAP, and the host of files."""
