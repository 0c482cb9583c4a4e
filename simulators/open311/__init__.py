"""A made-up city app that sends requests by GeoReport v2 and asks where they stand."""
