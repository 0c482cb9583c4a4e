"""A generic HTTP receiver: what a partner's own web hook looks like from here."""
