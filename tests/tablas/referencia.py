"""What the engine must give of a table, added up slowly: one acta after the other, as ``prep`` reads them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pregon.prep.circunscripciones import circunscripcion_of
from pregon.prep.inconsistencias import DEFINICIONES, definitions_met
from pregon.prep.model import Acta, Estado, Marker
from pregon.prep.revisa import faults
from pregon.tablas.fichas import Entendidas, Faltas
from pregon.tablas.model import casilla_as_dict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pregon.prep.model import ActaTable, Nivel
    from pregon.tablas.estadistica import Grupo

CAPTURADAS = (Estado.CONTABILIZADA, Estado.NO_CONTABILIZADA)
SIN_VALOR = ("", "-", "--", "N/A", "n/a")


def levels(read: Sequence[Acta], columns: int) -> tuple[dict[str, Any], ...]:
    """``Entendidas.niveles``."""
    names = [f"v{place:03d}" for place in range(columns)]
    zero = dict.fromkeys((*_sums(None, names), *names, *(f"{name}_n" for name in names), "filas"), 0)
    found: dict[tuple[str, str, str], Counter[str]] = {("total", "", ""): Counter()}
    for acta in read:
        sums = _sums(acta, names)
        for level in _levels_of(acta):
            found.setdefault(level, Counter()).update(sums)
    return tuple(
        {"nivel": level, "id": identity, "tipo": kind, **zero, **found[level, identity, kind]}
        for level, identity, kind in sorted(found)
    )


def sections(read: Iterable[Acta]) -> tuple[tuple[str, str, str], ...]:
    """``Entendidas.secciones``."""
    found: dict[tuple[str, str], list[int]] = {}
    for acta in read:
        if acta.estado is Estado.FUERA_CATALOGO:
            continue
        counted = acta.estado is Estado.CONTABILIZADA
        votes = [_count(cell) * counted for cell in acta.votos]
        one = [
            1,
            int(acta.estado in CAPTURADAS),
            int(counted),
            _count(acta.lista_nominal) * counted,
            sum(votes),
            *votes,
        ]
        known = found.setdefault((acta.unidad, acta.seccion), [0] * len(one))
        found[acta.unidad, acta.seccion] = [a + b for a, b in zip(known, one, strict=True)]
    return tuple((*key, ",".join(map(str, sums))) for key, sums in sorted(found.items()))


def groups(table: ActaTable, read: Sequence[Acta]) -> tuple[Grupo, ...]:
    """``Entendidas.estadistica``."""
    place = table.columns.ubicacion
    found: dict[tuple[str, str, str, str], list[int]] = {}
    for acta, row in zip(read, table.filas, strict=True):
        where = "" if place is None else row[place]
        key = (acta.tipo, where, acta.estado.value, acta.observaciones)
        counted = acta.estado is Estado.CONTABILIZADA
        known = found.setdefault(key, [0, 0, 0])
        for n, value in enumerate((1, _count(acta.lista_nominal) * counted, sum(map(_count, acta.votos)) * counted)):
            known[n] += value
    return tuple((*key, n, lista, votes) for key, (n, lista, votes) in sorted(found.items()))


def shown(read: Iterable[Acta]) -> dict[int, Faltas]:
    """``Entendidas.faltas``."""
    every = {place: (acta, faults(acta)) for place, acta in enumerate(read)}
    return {place: Faltas(a.clave_acta or a.clave_casilla, told) for place, (a, told) in every.items() if told}


def repeated(read: Iterable[Acta]) -> tuple[tuple[tuple[str, int], ...], tuple[tuple[str, int], ...]]:
    """``Entendidas.repetidas``."""
    keys, images = Counter[str](), Counter[str]()
    for acta in read:
        if acta.estado is not Estado.FUERA_CATALOGO:
            keys[acta.clave_acta] += 1
        if acta.estado in CAPTURADAS:
            images[acta.sha] += 1
    first, second = (
        tuple((text, n) for text, n in counter.items() if n > 1 and text not in SIN_VALOR) for counter in (keys, images)
    )
    return first, second


def first_of_each_unit(read: Iterable[Acta]) -> dict[str, int]:
    """Where each unit comes first, fuera de catálogo or not."""
    found: dict[str, int] = {}
    for place, acta in enumerate(read):
        if acta.unidad:
            found.setdefault(acta.unidad, place)
    return found


def items(read: Iterable[Acta], nivel: Nivel) -> list[dict[str, Any]]:
    """Each acta as its object in a file of secciones, but for its id: a vote is a count, or the name of its marker."""
    found = []
    for acta in read:
        item = casilla_as_dict(acta, nivel)
        del item["contendientes"], item["marcas"]
        found.append({**item, "votos": [cell.value if isinstance(cell, Marker) else cell for cell in acta.votos]})
    return found


def differing(seen: Entendidas, table: ActaTable, read: Sequence[Acta]) -> list[str]:
    """The names of what the engine says otherwise than this slow sum."""
    fichas = seen.fichas
    wanted: dict[str, tuple[object, object]] = {
        "niveles": (seen.niveles, levels(read, len(table.columnas_voto))),
        "secciones": (seen.secciones, sections(read)),
        "estadistica": (seen.estadistica, groups(table, read)),
        "faltas": (dict(seen.faltas), shown(read)),
        "repetidas": ((seen.repetidas.claves, seen.repetidas.shas), repeated(read)),
        "primeras": (set(seen.primeras), set(first_of_each_unit(read))),
        "unidades": (fichas.unidades, tuple(acta.unidad for acta in read)),
        "shas": (fichas.shas, tuple(acta.sha if acta.estado in CAPTURADAS else "" for acta in read)),
    }
    return [name for name, (got, expected) in wanted.items() if got != expected]


def _count(cell: object) -> int:
    return cell if isinstance(cell, int) else 0


def _levels_of(acta: Acta) -> Iterator[tuple[str, str, str]]:
    outside = acta.estado is Estado.FUERA_CATALOGO
    entity = "" if outside else acta.entidad
    kind = "" if outside or acta.tipo in {"", "B", "C", "E"} else acta.tipo
    circ = circunscripcion_of(entity) or ("0" if entity else "")
    for level, identity in (("total", ""), ("circunscripcion", circ), ("entidad", entity), ("unidad", acta.unidad)):
        yield level, identity, ""
        yield f"{level}_tipo", identity, kind


def _sums(acta: Acta | None, names: list[str]) -> Counter[str]:
    """What one acta adds to every level; with None, every name that is not of a vote, at zero."""
    if acta is None:
        counts = ("esperadas", "fuera_catalogo", "capturadas", "contabilizadas", "no_contabilizadas")
        totals = ("lista_nominal", "calculado_c_cs", "calculado_s_cs", "total_votos", "total_votos_s_cs")
        return Counter(dict.fromkeys((*counts, *totals, *(f"inc_{name}" for name in DEFINICIONES)), 0))
    found = Counter({"filas": 1})
    if acta.estado is Estado.FUERA_CATALOGO:
        found["fuera_catalogo"] = 1
        return found
    found["esperadas"] = 1
    met = zip(DEFINICIONES, definitions_met(acta.observaciones), strict=True)
    found.update({f"inc_{name}": int(is_met) for name, is_met in met})
    if acta.estado in CAPTURADAS:
        found["capturadas"] = 1
        found.update({f"{name}_n": 1 for name, cell in zip(names, acta.votos, strict=True) if isinstance(cell, int)})
    if acta.estado is Estado.NO_CONTABILIZADA:
        found["no_contabilizadas"] = 1
    if acta.estado is Estado.CONTABILIZADA:
        found["contabilizadas"] = 1
        votes = {name: _count(cell) for name, cell in zip(names, acta.votos, strict=True)}
        found.update(votes)
        found.update(lista_nominal=_count(acta.lista_nominal), calculado_c_cs=_count(acta.calculado))
        found.update(total_votos=sum(votes.values()))
        if acta.tipo != "S":
            found.update(calculado_s_cs=_count(acta.calculado), total_votos_s_cs=sum(votes.values()))
    return found
