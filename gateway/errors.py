"""Every error the gateway raises on purpose, as one tree.

    GatewayError
    ├── InputError            the peer sent something we cannot take         (who: peer)
    │   ├── MalformedError        bytes that are not what they claim to be: XML, JSON, CSV, zip
    │   ├── TooLargeError         past a limit of gateway.limits
    │   ├── ValidationError       well-formed, but against the contract; carries a list of Violation
    │   │   └── AddressingError       WS-Addressing headers wrong, or asking for what is not given
    │   ├── UnknownOperationError no such operation or version
    │   └── UnsupportedError      understood, but not offered here: a media type, a coding
    │       ├── VersionMismatchError  a SOAP version we do not speak, or not the one announced
    │       ├── EncodingStyleError    a header or the body in a data encoding of SOAP
    │       └── MustUnderstandError   a mandatory SOAP header that we do not process
    ├── ConflictError         the key is taken by other content               (who: peer)
    ├── StateError            the life cycle does not allow the event         (who: peer)
    ├── NotFoundError         nothing with this key that the caller may see   (who: peer)
    ├── AccessError           no credential, a wrong one, or not allowed      (who: peer)
    │   ├── SecurityError         a WS-Security header that does not prove what it says
    │   └── TrustError            a signature, certificate, token or login that is not believed
    ├── InfectedError         an antivirus found something in a file         (who: peer)
    ├── BusyError             past a bound, or the store is away: come again  (who: us)
    ├── DeliveryError         a peer did not take what we sent
    │   ├── PeerRefused           it answered "no", and a repeat will not help (who: operator)
    │   ├── PeerUnavailable       it did not answer, or said "later": nothing was stored there
    │   └── PeerDoubtful          it may or may not have stored it: ask before sending again
    ├── ConfigurationError    settings, manifests or contracts are wrong      (who: operator)
    └── InternalError         a defect of ours                                (who: us)

Each class carries `code` (stable, the heading of its section in docs/errors.md), `retry` (what the
caller should do) and `who` (who can mend it). Errors are data: the attributes hold it, `__str__`
formats it. One table, `WIRE` (`gateway.errors_wire`), says how a code looks on each wire.
"""

from __future__ import annotations

import re
from typing import ClassVar, Final, Literal, NamedTuple

from gateway.errors_wire import WIRE, Wire, WsseFault

__all__ = ["WIRE", "Wire", "WsseFault"]

Retry = Literal["never", "later", "ask"]
Who = Literal["peer", "us", "operator"]


class Violation(NamedTuple):
    """One thing wrong with a message: where it is, what was found, what was expected.

    path: XPath-like place in XML, JSON Pointer in JSON, column name in a table. line: 1-based, of
    XML source or table row, 0 when there is none. code: stable short word (`required`, `pattern`,
    `enumeration`, `date_order`, …). found is cut to 200 characters.
    """

    path: str
    code: str
    message: str
    found: str = ""
    expected: str = ""
    line: int = 0


class GatewayError(Exception):
    """Base of every error raised on purpose.

    about: id that the refused item gave itself, where it could be read; its sender is told it back.
    """

    code: ClassVar[str] = "internal"
    retry: ClassVar[Retry] = "never"
    who: ClassVar[Who] = "us"
    about: str = ""

    def __init__(
        self,
        message: str,
        *,
        found: str = "",
        expected: str = "",
        where: str = "",
        todo: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.found = found[:200]
        self.expected = expected
        self.where = where
        self.todo = todo

    def __str__(self) -> str:
        """Say what happened, where, what was found and expected, and what to do, on one line."""
        parts = [f"{self.code}: {self.message}"]
        parts += [
            f"{label} {value}"
            for label, value in (
                ("where:", self.where),
                ("found:", self.found),
                ("expected:", self.expected),
                ("do:", self.todo),
            )
            if value
        ]
        return "; ".join(parts)


_LINE: Final = re.compile(r"line (\d+)(?:, column (\d+))?")


def violations_of(error: GatewayError) -> tuple[Violation, ...]:
    """Return what an error of the sender's says as violations, at least one.

    An error that names a line of the source, or a byte, is about the document as a whole: `/`.
    """
    found: tuple[Violation, ...] = getattr(error, "violations", ())
    if found:
        return found
    place = _LINE.fullmatch(error.where)
    path, message, line = error.where, error.message, 0
    if place or error.where.startswith("byte "):
        path, line = "/", int(place[1]) if place else 0
        detail = f"column {place[2]}" if place and place[2] else "" if place else error.where
        message = f"{message} ({detail})" if detail else message
    return (Violation(path, error.code, message, error.found, error.expected, line),)


class InputError(GatewayError):
    """The peer sent something we cannot take."""

    code = "input"
    who: ClassVar[Who] = "peer"


class MalformedError(InputError):
    """The bytes are not what they claim to be."""

    code = "malformed"


class TooLargeError(InputError):
    """A size, count or depth is past its limit in gateway.limits."""

    code = "too_large"


class ValidationError(InputError):
    """The message is well-formed but breaks the contract.

    violations: where and how, at most 20.
    """

    code = "validation"

    def __init__(
        self, message: str, violations: tuple[Violation, ...] = (), *, todo: str = ""
    ) -> None:
        first = violations[0] if violations else Violation("", "", "")
        super().__init__(
            message, found=first.found, expected=first.expected, where=first.path, todo=todo
        )
        self.violations = violations[:20]


class AddressingError(ValidationError):
    """WS-Addressing headers are wrong, or name an answer address that is not allowed.

    names: Clark names of the specification's fault, the general one first. header: Clark name of
    the header that it is about. action: what wsa:Action said, when the fault is about it.
    """

    code = "addressing"

    def __init__(
        self,
        message: str,
        violations: tuple[Violation, ...] = (),
        *,
        names: tuple[str, ...] = (),
        header: str = "",
        action: str = "",
        todo: str = "",
    ) -> None:
        super().__init__(message, violations, todo=todo)
        self.names = names
        self.header = header
        self.action = action


class UnknownOperationError(InputError):
    """No such operation or version."""

    code = "unknown_operation"


class UnsupportedError(InputError):
    """We understand what is asked, and do not offer it."""

    code = "unsupported"


class VersionMismatchError(UnsupportedError):
    """The envelope is of a SOAP version we do not speak, or not of the one announced."""

    code = "version_mismatch"


class EncodingStyleError(UnsupportedError):
    """A header or the body is in a data encoding (rpc/encoded); contracts are document/literal."""

    code = "encoding_style"


class MustUnderstandError(UnsupportedError):
    """Header blocks that the peer marked mandatory are not processed here; nothing was done.

    headers: their names in Clark notation, `{namespace}local`.
    """

    code = "must_understand"

    def __init__(self, message: str, headers: tuple[str, ...] = (), *, todo: str = "") -> None:
        super().__init__(message, found=", ".join(headers), todo=todo)
        self.headers = headers


class ConflictError(GatewayError):
    """The key is taken by other content; the stored receipt is named for comparison.

    sent_sha256: digest of what came now, by the rule of `existing_sha256`.
    """

    code = "conflict"
    who: ClassVar[Who] = "peer"

    def __init__(
        self,
        message: str,
        *,
        receipt_number: str = "",
        existing_sha256: str = "",
        existing_revision: int = 0,
        sent_sha256: str = "",
        todo: str = "",
    ) -> None:
        super().__init__(message, found=sent_sha256, expected=existing_sha256, todo=todo)
        self.receipt_number = receipt_number
        self.existing_sha256 = existing_sha256
        self.existing_revision = existing_revision


class StateError(GatewayError):
    """The life cycle does not allow this event now."""

    code = "state"
    who: ClassVar[Who] = "peer"

    def __init__(
        self,
        message: str,
        *,
        current_state: str = "",
        allowed_events: tuple[str, ...] = (),
        todo: str = "",
    ) -> None:
        super().__init__(
            message, found=current_state, expected=", ".join(allowed_events), todo=todo
        )
        self.current_state = current_state
        self.allowed_events = allowed_events


class NotFoundError(GatewayError):
    """Nothing with this key that the caller may see; absent and forbidden look alike."""

    code = "not_found"
    who: ClassVar[Who] = "peer"


class AccessError(GatewayError):
    """No credential, a wrong one, or not allowed. Never says which part was wrong.

    challenge: the credential itself is missing or not accepted, so another try with one may help;
    otherwise no credential would, because the caller is known, or the way it came is not allowed.
    """

    code = "access"
    who: ClassVar[Who] = "peer"

    def __init__(
        self, message: str, *, challenge: bool = False, where: str = "", todo: str = ""
    ) -> None:
        super().__init__(message, where=where, todo=todo)
        self.challenge = challenge


class SecurityError(AccessError):
    """A WS-Security header cannot be accepted; nothing was done.

    fault: the specification's own name of what is wrong. A password, a secret or a key that is
    not accepted is always FailedAuthentication, which never says which part was wrong.
    """

    code = "security"

    def __init__(
        self,
        message: str,
        fault: WsseFault = "InvalidSecurity",
        *,
        found: str = "",
        expected: str = "",
        where: str = "",
        todo: str = "",
    ) -> None:
        super().__init__(message, where=where, todo=todo)
        self.fault = fault
        self.found = found[:200]
        self.expected = expected


TrustReason = Literal[
    "signature_wrong",
    "signature_missing",
    "signature_wrapped",
    "digest_mismatch",
    "algorithm_refused",
    "certificate_unknown",
    "certificate_expired",
    "certificate_revoked",
    "certificate_unreadable",
    "replayed",
    "token_wrong",
    "token_expired",
    "token_not_ours",
    "scope_wrong",
    "state_mismatch",
    "redirect_refused",
    "login_refused",
    "login_locked",
    "session_ended",
    "not_allowed",
    "identity_refused",
]
"""Why somebody or something is not believed, for our own record (docs/errors.md, `trust`)."""


class TrustError(AccessError):
    """A signature, a certificate, a token or a login is not believed; nothing was done.

    reason: goes into the record of refusals and to the syslog. Whoever is not known to us is told
    the code alone: which part was wrong would help him to guess the next one.
    """

    code = "trust"

    def __init__(
        self,
        message: str,
        reason: TrustReason = "not_allowed",
        *,
        challenge: bool = False,
        found: str = "",
        expected: str = "",
        where: str = "",
        todo: str = "",
    ) -> None:
        super().__init__(message, challenge=challenge, where=where, todo=todo)
        self.reason = reason
        self.found = found[:200]
        self.expected = expected


class InfectedError(GatewayError):
    """An antivirus found something in a file, so it is neither served nor forwarded.

    found: the name that the antivirus gave it.
    """

    code = "infected"
    who: ClassVar[Who] = "peer"


class BusyError(GatewayError):
    """Past a bound, or the store is away; nothing was stored. retry_after: seconds."""

    code = "busy"
    retry: ClassVar[Retry] = "later"
    who: ClassVar[Who] = "us"

    def __init__(self, message: str, *, retry_after: int = 1, where: str = "") -> None:
        super().__init__(message, where=where, todo=f"send again after {retry_after} s")
        self.retry_after = retry_after


class DeliveryError(GatewayError):
    """A peer did not take what we sent."""

    code = "delivery"
    retry: ClassVar[Retry] = "later"
    who: ClassVar[Who] = "operator"


class PeerRefused(DeliveryError):
    """The peer answered "no", and sending the same bytes again will not help."""

    code = "peer_refused"
    retry: ClassVar[Retry] = "never"


class PeerUnavailable(DeliveryError):
    """The peer did not answer or said "later", and nothing can have been stored there."""

    code = "peer_unavailable"
    retry: ClassVar[Retry] = "later"


class PeerDoubtful(DeliveryError):
    """The peer may or may not have stored it: ask before sending again."""

    code = "peer_doubtful"
    retry: ClassVar[Retry] = "ask"


class ConfigurationError(GatewayError):
    """Settings, manifests or contracts are wrong; the message says which line to change."""

    code = "configuration"
    who: ClassVar[Who] = "operator"


class InternalError(GatewayError):
    """A defect of ours. The message never carries an exception's text to a peer."""

    code = "internal"
    retry: ClassVar[Retry] = "later"
    who: ClassVar[Who] = "us"


def codes() -> dict[str, type[GatewayError]]:
    """Return every code of the tree with its class, for docs and metric labels."""
    found: dict[str, type[GatewayError]] = {}
    todo: list[type[GatewayError]] = [GatewayError]
    while todo:
        cls = todo.pop()
        if cls is not GatewayError:
            found[cls.code] = cls
        todo.extend(cls.__subclasses__())
    return dict(sorted(found.items()))
