"""Rebuild ``repositorio/`` from whoever still has what was signed, and go on with the numbers.

1. Every place is looked at. Its signatures are verified against the root that the operator gives, as at the instant
   when they were made; of two that verify, none may have another content for one number.
2. The latest of them, by newest cut and timestamp, is the history that goes on. No portal may show a later cut.
3. The files of its list are brought from wherever each is, by their hashes. Every notice must come, and the newest cut:
   its archive or, from the portal of any difusor, each of its files, packed again. Archives of earlier cuts that are
   nowhere leave the list; their manifests stay in it.
4. It is signed again with versions well above all that were seen, whole, in a folder apart.
5. One rename makes it ``repositorio/``.

Until 5 nothing of the workspace has changed. A cut that was signed and that no place has cannot be known of: that is
why every difusor should be asked.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base import locks
from pregon.base.clock import SystemClock
from pregon.base.errors import (
    AjustesError,
    AusenteError,
    EntradaError,
    EquivocoError,
    HashError,
    PregonError,
    RedError,
)
from pregon.base.hashing import sha256_bytes
from pregon.instituto import settings as ajustes
from pregon.instituto.relevo.origenes import Juntos, open_origins
from pregon.instituto.relevo.replica import TIMESTAMP
from pregon.instituto.workspace import CANDADO, CIERRE, PERFIL, RAIZ, begin
from pregon.paquete.archive import write_zip
from pregon.paquete.empacado import pack
from pregon.paquete.manifest import parse_manifest
from pregon.paquete.names import MANIFIESTO, SIETE, ZIP
from pregon.paquete.siete.escrito import write_7z
from pregon.paquete.tree import PackageTree
from pregon.trust import keys, orden
from pregon.trust.cliente import root_identity
from pregon.trust.descarga import download
from pregon.trust.oferta import split_archives
from pregon.trust.repositorio import Repository
from pregon.trust.rescate import Hallado, NumerosConSalto, rescue
from pregon.trust.vigencia import online_expiry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.instituto.relevo.origenes import Origen
    from pregon.instituto.workspace import Workspace
    from pregon.paquete.manifest import FileEntry, Manifest
    from pregon.trust.verified import CutRef, TargetRef

SALTO = 1000
"""Versions that are left unused: in a night each role is signed some two hundred times."""
EVENTO = "recupera"
_PARCIAL = "repositorio.recupera"
_TRABAJO = "recupera"
INTACTO = "El espacio de trabajo sigue como estaba; no se firmó nada."


@dataclass(frozen=True)
class Recuperado:
    """What came of it. ``origen``: whose signatures go on. ``faltan``: paths that left the list, being nowhere.

    ``rehecho``: the archive of the newest cut was packed again from a portal's files. ``rechazados``: the places whose
    signatures do not serve, and why.
    """

    corte: int | None
    cortes: int
    avisos: int
    origen: str
    faltan: tuple[str, ...]
    rehecho: bool
    rechazados: tuple[tuple[str, PregonError], ...]


def recupera(workspace: Workspace, desde: Sequence[str], raiz: bytes, *, operador: str) -> Recuperado:
    """Rebuild the repository of ``workspace``, which has its settings and keys, from the places ``desde``.

    ``raiz``: the newest ``root.json`` that the operator trusts.

    Raises:
        AjustesError: there is a repository here already, or in the server that it shares.
        FirmaError, AmbienteError, ConvocatoriaError: ``raiz`` is none, or another's.
        EntradaError: no place has signatures that serve, or not all that is needed; or a key is not at hand.
        EquivocoError: two places have two contents signed with one number.
        RedError, DiscoError, EscrituraError: reading or writing. Nothing changed in any case.
    """
    _check_free(workspace)
    folder, disk = workspace.folder, workspace.disk
    work, made = workspace.trabajo / _TRABAJO, folder / _PARCIAL
    with locks.exclusive(folder / CANDADO), contextlib.ExitStack() as stack:
        disk.remove_tree(made)
        disk.make_folder(work, mode=0o700)
        places = open_origins(desde, workspace.clock, stack)
        found, refused = _look(workspace, places, raiz, work)  # 1
        chosen, state = max(found, key=lambda each: each[1].orden)  # 2
        _check_one_history([each for _, each in found])
        _check_newest(places, state)
        _write_documents(made, state, workspace)
        again = _bring(workspace, made, state, places, chosen)  # 3
        seen = {role: max(each.versiones[role] for _, each in found) for role in state.versiones}
        missing, newest = _sign(workspace, made, state, NumerosConSalto(seen, SALTO))  # 4
        disk.sync_filesystem(made)
        disk.remove_tree(workspace.repositorio)
        disk.replace(made, workspace.repositorio)  # 5
        disk.write(folder / RAIZ, state.documentos[f"metadata/{state.versiones['root']}.root.json"])
        if newest is not None and newest.ultimo:
            workspace.state().put(**{CIERRE: newest.corte})
        done = Recuperado(
            corte=None if newest is None else newest.corte,
            cortes=len(state.cortes),
            avisos=len(state.avisos),
            origen=chosen.nombre,
            faltan=missing,
            rehecho=again,
            rechazados=refused,
        )
        workspace.state().record(
            EVENTO,
            corte=done.corte,
            origen=done.origen,
            desde=list(desde),
            firmado=state.firmado.isoformat(),
            versiones=dict(state.versiones),
            faltan=list(missing),
            rehecho=again,
            operador=operador,
        )
        disk.remove_tree(work)
    return done


def settle(folder: Path, convocatoria: str, raiz: bytes) -> None:
    """Write the settings of a workspace that lost them too: its profile, and ``instituto.toml`` as ``raiz`` says.

    Raises:
        AjustesError: there are settings already, or the profile is wrong. FirmaError: ``raiz`` is no root.
        EntradaError: there is no such profile. ConvocatoriaError: ``raiz`` is of another.
    """
    identity = root_identity(raiz)
    made, profile = begin(folder, convocatoria, ambiente=identity.ambiente, clock=SystemClock())
    orden.check_identity(made.identity, identity, where="según root.json")
    made.disk.make_folder(made.trabajo, mode=0o700)
    made.disk.write(folder / PERFIL, profile)
    made.disk.write(folder / ajustes.ARCHIVO, ajustes.to_toml(made.settings))


def _check_free(workspace: Workspace) -> None:
    shared = workspace.compartido
    if shared is not None:
        from pregon.instituto.relevo import replica

        if shared.servidor.corre(replica.vigente) is not None:
            raise AjustesError(
                "La base de estado que este espacio comparte tiene el repositorio completo.",
                intacto=INTACTO,
                que_hacer="Ejecute «pregon instituto releva»: lo trae de ahí sin perder nada.",
            )
    if (workspace.repositorio / TIMESTAMP).exists():
        raise AjustesError(
            f"En {workspace.repositorio} hay ya un repositorio firmado.",
            intacto=INTACTO,
            que_hacer="Si está dañado, muévalo a otro lugar (es evidencia) y repita la orden.",
        )


# 1 and 2. Which history.


def _look(
    workspace: Workspace, places: Sequence[Origen], raiz: bytes, work: Path
) -> tuple[list[tuple[Origen, Hallado]], tuple[tuple[str, PregonError], ...]]:
    found: list[tuple[Origen, Hallado]] = []
    refused: list[tuple[str, PregonError]] = []
    for number, place in enumerate(places):
        folder = work / f"confianza-{number}"
        workspace.disk.remove_tree(folder)
        try:
            state = rescue(folder, Juntos(place, places), raiz)
        except PregonError as exc:
            refused.append((place.nombre, exc))
            continue
        orden.check_identity(workspace.identity, state.identity, where="según root.json")
        found.append((place, state))
    if not found:
        told = "\n".join(f"  {name}: {error.que_paso}" for name, error in refused)
        raise EntradaError(
            f"Ninguno de los orígenes tiene firmas que sirvan:\n{told}",
            intacto=INTACTO,
            que_hacer="Dé con --desde la dirección de un difusor que muestre resultados, su carpeta, lo que se le "
            "entregó (su «entrada») o una copia del repositorio. Revise también --raiz.",
        )
    return found, tuple(refused)


def _check_one_history(states: Sequence[Hallado]) -> None:
    signed: dict[str, str] = {}
    for state in states:
        for ref in (*(cut.manifiesto for cut in state.cortes), *state.avisos):
            if signed.setdefault(ref.ruta, ref.sha256) != ref.sha256:
                raise EquivocoError(
                    f"Dos orígenes tienen contenidos distintos firmados con un mismo número: {ref.ruta}.",
                    intacto=INTACTO,
                    que_hacer="Conserve los dos como evidencia y averigüe qué se firmó: puede ser el robo de una "
                    "llave. Después repita la orden con uno solo.",
                )


def _check_newest(places: Sequence[Origen], state: Hallado) -> None:
    """A cut that a portal shows was signed, unless it lies: nothing else may be signed with its number."""
    newest = state.cortes[-1].corte if state.cortes else -1
    for place in places:
        shown = place.mostrado
        if shown is not None and shown > newest:
            raise EntradaError(
                f"{place.nombre} muestra el corte {shown:04d}, y las firmas que se dieron "
                f"{'no tienen ninguno' if newest < 0 else f'llegan al {newest:04d}'}.",
                intacto=INTACTO,
                que_hacer="Dé con --desde otro difusor que muestre ese corte, o su carpeta. Si ese portal no dice la "
                "verdad, repita la orden sin él.",
            )


# 3. Its files.


def _write_documents(made: Path, state: Hallado, workspace: Workspace) -> None:
    for part in ("metadata", "targets/cortes", "targets/avisos"):
        workspace.disk.make_folder(made / part)
    for ruta, data in state.documentos.items():
        workspace.disk.write(made / ruta, data)


def _bring(workspace: Workspace, made: Path, state: Hallado, places: Sequence[Origen], chosen: Origen) -> bool:
    """Have the files of the list; whether the newest archive had to be packed again."""
    ordered = (chosen, *(place for place in places if place is not chosen))
    lost = [ref.ruta for ref in state.avisos if not _one(workspace, made, ref, ordered)]
    for cut in state.cortes:
        for ref in (cut.manifiesto, *cut.archives):
            _one(workspace, made, ref, ordered)
    if lost:
        raise EntradaError(
            f"Ningún origen tiene los avisos firmados {', '.join(lost)}: sin ellos no se sabe a quién suspendió "
            "el instituto.",
            intacto=INTACTO,
            que_hacer="Dé otro --desde, de un difusor que los tenga (su portal, su carpeta o su «entrada»).",
        )
    if not state.cortes:
        return False
    newest = state.cortes[-1]
    whole = split_archives(newest.archives)[0]
    if whole is not None and (made / "targets" / whole.ruta).is_file():
        return False
    _pack_again(workspace, made, newest, whole, ordered)
    return True


def _one(workspace: Workspace, made: Path, ref: TargetRef, places: Sequence[Origen]) -> bool:
    target = made / "targets" / ref.ruta
    workspace.disk.make_folder(target.parent)
    for place in places:
        # What one has damaged another may have whole.
        with contextlib.suppress(AusenteError, RedError, HashError):
            download(Juntos(place, ()), ref, target, workspace.clock)
            return True
    return False


def _pack_again(
    workspace: Workspace, made: Path, cut: CutRef, whole: TargetRef | None, places: Sequence[Origen]
) -> None:
    folder = made / "targets" / orden.cut_folder(cut.corte)
    path = folder / MANIFIESTO
    if not path.is_file():
        raise _not_whole(cut.corte, "falta su manifiesto")
    manifest = parse_manifest(path.read_bytes())
    tree = PackageTree()
    for entry in manifest.archivos:
        data = next((data for place in places if (data := _public(place, cut.corte, entry)) is not None), None)
        if data is None:
            raise _not_whole(cut.corte, f"ninguno muestra {entry.ruta} como se firmó")
        tree.add(entry.ruta, pack(entry.ruta, data, sha256=entry.sha256))
    name = whole.nombre if whole is not None else f"{manifest.hora_corte:%Y%m%d_%H%M}_PREP{ZIP}"
    write = write_7z if name.endswith(SIETE) else write_zip
    rutas = [entry.ruta for entry in manifest.archivos]
    write(folder / name, tree, rutas, stamp=manifest.hora_corte, disk=workspace.disk)


def _public(place: Origen, corte: int, entry: FileEntry) -> bytes | None:
    """A file of the package as a portal shows it; None where it is not there or is not the signed one."""
    found = bytearray()
    with contextlib.suppress(PregonError):
        for piece in place.portal(corte).stream(entry.ruta) or ():
            found += piece
            if len(found) > entry.bytes:
                return None
    data = bytes(found)
    return data if len(data) == entry.bytes and sha256_bytes(data) == entry.sha256 else None


def _not_whole(corte: int, why: str) -> EntradaError:
    return EntradaError(
        f"El corte {corte:04d} no se puede recuperar completo: {why}.",
        intacto=INTACTO,
        que_hacer="Dé otro --desde: la dirección pública de cualquier difusor que muestre ese corte.",
    )


# 4. Signed again.


def _sign(
    workspace: Workspace, made: Path, state: Hallado, numbers: NumerosConSalto
) -> tuple[tuple[str, ...], Manifest | None]:
    now = workspace.clock.now()
    newest: Manifest | None = None
    if state.cortes:
        newest = parse_manifest((made / "targets" / state.cortes[-1].manifiesto.ruta).read_bytes())
    ring = keys.load_ring(workspace.llaves, identity=workspace.identity)
    repository = Repository(made, ring, disk=workspace.disk, numeros=numbers)
    following = workspace.next_promised(now) if newest is None else newest.proximo
    missing = repository.resume(
        now=now,
        expira=online_expiry(max(workspace.convocatoria.fin_actualizacion, now)),
        siguiente=None if following is None else max(following, now),
        intervalo=workspace.intervalo,
    )
    for folder in sorted((made / "targets" / "cortes").iterdir()):
        if not any(folder.iterdir()):
            workspace.disk.remove_tree(folder)
    return missing, newest
