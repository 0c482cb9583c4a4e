"""Writes a decoded message back as the feed gave it, leaf by leaf."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import msgspec

from adapters.incident.codes import JSON, TOPICS
from adapters.incident.fields import put, told, written
from gateway.adapter import Inbound, Wire
from gateway.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.jsonfields import Fields
    from gateway.model.address import Address
    from gateway.model.appeal import Appeal
    from gateway.model.attachment import Attachment
    from gateway.model.later import SocialSource
    from gateway.model.person import Applicant


def restore(item: Inbound) -> Wire:
    """Return the message that an item was decoded from; raise UnsupportedError for another."""
    appeal = item.appeal
    if appeal is None or appeal.social_source is None:
        raise UnsupportedError("nothing of the feed", found=item.operation)
    files = {file.sha256: file.data for file in item.files if isinstance(file.data, bytes)}
    document = _message(item, appeal, appeal.social_source, files)
    return Wire(media_type=JSON, body=msgspec.json.encode(document), name="item.json")


def _message(
    item: Inbound, appeal: Appeal, source: SocialSource, files: Mapping[str, bytes]
) -> Fields:
    topics = [t.code.value for q in appeal.questions for t in q.topics if t.code.system == TOPICS]
    page = {"url": source.page_url, "name": source.page, "subscribers": source.audience}
    document: dict[str, Any] = {
        "id": item.external_id,
        "version": item.revision,
        "network": source.network,
        "page": put(told(page), source.extras),
        "author": _author(appeal.applicants[0]),
        "post_url": source.post_url,
        "comment_id": source.comment_id,
        "text": appeal.text,
        "published_at": written(appeal.received_at) if appeal.received_at else "",
        "photos": [_photo(photo, files) for photo in appeal.attachments],
        "topics": topics,
        "tags": list(source.tags),
        "location": _place(appeal.addresses[0]) if appeal.addresses else {},
    }
    return put(told(document), appeal.extras)


def _author(applicant: Applicant) -> Fields:
    person = applicant.person
    named = {
        "handle": person.nickname if person else "",
        "name": person.full_name_as_given if person else "",
        "url": person.profile_url if person else "",
    }
    return put(told(named), applicant.extras)


def _place(address: Address) -> Fields:
    named = {
        "address": address.raw,
        "fias_guid": address.fias_guid,
        "oktmo": address.oktmo,
        "lat": address.lat,
        "lon": address.lon,
    }
    return put(told(named), address.extras)


def _photo(photo: Attachment, files: Mapping[str, bytes]) -> Fields:
    data = files.get(photo.sha256)
    named = {
        "name": photo.declared_name,
        "mediaType": photo.declared_type,
        "url": photo.url,
        "content": base64.b64encode(data).decode() if data is not None else None,
    }
    return put(told(named), photo.extras)
