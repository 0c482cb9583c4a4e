"""Requests that the app makes up: people and places of `simulators.seed`, pictures by link."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any, Final, NamedTuple

from simulators.seed.appeals import Source

_DAY: Final = date(2026, 3, 1)
_PHOTOS: Final = "https://photos.ensk.example.org"
_WORDS: Final = {"string": "12/4", "number": "15", "datetime": "2026-03-01T08:30:00+03:00"}


class Made(NamedTuple):
    """One request before it is sent. secrets: what must never be shown to a reader."""

    key: str
    service: dict[str, Any]
    fields: list[tuple[str, str]]
    secrets: list[str]


def make(
    count: int, seed: int, services: list[dict[str, Any]], asked: dict[str, list[dict[str, Any]]]
) -> list[Made]:
    """Return requests; the same seed gives the same. asked: attributes by service code."""
    draw, source = Random(seed), Source(seed, _DAY)
    return [
        _one(f"ensk-app-{seed}-{n:05d}", draw, source, draw.choice(services), asked)
        for n in range(count)
    ]


def _one(
    key: str,
    draw: Random,
    source: Source,
    service: dict[str, Any],
    asked: dict[str, list[dict[str, Any]]],
) -> Made:
    appeal = source.appeal("rest")
    author, place = appeal.author, appeal.place
    code = str(service["service_code"])
    photos = draw.randint(1, 3)
    fields = [
        ("service_code", code),
        ("description", appeal.text[:4000]),
        ("lat", f"{draw.uniform(54, 57):.6f}"),
        ("long", f"{draw.uniform(35, 61):.6f}"),
        ("address_string", place.raw),
        ("first_name", author.given),
        ("last_name", author.family),
        ("phone", author.phone),
        ("email", author.email),
        ("device_id", f"device-{draw.randint(1, 10**6)}"),
        *(("media_url", f"{_PHOTOS}/{key}-{n}.jpg") for n in range(1, photos + 1)),
    ]
    for attribute in asked.get(code, []):
        fields += _answers(draw, attribute)
    told = [(name, value) for name, value in fields if value]
    secrets = [author.family, author.phone, author.email, appeal.text[:40]]
    return Made(key, service, told, secrets)


def _answers(draw: Random, attribute: dict[str, Any]) -> list[tuple[str, str]]:
    """Answer a question of a service: always when it is required, else now and then."""
    code, kind = attribute["code"], attribute["datatype"]
    required = str(attribute.get("required")).lower() == "true"
    if str(attribute.get("variable")).lower() == "false" or (not required and draw.random() < 0.5):
        return []
    keys = [str(value["key"]) for value in attribute.get("values") or []]
    if kind == "multivaluelist":
        some = draw.sample(keys, draw.randint(1, len(keys)))
        return [(f"attribute[{code}][]", key) for key in some]
    if kind == "singlevaluelist":
        return [(f"attribute[{code}]", draw.choice(keys))]
    return [(f"attribute[{code}]", _WORDS.get(kind, "Со слов соседей"))]
