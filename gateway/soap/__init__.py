"""The SOAP engine: pure functions from bytes to a call and from a reply to bytes.

`splitter` takes the HTTP body apart, `envelope.open` reads and checks the root part,
`envelope.seal` writes the answer, `faults.seal_fault` writes a refusal. It knows no contract,
clock, network or database: the service's operations and validator, the instant and the keys come
with `Context`.
"""
