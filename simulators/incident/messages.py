"""Made-up messages of social networks: a seed in, messages out; no clock, no network."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from simulators.seed.files import photograph

_PAGES: Final = (
    ("vk", "Подслушано Энск", 4_200), ("vk", "Область сегодня", 152_000), ("ok", "Наш двор", 830),
    ("telegram", "Энск онлайн", 100_001), ("telegram", "Соседи с Примерной", 95),
)  # fmt: skip
_TEXTS: Final = {
    "snow": "Когда уберут снег на улице Примерной, {house}? Скорая не проедет.",
    "rubbish": "Мусор у дома {house} по Тестовой не вывозят неделю!",
    "yard_pothole": "Яма во дворе дома {house}, машины объезжают по газону.",
    "open_manhole": "Открыт люк у дома {house}, дети ходят в школу мимо!",
    "gas_leak": "Пахнет газом в подъезде дома {house} на Образцовой!",
    "school": "В школе у дома {house} холодно, дети сидят в куртках.",
    "street_light": "Не горит ни один фонарь от дома {house} до остановки.",
    "other": "Спасибо дворнику дома {house}, но скамейку так и не покрасили.",
}
_NAMES: Final = (
    ("Анна", "Примерова"), ("Пётр", "Образцов"), ("Мария", "Тестова"), ("Илья", "Вымышленный"),
)  # fmt: skip
_LATIN: Final = ("anna", "petr", "maria", "ilya")


def make(number: int, seed: int, now: datetime) -> dict[str, Any]:
    """Return one message; the same number and seed give the same, but for its time."""
    draw = Random(f"{seed}/{number}")
    network, page, subscribers = draw.choice(_PAGES)
    topic = draw.choice(tuple(_TEXTS))
    who = draw.randrange(len(_NAMES))
    house = draw.randint(1, 90)
    url = f"https://{network}.example/page{draw.randint(1, 9)}"
    handle = f"{_LATIN[who]}{draw.randint(100, 999)}"
    message: dict[str, Any] = {
        "id": f"{network}-{seed}-{number}",
        "version": 1,
        "network": network,
        "page": {"url": url, "name": page, "subscribers": subscribers},
        "author": {
            "handle": handle,
            "name": " ".join(_NAMES[who]),
            "url": f"https://{network}.example/{handle}",
        },
        "post_url": f"{url}?post={number}",
        "comment_id": str(number),
        "text": _TEXTS[topic].format(house=house),
        "published_at": (now - timedelta(minutes=draw.randint(1, 50)))
        .replace(microsecond=0)
        .isoformat(),
        "links": [f"{url}?post={number}"] if draw.random() < 0.3 else [],
        "photos": [],
        "topics": [] if topic == "other" else [topic],
        "tags": ["намневсеравно"] if draw.random() < 0.2 else [],
    }
    if draw.random() < 0.5:
        content = base64.b64encode(photograph(draw.randint(0, 2**30))).decode()
        message["photos"] = [{"name": "фото.png", "mediaType": "image/png", "content": content}]
    if draw.random() < 0.4:
        message["location"] = {"address": f"г. Энск, ул. Примерная, {house}"}
    return message
