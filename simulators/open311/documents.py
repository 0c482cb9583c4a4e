"""Answers of a server as plain trees, read the app's own way: JSON, or XML without a schema."""

from __future__ import annotations

import json
from typing import Any, Final

from lxml import etree

_LISTS: Final = frozenset({"service_requests", "services", "attributes", "values", "errors"})


def read(body: bytes, form: str) -> Any:
    """Return a tree; raise ValueError for what is no document of this form."""
    if form == "json":
        return json.loads(body)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=True)
    try:
        return _tree(etree.fromstring(body, parser))
    except etree.XMLSyntaxError as error:
        raise ValueError(str(error)) from error


def _tree(element: Any) -> Any:
    if element.tag in _LISTS:
        return [_tree(child) for child in element]
    if len(element):
        return {child.tag: _tree(child) for child in element}
    return element.text
