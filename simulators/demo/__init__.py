"""`make demo`: the whole story with made-up appeals, real processes and failing peers."""
