"""Two vendors' desks of a duty dispatcher, one of REST and one of SOAP."""
