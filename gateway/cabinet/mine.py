"""A citizen's pages and JSON: make an appeal, follow it, read the answer."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec

from gateway.access.sessions import form_token, new_token
from gateway.cabinet import pages
from gateway.cabinet.answers import Answer, moved, page, told
from gateway.cabinet.appeals import Draft, enclosed
from gateway.cabinet.words import state
from gateway.errors import InputError, MalformedError, TrustError, ValidationError, Violation
from gateway.jsontext import check_values
from gateway.rest.problems import status_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.access.people import Person
    from gateway.cabinet.appeals import Appeals
    from gateway.cabinet.request import Form, Request
    from gateway.settings import Settings
    from gateway.wires import contract as c

_ONE: Final = re.compile(
    r"(?P<api>/api/v1)?/my/appeals/(?P<own>[0-9a-f]{32})(?:/(?P<file>[0-9a-f]{64}))?"
)
_DRAFT: Final = msgspec.json.Decoder(Draft)


class Mine:
    """Pages of citizens."""

    def __init__(self, appeals: Appeals, settings: Settings) -> None:
        self._appeals = appeals
        self._zone = ZoneInfo(settings.zone)

    def below(self, path: str) -> Callable[[Request, Person], Awaitable[Answer]] | None:
        """Return what answers for one appeal or one file of it."""
        found = _ONE.fullmatch(path)
        if found is None:
            return None
        own, file = found["own"], found["file"]
        if file:
            return partial(self._file, own, file)
        return partial(self._api_one if found["api"] else self._one, own)

    async def home(self, request: Request, person: Person) -> Answer:
        """List the citizen's appeals."""
        items = await self._appeals.listed(person, request.caller)
        return page(pages.citizen(person, items, self._zone))

    async def new(self, _request: Request, person: Person) -> Answer:
        """Show the form of an appeal."""
        _require_citizen(person)
        return page(pages.new(person, new_token()))

    async def submit(self, request: Request, person: Person, form: Form) -> Answer:
        """Take the form; what was wrong with it is said beside what was written."""
        _require_citizen(person)
        draft = Draft(
            key=form.get("key"), text=form.get("text"), subject=form.get("subject").strip(),
            address=form.get("address").strip(), files=enclosed(form.files),
        )  # fmt: skip
        try:
            own = await self._appeals.submit(person, draft, request.caller)
        except InputError as error:
            shown = pages.new(person, draft.key, form.fields, error)
            return page(shown, status_of(error))
        return moved(f"/my/appeals/{own}")

    async def api(self, _request: Request, person: Person) -> Answer:
        """Tell a program who it speaks for, and the token of its changes."""
        principal = person.principal
        return told(
            {
                "login": principal.login, "roles": principal.roles,
                "organisation": principal.organisation, "csrfToken": form_token(person.token),
            }
        )  # fmt: skip

    async def api_list(self, request: Request, person: Person) -> Answer:
        """Tell where the citizen's appeals stand."""
        items = await self._appeals.listed(person, request.caller)
        return told({"items": [_line(item) for item in items]})

    async def api_submit(self, request: Request, person: Person, body: bytes) -> Answer:
        """Take an appeal as JSON."""
        _require_citizen(person)
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise MalformedError("нужен JSON · JSON is expected", expected="application/json")
        check_values(body)
        try:
            draft = _DRAFT.decode(body)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            wrong = Violation("", "contract", str(error)[:300])
            raise ValidationError("обращение не читается · it cannot be read", (wrong,)) from error
        own = await self._appeals.submit(person, draft, request.caller)
        return told({"id": own, "href": f"/api/v1/my/appeals/{own}"}, status=201)

    async def _one(self, own: str, request: Request, person: Person) -> Answer:
        _require_citizen(person)
        seen = await self._appeals.one(person, own, request.caller)
        return page(pages.appeal(person, own, seen, self._zone))

    async def _api_one(self, own: str, request: Request, person: Person) -> Answer:
        _require_citizen(person)
        seen = await self._appeals.one(person, own, request.caller)
        return told({"id": own, "stateTitle": state(seen.state)[0], "appeal": seen})

    async def _file(self, own: str, digest: str, request: Request, person: Person) -> Answer:
        """Give a file to be saved, never to be shown: it may be a page with a script in it."""
        _require_citizen(person)
        found = await self._appeals.file(person, own, digest, request.caller)
        name = quote(found.file_name, safe="")
        content: Any = found.content
        return Answer(
            200, content, "application/octet-stream",
            (("content-disposition", f"attachment; filename*=UTF-8''{name}"),),
        )  # fmt: skip


def _line(item: c.StatusItem) -> dict[str, Any]:
    return {
        "id": item.key.external_id,
        "receiptNumber": item.receipt_number,
        "state": item.state,
        "stateTitle": state(item.state or "")[0],
        "dueDate": item.due_date,
        "updatedAt": item.updated_at,
    }


def _require_citizen(person: Person) -> None:
    if not person.citizen:
        raise TrustError(
            "это действие вам недоступно · you may not do that",
            "not_allowed",
            where="a page of citizens",
        )
