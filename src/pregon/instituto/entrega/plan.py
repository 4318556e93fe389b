"""What to send to one destination so that it has the newest cut: the fewest bytes that surely will do. Pure.

What a node has is known from its acuses alone. From a cut that it verified on, the ``.cambios.zip`` of each later cut
rebuild the newest (each needs the manifest of its own cut); where that weighs more than the whole archive, or a link of
the chain is missing, or nobody knows what the node has, the whole archive goes. A file that is already there is not
sent again by any carrier: what is counted here is the most that will travel.

Steps, as ``Envio`` asks: targets, metadata, timestamp; and after the timestamp, when the cut can be published already,
the whole archive where the profile keeps it (``historial = "completo"``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pregon.base.errors import EntradaError
from pregon.trust.oferta import CADENA_MAX, TIMESTAMP, split_archives

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pregon.trust.oferta import Oferta
    from pregon.trust.verified import CutRef, TargetRef

Forma = Literal["nada", "cambios", "completo", "todo"]
"""What of the newest cut travels before the timestamp: nothing, a chain of changes, the whole, the whole repository."""


@dataclass(frozen=True)
class Plan:
    """What goes to one destination.

    ``corte`` is the newest cut (None: none is signed), ``base`` the one on which a chain of changes stands. ``bytes``
    are those of the targets before the timestamp and ``despues`` those after it, both as signed.
    """

    pasos: tuple[tuple[str, ...], ...]
    corte: int | None
    base: int | None
    forma: Forma
    bytes: int
    despues: int


def plan(
    oferta: Oferta,
    *,
    tiene: int | None,
    historial: Literal["recibido", "completo"] = "recibido",
    todo: bool = False,
    completo: bool = False,
) -> Plan:
    """The smallest delivery that brings a node with cut ``tiene`` to the newest of ``oferta``.

    Args:
        tiene: newest cut known verified there; None, or one that ``oferta`` has not: unknown.
        historial: the profile's ``historial.conservar``.
        todo: every file of the repository, for a store that many read, each from a cut of its own.
        completo: the whole archive even where changes would do.

    Raises:
        EntradaError: the newest cut has no archive that a difusor can unpack.
    """
    notices = [_path(ref) for ref in oferta.avisos]
    cuts = oferta.cortes
    if not cuts:
        return _plan(oferta, notices, (), corte=None, base=None, forma="nada")
    newest = cuts[-1]
    if todo:
        every = [ref for cut in cuts for ref in (cut.manifiesto, *cut.archives)]
        return _plan(oferta, notices, every, corte=newest.corte, base=None, forma="todo")
    whole = split_archives(newest.archives)[0]
    later = () if whole is None or historial != "completo" else (whole,)
    known = tiene if any(cut.corte == tiene for cut in cuts) else None
    if known == newest.corte and not completo:
        files: Sequence[TargetRef] = (newest.manifiesto,)
        return _plan(oferta, notices, files, corte=newest.corte, base=known, forma="nada", later=later)
    entire = None if whole is None else (newest.manifiesto, whole)
    chain = None if known is None or completo else _chain([cut for cut in cuts if cut.corte > known])
    if chain is not None and (entire is None or _weight(chain) < _weight(entire)):
        return _plan(oferta, notices, chain, corte=newest.corte, base=known, forma="cambios", later=later)
    if entire is None:
        raise EntradaError(
            f"El corte {newest.corte:04d} no tiene un archivo completo que entregar.",
            intacto="No se entregó nada.",
            que_hacer="Revise el repositorio; el paquete debe ser un archivo .zip o .7z.",
        )
    return _plan(oferta, notices, entire, corte=newest.corte, base=None, forma="completo")


def _chain(cuts: Sequence[CutRef]) -> tuple[TargetRef, ...] | None:
    """Manifest and archive of changes of each; None where one has no archive of changes, or they are too many."""
    if len(cuts) > CADENA_MAX:
        return None
    files: list[TargetRef] = []
    for cut in cuts:
        changes = split_archives(cut.archives)[1]
        if changes is None:
            return None
        files += (cut.manifiesto, changes)
    return tuple(files)


def _plan(
    oferta: Oferta,
    notices: Sequence[str],
    files: Sequence[TargetRef],
    *,
    corte: int | None,
    base: int | None,
    forma: Forma,
    later: Sequence[TargetRef] = (),
) -> Plan:
    before = (*(_path(ref) for ref in files), *notices)
    steps = (before, oferta.metadatos, (TIMESTAMP,), tuple(_path(ref) for ref in later))
    return Plan(
        pasos=tuple(step for step in steps if step),
        corte=corte,
        base=base,
        forma=forma,
        bytes=_weight(files) + _weight(oferta.avisos),
        despues=_weight(later),
    )


def _weight(files: Iterable[TargetRef]) -> int:
    return sum(ref.bytes for ref in files)


def _path(ref: TargetRef) -> str:
    return f"targets/{ref.ruta}"
