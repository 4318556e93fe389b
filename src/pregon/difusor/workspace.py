"""The folder of one difusor for one convocatoria: where everything lies, how it is made, how it is opened.

::

    difusor.toml  estado.sqlite  opera.lock
    confianza/     what the verifier keeps (raiz.json is the root that was given by hand)
    llaves/        the key that signs our acuses
    entrada/       where a sender pushes; we only copy from it
    recepcion/     staging, 0700: nothing here is verified yet
    historico/NNNN what was received, as received
    objetos/ab/    every content once, by SHA-256, with its .gz and .br twins
    cortes/        releases: NNNN, espera, aviso
    puntero        names the release that is public; publico -> the same, for servers that want a link
    acuses/        signed receipts
    servidor/      the embedded web server's own files
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base.clock import Clock, SimulatedClock, SystemClock
from pregon.base.errors import EntradaError, EscrituraError
from pregon.base.settings import load_toml, parse_toml
from pregon.base.state import StateDatabase
from pregon.convocatoria.model import Convocatoria
from pregon.convocatoria.perfiles import load
from pregon.difusor.settings import DifusorSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.base.durable import Disk

AJUSTES = "difusor.toml"
ROOT_MAX_BYTES = 1 << 20
"""A root metadata file is a few kilobytes."""


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
    def acuses(self) -> Path:
        return self.folder / "acuses"

    @property
    def servidor(self) -> Path:
        return self.folder / "servidor"

    @property
    def firmado(self) -> bool:
        """Whether packages come signed by Pregón's own institute side."""
        return self.convocatoria.verificacion == "firma"

    def open_clock(self) -> Clock:
        """The machine's clock, or the simulated one that the settings name (relative to the workspace)."""
        simulated = self.settings.reloj.simulado
        return SystemClock() if simulated is None else SimulatedClock.load(self.folder / simulated)

    def open_state(self, clock: Clock) -> StateDatabase:
        """The state database.

        Raises:
            DiscoError: it is damaged or cannot be written.
        """
        return StateDatabase(self.estado, clock)


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
        (workspace.servidor, 0o755),
    )


def open_workspace(folder: Path) -> Workspace:
    """Open the workspace in ``folder``; changes nothing.

    Raises:
        EntradaError: it is not a workspace.
        AjustesError: its settings, or its profile, are wrong.
    """
    folder = folder.absolute()
    settings = load_toml(folder / AJUSTES, DifusorSettings)
    return Workspace(folder, settings, _profile(settings.convocatoria, folder))


def _profile(name: str, folder: Path) -> Convocatoria:
    return load_toml(folder / name, Convocatoria) if name.endswith(".toml") else load(name)


def create(folder: Path, toml: str, *, root: bytes, disk: Disk) -> Workspace:
    """Make the workspace in ``folder`` with the settings text ``toml`` and the institute's ``root`` metadata.

    Repeating it after a failure is fine; the settings are written last, so a half-made workspace does not open.

    Raises:
        EscrituraError: there is a workspace already, or the folder cannot be written.
        AjustesError: the settings or the profile are wrong; nothing was written.
        EntradaError: ``root`` is not root metadata; nothing was written.
    """
    from pregon.difusor import pages, pointer
    from pregon.difusor.acuse import create_key

    folder = folder.absolute()
    if (folder / AJUSTES).exists():
        raise EscrituraError(
            f"En {folder} ya hay un difusor.",
            intacto="No se cambió nada.",
            que_hacer="Elija otra carpeta, o edite su difusor.toml.",
        )
    settings = parse_toml(toml.encode(), DifusorSettings, where=AJUSTES)
    _check_root(root)
    workspace = Workspace(folder, settings, _profile(settings.convocatoria, folder))
    for path, mode in folders(workspace):
        disk.make_folder(path, mode=mode)
    disk.write(workspace.raiz, root)
    if not workspace.llave.exists():
        create_key(workspace.llave, disk)
    # From its first moment, before anything is received, it has something to show.
    pages.ensure(workspace, disk)
    pointer.switch(workspace, pointer.ESPERA, disk)
    disk.write(folder / AJUSTES, toml.encode())
    return workspace


def _check_root(root: bytes) -> None:
    try:
        kind = json.loads(root)["signed"]["_type"] if len(root) <= ROOT_MAX_BYTES else None
    except (ValueError, KeyError, TypeError, RecursionError):
        kind = None
    if kind != "root":
        raise EntradaError(
            "El archivo de raíz no es un root.json del instituto.",
            intacto="No se creó nada.",
            que_hacer="Pida al instituto su root.json y compruebe su huella por otro medio.",
        )


def settings_text(*, convocatoria: str, ambiente: str, ident: str, origen: str, sondeo_s: float | None = None) -> str:
    """The ``difusor.toml`` that ``inicia`` writes; the administrator edits it afterwards."""
    lines = [
        "# Ajustes de este difusor de Pregón.",
        f"convocatoria = {_toml(convocatoria)}",
        f"ambiente = {_toml(ambiente)}",
        f"id = {_toml(ident)}",
        f"origen = {_toml(origen)}",
    ]
    if sondeo_s is not None:
        lines.append(f"sondeo_s = {sondeo_s}")
    lines += [
        "",
        "[reloj]",
        "# Antes de publicar se comprueba que el reloj esté en hora: chrony, ntp (con su servidor) o ninguna.",
        'fuente = "chrony"',
        "max_desfase_s = 2.0",
        "",
        "[servidor]",
        'direccion = "127.0.0.1"',
        "puerto = 8080",
        'base = "/"',
    ]
    return "\n".join(lines) + "\n"


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
