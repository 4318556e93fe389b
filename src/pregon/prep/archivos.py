"""Names of the official database as institutes publish it: the zips, and the files within.

Local (Campeche 2021, Quintana Roo 2019): ``20210607_2000_PREP_GOB_CAMP.zip`` with ``LEEME.txt``, ``CAMP_GOB_2021.csv``
and ``CAMP_GOB_CANDIDATURA_2021.csv``; Campeche wraps those of one cut in ``20210607_2000_PREP_CAMP.zip``. Federal:
``20240603_2005_PREP.zip`` with ``20240603_2005_PREP_PRES.zip`` with ``PRES_2024.csv`` and
``PRES_CANDIDATURAS_2024.csv``. The stamp is the hour of the cut in its own local time (prep.md §2.5).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

LEEME = "LEEME.txt"
Palabra: TypeAlias = Literal["CANDIDATURA", "CANDIDATURAS", "Candidaturas"]

_STAMP = r"(?P<dia>\d{8})_(?P<hora>\d{4})"
_ZIP = re.compile(rf"{_STAMP}_PREP(?:_(?P<resto>[A-Za-z0-9]+(?:_[A-Za-z0-9]+)*))?\.zip", re.ASCII)
_PART = re.compile(r"[A-Za-z0-9]+(?:_[A-Za-z0-9]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class ZipName:
    """What the name of a published zip says. ``hora`` is local, of no zone; ``resto`` what follows ``PREP``."""

    hora: datetime
    resto: str

    def token(self, entidad: str) -> str:
        """The election (``DIP_LOC``) of ``resto``, given the entity's letters; empty for the zip of the whole cut."""
        if self.resto == entidad:
            return ""
        return self.resto.removesuffix(f"_{entidad}") if entidad else self.resto


def zip_name(hora: datetime, token: str, entidad: str) -> str:
    """The zip of one election: ``20210607_2000_PREP_DIP_LOC_CAMP.zip``; without the entity in a federal one.

    Raises:
        ValueError: a token or an entity that has no place in a name.
    """
    return f"{_stem(hora, token, entidad)}.zip"


def outer_zip_name(hora: datetime, entidad: str) -> str:
    """The zip around those of one cut: ``20210607_2000_PREP_CAMP.zip``; ``20240603_2005_PREP.zip`` in a federal one."""
    return f"{_stem(hora, '', entidad)}.zip"


def actas_name(token: str, entidad: str, year: int) -> str:
    """The per-acta file: ``CAMP_DIP_LOC_2021.csv``; ``PRES_2024.csv`` in a federal one."""
    return f"{_joined(entidad, token, str(year))}.csv"


def candidaturas_name(token: str, entidad: str, year: int, *, palabra: Palabra = "CANDIDATURAS") -> str:
    """The catalogue: ``CAMP_DIP_LOC_CANDIDATURA_2021.csv``; ``PRES_CANDIDATURAS_2024.csv`` in a federal one."""
    return f"{_joined(entidad, token, palabra, str(year))}.csv"


def parse_zip_name(name: str) -> ZipName | None:
    """What the name of a zip says, or None when it is not one of a PREP cut."""
    match = _ZIP.fullmatch(name)
    if match is None:
        return None
    try:
        hora = datetime.strptime(match["dia"] + match["hora"], "%Y%m%d%H%M")  # noqa: DTZ007 - a name says no zone
    except ValueError:
        return None
    return ZipName(hora, match["resto"] or "")


def _stem(hora: datetime, token: str, entidad: str) -> str:
    return f"{hora:%Y%m%d_%H%M}_{_joined('PREP', token, entidad)}"


def _joined(*parts: str) -> str:
    found = [part for part in parts if part]
    for part in found:
        if not _PART.fullmatch(part):
            raise ValueError(f"not a part of a name: {part!r}")
    return "_".join(found)
