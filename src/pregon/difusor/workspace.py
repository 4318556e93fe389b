"""The folder of one difusor for one convocatoria: where everything lies and how it is opened (made: ``inicia``).

::

    difusor.toml  estado.sqlite  opera.lock
    confianza/     what the verifier keeps (raiz.json is the root that was given by hand)
    llaves/        the key that signs our acuses
    entrada/       where a sender pushes; we only copy from it
    recepcion/     staging, 0700: nothing here is verified yet; what the link cut stays, by its SHA-256
    historico/NNNN what was received, as received; cadena/MMMM: of the cuts in between
    objetos/ab/    every content once, by SHA-256, with its .gz, .br and .zst twins
    cortes/        releases: NNNN, espera, aviso
    puntero        names the release that is public; publico -> the same, for servers that want a link
    personalizada/ a view of the difusor's own, where the call allows it and the institute did
    acuses/        signed receipts
    avisos/        notices that the institute signed, as received
    servidor/      the embedded web server's own files
    noche/         the key with which visitors are counted, until it is destroyed
    salida/        counts and encrypted logs, ready to be carried to the institute
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pregon.base.clock import Clock, SimulatedClock, SystemClock
from pregon.base.esquema import VERSION
from pregon.base.locks import alone
from pregon.base.settings import load_toml
from pregon.base.state import StateDatabase
from pregon.convocatoria.model import Convocatoria
from pregon.convocatoria.perfiles import load
from pregon.difusor.settings import DifusorSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


AJUSTES = "difusor.toml"
REHACIENDO = "rehaciendo.json"
"""While it is there ``rehace`` has not ended, and nothing else may work in the folder."""
NOCHE = "noche"
"""Where the key of the night is: no backup has it, since it must be gone when it is destroyed."""
MAQUINA = "maquina.json"
"""What this machine is called where it publishes (``nube.instancia``); no backup has it."""


@dataclass(frozen=True)
class Workspace:
    """An opened workspace: its folder, settings and profile. Holds no file open."""

    folder: Path
    settings: DifusorSettings
    convocatoria: Convocatoria

    @property
    def estado(self) -> Path:
        return self.folder / "estado.sqlite"

    @property
    def candado(self) -> Path:
        return self.folder / "opera.lock"

    @property
    def confianza(self) -> Path:
        return self.folder / "confianza"

    @property
    def raiz(self) -> Path:
        return self.confianza / "raiz.json"

    @property
    def llave(self) -> Path:
        return self.folder / "llaves" / "acuse.pem"

    @property
    def entrada(self) -> Path:
        return self.folder / "entrada"

    @property
    def recepcion(self) -> Path:
        return self.folder / "recepcion"

    @property
    def historico(self) -> Path:
        return self.folder / "historico"

    @property
    def objetos(self) -> Path:
        return self.folder / "objetos"

    @property
    def cortes(self) -> Path:
        return self.folder / "cortes"

    @property
    def puntero(self) -> Path:
        return self.folder / "puntero"

    @property
    def publico(self) -> Path:
        return self.folder / "publico"

    @property
    def personalizada(self) -> Path:
        return self.folder / "personalizada"

    @property
    def acuses(self) -> Path:
        return self.folder / "acuses"

    @property
    def avisos(self) -> Path:
        return self.folder / "avisos"

    @property
    def servidor(self) -> Path:
        return self.folder / "servidor"

    @property
    def firmado(self) -> bool:
        """Whether packages come signed by Pregón's own institute side."""
        return self.convocatoria.verificacion == "firma"

    def open_clock(self) -> Clock:
        """As ``open_clock``, of this workspace."""
        return open_clock(self.folder, self.settings)

    def open_state(self, clock: Clock) -> StateDatabase:
        """The state database. One of an older Pregón is brought to ours, unless that one is still at work here.

        Raises:
            InstanciaError: it is older, and another process receives for this workspace.
            VersionError: a newer program wrote it.
            DanadoError, DiscoError: it is damaged or cannot be used (``rescate`` is for who holds ``opera.lock``).
        """
        back = f"pregon difusor migra {shlex.quote(str(self.folder))} --a {VERSION}"
        return StateDatabase(self.estado, clock, alone=partial(alone, self.candado), volver=back)


def folders(workspace: Workspace) -> Sequence[tuple[Path, int]]:
    """Every folder of a workspace with its mode.

    0700 where nothing is for other users. Contents and releases wait for the start unpacked, so 0750: another web
    server reads them only through the workspace's group (GRO-1.7c, MOR-I-5b).
    """
    return (
        (workspace.folder, 0o755),
        (workspace.confianza, 0o700),
        (workspace.llave.parent, 0o700),
        (workspace.entrada, 0o755),
        (workspace.recepcion, 0o700),
        (workspace.historico, 0o700),
        (workspace.objetos, 0o750),
        (workspace.cortes, 0o750),
        (workspace.acuses, 0o755),
        (workspace.avisos, 0o700),
        (workspace.servidor, 0o755),
    )


def open_clock(folder: Path, settings: DifusorSettings) -> Clock:
    """The machine's clock, or the simulated one that the settings name (relative to the workspace)."""
    simulated = settings.reloj.simulado
    return SystemClock() if simulated is None else SimulatedClock.load(folder / simulated)


def open_workspace(folder: Path) -> Workspace:
    """Open the workspace in ``folder``; changes nothing.

    Raises:
        EntradaError: it is not a workspace.
        AjustesError: its settings, or its profile, are wrong.
    """
    folder = folder.absolute()
    settings = load_toml(folder / AJUSTES, DifusorSettings)
    return with_settings(folder, settings)


def with_settings(folder: Path, settings: DifusorSettings) -> Workspace:
    """The workspace that ``settings`` describe in ``folder`` (absolute), with its profile; reads no other file of it.

    Raises:
        AjustesError, EntradaError: the profile is wrong, or not there.
    """
    return Workspace(folder, settings, _profile(settings.convocatoria, folder))


def _profile(name: str, folder: Path) -> Convocatoria:
    return load_toml(folder / name, Convocatoria) if name.endswith(".toml") else load(name)
