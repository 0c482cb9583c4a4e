"""Nothing enters a page unescaped, and every state has words."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cabinet import html as h
from gateway.cabinet.words import STATES, state
from gateway.model.events import State


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def read(markup):
    reader = Reader()
    reader.feed(markup)
    reader.close()
    return reader


@given(st.text())
def test_text_stays_text(text):
    reader = read(h.tag("p", text, title=text))
    assert [tag for tag, _ in reader.tags] == ["p"]
    assert reader.text == text.replace("\r\n", "\n").replace("\r", "\n") or reader.text == text


@pytest.mark.parametrize("hostile", ['"><script>x</script>', "'><img src=x>", "</textarea><b>"])
def test_a_field_shows_what_was_written_as_text(hostile):
    for made in (h.field("a", "A", value=hostile), h.area("a", "A", value=hostile)):
        assert {tag for tag, _ in read(made).tags} <= {"label", "input", "textarea"}


def test_a_page_has_no_script_and_no_style_of_its_own():
    page = h.page("Тест", h.tag("h1", "<b>")).decode()
    assert "<script" not in page
    assert "style=" not in page
    assert 'lang="ru"' in page
    assert "&lt;b&gt;" in page


def test_every_state_has_words_in_both_languages():
    assert set(STATES) == set(State)
    assert state("unheard-of") == ("unheard-of", "unheard-of")
