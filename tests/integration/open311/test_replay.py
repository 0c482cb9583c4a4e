"""A form that was refused is kept, and replayed once what kept it out is mended."""

import json
import subprocess
import sys

from tests.integration.house import CHECKOUT


def test_a_form_of_a_service_that_was_missing_is_replayed(own_town, tmp_path):
    table = tmp_path / "services.toml"
    table.write_text('[[service]]\nservice_code = "a"\nservice_name = "А"\n', "utf-8")
    town = own_town("replay", tables=str(table))
    form = {"service_code": "street-light", "lat": "1", "long": "2", "description": "Темно"}
    refused = town.send_form(form, Idempotency_Key="replayed-1")
    assert refused.status == 404

    done = subprocess.run(
        [sys.executable, "-m", "gateway", "replay", "--stage", "undecodable", "--commit", "--json"],
        env={
            "PATH": "/usr/bin:/bin",
            "GATEWAY_DATABASE_URL": town.url,
            "GATEWAY_DATA_DIR": str(tmp_path),
            "GATEWAY_ADAPTERS": "open311",
        },
        cwd=CHECKOUT,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
    [(key, text)] = town.rows(
        "SELECT a.external_id, convert_from(c.bytes, 'UTF8')::json->>'text'"
        " FROM appeal a JOIN content c ON c.id = a.content_id"
    )
    assert (key, text) == ("replayed-1", "Темно")
