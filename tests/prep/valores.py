"""What two tables must share to be the same data in two dialects."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pregon.prep.inconsistencias import definitions_met
from pregon.prep.reader import read_actas
from pregon.prep.rows import actas
from pregon.prep.writer import write_actas

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pregon.prep.estilos import Estilo
    from pregon.prep.model import ActaTable

_ISO = re.compile(r"(\d{4})[-/](\d{2})[-/](\d{2}) (\d{2}:\d{2}(?::\d{2})?)(?:\.0+)?")


def values(table: ActaTable) -> Iterator[tuple[object, ...]]:
    """The frame and then every acta, as values: markers by meaning, keys bare, dates in one form."""
    columns = table.columns
    classes = [(c.clase, "" if c.clase == "no_registradas" else c.columna, c.miembros) for c in columns.contendientes]
    yield (table.titulo, table.hora_corte, table.nivel, tuple(table.encabezado.items()), tuple(classes))
    counts = range(min(columns.votos.start - 4, columns.votos.start), columns.votos.start)
    for acta, row in zip(actas(table), table.filas, strict=True):
        yield (
            acta.clave_casilla,
            acta.clave_acta,
            acta.unidad,
            acta.unidad_nombre,
            acta.entidad,
            acta.seccion,
            acta.id_casilla,
            acta.tipo,
            acta.ext_contigua,
            acta.estado,
            acta.votos,
            acta.suma,
            acta.asentado,
            acta.calculado,
            acta.lista_nominal,
            acta.representantes,
            definitions_met(acta.observaciones),
            acta.sha,
            tuple(_date(text) for text in acta.fechas),
            len([place for place in counts if row[place].strip()]),
        )


def differences(one: ActaTable, other: ActaTable, *, most: int = 3) -> list[tuple[object, object]]:
    """The first values that differ; empty when the tables say the same."""
    found: list[tuple[object, object]] = []
    mine, theirs = list(values(one)), list(values(other))
    for left, right in zip(mine, theirs, strict=False):
        if left != right:
            found.extend((a, b) for a, b in zip(left, right, strict=True) if a != b)
            if len(found) >= most:
                break
    if len(mine) != len(theirs):
        found.append((len(mine), len(theirs)))
    return found[:most]


def written(
    table: ActaTable, *, estilo: Estilo | None = None, encabezado: Mapping[str, int | str | None] | None = None
) -> bytes:
    """The file that ``write_actas`` makes."""
    return b"".join(write_actas(table, estilo=estilo, encabezado=encabezado))


def through(table: ActaTable, folder: Path, estilo: Estilo) -> ActaTable:
    """``table`` written in a dialect and read again."""
    path = folder / f"{estilo.nombre}.csv"
    path.write_bytes(written(table, estilo=estilo))
    return read_actas(path)


def _date(text: str) -> str:
    match = _ISO.fullmatch(text)
    return text if match is None else f"{match[3]}/{match[2]}/{match[1]} {match[4]}"
