"""What we tell at once of a document that came by SEV: that it was taken, or that it was not."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from adapters.sed.sev.draft import Draft
from adapters.sed.sev.words import DOC_INFO, IDS, organisation_out
from gateway.model.organisation import Organisation, OrganisationId

if TYPE_CHECKING:
    from adapters.sed.about import About
    from adapters.sed.settings import Settings

NO_NUMBER: Final = "б/н"
"""Stands where the schema wants a number and the document has none."""
_DAY: Final = len("2026-01-01")
_FAILURE: Final = 2_000


def wanted(told: About) -> bool:
    """Whether the sender of a document has not said that it wants no report of its reception."""
    include = told.card.values.get("Subscriptions/Reception/@Include", "")
    return told.card.root == DOC_INFO and include.strip().lower() not in {"false", "0"}


def reply(
    told: About, mid: str, settings: Settings, now: dt.datetime, failure: str = ""
) -> dict[str, bytes]:
    """Return the files of a report to the sender of a document: Reception, or Failure in words.

    mid: uid of the report. Raises ValidationError naming what is missing: the document's uid, or
    who we are.
    """
    draft, values = Draft(), told.card.values
    local = now.astimezone(settings.zone).isoformat(timespec="seconds")
    we = Organisation(short_name=settings.organization, ids=_ids(settings.uid))
    theirs = values.get("Header/@ReturnID", "") or values.get("Header/@MessageID", "")
    draft.header(
        "Report", "Failure" if failure else "Reception", mid=mid, return_id=theirs.strip(),
        time=local, we=we, system=settings.uid,
    )  # fmt: skip
    sender = "Header/Sender/Contact/Organization"
    name, uid = (values.get(f"{sender}/{part}", "").strip() for part in ("ShortName", "@UID"))
    to = Organisation(
        short_name=name or settings.addressee,
        ids=_ids(uid or ("" if name else settings.addressee_uid)),
    )
    at = "Report/Header/Recipient/Contact[0]/Organization"
    draft.some(organisation_out(at, to))
    draft.need(f"{at}/ShortName", "options.addressee")
    at = "Report/Notification/InitialDoc"
    draft.put(f"{at}/@UID", told.uid)
    draft.need(f"{at}/@UID", "идентификатор их документа")
    draft.put(f"{at}/Number", told.number or NO_NUMBER)
    days = (told.date, values.get("Header/@Time", "")[:_DAY])
    draft.put(f"{at}/Date", next(filter(_is_day, days), local[:_DAY]))
    at = "Report/Notification"
    if failure:
        draft.put(f"{at}/Failure/@Code", "1")
        draft.put(f"{at}/Failure", failure[:_FAILURE])
    else:
        draft.put(f"{at}/Reception", local)
    return draft.files()


def _is_day(told: str) -> bool:
    try:
        return dt.date.fromisoformat(told).isoformat() == told
    except ValueError:
        return False


def _ids(uid: str) -> tuple[OrganisationId, ...]:
    return (OrganisationId(system=IDS, value=uid),) if uid else ()
