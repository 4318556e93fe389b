"""What was understood of the last signed cut, kept so that the next one does not do the same work twice.

``apuntes/<contienda>/`` in the workspace: the rows as they were read, one file per column of what was made of them, a
line for each acta; ``apuntes.json`` is written last.
They only save time. Whoever deletes them, or finds them damaged, of another version or of another cut, makes the whole
cut from its files, and the result is the same, byte for byte.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from zlib_ng import zlib_ng

from pregon import __version__
from pregon.instituto.secciones import places_of
from pregon.prep.plain import Body, PlainRows
from pregon.tablas.fichas import Entendidas, Faltas, Fichas, Repetidas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pregon.base.durable import Disk
    from pregon.instituto.base_de_datos import BaseDeDatos
    from pregon.prep.model import ActaTable
    from pregon.tablas.estadistica import Grupo

_FORMATO = "pregon/apuntes/2"
_INDICE = "apuntes.json"
_RENGLONES = "renglones"
Sumas: TypeAlias = "Mapping[str, tuple[int, int]]"
"""How many lines each column has, and its CRC-32."""
_COLUMNS = tuple(field.name for field in dataclasses.fields(Fichas))


@dataclass(frozen=True)
class Apuntes:
    """The table of a cut as the bytes of its rows, and what was made of them.

    ``cabezas``: how many physical lines are above the rows; ``filas``: how many rows. ``entendidas`` has no ``textos``:
    those are in the package. ``repetidas``: the id of each acta whose key others have too, by place. ``base``: name in
    its zip and SHA-256 of the database zip that holds the table, where it travelled as it was written.
    """

    cabezas: int
    filas: int
    renglones: bytes
    entendidas: Entendidas
    repetidas: Mapping[int, str]
    base: tuple[str, str] | None

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """The places of the actas of each file of secciones."""
        return places_of(self.entendidas.fichas.hojas)

    def table(self, like: ActaTable) -> ActaTable:
        """The rows of the cut, as a table that has everything else in common with ``like``."""
        dialect = like.dialecto
        body = Body(self.renglones, dialect.encoding, dialect.line_end, self.filas, max(1, len(self.renglones)), (0,))
        lines = range(self.cabezas + 1, self.cabezas + 1 + self.filas)
        return dataclasses.replace(like, filas=PlainRows(body, dialect.delimiter), lineas=lines)

    def without_rows(self) -> Apuntes:
        """The same without the bytes of its rows: 45 MB of a national contest, for who has compared them already."""
        return dataclasses.replace(self, renglones=b"")


def noted(table: ActaTable, entendidas: Entendidas, repetidas: Mapping[int, str], base: BaseDeDatos) -> Apuntes | None:
    """The notes of a table; None where its lines cannot be kept one by one."""
    rows = table.filas
    if not isinstance(rows, PlainRows) or not rows:
        return None
    dialect = table.dialecto
    return Apuntes(
        cabezas=len(table.original.cabeza),
        filas=len(rows),
        renglones=rows.body.bytes_
        if rows.body is not None
        else dialect.line_end.join((*rows.lineas, "") if dialect.final_line_end else rows.lineas).encode(
            dialect.encoding
        ),
        entendidas=dataclasses.replace(entendidas, textos={}, tocadas=None),
        repetidas=repetidas,
        base=(table.origen, base.descarga.sha256) if base.verbatim else None,
    )


def load(folder: Path, like: ActaTable, manifiesto_sha256: str) -> Apuntes | None:
    """The notes in ``folder`` if they are whole, of that signed cut and of a table with the columns of ``like``."""
    # Whatever is wrong with them, they are not used.
    with contextlib.suppress(OSError, ValueError, LookupError, TypeError, AttributeError):
        told = _opened((folder / _INDICE).read_bytes())
        if told["formato"] == _FORMATO and told["version"] == __version__ and told["manifiesto"] == manifiesto_sha256:
            if told["forma"] != form_of(like):
                return None
            return _read(folder, told)
    return None


def lay(folder: Path, apuntes: Apuntes, *, disk: Disk) -> Sumas:
    """Write into ``folder``, where nobody looks for them, the notes of a cut that is not signed yet; for ``seal``.

    Raises:
        OSError, DiscoError, EscrituraError: could not write.
    """
    disk.make_folder(folder)
    sums: dict[str, tuple[int, int]] = {}
    for name, values in _columns(apuntes).items():
        data = "\n".join(values).encode()
        sums[name] = len(values), zlib_ng.crc32(data)
        (folder / name).write_bytes(data)  # not durable on purpose: what is damaged is not used
    (folder / _RENGLONES).write_bytes(apuntes.renglones)
    return sums


def seal(
    laid: Path, folder: Path, apuntes: Apuntes, sums: Sumas, like: ActaTable, manifiesto_sha256: str, *, disk: Disk
) -> None:
    """Move the notes that ``lay`` wrote into ``laid`` to ``folder``: those of the cut signed with that manifest.

    What was there is gone first; what makes them count is written last.

    Raises:
        OSError, DiscoError, EscrituraError: could not write.
    """
    forget(folder, disk=disk)
    disk.make_folder(folder.parent)
    laid.rename(folder)
    seen = apuntes.entendidas
    told = {
        "formato": _FORMATO,
        "version": __version__,
        "manifiesto": manifiesto_sha256,
        "forma": form_of(like),
        "actas": apuntes.filas,
        "renglones": zlib_ng.crc32(apuntes.renglones),
        "sumas": sums,
        "cabezas": apuntes.cabezas,
        "repetidas": list(apuntes.repetidas.items()),
        "base": apuntes.base,
        "niveles": seen.niveles,
        "estadistica": seen.estadistica,
        "unidades": seen.primeras,
        "claves": seen.repetidas.claves,
        "shas": seen.repetidas.shas,
        "faltas": [[place, one.nombre, one.faltas] for place, one in seen.faltas.items()],
    }
    disk.write(folder / _INDICE, _closed(told))


def forget(folder: Path, *, disk: Disk) -> None:
    """Take the notes away."""
    disk.remove_tree(folder)


def _closed(told: Mapping[str, Any]) -> bytes:
    """As JSON, after its own checksum."""
    data = json.dumps(told).encode()
    return b"%08x\n%s" % (zlib_ng.crc32(data), data)


def _opened(content: bytes) -> dict[str, Any]:
    total, _, data = content.partition(b"\n")
    if zlib_ng.crc32(data) != int(total, 16):
        raise ValueError("damaged")
    found: dict[str, Any] = json.loads(data)
    return found


def form_of(table: ActaTable) -> dict[str, Any]:
    """What two tables must have in common for the lines of one to mean the same in the other."""
    return {
        "columnas": list(table.columnas),
        "delimitador": table.dialecto.delimiter,
        "nivel": table.nivel,
        "titulo": table.titulo,
        "varias": table.varias_entidades,
        "codificacion": [table.dialecto.encoding, table.dialecto.bom],
        "fin": [table.dialecto.line_end, table.dialecto.final_line_end],
    }


def _columns(apuntes: Apuntes) -> dict[str, Sequence[str]]:
    seen = apuntes.entendidas
    return {
        **{name: getattr(seen.fichas, name) for name in _COLUMNS},
        **{f"seccion-{n}": [row[n] for row in seen.secciones] for n in range(3)},
    }


def _group(row: Sequence[Any]) -> Grupo:
    kind, place, state, text, actas, lista, votes = row
    return (kind, place, state, text, actas, lista, votes)


def _read(folder: Path, told: Mapping[str, Any]) -> Apuntes:
    found: dict[str, tuple[str, ...]] = {}
    for name, (length, total) in told["sumas"].items():
        data = (folder / name).read_bytes()
        found[name] = tuple(data.decode().split("\n")) if length else ()
        if zlib_ng.crc32(data) != total or len(found[name]) != length:
            raise ValueError(f"{name} is damaged")
    if any(len(found[name]) != told["actas"] for name in _COLUMNS):
        raise ValueError("columns of different lengths")
    rows = (folder / _RENGLONES).read_bytes()
    if zlib_ng.crc32(rows) != told["renglones"]:
        raise ValueError("the rows are damaged")
    seen = Entendidas(
        niveles=tuple(told["niveles"]),
        secciones=tuple(zip(*(found[f"seccion-{n}"] for n in range(3)), strict=True)),
        estadistica=tuple(_group(row) for row in told["estadistica"]),
        primeras=told["unidades"],
        faltas={
            place: Faltas(name, tuple((code, detail) for code, detail in shown))
            for place, name, shown in told["faltas"]
        },
        repetidas=Repetidas(*(tuple((text, n) for text, n in told[key]) for key in ("claves", "shas"))),
        fichas=Fichas(*(found[name] for name in _COLUMNS)),
        textos={},
    )
    base = told["base"]
    return Apuntes(
        cabezas=told["cabezas"],
        filas=told["actas"],
        renglones=rows,
        entendidas=seen,
        repetidas=dict(told["repetidas"]),
        base=None if base is None else (base[0], base[1]),
    )
