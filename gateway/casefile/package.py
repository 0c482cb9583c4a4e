"""The zip of a case file, in its one canonical form."""

from __future__ import annotations

import io
import re
import zipfile
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gateway.errors import MalformedError, TooLargeError
from gateway.limits import MB

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

MOST_BYTES: Final = 1024 * MB
MOST_MEMBERS: Final = 100_000
MANIFEST: Final = "manifest.json"
DIGEST: Final = "manifest.sha256"
SIGNATURE: Final = "manifest.p7s"
_NAME: Final = re.compile(r"(?:[a-z]+/)?[0-9a-f-]{0,64}[a-z]*(?:\.[a-z0-9]{1,10})?")
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_encode = msgspec.json.Encoder(order="sorted").encode


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One member, as the manifest names it."""

    sha256: str
    size: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a case file says of itself. level: `gateway.disclosure`; head: of the chain."""

    v: int = 1
    made_at: str
    appeal_id: str
    receipt_number: str
    level: str
    head_seq: int
    head_hash: str
    members: dict[str, Entry]


def canonical(value: Any) -> bytes:
    """Return JSON with sorted keys."""
    return _encode(value)


def pack(
    members: Mapping[str, bytes], about: Mapping[str, Any], sign: Callable[[bytes], bytes] | None
) -> bytes:
    """Return a case file. about: fields of the manifest; sign: returns a detached CMS."""
    entries = {
        name: Entry(sha256=sha256(data).hexdigest(), size=len(data))
        for name, data in members.items()
    }
    manifest = canonical(Manifest(members=entries, **about))
    whole = {**members, MANIFEST: manifest, DIGEST: sha256(manifest).hexdigest().encode()}
    if sign is not None:
        whole[SIGNATURE] = sign(manifest)
    return zipped(whole)


def zipped(members: Mapping[str, bytes]) -> bytes:
    """Return the one zip of these members: stored, sorted, without times or comments."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3
            info.external_attr = 0o600 << 16
            archive.writestr(info, members[name])
    return target.getvalue()


def members_of(path: Path) -> dict[str, bytes]:
    """Return the members of a case file.

    Members are stored as they are, so none is larger than the file itself. Raise TooLargeError;
    MalformedError for anything but a zip in the canonical form.
    """
    if path.stat().st_size > MOST_BYTES:
        raise TooLargeError("the case file is too large", expected=f"{MOST_BYTES} bytes")
    data = path.read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = archive.infolist()
            if len(listed) > MOST_MEMBERS:
                raise MalformedError(f"more than {MOST_MEMBERS} members")
            names = [info.filename for info in listed]
            for info in listed:
                _require_plain(info, len(data))
            if len(set(names)) != len(names):
                raise MalformedError("a member stands there twice")
            if sum(info.file_size for info in listed) > len(data):
                raise MalformedError("members overlap")
            found = {info.filename: _bytes(archive, info) for info in listed}
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError) as error:
        raise MalformedError(f"not a zip that is whole: {error}") from error
    if (at := _differs(data, zipped(found))) >= 0:
        raise MalformedError(f"the structure of the zip was altered near byte {at}")
    return found


def _require_plain(info: zipfile.ZipInfo, size: int) -> None:
    if not _NAME.fullmatch(info.filename):
        raise MalformedError(f"no such member belongs here: {info.filename[:80]!r}")
    if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
        raise MalformedError(f"{info.filename}: members are stored, not compressed")
    if info.file_size > size:
        raise MalformedError(f"{info.filename}: larger than the file it stands in")


def _bytes(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        return archive.read(info)
    except (zipfile.BadZipFile, RuntimeError) as error:
        raise MalformedError(f"{info.filename} was altered: {error}") from error


def _differs(one: bytes, other: bytes) -> int:
    """Return where two byte strings differ first; -1 for nowhere."""
    if one == other:
        return -1
    shorter = min(len(one), len(other))
    return next((n for n in range(shorter) if one[n] != other[n]), shorter)
