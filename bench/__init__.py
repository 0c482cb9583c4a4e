"""Benches: one command a figure, each against a peer and a limit in the same run (README.md)."""
