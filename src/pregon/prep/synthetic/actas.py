"""What each acta of a made-up election says: before it arrives, when it arrives, and once corrected.

An acta's figures come from a hash of the seed and its place, so that it can be written at any moment, in any order.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from pregon.prep import nombres
from pregon.prep.synthetic.llegadas import CASOS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pregon.prep.synthetic.catalogo import Casilla, Unidad
    from pregon.prep.synthetic.llegadas import Llegadas

PARTIDOS = ("PAN", "PRI", "PRD", "PVEM", "PT", "MC", "MORENA")
LOCALES = ("PL",)
COALICIONES = (("PAN", "PRI", "PRD"), ("PVEM", "PT", "MORENA"))
REPRESENTANTES = 20
_ALONE_EVERY = (7, 5)  # in one unit of so many, each coalition does not stand

_BEFORE = (
    *("SECCION", "ID_CASILLA", "TIPO_CASILLA", "EXT_CONTIGUA", "UBICACION_CASILLA", "TIPO_ACTA"),
    "TOTAL_BOLETAS_SOBRANTES",
)
_COUNTS = ("TOTAL_PERSONAS_VOTARON", "TOTAL_REP_PARTIDO_CI_VOTARON", "TOTAL_VOTOS_SACADOS")
_AFTER = (
    *("TOTAL_VOTOS_ASENTADO", "TOTAL_VOTOS_CALCULADO", "LISTA_NOMINAL", "REPRESENTANTES_PP_CI", "OBSERVACIONES"),
    *("CONTABILIZADA", "MECANISMOS_TRASLADO", "CODIGO_INTEGRIDAD", "FECHA_HORA_ACOPIO", "FECHA_HORA_CAPTURA"),
    *("FECHA_HORA_VERIFICACION", "ORIGEN", "DIGITALIZACION", "TIPO_DOCUMENTO"),
)
_NO_OBS = " - "  # as Puebla 2024 writes it
_ALGUN = "ALGUN CAMPO ILEGIBLE O SIN DATO"
_NOTES = {
    "buena": _NO_OBS,
    "algun": _ALGUN,
    "todos": "TODOS ILEGIBLES O SIN DATO",
    "excede": "EXCEDE LISTA NOMINAL",
}
# Puebla GUB 2024: 693, 236 and 14 actas.
_SIN_ACTA = (
    (188, "SIN ACTA POR PAQUETE NO ENTREGADO"),
    (252, "SIN ACTA POR PAQUETE ENTREGADO SIN BOLSA"),
    (256, "SIN ACTA POR CASILLA NO INSTALADA"),
)
_ABSENT = ("N/A", "N/A", "N/A", "N/A", "N/A", "CATD", "N/A", "N/A")


def _combinations(members: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """All the ways to mark two parties or more: the three together first."""
    a, b, c = members
    return members, (a, b), (a, c), (b, c)


class Acta(NamedTuple):
    """An acta that arrived, and what the header needs of it."""

    celdas: tuple[str, ...]
    contabilizada: bool
    inconsistente: bool
    lista: int
    votos: int
    especial: bool


class _Standing(NamedTuple):
    """Who stands in a unit: weight of each vote column, 0.0 where it does not contest."""

    pesos: tuple[float, ...]
    contiende: tuple[bool, ...]
    puntero: int
    combinaciones: tuple[int, ...]
    ausentes: tuple[int, ...]


@dataclass(frozen=True)
class Maker:
    """Writes the actas of one contest. ``whole``: all its units vote for the same people; ``local``: not federal."""

    semilla: int
    eleccion: str
    cortes: tuple[datetime, ...]
    number: int
    whole: bool
    local: bool
    units: tuple[Unidad, ...]
    unit_columns: tuple[str, str]
    casillas: Sequence[Casilla]
    llegadas: Llegadas
    _standing: dict[int, _Standing]

    @property
    def parties(self) -> tuple[str, ...]:
        """The party columns."""
        return PARTIDOS + LOCALES if self.local else PARTIDOS

    @property
    def vote_columns(self) -> tuple[str, ...]:
        """Parties, combinations, independent, NO_REGISTRADAS, NULOS."""
        combos = tuple("C_" + "_".join(c) for members in COALICIONES for c in _combinations(members))
        independent = () if self.whole else ("CAND_IND_1",)
        return (*self.parties, *combos, *independent, "NO_REGISTRADAS", "NULOS")

    @property
    def columns(self) -> tuple[str, ...]:
        """The column names of the file."""
        before = ("CLAVE_CASILLA", "CLAVE_ACTA", "ID_ENTIDAD", "ENTIDAD", *self.unit_columns, *_BEFORE, *_COUNTS)
        return (*before, *self.vote_columns, *_AFTER)

    def pending(self, place: int) -> tuple[str, ...]:
        """The row of an acta that has not arrived."""
        casilla = self.casillas[place]
        blank = ("-",) * (len(self.vote_columns) + 5)
        tail = ("0", str(casilla.lista), str(REPRESENTANTES), *("-",) * len(_AFTER[4:]))
        return (*self._head(casilla), *blank, *tail)

    def acta(self, place: int, *, corregida: bool) -> Acta:
        """An acta as it arrived, or ``corregida``; the same where ``place`` has no correction."""
        casilla = self.casillas[place]
        head = self._head(casilla)
        noise = hashlib.sha512(f"{self.semilla}/{self.eleccion}/{place}".encode()).digest()
        case = CASOS[self.llegadas.caso[place]]
        standing = self._unit(casilla.unidad)
        special = casilla.tipo == "S"
        if case == "sin_acta":
            note = next(text for limit, text in _SIN_ACTA if noise[40] < limit)
            cells = tuple(["SIN ACTA" if ok else "-" for ok in standing.contiende])
            bare = ("SIN ACTA", "0", str(casilla.lista), str(REPRESENTANTES), note, "0", *_ABSENT)
            row = (*head, *("SIN ACTA",) * 4, *cells, *bare)
            return Acta(row, contabilizada=False, inconsistente=False, lista=casilla.lista, votos=0, especial=special)
        counts = self._counts(casilla, standing, noise, exceeds=case == "excede")
        written = sum(counts)
        words = [str(n) if ok else "-" for n, ok in zip(counts, standing.contiende, strict=True)]
        note = _NOTES[case]
        if case == "todos":
            word = "ILEGIBLE" if noise[41] < 90 else "SIN DATO"
            words, counts = [word if ok else "-" for ok in standing.contiende], [0]
        elif case == "algun":
            _blot(words, counts, standing, noise)
        elif place in self.llegadas.correcciones and not corregida:
            note = _mistake(words, counts, standing, noise)
        votes = sum(counts)
        counted = case in ("buena", "algun")
        limit = casilla.lista + REPRESENTANTES
        numbers = (str(max(limit - written, 0)), str(written), str(4 + noise[42] % 8), str(written))
        end = (
            *(_settled(written, noise), str(votes), str(casilla.lista), str(REPRESENTANTES), note),
            *("1" if counted else "0", *self._papers(head[1], noise, self.llegadas.corte[place])),
        )
        row = (*head, *numbers, *words, *end)
        return Acta(
            celdas=row,
            contabilizada=counted,
            inconsistente=note != _NO_OBS,
            lista=casilla.lista,
            votos=votes,
            especial=special,
        )

    def outside(self, order: int) -> tuple[str, ...]:
        """The row of an acta that no casilla of the catalogue explains: CONTABILIZADA 2, no key, no votes."""
        noise = hashlib.sha512(f"{self.semilla}/{self.eleccion}/fuera/{order}".encode()).digest()
        unit = self.units[int.from_bytes(noise[:4], "big") % len(self.units)]
        empty = ("",) * (len(self.vote_columns) + 4)
        head = ("", "", f"{unit.entidad:02d}", unit.entidad_nombre, *("",) * 6, "3", "")
        sha, acopio = self._papers(f"fuera-{order}", noise, self.llegadas.fuera[order])[1:3]
        tail = ("", "", "", "", "FUERA DE CATALOGO", "2", "-", sha, acopio, "", "", "CATD", "ESCANER", "ACTA PREP")
        return (*head, *empty, *tail)

    def candidates(self) -> list[tuple[str, ...]]:
        """The rows of the catalogue of candidates, column names first; a coalition's people are the same."""
        rng = Random(f"{self.semilla}/{self.eleccion}/personas")  # noqa: S311 - made-up data, not a secret
        people = ("CANDIDATURA_PROPIETARIA", "CANDIDATURA_SUPLENTE")
        states = {unit.entidad: i for i, unit in reversed(list(enumerate(self.units)))}
        if self.whole and (self.eleccion == "PRES" or len(states) == 1):
            national = len(states) > 1
            found: list[tuple[str, ...]] = [(*(() if national else ("ID_ENTIDAD",)), "PARTIDO_CI", people[0])]
            state = () if national else (f"{self.units[0].entidad:02d}",)
            return found + [(*state, name, one) for name, one, _ in self._ballot(0, rng)]
        if self.whole:
            found = [("ID_ENTIDAD", "PARTIDO_CI", *people)]
            for entidad, i in sorted(states.items()):
                found.extend((f"{entidad:02d}", *row) for row in self._ballot(i, rng))
            return found
        column = self.unit_columns[0]
        column = column if column.endswith(("LOCAL", "FEDERAL")) else f"{column}_LOCAL"
        found = [("ID_ENTIDAD", column, "PARTIDO_CI", *people)]
        for i, unit in enumerate(self.units):
            found.extend((f"{unit.entidad:02d}", f"{unit.numero:03d}", *row) for row in self._ballot(i, rng))
        return found

    def _ballot(self, unidad: int, rng: Random) -> list[tuple[str, str, str]]:
        standing = self._unit(unidad).contiende
        joint: dict[tuple[str, ...], tuple[str, str]] = {}
        found = []
        for name, ok in zip(self.vote_columns[:-2], standing, strict=False):
            if not ok:
                continue
            pair = (nombres.persona(rng), nombres.persona(rng))
            members = next((m for m in COALICIONES if name in m or set(name[2:].split("_")) <= set(m)), None)
            if members is not None and self._together(unidad, members):
                pair = joint.setdefault(members, pair)
            found.append((name, *pair))
        return found

    def _together(self, unidad: int, members: tuple[str, ...]) -> bool:
        """Whether a coalition stands in a unit: always in a contest of the whole entity, else in most."""
        return self.whole or (unidad + 1) % _ALONE_EVERY[COALICIONES.index(members)] != 0

    def _unit(self, unidad: int) -> _Standing:
        standing = self._standing.get(unidad)
        if standing is None:
            # Units differ around what the whole entity votes.
            seeds = (f"{self.semilla}/{self.eleccion}/pesos", f"{self.semilla}/{self.eleccion}/pesos/{unidad}")
            entity, unit = (Random(seed) for seed in seeds)  # noqa: S311 - made-up data, not a secret
            weights = [entity.gammavariate(2.0, 1.0) * unit.gammavariate(4.0, 0.25) + 0.05 for _ in self.parties]
            weights += [0.04 if self._together(unidad, members) else 0.0 for members in COALICIONES for _ in range(4)]
            weights += [] if self.whole else [0.5 if unidad % 3 == 0 else 0.0]
            contests = (*(weight > 0 for weight in weights), True, True)
            first = len(self.parties)
            combos = range(first, first + 4 * len(COALICIONES))
            standing = _Standing(
                pesos=(*weights, 0.0, 0.15),
                contiende=contests,
                puntero=max(range(first), key=weights.__getitem__),
                combinaciones=tuple(i for i in combos if contests[i]),
                ausentes=tuple(i for i in combos if not contests[i]),
            )
            self._standing[unidad] = standing
        return standing

    def _head(self, casilla: Casilla) -> tuple[str, ...]:
        unit = self.units[casilla.unidad]
        key = f"{unit.entidad:02d}{casilla.seccion:04d}{casilla.tipo}{casilla.numero:02d}00"
        return (
            *(key, f"{key}{self.number:02d}", f"{unit.entidad:02d}", unit.entidad_nombre),
            *(f"{unit.numero:03d}", unit.nombre, f"{casilla.seccion:04d}", f"{casilla.numero:02d}", casilla.tipo, "00"),
            *("1" if casilla.urbana else "2", str(self.number)),
        )

    def _counts(self, casilla: Casilla, standing: _Standing, noise: bytes, *, exceeds: bool) -> list[int]:
        size = casilla.lista or 450  # especiales: some 250 votes in Puebla and Campeche
        total = size + REPRESENTANTES + 1 + noise[43] % 60 if exceeds else size * (90 + noise[44] * 110 // 255) // 256
        shares = [weight * (0.35 + byte / 196) for weight, byte in zip(standing.pesos, noise, strict=False)]
        scale = total / sum(shares)
        counts = [int(share * scale) for share in shares]
        if noise[45] < 21:  # 8 % of actas, as in Puebla and Campeche
            counts[-2] += 1
        counts[standing.puntero] += total - sum(counts)
        return counts

    def _papers(self, key: str, noise: bytes, cut: int) -> tuple[str, ...]:
        """MECANISMOS_TRASLADO and what follows: the image's hash, three times before the cut, origin and kind."""
        end = self.cortes[cut]
        start = self.cortes[cut - 1] if cut else end - timedelta(minutes=30)
        checked = start + (end - start) * (0.3 + noise[46] / 400)
        captured = checked - timedelta(seconds=60 + noise[47] * 2)
        received = captured - timedelta(seconds=120 + int.from_bytes(noise[48:50], "big") % 4800)
        sha = hashlib.sha256(noise + key.encode()).hexdigest()
        mobile = noise[50] < 102
        return (
            *(("D", "F", "I", "F", "-")[noise[51] % 5], sha, _stamp(received), _stamp(captured), _stamp(checked)),
            *(("CASILLA", "MOVIL") if mobile else ("CATD", "ESCANER")),
            "ACTA PREP",
        )


def _stamp(t: datetime) -> str:
    return f"{t.day:02d}/{t.month:02d}/{t.year} {t.hour:02d}:{t.minute:02d}:{t.second:02d}"


def _settled(written: int, noise: bytes) -> str:
    """TOTAL_VOTOS_ASENTADO: in Puebla 17 % without it, and one in five is not what the votes add up to."""
    if noise[52] < 38:
        return "SIN DATO"
    return str(max(written + noise[53] % 21 - 10, 0)) if noise[52] < 84 else str(written)


def _blot(words: list[str], counts: list[int], standing: _Standing, noise: bytes) -> None:
    """Cells without a figure: one (in 28 % of such actas in Puebla), a few, or every combination left blank."""
    places = [i for i, ok in enumerate(standing.contiende) if ok]
    if noise[54] < 115 and standing.combinaciones:
        chosen = list(standing.combinaciones)
    else:
        chosen = [places[byte % len(places)] for byte in noise[55 : 56 if noise[54] < 200 else 58]]
    word = "ILEGIBLE" if noise[58] < 40 else "SIN DATO"
    for i in chosen:
        words[i], counts[i] = word, 0


def _mistake(words: list[str], counts: list[int], standing: _Standing, noise: bytes) -> str:
    """What an acta said before its correction, and its OBSERVACIONES.

    A figure, or SIN DATO, of a combination that does not stand in the unit (then ``-``: Puebla AYUN 2024); else a
    party's figure too high or too low.
    """
    if standing.ausentes and noise[59] < 160:
        place = standing.ausentes[noise[60] % len(standing.ausentes)]
        if noise[59] < 60:
            words[place] = "SIN DATO"
            return _ALGUN
        counts[place] = 1 + noise[61] % 16
    else:
        place = standing.puntero
        counts[place] = counts[place] + 1 + noise[61] % 9 if noise[60] < 128 else counts[place] // 2
    words[place] = str(counts[place])
    return _NO_OBS
