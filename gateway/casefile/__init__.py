"""A case file that can be checked without the gateway: what it holds, and its verification.

A zip of stored members in one canonical form: writing the members again gives the same bytes, so
that nothing of the zip's own structure can be altered unseen.

| member | what |
|---|---|
| manifest.json | canonical JSON: whose file, its head, SHA-256 of each member |
| manifest.sha256, manifest.p7s | its digest; its detached signature where a key is named |
| events.json, events/N.json | the chain of the appeal; the bodies as they are hashed |
| contents.json, contents/ID.bin | digests and salts; the personal contents |
| messages.json, messages/ID.bin | what was received, and the bytes |
| deliveries.json, attempts.json, attempts/ID.* | what was sent, and what was answered |
| files.json, files/SHA256 | attachments |
| seals/DAY.json, seals/DAY.p7s, proofs.json | the seals over its rows, and the paths to them |
"""

from gateway.casefile.check import Report, verify
from gateway.casefile.collect import collect
from gateway.casefile.package import pack

__all__ = ["Report", "collect", "pack", "verify"]
