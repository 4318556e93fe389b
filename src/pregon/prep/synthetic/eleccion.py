"""Elections that never happened: deterministic files for simulacros, trials and tests, in any dialect.

The same arguments give the same bytes. The header of each cut is counted from its own rows, so it never disagrees with
them; turnout takes casillas especiales in the last cut only. No acta leaves CONTABILIZADA 1; a few are corrected after
they were published, when ``correcciones`` is asked for. Proportions were measured on the final cuts of Puebla 2024
(8,346 actas), Campeche 2021 (1,190) and Quintana Roo 2019 (2,136) and on the 98 national cuts of 2018; each stands
beside its constant in ``llegadas`` (arrivals, cases, corrections), ``actas`` (what actas say) and
``catalogo`` (casillas). In short, in % of actas: some cell illegible or without figure 16 (Puebla 12.6,
Campeche 19.2, Q. Roo 21.6), all of them 3 (5.2, 2.0, 1.4), over the lista nominal 0.4 (0.4, 0.4, 0), without acta 5
(11.4, 1.1, 3.5), pending at the end 3 (0.9, 8.2, 0), fuera de catálogo 0.17 (0.14, 0.25, 0).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from pregon.prep.candidaturas import Catalogo
from pregon.prep.columns import read_columns
from pregon.prep.estilos import Estilo
from pregon.prep.model import CAMPOS, ActaTable, Dialect, Original
from pregon.prep.percent import trunc4
from pregon.prep.synthetic.actas import Acta, Maker
from pregon.prep.synthetic.catalogo import catalogue, local_units, national_units
from pregon.prep.synthetic.llegadas import arrivals
from pregon.prep.writer import write_actas
from pregon.prep.writer_candidaturas import write_candidaturas

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from pregon.prep.synthetic.catalogo import Unidad

_BATCH = 5_000
_OWN = Estilo(nombre="propio", antes_resumen=("",), antes_columnas=())
"""The form without a named dialect: as Puebla 2024's, bare."""


# A table must say how its source was written; that of these was not, and the writer does not look at it.
_SOURCE = Dialect(
    delimiter=",",
    encoding="utf-8",
    bom=False,
    sep_hint=False,
    line_end="\n",
    final_line_end=True,
    preambulo=(),
    comillas_clave=MappingProxyType({}),
)


@dataclass(frozen=True)
class Contienda:
    """A kind of election: its title, its word in file names, its unit columns, the number printed on its actas."""

    titulo: str
    nombre: str
    columnas: tuple[str, str]
    numero: int
    unica: bool = False
    federal: bool = False


_LOCAL = ("ID_DISTRITO_LOCAL", "DISTRITO_LOCAL")
_FEDERAL = ("ID_DISTRITO_FEDERAL", "DISTRITO_FEDERAL")


def contienda(eleccion: str) -> Contienda:
    """The contest of a profile's code (``GUB``, ``DIP``, ``AYU``, ``ALC``, ``JUNTAS``, ``PRES``, ``SEN``, ``DIP_FED``).

    Raises:
        ValueError: an unknown code.
    """
    known = {
        "GUB": Contienda("GUBERNATURA", "GUB", _LOCAL, 2, unica=True),
        "DIP": Contienda("DIPUTACIONES LOCALES", "DIP_LOC", _LOCAL, 3),
        "AYU": Contienda("AYUNTAMIENTOS", "AYUN", ("ID_MUNICIPIO", "MUNICIPIO"), 4),
        "ALC": Contienda("ALCALDIAS", "ALC", ("ID_ALCALDIA", "ALCALDIA"), 4),
        "JUNTAS": Contienda("JUNTAS", "JUNTAS", _LOCAL, 7),
        "PRES": Contienda("PRESIDENCIA", "PRES", _FEDERAL, 1, unica=True, federal=True),
        "SEN": Contienda("SENADURÍAS", "SEN", _FEDERAL, 5, unica=True, federal=True),
        "DIP_FED": Contienda("DIPUTACIONES FEDERALES", "DIP_FED", _FEDERAL, 6, federal=True),
    }
    if eleccion not in known:
        raise ValueError(f"unknown election {eleccion!r}; one of {', '.join(known)}")
    return known[eleccion]


class SyntheticElection:
    """One contest of a made-up election. Made by ``election``.

    It keeps the text of every row as of the last cut asked for and writes again only the rows that changed since:
    asking for the cuts in order is fast, going back starts over. One thread at a time.
    """

    def __init__(self, maker: Maker, contest: Contienda, estilo: Estilo) -> None:
        self.titulo = contest.titulo
        self.cortes = maker.cortes
        self.columnas = maker.columns
        self.file_stem = f"SIM_{contest.nombre}_{maker.cortes[0].year}"
        self._maker = maker
        self._writer = _Lines(maker, contest.titulo, estilo)
        self._events = _events(maker)
        self._current = -1
        self._lines: list[bytes] = []
        self._tally = _Tally(len(maker.casillas))

    def actas(self, i: int) -> Iterator[bytes]:
        """The per-acta file of cut ``i`` (0 is the first), in pieces; take them all before asking for another cut.

        Raises:
            IndexError: there is no such cut.
            FormatoError: a letter that the dialect's encoding does not have.
        """
        if not 0 <= i < len(self.cortes):
            raise IndexError(f"no cut {i} of {len(self.cortes)}")
        self._go_to(i)
        header = self._tally.header(last=i == len(self.cortes) - 1)
        return self._pieces(self._writer.head(self.cortes[i], header))

    def actas_csv(self, i: int) -> bytes:
        """The same as ``actas``, whole."""
        return b"".join(self.actas(i))

    def candidaturas_csv(self) -> bytes:
        """The CANDIDATURAS file: one row per party and per combination, with the same people."""
        return self._writer.catalogue(self._maker.candidates())

    def _pieces(self, head: bytes) -> Iterator[bytes]:
        yield head
        for start in range(0, len(self._lines), _BATCH):
            yield b"".join(self._lines[start : start + _BATCH])

    def _go_to(self, i: int) -> None:
        maker, write = self._maker, self._writer.rows
        size = len(maker.casillas)
        if i < self._current or self._current < 0:
            self._current = -1
            self._tally = _Tally(size)
            self._lines = []
            for start in range(0, size, _BATCH):
                self._lines += write([maker.pending(p) for p in range(start, min(start + _BATCH, size))])
        while self._current < i:
            self._current += 1
            arrived, corrected, outside = self._events[self._current]
            for start in range(0, len(arrived), _BATCH):
                places = arrived[start : start + _BATCH]
                found = [maker.acta(place, corregida=False) for place in places]
                self._put(places, found)
                self._tally.add(found)
            before = [maker.acta(place, corregida=False) for place in corrected]
            after = [maker.acta(place, corregida=True) for place in corrected]
            self._put(corrected, after)
            self._tally.add(before, times=-1)
            self._tally.add(after)
            self._lines += write([maker.outside(order) for order in outside])
            self._tally.fuera += len(outside)

    def _put(self, places: Sequence[int], found: Sequence[Acta]) -> None:
        for place, line in zip(places, self._writer.rows([acta.celdas for acta in found]), strict=True):
            self._lines[place] = line


def election(
    eleccion: str,
    *,
    casillas: int,
    unidades: int,
    cortes: Sequence[datetime],
    semilla: int,
    entidad: tuple[int, str] | None,
    estilo: Estilo | None = None,
    correcciones: bool = False,
) -> SyntheticElection:
    """Make one contest: ``casillas`` rows in ``unidades`` districts or municipalities, told at each of ``cortes``.

    ``eleccion`` is a profile's code (``GUB``, ``DIP``, ``AYU``, …). ``cortes`` are aware instants in local time, in
    order; their offset is the label of the file's cut line. Nothing has arrived at the first of several: it is the
    package before the start. ``entidad`` is the number and name of the state, None for the 32 (federal elections).
    Elections of one ``semilla`` with the same casillas and units share their catalogue of secciones and the routes of
    their packages. ``estilo`` is a named dialect. ``correcciones``: some actas change after they were published.

    Raises:
        ValueError: an unknown election, no cuts, naive or unordered instants, or fewer casillas than units.
    """
    contest = contienda(eleccion)
    if not cortes or any(c.utcoffset() is None for c in cortes) or list(cortes) != sorted(cortes):
        raise ValueError("cuts must be aware instants in order, at least one")
    if not 1 <= unidades <= casillas:
        raise ValueError("there must be at least one unit, and no more units than casillas")
    units: tuple[Unidad, ...]
    if entidad is not None:
        units = local_units(entidad, unidades, semilla, municipios="MUNICIPIO" in contest.columnas[1])
    elif contest.federal:
        units = national_units(unidades, semilla)
    else:
        raise ValueError("a local election has an entidad")
    places = catalogue(casillas, units, semilla)
    maker = Maker(
        semilla=semilla,
        eleccion=eleccion,
        cortes=tuple(cortes),
        number=contest.numero,
        whole=contest.unica,
        local=not contest.federal,
        units=units,
        unit_columns=contest.columnas,
        casillas=places,
        llegadas=arrivals(places, len(cortes), semilla=semilla, eleccion=eleccion, corregir=correcciones),
        _standing={},
    )
    return SyntheticElection(maker, contest, estilo or _OWN)


def _events(maker: Maker) -> tuple[tuple[list[int], list[int], list[int]], ...]:
    """For each cut: places that arrive, places corrected, orders of the actas fuera de catálogo that arrive."""
    found: tuple[tuple[list[int], list[int], list[int]], ...] = tuple(([], [], []) for _ in maker.cortes)
    for place, cut in enumerate(maker.llegadas.corte):
        if cut < len(found):
            found[cut][0].append(place)
    for place, cut in maker.llegadas.correcciones.items():
        found[cut][1].append(place)
    for order, cut in enumerate(maker.llegadas.fuera):
        found[cut][2].append(order)
    return found


class _Tally:
    """The figures of the header, kept as actas come and change."""

    def __init__(self, esperadas: int) -> None:
        self.esperadas = esperadas
        self.fuera = self.capturadas = self.contabilizadas = self.inconsistentes = 0
        self.lista = self.votos = self.votos_especiales = 0

    def add(self, actas: Sequence[Acta], *, times: int = 1) -> None:
        for acta in actas:
            self.capturadas += times
            self.inconsistentes += times * acta.inconsistente
            if acta.contabilizada:
                self.contabilizadas += times
                self.lista += times * acta.lista
                self.votos += times * acta.votos
                self.votos_especiales += times * acta.votos * acta.especial

    def header(self, *, last: bool) -> dict[str, int | str | None]:
        without = self.votos - self.votos_especiales
        values: tuple[int | str, ...] = (
            self.esperadas,
            self.capturadas + self.fuera,
            self.fuera,
            self.capturadas,
            trunc4(self.capturadas, self.esperadas),
            self.contabilizadas,
            trunc4(self.contabilizadas, self.esperadas),
            trunc4(self.inconsistentes, self.esperadas),
            self.capturadas - self.contabilizadas,
            self.lista,
            self.votos,
            without,
            trunc4(self.votos if last else without, self.lista),
        )
        return dict(zip(CAMPOS, values, strict=True))


class _Lines:
    """Rows as the bytes of a dialect, through the writer of tables."""

    def __init__(self, maker: Maker, titulo: str, estilo: Estilo) -> None:
        self._titulo, self._estilo, self._names = titulo, estilo, maker.columns
        self._columns = read_columns(maker.columns, titulo)
        self._hour = maker.cortes[0]
        self._above = len(self.head(self._hour, {}))

    def head(self, hora: datetime, values: dict[str, int | str | None]) -> bytes:
        """Everything above the first row."""
        return self._write((), hora, values)

    def rows(self, found: Sequence[tuple[str, ...]]) -> list[bytes]:
        """Each row as its line, with its end."""
        body = self._write(tuple(found), self._hour, {})[self._above :]
        end = self._estilo.actas.line_end.encode()
        return [line + end for line in body.split(end)[:-1]]

    def catalogue(self, rows: Sequence[tuple[str, ...]]) -> bytes:
        """The CANDIDATURAS file."""
        names = rows[0]
        table = Catalogo(
            origen="candidaturas",
            encoding="utf-8",
            bom=False,
            cabeza=(),
            columnas=names,
            renglones=(),
            celdas=tuple(rows[1:]),
            cola="",
            lugar_entidad=names.index("ID_ENTIDAD") if "ID_ENTIDAD" in names else None,
            con_suplente="CANDIDATURA_SUPLENTE" in names,
            candidaturas=(),
        )
        return b"".join(write_candidaturas(table, estilo=self._estilo))

    def _write(self, rows: tuple[tuple[str, ...], ...], hora: datetime, values: dict[str, int | str | None]) -> bytes:
        table = ActaTable(
            origen=self._titulo,
            titulo=self._titulo,
            hora_corte=hora,
            dialecto=_SOURCE,
            encabezado=values,
            encabezado_crudo={},
            columnas=self._names,
            columns=self._columns,
            filas=rows,
            lineas=tuple(range(1, len(rows) + 1)),
            nivel=self._columns.nivel,
            hallazgos=(),
            original=Original((), (None, None), {}, ""),
        )
        return b"".join(write_actas(table, estilo=self._estilo))
