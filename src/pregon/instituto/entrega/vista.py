"""A state of the repository that stays as it is while it travels, though the next cut is being signed meanwhile.

Signed targets and versioned metadata never change; ``timestamp.json`` does, and one that travels before what it names
would break the order of design §2. So each delivery reads from a folder of links to the files of one timestamp.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from typing import TYPE_CHECKING

from pregon.base import locks
from pregon.base.errors import EntradaError, InstanciaError, PregonError
from pregon.base.hashing import sha256_bytes
from pregon.transport.destino import Envio
from pregon.trust.oferta import TIMESTAMP, read_offer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pregon.base.durable import Disk
    from pregon.instituto.entrega.plan import Plan
    from pregon.instituto.workspace import Workspace
    from pregon.trust.oferta import Oferta

CARPETA = "entrega"
_CANDADO = ".candado"


class Vista:
    """One state: what it offers, and its files as an ``Envio``."""

    def __init__(self, folder: Path, repositorio: Path, disk: Disk) -> None:
        """Fix the present state of ``repositorio`` in ``folder``, which is made.

        Raises: as ``trust.oferta.read_offer``.
        """
        self._folder, self._repositorio, self._disk = folder, repositorio, disk
        self._lock = threading.Lock()
        self._link(TIMESTAMP)
        self.oferta: Oferta = read_offer(repositorio, (folder / TIMESTAMP).read_bytes())

    def envios(self, plan: Plan) -> tuple[Envio, ...]:
        """The files of ``plan``, ready to be read as long as this state is kept: up to the timestamp, and the rest."""
        with self._lock:
            for ruta in (ruta for step in plan.pasos for ruta in step):
                self._link(ruta)
        end = plan.pasos.index((TIMESTAMP,)) + 1
        return tuple(Envio(self._folder, steps) for steps in (plan.pasos[:end], plan.pasos[end:]) if steps)

    def _link(self, ruta: str) -> None:
        target = self._folder / ruta
        if target.exists():
            return
        if not (self._repositorio / ruta).is_file():
            raise EntradaError(
                f"Al repositorio le falta {ruta}, que está en su lista firmada.",
                intacto="No se entregó nada de ese corte; los difusores conservan el anterior.",
                que_hacer="Recupere el repositorio de su respaldo o de un difusor («pregon instituto recupera»).",
            )
        self._disk.make_folder(target.parent)
        self._disk.link(self._repositorio / ruta, target)


class Vistas:
    """The newest state at each moment, each made once for all the deliveries of this process."""

    def __init__(self, workspace: Workspace, folder: Path) -> None:
        self._workspace = workspace
        self._folder = folder
        self._lock = threading.Lock()
        self._made: dict[str, Vista] = {}

    def newest(self) -> Vista:
        """The repository as it is now. Raises as ``trust.oferta.read_offer``."""
        repositorio = self._workspace.repositorio
        with self._lock:
            try:
                key = sha256_bytes((repositorio / TIMESTAMP).read_bytes())
            except OSError as exc:
                raise EntradaError(
                    f"No hay un repositorio firmado completo en {repositorio}.",
                    intacto="No se entregó nada.",
                    que_hacer="Revise la carpeta, o cree el espacio con «pregon instituto inicia».",
                ) from exc
            if key not in self._made:
                folder = self._folder / f"{len(self._made):04d}"
                self._made[key] = Vista(folder, repositorio, self._workspace.disk)
            return self._made[key]


@contextlib.contextmanager
def vistas(workspace: Workspace) -> Iterator[Vistas]:
    """States to deliver from, while the block lasts; what processes that died left is removed too.

    Raises:
        InstanciaError: another machine has the night by now: what this one would deliver may be old.
    """
    workspace.numeros()
    base = workspace.folder / CARPETA
    workspace.disk.make_folder(base, mode=0o700)
    for left in base.glob("vista-*"):
        # Whoever holds its lock is delivering from it.
        with contextlib.suppress(InstanciaError, FileNotFoundError), locks.exclusive(left / _CANDADO):
            workspace.disk.remove_tree(left)
    folder = base / f"vista-{secrets.token_hex(8)}"
    workspace.disk.make_folder(folder, mode=0o700)
    try:
        with locks.exclusive(folder / _CANDADO):
            yield Vistas(workspace, folder)
    finally:
        # A delivery left behind at its deadline may still be here; what stays goes at the next round.
        with contextlib.suppress(PregonError):
            workspace.disk.remove_tree(folder)
