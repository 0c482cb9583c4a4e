"""A case file that can be checked without the gateway: export and verification."""
