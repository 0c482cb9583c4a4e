"""The page of a simulator: what it refuses, on whose word, and what it has received."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROWS: Final = 200
"""The newest that are shown."""
_CELL_CHARS: Final = 400
_STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 72rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.5rem; font-weight: 600; } h2 { font-size: 1.1rem; font-weight: 600; }
.note { border-left: 4px solid #b58900; padding: .25rem 1rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top;
  padding: .3rem .75rem .3rem 0; border-bottom: 1px solid #ddd; overflow-wrap: anywhere; }
th { font-weight: 600; } .scroll { overflow-x: auto; } footer { color: #555; margin: 2rem 0; }
@media (prefers-color-scheme: dark) { body { background: #1b1b1b; color: #ddd; }
  th, td { border-color: #444; } footer { color: #aaa; } }
@media print { body { margin: 0; max-width: none; } }
"""


def page(
    name: str, sourced: Sequence[str], ours: Sequence[str], rows: Iterable[dict[str, Any]]
) -> bytes:
    """Return the page in UTF-8. rows: what was received, newest first; keys are the columns."""
    shown = list(rows)[:ROWS]
    columns = list(dict.fromkeys(key for row in shown for key in row))
    head = "".join(f"<th scope='col'>{escape(column)}</th>" for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{_cell(row.get(column))}</td>" for column in columns) + "</tr>"
        for row in shown
    )
    table = (
        f"<div class='scroll'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        "</div>"
        if shown
        else "<p>Пока ничего · Nothing yet</p>"
    )
    return f"""<!doctype html>
<html lang="ru"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(name)}: имитатор · simulator</title><style>{_STYLE}</style></head><body>
<h1>{escape(name)}</h1>
<p class="note">Имитатор, не настоящая система. Все люди и обращения выдуманы.<br>
A simulator, not the real system. All people and appeals are made up.</p>
<main><h2>Получено · Received</h2>{table}
<h2>Отказы по источникам · Refusals that are sourced</h2>{_list(sourced)}
<h2>Отказы, придуманные нами · Refusals of our own</h2>{_list(ours)}</main>
<footer>Сбои и команды · Failures and commands: <code>POST /_control</code></footer>
</body></html>
""".encode()


def _list(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return escape(text if len(text) <= _CELL_CHARS else text[:_CELL_CHARS] + "…")
