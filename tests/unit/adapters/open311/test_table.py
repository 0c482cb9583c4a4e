"""The table of services and the options: what is wrong with them stops the start."""

import pytest

from adapters.open311 import catalogue, services
from gateway import registry
from gateway.errors import ConfigurationError
from gateway.model.question import AssignedBy

SERVICE = '[[service]]\nservice_code = "a"\nservice_name = "А"\n'


def test_the_manifest_agrees_with_the_code():
    adapter = registry.load(["open311"])["open311"]
    assert adapter.manifest.kinds == ("codec", "server")
    assert adapter.make(adapter.manifest.options).prefix == "/open311/v2/"
    assert adapter.manifest.disclosure == "problem_only"
    assert adapter.manifest.options["reading"] is False


def test_the_example_has_each_type_of_service_and_each_kind_of_attribute(codec):
    assert {s.type for s in codec.services.values()} == {"realtime", "batch", "blackbox"}
    kinds = {a.datatype for s in codec.services.values() for a in s.attribute}
    assert kinds == {"string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"}


def test_another_table_stands_in_for_the_example(make, tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(SERVICE + 'topics = ["sstu:0003.0009.0097.0689"]\n', "utf-8")
    [service] = make(tables=str(path)).services.values()
    own, added = service.codes
    assert (own.code.system, own.code.value) == ("open311.service", "a")
    assert (added.code.system, added.code.value) == ("sstu", "0003.0009.0097.0689")
    assert added.assigned_by is AssignedBy.RULE


@pytest.mark.parametrize(
    "text",
    [
        "service = 1",
        "[[service]]\nservice_code = 'a'",
        SERVICE + SERVICE,
        SERVICE + 'type = "soon"',
        SERVICE + 'regime = "fz95"',
        SERVICE + 'topics = ["0003"]',
        SERVICE + 'colour = "red"',
        SERVICE.replace('"a"', '"a/b"'),
        SERVICE + '[[service.attribute]]\ncode = "x"\ndatatype = "date"',
        SERVICE + '[[service.attribute]]\ncode = "x"\ndatatype = "singlevaluelist"',
        SERVICE + '[[service.attribute]]\ncode = "x"\nvalues = [["a", "b"]]',
        SERVICE + '[[service.attribute]]\ncode = "x"\n[[service.attribute]]\ncode = "x"',
        "not = toml = at all",
    ],
)
def test_a_mistake_in_the_table_is_named_with_its_file(make, tmp_path, text):
    path = tmp_path / "wrong.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigurationError) as caught:
        make(tables=str(path))
    assert str(path) in caught.value.where


def test_a_table_that_is_not_there_is_named(make):
    with pytest.raises(ConfigurationError, match="nowhere"):
        make(tables="nowhere.toml")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("read_days", 0), ("read_days", 91), ("read_most", 1001), ("media_most", 0),
        ("zone", "Moscow"), ("regime", "fz95"), ("format", "csv"), ("jurisdictions", [1]),
        ("media_hosts", "photos.example.org"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_named(make, name, value):
    with pytest.raises(ConfigurationError) as caught:
        make(**{name: value})
    assert name in f"{caught.value.where} {caught.value.found}"


def test_a_service_without_questions_says_so(codec):
    listed = {s["service_code"]: s for s in catalogue.listed(codec.services)}
    assert listed["suggestion"]["metadata"] is False
    assert catalogue.definition(codec.services, "suggestion")["attributes"] == []


def test_every_service_of_a_table_is_read(codec):
    assert services.read({}).keys() == codec.services.keys()
