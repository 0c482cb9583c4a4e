"""The Appeals Gateway: citizens' appeals from any wire to every wire, durable on the way."""

__version__ = "0.1.0"
