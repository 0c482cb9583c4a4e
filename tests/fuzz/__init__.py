"""Mutated envelopes against the SOAP application: every answer is a fault or a result."""
