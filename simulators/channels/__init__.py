"""Every channel at once: the peers of all adapters on one stage, and a round that is counted."""
