"""The messages of СМЭВ3: what travels, written and read, over the versions 1.1, 1.2 and 1.3."""
