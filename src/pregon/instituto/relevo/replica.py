"""The repository as both machines find it: every file of it in the server, whole, before a reader can see it.

``pieza`` has each file by its path in the repository, ``trozo`` its bytes, ``numero`` who took each number and for
what, ``rol`` the last version given, ``vigente`` the timestamp that leads to the rest.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pregon.base.errors import DanadoError, EquivocoError
from pregon.base.estado import INTACTO
from pregon.base.hashing import sha256_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from psycopg import Cursor

    from pregon.base.durable import Disk
    from pregon.trust.numeros import Clase

TABLAS = (
    """
    CREATE TABLE IF NOT EXISTS pieza (
      ruta text PRIMARY KEY, bytes bigint NOT NULL, sha256 text NOT NULL, epoca bigint NOT NULL)
    """,
    """
    CREATE TABLE IF NOT EXISTS trozo (
      ruta text NOT NULL, parte integer NOT NULL, dato bytea NOT NULL, PRIMARY KEY (ruta, parte))
    """,
    """
    CREATE TABLE IF NOT EXISTS numero (
      clase text NOT NULL, n bigint NOT NULL, sha256 text NOT NULL, epoca bigint NOT NULL,
      tomado timestamptz NOT NULL DEFAULT clock_timestamp(), firmado boolean NOT NULL DEFAULT false, vale bytea,
      PRIMARY KEY (clase, n))
    """,
    "CREATE TABLE IF NOT EXISTS rol (nombre text PRIMARY KEY, version bigint NOT NULL)",
    """
    CREATE TABLE IF NOT EXISTS vigente (
      uno boolean PRIMARY KEY DEFAULT true CHECK (uno), version bigint NOT NULL, dato bytea NOT NULL)
    """,
)
TROZO = 1 << 20
"""Bytes of a file in one row."""
TIMESTAMP = "metadata/timestamp.json"


@dataclass(frozen=True)
class Pieza:
    """A file that is kept: path in the repository, length, SHA-256 in hexadecimal."""

    ruta: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Numero:
    """A number that was taken and that no signed list has yet: of a cut or of a notice, for the content ``sha256``.

    ``vale``: what the machine that took it signed (``vales``).
    """

    clase: Clase
    n: int
    sha256: str
    vale: bytes = b""


def guarda(cursor: Cursor[Any], ruta: str, content: Path | bytes, epoca: int) -> None:
    """Keep a file; one that is there with the same content stays.

    Raises:
        EquivocoError: it is there with another content.
    """
    digest, size, part = hashlib.sha256(), 0, 0
    known = cursor.execute("SELECT sha256 FROM pieza WHERE ruta = %s", (ruta,)).fetchone()
    if known is not None:
        if known[0] != (hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else sha256_file(content)):
            raise _otherwise(ruta)
        return
    for part, piece in enumerate(_pieces(content)):
        digest.update(piece)
        size += len(piece)
        cursor.execute("INSERT INTO trozo VALUES (%s, %s, %b)", (ruta, part, piece))
    cursor.execute("INSERT INTO pieza VALUES (%s, %s, %s, %s)", (ruta, size, digest.hexdigest(), epoca))


def olvida(cursor: Cursor[Any], quedan: Iterable[str]) -> None:
    """Drop the documents that no timestamp leads to any more: all but roots and those that ``quedan``."""
    query = "ruta LIKE 'metadata/%%' AND ruta NOT LIKE '%%.root.json' AND ruta <> ALL(%s)"
    stay = list(quedan)
    cursor.execute(f"DELETE FROM trozo WHERE {query}", (stay,))  # noqa: S608 (no text of others)
    cursor.execute(f"DELETE FROM pieza WHERE {query}", (stay,))  # noqa: S608


def piezas(cursor: Cursor[Any]) -> tuple[Pieza, ...]:
    """All that is kept, by path."""
    return tuple(Pieza(*row) for row in cursor.execute("SELECT ruta, bytes, sha256 FROM pieza ORDER BY ruta"))


def vigente(cursor: Cursor[Any]) -> tuple[int, bytes] | None:
    """Version and bytes of the timestamp that was kept last; None before the first."""
    row = cursor.execute("SELECT version, dato FROM vigente").fetchone()
    return None if row is None else (int(row[0]), bytes(row[1]))


def pendientes(cursor: Cursor[Any]) -> tuple[Numero, ...]:
    """The numbers that were taken and never signed, notices first."""
    rows = cursor.execute(
        "SELECT clase, n, sha256, coalesce(vale, ''::bytea) FROM numero WHERE NOT firmado ORDER BY clase, n"
    )
    return tuple(Numero(clase, n, sha256, bytes(vale)) for clase, n, sha256, vale in rows)


def copia(cursor: Cursor[Any], piece: Pieza, folder: Path, disk: Disk, *, firme: bool = False) -> bool:
    """Have ``piece`` in ``folder``, whole and durable, or not at all; whether it had to be brought.

    ``firme``: what is there under its name was signed, and so never changes: its length is enough. Anything else is
    read, because a machine that died may have left there another content that nobody signed.

    Raises:
        DanadoError: what the server has is not what was kept.
        DiscoError, EscrituraError: it could not be written.
    """
    path = folder / piece.ruta
    with contextlib.suppress(OSError):
        same = path.stat().st_size == piece.bytes
        if same and (firme or sha256_file(path) == piece.sha256):
            return False
    disk.make_folder(path.parent)
    disk.write(path, _checked(cursor, piece))
    return True


def _checked(cursor: Cursor[Any], piece: Pieza) -> Iterator[bytes]:
    digest, part = hashlib.sha256(), 0
    query = "SELECT dato FROM trozo WHERE ruta = %s AND parte = %s"
    while row := cursor.execute(query, (piece.ruta, part), binary=True).fetchone():
        digest.update(row[0])
        yield bytes(row[0])
        part += 1
    if digest.hexdigest() != piece.sha256:
        raise DanadoError(
            f"La base de estado está dañada: {piece.ruta} no es lo que se guardó.",
            intacto=INTACTO,
            que_hacer="Recupere la base de su respaldo, o el repositorio de un difusor («pregon instituto recupera»).",
        )


def _pieces(content: Path | bytes) -> Iterator[bytes]:
    if isinstance(content, bytes):
        for start in range(0, len(content), TROZO):
            yield content[start : start + TROZO]
        return
    with content.open("rb") as file:
        while piece := file.read(TROZO):
            yield piece


def _otherwise(ruta: str) -> EquivocoError:
    return EquivocoError(
        f"{ruta} ya está en la base de estado con otro contenido.",
        intacto=INTACTO,
        que_hacer="Dos máquinas hicieron lo mismo de dos modos: no siga hasta saber por qué «instituto.toml» y las "
        "bitácoras de las dos no coinciden.",
    )
