"""The conformance suite that every adapter must pass, also a stranger's (docs/howto/adapter.md).

Cases are data: a folder each below `tests/contract/<adapter>/`. `cases` reads and walks them,
`leaves` counts what a document holds, `peers` lets a simulated peer fail in every way it knows.
The suite itself is a few pytest functions in `tests/conformance/`.
"""
