"""A second opinion on a stored message, by the xmlschema library, in a process with a CPU limit.

It explains better than libxml2, and some patterns cost it exponential time (28 characters: 3.75 s).
So it never sees what a peer sends to a live server: `gateway messages explain` runs it for an
operator, on one stored message, in a child process that the kernel stops.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from itertools import islice
from typing import Final

import msgspec
from lxml.etree import _Element

from gateway import contracts, limits, ns, xml
from gateway.contracts_errors import path_of
from gateway.errors import GatewayError, MalformedError, TooLargeError, Violation

CPU_SECONDS: Final = 10
"""How long one explanation may think."""
_MEMORY: Final = 1024 * limits.MB


class _Answer(msgspec.Struct):
    violations: tuple[Violation, ...] = ()
    refused: str = ""


def explain(
    message: bytes, charset: str = "", *, seconds: int = CPU_SECONDS
) -> tuple[Violation, ...]:
    """Return what is wrong with a stored message, at most 20; () when it follows the contract.

    message: an envelope or a bare element of the contract, as received. charset: of its media
    type. Raise MalformedError when nothing of the contract is in it, TooLargeError when `seconds`
    of CPU were not enough.
    """
    command = [sys.executable, "-m", "gateway.contracts_explain", str(seconds), charset]
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command, input=message, capture_output=True, timeout=seconds * 6, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise _too_long(seconds) from error
    if done.returncode != 0:
        raise _too_long(seconds)
    answer = msgspec.json.decode(done.stdout, type=_Answer)
    if answer.refused:
        raise MalformedError(answer.refused)
    return answer.violations


def _too_long(seconds: int) -> TooLargeError:
    return TooLargeError(
        "the explanation needs more than it is given",
        expected=f"at most {seconds} s of CPU and {_MEMORY // limits.MB} MB",
        todo="read the violations that the gateway reported when the message came",
    )


def _violations(message: bytes, charset: str) -> tuple[Violation, ...]:
    import xmlschema

    root = xml.parse(message, charset).root
    element = next(root.iter(f"{{{ns.APPEALS}}}*"), None)
    if element is None:
        raise MalformedError(f"no element of {ns.APPEALS} in the message")
    contract = contracts.appeals()
    (name,) = contract.schema_names
    schema = xmlschema.XMLSchema10(contract.xsd(name).decode())
    found = []
    try:
        for error in islice(schema.iter_errors(element), limits.VIOLATIONS_REPORTED):
            text = str(error.elem.text or "").strip() if error.elem is not None else ""
            place = _place(error.elem, element) or error.path or ""
            reason = error.reason or str(error.message)
            line = error.sourceline or 0
            found.append(Violation(place, "schema", reason, text[:200], line=line))
    except xmlschema.XMLSchemaException as error:
        found.append(Violation(_place(element, element), "schema", str(error)[:500]))
    return tuple(found)


def _place(element: object, root: _Element) -> str:
    return path_of(element, root) if isinstance(element, _Element) else ""


def _main(seconds: int, charset: str) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    try:
        answer = _Answer(violations=_violations(sys.stdin.buffer.read(), charset))
    except GatewayError as error:
        answer = _Answer(refused=error.message)
    sys.stdout.buffer.write(msgspec.json.encode(answer))


if __name__ == "__main__":
    _main(int(sys.argv[1]), sys.argv[2])
