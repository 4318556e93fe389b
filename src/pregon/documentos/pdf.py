"""A page made by typst with the fonts it brings: nothing is fetched, and the same data give the same bytes.

PDF/UA-1: tagged, with title and language. typst is in the extra ``papeles``.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING, Any

from pregon.base.errors import AjustesError

if TYPE_CHECKING:
    from datetime import datetime
    from types import ModuleType

    from pregon.documentos.bloques import Figura

_NO_SE_DIBUJA = re.compile(
    r"[^\n\x20-\x7e\xa0-\u017f\u0391-\u03a1\u03a3-\u03c9\u0410-\u044f\u2010-\u2026\u20ac\u2122\u2190-\u2193\u2212\u2264\u2265]"
)
"""Latin, Greek and Cyrillic letters and the usual signs are drawn; a test draws every one."""


def compone(template: bytes, data: dict[str, Any], *, hora: datetime, sin_papeles: str) -> bytes:
    """The PDF of a template that reads ``sys.inputs.datos``. ``hora`` is the date that the file states.

    ``sin_papeles``: what to do where typst is not installed, beyond installing it (Spanish, after a semicolon).

    Raises:
        AjustesError: typst is not installed.
    """
    made = _typst(sin_papeles).compile(
        template,
        sys_inputs={"datos": json.dumps(dibujable(data), ensure_ascii=False)},
        ignore_system_fonts=True,
        pdf_standards=["ua-1"],
        timestamp=int(hora.timestamp()),
    )
    if not isinstance(made, bytes):
        raise TypeError("typst gave no single document")
    return made


def _typst(sin_papeles: str) -> ModuleType:
    try:
        import typst
    except ImportError as exc:
        raise AjustesError(
            f"Falta el programa que hace el PDF: {exc.name}.",
            intacto="No se escribió nada.",
            que_hacer=f"Ejecute: pip install 'pregon[papeles]'; {sin_papeles}",
        ) from exc
    return typst


def a_png(svg: bytes, *, ppp: int = 200) -> bytes:
    """An SVG drawn as PNG of ``ppp`` dots for each inch of its own size, with the fonts that typst brings.

    Raises:
        AjustesError: typst is not installed.
    """
    return _drawn(svg.decode(), "svg", ppp)


def como_png(figura: Figura) -> bytes:
    """A figure as PNG, which every program for documents takes. Raises as ``a_png``."""
    match figura.tipo:
        case "png":
            return figura.imagen
        case "svg":
            return a_png(figura.imagen)
        case "webp":
            return _drawn(list(figura.imagen), "webp", 144)


def _drawn(image: str | list[int], kind: str, dots: int) -> bytes:
    typst = _typst("o pida el documento en PDF.")
    template = (
        "#set page(width: auto, height: auto, margin: 0pt, fill: none)\n"
        "#let datos = json(bytes(sys.inputs.datos))\n#image(bytes(datos.imagen), format: datos.tipo)"
    )
    made = typst.compile(
        template.encode(),
        sys_inputs={"datos": json.dumps(dibujable({"imagen": image, "tipo": kind}), ensure_ascii=False)},
        ignore_system_fonts=True,
        format="png",
        ppi=dots,
    )
    if not isinstance(made, bytes):
        raise TypeError("typst gave no single picture")
    return made


def dibujable(value: Any) -> Any:
    """The same data with a bullet for each letter that the fonts of the PDF lack: PDF/UA refuses a page with a hole.

    What people write may have anything; HTML and JSON keep it as it is.
    """
    match value:
        case str():
            return _NO_SE_DIBUJA.sub("•", unicodedata.normalize("NFC", value))
        case list():
            return [dibujable(each) for each in value]
        case dict():
            return {key: dibujable(each) for key, each in value.items()}
        case _:
            return value
