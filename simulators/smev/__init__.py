"""A stand of СМЭВ 3."""
