"""Version 1 of the contract only grows: by optional elements at the end, for whoever has the old.

Today's schema and description are held against those that clients were generated from. What a type
may gain is an element that may be absent, at its end; a type of requests may also take more than it
took. Everything else breaks somebody's proxy.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from gateway import contracts, ns

RELEASED = Path(__file__).parents[1] / "data/released"
XS = f"{{{ns.XSD}}}"
WSDL = f"{{{ns.WSDL}}}"
PART = ("name", "type", "ref", "minOccurs", "maxOccurs", "nillable", "default", "fixed", "form")
LOOSER = {  # facet → how today's value may differ from the released one
    "maxLength": lambda old, new: int(new) >= int(old),
    "minLength": lambda old, new: int(new) <= int(old),
    "maxInclusive": lambda old, new: float(new) >= float(old),
    "minInclusive": lambda old, new: float(new) <= float(old),
}


def told(element):
    return {name: element.get(name) for name in PART if element.get(name) is not None}


def elements_of(kind):
    return kind.findall(f"{XS}sequence/{XS}element")


def breaks_in_type(name, old, new):
    """What in a complex type no old client could live with."""
    found = [f"{name}: {node.tag} is not for 1С" for node in new if node.tag not in
             (f"{XS}annotation", f"{XS}sequence")]  # fmt: skip
    was, now = elements_of(old), elements_of(new)
    for index, element in enumerate(was):
        if index >= len(now) or told(element) != told(now[index]):
            found.append(f"{name}/{element.get('name')}: gone, moved or changed")
    found += [
        f"{name}/{element.get('name')}: new and mandatory"
        for element in now[len(was) :]
        if element.get("minOccurs") != "0"
    ]
    return found


def facets(kind):
    return [
        (etree.QName(facet).localname, facet.get("value"))
        for facet in kind.find(f"{XS}restriction")
        if facet.tag != f"{XS}annotation"
    ]


def breaks_in_words(name, old, new):
    """What in a simple type refuses something that was taken."""
    if told(old) != told(new) or old.find(f"{XS}restriction").get("base") != new.find(
        f"{XS}restriction"
    ).get("base"):
        return [f"{name}: another type"]
    was, now = facets(old), facets(new)
    words = {"enumeration", "pattern"}
    found = [f"{name}: {kind} {value} is gone" for kind, value in was
             if kind in words and (kind, value) not in now]  # fmt: skip
    given = dict(item for item in was if item[0] not in words)
    for kind, value in now:
        if kind == "enumeration" and "enumeration" in dict(was):
            continue
        if kind in words and (kind, value) in was:
            continue
        looser = LOOSER.get(kind, str.__eq__)
        if kind not in given or not looser(given[kind], value):
            found.append(f"{name}: {kind} {value} is stricter")
    return found


def breaks_in_schema(old, new):
    found = []
    now = {(child.tag, child.get("name")): child for child in new if child.get("name")}
    for child in old:
        name = child.get("name")
        if not name:
            continue
        other = now.get((child.tag, name))
        if other is None:
            found.append(f"{name}: gone")
        elif child.tag == f"{XS}complexType":
            found += breaks_in_type(name, child, other)
        elif child.tag == f"{XS}simpleType":
            found += breaks_in_words(name, child, other)
        elif told(child) != told(other):
            found.append(f"{name}: another element")
    return found


def surface(wsdl):
    """What a generated proxy depends on in a description: names, messages, actions, ports."""
    found = set()
    for message in wsdl.findall(f"{WSDL}message"):
        for part in message:
            found.add(("message", message.get("name"), part.get("name"), part.get("element")))
    for operation in wsdl.iter(f"{WSDL}operation"):
        owner = operation.getparent()
        place = (etree.QName(owner).localname, owner.get("name"), operation.get("name"))
        found.add(place)
        for child in operation:
            if child.tag == f"{WSDL}documentation":
                continue
            space, local = etree.QName(child).namespace, etree.QName(child).localname
            said = tuple(sorted(child.attrib.items()))
            found.add((*place, space, local, said))
    for port in wsdl.iter(f"{WSDL}port"):
        found.add(("port", port.get("name"), port.get("binding"), port[0].tag))
    return found


def read(folder, kind):
    (path,) = Path(folder).glob(f"*.{kind}")
    return etree.parse(path).getroot()


def test_what_clients_were_generated_from_still_holds():
    old = read(RELEASED, "xsd")
    new = read(contracts.folder("xsd", "appeals"), "xsd")
    assert breaks_in_schema(old, new) == []
    gone = surface(read(RELEASED, "wsdl")) - surface(
        read(contracts.folder("wsdl", "appeals"), "wsdl")
    )
    assert gone == set()


def test_a_document_of_an_old_client_is_valid_today():
    sample = (RELEASED.parent / "submit_appeal_2k.xml").read_bytes()
    (body,) = etree.fromstring(sample).iter(ns.tag(ns.SOAP11, "Body"))
    contracts.appeals().validate(body[0])


CHANGES = {
    "an element is gone": ("remove", "AppealIn", "Text"),
    "an element became mandatory": ("mandatory", "AppealIn", "Text"),
    "an element came in between": ("insert", "AppealIn", "Text"),
    "a mandatory element came at the end": ("append", "AppealIn", "1"),
    "an attribute came": ("attribute", "AppealIn", ""),
    "a word is gone": ("word", "QuestionState", ""),
    "a text may be shorter only": ("shorter", "Subject", ""),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_that_breaks_somebody_is_found(change):
    what, name, inner = CHANGES[change]
    old, new = read(RELEASED, "xsd"), read(RELEASED, "xsd")
    kinds = {child.get("name"): child for child in new if child.get("name")}
    if what == "word":
        kind = next(
            k for k in new.iter(f"{XS}simpleType") if k.find(f".//{XS}enumeration") is not None
        )
        word = kind.find(f".//{XS}enumeration")
        word.getparent().remove(word)
    elif what == "shorter":
        kinds[name].find(f".//{XS}maxLength").set("value", "5")
    elif what == "attribute":
        etree.SubElement(kinds[name], f"{XS}attribute", name="x", type="xs:string")
    else:
        sequence = kinds[name].find(f"{XS}sequence")
        element = next((e for e in sequence if e.get("name") == inner), None)
        if what == "remove":
            sequence.remove(element)
        elif what == "mandatory":
            element.set("minOccurs", "1")
        else:
            added = etree.Element(f"{XS}element", name="New", type="tns:Text", minOccurs="0")
            if what == "insert":
                element.addprevious(added)
            else:
                added.set("minOccurs", inner)
                sequence.append(added)
    assert breaks_in_schema(old, new)


def test_an_optional_element_at_the_end_breaks_nobody():
    old, new = read(RELEASED, "xsd"), read(RELEASED, "xsd")
    kind = next(k for k in new.iter(f"{XS}complexType") if k.get("name") == "AppealIn")
    sequence = kind.find(f"{XS}sequence")
    etree.SubElement(sequence, f"{XS}element", name="New", type="tns:Text", minOccurs="0")
    assert breaks_in_schema(old, new) == []


def test_the_schema_is_one_that_1c_reads():
    """No choice, no anonymous types, no attributes; nothing imported."""
    schema = read(contracts.folder("xsd", "appeals"), "xsd")
    for name in ("choice", "attribute", "anyAttribute", "import", "include", "redefine", "union"):
        assert schema.find(f".//{XS}{name}") is None, name
    for element in schema.iter(f"{XS}element"):
        assert element.get("type"), f"{element.get('name')} has a type without a name"
