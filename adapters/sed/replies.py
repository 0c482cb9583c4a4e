"""What we say at once to whoever sent a message: a receipt, a refusal to register, a report of SEV.

The reason of a refusal is told in the words of the peer: one of the 28 reasons of МЭДО, which
containers use as well, and in a Failure of SEV. A reply has a uid that is made of their message's
uid, so that a repeat makes the same reply.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final, NamedTuple

from adapters.sed import tree
from adapters.sed.about import About, about
from adapters.sed.codes import NOTICE, RECEIPT, VERSION
from adapters.sed.edc.decode import VERSIONS
from adapters.sed.edc.version import V27
from adapters.sed.folder import ENVELOPE, envelope
from adapters.sed.notify import refusal
from adapters.sed.outgoing import Out
from adapters.sed.reader import local
from adapters.sed.sev.reply import reply, wanted
from adapters.sed.sev.words import FILE
from gateway.adapter import EncodeContext
from gateway.errors import ConflictError, GatewayError, ValidationError, violations_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from adapters.sed.codes import Reasons
    from adapters.sed.settings import Settings
    from gateway.adapter import Verdict

_NAMES: Final = uuid.UUID("0c7f5a1e-3b2d-4e88-9a46-7d1c5e2f8b30")


class Reply(NamedTuple):
    """A folder to appear. name: of it, which is the uid of its message."""

    name: str
    files: dict[str, bytes]


class Replies:
    """Makes what is said of one verdict."""

    def __init__(self, settings: Settings, reasons: Reasons) -> None:
        self._settings = settings
        self._reasons = reasons

    def to(self, files: dict[str, bytes], verdict: Verdict) -> tuple[Reply, ...]:
        """Return what to say of a message; nothing where nothing can be said of it by its rules."""
        told = about(files)
        if told is None:
            return ()
        if told.form == "sev":
            return tuple(self._by_sev(told, verdict))
        return tuple(self._by_medo(told, verdict)) if told.form else ()

    def _by_medo(self, told: About, verdict: Verdict) -> Iterator[Reply]:
        error = verdict.error
        if Out.is_uid(told.mid):
            # A message that was refused may come again mended, while the first receipt lies there.
            word = "receipt" if error is None else "receipt/no"
            yield from self._made(f"{word}/{told.mid}", self._receipt(told, verdict), told)
        if error is not None and _is_refusal(error) and told.brings and Out.is_uid(told.uid):
            out = self._out(NOTICE, verdict.now, told)
            words = _words(error)
            refusal(out, told.uid, told.mid, self._reason(error), words, verdict.now)
            yield from self._made(f"refusal/{told.mid or told.uid}", out, told)

    def _made(self, key: str, out: Out, told: About) -> Iterator[Reply]:
        if out.wrong:
            return
        name = str(uuid.uuid5(_NAMES, key))
        out.put("header/@uid", name)
        version = VERSIONS.get(told.card.namespace, V27)
        card = tree.write(out.values, namespace=version.message, encoding=version.reads[0])
        subject = f"{out.values['header/@type']} ({told.subject})"
        beside = envelope(subject, self._settings.mailbox, (version.file,))
        yield Reply(name, {version.file: card, ENVELOPE: beside})

    def _by_sev(self, told: About, verdict: Verdict) -> Iterator[Reply]:
        error, failure, kind = verdict.error, "", "reception"
        if not told.brings or not (told.mid or told.uid):
            return
        if error is not None:
            if not _is_refusal(error):
                return
            kind, failure = "failure", f"{self._reason(error)}. {_words(error)}"
        elif not wanted(told):
            return
        name = str(uuid.uuid5(_NAMES, f"sev/{kind}/{told.mid or told.uid}"))
        try:
            files = reply(told, name, self._settings, verdict.now, failure)
        except ValidationError:
            return  # nothing that their schema takes can be made of what is known
        subject = f"{kind.capitalize()} ({told.subject})"
        yield Reply(name, {**files, ENVELOPE: envelope(subject, self._settings.mailbox, (FILE,))})

    def _reason(self, error: GatewayError) -> str:
        """The fitting one of the reasons."""
        found = violations_of(error)
        return self._reasons.refusal((*((v.path, v.code) for v in found), ("", error.code)))

    def _out(self, kind: str, now: dt.datetime, told: About) -> Out:
        """A message of ours to whoever sent a card, without its content."""
        out, values = Out(EncodeContext(now=now), self._settings), told.card.values
        out.put("@version", values.get("@version", "").strip() or VERSION)
        out.put("header/@type", kind)
        out.put("header/@created", local(now.replace(microsecond=0), self._settings.zone))
        out.need("header/source/@uid", self._settings.uid, "options.uid")
        out.need("header/source/organization", self._settings.organization, "options.organization")
        theirs = values.get("header/source/@uid", "").strip()
        name = values.get("header/source/organization", "").strip()
        if Out.is_uid(theirs) and name:
            below = "deliveryIndex/destination/destination"
            out.put(f"{below}/@uid", theirs)
            out.name(f"{below}/organization", name)
        out.check()
        return out

    def _receipt(self, told: About, verdict: Verdict) -> Out:
        out, error = self._out(RECEIPT, verdict.now, told), verdict.error
        out.put("acknowledgment/@uid", told.mid)
        time = local(verdict.now.replace(microsecond=0), self._settings.zone)
        out.put("acknowledgment/time", time)
        out.put("acknowledgment/accepted", "false" if error else "true")
        if error:
            out.put("acknowledgment/comment", out.cut(_words(error), 2047))
        return out


def reason_of(error: GatewayError) -> str:
    """Say for a person why a message was not taken."""
    return f"{error}\n{_words(error)}\n"


def _is_refusal(error: GatewayError) -> bool:
    """Whether the sender has to mend it; other content of a known document may be registered."""
    return error.who == "peer" and not isinstance(error, ConflictError)


def _words(error: GatewayError) -> str:
    """Say to the partner why, with every place that is wrong."""
    places = [f"{v.path}: {v.message}" for v in violations_of(error) if v.path and v.path != "/"]
    return "; ".join(dict.fromkeys((f"Не принято: {error.message}", *places)))
