"""What people of a role may do: roles as data, and the one function that decides; pure.

`may` answers for the cabinet, the commands and the console. Peers are machines with another rule
(`gateway.access.policy`). What a principal may do is worked out once, when it logs in or when its
account is read, so that a decision is three look-ups in frozen sets.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from gateway.errors import ConfigurationError
from gateway.model.events import EventType

DEFAULT: Final = Path(__file__).parent / "policy" / "roles.toml"
CITIZEN: Final = "citizen"
ACT: Final = "appeal.act:"
"""Beginning of the actions that append an event to an appeal; its type follows."""
_PLAIN: Final = (
    "access.manage access.read appeal.read appeal.read_own appeal.read_personal appeal.submit_own"
    " appeal.withdraw_own delivery.list delivery.replay delivery.skip directory.manage"
    " events.read evidence.export evidence.verify messages.list messages.read peer.manage"
    " peer.read personal.erase readings.read reconcile.run refusals.read report.read"
)
ACTIONS: Final = frozenset((*_PLAIN.split(), *(f"{ACT}{kind.value}" for kind in EventType)))
"""Every action there is; a file of roles that names another is refused."""
PERSONAL: Final = frozenset(("appeal.read_personal", "messages.read"))
"""Actions that show personal data of others: each use is recorded (152-ФЗ, art. 19)."""
_NAME: Final = re.compile(r"[a-z][a-z_]{0,39}")


class Role(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One role: its title, and what it may within a body, everywhere, and with its own."""

    title: str
    organisation: frozenset[str] = frozenset()
    everywhere: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()


Roles = Mapping[str, Role]


class Resource(NamedTuple):
    """What an action is about.

    organisation: id of the body that has it, empty for what belongs to the whole house. owner: id
    of the principal who submitted it, empty when it is nobody's own.
    """

    organisation: str = ""
    owner: str = ""


HOUSE: Final = Resource()
"""What belongs to no body: settings, peers, the logs."""


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """A person who is logged in, with everything that `may` asks, worked out beforehand.

    id: of the account, or the mark of a citizen's identity; never empty. organisations: the own
    body and those below it. login: for records; of a citizen the beginning of the mark.
    """

    id: str
    login: str
    roles: tuple[str, ...] = ()
    organisation: str = ""
    organisations: frozenset[str] = frozenset()
    everywhere: frozenset[str] = frozenset()
    within: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    citizen: bool = False


class Decision(NamedTuple):
    """Whether an action is allowed, and why; the why is for our records, never for who asks."""

    allowed: bool
    why: str


_EVERYWHERE: Final = Decision(True, "роль разрешает везде · a role allows it everywhere")
_WITHIN: Final = Decision(True, "роль разрешает в своей организации · a role, in its body")
_OWN: Final = Decision(True, "своё · it is the person's own")
_OTHER_BODY: Final = Decision(False, "другая организация · it belongs to another body")
_NOT_OWN: Final = Decision(False, "не своё · it is not the person's own")
_NO_ROLE: Final = Decision(False, "ни одна роль не разрешает · no role allows it")


def may(principal: Principal, action: str, resource: Resource) -> Decision:
    """Say whether a person may do an action on a resource; what is not allowed is forbidden."""
    if action in principal.everywhere:
        return _EVERYWHERE
    if action in principal.within:
        if resource.organisation and resource.organisation in principal.organisations:
            return _WITHIN
        return _OTHER_BODY
    if action in principal.own:
        return _OWN if resource.owner and resource.owner == principal.id else _NOT_OWN
    return _NO_ROLE


def principal(
    roles: Roles,
    id: str,  # noqa: A002 - the field's own word
    login: str,
    held: Iterable[str],
    *,
    organisation: str = "",
    parents: Mapping[str, str] | None = None,
) -> Principal:
    """Work out what a person may do.

    held: names of roles; one that is not in the file any more gives nothing. parents: body → the
    body that it belongs to, of the whole directory.
    """
    names = tuple(sorted(set(held)))
    found = [roles[name] for name in names if name in roles]
    return Principal(
        id=id,
        login=login,
        roles=names,
        organisation=organisation,
        organisations=below(organisation, parents or {}),
        everywhere=frozenset().union(*(role.everywhere for role in found)),
        within=frozenset().union(*(role.organisation for role in found)),
        own=frozenset().union(*(role.own for role in found)),
        citizen=CITIZEN in names,
    )


def below(organisation: str, parents: Mapping[str, str]) -> frozenset[str]:
    """Return a body and everything below it; a circle in the directory does not hold us up."""
    if not organisation:
        return frozenset()
    children: dict[str, list[str]] = {}
    for child, parent in parents.items():
        children.setdefault(parent, []).append(child)
    found, todo = {organisation}, [organisation]
    while todo:
        new = [child for child in children.get(todo.pop(), ()) if child not in found]
        found.update(new)
        todo += new
    return frozenset(found)


def read_roles(path: Path | None = None) -> Roles:
    """Return the roles of a file, the shipped one unless told; raise ConfigurationError."""
    path = path or DEFAULT
    try:
        told = tomllib.loads(path.read_text("utf-8"))
        roles = msgspec.convert(told, dict[str, Role])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(
            f"роли не читаются · the roles cannot be read: {error}", where=str(path)
        ) from error
    return {name: _checked(name, role, path) for name, role in roles.items()}


def is_idle(roles: Roles, names: Iterable[str], organisation: str) -> bool:
    """Say whether somebody with these roles in this body, empty for none, may do nothing at all."""
    held = [roles[name] for name in names if name in roles]
    return not any(
        role.everywhere or role.own or (organisation and role.organisation) for role in held
    )


def require_known(roles: Roles, names: Iterable[str]) -> None:
    """Raise ConfigurationError for a role that is none, or that nobody can be given."""
    given = frozenset(roles) - {CITIZEN}
    for name in names:
        if name not in given:
            raise ConfigurationError(
                "нет такой роли · no such role",
                found=name,
                expected=", ".join(sorted(given)),
                todo="citizen is nobody's by grant" if name == CITIZEN else "",
            )


def _checked(name: str, role: Role, path: Path) -> Role:
    if not _NAME.fullmatch(name):
        raise ConfigurationError("a role is small Latin letters", found=name, where=str(path))
    return msgspec.structs.replace(
        role,
        organisation=_spread(role.organisation, name, path),
        everywhere=_spread(role.everywhere, name, path),
        own=_spread(role.own, name, path),
    )


def _spread(actions: Iterable[str], name: str, path: Path) -> frozenset[str]:
    """Return actions with those that end in `*` spelled out; raise ConfigurationError."""
    found: set[str] = set()
    for action in actions:
        begin = action.removesuffix("*")
        meant = (
            {known for known in ACTIONS if known.startswith(begin)}
            if action.endswith("*")
            else {action} & ACTIONS
        )
        if not meant or not begin:
            raise ConfigurationError(
                "нет такого действия · no such action",
                found=action,
                expected=", ".join(a for a in sorted(ACTIONS) if not a.startswith(ACT))
                + f", {ACT}<Event>",
                where=f"{path}, {name}",
            )
        found |= meant
    return frozenset(found)
