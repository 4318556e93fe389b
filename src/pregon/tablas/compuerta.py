"""The gate of one contest: what may not be published as it is, and what a person should look at. Pure.

It judges what ``totals`` and ``changes`` already found; CONTABILIZADA is never judged again (real-data.md §2, rule 7).

Blocks: SIN_ACTAS (not one row of the catalogue), ENCABEZADO_ORIGEN (the header that goes out is not that of its rows),
ACTAS_DE_MAS (more actas counted or captured than expected), PORCENTAJE_IMPOSIBLE (over 100), HORA_ATRAS (an hour before
that of the previous cut), CATALOGO_AJENO (units or vote columns that are not those of the previous cut, or another
entidad), CATALOGO_CAMBIO where a tenth of the actas expected in the previous cut, or more, are not there.
Warns: TOTAL_BAJO (a total that fell: published actas do change, real-data.md §4), ACTA_CORREGIDA, ACTA_MOVIDA,
ACTA_SALIO, CATALOGO_CAMBIO (another number of expected actas), besides the warnings of ``totals`` (FECHA_RARA,
CANDIDATURA_PENDIENTE…).
"""

from __future__ import annotations

import dataclasses
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pregon.prep.model import CAMPOS, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pregon.prep.cambios import Cambios
    from pregon.prep.model import Acta, Severidad
    from pregon.tablas.model import ContestTotals

MAX_EXAMPLES = 5
_ALGUNAS = 10
"""Actas that may leave a catalogue one by one, however small it is."""
_NEVER_FALL = (
    "ACTAS_REGISTRADAS",
    "ACTAS_CAPTURADAS",
    "ACTAS_CONTABILIZADAS",
    "LISTA_NOMINAL_ACTAS_CONTABILIZADAS",
    "TOTAL_VOTOS_C_CS",
    "TOTAL_VOTOS_S_CS",
)
"""Counts that only grow while no published acta changes."""


@dataclasses.dataclass(frozen=True)
class Referencia:
    """What the gate needs of the previous cut of a contest. ``unidades``: ids; those of no unit are left out."""

    hora_corte: datetime
    nivel: str
    columnas: tuple[str, ...]
    unidades: frozenset[str]
    recalculado: Mapping[str, int | str]
    contendientes: Mapping[str, int]

    @classmethod
    def of(cls, totals: ContestTotals) -> Referencia:
        """From its totals."""
        return cls.from_json(totals.to_json(hasta="unidad"))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Referencia:
        """From its ``entidad.json`` (design §7)."""
        nivel = "municipio" if "municipio" in data["niveles"] else "distrito"
        return cls(
            hora_corte=datetime.fromisoformat(data["hora_corte"]),
            nivel=nivel,
            columnas=tuple(data["contendientes"]),
            unidades=_units(unit["id"] for unit in data["niveles"][nivel]),
            recalculado=data["recalculado"],
            contendientes=data["contendientes"],
        )


def review(totals: ContestTotals, *, publica_encabezado: bool = True) -> tuple[Finding, ...]:
    """Every finding of a contest by itself, the ones that block first.

    ``publica_encabezado``: the source's header goes out as it is, so that where it differs from its rows it blocks;
    with False the header that goes out is the one counted from the rows, and the source's is only a warning.
    """
    found = [_header(finding) if publica_encabezado else finding for finding in totals.hallazgos]
    return _ordered([*_none(totals), *found, *_too_many(totals), *_over_100(totals)])


def follows(totals: ContestTotals, previous: Referencia) -> tuple[Finding, ...]:
    """What of a contest does not follow from its previous cut."""
    found: list[Finding] = []
    if totals.hora_corte < previous.hora_corte:
        now, before = (f"{hour:%d/%m/%Y %H:%M}" for hour in (totals.hora_corte, previous.hora_corte))
        text = f"El archivo dice {now} y el corte anterior {before}."
        found.append(Finding("HORA_ATRAS", "bloquea", "hora_corte", text))
    found += _foreign(totals, previous)
    expected, expected_before = totals.recalculado["ACTAS_ESPERADAS"], previous.recalculado["ACTAS_ESPERADAS"]
    if expected != expected_before:
        text = f"Actas esperadas: eran {_shown(expected_before)} y son {_shown(expected)}."
        weight: Severidad = "bloquea" if _many_left(expected, expected_before) else "avisa"
        found.append(Finding("CATALOGO_CAMBIO", weight, "recalculado.ACTAS_ESPERADAS", text))
    fell = [
        *((name, previous.recalculado[name], totals.recalculado[name]) for name in _NEVER_FALL),
        *((name, previous.contendientes.get(name, 0), votes) for name, votes in totals.contendientes.items()),
    ]
    lower = [
        f"{name} de {was:,} a {now:,}"
        for name, was, now in fell
        if isinstance(was, int) and isinstance(now, int) and now < was
    ]
    if lower:
        text = f"{len(lower):,} total(es) que bajaron respecto del corte anterior: {_some(lower)}."
        found.append(Finding("TOTAL_BAJO", "avisa", "recalculado", text))
    return _ordered(found)


def corrected(cambios: Cambios) -> tuple[Finding, ...]:
    """The actas that had been published and are now otherwise: listed, at most ``MAX_EXAMPLES`` of each kind."""
    corrections = [
        f"{_name(item.acta)}: " + ", ".join(f"{cell.columna} {cell.antes} → {cell.despues}" for cell in item.celdas[:3])
        for item in cambios.corregidas[:MAX_EXAMPLES]
    ]
    moves = [
        f"{_name(item.despues)}: de {item.antes.unidad or '—'}/{item.antes.seccion} "
        f"a {item.despues.unidad or '—'}/{item.despues.seccion}"
        for item in cambios.movidas[:MAX_EXAMPLES]
    ]
    return (
        *_listed(
            "ACTA_SALIO", "que ya no están o volvieron a pendientes", cambios.salieron, map(_name, cambios.salieron)
        ),
        *_listed("ACTA_MOVIDA", "que cambiaron de lugar", [item.despues for item in cambios.movidas], moves),
        *_listed("ACTA_CORREGIDA", "corregida(s)", [item.acta for item in cambios.corregidas], corrections),
    )


def foreign_entity(entidades: Sequence[str], esperada: str) -> tuple[Finding, ...]:
    """CATALOGO_AJENO where the casillas of a table are of another entidad than ``esperada`` (two digits)."""
    strange = sorted(set(entidades) - {esperada})
    if not strange:
        return ()
    text = f"Hay casillas de la entidad {', '.join(strange)}; se esperaba sólo la {esperada}."
    return (Finding("CATALOGO_AJENO", "bloquea", "entidad", text),)


def _header(finding: Finding) -> Finding:
    if finding.codigo != "ENCABEZADO_ORIGEN":
        return finding
    return dataclasses.replace(finding, severidad="bloquea")


def _many_left(expected: object, before: object) -> bool:
    """Pending actas have their row too: with so many rows less, part of the file or of the query is missing."""
    if not isinstance(expected, int) or not isinstance(before, int):
        return False
    return before - expected >= max(_ALGUNAS, before / 10)


def _none(totals: ContestTotals) -> Iterator[Finding]:
    """Before the first acta arrives its row is there already, pending: with none, a query or a file went wrong."""
    if not totals.recalculado["ACTAS_ESPERADAS"]:
        yield Finding("SIN_ACTAS", "bloquea", "actas", "No hay ni un renglón de acta: ni contabilizadas ni pendientes.")


def _too_many(totals: ContestTotals) -> Iterator[Finding]:
    for place, value in (("encabezado", totals.encabezado), ("recalculado", totals.recalculado)):
        expected = value.get("ACTAS_ESPERADAS")
        for name in ("ACTAS_CONTABILIZADAS", "ACTAS_CAPTURADAS"):
            n = value.get(name)
            if isinstance(n, int) and isinstance(expected, int) and n > expected:
                text = f"{name} es {n:,} y se esperan {expected:,} actas."
                yield Finding("ACTAS_DE_MAS", "bloquea", f"{place}.{name}", text)


def _over_100(totals: ContestTotals) -> Iterator[Finding]:
    for place, value in (("encabezado", totals.encabezado), ("recalculado", totals.recalculado)):
        for name in CAMPOS:
            figure = value.get(name)
            if isinstance(figure, str) and Decimal(figure) > 100:
                yield Finding("PORCENTAJE_IMPOSIBLE", "bloquea", f"{place}.{name}", f"{name} es {figure} %.")
    over = [unit for unit in totals.unidades if Decimal(unit.participacion) > 100]
    if over:
        shown = _some([f"{unit.id} {unit.nombre} {unit.participacion} %" for unit in over])
        text = f"{len(over):,} {totals.nivel}(s) con más votos que lista nominal: {shown}."
        yield Finding("PORCENTAJE_IMPOSIBLE", "bloquea", f"{totals.nivel} {over[0].id}", text)


def _foreign(totals: ContestTotals, previous: Referencia) -> Iterator[Finding]:
    columns = tuple(totals.contendientes)
    if columns != previous.columnas:
        different = sorted(set(columns) ^ set(previous.columnas)) or ["el orden"]
        text = f"Las columnas de votos no son las del corte anterior: {_some(different)}."
        yield Finding("CATALOGO_AJENO", "bloquea", "columnas", text)
    units = _units(unit.id for unit in totals.unidades)
    if totals.nivel != previous.nivel:
        text = f"El archivo va por {totals.nivel} y el corte anterior por {previous.nivel}."
        yield Finding("CATALOGO_AJENO", "bloquea", totals.nivel, text)
    elif units != previous.unidades:
        gone, come = sorted(previous.unidades - units), sorted(units - previous.unidades)
        told = [f"faltan {_some(gone)}"] * bool(gone) + [f"sobran {_some(come)}"] * bool(come)
        text = f"Los {totals.nivel}s no son los del corte anterior: {'; '.join(told)}."
        yield Finding("CATALOGO_AJENO", "bloquea", totals.nivel, text)


def _listed(code: str, what: str, found: Sequence[Acta], examples: Iterable[str]) -> tuple[Finding, ...]:
    if not found:
        return ()
    text = f"{len(found):,} acta(s) {what}: {_some(list(examples), total=len(found))}."
    return (Finding(code, "avisa", f"línea {found[0].linea}", text),)


def _units(ids: Iterable[str]) -> frozenset[str]:
    return frozenset(identifier for identifier in ids if "sin-" not in identifier)


def _name(acta: Acta) -> str:
    return f"{acta.clave_acta or acta.clave_casilla} (línea {acta.linea})"


def _some(examples: Sequence[str], *, total: int | None = None) -> str:
    rest = (len(examples) if total is None else total) - MAX_EXAMPLES
    return "; ".join(examples[:MAX_EXAMPLES]) + (f" y {rest:,} más" if rest > 0 else "")


def _shown(value: int | str) -> str:
    return f"{value:,}" if isinstance(value, int) else value


def _ordered(found: Iterable[Finding]) -> tuple[Finding, ...]:
    weight = {"bloquea": 0, "avisa": 1, "informa": 2}
    return tuple(sorted(found, key=lambda finding: weight[finding.severidad]))
