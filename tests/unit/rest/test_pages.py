"""Pages load nothing from elsewhere, and what is vendored is what was vendored."""

from __future__ import annotations

import re
from hashlib import sha256

import pytest

from gateway.rest import pages

VENDOR = pages.STATIC / "vendor"
OWN = [path for path in pages.STATIC.iterdir() if path.is_file()]


def test_the_vendored_files_are_unchanged_and_none_is_unlisted():
    listed = dict(
        reversed(line.split()) for line in (VENDOR / "SHA256SUMS").read_text("utf-8").splitlines()
    )
    there = {path.name for path in VENDOR.iterdir()} - {"SHA256SUMS"}
    assert set(listed) == there
    for name, digest in listed.items():
        assert sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name
    assert {"LICENSE", "NOTICE"} <= there


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_our_files_refer_to_our_own_paths_only(path):
    text = path.read_text("utf-8")
    addresses = re.findall(r"""(?:https?:)?//[\w.-]+""", text)
    assert [one for one in addresses if one != "http://www.w3.org"] == []
    for target in re.findall(r"""(?:src|href|url)\s*[=:]\s*"([^"]+)""", text):
        assert target.startswith("/")
        assert not target.startswith("//")


@pytest.mark.parametrize(
    "path", [p for p in OWN if p.suffix == ".html"], ids=lambda path: path.name
)
def test_pages_hold_no_script_and_no_style_of_their_own(path):
    text = path.read_text("utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))
    for target in re.findall(r'(?:src|href)="(/static/[^"]+)', text):
        assert target.removeprefix("/static/") in pages.files()


def test_the_policy_allows_no_script_from_a_page_and_nothing_from_elsewhere():
    policy = pages.SAFE["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'self'"
    assert "script-src" not in rules
    assert not re.search(r"https?:|\*|unsafe-eval", policy)
