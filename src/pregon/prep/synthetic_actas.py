"""The actas of a made-up election: the catalogue of casillas, and what each acta says when it arrives."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

from pregon.prep import nombres

if TYPE_CHECKING:
    from datetime import datetime

PARTIDOS = ("PAN", "PRI", "PRD", "PVEM", "PT", "MC", "MORENA", "PL")
COALICION = ("PVEM", "PT", "MORENA")
COMBINACIONES = (("PVEM", "PT", "MORENA"), ("PVEM", "PT"), ("PVEM", "MORENA"), ("PT", "MORENA"))
REPRESENTANTES = 20

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
class Casilla:
    """A polling place of the catalogue: the same in every election of one seed."""

    seccion: int
    tipo: str
    numero: int
    unidad: int
    urbana: bool
    lista: int


@dataclass(frozen=True, slots=True)
class Row:
    """An acta before and after it arrives, with what the header needs of it."""

    llega: int  # index of the first cut that has it; the number of cuts when it never arrives
    pendiente: tuple[str, ...] | None  # None: a row that exists only once it arrives (fuera de catálogo)
    capturada: tuple[str, ...]
    contabilizada: str
    inconsistente: bool
    lista: int
    votos: int
    especial: bool


def catalogue(casillas: int, unidades: int, semilla: int) -> list[Casilla]:
    rng = Random(f"{semilla}/casillas/{casillas}")  # noqa: S311 - made-up data, not a secret
    found: list[Casilla] = []
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
            found.append(Casilla(seccion, tipo, numero, unit, urban, 0 if tipo == "S" else lista + rng.randint(-1, 1)))
    return found


@dataclass
class Maker:
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

    def row(self, casilla: Casilla) -> Row:
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
        return Row(
            llega=llega,
            pendiente=(*head, "-", "-", "-", "-", *blank, "-", *tail),
            capturada=(*head, *counts, *cells, *end),
            contabilizada="1" if counted else "0",
            inconsistente=case in ("algun", "todos", "excede"),
            lista=casilla.lista,
            votos=votes,
            especial=casilla.tipo == "S",
        )

    def outside(self, place: int) -> Row:
        """An acta that no casilla of the catalogue explains: CONTABILIZADA 2, no key, no votes."""
        llega = self._arrival()
        empty = ("",) * (len(self.vote_columns) + 4)
        head = ("", "", f"{self.entidad[0]:02d}", self.entidad[1], *("",) * 6, "3", "")
        sha, acopio = self._papers(f"fuera-{place}", llega, absent=False)[1:3]
        tail = ("", "", "", "", "FUERA DE CATALOGO", "2", "-", sha, acopio, "", "", "CATD", "ESCANER", "ACTA PREP")
        return Row(llega, None, (*head, *empty, *tail), "2", inconsistente=False, lista=0, votos=0, especial=False)

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

    def _votes(self, casilla: Casilla, case: str) -> tuple[tuple[str, ...], int]:
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

    def _counts(self, casilla: Casilla, contests: list[bool], *, exceeds: bool) -> list[int]:
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
