import pytest

from adapters.regional.sadko.adapter import Options, Sadko
from adapters.regional.sadko.codes import tables
from gateway import registry
from gateway.adapter import Channel, Codec, Source
from gateway.errors import ConfigurationError

MANIFEST = registry.read_manifest("adapters.regional.sadko")


def test_the_manifest_and_the_code_agree():
    loaded = registry.load(["sadko"])["sadko"]
    made = loaded.make(loaded.manifest.options)
    assert isinstance(made, Codec)
    assert isinstance(made, Channel)
    assert isinstance(made, Source)


def test_every_event_that_is_sent_has_a_status_in_the_table():
    assert set(MANIFEST.sends_on) == set(tables().statuses)


@pytest.mark.parametrize(
    "table", [{"zone": "Mars/Base"}, {"batch": 0}, {"overlap": -1}, {"overlap": "x"}]
)
def test_an_option_that_cannot_work_is_named(table):
    with pytest.raises(ConfigurationError) as caught:
        Options.of(table)
    assert caught.value.where.startswith("options.")


def test_a_table_of_the_site_stands_in_place_of_ours_and_a_wrong_one_is_named(tmp_path):
    own = tmp_path / "codes.toml"
    own.write_text('[forms]\n5 = "oral"\n[results]\n[measures]\ntaken = 1\n[statuses]\n')
    assert tables(str(own)).forms == {"5": "oral"}
    for text in ('[forms]\nx = "oral"\n', "nothing", '[forms]\n5 = "sung"\n'):
        wrong = tmp_path / "wrong.toml"
        wrong.write_text(text)
        with pytest.raises(ConfigurationError) as caught:
            Sadko({"tables": str(wrong)})
        assert caught.value.where == "options.tables"
        wrong.unlink()
        tables.cache_clear()


def test_without_an_address_files_still_work_and_sending_is_refused():
    codec = Sadko({})
    with pytest.raises(ConfigurationError):
        codec.deliver(None, "")
    with pytest.raises(ConfigurationError):
        codec.receive("")
    assert not codec.probe().ok
