"""What a peer's row may say, and how a mistake in it is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.errors import ConfigurationError
from gateway.model.peer import Peer
from gateway.options import CHANNELS, OPTIONS, callback_host, given, known, wrong
from gateway.pinning import parse_target

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "peers.md").read_text("utf-8")


def told(adapter, options, manifest=None):
    return list(wrong(Peer(code="p", adapter=adapter, options=options), manifest or {}))


def test_every_option_has_its_row_in_the_page_of_peers_and_every_row_its_option():
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|.*\|.*\|$", PAGE, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}

    assert set(OPTIONS) - named == set()
    assert named - set(OPTIONS) - set(CHANNELS) == set()


@pytest.mark.parametrize(
    ("adapter", "name", "value", "expected"),
    [
        ("webhook", "max_in_flight", "abc", "≥ 1"),
        ("webhook", "max_in_flight", 0, "≥ 1"),
        ("webhook", "max_in_flight", "8", "≥ 1"),
        ("webhook", "timeout", -1, "> 0"),
        ("webhook", "url", "hook.example", "https://host/path"),
        ("webhook", "ask_url", "https://hook.example/ask", "{key}"),
        ("webhook", "idempotent", "no", "true | false"),
        ("webhook", "secret_file", "", "/path/secret"),
        ("webhook", "allow_private", "10.0.0.0/8", '["10.1.0.0/16"]'),
        ("webhook", "allow_private", ["10.0.0.0/40"], '["10.1.0.0/16"]'),
        ("soap", "maintenance", ["sunday"], "sun 02:00-04:00"),
        ("", "tell", "psh", "pull | push | none"),
        ("", "tell", "push", "pull | none"),
        ("", "events", ["Bogus"], '["Answered", "Registered"]'),
        ("", "events", "Answered", '["Answered", "Registered"]'),
        ("", "ordering", "none", "appeal | destination"),
        ("", "keep_days", -1, "36500"),
        ("sstu", "clock_skew", "long", "a number"),
    ],
)
def test_a_value_that_does_not_fit_is_told_by_name_with_found_and_expected(
    adapter, name, value, expected
):
    (error,) = told(adapter, {name: value}, {"clock_skew": 300} if adapter == "sstu" else {})

    assert error.message.startswith(f"{name}: ")
    assert expected in error.expected
    assert str(value if not isinstance(value, list) else value[0]) in error.found
    assert error.where == "peer p"


@pytest.mark.parametrize(
    ("adapter", "options"),
    [
        ("", {"tell": "none", "events": ["Answered"], "grant": ["Answered"], "keep_days": 0.5}),
        ("webhook", {"url": "https://h.example/x", "timeout": 5, "ask_url": "https://h/{key}"}),
        ("webhook", {"allow_private": ["127.0.0.1", "10.0.0.0/8"], "rate": 0}),
        ("file", {"directory": "out", "maintenance": ["sun 02:00-04:00 Europe/Moscow"]}),
        ("sstu", {"url": "http://node/", "department_id": "x", "departments": ["a"]}),
    ],
)
def test_what_fits_is_taken(adapter, options):
    assert told(adapter, options, {"department_id": "", "departments": []}) == []


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("version", "1.3", "1.3"),
        ("version", "1.30", "1.30"),
        ("version", '"1.3"', "1.3"),
        ("version", "2e3", "2e3"),
        ("user", "2041", "2041"),
        ("user", "true", "true"),
        ("user", "null", None),
        ("user", '["a"]', ["a"]),
        ("same_letters", "36", "36"),
        ("same_letters", '["a", "b"]', ["a", "b"]),
        ("timeout", "5", 5),
        ("timeout", "soon", "soon"),
        ("clock_skew", "300", 300),
        ("idempotent", "true", True),
        ("idempotent", "1", 1),
        ("tell", "1", 1),
        ("regions", '["36"]', ["36"]),
        ("regions", "36", 36),
        ("nobody_knows", "1.3", 1.3),
    ],
)
def test_a_number_without_quotes_is_text_where_the_option_wants_text_and_nowhere_else(
    name, text, value
):
    options = known("soap", {"version": "1.3", "clock_skew": 300}) | known("webhook", {})

    found = given(text, options.get(name))

    assert (found, type(found)) == (value, type(value))


def test_a_name_that_nobody_knows_is_told_with_the_one_that_was_meant():
    (error,) = told("webhook", {"ulr": "https://hook.example/"})

    assert "no such option" in error.message
    assert error.found == "ulr"
    assert error.todo.endswith("url")


def test_an_option_of_another_channel_is_told_as_such():
    (error,) = told("pull", {"url": "https://hook.example/"})

    assert "url" in error.message
    assert "pull" in error.message


@pytest.mark.parametrize("adapter", ["", "pull", "file", "webhook", "soap", "sstu"])
def test_whatever_its_adapter_a_peer_may_say_how_its_answers_reach_it(adapter):
    options = {
        "allow_private": ["10.1.0.0/16"],
        "ca_bundle": "/path/ca.pem",
        "proxy": "http://proxy.example:3128",
        "proxy_password_file": "/path/login",
        "client_cert": "/path/client.pem",
        "client_key": "/path/client.key",
        "client_key_password_file": "/path/password",
        "timeout": 10,
    }

    assert told(adapter, options) == []


@pytest.mark.parametrize("name", ["proxy", "url"])
def test_a_password_in_an_address_is_refused_and_not_repeated(name):
    [error] = told("webhook", {name: "http://user:s3cret@host.example:3128"})
    assert "s3cret" not in str(error)
    assert "***" in error.found


def test_options_of_an_adapter_are_those_of_its_manifest():
    assert "department_id" in known("sstu", {"department_id": ""})
    assert "department_id" not in known("webhook", {})


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Answers.Example", "https://answers.example/x"),
        ("answers.example:8443", "https://answers.example:8443/"),
        ("10.0.0.5:80", "http://10.0.0.5/"),
        ("2001:DB8::1", "https://[2001:db8::1]/"),
        ("[2001:db8::1]", "https://[2001:db8::1]/"),
        ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443/"),
        ("пример.рф", "https://xn--e1afmkfd.xn--p1ai/"),
        ("under_score", "http://under_score/"),
    ],
)
def test_a_host_is_kept_in_the_form_that_addresses_are_held_against(text, address):
    target = parse_target(address)

    assert callback_host(text) in {target.host, target.authority}


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "https://a.example", "a.example/x", "*.example", "a:0", "a:65536", "a:b", "u@h"),
        *("10.0.0.300", "a b", "a..b", "a:80:90", "[a]", "[a", "a%41", "[::1]x:80", "x" * 254),
    ],
)
def test_what_is_no_host_is_refused_with_the_form_that_one_has(text):
    with pytest.raises(ConfigurationError) as refused:
        callback_host(text)

    assert refused.value.expected == "host | host:port"
