"""What ``pregon prep revisa`` does: reads the files, pairs each with its previous cut, and asks the gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base.errors import UsoError
from pregon.instituto.elecciones import from_code, token_of
from pregon.prep.cambios import changes
from pregon.prep.candidaturas import catalogue_beside, read_candidaturas
from pregon.prep.reader import read_actas
from pregon.tablas.compuerta import Referencia, corrected, follows, foreign_entity, review
from pregon.tablas.totales import totals

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.prep.candidaturas import Candidatura
    from pregon.prep.model import ActaTable, Finding


@dataclass(frozen=True)
class Revision:
    """A file and what the gate says of it."""

    path: Path
    titulo: str
    hallazgos: tuple[Finding, ...]


def review_files(paths: Sequence[Path], catalogues: Sequence[Path], before: Sequence[Path]) -> list[Revision]:
    """The findings of each file by itself and, where there is one, over its previous cut.

    Raises:
        UsoError: catalogues or previous cuts that cannot be paired.
        EntradaError, FormatoError: a file is missing or unreadable.
    """
    previous = _paired(paths, before)
    found: list[Revision] = []
    for path, (table, people), other in zip(paths, read_tables(paths, catalogues), previous, strict=True):
        computed = totals(table, candidaturas=people, detalle=False)
        findings = review(computed)
        if other is not None:
            old = read_actas(other)
            findings = (
                *findings,
                *(foreign_entity(table.entidades, old.entidades[0]) if len(old.entidades) == 1 else ()),
                *follows(computed, Referencia.of(totals(old, detalle=False))),
                *corrected(changes(old, table)),
            )
        found.append(Revision(path, computed.titulo, findings))
    return found


def read_tables(paths: Sequence[Path], catalogues: Sequence[Path]) -> list[tuple[ActaTable, tuple[Candidatura, ...]]]:
    """Each file with its people: of the catalogue given, or of the one beside it.

    Raises:
        UsoError: neither one catalogue nor one per file.
        EntradaError, FormatoError: a file is missing or unreadable.
    """
    if len(catalogues) not in (0, 1, len(paths)):
        raise UsoError(
            f"Hay {len(paths)} archivos de actas y {len(catalogues)} de candidaturas.",
            intacto="No se leyó ningún archivo.",
            que_hacer="Dé --candidaturas una sola vez, o una vez por cada archivo de actas y en su mismo orden.",
        )
    chosen: list[Path | None] = [catalogue_beside(path) for path in paths]
    if catalogues:
        chosen = [*catalogues] * (len(paths) if len(catalogues) == 1 else 1)
    return [
        (read_actas(path), () if catalogue is None else read_candidaturas(catalogue))
        for path, catalogue in zip(paths, chosen, strict=True)
    ]


def _paired(paths: Sequence[Path], before: Sequence[Path]) -> list[Path | None]:
    """The previous cut of each file: by the election in their names where they tell them apart, else by order."""
    if not before:
        return [None] * len(paths)
    ours, theirs = [_election(path) for path in paths], [_election(path) for path in before]
    by_name = dict(zip(theirs, before, strict=True))
    told_apart = None not in ours and len(set(ours)) == len(ours) and len(by_name) == len(before)
    if told_apart and set(theirs) <= set(ours):
        return [by_name.get(election) for election in ours]
    if len(before) == len(paths):
        return list(before)
    raise UsoError(
        f"No se sabe de qué archivo es cada uno de los {len(before)} del corte anterior.",
        intacto="No se revisó nada.",
        que_hacer="Dé en --anterior un archivo por cada uno de los que revisa, en el mismo orden.",
    )


def _election(path: Path) -> str | None:
    token = token_of(path.name)
    return None if token is None else from_code(token).id
