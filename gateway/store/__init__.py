"""The store: PostgreSQL tables, the group committer, the ledger of keys, lanes and blobs.

`tables` says what is kept, `schema` creates and migrates it, `committer` is the only writer of the
accept path, everything that matters for speed or order is SQL with a name (design §7.5).
"""
