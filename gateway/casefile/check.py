"""Verifies a case file by itself: no database, no settings, nothing but the file and an authority.

What is found names the member, and the event, content or message in it. The order is from the
outside in: the zip, the manifest, its signature, the members, the chain, the contents, the
messages, the attempts and files, the seals.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec

from gateway.casefile.package import DIGEST, MANIFEST, SIGNATURE, Manifest, canonical, members_of
from gateway.disclosure import Level
from gateway.errors import GatewayError, MalformedError, TrustError
from gateway.model.events import StoredEvent, verify_chain
from gateway.sealing import APART
from gateway.store import sealed

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from pathlib import Path

    from gateway.signing import Signing

_TOP: Final = frozenset(
    {
        "events.json", "contents.json", "messages.json", "deliveries.json", "attempts.json",
        "files.json", "proofs.json", MANIFEST, DIGEST, SIGNATURE,
    }
)  # fmt: skip
_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DOUBT: Final = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. faults: altered, missing or strange; notes: what could not be said.

    signed_by: whose signature is under the manifest, and so under the whole file; sealed_by: whose
    are under the seals, which vouch for their rows alone.
    """

    receipt_number: str = ""
    level: str = ""
    events: int = 0
    contents: dict[str, int] = {}
    seals: int = 0
    signed_by: str = ""
    sealed_by: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def verify(path: Path, signing: Signing | None, *, trusted: bool) -> Report:
    """Verify a case file. signing: None where no backend is installed; trusted: ask its trust."""
    try:
        members = members_of(path)
        manifest = _manifest(members)
        check = _Check(members, manifest, signing, trusted=trusted)
    except (GatewayError, OSError) as error:
        return Report(faults=(str(error),))
    faults: list[str] = []
    for step in (check.listed, check.signature, check.chain, check.contents, check.messages,
                 check.sent, check.seals):  # fmt: skip
        try:
            faults += step()
        except (GatewayError, *_DOUBT) as error:
            faults.append(f"{step.__name__}: what it says cannot be read: {error!r}"[:300])
    return Report(
        receipt_number=manifest.receipt_number,
        level=manifest.level,
        events=check.events,
        contents=check.states,
        seals=check.sealed,
        signed_by=check.signed_by,
        sealed_by=tuple(sorted(check.sealed_by)),
        faults=tuple(faults),
        notes=tuple(check.notes),
    )


def _manifest(members: Mapping[str, bytes]) -> Manifest:
    data = members.get(MANIFEST)
    if data is None:
        raise MalformedError(f"{MANIFEST} is missing")
    if members.get(DIGEST) != sha256(data).hexdigest().encode():
        raise MalformedError(f"{MANIFEST} or {DIGEST} was altered")
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedError(f"{MANIFEST} was altered: {error}") from error
    if canonical(manifest) != data:
        raise MalformedError(f"{MANIFEST} is not in its canonical form")
    if not _ID.fullmatch(manifest.appeal_id):
        raise MalformedError(f"{MANIFEST} names no appeal")
    return manifest


class _Check:
    """One file on its way through the steps."""

    def __init__(
        self,
        members: Mapping[str, bytes],
        manifest: Manifest,
        signing: Signing | None,
        *,
        trusted: bool,
    ) -> None:
        self._members = members
        self._manifest = manifest
        self._signing = signing
        self._trusted = trusted
        self._id = UUID(manifest.appeal_id)
        self._leaves: dict[str, tuple[str, bytes, datetime]] = {}
        self._named: set[str] = set()
        self.events = self.sealed = 0
        self.states: dict[str, int] = {}
        self.signed_by = ""
        self.sealed_by: set[str] = set()
        self.notes: list[str] = []

    def listed(self) -> Iterator[str]:
        """Hold every member against the manifest."""
        own = {MANIFEST, DIGEST, SIGNATURE}
        for name, entry in self._manifest.members.items():
            data = self._members.get(name)
            if data is None:
                yield f"{name} is missing"
            elif len(data) != entry.size or sha256(data).hexdigest() != entry.sha256:
                yield f"{name} was altered"
        for name in self._members:
            if name not in self._manifest.members and name not in own:
                yield f"{name} was added"

    def signature(self) -> Iterator[str]:
        """Check the signature over the manifest; whoever names an authority wants one there."""
        at = datetime.fromisoformat(self._manifest.made_at)
        cms = self._members.get(SIGNATURE)
        if cms is not None:
            found = yield from self._signed(SIGNATURE, cms, self._members[MANIFEST], at)
            self.signed_by = found
        elif self._trusted:
            yield f"{SIGNATURE} is missing: nobody vouches for what no seal covers"
        else:
            self.notes.append("опись не подписана · the manifest is not signed")

    def _signed(
        self, name: str, cms: bytes, data: bytes, at: datetime
    ) -> Generator[str, None, str]:
        """Check a signature; return whose it is, empty when it does not hold."""
        if self._signing is None:
            yield f"{name}: the signature cannot be checked, no backend is installed"
            return ""
        try:
            signed = self._signing.backend.cms_verify(cms, data)
            if signed.signed_at is not None and abs(signed.signed_at - at) > APART:
                yield f"{name} was signed at {signed.signed_at}, this file says {at}"
            if self._trusted:
                self._signing.trust.check(signed.certificate.der, at)
        except TrustError as error:
            yield f"{name}: the signature is not believed: {error}"
            return ""
        return signed.certificate.subject

    def chain(self) -> Iterator[str]:
        """Check the chain of events up to the head, and whose it is."""
        rows = []
        for told in self._json("events.json"):
            name = f"events/{told['seq']}.json"
            self._named.add(name)
            prev, hash_ = bytes.fromhex(told["prev"]), bytes.fromhex(told["hash"])
            body = self._members.get(name)
            if body is None:
                yield f"event {told['seq']}: {name} is missing"
                return
            rows.append(StoredEvent(told["seq"], told["type"], body, prev, hash_))
            leaf = sealed.event_leaf(self._id, told["seq"], hash_)
            at = datetime.fromisoformat(told["recorded_at"])
            self._leaves[leaf.key.hex()] = (f"event {told['seq']}", leaf.digest, at)
        found = verify_chain(self._id, rows)
        self.events = len(rows)
        if isinstance(found, str):
            yield f"events: {found}"
        elif (found[0], found[1].hex()) != (self._manifest.head_seq, self._manifest.head_hash):
            yield f"events end at {found[0]}, the manifest says {self._manifest.head_seq}"

    def contents(self) -> Iterator[str]:
        """Hold contents against their digests, and those against what the events name."""
        known = {}
        for told in self._json("contents.json"):
            known[told["digest"]] = told
            self.states[told["state"]] = self.states.get(told["state"], 0) + 1
            name = f"contents/{told['id']}.bin"
            data = self._members.get(name)
            if told["state"] == "withheld" and self._manifest.level == Level.FULL:
                yield f"content {told['id']} is withheld in a file that is said to be full"
            if told["state"] != "whole":
                if data is not None:
                    yield f"{name} is there, and is said to be {told['state']}"
                continue
            self._named.add(name)
            if data is None:
                yield f"{name} is missing"
            elif sha256(bytes.fromhex(told["salt"]) + data).hexdigest() != told["digest"]:
                yield f"content {told['id']}: its bytes or its salt were altered"
        for told in self._json("events.json"):
            body = msgspec.json.decode(self._members[f"events/{told['seq']}.json"])
            digest = body.get("content")
            if digest and digest not in known:
                yield f"content of event {told['seq']} is not listed"

    def messages(self) -> Iterator[str]:
        """Hold messages against their digests."""
        for told in self._json("messages.json"):
            name = f"messages/{told['id']}.bin"
            data = self._members.get(name)
            if (told["state"] == "whole") != (data is not None):
                yield f"message {told['id']} is {told['state']}, and {name} says otherwise"
            if data is not None and sha256(data).hexdigest() != told["body_sha256"]:
                yield f"message {told['id']} was altered"
            if told["state"] == "missing":
                yield f"message {told['id']}: its bytes were missing when the file was made"
            self._named.add(name)
            row = SimpleNamespace(
                **{
                    **told,
                    "id": UUID(told["id"]),
                    "body_sha256": bytes.fromhex(told["body_sha256"]),
                    "recorded_at": datetime.fromisoformat(told["recorded_at"]),
                }
            )
            leaf = sealed.message_leaf(row)
            self._leaves[leaf.key.hex()] = (f"message {told['id']}", leaf.digest, row.recorded_at)

    def sent(self) -> Iterator[str]:
        """Hold requests and files against their digests; no member may belong to nothing."""
        for told in self._json("attempts.json", must=False):
            for part in ("request", "response"):
                name = f"attempts/{told['id']}.{part}"
                self._named.add(name)
                data = self._members.get(name)
                wanted = told["request_sha256"] if part == "request" else ""
                if wanted and data is not None and sha256(data).hexdigest() != wanted:
                    yield f"attempt {told['id']}: its request was altered"
        for told in self._json("files.json", must=False):
            name = f"files/{told['sha256']}"
            self._named.add(name)
            data = self._members.get(name)
            if data is None or sha256(data).hexdigest() != told["sha256"]:
                yield f"{name} is missing or was altered"
        for name in self._members:
            if name not in self._named | _TOP and not name.startswith("seals/"):
                yield f"{name} belongs to nothing in this file"

    def seals(self) -> Iterator[str]:
        """Follow the path of each row to its seal, and check who sealed."""
        found: dict[str, Any] = {}
        made: dict[str, datetime] = {}
        for proof in self._json("proofs.json"):
            what, digest, at = self._leaves.pop(proof["key"], ("", b"", _EPOCH))
            day = proof["day"]
            if day not in found:
                found[day] = sealed.decode(self._members[f"seals/{day}.json"])
                made[day] = datetime.fromisoformat(proof["sealed_at"])
            if not what:
                yield f"seal of {day}: a row that is not in this file"
            elif sealed.climb(digest, proof["steps"]).hex() != found[day].root:
                yield f"seal of {day}: {what} is not what was sealed"
            elif not found[day].since <= at < found[day].until:
                yield f"seal of {day}: {what} is said to be of {at}, which is not in that day"
        self.sealed = len(found)
        yield from self._in_order(found)
        for day, at in made.items():
            name = f"seals/{day}.p7s"
            body = self._members[f"seals/{day}.json"]
            if str(found[day].day) != day:
                yield f"seal of {day} is of another day"
            if at < found[day].until:
                yield f"seal of {day} was made before the day was over"
            if signer := (yield from self._signed(name, self._members[name], body, at)):
                self.sealed_by.add(signer)
        if self._leaves:
            self.notes.append(f"не под печатью · not under a seal yet: {len(self._leaves)}")

    def _in_order(self, found: Mapping[str, sealed.Body]) -> Iterator[str]:
        """Hold seals of days side by side against each other; no member may be beside them."""
        for day, seal in found.items():
            before = self._members.get(f"seals/{seal.day - timedelta(days=1)}.json")
            if before is not None and sha256(before).hexdigest() != seal.previous:
                yield f"seal of {day} does not follow the one before it"
        own = {f"seals/{day}.{kind}" for day in found for kind in ("json", "p7s")}
        for name in self._members:
            if name.startswith("seals/") and name not in own:
                yield f"{name} belongs to nothing in this file"

    def _json(self, name: str, *, must: bool = True) -> list[Any]:
        data = self._members.get(name)
        if data is None:
            if must:
                raise MalformedError(f"{name} is missing")
            return []
        try:
            found = msgspec.json.decode(data)
        except (msgspec.DecodeError, RecursionError) as error:
            raise MalformedError(f"{name} was altered: {error}") from error
        if not isinstance(found, list):
            raise MalformedError(f"{name} was altered: not a list")
        return found
