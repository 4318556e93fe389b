"""Elections that never happened: deterministic files for simulacros and tests, in the dialect of Puebla and Campeche.

The same arguments give the same bytes. An acta that arrived keeps its values in every later cut; the header of each
cut is counted from its own rows, so it never disagrees with them. Turnout takes casillas especiales in the last cut
only. Proportions follow the real files (real-data.md): some 12 % of actas with an unreadable cell, 5 % not counted,
1 % that never arrive, a few fuera de catálogo.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from pregon.prep import nombres
from pregon.prep.model import CAMPOS
from pregon.prep.percent import trunc4
from pregon.prep.synthetic_actas import Maker, Row, catalogue
from pregon.prep.writer import cut_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

# Code -> title of the file, name in the file's stem, unit columns, number printed on the acta.
_ELECCIONES: dict[str, tuple[str, str, tuple[str, str], int]] = {
    "GUB": ("GUBERNATURA", "GUB", ("ID_DISTRITO_LOCAL", "DISTRITO_LOCAL"), 2),
    "DIP": ("DIPUTACIONES LOCALES", "DIP_LOC", ("ID_DISTRITO_LOCAL", "DISTRITO_LOCAL"), 3),
    "AYU": ("AYUNTAMIENTOS", "AYUN", ("ID_MUNICIPIO", "MUNICIPIO"), 4),
    "ALC": ("ALCALDIAS", "ALC", ("ID_ALCALDIA", "ALCALDIA"), 4),
    "JUNTAS": ("JUNTAS", "JUNTAS", ("ID_DISTRITO_LOCAL", "DISTRITO_LOCAL"), 7),
    "PRES": ("PRESIDENCIA", "PRES", ("ID_DISTRITO_FEDERAL", "DISTRITO_FEDERAL"), 1),
    "SEN": ("SENADURÍAS", "SEN", ("ID_DISTRITO_FEDERAL", "DISTRITO_FEDERAL"), 5),
    "DIP_FED": ("DIPUTACIONES FEDERALES", "DIP_FED", ("ID_DISTRITO_FEDERAL", "DISTRITO_FEDERAL"), 6),
}
_WHOLE = frozenset({"GUB", "PRES", "SEN"})


@dataclass(frozen=True)
class SyntheticElection:
    """One contest of a made-up election. Made by ``election``."""

    titulo: str
    file_stem: str
    cortes: tuple[datetime, ...]
    columnas: tuple[str, ...]
    _rows: tuple[Row, ...]
    _candidaturas: tuple[tuple[str, ...], ...]

    def actas_csv(self, i: int) -> bytes:
        """The per-acta file of cut ``i`` (0 is the first). Raises IndexError when there is no such cut."""
        if not 0 <= i < len(self.cortes):
            raise IndexError(f"no cut {i} of {len(self.cortes)}")
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\n")
        out.write(f"{self.titulo}\n{cut_text(self.cortes[i], 'dma')}\n\n")
        writer.writerow(CAMPOS)
        writer.writerow(self._header(i))
        writer.writerow(self.columnas)
        for row in self._rows:
            if row.llega <= i:
                writer.writerow(row.capturada)
            elif row.pendiente is not None:
                writer.writerow(row.pendiente)
        return out.getvalue().encode()

    def candidaturas_csv(self) -> bytes:
        """The CANDIDATURAS file: one row per party and per combination, with the same people."""
        out = io.StringIO(newline="")
        csv.writer(out, lineterminator="\n").writerows(self._candidaturas)
        return out.getvalue().encode()

    def _header(self, i: int) -> list[str]:
        expected = sum(1 for row in self._rows if row.pendiente is not None)
        here = [row for row in self._rows if row.llega <= i]
        captured = [row for row in here if row.pendiente is not None]
        counted = [row for row in captured if row.contabilizada == "1"]
        outside = len(here) - len(captured)
        lista = sum(row.lista for row in counted)
        with_special = sum(row.votos for row in counted)
        without = sum(row.votos for row in counted if not row.especial)
        last = i == len(self.cortes) - 1
        values = (
            expected,
            len(here),
            outside,
            len(captured),
            trunc4(len(captured), expected),
            len(counted),
            trunc4(len(counted), expected),
            trunc4(sum(row.inconsistente for row in captured), expected),
            len(captured) - len(counted),
            lista,
            with_special,
            without,
            trunc4(with_special if last else without, lista),
        )
        return [str(value) for value in values]


def election(
    eleccion: str,
    *,
    casillas: int,
    unidades: int,
    cortes: Sequence[datetime],
    semilla: int,
    entidad: tuple[int, str],
) -> SyntheticElection:
    """Make one contest: ``casillas`` rows in ``unidades`` districts or municipalities, told at each of ``cortes``.

    ``eleccion`` is a profile's code (``GUB``, ``DIP``, ``AYU``, …). ``cortes`` are aware instants in local time, in
    order; their offset is the label of the file's cut line. ``entidad`` is the number and name of the state. Elections
    of one ``semilla`` with the same number of casillas share their catalogue of secciones.

    Raises:
        ValueError: an unknown election, no cuts, naive or unordered instants, or fewer casillas than units.
    """
    if eleccion not in _ELECCIONES:
        raise ValueError(f"unknown election {eleccion!r}; one of {', '.join(_ELECCIONES)}")
    if not cortes or any(c.utcoffset() is None for c in cortes) or list(cortes) != sorted(cortes):
        raise ValueError("cuts must be aware instants in order, at least one")
    if not 1 <= unidades <= casillas:
        raise ValueError("there must be at least one unit, and no more units than casillas")
    titulo, stem, unit_columns, number = _ELECCIONES[eleccion]
    maker = Maker(
        rng=Random(f"{semilla}/{eleccion}"),  # noqa: S311 - made-up data, not a secret
        cortes=tuple(cortes),
        entidad=entidad,
        number=number,
        independent=eleccion not in _WHOLE,
        whole=eleccion in _WHOLE,
        weights={},
        coalition={},
        unit_names=nombres.unidades(unidades, municipios="MUNICIPIO" in unit_columns[1], semilla=semilla),
    )
    rows = [maker.row(casilla) for casilla in catalogue(casillas, unidades, semilla)]
    rows.extend(maker.outside(i) for i in range(1 + casillas // 400))
    return SyntheticElection(
        titulo=titulo,
        file_stem=f"SIM_{stem}_{cortes[0].year}",
        cortes=tuple(cortes),
        columnas=maker.columns(unit_columns),
        _rows=tuple(rows),
        _candidaturas=tuple(maker.candidates(unit_columns[0], unidades)),
    )
