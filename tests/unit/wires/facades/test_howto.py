"""The façade on the page for engineers is one that the gateway serves."""

import importlib
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from gateway import doctor, limits
from gateway.errors import BusyError, ConfigurationError
from gateway.settings import Settings
from gateway.wires import contract as c
from gateway.wires import facades
from gateway.wires.facades import dispatcher, requests, result
from tests.unit.wires.facades.kit import Answer, Gateway, exchange, parts, soap

PAGE = (Path(__file__).parents[4] / "docs/howto/facade.md").read_text("utf-8")
NS = "http://tempuri.org/"
CARD = (
    f'<RegisterCard xmlns="{NS}"><Card><CardId>17-A</CardId>'
    "<ReceivedAt>2026-11-20T09:00:00+04:00</ReceivedAt><Address>улица Пробная, 7а</Address>"
    "<Text>Прорвало трубу</Text></Card></RegisterCard>"
)


def block(language):
    return re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[1]


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The package of the page, as if pip had installed it."""
    (tmp_path / "duty_facade.py").write_text(block("python"), "utf-8")
    about = tmp_path / "duty-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: duty\nVersion: 1.0\n")
    ((group, named),) = tomllib.loads(block("toml"))["project"]["entry-points"].items()
    lines = "".join(f"{name} = {target}\n" for name, target in named.items())
    (about / "entry_points.txt").write_text(f"[{group}]\n{lines}")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield
    sys.modules.pop("duty_facade", None)


def test_its_package_becomes_a_wheel_that_names_it(tmp_path):
    (tmp_path / "duty_facade.py").write_text(block("python"), "utf-8")
    (tmp_path / "pyproject.toml").write_text(block("toml"), "utf-8")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [*command, "--no-index", "--disable-pip-version-check", "-w", tmp_path, tmp_path],
        check=True, capture_output=True, cwd=tmp_path,
    )  # fmt: skip
    with zipfile.ZipFile(tmp_path / "duty_facade-1.0-py3-none-any.whl") as wheel:
        assert "duty_facade.py" in wheel.namelist()
        points = wheel.read("duty_facade-1.0.dist-info/entry_points.txt").decode()
    assert points.split() == ["[gateway.facades]", "duty", "=", "duty_facade:endpoint"]


def test_the_page_says_every_code_and_limit_of_the_built_in_ones():
    for code in (result.ACCEPTED, *result.CODES.values()):
        assert re.search(rf"^\| {code} \| ", PAGE, re.MULTILINE)
    for number in (limits.TEXT_CHARS, limits.ID_CHARS - 10):
        assert f"{number:,}" in PAGE
    assert (limits.ATTACHMENT_INLINE_BYTES, limits.SOAP_ROOT_BYTES) == (5 << 20, 12 << 20)
    assert limits.ATTACHMENTS_PER_APPEAL == 50
    for facade in (requests.FACADE, dispatcher.FACADE):
        assert facade.namespace in PAGE
        assert all(f"`{operation}(" in PAGE for operation in facade.operations)


def test_it_takes_fewer_than_sixty_lines():
    assert len(block("python").splitlines()) < 60


def test_it_is_found_by_its_name_and_takes_a_card(installed):
    gateway = Gateway()
    (duty,) = facades.endpoints(["duty"], parts(gateway))
    answer = Answer(exchange(duty, soap(CARD)))

    assert answer.text("RegisterCardResult") == "TK12V09W5EK"
    given = gateway.asked[0].appeal
    assert (given.external_id, given.text) == ("17-A", "Прорвало трубу")
    assert given.received_at.isoformat() == "2026-11-20T09:00:00+04:00"
    assert duty.service.actions[f"{{{NS}}}RegisterCard"] == f"{NS}IDutyService/RegisterCard"


def test_a_clock_without_an_offset_is_the_dutys_own(installed):
    gateway = Gateway()
    (duty,) = facades.endpoints(["duty"], parts(gateway))
    exchange(duty, soap(CARD.replace("09:00:00+04:00", "00:30:00")))
    assert gateway.asked[0].appeal.received_at.isoformat() == "2026-11-20T00:30:00+04:00"


def test_it_says_where_a_card_stands(installed):
    def status(request, _context):
        item = c.StatusItem(key=request.keys[0], found=True, state="in_work")
        return c.GetStatusResponse(items=(item,))

    (duty,) = facades.endpoints(["duty"], parts(Gateway(GetStatus=status)))
    asked = f'<GetCardState xmlns="{NS}"><CardId>17-A</CardId></GetCardState>'
    assert Answer(exchange(duty, soap(asked))).text("GetCardStateResult") == "in_work"


def test_its_faults_are_typed_though_its_contract_has_none(installed):
    (duty,) = facades.endpoints(["duty"], parts(Gateway(SubmitAppeal=BusyError("full"))))
    answer = Answer(exchange(duty, soap(CARD)))
    assert (answer.tag, answer.text("Code")) == (f"{{{NS}}}ServiceFault", "busy")


def test_its_namespace_ends_in_a_slash_and_nothing_of_it_has_two(installed):
    (duty,) = facades.endpoints(["duty"], parts(Gateway()))
    assert b"tempuri.org//" not in duty.describe({"singlewsdl": ""}, "http://gw.test").body


def test_a_name_that_nobody_brings_is_an_error_of_the_settings(installed):
    with pytest.raises(ConfigurationError) as caught:
        facades.endpoints(["requests", "dutty"], parts(Gateway()))
    assert caught.value.found == "dutty"
    assert caught.value.expected == "dispatcher, duty, requests"


@pytest.mark.parametrize("name", ["appeals", "duty2", "Duty"])
def test_a_facade_takes_no_other_address_than_its_own(installed, monkeypatch, name):
    monkeypatch.setattr(facades, "_target", lambda _name: "duty_facade:endpoint")
    with pytest.raises(ConfigurationError) as caught:
        facades.endpoints([name], parts(Gateway()))
    assert "/soap/duty.svc" in caught.value.found


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ("import no_such_module_here", "No module named 'no_such_module_here'"),
        ("def (", "SyntaxError"),
        ("raise RuntimeError('two\\nlines')", "RuntimeError: two lines"),
        ("", "has no attribute 'endpoint'"),
        ("from zoneinfo import ZoneInfo as Z\ndef endpoint(_):\n  Z('Nowhere')", "Nowhere"),
    ],
)
def test_a_package_with_an_error_is_an_error_of_the_settings_on_one_line(
    installed, tmp_path, broken, why
):
    (tmp_path / "duty_facade.py").write_text(broken, "utf-8")
    with pytest.raises(ConfigurationError) as caught:
        facades.endpoints(["duty"], parts(Gateway()))
    told = str(caught.value)
    assert "duty = duty_facade:endpoint" in told
    assert why in told
    assert "GATEWAY_FACADES" in told
    assert "\n" not in told


def test_doctor_makes_every_facade_that_is_named(installed, tmp_path):
    def found(*names):
        told = Settings(facades=names, blob_dir=str(tmp_path))
        return [(each.level, each.what) for each in doctor.check_facades(told)]

    assert found() == [("ok", "не назначены · none is named")]
    good = [("ok", f"/soap/{name}.svc") for name in ("requests", "dispatcher", "duty")]
    assert found("requests", "dispatcher", "duty") == good
    sys.modules.pop("duty_facade")
    (tmp_path / "duty_facade.py").write_text("import no_such_module_here", "utf-8")
    (ok, *_), (level, what), (unknown, _) = found("requests", "duty", "dutty")
    assert (ok, level, unknown) == ("ok", "fail", "fail")
    assert "duty_facade" in what
    assert "GATEWAY_FACADES" in what
    checks = doctor.without_database(Settings(facades=("dutty",)))
    assert "fail" in {each.level for each in doctor.examine({"facades": checks["facades"]})}


def test_the_page_names_every_type_that_a_facade_may_use():
    from gateway.soap import facade

    for name in re.search(r"\*\*Types\*\*: `([A-Za-z ]+)`", PAGE)[1].split():
        assert hasattr(facade, name)
