"""A document without a PDF, of which no container can be made, is told by МЭДО 2.6, or refused."""

import pytest
from lxml import etree
from msgspec.structs import replace

from adapters.sed.adapter import Sed
from adapters.sed.folder import unpack
from gateway.errors import ConfigurationError, ValidationError
from gateway.testing.cases import Case, appeal_of, context_of, event_of
from simulators.sed import rules
from tests.unit.adapters.sed.exchange import CASES

WITHOUT = Case("sed", CASES / "m26-out-instead-of-container")
WITH = Case("sed", CASES / "m26-out-received")


def encoded(case, **options):
    options = {**case.read("options.json"), **options}
    context = context_of(case, options)
    return unpack(Sed(options).encode(appeal_of(case), event_of(case), context)).files


@pytest.mark.parametrize("profile", ["2.7", "2.7.1"])
def test_an_appeal_without_a_pdf_goes_by_26_whole(profile):
    files = encoded(WITHOUT, profile=profile)
    assert rules.refusals(files) == []
    assert "appeal.txt" in files
    card = etree.fromstring(files["document.xml"])
    assert card.get("{http://www.infpres.com/IEDMS}version") == "2.6"


@pytest.mark.parametrize("profile", ["2.7", "2.7.1"])
def test_an_appeal_with_a_pdf_goes_in_a_container(profile):
    assert "document.edc.zip" in encoded(WITH, profile=profile)


def test_whoever_wants_containers_alone_is_refused_it():
    with pytest.raises(ValidationError) as caught:
        encoded(WITHOUT, profile="2.7", without_pdf="refuse")
    assert [v.path for v in caught.value.violations] == ["container/document/@localName"]


def test_a_pdf_whose_bytes_are_gone_is_no_reason_to_send_less():
    options = {**WITH.read("options.json"), "profile": "2.7"}
    context = context_of(WITH, options)
    bare = replace(context, files={})
    with pytest.raises(ValidationError) as caught:
        Sed(options).encode(appeal_of(WITH), event_of(WITH), bare)
    assert "missing_file" in {v.code for v in caught.value.violations}


def test_an_answer_in_words_alone_goes_by_26_too():
    case = Case("sed", CASES / "m26-out-answer")
    options = {**(case.read("options.json") or {}), "profile": "2.7"}
    context = context_of(case, options)
    appeal = appeal_of(case)
    letters = tuple(replace(one, attachments=()) for one in appeal.answers)
    appeal = replace(appeal, answers=letters)
    files = unpack(Sed(options).encode(appeal, event_of(case), context)).files
    assert rules.refusals(files) == []
    assert "answer.txt" in files


def test_there_is_no_third_way():
    with pytest.raises(ConfigurationError) as caught:
        Sed({"without_pdf": "2.5"})
    assert caught.value.where == "options.without_pdf"
