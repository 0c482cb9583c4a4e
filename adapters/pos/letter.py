"""Reads an e-mail under limits: headers, the text, lines with labels at its beginning, files.

Everything of a letter is hostile: sizes, parts, depth, encodings and lengths of headers are bounded
before the standard library looks at them, because some of its readers are quadratic.
"""

from __future__ import annotations

import codecs
import hashlib
import html
import re
from email.errors import MessageError
from email.header import decode_header
from email.parser import BytesParser
from email.policy import compat32
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gateway import limits
from gateway.adapter import File
from gateway.errors import MalformedError, TooLargeError
from gateway.model.filenames import cleaned

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet
    from email.message import Message

LETTER_BYTES: Final = limits.ZIP_MEMBER_BYTES
PARTS: Final = limits.PACKAGE_PARTS
DEPTH: Final = 8
HEADER_BYTES: Final = limits.PART_HEADER_BYTES
LABEL_CHARS: Final = 40
LINES: Final = 50
"""Lines with labels that are looked for; more of them are a text."""
ROWS: Final = 2_000_000
ROWS_COMPARED: Final = 4 * ROWS
"""Rows by boundaries: every row is compared with each boundary that stands open around it."""
DASHED: Final = 100 * PARTS
"""Rows that begin as a boundary does; 200 KB of empty parts took 0.4 s, and 700 bytes each."""
_LONG_HEADER: Final = re.compile(
    rb"[\r\n]content-[a-z-]{1,40}:[^\r\n]*+(?:(?:\r\n?+|\n)[ \t][^\r\n]*+)*+", re.IGNORECASE
)
"""Rows end with a bare carriage return, too: the standard library reads them so."""
_TYPE: Final = re.compile(r"[a-z0-9][\w.+-]{0,99}/[a-z0-9][\w.+-]{0,99}", re.ASCII)
_CHARSETS: Final = frozenset(
    {
        "ascii", "utf-8", "cp1251", "koi8-r", "koi8-u", "iso8859-1", "iso8859-5", "cp1252",
        "cp866", "mac-cyrillic", "utf-16", "utf-16-le", "utf-16-be",
    }
)  # fmt: skip
_UNREADABLE: Final = (MessageError, ValueError, LookupError, TypeError, AttributeError)
"""What the standard library raises on letters that are none."""
_BREAKS: Final = ("br", "/p", "/div", "/tr", "/li", "/h1", "/h2", "/h3")


class Line(msgspec.Struct, frozen=True):
    """A line with a label, as both are written."""

    label: str
    value: str


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What an e-mail says. date: as written. chars: of the text as the platform cuts it."""

    subject: str = ""
    message_id: str = ""
    date: str = ""
    sender: str = ""
    lines: tuple[Line, ...] = ()
    text: str = ""
    chars: int = 0
    files: tuple[File, ...] = ()


def read(body: bytes, labels: AbstractSet[str], text_labels: AbstractSet[str]) -> Letter:
    """Return what a letter says; raise MalformedError or TooLargeError.

    labels: those that are known, in small letters. text_labels: of the line where the text begins.
    """
    _bound(body)
    try:
        message = BytesParser(policy=compat32).parsebytes(body)
        headers = _headers(message)
        texts, pages, files = _parts(message)
    except RecursionError as error:
        raise TooLargeError("the e-mail is nested too deep", expected=str(DEPTH)) from error
    except _UNREADABLE as error:
        raise MalformedError("the e-mail cannot be read", found=type(error).__name__) from error
    whole = "\n".join(texts) or "\n".join(map(stripped, pages))
    whole = whole.replace("\r\n", "\n").replace("\r", "\n")
    whole = whole.removesuffix("\n")
    lines, text = _labelled(whole, labels, text_labels)
    if not (headers or lines):
        raise MalformedError("not an e-mail", expected="RFC 5322")
    return Letter(
        subject=headers.get("subject", ""),
        message_id=headers.get("message-id", ""),
        date=headers.get("date", ""),
        sender=headers.get("from", ""),
        lines=lines,
        text=text.strip("\n"),
        chars=max(len(text.lstrip("\n")), len(whole) if len(whole) == CUT else 0),
        files=files,
    )


CUT: Final = 9_999
"""Characters at which the platform's e-mails end, as inspectorates saw it."""


def _bound(body: bytes) -> None:
    if len(body) > LETTER_BYTES:
        found = f"{len(body)} bytes"
        raise TooLargeError("the e-mail is too large", found=found, expected=str(LETTER_BYTES))
    boundaries = 0
    for count, header in enumerate(_LONG_HEADER.finditer(b"\n" + body), start=1):
        if header.end() - header.start() > HEADER_BYTES:
            raise TooLargeError("a header of the e-mail is too long", expected=str(HEADER_BYTES))
        if count > 4 * PARTS:
            raise _many_parts()
        boundaries += b"boundary" in header[0].lower()
    if boundaries > 4 * DEPTH:
        raise TooLargeError("the e-mail is nested too deep", expected=str(DEPTH))
    rows = max(body.count(b"\n"), body.count(b"\r"))
    if rows > ROWS or rows * boundaries > ROWS_COMPARED:
        raise TooLargeError("the e-mail has too many rows", expected=f"at most {ROWS}")
    if boundaries and body.count(b"\n--") + body.count(b"\r--") > DASHED:
        raise _many_parts()


def _many_parts() -> TooLargeError:
    return TooLargeError("the e-mail has too many parts", expected=f"at most {PARTS}")


def _headers(message: Message) -> dict[str, str]:
    """Return the four headers that are kept, decoded; the first of each name counts."""
    found: dict[str, str] = {}
    for name, value in message.raw_items():
        key = name.lower()
        if key in ("subject", "message-id", "date", "from") and key not in found:
            if len(value) > HEADER_BYTES:
                raise TooLargeError("a header is too long", expected=str(HEADER_BYTES), where=name)
            found[key] = _word(str(value))
    return {key: value for key, value in found.items() if value}


def _word(value: str) -> str:
    """Return a header's value: encoded words decoded, raw bytes by the charset they look like."""
    unfolded = re.sub(r"\r?\n[ \t]", " ", value)
    if not unfolded.isascii():
        return _guessed(unfolded.encode("utf-8", "surrogateescape")).strip()
    if "=?" not in unfolded:
        return unfolded.strip()
    out = []
    for part, charset in decode_header(unfolded):
        out.append(part if isinstance(part, str) else _decoded(part, charset))
    return "".join(out).replace("\r", "").replace("\n", " ").strip()


def _decoded(data: bytes, charset: str | None) -> str:
    if charset:
        try:
            known = codecs.lookup(charset).name
            if known in _CHARSETS and known != "ascii":
                return data.decode(known)
        except (LookupError, ValueError):
            pass
    return _guessed(data)


def _guessed(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1251", "replace")


def _parts(message: Message) -> tuple[list[str], list[str], tuple[File, ...]]:
    """Return texts, pages in HTML, and files."""
    texts: list[str] = []
    pages: list[str] = []
    files: list[File] = []
    for number, part in enumerate(_leaves(message, 0), start=1):
        if number > PARTS:
            raise _many_parts()
        media = _media(part)
        name = part.get_filename("")
        if not name and media in ("text/plain", "text/html"):
            data = part.get_payload(decode=True)
            text = _decoded(data if isinstance(data, bytes) else b"", part.get_content_charset())
            (texts if media == "text/plain" else pages).append(text)
            continue
        files.append(_file(part, media, _word(name) if name else f"file-{number}"))
    if len(files) > limits.ATTACHMENTS_PER_APPEAL:
        most = f"at most {limits.ATTACHMENTS_PER_APPEAL}"
        raise TooLargeError("too many files", found=str(len(files)), expected=most)
    return texts, pages, tuple(files)


def _media(part: Message) -> str:
    """Return the type of a part; what can be none is bytes of an unknown one (RFC 2046, 4.5.1)."""
    media = part.get_content_type()
    return media if _TYPE.fullmatch(media) else "application/octet-stream"


def _leaves(part: Message, depth: int) -> Iterator[Message]:
    """Yield the parts that hold something; a letter within the letter is a file."""
    if depth > DEPTH:
        raise TooLargeError("the e-mail is nested too deep", expected=str(DEPTH))
    if not part.is_multipart() or part.get_content_maintype() != "multipart":
        yield part
        return
    for inner in part.get_payload():
        if not isinstance(inner, str):
            yield from _leaves(inner, depth + 1)


def _file(part: Message, media: str, name: str) -> File:
    data: Any = part.get_payload(decode=True)
    if data is None:
        inner = part.get_payload()
        data = _whole(inner) if isinstance(inner, list) else b""
    if len(data) > limits.ATTACHMENT_ANSWER_BYTES:
        most = f"at most {limits.ATTACHMENT_ANSWER_BYTES} bytes"
        raise TooLargeError("a file is too large", found=f"{len(data)} bytes", expected=most)
    return File(
        sha256=hashlib.sha256(data).hexdigest(), media_type=media, name=cleaned(name), data=data
    )


def _whole(inner: list[Any]) -> bytes:
    """A letter within the letter, as it stands."""
    return b"".join(one.as_bytes() for one in inner)


def stripped(page: str) -> str:
    """Return the text of a page in HTML, in time proportional to its length."""
    first, *tags = page.split("<")
    out, silent = [first], ""
    for piece in tags:
        tag, _, text = piece.partition(">")
        name = tag.strip().split(None, 1)[0].lower().rstrip("/") if tag.strip() else ""
        if silent:
            silent = "" if name == f"/{silent}" else silent
            continue
        if name in ("script", "style", "head"):
            silent = name
            continue
        out.append("\n" if name in _BREAKS else "")
        out.append(text)
    text = "".join(out)
    try:
        return html.unescape(text).strip()
    except ValueError:  # a reference to a character whose number has over 4,300 digits
        return text.strip()


def _labelled(
    whole: str, labels: AbstractSet[str], starts: AbstractSet[str]
) -> tuple[tuple[Line, ...], str]:
    """Return the lines with labels at the beginning, and the text behind them.

    A label that is not known is taken for one only where the lines end with a blank one: a text may
    have a colon, too.
    """
    rows = whole.split("\n")
    first = next((n for n, row in enumerate(rows) if row.strip()), 0)
    lines: list[Line] = []
    known = 0
    for number, row in enumerate(rows[first : first + LINES], start=first):
        label, colon, value = row.partition(":")
        name = label.strip()
        folded = name.lower()
        if colon and folded in starts and lines:
            line = Line(name, "")
            text = "\n".join([value.lstrip(), *rows[number + 1 :]])
            return (*lines, line), text
        if (
            not colon
            or not name
            or len(name) > LABEL_CHARS
            or not name.isprintable()
            or (" " in name and folded not in labels)
        ):
            if row.strip():
                lines = lines[:known]
                break
            return (tuple(lines) if known else ()), _behind(rows, first, len(lines) if known else 0)
        lines.append(Line(name, value.strip()))
        if folded in labels:
            known = len(lines)
    return (tuple(lines) if known else ()), _behind(rows, first, len(lines) if known else 0)


def _behind(rows: list[str], first: int, taken: int) -> str:
    return "\n".join(rows[first + taken :] if taken else rows)
