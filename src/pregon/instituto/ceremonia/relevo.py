"""Changing who signs: rotation, revocation, new dates. Planned whole, then made step by step (``acto``).

What is refused is refused before the first step: keys, media, passphrases, thresholds and places are looked at first,
so that a refusal leaves keys and repository byte by byte as they were.

1. Plan: which keys leave, which come, where each goes, and whether the media present can sign it.
2. New keys, each to its place, read back from there.
3. The proposal (``trust.ceremonia``), fixed in ``llaves/pendiente.json``.
4. Signatures: of the media present, or brought from other machines (``llaves firma`` and ``llaves importa``).
5. Adoption, in the order that always verifies; journal; retired keys leave this machine; the pending file goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.base.errors import AjustesError, EntradaError, PregonError
from pregon.instituto import workspace
from pregon.instituto.ceremonia import acto as actos
from pregon.instituto.ceremonia import inventario, medios
from pregon.instituto.ceremonia.acto import EQUIPO, Pendiente
from pregon.instituto.ceremonia.mesa import (
    EVENTO,
    Hecho,
    Mesa,
    Obra,
    Pedido,
    held,
    made_by,
    make_key,
    record_act,
    remember,
)
from pregon.instituto.ceremonia.plan import plan
from pregon.paquete.manifest import parse_manifest
from pregon.trust import keys
from pregon.trust import propuesta as tratos
from pregon.trust.ceremonia import Cambio
from pregon.trust.propuesta import INTACTO
from pregon.trust.vigencia import closing_expiry, offline_expiry

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from pregon.instituto.ceremonia.acto import Acto
    from pregon.instituto.workspace import Workspace
    from pregon.trust.ceremonia import Ceremonia


def replace_keys(espacio: Workspace, pedido: Pedido, mesa: Mesa, *, pide: Path | None = None) -> Hecho:
    """Do ``pedido`` with the media of ``mesa``, or only prepare it and write the request for signatures to ``pide``.

    The same call finishes what a stopped one left.

    Raises:
        PregonError: refused or failed. A refusal changed nothing; after a failure of the disk the repository
            verifies, and the call may be repeated.
    """
    with held(espacio, mesa) as obra:
        pendiente = actos.read(espacio.llaves)
        nuevo = pendiente is None
        if pendiente is not None and pendiente.acto.orden != pedido.orden:
            raise _unfinished(pendiente)
        if pendiente is None or pendiente.etapa != "aplicar":
            obra.open()
        if pendiente is None:
            pendiente = Pendiente(plan(obra, pedido, pide=pide is not None), "llaves")
        try:
            if pendiente.etapa == "llaves":
                pendiente = _make_keys(obra, pendiente)
            if pendiente.etapa == "firmas" and pide is not None:
                return _ask(obra, pendiente, pide)
            if pendiente.etapa == "firmas":
                pendiente = _sign(obra, pendiente)
        except PregonError:
            if nuevo:
                _undo(obra)
            raise
        return _apply(obra, pendiente)


def import_signatures(espacio: Workspace, archivos: Iterable[Path]) -> Hecho:
    """Put the prepared act in force with signatures brought from other machines.

    Raises:
        EntradaError: nothing waits for signatures, or there are not enough yet.
        AjustesError, FirmaError: signatures of another request, or not valid. Nothing changed.
    """
    with held(espacio, Mesa((), _nobody)) as obra:
        pendiente = actos.read(espacio.llaves)
        if pendiente is None or pendiente.propuesta is None:
            raise _nothing_pending()
        if pendiente.etapa == "firmas":
            firmas = tratos.merged(*(actos.read_signatures(path, pendiente) for path in archivos))
            ceremonia = obra.ceremonia()
            ceremonia.check_base(pendiente.propuesta)
            tratos.check_signatures(pendiente.propuesta, firmas)
            pendiente = pendiente.at("aplicar", firmas=firmas)
            actos.write(espacio.llaves, pendiente, espacio.disk)
        return _apply(obra, pendiente)


def cancel(espacio: Workspace, *, operador: str, motivo: str) -> tuple[Acto, tuple[str, ...]]:
    """Drop an act that is not in force yet; gives it and the names of the keys it left on media, which never signed.

    Raises:
        EntradaError: there is none.
        AjustesError: it has its signatures: it must be finished.
    """
    with held(espacio, Mesa((), _nobody)) as obra:
        pendiente = actos.read(espacio.llaves)
        if pendiente is None:
            raise _nothing_pending()
        if pendiente.etapa == "aplicar":
            raise AjustesError(
                "El acto ya está firmado y en parte escrito; no se puede descartar.",
                intacto="El acto sigue pendiente y el repositorio sigue siendo válido.",
                que_hacer="Repita la orden que lo empezó, para terminarlo.",
            )
        espacio.state().record(
            EVENTO,
            acto="cancela",
            id=pendiente.acto.id,
            operador=operador,
            motivo=motivo,
            de=list(pendiente.acto.orden),
        )
        for nueva in pendiente.acto.nuevas:
            path = espacio.llaves / f"{nueva.nombre}.pem"
            if nueva.lugar == EQUIPO and path.exists() and made_by(path, pendiente.acto):
                espacio.disk.remove_tree(path)
        _drop(obra)
        return pendiente.acto, tuple(nueva.nombre for nueva in pendiente.acto.nuevas if nueva.lugar != EQUIPO)


# 2 and 3. Keys and proposal.


def _make_keys(obra: Obra, pendiente: Pendiente) -> Pendiente:
    espacio, acto = obra.workspace, pendiente.acto
    actos.write(espacio.llaves, pendiente, espacio.disk)
    made = [(nueva, make_key(obra, acto, nueva)) for nueva in acto.nuevas]
    remember(espacio, made)
    ceremonia = obra.ceremonia()
    propuesta = ceremonia.propose(
        Cambio(acto.retira, tuple((nueva.rol, key.public) for nueva, key in made if not nueva.instala)),
        now=acto.hora,
        expira=_offline_until(espacio, ceremonia, acto.hora),
    )
    pendiente = pendiente.at("firmas", propuesta=propuesta)
    actos.write(espacio.llaves, pendiente, espacio.disk)
    return pendiente


def _offline_until(espacio: Workspace, ceremonia: Ceremonia, now: datetime) -> datetime:
    """400 days; once the closing cut is signed, to the end of permanence + 10 years (design §2)."""
    last = ceremonia.last_manifest()
    permanencia = espacio.convocatoria.permanencia_hasta
    if last is not None and permanencia is not None and parse_manifest(last).ultimo:
        return closing_expiry(permanencia)
    return offline_expiry(now)


# 4. Signatures.


def _sign(obra: Obra, pendiente: Pendiente) -> Pendiente:
    espacio, propuesta = obra.workspace, pendiente.propuesta
    if propuesta is None:
        raise _nothing_pending()
    obra.ceremonia().check_base(propuesta)
    obra.open()
    firmas = tratos.sign_proposal(propuesta, (key.signer for key in obra.media_keys()))
    tratos.check_signatures(propuesta, firmas)
    pendiente = pendiente.at("aplicar", firmas=firmas)
    actos.write(espacio.llaves, pendiente, espacio.disk)
    return pendiente


def _ask(obra: Obra, pendiente: Pendiente, pide: Path) -> Hecho:
    espacio = obra.workspace
    pendiente = pendiente.at("firmas", solicitado=True)
    espacio.disk.write(pide, pendiente.request())
    actos.write(espacio.llaves, pendiente, espacio.disk)
    record_act(espacio, pendiente.acto, "solicita", solicitud=pendiente.digest)
    return _told(obra, pendiente.acto, (), solicitud=pide, digest=pendiente.digest)


# 5. In force.


def _apply(obra: Obra, pendiente: Pendiente) -> Hecho:
    espacio, acto = obra.workspace, pendiente.acto
    if pendiente.propuesta is None or pendiente.firmas is None:
        raise _nothing_pending()
    now = espacio.clock.now()
    ceremonia = obra.ceremonia()
    ceremonia.adopt(
        pendiente.propuesta,
        pendiente.firmas,
        now=now,
        expira=espacio.online_until(now),
        siguiente=espacio.next_promised(now),
        intervalo=espacio.intervalo,
    )
    espacio.disk.write(espacio.folder / workspace.RAIZ, ceremonia.root_bytes())
    versions = {papel.nombre: papel.version for papel in ceremonia.papeles() if papel.nombre in tratos.DOCUMENTS}
    record_act(espacio, acto, acto.tipo, versiones=versions)
    retired = []
    for path in sorted(espacio.llaves.glob("*.pem")):
        if keys.load(path, identity=espacio.identity).keyid in acto.retira:
            espacio.disk.remove_tree(path)
            retired.append(path.stem)
    avisos = tuple(_pin(espacio, carpeta, ceremonia.root_bytes()) for carpeta in _present(obra))
    done = _told(obra, acto, tuple(text for text in avisos if text), retiradas=tuple(retired))
    _drop(obra)
    return done


def _present(obra: Obra) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(medio.carpeta for medio in obra.abiertos))


def _pin(espacio: Workspace, carpeta: Path, root: bytes) -> str:
    """Leave the newest root on a medium; what could not be, as a text: the act is in force all the same."""
    if carpeta.resolve() == espacio.llaves.resolve():
        return ""
    try:
        espacio.disk.write(carpeta / medios.RAIZ, root)
    except PregonError as exc:
        return f"No se pudo dejar la raíz vigente en el medio {carpeta}: {exc.que_paso}"
    return ""


def _told(
    obra: Obra,
    acto: Acto,
    avisos: tuple[str, ...],
    *,
    retiradas: tuple[str, ...] = (),
    solicitud: Path | None = None,
    digest: str | None = None,
) -> Hecho:
    inventory = inventario.look(obra.workspace, obra.ceremonia(), obra.ring())
    return Hecho(
        acto=acto,
        raiz_version=inventory.raiz_version,
        raiz_sha256=inventory.raiz_sha256,
        retiradas=retiradas,
        nuevas=acto.nuevas,
        avisos=(*avisos, *inventory.avisos),
        solicitud=solicitud,
        solicitud_sha256=digest,
    )


def _undo(obra: Obra) -> None:
    """Take back what this very run made: nothing of it was signed."""
    for path in obra.hechas:
        obra.workspace.disk.remove_tree(path)
    _drop(obra)


def _drop(obra: Obra) -> None:
    obra.workspace.disk.remove_tree(obra.workspace.llaves / actos.PENDIENTE)


def _nobody(medio: Path, *, nueva: bool) -> bytes:
    raise AssertionError(f"no medium is opened here: {medio} {nueva}")


def _unfinished(pendiente: Pendiente) -> AjustesError:
    acto = pendiente.acto
    return AjustesError(
        f"Hay un acto de llaves sin terminar: {' '.join(acto.orden)}, que empezó {acto.operador} "
        f"el {acto.hora:%d/%m/%Y a las %H:%M} UTC.",
        intacto=INTACTO,
        que_hacer="Termínelo repitiendo su orden (o «llaves importa»), o descártelo con «llaves cancela».",
    )


def _nothing_pending() -> EntradaError:
    return EntradaError(
        "No hay ninguna solicitud de llaves pendiente en este espacio de trabajo.",
        intacto=INTACTO,
        que_hacer="Prepárela con «llaves rota» o «llaves revoca» y la opción --pide.",
    )
