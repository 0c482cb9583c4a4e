"""Several scans become one PDF; what cannot is named, file by file."""

import io
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader

from adapters.sstu.merge import Scan, merge
from adapters.sstu.pages import Bounds
from gateway.errors import ValidationError
from tests.unit.adapters.sstu.scans import pdf, picture, tiff


def pages(data):
    return PdfReader(io.BytesIO(data)).pages


def why(*files, **bounds):
    with pytest.raises(ValidationError) as caught:
        merge(files, Bounds(**bounds))
    return [(v.path, v.code) for v in caught.value.violations]


def test_pages_stand_in_the_order_of_the_files():
    merged = merge(
        [
            Scan("1.pdf", pdf((100, 100), (200, 100))),
            Scan("2.jpg", picture("JPEG", dpi=(72, 72))),
            Scan("3.tif", tiff("1", "L", "RGB")),
            Scan("4.png", picture("PNG", size=(90, 60))),
        ]
    )
    sizes = [(float(p.mediabox.width), float(p.mediabox.height)) for p in pages(merged)]
    assert len(sizes) == 7
    assert sizes[:3] == [(100, 100), (200, 100), (60, 90)]
    assert sizes[6] == (841.89, 561.26)


def test_a_jpeg_keeps_its_very_bytes():
    data = picture("JPEG")
    assert data in merge([Scan("1.jpg", data), Scan("2.jpg", data)])


def test_a_picture_looks_as_it_did():
    shades = [
        picture("JPEG", "CMYK", colour="red"),
        picture("PNG", "P", colour="red"),
        picture("PNG", "RGBA", colour="red"),
    ]
    for page in pages(merge([Scan(str(n), data) for n, data in enumerate(shades)])):
        red, green, blue = page.images[0].image.convert("RGB").getpixel((5, 5))
        assert red > 230
        assert max(green, blue) < 40


def test_a_photograph_taken_sideways_stands_upright():
    turned = Image.Exif()
    turned[274] = 6
    data = picture("JPEG", exif=turned)
    first, second = pages(merge([Scan("1.jpg", data), Scan("2.jpg", picture("JPEG"))]))
    assert (first.rotation, second.rotation) == (90, 0)


def turned(kind, orientation, **more):
    exif = Image.Exif()
    exif[274] = orientation
    more |= {"tiffinfo": {274: orientation}} if kind == "TIFF" else {"exif": exif}
    return picture(kind, size=(60, 90), **more)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_or_mirrored_picture_keeps_its_proportions(kind, orientation):
    (page,) = pages(merge([Scan("1", turned(kind, orientation))]))
    width, height = float(page.mediabox.width), float(page.mediabox.height)
    if page.rotation in (90, 270):
        width, height = height, width
    assert (width < height) == (orientation < 5)
    image = page.images[0].image
    assert (image.width < image.height) == (page.mediabox.width < page.mediabox.height)


def test_a_tiff_that_lies_is_turned_once():
    (page,) = pages(merge([Scan("1.tif", turned("TIFF", 6))]))
    assert (page.rotation, page.images[0].image.size) == (0, (90, 60))


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_the_colour_that_a_png_declares_transparent_is_white_paper(mode):
    clear = (0, 0, 0) if mode == "RGB" else 0
    data = picture("PNG", mode, colour="black", transparency=clear)
    (page,) = pages(merge([Scan("1.png", data)]))
    assert page.images[0].image.convert("L").getpixel((5, 5)) > 250


@pytest.mark.parametrize(
    ("size", "dpi", "expected"),
    [
        ((1, 1), 300, (595.28, 595.28)),
        ((4_000, 3_000), 72, (793.71, 595.28)),
        ((30_000, 300), 50, (841.89, 8.42)),
        ((30_000, 1), 300, (841.89, 3.0)),
        ((842, 595), 72, (842.0, 595.0)),
        ((2_480, 3_508), 300, (595.2, 841.92)),
    ],
)
def test_a_page_has_a_size_that_can_be_shown_and_printed(size, dpi, expected):
    (page,) = pages(merge([Scan("1.png", picture("PNG", "1", size=size, dpi=(dpi, dpi)))]))
    found = (float(page.mediabox.width), float(page.mediabox.height))
    assert found == pytest.approx(expected, abs=0.2)


def test_the_same_files_give_the_same_bytes_without_any_date():
    files = [Scan("1.pdf", pdf()), Scan("2.png", picture("PNG"))]
    merged = merge(files)
    assert merged == merge(files)
    assert b"Date" not in merged
    assert merge(files[::-1]) != merged


def test_every_file_that_cannot_be_merged_is_named():
    good = Scan("ok.pdf", pdf())
    assert why(Scan("о.docx", b"PK\x03\x04"), good, Scan("о.txt", b"text")) == [
        ("/0", "attachment_kind"), ("/2", "attachment_kind"),
    ]  # fmt: skip
    cut = picture("PNG", size=(300, 300))[:90]
    assert why(Scan("cut.pdf", b"%PDF-1.4\n"), good, Scan("cut.png", cut)) == [
        ("/0", "file"), ("/2", "file"),
    ]  # fmt: skip
    assert why(Scan("s.pdf", pdf(password="тайна")), good) == [("/0", "encrypted")]


def test_nothing_past_the_bounds_is_decoded():
    bomb = picture("PNG", "1", size=(9_000, 9_000))
    assert why(Scan("bomb.png", bomb), pixels=40_000_000) == [("/0", "pixels")]
    many = Scan("many.tif", tiff("1", "1", "1"))
    assert why(many, many, pages=4) == [("/1", "pages")]
    assert why(Scan("many.pdf", pdf(*[(9, 9)] * 5)), pages=4) == [("/0", "pages")]
    assert why(many, size=10) == [("", "size")]


def test_a_table_of_a_pdf_that_unpacks_to_much_is_refused():
    packed = zlib.compress(bytes(50_000_000), 9)
    head = b"%PDF-1.5\n"
    table = (
        b"1 0 obj\n<< /Type /XRef /Size 10 /W [1 2 1] /Root 2 0 R /Filter /FlateDecode /Length "
        + str(len(packed)).encode()
        + b" >>\nstream\n"
        + packed
        + b"\nendstream\nendobj\n"
    )
    bomb = head + table + b"startxref\n" + str(len(head)).encode() + b"\n%%EOF\n"
    assert why(Scan("bomb.pdf", bomb), Scan("ok.pdf", pdf())) == [("/0", "file")]


GOOD = [pdf(), picture("JPEG"), picture("PNG"), tiff("1", "L")]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(GOOD), st.data())
def test_spoilt_bytes_are_merged_or_named_and_nothing_else(data, draw):
    spoilt = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 6))):
        spoilt[draw.draw(st.integers(0, len(spoilt) - 1))] = draw.draw(st.integers(0, 255))
    cut = bytes(spoilt[: draw.draw(st.integers(4, len(spoilt)))])
    named = set()
    try:
        merge([Scan("1", cut), Scan("2", GOOD[0])])
    except ValidationError as error:
        named = {v.path for v in error.violations}
    assert named <= {"/0"}


def numbered(objects):
    """Return a PDF of these objects, by number, without anything that they do not say."""
    out, offsets = b"%PDF-1.7\n", {}
    for number, body in objects.items():
        offsets[number] = len(out)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    rows = b"".join(b"%d 1\n%010d 00000 n \n" % pair for pair in offsets.items())
    trailer = b"trailer\n<< /Root 1 0 R /Size %d >>\n" % (max(objects) + 1)
    return out + b"xref\n" + rows + trailer + b"startxref\n%d\n%%%%EOF" % len(out)


@pytest.mark.parametrize("inherited", [True, False])
def test_what_each_page_would_have_a_copy_of_is_counted(inherited):
    many = b"/X [" + b"<<>> " * 20_000 + b"]"
    kids = range(3, 23) if inherited else [3] * 20
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Count 20 /Kids [%b] %b >>"
        % (
            b" ".join(b"%d 0 R" % kid for kid in kids),
            b"/Resources << %b >>" % many if inherited else b"",
        ),
    }
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] %b >>"
    objects |= dict.fromkeys(kids, page % (b"" if inherited else many))
    assert why(Scan("same.pdf", numbered(objects))) == [("/0", "structure")]


def test_objects_in_streams_are_counted_together_before_one_is_read():
    packed = zlib.compress(b"7 0 " + b" " * 7_000_000 + b"[]", 9)
    stream = (
        b"<< /Type /ObjStm /N 1 /First 9 /Filter /FlateDecode /Length %d >>\nstream\n%b\nendstream"
        % (len(packed), packed)
    )
    head = b"%PDF-1.7\n"
    first = b"1 0 obj\n%b\nendobj\n" % stream
    second = b"2 0 obj\n%b\nendobj\n" % stream
    table = b"".join(
        kind.to_bytes(1) + at.to_bytes(4) + b"\0"
        for kind, at in [(0, 0), (1, len(head)), (1, len(head) + len(first)), (2, 1), (2, 2)]
    )
    body = head + first + second
    index = b"<< /Type /XRef /Size 5 /W [1 4 1] /Root 3 0 R /Length %d >>" % len(table)
    index = b"9 0 obj\n%b\nstream\n%b\nendstream\nendobj\n" % (index, table)
    bomb = body + index + b"startxref\n%d\n%%%%EOF" % len(body)
    assert why(Scan("streams.pdf", bomb)) == [("/0", "structure")]


def test_pictures_are_counted_together():
    picture_of_it = picture("PNG", size=(100, 100))
    file = Scan("a.png", picture_of_it)
    assert why(*[file] * 7, pixels=10_000) == [("/6", "pixels")]
    assert len(pages(merge([Scan("a.tif", tiff(*["1"] * 7))] * 2, Bounds(pixels=2_400)))) == 14


def plain_pdf(*objects):
    """A PDF of these objects; the first one is its catalogue."""
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table
    trailer = b"trailer <</Size %d /Root 1 0 R>>\n" % (len(objects) + 1)
    return out + trailer + b"startxref\n%d\n%%%%EOF" % start


def test_a_merged_answer_does_nothing_when_it_is_opened_or_touched():
    script = b"<</S/JavaScript/JS(app.alert(1))>>"
    notes = (
        b"<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/Launch/F(cmd.exe)>>>>"
        b"<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(http://city/)/Next %b>>>>"
        b"<</Type/Annot/Subtype/Widget/Rect[0 0 9 9]/AA<</D %b>>/A 4 0 R>>" % (script, script)
    )
    hostile = plain_pdf(
        b"<</Type/Catalog/Pages 2 0 R/OpenAction %b>>" % script,
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/AA<</O %b>>/Annots[%b]>>" % (script, notes),
        script,
    )

    merged = merge([Scan("a.pdf", hostile), Scan("b.pdf", hostile)])

    reader = PdfReader(io.BytesIO(merged))
    assert "/OpenAction" not in reader.trailer["/Root"]
    for page in reader.pages:
        assert "/AA" not in page
        first, link, widget = (note.get_object() for note in page["/Annots"])
        assert "/A" not in first
        assert dict(link["/A"]) == {"/S": "/URI", "/URI": "http://city/"}
        assert not {"/A", "/AA"} & set(widget)
