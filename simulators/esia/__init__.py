"""A stand of ЕСИА."""
