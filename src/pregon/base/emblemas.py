"""Images that an institute gives for its portal: SVG rewritten from an allow-list, PNG and WebP looked at and kept.

An emblem is drawn by every browser that opens the portal, signed by the institute: it must bring nothing that acts,
nothing that asks for another file and nothing that a browser reads in two ways. So an SVG is never copied: what is
understood is written again, and what is not allowed stops the cut.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from xml.parsers import expat

from markupsafe import escape

Tipo = Literal["svg", "png", "webp"]

MAX_BYTES = 64 << 10
"""Most that an image may weigh."""
MAX_LADO = 1024
"""Most pixels of each side of a PNG or WebP."""
MAX_ELEMENTOS = 2000
"""Most elements of an SVG: a browser draws it on each page."""
MAX_HONDURA = 32

_SVG = "http://www.w3.org/2000/svg"
_AJENOS = frozenset(
    {
        "http://www.inkscape.org/namespaces/inkscape",
        "http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd",
        "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "http://creativecommons.org/ns#",
        "http://purl.org/dc/elements/1.1/",
        "http://www.serif.com/",
        "http://www.bohemiancoding.com/sketch/ns",
    }
)
"""Notes of drawing programs: left out without a word. Anything else that is not SVG is refused."""
_ELEMENTOS = frozenset(
    {"svg", "g", "defs", "title", "desc", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon"}
    | {"linearGradient", "radialGradient", "stop", "clipPath"}
)
_MUDOS = frozenset({"metadata"})
"""SVG elements that show nothing: left out with what they hold."""
_COLORES = "fill stroke stop-color color"
_ATRIBUTOS = frozenset(
    "viewBox width height preserveAspectRatio version id d x y x1 y1 x2 y2 cx cy r rx ry fx fy points transform offset "
    "gradientUnits gradientTransform spreadMethod clipPathUnits clip-path clip-rule fill-rule fill-opacity opacity "
    "stroke-width stroke-linecap stroke-linejoin stroke-miterlimit stroke-dasharray stroke-dashoffset stroke-opacity "
    f"stop-opacity {_COLORES}".split()
)
_VALOR = re.compile(r"[-+#.,%()\sA-Za-z0-9_]*")
_REFERENCIA = re.compile(r"url\(#[A-Za-z_][A-Za-z0-9_.-]*\)")
_SOLO_NOMBRE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_SEPARADOR = "|"


class ImagenError(ValueError):
    """An image that is not admitted; the text, in Spanish, says why."""


@dataclass(frozen=True)
class Imagen:
    """An image admitted: its bytes as they are published, its kind, and its size in pixels (of an SVG, its shape)."""

    contenido: bytes
    tipo: Tipo
    ancho: int
    alto: int


def read(data: bytes) -> Imagen:
    """Look at an image and give what is published of it.

    Raises:
        ImagenError: too large, of another kind, or with something that is not allowed.
    """
    if len(data) > MAX_BYTES:
        raise ImagenError(f"pesa {len(data)} bytes y el límite son {MAX_BYTES}")
    if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR" and len(data) > 24:
        return _raster(data, "png", int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP" and len(data) > 30:
        return _raster(data, "webp", *_webp(data))
    if b"<svg" in data:
        return _svg(data)
    raise ImagenError("no es SVG, PNG ni WebP")


def _raster(data: bytes, tipo: Tipo, width: int, height: int) -> Imagen:
    if not (0 < width <= MAX_LADO and 0 < height <= MAX_LADO):
        raise ImagenError(f"mide {width} × {height} píxeles y el límite son {MAX_LADO} por lado")
    return Imagen(data, tipo, width, height)


def _webp(data: bytes) -> tuple[int, int]:
    """Width and height, from the first chunk: extended, lossless or lossy (RFC 9649)."""
    kind = data[12:16]
    if kind == b"VP8X":
        if data[20] & 0b10:
            raise ImagenError("es una imagen animada")
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF
    raise ImagenError("es un WebP que no se entiende")


def _svg(data: bytes) -> Imagen:
    writer = _Escritor()
    parser = expat.ParserCreate(namespace_separator=_SEPARADOR)
    parser.StartElementHandler = writer.start
    parser.EndElementHandler = writer.end
    parser.CharacterDataHandler = writer.text
    # Without a document type there are no entities: neither bombs nor files of this machine.
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.ProcessingInstructionHandler = _refuse_instruction
    try:
        parser.Parse(data, True)  # noqa: FBT003 - the library's own order
    except expat.ExpatError as exc:
        raise ImagenError(f"no es un SVG bien escrito ({exc})") from exc
    if writer.tamano is None:
        raise ImagenError("el SVG no tiene «viewBox»")
    return Imagen("".join(writer.partes).encode(), "svg", *writer.tamano)


def _refuse_doctype(*_: object) -> None:
    raise ImagenError("el SVG tiene <!DOCTYPE>: guárdelo como SVG simple")


def _refuse_instruction(*_: object) -> None:
    raise ImagenError("el SVG tiene una instrucción <?…?>: guárdelo como SVG simple")


class _Escritor:
    """Writes again what it is told of an SVG, element by element."""

    def __init__(self) -> None:
        self.partes: list[str] = []
        self.tamano: tuple[int, int] | None = None
        self._open: list[str] = []
        self._silent = 0
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(_SEPARADOR)
        if self._silent or space in _AJENOS or (space == _SVG and local in _MUDOS):
            self._silent += 1
            return
        if space != _SVG or local not in _ELEMENTOS:
            raise ImagenError(f"el SVG tiene <{local}>, que no se admite")
        self._count += 1
        if self._count > MAX_ELEMENTOS or len(self._open) >= MAX_HONDURA:
            raise ImagenError(f"el SVG tiene demasiados elementos (límite: {MAX_ELEMENTOS}) o demasiado anidados")
        if (local == "svg") != (not self._open):
            raise ImagenError("el SVG debe ser un solo elemento <svg>, y dentro ningún otro")
        kept = {key: value for key, value in attributes.items() if key.rpartition(_SEPARADOR)[0] not in _AJENOS}
        for key, value in kept.items():
            self._check(local, key, value)
        if local == "svg":
            self.tamano = _size(kept.get("viewBox", ""))
            kept = {"xmlns": _SVG} | kept
        self._open.append(local)
        self.partes.append("<" + local + "".join(f' {key}="{escape(value)}"' for key, value in kept.items()) + ">")

    def end(self, name: str) -> None:
        del name
        if self._silent:
            self._silent -= 1
        else:
            self.partes.append(f"</{self._open.pop()}>")

    def text(self, text: str) -> None:
        if self._silent:
            return
        if self._open[-1] in ("title", "desc"):
            self.partes.append(str(escape(text)))
        elif text.strip():
            raise ImagenError("el SVG tiene texto suelto: convierta las letras en trazos")

    @staticmethod
    def _check(element: str, key: str, value: str) -> None:
        if key == "style":
            raise ImagenError(f"<{element}> tiene «style»: guárdelo como SVG simple, con atributos de presentación")
        if key not in _ATRIBUTOS:
            raise ImagenError(f"<{element}> tiene «{key.rpartition(_SEPARADOR)[2]}», que no se admite")
        if _REFERENCIA.fullmatch(value):
            return
        if (key == "id" and not _SOLO_NOMBRE.fullmatch(value)) or not _VALOR.fullmatch(value) or "url" in value.lower():
            raise ImagenError(f"«{key}» de <{element}> tiene un valor que no se admite")


def _size(box: str) -> tuple[int, int] | None:
    numbers = re.fullmatch(r"\s*[-\d.]+[\s,]+[-\d.]+[\s,]+(\d+(?:\.\d+)?)[\s,]+(\d+(?:\.\d+)?)\s*", box)
    if numbers is None:
        return None
    return max(round(float(numbers[1])), 1), max(round(float(numbers[2])), 1)
