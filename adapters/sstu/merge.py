"""Several files of one answer → one PDF: the format takes a single attachment (README, sources).

Pages of PDFs are copied (`pages`); a JPEG keeps its very bytes; a scan in black and white stays
without loss; other pictures are kept without loss where that is not larger than a good JPEG. The
same files give the same bytes: no dates, and an identifier made of the content.

Everything is bounded before it is decoded: bytes, pages, points of a picture.
"""

from __future__ import annotations

import hashlib
import io
import zlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from adapters.sstu.pages import Bounds, Fault, add_pdf, refuse_pages
from gateway.errors import ValidationError, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from PIL.Image import Image
    from pypdf import PageObject, PdfWriter

MEDIA_TYPE: Final = "application/pdf"
_MAGIC: Final = (
    (b"%PDF-", "PDF"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
)
_POINTS: Final = 72.0
_A4: Final = (595.28, 841.89)
_DPI: Final = (50.0, 1_200.0)
"""What a picture may say of itself and be believed; past it the page is an A4."""
_SCREEN: Final = 96.0
"""What cameras and screens write without having measured; believed up to an A3."""
_A3: Final = (841.89, 1_190.55)
_SIDES: Final = (3.0, 14_400.0)
"""Points that a side of a page may have (ISO 32000-1, annex C)."""
_QUALITY: Final = 85
_PICTURES: Final = 6
"""Pictures in one answer that may be as large as one can be, where each is packed anew in colour;
500 of them in 60 MB took eight minutes."""
_SHARES: Final = {"JPEG": 5, "1": 20}
"""So many points take the time of one in colour: where it is only looked at, or black and white."""
_TURNED: Final = {3: 180, 6: 90, 8: 270}
"""EXIF orientation → rotation of the page, clockwise (EXIF 2.32, tag 274; the mirrored four are
not met in scans and are redrawn)."""
_MIRRORED: Final = frozenset({2, 4, 5, 7})
_LYING: Final = frozenset({5, 7})
"""Those of the mirrored that change height for width."""
_ORIENTATION: Final = 274


class Scan(NamedTuple):
    """One file of an answer."""

    name: str
    data: bytes


def kind_of(data: bytes) -> str:
    """Return `PDF`, `JPEG`, `PNG` or `TIFF` by the first bytes; empty: it cannot be merged."""
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), "")


def merge(files: Sequence[Scan], bounds: Bounds | None = None) -> bytes:
    """Return one PDF with the pages of the files in their order.

    Raises ValidationError naming every file that is broken, encrypted, of another kind, or past
    the bounds; `path` of a violation is the place of the file in the list.
    """
    from pypdf import PdfWriter

    bounds = bounds or Bounds()
    _refuse_unfit(files, bounds)
    writer = PdfWriter()
    writer.metadata = None
    wrong: list[Violation] = []
    work = _Work(_PICTURES * bounds.pixels)
    for index, file in enumerate(files):
        try:
            _add(writer, file, bounds, work)
        except Fault as fault:
            wrong.append(_violation(index, file, *fault.args))
    if wrong:
        raise ValidationError("files of an answer cannot be merged", tuple(wrong))
    _identify(writer, files)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _violation(
    index: int, file: Scan, code: str, message: str, found: str = "", expected: str = ""
) -> Violation:
    told = f"{file.name}: {found}" if found else file.name
    return Violation(f"/{index}", code, message, told[:200], expected)


def _refuse_unfit(files: Sequence[Scan], bounds: Bounds) -> None:
    wrong = [
        _violation(
            index,
            file,
            "attachment_kind",
            "a file of this kind cannot be merged with others into one PDF",
            expected="PDF, JPEG, PNG, TIFF",
        )
        for index, file in enumerate(files)
        if not kind_of(file.data)
    ]
    total = sum(len(file.data) for file in files)
    if total > bounds.size:
        message = "the files of the answer are too large to be merged"
        wrong.append(Violation("", "size", message, f"{total} bytes", f"at most {bounds.size}"))
    if wrong:
        raise ValidationError("files of an answer cannot be merged", tuple(wrong))


class _Work:
    """What all pictures of one answer may take. left: points in colour."""

    def __init__(self, left: int) -> None:
        self._left = left

    def spend(self, image: Image) -> None:
        """Count a picture before it is decoded; raise Fault."""
        kind = "JPEG" if image.format == "JPEG" else image.mode
        kind = kind if "transparency" not in image.info else ""  # laid on paper, it is in colour
        self._left -= image.width * image.height // _SHARES.get(kind, 1)
        if self._left < 0:
            raise Fault("pixels", "the pictures of the answer have too many points in all")


def _add(writer: PdfWriter, file: Scan, bounds: Bounds, work: _Work) -> None:
    """Add the pages of one file; whatever a library says of hostile bytes is that file's fault."""
    try:
        if kind_of(file.data) == "PDF":
            add_pdf(writer, file.data, bounds)
        else:
            for image in _frames(file.data, bounds, len(writer.pages)):
                work.spend(image)
                _add_picture(writer, image, file.data)
    except Fault:
        raise
    except MemoryError:
        raise
    except Exception as error:
        raise Fault("file", "the file is broken", _words(error)) from error


def _words(error: Exception) -> str:
    """What a library says, without addresses in memory, which differ each time."""
    name, text = type(error).__name__, str(error)
    return name if not text or " at 0x" in text else f"{name}: {text}"


def _frames(data: bytes, bounds: Bounds, before: int) -> Iterator[Image]:
    """Yield the pictures of a file, each judged by its header before it is decoded."""
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=(kind_of(data),)) as image:
        frame = 0
        while True:
            refuse_pages(before + frame + 1, bounds)
            width, height = image.size
            if width * height > bounds.pixels:
                found = f"{width}×{height}"
                raise Fault(
                    "pixels", "the picture has too many points", found, f"at most {bounds.pixels}"
                )
            yield image
            frame += 1
            try:
                image.seek(frame)
            except EOFError:
                return


def _add_picture(writer: PdfWriter, image: Image, data: bytes) -> None:
    from pypdf.generic import DictionaryObject, NameObject, StreamObject

    # Pillow turns a TIFF itself as it decodes it, and its size is already that of the turned one.
    orientation = 1 if image.format == "TIFF" else image.getexif().get(_ORIENTATION, 1)
    size = _page_size(image)
    if orientation in _LYING:
        size = size[::-1]
    page = writer.add_blank_page(*size)
    stream = StreamObject()
    entries, body = _encoded(image, data, mirrored=orientation in _MIRRORED)
    for name, value in entries.items():
        stream[NameObject(name)] = value
    stream._data = body  # noqa: SLF001 - set_data would unpack it to look
    inner = DictionaryObject()
    inner[NameObject("/Scan")] = writer._add_object(stream)  # noqa: SLF001 - pypdf has no other way
    resources = DictionaryObject()
    resources[NameObject("/XObject")] = inner
    page[NameObject("/Resources")] = resources
    _draw(writer, page, size)
    if orientation in _TURNED:
        page.rotate(_TURNED[orientation])


def _draw(writer: PdfWriter, page: PageObject, size: tuple[float, float]) -> None:
    from pypdf.generic import NameObject, StreamObject

    content = StreamObject()
    content._data = f"q {size[0]:.2f} 0 0 {size[1]:.2f} 0 0 cm /Scan Do Q".encode()  # noqa: SLF001
    page[NameObject("/Contents")] = writer._add_object(content)  # noqa: SLF001


def _page_size(image: Image) -> tuple[float, float]:
    """Width and height in points: by the picture's own resolution, an A4 where it tells none."""
    width, height = image.size
    told = image.info.get("dpi", (0, 0))
    try:
        across, down = float(told[0]), float(told[1])
    except (TypeError, ValueError, ZeroDivisionError):
        across = down = 0.0
    if all(_DPI[0] <= dpi <= _DPI[1] for dpi in (across, down)):
        told_size = round(width / across * _POINTS, 2), round(height / down * _POINTS, 2)
        if _believed(told_size, max(across, down)):
            return told_size
    frame = _A4 if width <= height else (_A4[1], _A4[0])
    scale = min(frame[0] / width, frame[1] / height)
    return max(_SIDES[0], round(width * scale, 2)), max(_SIDES[0], round(height * scale, 2))


def _believed(size: tuple[float, float], dpi: float) -> bool:
    """Whether a page of this size was scanned so, and can be shown."""
    short, long = sorted(size)
    if short < _SIDES[0] or long > _SIDES[1]:
        return False
    return dpi > _SCREEN or (short <= _A3[0] and long <= _A3[1])


def _encoded(image: Image, data: bytes, *, mirrored: bool) -> tuple[dict[str, Any], bytes]:
    """Return the entries of an image XObject and its bytes (ISO 32000-1, 8.9.5)."""
    if image.format == "JPEG" and image.mode in _SPACES and not mirrored:
        image.load()  # a cut file shows here
        inverted = image.mode == "CMYK" and "adobe" in image.info
        return _entries(image, "/DCTDecode", inverted=inverted), data
    if mirrored:
        from PIL import ImageOps

        image = ImageOps.exif_transpose(image)
    plain = _plain(image)
    if plain.mode == "1":
        return _entries(plain, "/FlateDecode"), zlib.compress(plain.tobytes(), 9)
    lossless = zlib.compress(plain.tobytes(), 6)
    out = io.BytesIO()
    plain.save(out, "JPEG", quality=_QUALITY)
    if len(lossless) <= out.tell():
        return _entries(plain, "/FlateDecode"), lossless
    return _entries(plain, "/DCTDecode"), out.getvalue()


_SPACES: Final = {"1": "/DeviceGray", "L": "/DeviceGray", "RGB": "/DeviceRGB",
                  "CMYK": "/DeviceCMYK"}  # fmt: skip


def _plain(image: Image) -> Image:
    """The picture in black and white, grey or colour; what shows through becomes white paper."""
    from PIL import Image

    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value / 256).convert("L")
    if "A" in image.mode or "transparency" in image.info:
        above = image.convert("RGBA")
        paper = Image.new("RGBA", above.size, "white")
        return Image.alpha_composite(paper, above).convert("RGB")
    if image.mode in {"1", "L", "RGB"}:
        return image
    return image.convert("RGB")


def _entries(image: Image, packing: str, *, inverted: bool = False) -> dict[str, Any]:
    from pypdf.generic import ArrayObject, NameObject, NumberObject

    out = {
        "/Type": NameObject("/XObject"),
        "/Subtype": NameObject("/Image"),
        "/Width": NumberObject(image.width),
        "/Height": NumberObject(image.height),
        "/ColorSpace": NameObject(_SPACES[image.mode]),
        "/BitsPerComponent": NumberObject(1 if image.mode == "1" else 8),
        "/Filter": NameObject(packing),
    }
    if inverted:
        out["/Decode"] = ArrayObject([NumberObject(n) for n in (1, 0) * 4])
    return out


def _identify(writer: PdfWriter, files: Sequence[Scan]) -> None:
    """Give the PDF an identifier that follows from what is in it (ISO 32000-1, 14.4)."""
    from pypdf.generic import ArrayObject, ByteStringObject

    digest = hashlib.sha256()
    for file in files:
        digest.update(hashlib.sha256(file.data).digest())
    mark = ByteStringObject(digest.digest()[:16])
    writer._ID = ArrayObject((mark, mark))  # noqa: SLF001 - the public way draws it by chance
