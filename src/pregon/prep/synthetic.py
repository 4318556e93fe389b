"""Elections that never happened: deterministic files for simulacros and tests, in the dialect of Puebla and Campeche.

The same arguments give the same bytes. An acta that arrived keeps its values in every later cut; the header of each
cut is counted from its own rows, so it never disagrees with them. Turnout takes casillas especiales in the last cut
only. Proportions follow the real files (real-data.md): some 12 % of actas with an unreadable cell, 5 % not counted,
1 % that never arrive, a few fuera de catálogo.
"""

from __future__ import annotations

import csv
import hashlib
import io
from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from pregon.prep import nombres
from pregon.prep.model import CAMPOS
from pregon.prep.percent import trunc4

if TYPE_CHECKING:
    from collections.abc import Sequence

PARTIDOS = ("PAN", "PRI", "PRD", "PVEM", "PT", "MC", "MORENA", "PL")
COALICION = ("PVEM", "PT", "MORENA")
COMBINACIONES = (("PVEM", "PT", "MORENA"), ("PVEM", "PT"), ("PVEM", "MORENA"), ("PT", "MORENA"))
REPRESENTANTES = 20

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
_BEFORE = [
    "SECCION",
    "ID_CASILLA",
    "TIPO_CASILLA",
    "EXT_CONTIGUA",
    "UBICACION_CASILLA",
    "TIPO_ACTA",
    "TOTAL_BOLETAS_SOBRANTES",
]
_COUNTS = ["TOTAL_PERSONAS_VOTARON", "TOTAL_REP_PARTIDO_CI_VOTARON", "TOTAL_VOTOS_SACADOS"]
_AFTER = [
    "TOTAL_VOTOS_ASENTADO",
    "TOTAL_VOTOS_CALCULADO",
    "LISTA_NOMINAL",
    "REPRESENTANTES_PP_CI",
    "OBSERVACIONES",
    "CONTABILIZADA",
    "MECANISMOS_TRASLADO",
    "CODIGO_INTEGRIDAD",
    "FECHA_HORA_ACOPIO",
    "FECHA_HORA_CAPTURA",
    "FECHA_HORA_VERIFICACION",
    "ORIGEN",
    "DIGITALIZACION",
    "TIPO_DOCUMENTO",
]
_NO_OBS = " - "  # as Puebla 2024 writes it


@dataclass(frozen=True, slots=True)
class _Casilla:
    """A polling place of the catalogue: the same in every election of one seed."""

    seccion: int
    tipo: str
    numero: int
    unidad: int
    urbana: bool
    lista: int


@dataclass(frozen=True, slots=True)
class _Row:
    """An acta before and after it arrives, with what the header needs of it."""

    llega: int  # index of the first cut that has it; the number of cuts when it never arrives
    pendiente: tuple[str, ...] | None  # None: a row that exists only once it arrives (fuera de catálogo)
    capturada: tuple[str, ...]
    contabilizada: str
    inconsistente: bool
    lista: int
    votos: int
    especial: bool


@dataclass(frozen=True)
class SyntheticElection:
    """One contest of a made-up election. Made by ``election``."""

    titulo: str
    file_stem: str
    cortes: tuple[datetime, ...]
    columnas: tuple[str, ...]
    _rows: tuple[_Row, ...]
    _candidaturas: tuple[tuple[str, ...], ...]

    def actas_csv(self, i: int) -> bytes:
        """The per-acta file of cut ``i`` (0 is the first). Raises IndexError when there is no such cut."""
        if not 0 <= i < len(self.cortes):
            raise IndexError(f"no cut {i} of {len(self.cortes)}")
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\n")
        out.write(f"{self.titulo}\n{_stamp(self.cortes[i])}\n\n")
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
    maker = _Maker(
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
    catalogue = _catalogue(casillas, unidades, semilla)
    rows = [maker.row(casilla) for casilla in catalogue]
    rows.extend(maker.outside(i) for i in range(1 + casillas // 400))
    return SyntheticElection(
        titulo=titulo,
        file_stem=f"SIM_{stem}_{cortes[0].year}",
        cortes=tuple(cortes),
        columnas=maker.columns(unit_columns),
        _rows=tuple(rows),
        _candidaturas=tuple(maker.candidates(unit_columns[0], unidades)),
    )


def _catalogue(casillas: int, unidades: int, semilla: int) -> list[_Casilla]:
    rng = Random(f"{semilla}/casillas/{casillas}")  # noqa: S311 - made-up data, not a secret
    found: list[_Casilla] = []
    seccion, unit = 0, 0
    while len(found) < casillas:
        seccion += 1
        urban = rng.random() < 0.7
        lista = rng.randint(280, 750)
        kinds = [("B", 1), *(("C", n) for n in range(1, rng.choice((1, 1, 2, 3, 4)) + 1))]
        kinds += [("E", 1)] if rng.random() < 0.03 else []
        kinds += [("S", 1)] if rng.random() < 0.03 else []
        # Units are runs of whole secciones; none is left without casillas.
        unit = min(unit + 1, 1 + len(found) * unidades // casillas)
        for tipo, numero in kinds[: casillas - len(found) - (unidades - unit)]:
            found.append(_Casilla(seccion, tipo, numero, unit, urban, 0 if tipo == "S" else lista + rng.randint(-1, 1)))
    return found


@dataclass
class _Maker:
    rng: Random
    cortes: tuple[datetime, ...]
    entidad: tuple[int, str]
    number: int
    independent: bool
    whole: bool
    weights: dict[int, list[float]]
    coalition: dict[int, bool]
    unit_names: tuple[str, ...]

    @property
    def vote_columns(self) -> tuple[str, ...]:
        combos = tuple("C_" + "_".join(members) for members in COMBINACIONES)
        independent = ("CAND_IND_1",) if self.independent else ()
        return (*PARTIDOS, *combos, *independent, "NO_REGISTRADAS", "NULOS")

    def columns(self, unit: tuple[str, str]) -> tuple[str, ...]:
        before = ("CLAVE_CASILLA", "CLAVE_ACTA", "ID_ENTIDAD", "ENTIDAD", *unit, *_BEFORE, *_COUNTS)
        return (*before, *self.vote_columns, *_AFTER)

    def together(self, unidad: int) -> bool:
        """Whether the coalition stands in this unit: always in a contest of the whole entity, else in most."""
        return self.whole or unidad % 5 != 0

    def has_independent(self, unidad: int) -> bool:
        return self.independent and unidad % 3 == 1

    def row(self, casilla: _Casilla) -> _Row:
        """One acta of the catalogue: its arrival, its case and its cells."""
        rng = self.rng
        llega = self._arrival()
        case = rng.choices(
            ("buena", "algun", "todos", "excede", "sin_acta"), weights=(0.83, 0.115, 0.03, 0.003, 0.022)
        )[0]
        if case == "sin_acta":  # known at the end: the closing surge
            llega = max(llega, len(self.cortes) - 1)
        if rng.random() < 0.01:
            llega = len(self.cortes)
        cells, votes = self._votes(casilla, case)
        counted = case in ("buena", "algun")
        key = f"{self.entidad[0]:02d}{casilla.seccion:04d}{casilla.tipo}{casilla.numero:02d}00"
        head = (
            key,
            f"{key}{self.number:02d}",
            f"{self.entidad[0]:02d}",
            self.entidad[1],
            f"{casilla.unidad:03d}",
            self.unit_names[casilla.unidad - 1],
            f"{casilla.seccion:04d}",
            f"{casilla.numero:02d}",
            casilla.tipo,
            "00",
            "1" if casilla.urbana else "2",
            str(self.number),
        )
        blank = tuple("-" for _ in self.vote_columns)
        tail = ("0", str(casilla.lista), str(REPRESENTANTES), *("-" for _ in _AFTER[4:]))
        noted = {
            "buena": _NO_OBS,
            "algun": "ALGUN CAMPO ILEGIBLE O SIN DATO",
            "todos": "TODOS ILEGIBLES O SIN DATO",
            "excede": "EXCEDE LISTA NOMINAL",
            "sin_acta": "SIN ACTA POR PAQUETE NO ENTREGADO",
        }[case]
        limit = casilla.lista + REPRESENTANTES
        counts = ("SIN ACTA",) * 4 if case == "sin_acta" else (str(max(limit - votes, 0)), str(votes), "4", str(votes))
        papers = self._papers(key, min(llega, len(self.cortes) - 1), absent=case == "sin_acta")
        written = "SIN ACTA" if case == "sin_acta" else str(votes)
        end = (written, str(votes), str(casilla.lista), str(REPRESENTANTES), noted, "1" if counted else "0", *papers)
        return _Row(
            llega=llega,
            pendiente=(*head, "-", "-", "-", "-", *blank, "-", *tail),
            capturada=(*head, *counts, *cells, *end),
            contabilizada="1" if counted else "0",
            inconsistente=case in ("algun", "todos", "excede"),
            lista=casilla.lista,
            votos=votes,
            especial=casilla.tipo == "S",
        )

    def outside(self, place: int) -> _Row:
        """An acta that no casilla of the catalogue explains: CONTABILIZADA 2, no key, no votes."""
        llega = self._arrival()
        empty = ("",) * (len(self.vote_columns) + 4)
        head = ("", "", f"{self.entidad[0]:02d}", self.entidad[1], *("",) * 6, "3", "")
        sha, acopio = self._papers(f"fuera-{place}", llega, absent=False)[1:3]
        tail = ("", "", "", "", "FUERA DE CATALOGO", "2", "-", sha, acopio, "", "", "CATD", "ESCANER", "ACTA PREP")
        return _Row(llega, None, (*head, *empty, *tail), "2", inconsistente=False, lista=0, votos=0, especial=False)

    def candidates(self, unit_column: str, unidades: int) -> list[tuple[str, ...]]:
        """The rows of the catalogue, column names first."""
        if self.whole:
            found: list[tuple[str, ...]] = [("ID_ENTIDAD", "PARTIDO_CI", "CANDIDATURA_PROPIETARIA")]
        else:
            unit = unit_column if unit_column.endswith(("LOCAL", "FEDERAL")) else f"{unit_column}_LOCAL"
            found = [("ID_ENTIDAD", unit, "PARTIDO_CI", "CANDIDATURA_PROPIETARIA", "CANDIDATURA_SUPLENTE")]
        state = f"{self.entidad[0]:02d}"
        for unidad in range(1, 2 if self.whole else unidades + 1):
            joint = (nombres.persona(self.rng), nombres.persona(self.rng))
            together = self.together(unidad)
            names = [p for p in self.vote_columns[:-2] if together or not p.startswith("C_")]
            for name in names:
                if name == "CAND_IND_1" and not self.has_independent(unidad):
                    continue
                shared = together and (name in COALICION or name.startswith("C_"))
                people = joint if shared else (nombres.persona(self.rng), nombres.persona(self.rng))
                found.append((state, name, people[0]) if self.whole else (state, f"{unidad:03d}", name, *people))
        return found

    def _arrival(self) -> int:
        """Index of a cut: few actas at first, most in the middle, a tail."""
        n = len(self.cortes)
        curve = [((i + 1) / n) ** 1.4 for i in range(n)]
        return min(bisect_left(curve, self.rng.random()), n - 1)

    def _votes(self, casilla: _Casilla, case: str) -> tuple[tuple[str, ...], int]:
        """The vote cells and their sum, as the case makes them; a column that does not contest has ``-``."""
        names = self.vote_columns
        contests = [
            not (name.startswith("C_") and not self.together(casilla.unidad))
            and not (name == "CAND_IND_1" and not self.has_independent(casilla.unidad))
            for name in names
        ]
        if case == "sin_acta":
            return tuple("SIN ACTA" if ok else "-" for ok in contests), 0
        if case == "todos":
            word = self.rng.choice(("ILEGIBLE", "SIN DATO"))
            return tuple(word if ok else "-" for ok in contests), 0
        counts = self._counts(casilla, contests, exceeds=case == "excede")
        cells = [str(n) if ok else "-" for n, ok in zip(counts, contests, strict=True)]
        if case == "algun":
            places = [i for i, ok in enumerate(contests) if ok]
            for i in self.rng.sample(places, self.rng.randint(1, 3)):
                cells[i] = self.rng.choice(("ILEGIBLE", "SIN DATO", "SIN DATO"))
                counts[i] = 0
        return tuple(cells), sum(counts)

    def _counts(self, casilla: _Casilla, contests: list[bool], *, exceeds: bool) -> list[int]:
        rng = self.rng
        weights = self.weights.get(casilla.unidad)
        if weights is None:
            weights = [rng.gammavariate(2.0, 1.0) * (0.15 if n == "PL" else 1.0) for n in PARTIDOS]
            self.weights[casilla.unidad] = weights
        size = casilla.lista or 750
        total = size + REPRESENTANTES + rng.randint(1, 60) if exceeds else int(size * rng.uniform(0.35, 0.78))
        drawn = []
        for name, ok in zip(self.vote_columns, contests, strict=True):
            weight = _weight(name, weights)
            drawn.append(rng.gammavariate(3.0, weight / 3.0) if ok and weight else 0.0)
        whole = sum(drawn) or 1.0
        counts = [int(total * share / whole) for share in drawn]
        if rng.random() < 0.2:
            counts[self.vote_columns.index("NO_REGISTRADAS")] += 1
        counts[PARTIDOS.index("MORENA")] += total - sum(counts)
        return counts

    def _papers(self, key: str, cut: int, *, absent: bool) -> tuple[str, ...]:
        """MECANISMOS_TRASLADO and what follows: the image's hash, three times before the cut, origin and kind."""
        if absent:
            return ("N/A", "N/A", "N/A", "N/A", "N/A", "CATD", "N/A", "N/A")
        rng = self.rng
        end = self.cortes[cut]
        start = self.cortes[cut - 1] if cut else end - timedelta(minutes=30)
        checked = start + (end - start) * rng.uniform(0.3, 0.95)
        captured = checked - timedelta(seconds=rng.randint(60, 400))
        received = captured - timedelta(seconds=rng.randint(120, 1800))
        times = (received, captured, checked)
        sha = hashlib.sha256(f"{self.number}/{key}/{rng.random()}".encode()).hexdigest()
        mobile = rng.random() < 0.4
        return (
            rng.choice(("D", "F", "I", "F", "-")),
            sha,
            *(t.strftime("%d/%m/%Y %H:%M:%S") for t in times),
            "CASILLA" if mobile else "CATD",
            "MOVIL" if mobile else "ESCANER",
            "ACTA PREP",
        )


def _weight(name: str, weights: list[float]) -> float:
    if name in PARTIDOS:
        return weights[PARTIDOS.index(name)]
    return {"NO_REGISTRADAS": 0.0, "NULOS": 0.25, "CAND_IND_1": 0.6}.get(name, 0.09)


def _stamp(cut: datetime) -> str:
    offset = cut.utcoffset() or timedelta(0)
    hours, seconds = divmod(abs(int(offset.total_seconds())), 3600)
    minutes = f":{seconds // 60:02d}" if seconds else ""
    return f"{cut:%d/%m/%Y %H:%M} (UTC{'-' if offset < timedelta(0) else '+'}{hours}{minutes})"
