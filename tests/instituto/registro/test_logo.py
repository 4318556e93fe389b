"""What of a logo is shown: only what a browser draws, in the formats of the call (INE-I-f-2)."""

from __future__ import annotations

import struct
import zlib

import pytest

from pregon.base.errors import FormatoError
from pregon.convocatoria import perfiles
from pregon.convocatoria.solicitud import logo

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20"><path d="M0 0h40v20H0z" fill="#123456"/></svg>'
INE = ("svg", "ai")
PERSON = b"Luc\xc3\xada Qui\xc3\xb1ones, Tixtla, 17.56 N 99.40 O"


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(*extra: bytes, side: int = 2, tail: bytes = b"") -> bytes:
    rows = b"".join(b"\0" + b"\x10\x20\x30" * side for _ in range(side))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(extra) + body + chunk(b"IEND", b"") + tail


def webp(*, notes: bool) -> bytes:
    """A lossless WebP of one pixel, extended; its notes say who took it and where."""
    pixel = bytes.fromhex("2f00000000070 0d1ff81".replace(" ", "")) + b"\0\0"
    flags = 0x1C if notes else 0x10
    parts = [b"VP8X" + struct.pack("<I", 10) + bytes([flags, 0, 0, 0]) + bytes(6)]
    parts.append(b"VP8L" + struct.pack("<I", len(pixel)) + pixel + b"\0" * (len(pixel) % 2))
    if notes:
        padded = PERSON + b"\0" * (len(PERSON) % 2)
        parts += [name + struct.pack("<I", len(PERSON)) + padded for name in (b"EXIF", b"XMP ")]
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body + (PERSON if notes else b"")


def test_an_svg_is_written_again_and_shows_what_it_did() -> None:
    noted = SVG.replace(b"<path", b"<metadata>" + PERSON + b"</metadata><path")
    made = logo.admite(noted, INE)
    assert made.publicado is not None
    assert b"M0 0h40v20H0z" in made.publicado
    assert PERSON not in made.publicado
    assert made.archivo("diario-uno") == logo.admite(SVG, INE).archivo("diario-uno")
    assert made.original_sha256 != logo.admite(SVG, INE).original_sha256


HOSTILE = (
    (b"<script>alert(1)</script>", "script"),
    (b'<image href="https://malo.example/x.png"/>', "image"),
    (b'<path onload="alert(1)"/>', "onload"),
    (b'<a href="https://malo.example"><path/></a>', "<a>"),
    (b'<path fill="url(https://malo.example)"/>', "valor"),
    (b"<foreignObject/>", "foreignObject"),
    (b'<style>@import "https://malo.example"</style>', "style"),
    (b"<g>" * 40, "anidados"),
)


def test_an_svg_that_acts_or_asks_for_anything_is_refused() -> None:
    for inside, said in HOSTILE:
        with pytest.raises(FormatoError, match=said) as caught:
            logo.admite(SVG.replace(b"<path", inside + b"<path"), ())
        assert "sigue como estaba" in caught.value.intacto
    bomb = b'<!DOCTYPE svg [<!ENTITY a "x"><!ENTITY b "&a;&a;">]>' + SVG
    with pytest.raises(FormatoError, match="DOCTYPE"):
        logo.admite(bomb, ())


def test_of_a_png_and_a_webp_only_the_picture_is_kept() -> None:
    noted = png(chunk(b"tEXt", b"Author\0" + PERSON), chunk(b"eXIf", PERSON), tail=PERSON)
    assert PERSON in noted
    for dirty, clean in ((noted, png()), (webp(notes=True), webp(notes=False))):
        made = logo.admite(dirty, ())
        assert made.publicado == clean
        assert logo.admite(clean, ()).publicado == clean


BROKEN = (
    (png()[:-20], "incompleto"),
    (png().replace(b"IDAT", b"IDAU"), "dañado"),
    (png(chunk(b"QUES", b"x")), "no se admite"),
    (png()[:8] + png()[33:] + bytes(8), "no es SVG"),
    (png(side=1)[:16] + struct.pack(">II", 5000, 5000) + png()[24:], "5000"),
    (webp(notes=False)[:-4], "incompleto"),
    (b"GIF89a" + bytes(40), "no es SVG"),
    (b"", "no es SVG"),
    (SVG + b" " * (70 << 10), "pesa"),
)


def test_a_broken_picture_is_refused() -> None:
    for data, said in BROKEN:
        with pytest.raises(FormatoError, match=said):
            logo.admite(data, ())


def test_each_call_admits_its_formats() -> None:
    """Only INE-I-f-2 says which: vector, ``.svg`` or ``.ai``."""
    ai, postscript = b"%PDF-1.5 x", b"%!PS-Adobe-3.0 x"
    for perfil in ("gro-2021", "dgo-2024", "mor-2024", "mex-2021"):
        formats = perfiles.load(perfil).logo.formatos
        assert [logo.admite(data, formats).tipo for data in (SVG, png(), webp(notes=False))] == ["svg", "png", "webp"]
        with pytest.raises(FormatoError, match="es AI"):
            logo.admite(ai, formats)
    formats = perfiles.load("ine-2021").logo.formatos
    assert formats == INE
    for data in (ai, postscript):
        assert logo.admite(data, formats) == logo.Logo("ai", logo.admite(data, formats).original_sha256, None, None)
        assert logo.admite(data, formats).archivo("diario-uno") is None
    with pytest.raises(FormatoError, match="es PNG y la convocatoria pide SVG o AI"):
        logo.admite(png(), formats)
    with pytest.raises(FormatoError, match="pesa"):
        logo.admite(ai + bytes(logo.ORIGINAL_MAX), formats)
