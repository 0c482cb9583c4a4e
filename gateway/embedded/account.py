"""The unix account that PostgreSQL runs as: it refuses to run as root.

Nothing is created and no mode is changed: no useradd, no chmod of a parent directory (traps 1 of
the stock launcher). An account that cannot reach a directory is told so, with the first directory
that stands in its way.
"""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from gateway.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


class Account(NamedTuple):
    """A unix account; `switch` when processes must be started under it from root."""

    name: str
    uid: int
    gid: int
    switch: bool

    def popen(self) -> dict[str, object]:
        """Arguments of subprocess that start a child under this account."""
        if not self.switch:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def resolve(user: str | None, *, allow_nobody: bool, pgdata: Path) -> Account:
    """Choose the account: the caller itself, or under root the named one.

    Args:
        user: name of the account (GATEWAY_PG_USER), None when it is not set.
        allow_nobody: a demonstration or a test under root may use `nobody`. Any other service that
            runs as nobody could then read the data, so a real installation names an account.
        pgdata: when it exists, its owner is the account, because nobody else may read it.

    Raises:
        ConfigurationError: root without an account, an unknown or wrong account.
    """
    owner = _owner(pgdata)
    if os.geteuid() != 0:
        return _self(user, owner, pgdata)
    if user:
        account = _named(user)
    elif owner is not None and owner not in {0, _nobody().uid}:
        account = _by_uid(owner)
    elif allow_nobody:
        account = _nobody()
    else:
        raise ConfigurationError(
            "PostgreSQL does not run as root, and no account is named for it",
            where="GATEWAY_PG_USER",
            todo="set GATEWAY_PG_USER to an ordinary account, or run the gateway as one",
        )
    if account.uid == 0:
        raise ConfigurationError(
            "PostgreSQL does not run as root",
            where="GATEWAY_PG_USER",
            found=account.name,
            todo="name an ordinary account",
        )
    _check_owner(account, owner, pgdata)
    return account


def can_enter(account: Account, path: Path) -> bool:
    """Tell whether the account may walk into a directory; asks the kernel, so ACLs count."""
    if not account.switch:
        return os.access(path, os.X_OK)
    done = subprocess.run(  # noqa: S603 - a fixed command
        ["/usr/bin/test", "-x", str(path)],
        check=False,
        cwd="/",
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        stdin=subprocess.DEVNULL,
    )
    return done.returncode == 0


def require_enter(account: Account, path: Path) -> None:
    """Refuse a directory that the account cannot reach, naming the first one in the way.

    Raises:
        ConfigurationError: says which directory, and both ways out.
    """
    if can_enter(account, path):
        return
    blocked = next(
        (each for each in [*reversed(path.parents), path] if not can_enter(account, each)), path
    )
    mode = stat.S_IMODE(blocked.stat().st_mode)
    raise ConfigurationError(
        f"the account {account.name} cannot reach the data directory of the database",
        where=str(path),
        found=f"{blocked} has mode {mode:04o}",
        todo="choose a data directory outside of it (GATEWAY_DATA_DIR), or let the account through "
        f"with: setfacl -m u:{account.name}:x {blocked}",
    )


def _self(user: str | None, owner: int | None, pgdata: Path) -> Account:
    """The account of this process; another one can only be taken by root."""
    account = _by_uid(os.geteuid())
    if user and user != account.name and _named(user).uid != account.uid:
        raise ConfigurationError(
            "only root can run PostgreSQL under another account",
            where="GATEWAY_PG_USER",
            found=user,
            expected=account.name,
            todo="remove the setting, or run the gateway as that account",
        )
    _check_owner(account, owner, pgdata)
    return Account(account.name, os.geteuid(), os.getegid(), switch=False)


def _check_owner(account: Account, owner: int | None, pgdata: Path) -> None:
    """A cluster can be started by the account that made it, and by no other."""
    if owner is None or owner == account.uid:
        return
    raise ConfigurationError(
        "the database files belong to another account",
        where=str(pgdata),
        found=_by_uid(owner).name,
        expected=account.name,
        todo=f"stop the database and run: chown -R {account.name} {pgdata}",
    )


def _owner(pgdata: Path) -> int | None:
    try:
        return pgdata.stat().st_uid
    except FileNotFoundError:
        return None


def _named(name: str) -> Account:
    try:
        entry = pwd.getpwnam(name)
    except KeyError as error:
        raise ConfigurationError(
            "there is no such unix account",
            where="GATEWAY_PG_USER",
            found=name,
            todo="create it, or name one that exists",
        ) from error
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, switch=True)


def _by_uid(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return Account(str(uid), uid, uid, switch=True)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, switch=True)


def _nobody() -> Account:
    return _named("nobody")
