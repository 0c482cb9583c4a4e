"""Our schemas of СМЭВ: served offline, and of one mind with the operator's own on every message."""

import json
import os
from pathlib import Path

import pytest
from lxml import etree

from adapters.smev.messages import names, schemas
from adapters.smev.messages.types import VERSIONS
from gateway import contracts
from tests.unit.adapters.smev.maker import Maker

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
SOAP = "{http://schemas.xmlsoap.org/wsdl/soap/}"
WHOLE, BROKEN = 6, 19
"""Documents of a root that are made by a schema, and changed copies of each."""


def official(version: str) -> Path:
    """Return the operator's own files, which lie beside the checkout, or skip."""
    root = Path(os.environ.get("GATEWAY_SHARED", str(ROOT.parent / "shared")))
    path = root / "data" / "smev3-schemas" / f"v{version}"
    if not path.is_dir():
        pytest.skip("no smev3-schemas beside the checkout (GATEWAY_SHARED)")
    return path


def theirs(version: str) -> etree.XMLSchema:
    """Return the operator's messages and faults compiled together, as ours are."""
    folder = official(version)
    both = "".join(
        f'<xs:import namespace="{space}" schemaLocation="{(folder / name).as_uri()}"/>'
        for space, name in (
            (names.types(version), f"smev-message-exchange-types-{version}.xsd"),
            (names.faults(version), f"smev-message-exchange-faults-{version}.xsd"),
        )
    )
    text = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{both}</xs:schema>'
    return etree.XMLSchema(etree.fromstring(text))


def starts(version: str, whose: str) -> list[Path]:
    """Return the files from which all of a version is reached."""
    if whose == "ours":
        return [contracts.folder("xsd", f"smev/{version}") / f"smev-{version}.xsd"]
    folder = official(version)
    return [folder / f"smev-message-exchange-{kind}-{version}.xsd" for kind in ("types", "faults")]


@pytest.mark.parametrize("whose", ["ours", "theirs"])
@pytest.mark.parametrize("version", VERSIONS)
def test_ours_and_the_operators_say_the_same_of_every_message(version, whose):
    ours, other = schemas.schema(version), theirs(version)
    asked, valid, differ = 0, 0, []
    for start in starts(version, whose):
        maker = Maker(start, seed=20_260_302)
        for name in maker.roots():
            for _ in range(WHOLE):
                whole = maker.make(name)
                for document in (whole, *(maker.broken(whole) for _ in range(BROKEN))):
                    verdicts = ours.validate(document), other.validate(document)
                    asked += 1
                    valid += verdicts[1]
                    if verdicts[0] != verdicts[1]:
                        differ.append((verdicts, etree.tostring(document).decode()[:1500]))

    assert not differ, differ[:3]
    assert asked > 6_000
    assert asked / 4 < valid < asked * 3 / 4, "neither verdict is rare"


def samples() -> list[dict[str, str | bool]]:
    return [json.loads(line) for line in (HERE / "verdicts.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("version", VERSIONS)
def test_ours_say_of_each_sample_what_the_operators_said(version):
    told = [one for one in samples() if one["version"] == version]
    wrong = [
        one for one in told
        if schemas.schema(version).validate(etree.fromstring(one["xml"])) != one["valid"]
    ]  # fmt: skip

    assert {one["valid"] for one in told} == {True, False}
    assert not wrong


@pytest.mark.parametrize("version", VERSIONS)
def test_a_description_names_what_the_operators_own_names(version):
    def shape(path: Path) -> dict[str, tuple[str, frozenset[str]]]:
        root = etree.parse(str(path)).getroot()
        actions = {
            op.get("name"): op.find(f"{SOAP}operation").get("soapAction")
            for op in root.iterfind(f"{WSDL}binding/{WSDL}operation")
        }
        elements = {
            message.get("name"): message[0].get("element").partition(":")[2]
            for message in root.iterfind(f"{WSDL}message")
        }
        return {
            op.get("name"): (
                actions[op.get("name")],
                frozenset(
                    f"{part.tag.rpartition('}')[2]}:{part.get('name')}:"
                    f"{elements[part.get('message').partition(':')[2]]}"
                    for part in op
                    if isinstance(part.tag, str) and part.get("message")
                ),
            )
            for op in root.iterfind(f"{WSDL}portType/{WSDL}operation")
        }

    ours = shape(contracts.folder("wsdl", "smev") / f"message-exchange-{version}.wsdl")

    assert set(ours) == set(names.OPERATIONS[version])
    assert ours == shape(official(version) / f"smev-message-exchange-service-{version}.wsdl")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_of_soap_reads_the_description_without_a_network(version):
    import zeep

    path = contracts.folder("wsdl", "smev") / f"message-exchange-{version}.wsdl"
    client = zeep.Client(str(path), settings=zeep.Settings(strict=True))

    assert set(client.service._operations) == set(names.OPERATIONS[version])


def test_the_profile_is_the_contract_without_nil_and_with_files_by_header():
    """What the profile takes, the contract takes once it is spelt as the contract."""
    maker = Maker(contracts.folder("xsd", "smev") / "appeals-profile-1.0.xsd", seed=7)

    assert [name.rpartition("}")[2] for name in maker.roots()] == [
        "AmendAppeal", "Answer", "Receipt", "Refusal", "Status", "SubmitAnswer", "SubmitAppeal",
        "SubmitStatus", "WithdrawAppeal",
    ]  # fmt: skip
    for case in sorted((ROOT / "tests/contract/smev").glob("i*/wire*")):
        path = case / "payload.xml" if case.is_dir() else case
        root = etree.parse(str(path)).getroot()
        if root.tag.startswith("{urn://appeals-gateway"):
            schemas.profile().assertValid(root)
