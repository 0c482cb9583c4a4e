"""The rules of the house, as tests. Each says what breaks when it is not kept."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
CODE = ("gateway", "adapters", "import_export", "simulators", "bench", "tests", "packaging")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
LINES_PER_MODULE = 450
NOT_OURS = re.compile(r"(^|/)(vendor|static|migrations/versions)/")


def tracked() -> list[Path]:
    """Files under version control; in an unpacked archive, every file that is not built."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listing.returncode:
        built = {"__pycache__", "dist", "build", "var"}
        names = [
            str(path.relative_to(ROOT))
            for path in ROOT.rglob("*")
            if path.is_file()
            and not built.intersection(path.parts)
            and not any(part.startswith(".venv") for part in path.parts)
        ]
    else:
        names = listing.stdout.split("\0")[:-1]
    return [ROOT / name for name in sorted(names) if (ROOT / name).is_file()]


def texts() -> list[tuple[str, str]]:
    """Name and text of every tracked file that is UTF-8."""
    found = []
    for path in tracked():
        try:
            found.append((path.relative_to(ROOT).as_posix(), path.read_text("utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def offending_lines(pattern: str) -> list[str]:
    """Every `file:line: text` that matches, shortened."""
    regex = re.compile(pattern)
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in texts()
        if not NOT_OURS.search(name)
        for number, line in enumerate(text.splitlines(), 1)
        if regex.search(line)
    ]


def test_no_module_is_two_ideas_long():
    long = {
        name: text.count("\n")
        for name, text in texts()
        if name.endswith(".py")
        and name.split("/")[0] in CODE
        and "migrations/" not in name
        and not NOT_OURS.search(name)
        and text.count("\n") > LINES_PER_MODULE
    }
    assert not long, f"split these at a noun: {long}"


def test_no_file_names_a_package_registry():
    assert not offending_lines(r"https?://\S*(/simple\b|pypi\.org/simple|pythonhosted)")
    assert not offending_lines(r"--(extra-)?index-url[ =]\S|--find-links[ =]\S*(:/|/opt)")


def test_no_file_names_a_directory_of_one_machine():
    assert not offending_lines(r"(?<![\w.}/])/(?:home|work|Users|root)/[\w.]")


def test_nothing_is_left_to_do_in_a_comment():
    assert not offending_lines(r"(?:#|//|--|<!--)\s*(?:TO[D]O|FIX[M]E|XX[X])\b")


def test_text_files_end_with_one_line_feed_and_no_carriage_return():
    wrong = [
        name
        for name, text in texts()
        if name.split("/")[0] not in {"tests", "xsd", "wsdl"}  # cases keep the bytes of their wires
        and text
        and not NOT_OURS.search(name)
        and ("\r" in text or not text.endswith("\n") or text.endswith("\n\n"))
    ]
    assert not wrong


def test_the_lock_pins_everything_that_is_asked_for():
    pins = dict(re.findall(r"^([a-z0-9._-]+)==(\S+?)(?: ;.*)? \\$", LOCK, re.MULTILINE))
    wanted = PYPROJECT["project"]["dependencies"] + PYPROJECT["dependency-groups"]["dev"]
    unmet = [
        text
        for text in wanted
        if (requirement := Requirement(text)).name.lower() not in pins
        or not requirement.specifier.contains(pins[requirement.name.lower()], prereleases=True)
    ]
    assert not unmet, "run `make lock`"


def test_every_pin_has_a_hash_so_that_pip_can_refuse_another_file():
    blocks = re.split(r"^(?=\S)", LOCK, flags=re.MULTILINE)
    assert [block.split()[0] for block in blocks if block and "--hash=sha256:" not in block] == []


def test_every_import_layer_of_the_gateway_is_named():
    """A module outside the layers would be free to import anything."""
    layers = next(
        contract["layers"]
        for contract in PYPROJECT["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    )
    named = set(re.findall(r"gateway\.(\w+)", " ".join(layers)))
    free = {"__init__", "__main__", "testing"}  # testing may import everything (design §3)
    there = {
        path.stem
        for path in (ROOT / "gateway").iterdir()
        if path.suffix == ".py" or (path.is_dir() and any(path.glob("*.py")))
    }
    assert there - named - free == set()


def test_every_setting_is_documented():
    spec = importlib.util.spec_from_file_location("reference", ROOT / "packaging/reference.py")
    assert spec is not None
    assert spec.loader is not None
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    page = reference.settings_page()
    assert reference.SETTINGS_PAGE.read_text("utf-8") == page, "run `make docs`"
    assert "|  |" not in page, "a setting has no sentence below it"
    adapters = reference.ADAPTERS_PAGE.read_text("utf-8")
    assert adapters == reference.adapters_page(), "run `make docs`"


@pytest.mark.parametrize(
    "page", sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]), ids=lambda page: page.name
)
def test_links_between_documents_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    broken = [
        target
        for target in targets
        if not re.match(r"[a-z]+:", target) and not (page.parent / target).exists()
    ]
    assert not broken


def test_the_ledger_of_decisions_lists_every_decision_record():
    index = (ROOT / "docs/adr/README.md").read_text("utf-8")
    records = [p.name for p in (ROOT / "docs/adr").glob("[0-9][0-9][0-9][0-9]-*.md")]
    assert [name for name in sorted(records) if f"({name})" not in index] == []


def test_the_version_is_the_same_wherever_it_is_written():
    version = PYPROJECT["project"]["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    publiccode = (ROOT / "publiccode.yml").read_text("utf-8")
    assert re.search(rf"^## \[?{re.escape(version)}\b", changelog, re.MULTILINE)
    assert re.search(rf"^softwareVersion: [\"']?{re.escape(version)}\b", publiccode, re.MULTILINE)
