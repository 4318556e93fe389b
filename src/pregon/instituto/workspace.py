"""The institute's workspace: ``instituto.toml  convocatoria.toml  estado.sqlite  llaves/  repositorio/  trabajo/``.

``repositorio/`` is the only thing that leaves the machine. ``trabajo/`` holds a cut while it is made; whatever is there
when nobody works is rubbish. ``apuntes/`` spares the next cut some work and may be deleted at any time. ``acuses/`` are
those of the difusores, as they came; ``entrega/`` holds locks, and links to what is being delivered. What was published
is what ``repositorio/`` has signed: the state database remembers events, it does not decide.
"""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pregon.base import locks
from pregon.base.durable import PARCIAL, Disk
from pregon.base.errors import AjustesError
from pregon.base.state import StateDatabase
from pregon.convocatoria import perfiles
from pregon.instituto import settings as ajustes
from pregon.instituto.settings import AjustesInstituto
from pregon.trust import keys
from pregon.trust.numeros import NumerosDeCarpeta
from pregon.trust.repositorio import Repository
from pregon.trust.verified import Identity
from pregon.trust.vigencia import online_expiry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.base.estado import Estado
    from pregon.convocatoria.model import Convocatoria
    from pregon.instituto.relevo.compartido import Compartido
    from pregon.paquete.manifest import Ambiente
    from pregon.trust.numeros import Numeros

PERFIL = "convocatoria.toml"
CANDADO = "instituto.lock"
FIRMA = "firma.lock"
"""Held by whoever signs, for the moment that it takes: a notice does not wait for a cut that is being made."""
FIRMA_S = 20.0
"""How long a signature waits for another one; the slowest writes a cut's metadata on a busy disk."""
CIERRE = "cierre_pendiente"
"""Key of the state: the number of the closing cut whose signatures do not reach the end of permanence yet."""
RAIZ = "root.json"
"""The newest root, beside the settings: the file that a difusor is started with."""


@dataclass(frozen=True)
class Workspace:
    """An open workspace. ``held`` must be entered before anything in it changes."""

    folder: Path
    settings: AjustesInstituto
    convocatoria: Convocatoria
    clock: Clock
    disk: Disk

    @property
    def llaves(self) -> Path:
        return self.folder / "llaves"

    @property
    def repositorio(self) -> Path:
        return self.folder / "repositorio"

    @property
    def trabajo(self) -> Path:
        return self.folder / "trabajo"

    @property
    def apuntes(self) -> Path:
        """What spares the next cut some work (``instituto.apuntes``); may be deleted at any time."""
        return self.folder / "apuntes"

    @property
    def intervalo(self) -> timedelta:
        """Time between cuts."""
        return timedelta(minutes=self.convocatoria.intervalo_min)

    @property
    def identity(self) -> Identity:
        """Whose cuts are signed here."""
        return Identity(self.convocatoria.id, self.convocatoria.instituto, self.settings.ambiente)

    def online_until(self, now: datetime) -> datetime:
        """Expiry of cortes, avisos and snapshot where nothing else sets it."""
        return online_expiry(max(self.convocatoria.fin_actualizacion, now))

    def next_promised(self, now: datetime) -> datetime:
        """The hour of the first cut, or ``now`` once it is past."""
        return max(self.convocatoria.inicio, now)

    def state(self) -> Estado:
        """The state database: this machine's file, or the one that it shares with another."""
        if self.compartido is not None:
            return self.compartido.estado
        return StateDatabase(self.folder / "estado.sqlite", self.clock)

    @functools.cached_property
    def compartido(self) -> Compartido | None:
        """What this machine shares with the one that can relieve it; None where the settings have no ``[estado]``.

        Raises:
            AjustesError, RedError: the server, at the first use.
        """
        if self.settings.estado is None:
            return None
        from pregon.instituto.relevo.compartido import open_shared

        return open_shared(self, self.settings.estado)

    def numeros(self) -> Numeros:
        """Who gives the numbers of what is signed; of two machines, this one's turn is made sure of, and renewed.

        Raises:
            InstanciaError: the other machine has the night.
            RedError: the server that says so does not answer.
        """
        return NumerosDeCarpeta() if self.compartido is None else self.compartido.numeros()

    def repository(self, numeros: Numeros | None = None) -> Repository:
        """The signed repository, with the keys at hand."""
        ring = keys.load_ring(self.llaves, identity=self.identity)
        return Repository(self.repositorio, ring, disk=self.disk, numeros=numeros)

    @contextlib.contextmanager
    def held(self) -> Iterator[Repository]:
        """Hold the workspace, put back in order what a stopped attempt left, and give the repository.

        Raises:
            InstanciaError: another process holds it.
        """
        with locks.exclusive(self.folder / CANDADO), self.signing() as repository:
            recover(self, repository)
            finish_closing(self, repository)
            yield repository

    @contextlib.contextmanager
    def making(self) -> Iterator[Repository]:
        """As ``held``, for what takes long and signs only at its end, within ``signing``: a cut.

        Nobody else makes one meanwhile; notices are signed and the timestamp too.

        Raises:
            InstanciaError: another process holds it.
        """
        with locks.exclusive(self.folder / CANDADO):
            with self.signing() as repository:
                recover(self, repository)
                finish_closing(self, repository)
            yield repository

    @contextlib.contextmanager
    def signing(self) -> Iterator[Repository]:
        """Hold what is signed, for a moment, and give the repository; a cut may be in the making meanwhile.

        Raises:
            InstanciaError: somebody else signs, for longer than ``FIRMA_S``.
        """
        with locks.turn(self.folder / FIRMA, seconds=FIRMA_S):
            if self.compartido is None:
                yield self.repository()
                return
            yield self.compartido.al_corriente(self)


def create(
    folder: Path,
    convocatoria: str | Path,
    *,
    ambiente: Ambiente,
    clock: Clock,
    disk: Disk | None = None,
    reloj_simulado: str | None = None,
) -> Workspace:
    """Make a workspace: eleven keys, an empty signed repository, the settings last.

    Args:
        folder: where; created, must not be a workspace yet.
        convocatoria: the id of a shipped profile or the path of a TOML one; copied into the workspace.
        ambiente: «oficial» or «simulacro»; never changes afterwards.

    Raises:
        AjustesError: the profile is wrong, or there is a workspace or keys already; what was there stays.
        EntradaError: there is no such profile.
        DiscoError, EscrituraError: could not write.
    """
    workspace, profile = begin(
        folder, convocatoria, ambiente=ambiente, clock=clock, disk=disk, reloj_simulado=reloj_simulado
    )
    workspace.disk.make_folder(folder)
    found(workspace, profile, keys.create_ring(workspace.llaves, disk=workspace.disk))
    workspace.state().record("inicia", convocatoria=workspace.convocatoria.id, ambiente=ambiente)
    return workspace


def begin(
    folder: Path,
    convocatoria: str | Path,
    *,
    ambiente: Ambiente,
    clock: Clock,
    disk: Disk | None = None,
    reloj_simulado: str | None = None,
) -> tuple[Workspace, bytes]:
    """A workspace to be, and the bytes of its profile; nothing is written. Arguments and errors as ``create``."""
    if (folder / ajustes.ARCHIVO).exists():
        raise AjustesError(
            f"{folder} ya es un espacio de trabajo.",
            intacto="No se cambió nada en él.",
            que_hacer="Use otra carpeta, o siga con «pregon instituto corte».",
        )
    data, _ = perfiles.read(convocatoria)
    profile = perfiles.load(convocatoria)
    if profile.paquete.archivo == "dir":
        raise AjustesError(
            f"La convocatoria {profile.id} entrega carpetas sueltas (paquete.archivo = «dir»), y cada corte se firma "
            "y se entrega como un archivo.",
            intacto="No se creó nada.",
            que_hacer="Escriba «zip» o «7z» en el perfil; «dir» es para recibir de un instituto que no usa Pregón.",
        )
    made = AjustesInstituto(convocatoria=PERFIL, ambiente=ambiente, reloj_simulado=reloj_simulado)
    return Workspace(folder, made, profile, clock, disk or Disk()), data


def found(workspace: Workspace, profile: bytes, ring: keys.KeyRing, *, reanuda: bool = False) -> None:
    """Sign the empty repository with a whole ring and write the settings last: from then on it is a workspace.

    ``reanuda``: an attempt with these very keys was stopped; if it had finished the repository, that one is taken.
    """
    now, folder, disk = workspace.clock.now(), workspace.folder, workspace.disk
    if reanuda and (workspace.repositorio / "metadata" / "timestamp.json").exists():
        repository = Repository(workspace.repositorio, ring, disk=disk)
    else:
        repository = Repository.create(
            workspace.repositorio,
            ring,
            workspace.identity,
            now=now,
            expira=workspace.online_until(now),
            siguiente=workspace.next_promised(now),
            intervalo=workspace.intervalo,
            disk=disk,
        )
    disk.make_folder(workspace.trabajo, mode=0o700)
    disk.write(folder / PERFIL, profile)
    disk.write(folder / RAIZ, repository.root_bytes())
    disk.write(folder / ajustes.ARCHIVO, ajustes.to_toml(workspace.settings))


def open_workspace(folder: Path, *, clock: Clock | None = None, disk: Disk | None = None) -> Workspace:
    """Open the workspace in ``folder``; ``clock`` None takes the one its settings name.

    Raises:
        EntradaError: it is no workspace.
        AjustesError: its settings or its profile are wrong.
    """
    made = ajustes.load(folder)
    profile = perfiles.load(folder / made.convocatoria)
    return Workspace(folder, made, profile, clock or made.clock(folder), disk or Disk())


def offline_keys() -> tuple[str, ...]:
    """Names of the keys that must leave the machine: the root's three and the reserve of each online role."""
    return (*keys.OFFLINE_KEYS, *(f"{role}-2" for role in keys.ONLINE_ROLES))


def finish_closing(workspace: Workspace, repository: Repository) -> tuple[str, ...]:
    """Sign the closing cut to the end of permanence + 10 years (design §2), if that is still to be done.

    Gives the roles that stay with their own date because their keys are away; a ceremony signs them.
    """
    state = workspace.state()
    pending = state.get(CIERRE)
    cuts = repository.cuts()
    if pending is None or not cuts or cuts[-1].corte != pending:
        return ()
    until = workspace.convocatoria.permanencia_hasta
    roles: tuple[str, ...] = ()
    if until is not None:
        roles = tuple(repository.close(now=workspace.clock.now(), permanencia_hasta=until).sin_firmar)
    state.put(**{CIERRE: None})
    return roles


def recover(workspace: Workspace, repository: Repository) -> None:
    """Remove what a stopped attempt left: unfinished files, cuts that were never signed, the work folder.

    Metadata that were written and that ``timestamp.json`` does not lead to stay: their version numbers are spent
    (``trust.repositorio``) and nobody reads them.
    """
    signed = {cut.corte for cut in repository.cuts()}
    for folder in sorted((workspace.repositorio / "targets" / "cortes").iterdir()):
        if not folder.name.isdecimal() or int(folder.name) not in signed:
            workspace.disk.remove_tree(folder)
    for rubbish in sorted(workspace.repositorio.rglob(f"*{PARCIAL}")):
        workspace.disk.remove_tree(rubbish)
    if workspace.trabajo.is_dir():
        for rubbish in sorted(workspace.trabajo.iterdir()):
            workspace.disk.remove_tree(rubbish)
