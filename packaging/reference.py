"""Write the reference pages that are made from the code: settings.md and adapters.md.

`make docs` writes them; tests/unit/test_repository.py fails when a page is not what the code says.
Reads the source and imports nothing of it, so that it runs before anything is installed.
"""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SETTINGS_PAGE = ROOT / "docs" / "reference" / "settings.md"

ADAPTERS_PAGE = ROOT / "docs" / "reference" / "adapters.md"

ADAPTERS_HEAD = """\
# Adapters

Made from the manifests in `adapters/` by `make docs`; change them there.

Stage 1 sends, 2 also fetches, 3 also reconciles. A grade is our own word: A, held against a real
system of its kind or the whole text of its standard; B, after published clients, schemas or parts
of a standard; C, a profile of our own that no public source confirms. None of them was connected to
a real government system. `make conformance` counts what their golden cases map, keep and lose.

| adapter | what it speaks with | stage | grade | discloses | conformity |
|---|---|---|---|---|---|
"""

SETTINGS_HEAD = """\
# Settings

Made from `gateway/settings.py` by `make docs`; change it there.

Defaults come first, then `gateway.toml` (its path in `GATEWAY_CONFIG`, otherwise in the current
directory), then the environment: `GATEWAY_PUBLIC_URL` sets `public_url`. Unknown keys are refused
in both places. `GATEWAY_<NAME>_FILE` names a file that holds the value, for secrets.
"""


def _fields(cls: ast.ClassDef) -> list[tuple[str, str, str, str]]:
    """Name, type, default and the string below each annotated field of a struct."""
    found = []
    for field, after in zip(cls.body, [*cls.body[1:], ast.Pass()], strict=True):
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        text = ""
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            text = " ".join(str(after.value.value).split())
        default = ast.unparse(field.value) if field.value else "required"
        found.append((field.target.id, ast.unparse(field.annotation), default, text))
    return found


def settings_page() -> str:
    """The page of settings: a table for `Settings`, then one for each struct it is made of."""
    source = (ROOT / "gateway" / "settings.py").read_text("utf-8")
    classes = [
        node for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and _fields(node)
    ]
    classes.sort(key=lambda cls: cls.name != "Settings")
    lines = [SETTINGS_HEAD]
    for cls in classes:
        summary = (ast.get_docstring(cls) or "").splitlines()[0]
        title = "Every setting" if cls.name == "Settings" else f"Inside: `{cls.name}`"
        lines += [f"## {title}\n", f"{summary}\n"]
        lines += ["| Name | Type | Default | Meaning |", "|---|---|---|---|"]
        for name, kind, default, text in _fields(cls):
            cells = (f"`{name}`", f"`{kind}`", f"`{default}`", text)
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        lines.append("")
    return "\n".join(lines)


def adapters_page() -> str:
    """The page of adapters: a row for each manifest, then what each reads and raises."""
    manifests = sorted(
        (tomllib.loads(path.read_text("utf-8")) for path in ROOT.glob("adapters/**/manifest.toml")),
        key=lambda manifest: manifest["name"],
    )
    rows = [
        f"| `{m['name']}` | {m['title']} | {m['stage']} | {m['grade']} | `{m['disclosure']}` |"
        f" {m['conformity']} |"
        for m in manifests
    ]
    lines = [ADAPTERS_HEAD + "\n".join(rows), ""]
    for m in manifests:
        lines += [f"## {m['name']}", "", f"Kinds: {', '.join(m['kinds'])}.", ""]
        lines += [f"Media types: {', '.join(f'`{t}`' for t in m['media_types']) or 'none'}.", ""]
        told = ", ".join(f"`{e}`" for e in m["events"]) or "nothing"
        lines += [f"Its peer may tell: {told}.", ""]
        sent = ", ".join(f"`{e}`" for e in m["sends_on"]) or "nothing"
        lines += [f"It sends on: {sent}.", ""]
        names = ", ".join(f"`{name}`" for name in m.get("options", {})) or "none"
        lines += [f"Options of its row: {names}.", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    SETTINGS_PAGE.parent.mkdir(parents=True, exist_ok=True)
    SETTINGS_PAGE.write_text(settings_page(), encoding="utf-8")
    ADAPTERS_PAGE.write_text(adapters_page(), encoding="utf-8")
    for page in (SETTINGS_PAGE, ADAPTERS_PAGE):
        print(f"wrote {page.relative_to(ROOT)}")
