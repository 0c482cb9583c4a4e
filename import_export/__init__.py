"""Files in and out: tables and XML bundles, their profiles, and the watched directories."""
