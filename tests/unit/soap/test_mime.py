"""A package reads the same however it is cut, each part byte for byte; in doubt it is refused."""

import base64
import itertools
from email import message_from_bytes, policy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import limits
from gateway.errors import GatewayError, MalformedError, TooLargeError, UnsupportedError
from gateway.soap import mime
from gateway.soap.splitter import media_type

B = "MIMEBoundary_1"


def read(data, boundary=B, cuts=(), caps=mime.DEFAULT):
    """Headers and bytes of every part; the package is fed in pieces."""
    reader = mime.Reader(boundary, caps)
    events = []
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    for start, end in itertools.pairwise(places):
        events += reader.feed(data[start:end])
    reader.close()
    found = []
    for event in events:
        match event:
            case mime.Head():
                found.append([event, b""])
            case mime.Data():
                found[-1][1] += event.data
            case mime.End():
                assert event.size == len(found[-1][1])
    return found


def contents(data, **options):
    return [content for _, content in read(data, **options)]


def made(*parts, end="\r\n", preamble="", boundary=B, close="--", after="\r\n"):
    """parts: (headers, bytes)."""
    body = preamble.encode()
    for number, (headers, content) in enumerate(parts):
        lead = end if number or preamble else ""
        lines = "".join(f"{line}{end}" for line in headers)
        body += f"{lead}--{boundary}{end}{lines}{end}".encode() + content
    return body + f"{end}--{boundary}{close}{after}".encode()


ROOT = (["Content-Type: application/xop+xml", "Content-ID: <root@x>"], b"<a/>")
SCAN = (["Content-Type: image/png", "Content-ID: <scan@x>"], bytes(range(256)) * 3)
PLAIN = made(ROOT, SCAN)


def test_parts_come_with_their_headers_and_bytes():
    (root, content), (scan, data) = read(PLAIN)
    assert (root.place, root.content_id, root.content_type) == (1, "root@x", "application/xop+xml")
    assert (scan.place, scan.content_id, scan.content_type) == (2, "scan@x", "image/png")
    assert (content, data) == (ROOT[1], SCAN[1])


NASTY = made(
    (["A: 1"], b"\r\n"),
    ([], b""),
    (["B: 2"], b"\r\n--MIMEBoundary\r\n--MIMEBoundar_1\r--MIMEBoundary_1 \n--MIMEBoundary_1--"),
    (["C: 3"], b"--MIMEBoundary"),
    (["D: 4"], b"-"),
    (["E: 5"], b"\r"),
    preamble="This is a multi-part message\r\n in MIME format.",
)


@pytest.mark.parametrize("data", [PLAIN, NASTY, PLAIN.replace(b"\r\n", b"\n")])
def test_every_way_to_cut_a_package_in_two_gives_the_same(data):
    whole = read(data)
    for cut in range(len(data) + 1):
        assert read(data, cuts=[cut]) == whole


def test_byte_for_byte_is_the_same_too():
    assert read(NASTY, cuts=range(len(NASTY))) == read(NASTY)
    assert contents(NASTY)[:2] == [b"\r\n", b""]
    assert contents(NASTY)[2].startswith(b"\r\n--MIMEBoundary\r\n--MIMEBoundar_1\r--")


NEAR = st.sampled_from([b"\r\n", b"\r", b"\n", b"--", b"-", B.encode(), B[:-1].encode(), b" "])
CONTENT = st.lists(st.one_of(NEAR, st.binary(max_size=20)), max_size=12).map(b"".join)


@given(st.lists(CONTENT, min_size=1, max_size=4), st.lists(st.integers(0, 2000), max_size=8))
def test_whatever_a_file_holds_comes_back_or_the_package_is_refused(parts, cuts):
    data = made(*((["X: y"], content) for content in parts))
    token = f"\r\n--{B}".encode()
    if any(token in b"\r\n" + content for content in parts):
        return  # nobody may choose a boundary that stands in a part
    assert contents(data, cuts=cuts) == parts


@given(st.binary(max_size=300), st.lists(st.integers(0, 900), max_size=6), st.integers(0, 800))
@settings(max_examples=300)
def test_hostile_bytes_raise_nothing_but_our_errors(junk, cuts, place):
    data = NASTY[:place] + junk + NASTY[place:]
    outcomes = []
    for given_cuts in ([], cuts):
        try:
            outcomes.append(contents(data, cuts=given_cuts))
        except GatewayError as error:
            outcomes.append(type(error))
    assert outcomes[0] == outcomes[1]


def test_bare_line_feeds_are_read_when_the_whole_package_has_them():
    data = made(ROOT, (["Content-ID: <f>"], b"a\r\nb\n"), end="\n", after="")
    assert contents(data) == [b"<a/>", b"a\r\nb\n"]


def test_a_mixture_of_line_ends_is_never_guessed_at():
    mixed = PLAIN.replace(f"\r\n--{B}--".encode(), f"\n--{B}--".encode())
    with pytest.raises(MalformedError, match="closing boundary"):
        read(mixed)
    with pytest.raises(MalformedError, match="header"):
        read(made((["A: 1\nB: 2"], b"")))


def test_a_part_may_be_without_headers_or_without_a_body():
    data = f"--{B}\r\n\r\nx\r\n--{B}\r\nA: 1\r\n\r\n--{B}\r\n\r\n--{B}--".encode()
    assert [(dict(head.headers), content) for head, content in read(data)] == [
        ({}, b"x"),
        ({"a": "1"}, b""),
        ({}, b""),
    ]
    assert read(data, cuts=range(len(data))) == read(data)
    assert read(data)[0][0].content_type == "text/plain"


def test_a_folded_header_is_one_header():
    data = made((["Content-Type: application/xop+xml;", '\ttype="text/xml"', "A: b"], b""))
    assert read(data)[0][0].content_type == 'application/xop+xml; type="text/xml"'


def test_a_line_may_end_in_blanks_and_blank_lines_may_follow():
    data = f"\r\n--{B} \t\r\n\r\nx\r\n--{B}-- \r\n\r\n".encode()
    assert contents(data) == [b"x"]
    assert contents(data, cuts=range(len(data))) == [b"x"]


def test_a_multipart_inside_is_bytes():
    inner = made(ROOT, SCAN, boundary="inner")
    assert contents(made((["Content-Type: multipart/mixed; boundary=inner"], inner))) == [inner]


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (PLAIN[:-4], "closing boundary"),
        (PLAIN[: len(PLAIN) // 2], "closing boundary"),
        (b"", "closing boundary"),
        (f"--{B}--\r\n".encode(), "no part"),
        (PLAIN + b"x", "follows"),
        (PLAIN + PLAIN, "follows"),
        (PLAIN + b"\r\n" * 4000, "follows"),
        (b"x" * 5000, "no boundary"),
        (made((["A: 1"], f"x\r\n--{B}2\r\ny".encode())), "goes on otherwise"),
        (f"--{B}2\r\n\r\n".encode(), "goes on otherwise"),
        (f"--{B}{' ' * 200}\r\n".encode(), "does not end"),
        (made((["no colon"], b"")), "header"),
        (made(([": nameless"], b"")), "header"),
        (made((["A\x00: b"], b"")), "header"),
        (made((["A: b\x00"], b"")), "header"),
        (made((["Content-ID: <a>", "Content-ID: <b>"], b"")), "two headers content-id"),
    ],
)
def test_what_is_no_whole_package_is_refused(data, match):
    for cuts in ([], range(len(data))):
        with pytest.raises(MalformedError, match=match):
            read(data, cuts=cuts)


@pytest.mark.parametrize("boundary", ["", " ", "a" * 71, "a ", "a\r\n", "ы", 'a"b'])
def test_a_boundary_that_is_none_is_refused(boundary):
    with pytest.raises(MalformedError, match="boundary"):
        mime.Reader(boundary)


@pytest.mark.parametrize("boundary", ["a", "a" * 70, "uuid:3f-1+id=7", "=_Part 1?"])
def test_boundaries_of_known_clients_are_taken(boundary):
    assert contents(made(ROOT, boundary=boundary), boundary=boundary) == [b"<a/>"]


@pytest.mark.parametrize(
    ("data", "caps"),
    [
        (PLAIN, mime.Caps(total=len(PLAIN) - 1)),
        (PLAIN, mime.Caps(parts=1)),
        (PLAIN, mime.Caps(part=767)),
        (made((["A: " + "x" * limits.PART_HEADER_BYTES], b"")), mime.DEFAULT),
        (made(([f"A{n}: 1" for n in range(limits.PART_HEADERS + 1)], b"")), mime.DEFAULT),
        (f"--{B}\r\nA: ".encode() + b"x" * 20_000, mime.DEFAULT),
    ],
)
def test_every_size_is_bounded(data, caps):
    with pytest.raises(TooLargeError, match="at most"):
        read(data, caps=caps)


def test_what_is_within_the_bounds_is_taken():
    caps = mime.Caps(total=len(PLAIN), parts=2, part=768)
    assert len(read(PLAIN, caps=caps)) == 2


def test_nothing_of_a_part_is_held_back_but_a_line():
    reader = mime.Reader(B)
    list(reader.feed(PLAIN[:-100]))
    held = 0
    for _ in range(200):
        given_back = sum(len(e.data) for e in reader.feed(b"x" * 65_536) if type(e) is mime.Data)
        held += 65_536 - given_back
    assert held <= 100


@pytest.mark.parametrize("coding", ["binary", "8bit", "7BIT", "Binary; x=y"])
def test_plain_codings_are_read_as_they_are(coding):
    assert contents(made(([f"Content-Transfer-Encoding: {coding}"], b"a=b\r\nc"))) == [b"a=b\r\nc"]


@given(st.binary(max_size=500), st.lists(st.integers(0, 900), max_size=8))
def test_base64_is_decoded_as_it_comes(data, cuts):
    text = base64.encodebytes(data).replace(b"\n", b"\r\n")
    package = made((["Content-Transfer-Encoding: BASE64"], text))
    assert contents(package, cuts=cuts) == [data]


@pytest.mark.parametrize(
    "text", [b"AAA", b"AA=A", b"AA==AAAA", b"A===", b"AAA?", b"====", b"AA==="]
)
def test_base64_that_is_none_is_refused(text):
    package = made((["Content-Transfer-Encoding: base64"], text))
    for cuts in ([], range(len(package))):
        with pytest.raises(MalformedError, match="base64"):
            read(package, cuts=cuts)


@pytest.mark.parametrize("coding", ["quoted-printable", "x-uuencode"])
def test_other_codings_are_refused_by_name(coding):
    with pytest.raises(UnsupportedError) as caught:
        read(made((["A: 1"], b""), ([f"Content-Transfer-Encoding: {coding}"], b"")))
    assert (caught.value.found, caught.value.where) == (coding, "part 2")


def test_identifiers_compare_as_urls_do():
    data = made((["Content-ID: <http://tempuri.org/1/63>"], b""), (["Content-Id:a%40b"], b""))
    assert [head.content_id for head, _ in read(data)] == ["http://tempuri.org/1/63", "a@b"]


def test_what_is_written_is_read_by_ourselves_and_by_a_mail_reader():
    part = mime.Sent(sha256="ab" * 32, media_type="image/png", size=4)
    made_of = mime.package(b"<a/>", "text/xml; charset=utf-8", [part])
    body = b"".join(p if isinstance(p, bytes) else b"\x89\r\n-" for p in made_of.pieces)
    assert len(body) == made_of.length
    media = media_type(made_of.content_type)
    assert media.parameters["type"] == "application/xop+xml"
    assert media.parameters["start-info"] == "text/xml"
    (root, envelope), (scan, data) = read(body, media.parameters["boundary"])
    assert f"<{root.content_id}>" == media.parameters["start"]
    assert root.content_type == 'application/xop+xml; charset=utf-8; type="text/xml"'
    assert (envelope, data) == (b"<a/>", b"\x89\r\n-")
    assert (scan.content_id, scan.content_type) == (part.content_id, "image/png")
    mail = message_from_bytes(
        f"Content-Type: {made_of.content_type}\r\n\r\n".encode() + body, policy=policy.HTTP
    )
    assert [p.get_payload(decode=True) for p in mail.iter_parts()] == [b"<a/>", b"\x89\r\n-"]


def test_the_same_answer_is_the_same_bytes_and_another_one_has_another_boundary():
    part = mime.Sent(sha256="ab" * 32, media_type="image/png", size=4)
    first, again = (mime.package(b"<a/>", "text/xml", [part]) for _ in range(2))
    assert first == again
    assert mime.package(b"<b/>", "text/xml", [part]).content_type != first.content_type
    assert mime.package(b"<a/>", "text/xml", []).content_type != first.content_type


@pytest.mark.parametrize("told", ["", "x", "a/b\r\nX: y", "text/html; charset=утф"])
def test_a_media_type_of_a_stranger_writes_no_headers(told):
    made_of = mime.package(b"<a/>", "text/xml", [mime.Sent("ab" * 32, told, 0)])
    assert b"Content-Type: application/octet-stream\r\n" in made_of.pieces[1]
