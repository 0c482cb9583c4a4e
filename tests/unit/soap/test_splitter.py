"""A body arrives in pieces; what is not one SOAP envelope is refused before the first of them."""

import pytest

from gateway.errors import MalformedError, TooLargeError, UnsupportedError, ValidationError
from gateway.soap import mime
from gateway.soap.splitter import Splitter, media_type


@pytest.mark.parametrize("content_type", ["text/xml", 'Application/SOAP+XML; charset="utf-8"'])
def test_pieces_are_one_envelope(content_type):
    splitter = Splitter(content_type)
    for piece in (b"<a>", b"", b"x</a>"):
        assert splitter.feed(piece) == ()
    assert (splitter.root, splitter.packed, splitter.form) == (None, False, None)
    splitter.close()
    assert splitter.root == b"<a>x</a>"
    assert splitter.content_type == content_type


def test_an_empty_body_is_an_empty_root():
    splitter = Splitter("text/xml")
    splitter.close()
    assert splitter.root == b""


def test_the_limit_is_checked_piece_by_piece():
    splitter = Splitter("text/xml", root_limit=10)
    splitter.feed(b"x" * 10)
    with pytest.raises(TooLargeError):
        splitter.feed(b"x")


@pytest.mark.parametrize("content_type", ["", "application/json", "text/plain", "text/xmlx", ";"])
def test_what_is_not_soap_is_refused_at_once(content_type):
    with pytest.raises(UnsupportedError) as caught:
        Splitter(content_type)
    assert "text/xml" in caught.value.expected


XOP = (
    'multipart/related; type="application/xop+xml"; boundary=b; start="<r>"; start-info="text/xml"'
)
SWA = "Multipart/Related; boundary=b; type=text/xml; start=<r>"


def body(root_type, *parts, root_id="<r>"):
    made = f"--b\r\nContent-Type: {root_type}\r\nContent-ID: {root_id}\r\n\r\n<a/>".encode()
    for number, part in enumerate(parts):
        made += f"\r\n--b\r\nContent-ID: <p{number}>\r\n\r\n".encode() + part
    return made + b"\r\n--b--\r\n"


def split(content_type, data, step=0, **options):
    splitter = Splitter(content_type, **options)
    events = []
    for start in range(0, len(data), step or len(data)):
        events += splitter.feed(data[start : start + (step or len(data))])
    splitter.close()
    assert splitter.root == b"<a/>"
    return splitter, events


@pytest.mark.parametrize("step", [0, 1, 7])
def test_of_a_package_the_envelope_is_collected_and_the_rest_given_on(step):
    splitter, events = split(XOP, body('application/xop+xml; type="text/xml"', b"1", b"22"), step)
    assert (splitter.packed, splitter.form) == (True, "xop")
    assert [event.content_id for event in events if isinstance(event, mime.Head)] == ["p0", "p1"]
    assert b"".join(e.data for e in events if isinstance(e, mime.Data)) == b"122"


def test_the_envelope_is_there_as_soon_as_its_part_ends():
    data = body('application/xop+xml; type="text/xml"', b"x" * 100)
    splitter = Splitter(XOP)
    assert len(list(splitter.feed(data[:-90]))) > 1
    assert splitter.root == b"<a/>"


@pytest.mark.parametrize(
    ("package", "root", "form", "alone"),
    [
        (XOP, 'application/xop+xml; charset=UTF-8; type="text/xml"', "xop",
         'text/xml; charset="UTF-8"'),
        (XOP, "application/xop+xml", "xop", "text/xml"),
        (XOP.replace('start-info="text/xml"', ""), "application/xop+xml", "xop", "text/xml"),
        (XOP.replace("text/xml", "application/soap+xml"), 'application/xop+xml; type=""', "xop",
         "application/soap+xml"),
        (XOP.replace("text/xml", r"application/soap+xml; action=\"urn:a\""),
         'application/xop+xml; type="application/soap+xml"', "xop",
         'application/soap+xml; action="urn:a"'),
        (XOP.replace('start-info="text/xml"', 'action="urn:a"'),
         r'application/xop+xml; type="application/soap+xml; action=\"urn:a\""', "xop",
         'application/soap+xml; action="urn:a"'),
        (SWA, "text/xml; charset=windows-1251", "swa", 'text/xml; charset="windows-1251"'),
        ("multipart/related; boundary=b", "application/xop+xml", "xop", "text/xml"),
        ("multipart/related; boundary=b", "text/xml", "swa", "text/xml"),
    ],
)  # fmt: skip
def test_the_envelope_of_a_package_is_as_if_it_came_alone(package, root, form, alone):
    splitter, _ = split(package, body(root))
    assert (splitter.form, splitter.content_type) == (form, alone)


@pytest.mark.parametrize(
    ("package", "root"),
    [
        (XOP, "text/xml"),
        (XOP, 'application/xop+xml; type="application/soap+xml"'),
        (XOP.replace("text/xml", "image/png"), "application/xop+xml"),
        (SWA, "application/soap+xml"),
        (SWA, "application/xop+xml"),
        (XOP + '; action="urn:a"', 'application/xop+xml; action="urn:b"'),
        ("multipart/related; boundary=b", "image/png"),
    ],
)
def test_headers_that_disagree_are_refused(package, root):
    with pytest.raises(MalformedError, match="disagree"):
        split(package, body(root))


def test_the_envelope_must_come_first():
    with pytest.raises(ValidationError, match="first part") as caught:
        split(XOP, body("application/xop+xml", root_id="<other>"))
    assert "start" in caught.value.todo
    split(XOP.replace('start="<r>"', 'start="r"'), body("application/xop+xml"))
    split(XOP.replace('start="<r>"', ""), body("application/xop+xml", root_id="<other>"))


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/mixed"])
def test_other_packages_are_no_soap(kind):
    with pytest.raises(UnsupportedError):
        Splitter(f"{kind}; boundary=b")
    with pytest.raises(UnsupportedError):
        Splitter("multipart/related; boundary=b; type=text/html")


def test_the_limits_hold_in_a_package_too():
    data = body("application/xop+xml", b"x" * 100)
    for options in (
        {"root_limit": 3},
        {"caps": mime.Caps(total=100)},
        {"caps": mime.Caps(parts=1)},
    ):
        with pytest.raises(TooLargeError):
            split(XOP, data, **options)


def test_a_package_that_is_cut_off_is_not_whole():
    splitter = Splitter(XOP)
    list(splitter.feed(body("application/xop+xml")[:-6]))
    with pytest.raises(MalformedError):
        splitter.close()


def test_parameters_may_be_quoted_and_hold_semicolons():
    media = media_type('application/soap+xml; charset="UTF-8";action="urn:a;b\\"c"; charset=x')
    assert media.name == "application/soap+xml"
    assert dict(media.parameters) == {"charset": "UTF-8", "action": 'urn:a;b"c'}


@pytest.mark.parametrize("junk", ["\x00", "a/b;;;=", 'text/xml; charset="', "; " * 5000])
def test_a_content_type_of_junk_does_not_hurt(junk):
    assert media_type(junk).charset in ("", '"')
