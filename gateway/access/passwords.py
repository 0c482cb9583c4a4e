"""Passwords of local accounts: argon2id (RFC 9106), in a bounded pool of its own.

Parameters are the second recommended option of RFC 9106, section 4: 3 passes over 64 MiB in 4
lanes, 16 bytes of salt, 32 of tag; OWASP's lowest is 19 MiB with 2 passes. They stand in every
hash, so that raising them rehashes a password when its owner logs in next. An unknown login, one
without a password and a locked one cost the same one computation. Machines never come here.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from gateway.errors import BusyError, ValidationError, Violation

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

T = TypeVar("T")
SHORTEST: Final = 12
LONGEST: Final = 128
WORKERS: Final = 2
WAITING: Final = 32
"""Logins that wait for a worker; past it people are told to come again."""
_PHC: Final = re.compile(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$")
_SALT_BYTES: Final = 16
_TAG_BYTES: Final = 32


class Parameters(NamedTuple):
    """Cost of a hash. memory: KiB."""

    memory: int = 64 * 1024
    passes: int = 3
    lanes: int = 4


RECOMMENDED: Final = Parameters()


class Passwords:
    """Hashes and checks. computed: how many hashes were computed, for whoever compares paths."""

    def __init__(self, parameters: Parameters = RECOMMENDED) -> None:
        self._parameters = parameters
        self._lock = threading.Lock()
        self.computed = 0

    def hash(self, password: str) -> str:
        """Return the PHC string of a password."""
        self._count()
        return self._hash(_bytes(password))

    def verify(self, password: str, phc: str) -> bool:
        """Say whether a password is the one; an empty phc costs the same and is never right."""
        nobody = self._nobody  # made by whoever comes first, right or wrong
        self._count()
        try:
            Argon2id.verify_phc_encoded(_bytes(password), phc or nobody)
        except (InvalidKey, ValueError):
            return False
        return bool(phc)

    def outdated(self, phc: str) -> bool:
        """Whether a hash was made with other parameters than those in force."""
        found = _PHC.match(phc)
        return found is None or tuple(map(int, found.groups())) != self._parameters

    @cached_property
    def _nobody(self) -> str:
        return self._hash(secrets.token_hex(16))

    def _hash(self, password: bytes | str) -> str:
        memory, passes, lanes = self._parameters
        made = Argon2id(
            salt=os.urandom(_SALT_BYTES), length=_TAG_BYTES, iterations=passes, lanes=lanes,
            memory_cost=memory,
        )  # fmt: skip
        given = password.encode() if isinstance(password, str) else password
        return made.derive_phc_encoded(given)

    def _count(self) -> None:
        with self._lock:
            self.computed += 1


class Pool:
    """Threads that passwords are checked in; so many may wait."""

    def __init__(self, workers: int = WORKERS, waiting: int = WAITING) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="password")
        self._room = threading.BoundedSemaphore(workers + waiting)

    def submit(self, work: Callable[..., T], *arguments: object) -> Future[T]:
        """Run work in a thread; raise BusyError when too many wait."""
        if not self._room.acquire(blocking=False):
            raise BusyError("слишком много входов сразу · too many logins at once", retry_after=5)
        running = self._threads.submit(work, *arguments)
        running.add_done_callback(lambda _done: self._room.release())
        return running

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def one_time() -> str:
    """Return a password to be given away once: 100 random bits in groups that can be read out."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(5)) for _ in range(4))


def require_good(password: str, login: str) -> None:
    """Raise ValidationError for a password that is too short, too long or the login itself.

    Length is what counts, not kinds of characters (NIST SP 800-63B, 5.1.1.2).
    """
    message = ""
    if not SHORTEST <= len(password) <= LONGEST:
        message = f"пароль – от {SHORTEST} до {LONGEST} знаков · {SHORTEST} to {LONGEST} characters"
    elif login and login in password.lower():
        message = "пароль не должен содержать логин · the password holds the login"
    elif len(set(password)) < 5:
        message = "в пароле слишком мало разных знаков · too few different characters"
    if message:
        raise ValidationError(message, (Violation("password", "weak", message),))


def _bytes(password: str) -> bytes:
    """Return the bytes of a password however a keyboard composes it (RFC 8265)."""
    text = unicodedata.normalize("NFKC", password[: 4 * LONGEST])
    return text.encode("utf-8", "surrogatepass") or b"\0"
