"""What a peer's row lacks is named: by the command at once, by the doctor, and it is not built."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from gateway import settings
from gateway.destinations import Destinations
from gateway.registry import load
from gateway.store.pool import Pool

CHANNELS = ("sstu", "pos", "incident", "edds", "amqp", "sed", "asdou", "sadko")
ADDRESS = "url=https://peer.example/api"


@pytest.fixture
def wide(house):
    """The house with every channel switched on."""
    house.environ["GATEWAY_ADAPTERS"] = ",".join(CHANNELS)
    house.settings = settings.load(house.environ)
    return house


def told(house, code=0):
    return [f for f in house.json("doctor", code=code)["findings"] if f["check"] == "destinations"]


def built(house):
    pool = Pool(house.url)
    pool.open()
    try:
        adapters = load(house.settings.adapters)
        return sorted(Destinations(pool, adapters, house.settings, lambda: datetime.now(UTC))())
    finally:
        pool.close()


def arguments(*options):
    return [word for option in options for word in ("-o", option)]


@pytest.mark.parametrize(
    ("adapter", "given", "lacks"),
    [
        *((name, (), "url") for name in ("sstu", "pos", "incident", "edds", "asdou", "sadko")),
        ("amqp", (), "broker"),
        ("sed", (), "directory"),
        ("sed", ("in_directory=/",), "directory"),
        ("sed", ("directory=/nowhere/medo",), "directory"),
        ("pos", (ADDRESS, "key_file=/nowhere/key"), "key_file"),
        ("incident", (ADDRESS, "key_file=/nowhere/key"), "key_file"),
        ("edds", (ADDRESS, "user=gateway"), "password_file"),
        ("edds", (ADDRESS, "user=gateway", "password_file=/nowhere/word"), "password_file"),
        ("edds", (ADDRESS, "key_header=X-Key"), "key_file"),
        ("amqp", ("broker=amqp://mq.example/", "user=gateway"), "password_file"),
        ("amqp", ("broker=amqp://mq.example/", "password_file=/nowhere/word"), "password_file"),
        ("sadko", (ADDRESS,), "client_id"),
        ("sadko", (ADDRESS, "client_id=we"), "client_secret_file"),
    ],
)
def test_what_is_missing_is_named_with_what_to_do(wide, adapter, given, lacks):
    added = wide.json("peer", "add", "there", "--adapter", adapter, *arguments(*given))

    assert added["blocked"].startswith(f"{lacks}: ")
    assert f"`gateway peer option there {lacks}=…`" in added["blocked"]
    assert added["blocked"] == wide.json("peer", "option", "there")["blocked"]
    found, ready = told(wide, code=1)
    assert (found["level"], ready["what"].endswith(": 0")) == ("fail", True)
    assert f"{lacks}: " in found["what"]
    assert f"gateway peer option there {lacks}=" in found["todo"]
    assert built(wide) == []


@pytest.mark.parametrize(
    ("adapter", "given"),
    [
        *((name, (ADDRESS,)) for name in ("sstu", "pos", "incident", "edds", "asdou")),
        ("sstu", ("mode=offline",)),
        ("amqp", ("broker=amqp://mq.example/",)),
        ("sed", ("directory={here}",)),
        ("sed", ("in_directory={here}", "out_directory={here}")),
        ("pos", (ADDRESS, "key_file={here}/key")),
        ("edds", (ADDRESS, "user=gateway", "password_file={here}/key")),
        ("sadko", (ADDRESS, "client_id=we", "client_secret_file={here}/key")),
    ],
)
def test_a_whole_row_is_ready(wide, tmp_path, adapter, given):
    (tmp_path / "key").write_text("a secret")
    options = arguments(*(one.format(here=tmp_path) for one in given))

    assert "blocked" not in wide.json("peer", "add", "there", "--adapter", adapter, *options)

    (ready,) = told(wide)
    assert ready["what"].endswith(": 1")
    assert built(wide) == ["there"]


def test_one_that_might_only_bring_is_told_how_to_say_so(wide):
    added = wide.json("peer", "add", "there", "--adapter", "incident")
    assert "tell=none" in added["blocked"]


@pytest.mark.parametrize("tell", ["none", "pull"])
def test_a_peer_that_only_brings_is_whole_without_an_address_and_is_never_asked(wide, tell):
    added = wide.json("peer", "add", "there", "--adapter", "pos", "-o", f"tell={tell}")

    assert "blocked" not in added
    assert "we only take" in added["only_takes"]
    assert "Только приём" in wide.run("peer", "option", "there")
    takes, ready = told(wide)
    assert (takes["level"], "there" in takes["what"]) == ("ok", True)
    assert ready["what"].endswith(": 0")
    with capture_logs() as said:
        assert built(wide) == [], "what is not built is neither sent to nor asked"
    assert ["only take" in line["reason"] for line in said] == [True], "no word of what it lacks"

    assert "only_takes" not in wide.json("peer", "option", "there", ADDRESS)
    assert built(wide) == ["there"]
