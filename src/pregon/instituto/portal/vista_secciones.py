"""The secciones of a unit, a page at a time.

A national cut has 205,000 of them: their rows are put together as text here, and never go through the templates one by
one. Ids, the only text of the source in them, are escaped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from pregon.instituto.portal.formato import NBSP
from pregon.instituto.portal.partidos import ficha, franjas
from pregon.instituto.portal.vista_unidad import INDICE, entity_of
from pregon.instituto.secciones import in_order
from pregon.tablas.delante import SIN_ACTAS, ahead, who_contends

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TypeAlias

    from pregon.instituto.portal.partidos import Actores, Partido
    from pregon.instituto.portal.vista_unidad import VistaUnidad
    from pregon.instituto.portal.vistas import VistaContienda
    from pregon.prep.columns import Contender
    from pregon.tablas.delante import Delantera
    from pregon.tablas.model import ContestTotals

    _Row: TypeAlias = tuple[str, str, Delantera]  # id and sums of a sección, and who is ahead

POR_PAGINA = 250
"""Secciones on a page: a national cut of three elections keeps under 3,000 pages in all, each of some 10 kB."""
_DIGITOS = 4
_SIN_VOTOS = '<td role="cell" class="vacio">sin votos</td>'
_NADA = '<td role="cell" class="vacio" colspan="4">sin actas</td></tr>'
_EMPATE = '<td role="cell" data-encabeza="">empate</td>'
_MILES = 1_000
"""From here on a number has a comma."""


@dataclass(frozen=True)
class Encabezan:
    """Who may be ahead in a sección, ready for the page: the drawing of each candidatura's colours, made once in it
    (``#e0``…), and the cell of each in the order of ``tablas.delante``, those of nobody last."""

    colores: Markup
    celdas: tuple[str, ...]


@dataclass(frozen=True)
class HojaSecciones:
    """One page of secciones: its place among those of its unit (from 1) and the secciones that it holds.

    ``encabezan``: who may be ahead in them. ``entidad``: its id, empty in a local contest.
    """

    ruta: str
    contienda: str
    pagina: int
    primera: str
    ultima: str
    entidad: str
    encabezan: Encabezan
    renglones: Sequence[_Row] = field(repr=False)

    @property
    def cuantas(self) -> int:
        """How many secciones it holds."""
        return len(self.renglones)

    @property
    def titulo(self) -> str:
        """``Secciones 118 a 402``."""
        if self.primera == self.ultima:
            return f"Sección {self.primera}" if self.primera else "Actas sin sección"
        return f"Secciones {self.primera} a {self.ultima}"

    @property
    def rango(self) -> str:
        """``118–402``, for the links between pages."""
        if self.primera == self.ultima:
            return self.primera or "Sin sección"
        return f"{self.primera}–{self.ultima}"

    def desde(self, otra: HojaSecciones) -> str:
        """The link to this page from another of its unit."""
        base = "" if otra.pagina == 1 else "../"
        return f"{base}{INDICE}" if self.pagina == 1 else f"{base}{self.pagina}/{INDICE}"

    def filas(self, consulta: str | None) -> Markup:
        """The rows of its table.

        ``consulta``: where «Consulta tu casilla» is, seen from this page; None where the call leaves it out.
        """
        link = None
        if consulta is not None:
            link = f"{escape(consulta)}#{escape(self.contienda)}/{escape(self.entidad)}{'-' if self.entidad else ''}"
        return Markup("\n".join(_rows(self.renglones, self.encabezan.celdas, link)))  # noqa: S704 - escaped where made


def vista_secciones(
    view: VistaContienda,
    totals: ContestTotals,
    contendientes: Sequence[Contender],
    actores: Actores,
    secciones: Sequence[tuple[str, str, str]],
    *,
    hilos: int | None = None,
) -> dict[str, tuple[HojaSecciones, ...]]:
    """The pages of secciones of each unit of ``view``, by its id; of a unit without secciones, none.

    Args:
        view, totals: the contest, both of the same cut.
        contendientes, actores: its vote columns.
        secciones: unit, id and sums of each sección (``tablas.fichas.Entendidas``).
        hilos: threads of the engine.

    Raises:
        ComprobacionError: the engine failed.
    """
    contend = {unit.id: who_contends(unit, contendientes) for unit in totals.unidades}
    leads = ahead(secciones, contend, hilos=hilos)
    of_unit: dict[str, list[_Row]] = {}
    for (unit, section, sums), lead in zip(secciones, leads, strict=True):
        of_unit.setdefault(unit, []).append((section, sums, lead))
    together = {who.claves for who in contend.values()}
    leaders = {keys: _who_leads([(key, actores.partidos(key)) for key in keys]) for keys in together}
    return {
        unit.id: tuple(
            _pages(
                unit,
                view.id,
                entity_of(unit.id) if totals.entidades else "",
                leaders[contend[unit.id].claves],
                of_unit.get(unit.id, []),
            )
        )
        for unit in view.unidades
    }


def _pages(
    unit: VistaUnidad,
    contest: str,
    entity: str,
    leaders: Encabezan,
    rows: list[_Row],
) -> Iterable[HojaSecciones]:
    base = f"{unit.ruta.removesuffix(INDICE)}secciones/"
    rows = in_order(rows)
    for number, start in enumerate(range(0, len(rows), POR_PAGINA), start=1):
        some = rows[start : start + POR_PAGINA]
        yield HojaSecciones(
            ruta=f"{base}{INDICE}" if number == 1 else f"{base}{number}/{INDICE}",
            contienda=contest,
            pagina=number,
            primera=_number(some[0][0]),
            ultima=_number(some[-1][0]),
            entidad=entity,
            encabezan=leaders,
            renglones=some,
        )


def _number(section: str) -> str:
    """Without padding: ``0118`` -> ``118``."""
    return section.lstrip("0") or section


def _who_leads(candidaturas: Sequence[tuple[str, Sequence[Partido]]]) -> Encabezan:
    cells = [_cell(place, key, parties) for place, (key, parties) in enumerate(candidaturas)]
    drawn = [
        Markup('<g id="e{}">{}</g>').format(place, franjas(parties)) for place, (_, parties) in enumerate(candidaturas)
    ]
    return Encabezan(Markup().join(drawn), (*cells, _EMPATE, _SIN_VOTOS, ""))  # as EMPATE, SIN_VOTOS, SIN_ACTAS count


def _cell(place: int, key: str, parties: Sequence[Partido]) -> str:
    """Who is ahead: colours, drawn once in the page (``#e0``…), and letters."""
    letters = escape(" · ".join(party.siglas for party in parties))
    drawn = ficha(parties, Markup('<use href="#e{}"/>').format(place))
    return f'<td role="cell" data-encabeza="{escape(key)}">{drawn}{letters}</td>'


def _rows(rows: Iterable[_Row], cells: Sequence[str], link: str | None) -> Iterator[str]:
    """One loop without calls for nearly every sección: a national cut has 205,000."""
    last, same = "", 1
    opened, closed = ("", "") if link is None else (f'<a href="{link}', "</a>")
    for section, sums, (most, who, turnout) in rows:
        expected, _, counted, _, total, _ = sums.split(",", 5)
        if section.isalnum():
            anchor = section.zfill(_DIGITOS)
            shown = section.lstrip("0") or section
            name = f'{opened}{section}">{shown}{closed}' if opened else shown
        else:
            anchor, name = _odd(section, link)
        if anchor == last:  # a file that writes one number in two ways
            same += 1
            anchor = f"{anchor}.{same}"
        else:
            last, same = anchor, 1
        head = (
            f'<tr role="row" id="s-{anchor}"><th scope="row" role="rowheader">{name}</th>'
            f'<td role="cell" class="n">{counted} de {expected}</td>'
        )
        yield (
            head + _NADA
            if who == SIN_ACTAS
            else (
                f"{head}{cells[who]}"
                f'<td role="cell" class="n">{most if most < _MILES else f"{most:,}"}</td>'
                f'<td role="cell" class="n">{total if len(total) <= 3 else f"{int(total):,}"}</td>'
                f'<td role="cell" class="n">{turnout}{NBSP}%</td></tr>'
            )
        )


def _odd(section: str, link: str | None) -> tuple[str, str]:
    """Anchor and name of a sección whose id is not letters and digits."""
    if not section:
        return "sin-numero", "Sin sección"
    safe = escape(section)
    name = safe if link is None else Markup('<a href="{}{}">{}</a>').format(Markup(link), section, section)  # noqa: S704
    return escape("-".join(section.split())), name
