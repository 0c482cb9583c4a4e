"""The history of the schema as the program reads it is the one that Alembic runs."""

import subprocess
import sys

from alembic.script import ScriptDirectory

from gateway.store import schema


def test_head_and_known_revisions_are_those_of_alembic():
    script = ScriptDirectory(str(schema.MIGRATIONS))
    assert schema.head() == script.get_current_head()
    assert schema.known() == {"", *(r.revision for r in script.walk_revisions())}


def test_asking_for_the_revision_loads_no_migration_tools():
    code = (
        "import sys; from gateway.store import schema; schema.head(); "
        "sys.exit(any(m in sys.modules for m in ('alembic', 'sqlalchemy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
