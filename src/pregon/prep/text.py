"""Small readings of text that every dialect needs: keys, names without accents, cells."""

from __future__ import annotations

import re
import unicodedata

from pregon.prep.marcas import Cell, Marker

_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.0*)?", re.ASCII)
_INTEGER = re.compile(r"(\d{1,12})(?:\.0*)?", re.ASCII)

_ITEMS = re.compile(r"'([^']*)'|\"([^\"]*)\"")

_ID_DIGITS = 4
NO_UNIT = frozenset({"", "-", "--", "N/A", "n/a"})

_MARKERS = {
    "": Marker.VACIO,
    "-": Marker.NO_CONTIENDE,
    "--": Marker.NO_CONTIENDE,
    "ilegible": Marker.ILEGIBLE,
    "sin dato": Marker.SIN_DATO,
    "sin acta": Marker.SIN_ACTA,
    "n/a": Marker.NO_APLICA,
    "no aplica": Marker.NO_APLICA,
}


def fold(text: str) -> str:
    """Upper case, without accents, with single spaces: ``Catálogo`` -> ``CATALOGO``."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return " ".join(plain.upper().split())


def clean_key(text: str) -> str:
    """A key without its wrapping: ``="230085B0100"``, ``'210001B0100`` or ``'210000M0100'`` -> the bare key."""
    if text.isalnum():
        return text  # nearly every key of a national file
    text = text.strip()
    if text.startswith('="') and text.endswith('"'):
        text = text[2:-1]
    return text.strip("'\"").strip()


def entity_id(text: str) -> str:
    """The id of an entidad as two digits: ``'04`` and ``4`` -> ``04``; other text as it is; none -> empty."""
    bare = clean_key(text)
    if bare in NO_UNIT:
        return ""
    return f"{int(bare):02d}" if bare.isascii() and bare.isdecimal() and len(bare) <= _ID_DIGITS else bare


def key_style(text: str) -> str | None:
    """How a cell is wrapped (``formula``, ``apostrofo``, ``ambas``), or None when it is bare."""
    text = text.strip()
    if text.startswith('="'):
        return "formula"
    if text.startswith("'"):
        return "ambas" if len(text) > 1 and text.endswith("'") else "apostrofo"
    return None


def parse_count(text: str) -> int | None:
    """A count as published: ``3284``, ``2658993.0`` (Puebla 2024) or ``2,658,993`` (Puebla 2019); else None."""
    text = text.strip().strip("'").strip()
    match = _INTEGER.fullmatch(text)
    if match is not None:
        return int(match.group(1))
    if _THOUSANDS.fullmatch(text):
        return int(text.split(".", maxsplit=1)[0].replace(",", ""))
    return None


def parse_cell(text: str) -> Cell:
    """A vote cell: a count, or the marker that stands for it. Text of neither kind is ``Marker.DESCONOCIDO``."""
    count = parse_count(text)
    if count is not None:
        return count
    folded = " ".join(text.strip().strip("'").replace("_", " ").casefold().split())
    return _MARKERS.get(folded, Marker.DESCONOCIDO)


def parse_list(text: str) -> tuple[str, ...] | None:
    """The items of a cell written as a list of Python, ``['Ilegible', 'Sin dato']`` (federal 2024); else None."""
    body = text.strip()
    if not (body.startswith("[") and body.endswith("]")):
        return None
    return tuple(first or second for first, second in _ITEMS.findall(body[1:-1]))


def natural(text: str) -> tuple[int, int, str]:
    """Sort key for unit ids: numbers by value (``2`` before ``10``), other text after."""
    return (0, int(text), text) if text.isascii() and text.isdecimal() else (1, 0, text)
