"""Pages of the cabinet: a little HTML, made so that nothing enters a page unescaped; pure.

Without Jinja: what is text is `str` and gets escaped, what is markup is `Markup` and is made here
alone. No script stands in a page, and the policy allows none.
"""

from __future__ import annotations

from html import escape
from typing import Final

SAFE: Final = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
"""With `no-referrer` a browser would send `Origin: null` with our own forms."""


class Markup(str):
    """Markup that was made here."""

    __slots__ = ()


Content = str | Markup | None


def tag(kind: str, /, *content: Content, **attributes: str) -> Markup:
    """Return an element. attributes: `class_` and `for_` end in a line; an empty value is bare."""
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
    )
    inner = join(*content)
    return Markup(f"<{kind}{told}>{inner}</{kind}>")


def void(kind: str, /, **attributes: str) -> Markup:
    """Return an element that has no content."""
    return Markup(tag(kind, **attributes).removesuffix(f"</{kind}>"))


def join(*content: Content) -> Markup:
    """Return pieces one after another; plain text is escaped, None is nothing."""
    return Markup(
        "".join(
            piece if isinstance(piece, Markup) else escape(piece)
            for piece in content
            if piece is not None
        )
    )


def both(russian: str, english: str) -> Markup:
    """Return words in Russian with English beside."""
    return join(russian, " ", tag("span", english, class_="en", lang="en"))


def link(where: str, *content: Content, **attributes: str) -> Markup:
    """Return a link to a path of ours."""
    return tag("a", *content, href=where, **attributes)


def field(name: str, label: Content, *, value: str = "", **attributes: str) -> Markup:
    """Return an input with its label."""
    typed = attributes.pop("type", "text")
    shown = {"value": value} if value else {}
    made = void("input", id=name, name=name, type=typed, **shown, **attributes)
    return join(tag("label", label, for_=name), made)


def area(name: str, label: Content, *, value: str = "", **attributes: str) -> Markup:
    """Return a field of several lines with its label; the first line break is not HTML's."""
    made = tag("textarea", Markup("\n"), value, id=name, name=name, **attributes)
    return join(tag("label", label, for_=name), made)


def form(where: str, token: str, *content: Content, **attributes: str) -> Markup:
    """Return a form of this browser."""
    hidden = void("input", type="hidden", name="token", value=token)
    return tag("form", hidden, *content, method="post", action=where, **attributes)


def button(*content: Content, **attributes: str) -> Markup:
    """Return what sends a form."""
    return tag("button", *content, type="submit", **attributes)


def table(heads: tuple[Content, ...], rows: list[tuple[Content, ...]]) -> Markup:
    """Return a table."""
    head = tag("tr", *(tag("th", one, scope="col") for one in heads))
    body = [tag("tr", *(tag("td", cell) for cell in row)) for row in rows]
    return tag("table", tag("thead", head), tag("tbody", *body))


def facts(*pairs: tuple[Content, Content]) -> Markup:
    """Return names with their values; those without a value are left out."""
    told = [join(tag("dt", name), tag("dd", value)) for name, value in pairs if value]
    return tag("dl", *told)


def page(title: str, *content: Content, menu: Content = None) -> bytes:
    """Return a whole page. title: plain text, Russian first."""
    head = join(
        void("meta", charset="utf-8"),
        void("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        void("link", rel="icon", href="/static/icon.svg", type="image/svg+xml"),
        void("link", rel="stylesheet", href="/my/cabinet.css"),
    )
    body = tag(
        "body",
        link("#main", both("К содержанию", "Skip to content"), class_="skip"),
        tag("header", tag("div", tag("strong", both("Обращения", "Appeals")), menu)),
        tag("main", *content, id="main"),
    )
    whole = tag("html", tag("head", head), body, lang="ru")
    return f"<!doctype html>\n{whole}\n".encode("utf-8", "replace")
