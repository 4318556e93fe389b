"""The order of checks that is ours, as pure functions: no file, no network, no clock of its own.

The numbers are those of ``docs/verificacion.md``. Signatures, thresholds, versions, hashes and expiries of the
metadata (checks 4 to 7) are python-tuf's, called by ``cliente``; here is what they mean for cuts.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pregon.base.errors import (
    AjustesError,
    AmbienteError,
    CadenaError,
    ConvocatoriaError,
    EquivocoError,
    FirmaError,
    RetrocesoError,
)
from pregon.paquete.instante import parse_instant
from pregon.paquete.manifest import CORTE_MAX
from pregon.paquete.names import MANIFIESTO, check_path, visible
from pregon.trust.verified import CutRef, Identity, TargetRef

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from pregon.base.clock import Clock
    from pregon.paquete.manifest import Manifest
    from pregon.trust.verified import Memory

CLAIM = "x-pregon"
"""Extra field of the signed part of root and timestamp."""

INTACTO = "Lo publicado sigue como estaba; no se aceptó nada de lo recibido."


@dataclass(frozen=True)
class Claim:
    """What ``x-pregon`` says: whose repository this is and when the timestamp was signed."""

    identity: Identity
    firmado: datetime


@dataclass(frozen=True)
class SignedFile:
    """One entry of the signed list of the role cortes: its reference and the ``custom`` that was signed with it."""

    target: TargetRef
    custom: Mapping[str, Any]


def claim_of(fields: Mapping[str, Any]) -> Claim:
    """Read ``x-pregon`` from the fields of a signed document.

    Raises:
        FirmaError: it is missing or is not what it should be.
    """
    try:
        claim = fields[CLAIM]
        texts = [claim["convocatoria"], claim["instituto"], claim["ambiente"]]
        firmado = parse_instant(claim["firmado"])
        "".join(texts)  # all of them texts
    except (KeyError, TypeError, ValueError) as exc:
        raise FirmaError(
            f"Los metadatos recibidos no dicen de qué convocatoria y ambiente son («{CLAIM}»).",
            intacto=INTACTO,
            que_hacer="Compruebe que el origen sea el repositorio del instituto.",
        ) from exc
    return Claim(Identity(texts[0], texts[1], texts[2]), firmado)


def unverified_claim(timestamp: bytes) -> Claim | None:
    """The claim of a timestamp nobody has verified yet; None when it cannot be read.

    Refusing on it is always safe; accepting on it never happens.
    """
    try:
        return claim_of(json.loads(timestamp)["signed"])
    except (ValueError, KeyError, TypeError, RecursionError, FirmaError):
        return None


def check_identity(mine: Identity, theirs: Identity, *, where: str) -> None:
    """Checks 3, 8 and 13: same ambiente, same convocatoria, same institute. ``where`` names what states it.

    Raises:
        AmbienteError, ConvocatoriaError: in that order.
    """
    _same(
        mine,
        theirs,
        lambda other, own: f"Se ofreció un paquete de {other} y aquí se publica {own} ({where}).",
        intacto=INTACTO,
        ambiente="Revise la dirección del origen: simulacro y oficial tienen repositorios distintos.",
        convocatoria="Revise la dirección del origen y el archivo root.json con que se inició este difusor.",
    )


def check_clock(mine: Identity, clock: Clock) -> None:
    """A simulated clock only where nothing is official.

    Raises:
        AjustesError: a simulated clock in the ambiente «oficial».
    """
    if clock.simulado and mine.ambiente == "oficial":
        raise AjustesError(
            "Un difusor oficial no puede usar un reloj simulado.",
            intacto="No se leyó ni se publicó nada.",
            que_hacer="Ponga en los ajustes un reloj de verdad: «fuente» de [reloj] en difusor.toml, o quite "
            "«reloj_simulado» de instituto.toml.",
        )


def check_key(mine: Identity, theirs: Identity, *, path: str) -> None:
    """That a key file is of this tree, by its label. Nothing of another rehearsal, process or institute signs here.

    Raises:
        AmbienteError, ConvocatoriaError: in that order.
    """
    _same(
        mine,
        theirs,
        lambda other, own: f"La llave {path} es de {other} y aquí se firma {own}.",
        intacto="No se firmó nada; las llaves y el repositorio siguen como estaban.",
        ambiente="Retírela de ahí y use la del árbol que corresponde: simulacro y oficial no comparten llaves.",
        convocatoria="Retírela de ahí y use la de esta convocatoria.",
    )


def _same(
    mine: Identity,
    theirs: Identity,
    said: Callable[[str, str], str],
    *,
    intacto: str,
    ambiente: str,
    convocatoria: str,
) -> None:
    """``said``: what happened, of theirs and ours; ``ambiente`` and ``convocatoria``: what to do where each differs."""
    if theirs.ambiente != mine.ambiente:
        que_paso = said(f"ambiente «{visible(theirs.ambiente)}»", f"«{mine.ambiente}»")
        raise AmbienteError(que_paso, intacto=intacto, que_hacer=ambiente)
    if (theirs.convocatoria, theirs.instituto) != (mine.convocatoria, mine.instituto):
        other, own = (f"«{visible(whose.convocatoria)}» ({visible(whose.instituto)})" for whose in (theirs, mine))
        raise ConvocatoriaError(said(other, own), intacto=intacto, que_hacer=convocatoria)


def list_cuts(files: Iterable[SignedFile]) -> tuple[CutRef, ...]:
    """Check 9: the signed list read as cuts, by number.

    Raises:
        CadenaError: a path that is not ``cortes/NNNN/<name>``, a cut without manifest, or hours that do not increase.
        ArchivoError: a name that is not admitted.
    """
    manifests: dict[int, SignedFile] = {}
    archives: dict[int, list[TargetRef]] = {}
    for file in files:
        number = _cut_number(check_path(file.target.ruta))
        if file.target.nombre == MANIFIESTO:
            manifests[number] = file
        else:
            archives.setdefault(number, []).append(file.target)
    orphans = archives.keys() - manifests.keys()
    if orphans:
        raise _chain(f"El corte {min(orphans)} está en la lista firmada sin su manifiesto.")
    cuts = tuple(
        CutRef(
            corte=number,
            hora_corte=_custom_hour(number, manifests[number].custom),
            manifiesto=manifests[number].target,
            archives=tuple(sorted(archives.get(number, ()), key=lambda ref: ref.ruta)),
        )
        for number in sorted(manifests)
    )
    for earlier, later in itertools.pairwise(cuts):
        if later.hora_corte <= earlier.hora_corte:
            raise _chain(f"La hora del corte {later.corte} no es posterior a la del corte {earlier.corte}.")
    return cuts


def _cut_number(ruta: str) -> int:
    parts = ruta.split("/")
    if len(parts) != 3 or parts[0] != "cortes" or len(parts[1]) != 4 or not (parts[1].isascii() and parts[1].isdigit()):
        raise _chain(f"La lista firmada de cortes nombra «{ruta}», que no es un archivo de un corte.")
    return int(parts[1])


def _custom_hour(number: int, custom: Mapping[str, Any]) -> datetime:
    try:
        stated, hour = custom["corte"], parse_instant(custom["hora_corte"])
    except (KeyError, TypeError, ValueError) as exc:
        raise _chain(f"La lista firmada no dice el número y la hora del corte {number}.") from exc
    if stated != number:
        raise _chain(f"La lista firmada llama {stated} al corte de la carpeta {number:04d}.")
    return hour


def check_memory(cuts: tuple[CutRef, ...], memory: Memory) -> CutRef | None:
    """Checks 10 and 11: nothing already accepted changed or vanished. Gives the newest cut if it is news, else None.

    Raises:
        EquivocoError: a number accepted before is now signed with another manifest.
        RetrocesoError: the newest cut offered is older than the last accepted.
    """
    for cut in cuts:  # 10
        known = memory.cortes.get(cut.corte)
        if cut.corte == memory.corte:
            known = memory.manifiesto_sha256
        if known is not None and known != cut.manifiesto.sha256:
            raise EquivocoError(
                f"El corte {cut.corte} ya se aceptó con otro contenido: se firmaron dos distintos con un mismo número "
                f"(aceptado {known}, ofrecido {cut.manifiesto.sha256}).",
                intacto=INTACTO,
                que_hacer="Avise al instituto de inmediato y conserve esta carpeta como evidencia: puede ser el robo "
                "de una llave.",
            )
    newest = cuts[-1] if cuts else None
    if memory.corte is None:
        return newest
    if newest is None or newest.corte < memory.corte:  # 11
        offered = "ninguno" if newest is None else str(newest.corte)
        raise RetrocesoError(
            f"Se ofreció como último el corte {offered} y ya se aceptó el {memory.corte}.",
            intacto=INTACTO,
            que_hacer="Compruebe que el origen sea el actual; un repositorio restaurado de un respaldo hace esto.",
        )
    return newest if newest.corte > memory.corte else None


def check_chain(manifest: Manifest, cut: CutRef, cuts: tuple[CutRef, ...], memory: Memory) -> None:
    """Check 14: the manifest is the cut that the list says, follows the one before and comes after the last accepted.

    The last accepted must still be in the list: a list without it is another history.

    Raises:
        CadenaError: by number, hour or hash it does not.
    """
    before = max((c for c in cuts if c.corte < cut.corte), key=lambda c: c.corte, default=None)
    check_link(manifest, cut, None if before is None else before.manifiesto.sha256)
    if memory.corte is not None and all(c.corte != memory.corte for c in cuts):
        raise _chain(f"La lista firmada ya no tiene el corte {memory.corte}, que aquí se aceptó: es otra historia.")
    if memory.hora_corte is not None and manifest.hora_corte <= memory.hora_corte:
        raise _chain(f"La hora del corte {cut.corte} no es posterior a la del último aceptado ({memory.corte}).")


def check_link(manifest: Manifest, cut: CutRef, anterior: str | None) -> None:
    """Checks 14 and 16, of one cut: number and hour are those of the list, and it names the manifest before it.

    Raises:
        CadenaError: they are not, or it does not.
    """
    if manifest.corte != cut.corte or manifest.hora_corte != cut.hora_corte:
        raise _chain(
            f"El manifiesto dice corte {manifest.corte} de las {manifest.hora_corte.isoformat()} y la lista firmada "
            f"dice corte {cut.corte} de las {cut.hora_corte.isoformat()}."
        )
    if manifest.anterior != anterior:
        named = "ningún corte" if anterior is None else "el corte anterior"
        raise _chain(f"El corte {cut.corte} no está encadenado con {named} de la lista firmada.")


def identity_of(manifest: Manifest) -> Identity:
    """Whose cut a manifest says it is."""
    return Identity(manifest.convocatoria, manifest.instituto, manifest.ambiente)


def cut_folder(corte: int) -> str:
    """``cortes/0042``: the folder of a cut under ``targets/``.

    Raises:
        ValueError: the number does not have four digits.
    """
    if not 0 <= corte <= CORTE_MAX:
        raise ValueError(f"not a cut number: {corte}")
    return f"cortes/{corte:04d}"


def _chain(que_paso: str) -> CadenaError:
    return CadenaError(
        que_paso,
        intacto=INTACTO,
        que_hacer="Avise al instituto: el corte debe volver a generarse y firmarse.",
    )
