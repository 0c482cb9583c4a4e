"""XML signatures of the exchanges that have a transform of their own (СМЭВ 3)."""
