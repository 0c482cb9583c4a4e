"""The second room: accepted messages become facts (design §1).

`Triage` runs it, `write` puts plans down. `plan` decides, `build` collects what was decided, `told`
says what an appeal knows of its own fate, `questions` which questions a call means, `telling` who
hears of it.
"""

from gateway.triage.runner import Done, Triage, named, write

__all__ = ["Done", "Triage", "named", "write"]
