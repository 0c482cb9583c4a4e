"""Releases of the catalogue are read in every spelling that was seen, or refused with the place."""

import datetime as dt

import pytest

from adapters.fias import options
from adapters.fias.catalogue import Delivery, releases
from gateway import contracts, limits, registry
from gateway.errors import ConfigurationError, MalformedError, TooLargeError

MANIFEST = registry.read_manifest("adapters.fias")
DAY = dt.date(2026, 9, 8)
ONE = {
    "VersionId": 20260908, "TextVersion": "БД ФИАС от 08.09.2026",
    "FiasCompleteDbfUrl": "", "Kladr4ArjUrl": "https://fias-file.nalog.ru/k.arj",
    "Kladr47ZUrl": None,
    "GarXMLFullURL": "https://fias-file.nalog.ru/downloads/2026.09.08/gar_xml.zip",
    "GarXMLDeltaURL": "https://fias-file.nalog.ru/downloads/2026.09.08/gar_delta_xml.zip",
    "ExpDate": "2026-09-08T00:00:00", "Date": "08.09.2026",
}  # fmt: skip


def only(**more):
    return releases([{**ONE, **more}])[0]


def test_a_release_is_read_and_what_is_unknown_is_kept():
    assert only(More="и это") == Delivery(
        version_id=20260908,
        text_version="БД ФИАС от 08.09.2026",
        date=DAY,
        full_url=ONE["GarXMLFullURL"],
        delta_url=ONE["GarXMLDeltaURL"],
        others={"Kladr4ArjUrl": "https://fias-file.nalog.ru/k.arj", "More": "и это"},
    )


def test_names_may_be_in_any_case_and_numbers_may_be_text():
    camel = {name[0].lower() + name[1:]: value for name, value in ONE.items()}
    shouted = {name.upper(): value for name, value in ONE.items()}
    wanted = only()
    for spelled in (camel, shouted, {**camel, "versionId": "20260908"}):
        found = releases([spelled])[0]
        assert (found.version_id, found.date, found.full_url, found.delta_url) == (
            wanted.version_id, wanted.date, wanted.full_url, wanted.delta_url,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("date", "exp", "day"),
    [
        ("08.09.2026", "2020-01-01T00:00:00", DAY),
        ("08.09.2026 0:00:00", "", DAY),
        ("", "2026-09-08T00:00:00", DAY),
        ("", "/Date(1788814800000)/", DAY),
        ("", "/Date(1788814800000+0300)/", DAY),
        (None, None, DAY),
        ("31.02.2026", "когда-то", DAY),
        ("", "/Date(99999999999999)/", dt.date(5138, 11, 16)),
    ],
)
def test_a_day_is_read_in_each_form_and_otherwise_from_the_version(date, exp, day):
    assert only(Date=date, ExpDate=exp).date == day


def test_a_version_that_is_no_day_has_none():
    assert only(VersionId=645, Date="", ExpDate="").date is None


@pytest.mark.parametrize("version", [None, "", 0, -1, "вчера", 2**31, True, "²", 10**40])
def test_a_release_without_a_version_is_an_error_and_not_passed_over(version):
    with pytest.raises(MalformedError) as caught:
        releases([ONE, {**ONE, "VersionId": version}])
    assert caught.value.where == "/2/VersionId"


def test_a_release_that_is_said_twice_must_be_the_same():
    assert len(releases([ONE, dict(ONE)])) == 1
    with pytest.raises(MalformedError, match="twice"):
        releases([ONE, {**ONE, "GarXMLDeltaURL": ""}])


@pytest.mark.parametrize("item", [None, "20260908", 20260908, [ONE]])
def test_what_is_no_release_is_refused(item):
    with pytest.raises(MalformedError, match="no object"):
        releases([item])


def test_endless_catalogues_and_addresses_are_refused():
    with pytest.raises(TooLargeError):
        releases(dict(ONE) for _ in range(limits.FIAS_RELEASES + 1))
    with pytest.raises(TooLargeError):
        only(GarXMLFullURL="https://a/" + "x" * 3_000)


def test_both_descriptions_differ_in_the_slash_of_their_namespace_only():
    folder = contracts.folder("wsdl", "fias")
    bare = (folder / "DownloadService.wsdl").read_text("utf-8")
    slash = (folder / "DownloadService-slash.wsdl").read_text("utf-8")
    space = "http://fias.nalog.ru/WebServices/Public/DownloadService.asmx"
    assert slash != bare
    for name in ("targetNamespace", "xmlns:tns"):
        bare = bare.replace(f'{name}="{space}"', f'{name}="{space}/"')
    assert slash == bare


def test_the_manifest_has_the_options_that_are_read():
    found = options.read(MANIFEST.options)
    assert set(MANIFEST.options) == set(found.__struct_fields__)
    assert (found.kind, found.hours, found.full) == ("rest", (), False)


def test_regions_and_hours_may_be_numbers_or_text():
    found = options.read({**MANIFEST.options, "regions": ["05", 36, "36"], "hours": [3]})
    assert (found.regions, found.hours) == ((5, 36), (3,))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("regions", ["Воронежская"]), ("regions", [0]), ("regions", [100]), ("regions", "36,77"),
        ("hours", [24]), ("hours", [True]), ("hours", ["²"]), ("kind", "ftp"),
        ("full", "yes"), ("hosts", "fias-file.nalog.ru"), ("hosts", [1]), ("extras", ["garages"]),
    ],
)  # fmt: skip
def test_an_option_that_does_not_fit_is_named(name, value):
    with pytest.raises(ConfigurationError) as caught:
        options.read({**MANIFEST.options, name: value})
    assert name in caught.value.where


@pytest.mark.parametrize(
    "version", ["0" * 11 + "1" + "9" * 5000, "0" * 11 + "120260908", "٢", "-1"]
)
def test_a_number_that_only_begins_as_a_version_is_refused(version):
    with pytest.raises(MalformedError, match="no version"):
        releases([{"VersionId": version}])
