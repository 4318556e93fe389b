"""One repository, two machines: keep this one's ``repositorio/`` as the server has it, and take the night over.

Each order that signs begins here, within the lock of what is signed:

1. This machine has the turn (``turno.asegura``), or the order is refused.
2. What the server has and ``repositorio/`` lacks is brought; documents that no timestamp ever led to are taken out.
3. A number that was taken and not signed is signed now, for the content that took it (``numeros``).

The first order of the first machine gives the server what its ``repositorio/`` has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base import locks
from pregon.base.errors import DanadoError, EntradaError
from pregon.base.estado import INTACTO
from pregon.instituto.relevo import numeros, replica, turno, vales
from pregon.instituto.relevo.numeros import NumerosDelTurno
from pregon.instituto.relevo.replica import TIMESTAMP
from pregon.instituto.workspace import RAIZ
from pregon.paquete.manifest import parse_manifest
from pregon.paquete.names import MANIFIESTO
from pregon.transport.local import FolderSource
from pregon.trust.oferta import read_offer
from pregon.trust.rescate import rescue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pregon.base.postgres import Servidor
    from pregon.instituto.relevo.compartido import Compartido
    from pregon.instituto.relevo.replica import Numero
    from pregon.instituto.relevo.turno import Turno
    from pregon.instituto.workspace import Workspace
    from pregon.trust.repositorio import Repository

CANDADO = "relevo.lock"
COPIA = "relevo.copia"
"""In the workspace of a machine that waits: its ``repositorio/`` is a copy, and may be behind what was signed."""
ESPERA_S = 60.0
EVENTO = "relevo"
"""Kind of the journal's event of a night that passes to another machine."""
TERMINADO = "relevo_termina"
"""The same, of a number that one machine took and another signed."""
_DOCUMENTO = re.compile(r"([1-9][0-9]*)\.([a-z]+)\.json")


@dataclass(frozen=True)
class Relevo:
    """What a change of machine did. ``antes``: who had the turn, None where nobody did. ``corte``: the last signed.

    ``terminados``: the numbers that were taken and unsigned. ``traidos``: files that came from the server.
    """

    antes: Turno | None
    ahora: Turno
    traidos: int
    terminados: tuple[Numero, ...]
    corte: int | None


def prepara(servidor: Servidor) -> None:
    """Make the tables of the turn and of the replica, where they are not yet."""
    with servidor.transaccion() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (servidor.direccion.esquema,))
        for statement in (*turno.TABLAS, *replica.TABLAS):
            cursor.execute(statement)


def al_corriente(workspace: Workspace, compartido: Compartido) -> NumerosDelTurno:
    """Steps 1 and 2, within ``signing``: the numbers of this turn, and ``repositorio/`` as the server has it.

    Raises:
        InstanciaError: the other machine has the night; nothing changed.
        RedError: the server does not answer; nothing changed.
        EntradaError: neither this machine nor the server has a repository.
        DanadoError: the server has less than this machine has published, or nothing, and what is here is a copy.
    """
    servidor, ajustes = compartido.servidor, compartido.ajustes
    with servidor.transaccion() as cursor:
        turn = turno.asegura(cursor, ajustes.nombre, ajustes.arriendo_s)
        there = replica.vigente(cursor)
        pending = replica.pendientes(cursor)
    numbers = NumerosDelTurno(servidor, turn.epoca, compartido.vale)
    here = _local(workspace.repositorio)
    if there is None:
        _check_own(workspace)
        siembra(workspace, servidor, turn.epoca)
    elif here is None or here[1] != there[1] or pending:
        _check_ahead(here, there)
        trae(workspace, servidor)
    if (workspace.folder / COPIA).exists():
        workspace.disk.remove_tree(workspace.folder / COPIA)
    return numbers


def termina(workspace: Workspace, repository: Repository, servidor: Servidor) -> tuple[Numero, ...]:
    """Step 3, within ``signing``: sign what was taken and not signed, and write it in the journal.

    Raises as ``Repository.publish_cut``; FirmaError, FormatoError: no machine of ours took it for what the server has.
    """
    from pregon.instituto.firma import sign_cut, sign_notice
    from pregon.instituto.workspace import finish_closing

    pending = servidor.corre(replica.pendientes)
    for number in pending:
        path = workspace.repositorio / numeros.rutas(number)
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        vales.check(workspace, number, {one.relative_to(workspace.repositorio).as_posix(): one for one in files})
        if number.clase == "corte":
            sign_cut(workspace, repository, parse_manifest((path / MANIFIESTO).read_bytes()))
        else:
            sign_notice(workspace, repository, path.read_bytes())
        workspace.state().record(TERMINADO, clase=number.clase, n=number.n, sha256=number.sha256)
    if pending:
        finish_closing(workspace, repository)
    return pending


def releva(
    workspace: Workspace, *, operador: str, motivo: str, aunque_viva: bool = False, siembra_de_nuevo: bool = False
) -> Relevo:
    """Take the night over: from here on this machine signs and the other does not. May be repeated.

    ``aunque_viva``: although the other gave signs of life. ``siembra_de_nuevo``: the server lost what this machine has
    published (it was restored from a copy); it is given again.

    Raises:
        EntradaError: the settings have no ``[estado]``.
        InstanciaError: the other machine lives, or another process is at work here; nothing changed.
        RedError, AjustesError: the server. As ``al_corriente`` and ``termina`` afterwards: the turn is this machine's.
    """
    compartido = workspace.compartido
    if compartido is None:
        raise sin_estado()
    servidor, ajustes = compartido.servidor, compartido.ajustes
    with locks.turn(workspace.folder / CANDADO, seconds=ESPERA_S):  # a copy may be in the making
        before, now = turno.pasa(servidor, ajustes.nombre, ajustes.arriendo_s, aunque_viva=aunque_viva)
        if siembra_de_nuevo:
            siembra(workspace, servidor, now.epoca)
        pending = servidor.corre(replica.pendientes)
        brought = 0 if servidor.corre(replica.vigente) is None else trae(workspace, servidor)
        with workspace.held() as repository:
            cuts = repository.cuts()
        if before is None or before.maquina != now.maquina:
            workspace.state().record(
                EVENTO,
                de=None if before is None else before.maquina,
                a=now.maquina,
                epoca=now.epoca,
                aunque_viva=aunque_viva,
                motivo=motivo,
                operador=operador,
            )
    return Relevo(before, now, brought, pending, cuts[-1].corte if cuts else None)


def sigue(workspace: Workspace) -> int:
    """Bring to the ``repositorio/`` of a machine that waits what the server has by now: how many files came.

    Nothing of the turn changes; the machine that has it needs no copy and is told 0.

    Raises:
        EntradaError: the settings have no ``[estado]``. RedError, DiscoError, EscrituraError: it could not.
    """
    compartido = workspace.compartido
    if compartido is None:
        raise sin_estado()
    with locks.exclusive(workspace.folder / CANDADO):
        leads = compartido.servidor.corre(turno.actual)
        if leads is None or leads.maquina == compartido.ajustes.nombre:
            return 0
        if not (workspace.folder / COPIA).exists():
            workspace.disk.write(workspace.folder / COPIA, b"")
        return trae(workspace, compartido.servidor)


def trae(workspace: Workspace, servidor: Servidor) -> int:
    """Make ``repositorio/`` what the server has, the timestamp last: how many files were brought.

    What came is verified from our own ``root.json`` before it is shown, and before anything is signed after it.

    Raises:
        DanadoError: the server is behind what lies here, or what it has is not what was kept.
        TrustError: it is not what the institute signed.
    """
    folder, disk = workspace.repositorio, workspace.disk
    with servidor.transaccion() as cursor:
        # One look: the machine that leads may be keeping the next cut meanwhile.
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        current, pieces = replica.vigente(cursor), replica.piezas(cursor)
        if current is None:
            return 0
        _check_ahead(_local(folder), current)
        for part in ("targets/cortes", "targets/avisos", "metadata"):
            disk.make_folder(folder / part)
        # What is named goes before what names it.
        ordered = sorted(pieces, key=lambda piece: piece.ruta.startswith("metadata/"))
        firm = _signed_here(folder)
        brought = sum(replica.copia(cursor, one, folder, disk, firme=one.ruta in firm) for one in ordered)
    path, work = folder / TIMESTAMP, workspace.trabajo / CANDADO
    if not path.exists() or path.read_bytes() != current[1]:
        disk.remove_tree(work)
        disk.make_folder(work, mode=0o700)
        rescue(work, _Ofrecido(folder, current[1]), (workspace.folder / RAIZ).read_bytes())
        disk.remove_tree(work)
        disk.write(path, current[1])
    _take_out(workspace, {piece.ruta for piece in pieces})
    return brought


class _Ofrecido:
    """A repository as it will be with another timestamp."""

    def __init__(self, folder: Path, timestamp: bytes) -> None:
        self._source = FolderSource(folder)
        self._timestamp = timestamp

    def stream(self, ruta: str, *, desde: int = 0) -> Iterator[bytes] | None:
        """The file, or that timestamp."""
        return iter((self._timestamp[desde:],)) if ruta == TIMESTAMP else self._source.stream(ruta, desde=desde)


def siembra(workspace: Workspace, servidor: Servidor, epoca: int) -> None:
    """Give the server all that ``repositorio/`` has signed: files, documents, timestamp, the highest of each version.

    Raises:
        EntradaError: there is no whole repository here.
        InstanciaError: another machine has the turn.
    """
    folder = workspace.repositorio
    here = _local(folder)
    if here is None:
        raise EntradaError(
            f"Ni la base de estado ni {folder} tienen un repositorio firmado.",
            intacto=INTACTO,
            que_hacer="Ejecute primero una orden en la máquina que lo tiene, o «pregon instituto recupera».",
        )
    offer = read_offer(folder, here[1])
    targets = [f"targets/{ref.ruta}" for cut in offer.cortes for ref in (cut.manifiesto, *cut.archives)]
    targets += [f"targets/{ref.ruta}" for ref in offer.avisos]
    with servidor.transaccion() as cursor:
        turno.exige(cursor, epoca)
        for ruta in targets:
            # After «recupera» the files of old cuts may be nowhere: what is listed stays listed.
            if (folder / ruta).is_file():
                replica.guarda(cursor, ruta, folder / ruta, epoca)
        documents = {ruta: (folder / ruta).read_bytes() for ruta in offer.metadatos}
        numeros.guarda_documentos(cursor, documents, here[1], epoca)
        for name, version in _newest(folder).items():
            cursor.execute(
                "INSERT INTO rol VALUES (%s, %s) ON CONFLICT (nombre) "
                "DO UPDATE SET version = GREATEST(rol.version, excluded.version)",
                (name, version),
            )


def sin_estado() -> EntradaError:
    """The refusal where there is nothing to share."""
    return EntradaError(
        "Este espacio de trabajo no comparte su estado: instituto.toml no tiene [estado].",
        intacto="No se cambió nada.",
        que_hacer="Escriba la tabla [estado] en las dos máquinas (docs/operacion/desastre.md).",
    )


def _local(folder: Path) -> tuple[int, bytes] | None:
    """Version and bytes of the timestamp of a repository; None where it has none."""
    path = folder / TIMESTAMP
    if not path.exists():
        return None
    data = path.read_bytes()
    return read_offer(folder, data).version, data


def _signed_here(folder: Path) -> frozenset[str]:
    """Paths of the cuts that the timestamp of this folder leads to."""
    here = _local(folder)
    if here is None:
        return frozenset()
    cuts = read_offer(folder, here[1]).cortes
    return frozenset(f"targets/{ref.ruta}" for cut in cuts for ref in (cut.manifiesto, *cut.archives))


def _check_own(workspace: Workspace) -> None:
    if (workspace.folder / COPIA).exists():
        raise DanadoError(
            f"La base de estado está vacía y {workspace.repositorio} es una copia: puede estar atrás de lo firmado.",
            intacto=INTACTO,
            que_hacer="Ejecute la primera orden en la máquina que llevaba la noche. Si se perdió, ejecute aquí «pregon "
            "instituto recupera» en una carpeta nueva, con ésta entre sus --desde.",
        )


def _check_ahead(here: tuple[int, bytes] | None, there: tuple[int, bytes]) -> None:
    if here is not None and here[0] > there[0]:
        raise DanadoError(
            f"La base de estado está atrás de lo publicado: llega a la versión {there[0]} y esta máquina publicó la "
            f"{here[0]}. Alguien la restauró de una copia, o perdió lo último que guardó.",
            intacto=INTACTO,
            que_hacer="Si esta máquina es la última que llevó la noche, ejecute en ella «pregon instituto releva "
            "--siembra»; si no, ejecútelo en la otra.",
        )


def _newest(folder: Path) -> dict[str, int]:
    found: dict[str, int] = {"timestamp": (_local(folder) or (0, b""))[0]}
    for path in (folder / "metadata").glob("*.json"):
        named = _DOCUMENTO.fullmatch(path.name)
        if named is not None:
            found[named[2]] = max(found.get(named[2], 0), int(named[1]))
    return found


def _take_out(workspace: Workspace, kept: set[str]) -> None:
    """Remove documents newer than the current ones that the server never had: nothing ever led to them."""
    newest: dict[str, int] = {}
    for ruta in kept:
        named = _DOCUMENTO.fullmatch(ruta.removeprefix("metadata/"))
        if named is not None:
            newest[named[2]] = max(newest.get(named[2], 0), int(named[1]))
    for path in sorted((workspace.repositorio / "metadata").glob("*.json")):
        named = _DOCUMENTO.fullmatch(path.name)
        if named is not None and int(named[1]) > newest.get(named[2], 0):
            workspace.disk.remove_tree(path)
