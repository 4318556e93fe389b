"""The sheet of fingerprints: one printed page by which a person checks, by eye and aloud, whose root this is.

Made by typst with the fonts it brings: no network, no fonts of the machine. Tagged, with title and language, and the
same bytes for the same data.
"""

from __future__ import annotations

import io
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

from pregon.base.errors import AjustesError, UsoError
from pregon.documentos.pdf import compone
from pregon.instituto.ceremonia.acto import EQUIPO
from pregon.instituto.ceremonia.inventario import renglones
from pregon.trust.keys import RAIZ

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.instituto.ceremonia.inventario import Inventario, Llave
    from pregon.instituto.workspace import Workspace

Papel = Literal["carta", "a4"]
PRESENTES_MAX = 6
"""Signature lines that fit on the page."""
TEXTO_MAX = 90
"""Characters of a name or an address on the sheet."""
_LUGAR_MAX = 24
_PLANTILLA = "hoja.typ"
_TYPST_PAPER = {"carta": "us-letter", "a4": "a4"}
_BLANK = ("Nombre, cargo y firma",) * 4


def render(
    espacio: Workspace,
    inventory: Inventario,
    *,
    url: str | None = None,
    presentes: Sequence[str] = (),
    papel: Papel = "carta",
) -> bytes:
    """The PDF of a workspace's sheet: one page, PDF/UA-1.

    ``url`` is where the root is published; ``presentes`` the names under the signature lines (none: four blank ones).

    Raises:
        AjustesError: typst or segno is not installed.
        UsoError: too many names, or one too long.
    """
    try:
        import segno
    except ImportError as exc:
        raise AjustesError(
            f"Falta el programa que hace la hoja: {exc.name}.",
            intacto="No se escribió nada.",
            que_hacer="Ejecute: pip install 'pregon[papeles]'",
        ) from exc
    texts = [*presentes, *([] if url is None else [url])]
    if len(presentes) > PRESENTES_MAX or any(not 0 < len(text) <= TEXTO_MAX for text in texts):
        raise UsoError(
            f"En la hoja caben {PRESENTES_MAX} nombres, y una dirección, de hasta {TEXTO_MAX} caracteres.",
            intacto="No se escribió nada.",
            que_hacer="Abrevie los nombres o la dirección.",
        )
    code = io.BytesIO()
    segno.make(qr_text(inventory.raiz_sha256, url), error="m", micro=False).save(code, kind="svg", border=2)
    data = _data(espacio, inventory, url=url, presentes=tuple(presentes) or _BLANK, papel=papel)
    data["qr"] = code.getvalue().decode()
    template = resources.files("pregon.instituto.ceremonia").joinpath(_PLANTILLA).read_bytes()
    return compone(template, data, hora=inventory.hora, sin_papeles="y repita la orden.")


def qr_text(sha256: str, url: str | None) -> str:
    """What the code says: the digest of ``root.json`` and, on a second line, where it is published."""
    return f"sha256:{sha256}" + ("" if url is None else f"\n{url}")


def _data(
    espacio: Workspace, inventory: Inventario, *, url: str | None, presentes: tuple[str, ...], papel: Papel
) -> dict[str, Any]:
    profile = espacio.convocatoria
    zone = profile.zona
    made = inventory.hora.astimezone(zone)
    root = inventory.papeles[0]
    return {
        "papel": _TYPST_PAPER[papel],
        "instituto": profile.instituto,
        "instituto_nombre": profile.instituto_nombre or profile.instituto,
        "convocatoria": profile.id,
        "convocatoria_nombre": profile.nombre,
        "ambiente": espacio.settings.ambiente,
        "raiz_version": inventory.raiz_version,
        "raiz_vence": f"{root.vence.astimezone(zone):%d/%m/%Y}",
        "raiz_huella": renglones(inventory.raiz_sha256),
        "umbral": root.umbral,
        "llaves": [
            {"nombre": _name(llave), "lugar": _place(llave), "huella": renglones(llave.keyid)}
            for llave in inventory.of(RAIZ)
        ],
        "en_linea": [
            {
                "rol": llave.rol,
                "nombre": _name(llave),
                "lugar": _place(llave),
                "extremos": f"{llave.keyid[:4]} {llave.keyid[4:8]} … {llave.keyid[-8:-4]} {llave.keyid[-4:]}",
            }
            for llave in inventory.llaves
            if llave.rol != RAIZ
        ],
        "url": url,
        "qr_dice": "el SHA-256 de root.json" + ("" if url is None else " y la dirección publicada"),
        "hecha": f"{made:%d/%m/%Y a las %H:%M} h",
        "fecha": [made.year, made.month, made.day],
        "presentes": list(presentes),
    }


def _name(llave: Llave) -> str:
    return llave.nombre or f"{llave.keyid[:4]} {llave.keyid[4:8]}"


def _place(llave: Llave) -> str:
    """Where it should be, without the path: that of a machine says nothing on paper."""
    if llave.lugar == EQUIPO:
        return "equipo que firma" if llave.rol != RAIZ else "equipo que firma (debe salir de ahí)"
    if llave.lugar is None:
        return "medio aparte"
    return f"medio aparte: {llave.lugar.rstrip('/').rpartition('/')[2][:_LUGAR_MAX]}"
