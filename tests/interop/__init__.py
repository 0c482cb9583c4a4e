"""Live SOAP clients against the real gateway: one row for each client and feature."""
