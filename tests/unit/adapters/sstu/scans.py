"""Scans to merge, made of nothing: pictures in every format a scanner writes, and a PDF."""

import io

from PIL import Image
from pypdf import PdfWriter


def picture(kind, mode="RGB", size=(60, 90), colour=None, **options):
    plain = Image.new("RGB", size, colour or "white")
    out = io.BytesIO()
    plain.convert(mode).save(out, kind, **options)
    return out.getvalue()


def tiff(*modes):
    pages = [Image.new("RGB", (40, 60), "white").convert(mode) for mode in modes]
    out = io.BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:], compression="tiff_lzw")
    return out.getvalue()


def pdf(*sizes, password=""):
    writer = PdfWriter()
    for size in sizes or ((100, 100),):
        writer.add_blank_page(*size)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
