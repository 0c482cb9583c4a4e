"""A card as places and values, and back, whatever its elements are called."""

from lxml import etree

from adapters.sed import tree
from adapters.sed.adapter import Sed
from adapters.sed.folder import as_wire
from gateway.testing.leaves import leaves
from tests.unit.adapters.sed.exchange import CASES

CARD = """<?xml version="1.0" encoding="utf-8"?>
<x:communication xmlns:x="http://www.infpres.com/IEDMS" xmlns:o="urn:other" x:version="2.6">
 <x:header x:type="Документ" x:uid="22222222-2222-4222-8222-222222222222"
  x:created="2026-03-02T10:15:00">
  <x:source x:uid="11111111-1111-4111-8111-111111111111"><x:organization>Ұйым</x:organization>
  </x:source></x:header>
 <x:document x:uid="66666666-6666-4666-8666-666666666666" x:ескерту="қ">
  <x:num><x:number>1</x:number><x:date>2026-03-02</x:date></x:num>
  <x:Қосымша>бір</x:Қосымша><o:λόγος o:ἀριθμός="1">два</o:λόγος>
 </x:document>
</x:communication>
"""


def test_names_that_windows_1251_lacks_come_back():
    (item,) = Sed({}).decode(as_wire("m", CARD.encode())).items
    again = Sed({}).restore(item)

    assert leaves(again.body, "xml") == leaves(CARD.encode(), "xml")


def test_a_document_with_such_names_is_written_in_utf_8():
    body = tree.write({"document/Қосымша": "бір"})

    assert etree.fromstring(body)[0][0].text == "бір"
    assert body.startswith(b'<?xml version="1.0" encoding="utf-8"?>')


def test_texts_and_namespaces_alone_leave_the_encoding_as_it_was_asked_for():
    body = tree.write({"document/annotation": "Ұйым λ"})

    assert b'encoding="windows-1251"' in body
    assert etree.fromstring(body)[0][0].text == "Ұйым λ"


def test_every_card_of_the_cases_is_written_in_its_encoding_and_comes_back():
    for path in sorted(CASES.glob("m26-*/wire.xml")):
        root, note = tree.parse(path.read_bytes())
        card = tree.card(root, note)
        body = tree.write(card.values, root=card.root, namespace=card.namespace, plain=card.plain)
        assert tree.card(tree.parse(body)[0]).values == card.values
