"""The register of addresses as a directory: looked up, refreshed from its deliveries."""
