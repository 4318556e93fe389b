"""A difusor's logo, which is the link of the public list: looked at, cleaned, and only what a browser draws is kept.

An SVG is written again from an allow-list (``base.emblemas``). Of a PNG or WebP, what is no picture is left out: the
notes of a camera or a drawing program name people and places. An ``.ai`` is the original that INE-I-f-2 admits beside
SVG; no browser draws it, so the list waits for its SVG.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base import emblemas
from pregon.base.errors import FormatoError

if TYPE_CHECKING:
    from collections.abc import Iterator

ORIGINAL_MAX = 2 << 20
"""Most bytes of an original ``.ai``."""
DIBUJABLES = ("svg", "png", "webp")
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"sRGB", b"gAMA", b"cHRM", b"sBIT", b"pHYs"})
_WEBP_KEPT = frozenset({b"VP8X", b"VP8 ", b"VP8L", b"ALPH"})
_WEBP_ALPHA = 0x10
"""The one flag of VP8X that stays true of what is kept."""


@dataclass(frozen=True)
class Logo:
    """A logo admitted. ``formato``: of what came; ``publicado``: the bytes to show and ``tipo`` theirs, or None."""

    formato: str
    original_sha256: str
    publicado: bytes | None
    tipo: emblemas.Tipo | None

    def archivo(self, ident: str) -> str | None:
        """Its name in the public list: another logo has another name, so no cache shows the old one."""
        if self.publicado is None:
            return None
        return f"{ident}-{hashlib.sha256(self.publicado).hexdigest()[:12]}.{self.tipo}"


def admite(data: bytes, formatos: tuple[str, ...]) -> Logo:
    """Look at a logo; ``formatos`` are those of the profile, empty for any that a browser draws.

    Raises:
        FormatoError: of another format, too large, or with something that is not allowed.
    """
    whole = hashlib.sha256(data).hexdigest()
    if data.startswith((b"%PDF-", b"%!PS-Adobe")):
        _check("ai", formatos or DIBUJABLES)
        if len(data) > ORIGINAL_MAX:
            raise _refused(f"pesa {len(data):,} bytes y el límite son {ORIGINAL_MAX:,}")
        return Logo("ai", whole, None, None)
    try:
        image = emblemas.read(data)
        _check(image.tipo, formatos or DIBUJABLES)
        cleaned = {"png": _png, "webp": _webp}.get(image.tipo, bytes)(image.contenido)
    except emblemas.ImagenError as exc:
        raise _refused(str(exc)) from exc
    return Logo(image.tipo, whole, cleaned, image.tipo)


def _check(tipo: str, formatos: tuple[str, ...]) -> None:
    if tipo not in formatos:
        raise _refused(f"es {tipo.upper()} y la convocatoria pide {' o '.join(one.upper() for one in formatos)}")


def _refused(why: str) -> FormatoError:
    return FormatoError(
        f"El logotipo no se admite: {why}.",
        intacto="El logotipo que había sigue como estaba.",
        que_hacer="Pida al difusor otro archivo, o guárdelo de nuevo sin lo señalado.",
    )


def _png(data: bytes) -> bytes:
    """The chunks that draw it (PNG 3rd ed. §5), each with its sum right."""
    kept = [_PNG]
    names = []
    for name, start, end in _png_chunks(data):
        if zlib.crc32(data[start + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise emblemas.ImagenError("es un PNG dañado")
        if name in _PNG_KEPT:
            kept.append(data[start:end])
            names.append(name)
        elif not name[0] & 0x20:  # capital first letter: without it the picture is another one
            raise emblemas.ImagenError(f"tiene una parte «{name.decode('ascii', 'replace')}» que no se admite")
    if names[:1] != [b"IHDR"] or names[-1:] != [b"IEND"] or b"IDAT" not in names:
        raise emblemas.ImagenError("es un PNG incompleto")
    return b"".join(kept)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of each chunk, up to IEND: what hides after it is not taken."""
    place = len(_PNG)
    while place + 12 <= len(data):
        end = place + 12 + int.from_bytes(data[place : place + 4], "big")
        if end > len(data):
            raise emblemas.ImagenError("es un PNG incompleto")
        name = data[place + 4 : place + 8]
        yield name, place, end
        if name == b"IEND":
            return
        place = end


def _webp(data: bytes) -> bytes:
    """The chunks that draw it (RFC 9649 §2), without profile, camera notes or anything after."""
    limit = 8 + int.from_bytes(data[4:8], "little")
    place, kept = 12, []
    while place + 8 <= min(limit, len(data)):
        name, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        end = place + 8 + size + size % 2
        if end > len(data):
            raise emblemas.ImagenError("es un WebP incompleto")
        if name in _WEBP_KEPT:
            chunk = data[place:end]
            if name == b"VP8X":
                chunk = chunk[:8] + bytes([chunk[8] & _WEBP_ALPHA]) + chunk[9:]
            kept.append(chunk)
        place = end
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + len(body).to_bytes(4, "little") + body
