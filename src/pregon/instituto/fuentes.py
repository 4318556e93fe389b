"""The files that a cut is made of: which election each is, what lies beside it, and what of it travels verbatim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base.errors import EntradaError, UsoError
from pregon.base.hashing import sha256_file
from pregon.instituto.elecciones import Eleccion, from_code, identify, token_of
from pregon.prep.candidaturas import Candidatura, catalogue_beside, read_candidaturas
from pregon.prep.reader import read_actas
from pregon.prep.text import fold

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.prep.model import ActaTable


@dataclass(frozen=True)
class ContestSource:
    """The files of one contest. ``eleccion`` None: its file name or title says it."""

    eleccion: str | None
    actas: Path
    candidaturas: Path | None = None
    leeme: Path | None = None


@dataclass(frozen=True)
class Fuente:
    """A contest's files, read. ``token`` is the election as the file's name spells it (``GOB``, ``DIP_LOC``)."""

    origen: ContestSource
    eleccion: Eleccion
    token: str
    tabla: ActaTable
    candidaturas: tuple[Candidatura, ...]
    sha256: str = ""


def sources(actas: Sequence[Path], candidaturas: Sequence[Path] = ()) -> tuple[ContestSource, ...]:
    """Pair each acta file with its catalogue and its LEEME.

    A catalogue given is paired by the election in its name (or by order, when no name says it and the counts are
    equal); with none given, the ones beside each acta file are taken, and so is its LEEME.

    Raises:
        UsoError: a catalogue given matches no acta file.
    """
    left = list(candidaturas)
    found: list[ContestSource] = []
    for path in actas:
        token = _code(path)
        given = next((item for item in left if _code(item) == token and token is not None), None)
        if given is None and candidaturas and len(actas) == len(candidaturas) == 1:
            given = left[0]
        if given is not None:
            left.remove(given)
        beside = None if candidaturas else catalogue_beside(path)
        found.append(ContestSource(None, path, given or beside, _leeme(path)))
    if left:
        raise UsoError(
            f"No se sabe de qué elección es {left[0].name}.",
            intacto="No se hizo ningún corte; el repositorio sigue como estaba.",
            que_hacer="Nombre el archivo de candidaturas con la misma elección que el de actas (GUB, DIP_LOC, AYUN…).",
        )
    return tuple(found)


def read(source: ContestSource) -> Fuente:
    """Read the files of one contest.

    Raises:
        EntradaError: one is not there, or nothing says which election it is.
        FormatoError: one cannot be read; the text names file, line and column.
    """
    sha256 = _hash(source.actas)  # before reading: who changes the file from here on is seen by the gate
    table = read_actas(source.actas)
    if source.leeme is not None and not source.leeme.is_file():
        raise EntradaError(
            f"No se encontró {source.leeme}.",
            intacto="No se hizo ningún corte; el repositorio sigue como estaba.",
            que_hacer="Revise la ruta del LEEME.",
        )
    people = () if source.candidaturas is None else read_candidaturas(source.candidaturas)
    if source.eleccion is None:
        identified = identify(source.actas.name, table.titulo)
        return Fuente(source, identified.eleccion, identified.token, table, people, sha256)
    eleccion = from_code(source.eleccion)
    return Fuente(source, eleccion, token_of(source.actas.name) or eleccion.codigo, table, people, sha256)


def _hash(path: Path) -> str:
    try:
        return sha256_file(path)
    except OSError:
        return ""  # reading it says what is wrong


def _code(path: Path) -> str | None:
    token = token_of(path.name) or token_of(path.parent.name)
    return None if token is None else from_code(token).codigo


def _leeme(path: Path) -> Path | None:
    return next((item for item in _files(path.parent) if fold(item.name) == "LEEME.TXT"), None)


def _files(folder: Path) -> list[Path]:
    return sorted(item for item in folder.iterdir() if item.is_file()) if folder.is_dir() else []
