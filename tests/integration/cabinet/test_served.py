"""The cabinet as a process serves it, with a simulated provider and a real syslog."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import sys
from html import unescape
from urllib.parse import urlencode, urlsplit

import pytest

from gateway.model.peer import Peer
from gateway.store import peers
from simulators.process import start
from tests import gost_kit
from tests.gost_kit import needs_gost
from tests.integration.esia import house as esia_house
from tests.integration.house import CHECKOUT, eventually, make_house

__all__ = ["make_house"]

NEW = "совсем другой пароль"


class Browser:
    """A browser that follows redirects, also to another host, where it picks a person."""

    def __init__(self, address, person=""):
        self.address, self.person = address, person
        self.cookies = {}

    def ask(self, method, url, **fields):
        url = url if "://" in url else self.address + url
        parts, ours = urlsplit(url), url.startswith(self.address)
        headers = {"X-Simulated-Person": self.person} if not ours else {"Origin": self.address}
        if ours and self.cookies:
            headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        if fields:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        line = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        with contextlib.closing(line):
            path = f"{parts.path}?{parts.query}" if parts.query else parts.path
            line.request(method, path, urlencode(fields) if fields else None, headers)
            answer = line.getresponse()
            body = answer.read().decode()
            for told in answer.headers.get_all("Set-Cookie") or ():
                name, _, value = told.partition(";")[0].partition("=")
                self.cookies[name] = value
        if answer.status in (302, 303):
            return self.ask("GET", answer.headers["Location"])
        return answer.status, body

    def get(self, url):
        return self.ask("GET", url)

    def send(self, page, path, **fields):
        return self.ask("POST", path, token=hidden(page, "token"), **fields)


def hidden(page, name):
    return unescape(re.search(rf'name="{name}" value="([^"]*)"', page)[1])


@pytest.fixture
def esia():
    simulator = start("esia", "--seed", "7")
    yield simulator
    simulator.stop()


@pytest.fixture
def syslog():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind(("127.0.0.1", 0))
        there.settimeout(30)
        yield there


def with_cabinet(house):
    with house.database() as db:
        peers.add(db, Peer(code="cabinet", name="Кабинет"), esia_house.now())
    return house


def settings_of(esia, how, tmp_path):
    """Settings of a house that lets people in by the stand, in one of two ways."""
    if how == "oidc":
        secret = tmp_path / "secret"
        secret.write_text(esia_house.SECRET, "utf-8")
        options = esia_house.plain(
            esia, client_secret_file=str(secret), level_claim="level",
            organisations_claim="organizations",
        )  # fmt: skip
        return {"GATEWAY_ADAPTER_OPTIONS": json.dumps({"esia": options})}
    ours = gost_kit.pki().ours
    keys = [{"name": "ours", "cert": str(ours.cert), "key": str(ours.key)}]
    return {
        "GATEWAY_ADAPTER_OPTIONS": json.dumps({"esia": esia_house.options(esia)}),
        "GATEWAY_SIGNING_KEYS": json.dumps(keys),
    }


@pytest.mark.parametrize("how", ["oidc", pytest.param("esia", marks=needs_gost)])
def test_a_citizen_logs_in_makes_an_appeal_and_follows_it(make_house, esia, tmp_path, how):
    told = settings_of(esia, how, tmp_path)
    house = with_cabinet(
        make_house(GATEWAY_LOGIN_PROVIDERS="esia", GATEWAY_SEAL_KEY="11" * 32, **told)
    )
    esia_house.register(esia, redirect_uris=[f"{house.address}/login/esia/return"])
    person = esia.control(people=True)["people"][0]
    browser = Browser(house.address, person["oid"])

    status, page = browser.get("/login/esia?next=/my/new")
    assert status == 200, page
    assert person["row"]["lastName"] in page
    key = hidden(page, "key")
    status, shown = eventually(
        lambda: (
            (found := browser.send(page, "/my/appeals", key=key, text="Нет света"))
            and found[0] == 200
            and found
        )
    )
    assert "Принято, ждёт регистрации" in shown
    assert "Нет света" in browser.get("/my/")[1] or "/my/appeals/" in browser.get("/my/")[1]
    ((content,),) = house.rows("SELECT c.bytes FROM content c JOIN appeal a ON a.content_id = c.id")
    proof = json.loads(content)["applicants"][0]["identification"]
    assert (proof["method"], proof["level"]) == ("esia", "confirmed")
    assert proof["at"]
    assert proof["evidence_ref"]
    assert not house.defects()


def run(house, *arguments):
    environ = {"PATH": os.defpath, "GATEWAY_DATABASE_URL": house.url, "GATEWAY_SEAL_KEY": "11" * 32}
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "access", *arguments],
        env=environ, cwd=CHECKOUT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def test_the_first_login_of_an_official_and_what_the_syslog_hears(make_house, syslog):
    where = f"udp://127.0.0.1:{syslog.getsockname()[1]}"
    house = make_house(GATEWAY_SEAL_KEY="11" * 32, GATEWAY_SYSLOG=where)
    password = json.loads(run(house, "add", "ivan", "--role", "executor", "--json"))
    browser = Browser(house.address)

    assert house.call("GET", "/api/v1/ping", peer="", X_API_Key="gw_wrong_key").status == 401
    status, page = browser.send(
        browser.get("/login")[1], "/login/local", login="ivan",
        password=password["oneTimePassword"],
    )  # fmt: skip
    assert "Пароль был разовый" in page
    status, page = browser.send(
        page, "/my/password", old=password["oneTimePassword"], new=NEW, again=NEW
    )
    assert (status, "Исполнитель" in page) == (200, True)
    run(house, "disable", "ivan", "--commit")
    assert "Войти" in browser.get("/my/")[1]
    heard = [syslog.recv(9000).decode() for _ in range(3)]
    kinds = [re.search(r"CEF:0\|[^|]*\|[^|]*\|[^|]*\|(\w+)\|", line)[1] for line in heard]
    assert kinds == ["call_refused", "login_ok", "access_changed"]
    assert all(line.isprintable() for line in heard)
    assert not house.defects()
