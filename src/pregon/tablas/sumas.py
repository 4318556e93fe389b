"""The sums and findings of a table, without its actas one by one: what totals need, and nothing else.

The engine adds up the rows whose texts of place, kind and situation are the same letter by letter; what those texts
mean is asked of ``prep`` once for each, over some thousands of groups instead of every row (``sql/renglones.sql``,
``sql/grupos.sql``). A cell adds up as a number only where its text is that number and nothing else; ``prep`` reads the
few other texts. The result is that of ``fichas.understand``: tests hold it to that and to ``prep.rows.actas``.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pregon.motor.duck import engine
from pregon.prep.inconsistencias import DEFINICIONES, definitions_met
from pregon.prep.marcas import Marker
from pregon.prep.model import Estado
from pregon.prep.rows import actas, estado_of
from pregon.prep.text import NO_UNIT, parse_cell
from pregon.tablas.diccionarios import load_places
from pregon.tablas.fichas import (
    CELDAS,
    SUMAS,
    Entendidas,
    Fichas,
    Repetidas,
    delimiter_of,
    faults_at,
    lines_of,
    sql_of,
    vote_names,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.motor.duck import Motor, Tipo
    from pregon.prep.model import ActaTable

_ROLES = (
    *("clave_casilla", "clave_acta", "sha", "acopio", "captura", "verificacion", *CELDAS),
    *("tipo", "entidad_id", "unidad_id", "observaciones", "contabilizada"),
)
_APART = "\x1f"
_WRAPPING = (
    "'\"=\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""All that ``prep.text.clean_key`` may take off the ends of a key."""
_FIRST = "select unidad, min(primera) from por_seccion where unidad <> '' group by unidad"
_KNOWN = frozenset({*NO_UNIT, "0", "1", "2"})
"""CONTABILIZADA of an acta that is pending, or that says what it is."""


def understand_sums(table: ActaTable, *, hilos: int | None = None) -> Entendidas | None:
    """What ``fichas.understand`` makes of ``table``, but for its secciones, groups of statistics and fichas.

    None where a count is written in a way that only ``prep`` reads. ``hilos``: threads of the engine.

    Raises:
        ComprobacionError: the engine failed.
    """
    votes = vote_names(table)
    wanted: dict[str, int | None] = {role: getattr(table.columns, role) for role in _ROLES}
    wanted |= dict(zip(votes, range(table.columns.votos.start, table.columns.votos.stop), strict=True))
    with engine(threads=hilos) as motor:
        given = motor.open_lines(
            "crudo",
            lines_of(table),
            delimiter=delimiter_of(table),
            width=len(table.columnas),
            columns=wanted,
        )
        motor.set_text("envoltura", _WRAPPING)
        motor.run(sql_of("renglones", voto=votes, celda=(*votes, *CELDAS)))
        motor.expect("renglones", given)
        others = _others(motor)
        if any(isinstance(cell, int) for cell in others.values()):
            return None
        motor.run(sql_of("grupos", voto=votes))
        odd = _situations(motor)
        load_places(motor, table, "grupos")
        motor.run(sql_of("por_unidad", voto=votes, definicion=tuple(DEFINICIONES)))
        unknown = {text for text, cell in others.items() if cell is Marker.DESCONOCIDO}
        return Entendidas(
            niveles=tuple(motor.run(sql_of("niveles", voto=votes, suma=SUMAS))),
            secciones=(),
            estadistica=(),
            primeras=dict(motor.rows(_FIRST)),
            faltas=faults_at(table, _faulty(motor, odd, unknown)),
            repetidas=_repeated(motor, table),
            fichas=Fichas(),
            textos={},
        )


def _others(motor: Motor) -> dict[str, int | Marker]:
    """What every text of a cell that is not a plain number says."""
    told = motor.rows("select distinct otros from renglones where otros is not null")
    return {text: parse_cell(text) for text in {text for (texts,) in told for text in texts.split(_APART)}}


def _situations(motor: Motor) -> list[str]:
    """Load where the actas stand by the texts that say so; gives the texts of CONTABILIZADA that nobody knows."""
    rows = motor.rows("select distinct contabilizada, observaciones, clave_vacia from grupos")
    columns: dict[str, Tipo] = {"contabilizada_texto": "varchar", "observaciones_texto": "varchar"}
    columns |= {"clave_texto": "varchar", "estado": "varchar"}
    columns |= {f"inc_{name}": "bigint" for name in DEFINICIONES}
    states = [estado_of(*row) for row in rows]
    motor.load_values(
        "situaciones",
        columns,
        [
            (*row, state.value, *(int(met) for met in definitions_met(row[1].strip())))
            for row, state in zip(rows, states, strict=True)
        ],
    )
    return sorted(
        {
            row[0]
            for row, state in zip(rows, states, strict=True)
            if state is Estado.PENDIENTE and row[0].strip() not in _KNOWN
        }
    )


def _faulty(motor: Motor, odd: Sequence[str], unknown: set[str]) -> list[int]:
    """The rows that may show a fault, in order."""
    places = {place for (place,) in motor.rows("select rowid from renglones where revisar")}
    if odd:
        motor.load_values("dudosas", {"texto": "varchar"}, [(text,) for text in odd])
        found = motor.rows("select rowid from renglones where contabilizada in (select texto from dudosas)")
        places |= {place for (place,) in found}
    if unknown:
        found = motor.rows("select rowid, otros from renglones where otros is not null")
        places |= {place for place, texts in found if not unknown.isdisjoint(texts.split(_APART))}
    return sorted(places)


def _repeated(motor: Motor, table: ActaTable) -> Repetidas:
    """What ``sql/repetidas.sql`` gives, from the rows whose keys or images look alike."""
    places = [place for (place,) in motor.rows(sql_of("parecidas"))]
    if not places:
        return Repetidas()
    keys: Counter[str] = Counter()
    images: Counter[str] = Counter()
    for acta in actas(table, places):
        if acta.estado is not Estado.FUERA_CATALOGO:
            keys[acta.clave_acta] += 1
        if acta.estado in (Estado.CONTABILIZADA, Estado.NO_CONTABILIZADA):
            images[acta.sha] += 1
    return Repetidas(_twice(keys), _twice(images))


def _twice(found: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple((text, n) for text, n in found.items() if n > 1 and text not in NO_UNIT)
