"""A setting that does not fit is told by the name under which it was given."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import ConfigurationError
from gateway.settings import FileInbox, load


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("GATEWAY_PORT", "abc"),
        ("GATEWAY_TRUSTED_WIRE", "perhaps"),
        ("GATEWAY_PROXY_HEADERS", "via"),
        ("GATEWAY_KEEP_FINDINGS_DAYS", "-1"),
        ("GATEWAY_INBOXES", "[{"),
        ("GATEWAY_INBOXES", '[{"path": "in"}]'),
    ],
)
def test_a_variable_that_does_not_fit_is_named_and_not_the_file(variable, text, tmp_path):
    (tmp_path / "gateway.toml").write_text("port = 1\n")

    with pytest.raises(ConfigurationError) as caught:
        load({"GATEWAY_CONFIG": str(tmp_path / "gateway.toml"), variable: text})

    assert caught.value.where == variable
    assert caught.value.found == text
    assert "gateway.toml" not in str(caught.value)


def test_a_key_of_the_file_that_does_not_fit_names_the_file(tmp_path):
    (tmp_path / "ours.toml").write_text('port = "abc"\n')

    with pytest.raises(ConfigurationError, match=r"ours\.toml"):
        load({}, tmp_path / "ours.toml")


def test_a_file_of_a_secret_that_is_not_there_names_the_variable():
    with pytest.raises(ConfigurationError) as caught:
        load({"GATEWAY_DATABASE_URL_FILE": "/nonesuch"})

    assert caught.value.where == "GATEWAY_DATABASE_URL_FILE"


def test_what_fits_is_taken_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    found = load(
        {
            "GATEWAY_PORT": "0",
            "GATEWAY_TRUSTED_WIRE": "true",
            "GATEWAY_DATA_DIR": "var/x",
            "GATEWAY_ALLOWED_HOSTS": "a.example, b.example",
            "GATEWAY_INBOXES": '[{"path": "in", "peer": "sed", "settle_seconds": 1}]',
        }
    )

    assert (found.port, found.trusted_wire, found.data_dir) == (0, True, Path("var/x"))
    assert found.allowed_hosts == ("a.example", "b.example")
    assert found.inboxes == (FileInbox(path=Path("in"), peer="sed", settle_seconds=1.0),)
