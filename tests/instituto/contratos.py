"""Reading the data of a cut as the page for programmers says, and checking it against the published schemas."""

from __future__ import annotations

import json
import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from pregon.base.jsonio import compact_json
from pregon.instituto import contrato, estadistica, fuentes, noche
from pregon.instituto.cambios import ARCHIVO, cambios_json
from pregon.instituto.datos import base_of, contest_files
from pregon.instituto.hojas import Hojas
from pregon.instituto.noche import Noche, entry_of
from pregon.instituto.portal.vistas import contienda
from pregon.instituto.secciones import Ids, sheets
from pregon.tablas.estadistica import statistics
from pregon.tablas.fichas import understand
from pregon.tablas.totales import totals

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pregon.tablas.model import ContestTotals


def validators() -> dict[str, Draft202012Validator]:
    return {name: Draft202012Validator(contrato.schema(name)) for name in contrato.NOMBRES}


def check(files: Iterable[tuple[str, bytes]]) -> dict[str, int]:
    """Every data file validates and is one of the kinds; gives how many there are of each."""
    known = validators()
    seen = dict.fromkeys(contrato.NOMBRES, 0)
    for route, data in files:
        kind = contrato.kind_of(route)
        assert kind is not None, route
        wrong = [
            f"{route} {error.json_path}: {error.message[:200]}" for error in known[kind].iter_errors(json.loads(data))
        ]
        assert wrong == []
        seen[kind] += 1
    return seen


def package_files(site: Path) -> dict[str, bytes]:
    """The data files of an unpacked package, by route."""
    routes = {str(path.relative_to(site)): path for path in site.rglob("*.json")}
    return {route: path.read_bytes() for route, path in routes.items() if not route.startswith("esquemas/")}


def contest(source: fuentes.ContestSource, *, corte: int = 1) -> tuple[ContestTotals, dict[str, bytes]]:
    """The totals of a contest and its data files, without making a package."""
    read = fuentes.read(source)
    computed = totals(read.tabla, eleccion=read.eleccion.id, candidaturas=read.candidaturas)
    view = contienda(read.eleccion, computed, read.candidaturas, corte=corte)
    seen = understand(read.tabla, fichas=True)
    hojas = sheets(seen.fichas.hojas, seen.secciones, seen.primeras)
    maker = Hojas(computed.eleccion, read.tabla, Ids.of(read.tabla, seen.fichas), seen, None)
    files = dict(contest_files(computed, view, hojas, corte=corte))
    base = base_of(computed.eleccion, corte)
    files[f"{base}/{ARCHIVO}"] = compact_json(
        cambios_json(None, nivel=computed.nivel, anterior=None, ids={}, shard=lambda acta: acta.seccion)
    )
    night = Noche(computed.eleccion).with_cut(entry_of(computed, view, corte=corte, hora=computed.hora_corte))
    files[f"{base}/{noche.ARCHIVO}"] = compact_json(night.as_dict())
    figures = estadistica.estadistica_json(computed, statistics(seen.estadistica))
    files[f"{base}/{estadistica.ARCHIVO}"] = compact_json(figures)
    files |= {maker.route(name, corte): maker.content(name, sheet) for name, sheet in hojas.items()}
    return computed, files


@dataclass
class Contest:
    """A contest as a program finds it by following routes; ``read`` are the routes that it asked for."""

    indice: dict[str, Any]
    entidad: dict[str, Any]
    unidades: dict[str, dict[str, Any]] = field(default_factory=dict)
    secciones: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    actas: list[dict[str, Any]] = field(default_factory=list)
    columnas: list[str] = field(default_factory=list)
    archivo_de: dict[str, str] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)


def follow(files: Mapping[str, bytes], indice: str) -> Contest:
    """Read a contest from the route of its index, by nothing but the routes that each file gives."""

    def get(base: str, route: str) -> tuple[str, dict[str, Any]]:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(base), route))
        if target not in parsed:
            found.read.add(target)
            parsed[target] = json.loads(files[target])
        return target, parsed[target]

    parsed: dict[str, dict[str, Any]] = {}
    index: dict[str, Any] = json.loads(files[indice])
    found = Contest(index, {}, read={indice})
    _, found.entidad = get(indice, index["entidad"])
    get(indice, index["cambios"])
    get(indice, index["noche"])
    get(indice, index["estadistica"])
    nivel = index["nivel"]
    for item in index["secciones"]:
        route, shard = get(indice, item["archivo"])
        found.columnas = shard["columnas"]
        for section in shard["secciones"]:
            found.secciones[section[nivel], section["id"]] = section
            found.archivo_de[f"seccion {section[nivel]} {section['id']}"] = route.split("/", 2)[2]
        assert len(shard["casillas"]) == item["actas"]
        found.actas += shard["casillas"]
    for item in index["unidades"]:
        route, unit = get(indice, item["archivo"])
        assert (unit["id"], unit["nombre"]) == (item["id"], item["nombre"])
        found.unidades[unit["id"]] = unit
        found.archivo_de[f"unidad {unit['id']}"] = route.split("/", 2)[2]
        for section in unit["secciones"]:
            target, shard = get(route, section["archivo"])
            assert target.split("/", 2)[2] == found.archivo_de[f"seccion {unit['id']} {section['id']}"]
    return found


def check_totals(found: Contest, expected: ContestTotals) -> int:
    """Every figure that was found is that of ``expected``; gives how many were compared."""
    whole = json.loads(json.dumps(expected.to_json()))
    nivel = expected.nivel
    assert found.entidad == json.loads(json.dumps(expected.to_json(hasta="unidad")))
    assert [unit["id"] for unit in whole["niveles"][nivel]] == list(found.unidades)
    figures = 0
    for unit in whole["niveles"][nivel]:
        assert {key: found.unidades[unit["id"]][key] for key in unit} == unit
        figures += len(unit["contendientes"]) + len(unit["partidos"]) + len(unit["candidaturas"]) + 5
    assert len(found.secciones) == len(whole["niveles"]["seccion"])
    for section in whole["niveles"]["seccion"]:
        shown = dict(found.secciones[section[nivel], section["id"]])
        votes = shown.pop("votos")
        assert {**shown, "contendientes": dict(zip(found.columnas, votes, strict=True))} == section
        figures += len(votes) + 5
    actas = [_acta(acta, found.columnas) for acta in found.actas]
    assert sorted(map(_key, actas)) == sorted(map(_key, whole["niveles"]["casilla"]))
    return figures + sum(len(acta["contendientes"]) for acta in actas)


def _acta(shown: dict[str, Any], columns: list[str]) -> dict[str, Any]:
    """An acta of a shard in the form of ``prep totales --json``."""
    cells = dict(zip(columns, shown["votos"], strict=True))
    return {
        **{key: value for key, value in shown.items() if key not in ("id", "votos")},
        "contendientes": {key: cell if isinstance(cell, int) else None for key, cell in cells.items()},
        "marcas": {key: cell for key, cell in cells.items() if isinstance(cell, str)},
    }


def _key(value: dict[str, Any]) -> str:
    return json.dumps(value, sort_keys=True)
