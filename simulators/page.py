"""The page of a simulator: what it has received, what it refused and why, and on whose word.

One page for all of them. A text of the page's own is "Russian · English"; what a peer sent is shown
as it came, escaped and cut.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from simulators.words import FAULTS, HEADINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

ROWS: Final = 200
"""The newest that are shown."""
CELL_CHARS: Final = 400
"""Of one value; the rest is cut."""
POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""A browser runs nothing on this page and fetches nothing for it."""
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)")
_LONG_WORD: Final = re.compile(r"[^\s-]{20}")
_WORD: Final = 20
_TEXT: Final = 60
_STYLE: Final = """
:root { color-scheme: light dark; --faint: #595959; --line: #ddd; --mark: #b58900; }
@media (prefers-color-scheme: dark) { :root { --faint: #b0b0b0; --line: #444; } }
body { font: 16px/1.5 "PT Sans", "Noto Sans", system-ui, sans-serif; color: #222; background: #fff;
  max-width: 72rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) { body { background: #1b1b1b; color: #ddd; }
  a { color: #8ab4f8; } }
h1 { font-size: 1.5rem; font-weight: 600; line-height: 1.25; }
h2 { font-size: 1.1rem; font-weight: 600; margin-top: 2rem; }
[lang=en] { color: var(--faint); } :is(h2, li, p, a) > [lang=en]::before { content: "· "; }
h1 [lang=en] { display: block; font-size: 1rem;
  font-weight: 400; }
.note { border-left: 4px solid var(--mark); padding: .25rem 1rem; }
.note [lang=en], p.empty [lang=en] { display: block; }
:is(.note, .empty) > [lang=en]::before { content: none; }
.skip { position: absolute; left: -99rem; } .skip:focus { position: static; }
nav a { margin-right: 1.25rem; }
:focus-visible { outline: 3px solid #1a66b3; outline-offset: 2px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: var(--faint); padding-bottom: .3rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0;
  border-bottom: 1px solid var(--line); overflow-wrap: normal; unicode-bidi: isolate; }
th { font-weight: 600; } thead [lang=en] { display: block; font-weight: 400; font-size: .875em; }
.long { overflow-wrap: anywhere; min-width: 10rem; } .short { white-space: nowrap; }
code { font-size: .9em; } pre { white-space: pre-wrap; margin: .5rem 0; }
footer { color: var(--faint); margin: 2rem 0; }
@media screen and (max-width: 60rem) {
  table, caption, tbody, tr, th, td { display: block; }
  thead { position: absolute; left: -99rem; }
  tr { border-bottom: 1px solid var(--line); padding: .5rem 0; }
  th, td { border: 0; padding: .1rem 0; overflow-wrap: anywhere; }
  .long, .short { min-width: 0; white-space: normal; }
  td:empty { display: none; }
  td::before { content: attr(data-name) ": "; color: var(--faint); }
}
@page { margin: 15mm; }
@media print { body { margin: 0; max-width: none; font-size: 10pt; color: #000; background: #fff; }
  [lang=en], caption, footer { color: #333; } nav, .skip { display: none; }
  .scroll { overflow: visible; } table { font-size: 8.5pt; } th, td { padding-right: .4rem; }
  .long { min-width: 0; } .short { white-space: normal; } thead { display: table-header-group; }
  tr { break-inside: avoid; } h2 { break-after: avoid; } }
"""


class Face(NamedTuple):
    """What the page of one simulator says.

    title, empty, heading, and each of sourced and ours: "Russian · English". rows: what was
    received, newest first; keys are the columns. empty: when something will stand here. emit: the
    command that makes it come, for `POST /_control`. by_source: how reasons begin that follow from
    the rules that are sourced; without it every refusal is our own.
    """

    title: str
    sourced: Sequence[str]
    ours: Sequence[str]
    rows: Callable[[], Iterable[dict[str, Any]]]
    empty: str
    emit: str = ""
    heading: str = "Получено · Received"
    by_source: re.Pattern[str] | None = None


def page(face: Face, refused: Iterable[dict[str, Any]] = (), address: str = "") -> bytes:
    """Return the page in UTF-8. refused: newest first; address: where commands are sent."""
    control = f"{address}/_control"
    fault = '{"fault": {"kind": "hang_after", "times": 3}}'
    name, _, english = face.title.partition(" · ")
    empty = f"<p class='empty'>{_both(face.empty)}</p>"
    if face.emit:
        empty += f"<pre><code>curl -d '{escape(face.emit)}' {escape(control)}</code></pre>"
    calm = f"<p>{_both('Пока ни одного отказа и сбоя · No refusal and no failure yet')}</p>"
    heading = face.heading.partition(" · ")[0]
    received = _table(heading, face.rows(), empty)
    troubles = _table("Отказано и сбои", (_trouble(row, face.by_source) for row in refused), calm)
    return f"""<!doctype html>
<html lang="ru"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(name)}: имитатор · simulator</title><link rel="icon" href="data:,">
<style>{_STYLE}</style></head><body>
<a class="skip" href="#received">{_both("К содержанию · Skip to the content")}</a>
<header><h1>{escape(name)} <span lang="en">{escape(english)}</span></h1>
<p class="note">Имитатор, не настоящая система. Все люди и обращения выдуманы.
<span lang="en">A simulator, not the real system. All people and appeals are made up.</span></p>
<nav aria-label="Разделы"><a href="#received">{escape(heading)}</a> <a href="#refused">Отказано</a>
<a href="#rules">Правила</a></nav></header>
<main><h2 id="received">{_both(face.heading)}</h2>{received}
<h2 id="refused">{_both("Отказано и сбои · Refused and failed")}</h2>{troubles}
<h2 id="rules">{_both("Правила по источникам · Rules that are sourced")}</h2>{_list(face.sourced)}
<h2>{_both("Правила, придуманные нами · Rules of our own")}</h2>{_list(face.ours)}</main>
<footer><p>{_both("Сбои и команды · Failures and commands")}:</p>
<pre><code>curl -d '{escape(fault)}' {escape(control)}</code></pre></footer>
</body></html>
""".encode("utf-8", "backslashreplace")


def _both(text: str) -> str:
    """Return a text of ours with its English part marked as English."""
    russian, _, english = text.partition(" · ")
    return escape(russian) + (f" <span lang='en'>{escape(english)}</span>" if english else "")


def _list(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{_both(line)}</li>" for line in lines) + "</ul>"


def _table(name: str, rows: Iterable[dict[str, Any]], empty: str) -> str:
    """Return a table of the newest rows; on a narrow screen each row is a block of its own.

    A column in which nothing stands is left out.
    """
    held = list(rows)
    if not held:
        return empty
    shown = [{name: _value(value) for name, value in row.items()} for row in held[:ROWS]]
    names = dict.fromkeys(name for row in shown for name in row)
    columns = [name for name in names if any(row.get(name) for row in shown)]
    head = "".join(f"<th scope='col' role='columnheader'>{_heading(c)}</th>" for c in columns)
    body = "".join(_row(row, columns) for row in shown)
    told = f"Всего · in all: {len(held)}"
    if len(held) > len(shown):
        told += f"; последние · the newest {len(shown)}"
    return (
        f"<div class='scroll' tabindex='0' role='region' aria-label='{escape(name)}'>"
        f"<table role='table'><caption>{told}</caption><thead role='rowgroup'>"
        f"<tr role='row'>{head}</tr></thead><tbody role='rowgroup'>{body}</tbody></table></div>"
    )


def _row(row: dict[str, str], columns: Sequence[str]) -> str:
    """Return a row; its first cell says whose row it is."""
    out = []
    for n, column in enumerate(columns):
        value = row.get(column, "")
        width = f" class='{_width(value)}'" if value else ""
        if n:
            name = escape(HEADINGS.get(column, column))
            out.append(f"<td role='cell' data-name='{name}'{width}>{escape(value)}</td>")
        else:
            out.append(f"<th scope='row' role='rowheader'{width}>{escape(value)}</th>")
    return f"<tr role='row'>{''.join(out)}</tr>"


def _width(value: str) -> str:
    """Return whether a value may be broken anywhere, nowhere or between words."""
    if len(value) > _TEXT or _LONG_WORD.search(value):
        return "long"
    return "short" if len(value) <= _WORD else "words"


def _heading(column: str) -> str:
    russian = HEADINGS.get(column)
    if russian is None:
        return escape(column)
    return f"{escape(russian)} <span lang='en'>{escape(column)}</span>"


def _trouble(row: dict[str, Any], by_source: re.Pattern[str] | None) -> dict[str, Any]:
    """Return what a journal's record says of a refusal or a failure, for a person."""
    fault = row.get("fault")
    planned = FAULTS.get(fault, fault) if fault else ""
    status = None if fault else row.get("status")  # what was planned to fail was not answered so
    told = {"at": row.get("at"), "key": row.get("key"), "what": row.get("what")}
    why: dict[bool, list[str]] = {True: [], False: []}
    for reason in map(str, row.get("why") or ()):
        why[by_source is not None and by_source.match(reason) is not None].append(reason)
    texts = {"sourced": "; ".join(why[True]), "ours": "; ".join(why[False])}
    return {**told, "status": status, **texts, "planned": planned}


def _value(value: Any) -> str:
    """Return a value as a person reads it."""
    if value is None or value in ([], {}):
        return ""
    if isinstance(value, bool):
        return "да\u00a0·\u00a0yes" if value else "нет\u00a0·\u00a0no"
    if isinstance(value, (list, tuple)):
        return _cut(", ".join(map(_value, value)))
    if not isinstance(value, str):
        return _cut(json.dumps(value, ensure_ascii=False))
    if _INSTANT.fullmatch(value):
        moment = datetime.fromisoformat(value)
        zone = moment.isoformat(timespec="seconds")[len("2026-01-01T00:00:00") :]
        return f"{moment:%d.%m.%Y %H:%M:%S} {zone}"
    return _cut(value)


def _cut(text: str) -> str:
    return text if len(text) <= CELL_CHARS else text[:CELL_CHARS] + "…"
