"""Test benches of the carriers that push: each starts its real server behind an ``Enlace`` and knows how to spoil it.

``bancos()`` is the registry. One file for each carrier, ``tests/red/bancos/<name>.py``, with a class ``Banco`` that
derives from ``BancoBase`` and is made with a fresh folder: ``with Banco(tmp_path) as banco: banco.destino()``.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import subprocess
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from pregon.transport.destino import PART
from pregon.transport.local import FolderSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pregon.transport.destino import Destination
    from pregon.trust.origen import RepositorySource

PORTADORES = ("sftp", "scp", "rsync_ssh", "rsyncd", "s3", "carpeta")
"""The push carriers, by the name of their module here."""

MOUNT_LIMIT_S = 20.0


class Corte(Protocol):
    """What the contract asks of a link: ``tests.red.enlace.Enlace`` has it, and a folder's own stand-in."""

    @property
    def subidos(self) -> int: ...

    @property
    def bajados(self) -> int: ...

    def corta_tras(self, n: int) -> None: ...

    def abre(self) -> None: ...

    def cierra(self) -> None: ...

    def calla(self) -> None: ...

    def calla_tras(self, n: int) -> None: ...

    def ritmo(self, bytes_s: int | None) -> None: ...


class BancoBase(ABC):
    """One carrier with its real server, while the block lasts. Attributes are set by ``__enter__`` at the latest.

    Subclasses set ``enlace`` and ``carpeta`` and write ``destino``; the rest has defaults for a carrier whose server
    keeps plain files in ``carpeta``.
    """

    nombre: ClassVar[str]
    reanuda: ClassVar[bool] = True
    """Whether a file cut half way goes on from there."""
    renombra: ClassVar[bool] = True
    """Whether a file shows under its final name only when it is whole; else it grows there, before anybody names it."""
    calla_de_red: ClassVar[bool] = True
    """Whether «the other machine says nothing» means something for it."""

    enlace: Corte
    carpeta: Path
    """The repository as the server keeps it: what a difusor reads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    @abstractmethod
    def destino(self, **changes: Any) -> Destination:
        """A new destination, through ``enlace``. ``changes`` go to its constructor (``stall_s``, ``connect_s``)."""

    def source(self) -> RepositorySource:
        """What a difusor reads there. It does not pass through ``enlace``."""
        return FolderSource(self.carpeta)

    # What may be wrong with it; None where the carrier has no such thing.

    def otra_llave_de_equipo(self) -> Destination | None:
        """A destination that knows another host key (or trusts another authority) than the server has."""
        return None

    def otras_credenciales(self) -> Destination | None:
        """A destination whose own key, password or secret is not the one that the server takes."""
        return None

    def certificado_vencido(self) -> AbstractContextManager[Destination] | None:
        """While the block lasts, a server of the same whose TLS certificate is expired, and a destination to it."""
        return None

    def reloj_corrido(self) -> AbstractContextManager[Destination] | None:
        """While the block lasts, a server that says what it says to a machine whose clock is wrong, and a destination
        to it; None: clocks do not matter to it.
        """
        return None

    # What is there, and spoiling it by hand.

    def vacia(self) -> None:
        """Leave the other side as before the first delivery, and the link open and fast."""
        self.enlace.abre()
        self.enlace.ritmo(None)
        for path in self.carpeta.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def sobra(self, ruta: str) -> str:
        """The name under which this carrier keeps the half of ``ruta`` that arrived."""
        return ruta + PART

    def archivos(self) -> dict[str, bytes]:
        """Everything at the other side by path, leftovers included; without folders."""
        return {
            str(path.relative_to(self.carpeta)): path.read_bytes()
            for path in sorted(self.carpeta.rglob("*"))
            if path.is_file()
        }

    def sobras(self) -> list[str]:
        """Paths there that are half of something: ``*.part``, folders of partial files, uploads never ended."""
        return [ruta for ruta in self.archivos() if ruta.endswith(PART) or "/." in f"/{ruta}"]

    def pon(self, ruta: str, data: bytes, *, edad_s: float = 0.0) -> None:
        """Write a file there by hand, ``edad_s`` seconds old, with the owner of the folder."""
        path = self.carpeta / ruta
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        owner = self.carpeta.stat()
        here = path
        while here != self.carpeta:
            os.chown(here, owner.st_uid, owner.st_gid)
            here = here.parent
        when = path.stat().st_mtime - edad_s
        os.utime(path, (when, when))

    def lleno(self, libre: int) -> AbstractContextManager[DiscoChico]:
        """While the block lasts the server's folder has only ``libre`` more bytes of room; then it is as before."""
        return disco_chico(self.carpeta, libre)


@dataclass
class DiscoChico:
    """A small tmpfs over a folder."""

    folder: Path
    _size: int

    def crece(self, more: int) -> None:
        """Somebody made room there."""
        self._size += more
        _mount("-o", f"remount,size={self._size}", str(self.folder))


@contextlib.contextmanager
def disco_chico(folder: Path, libre: int) -> Iterator[DiscoChico]:
    """Cover ``folder`` by a tmpfs with its contents and ``libre`` bytes of room besides; needs root."""
    page = os.sysconf("SC_PAGE_SIZE")
    used = sum(
        -(-path.lstat().st_size // page) * page if path.is_file() else page for path in (folder, *folder.rglob("*"))
    )
    size = used + -(-libre // page) * page
    owner = folder.stat()
    saved = folder.with_name(folder.name + ".antes")
    shutil.copytree(folder, saved, symlinks=True)
    _mount("-t", "tmpfs", "-o", f"size={size},mode={owner.st_mode & 0o7777:o}", "pregon", str(folder))
    try:
        subprocess.run(["cp", "-a", f"{saved}/.", str(folder)], check=True, timeout=MOUNT_LIMIT_S)
        os.chown(folder, owner.st_uid, owner.st_gid)
        yield DiscoChico(folder, size)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=MOUNT_LIMIT_S)
        shutil.rmtree(saved)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, timeout=MOUNT_LIMIT_S)


def bancos() -> dict[str, type[BancoBase]]:
    """The bench of each carrier, by name."""
    return {name: importlib.import_module(f"{__name__}.{name}").Banco for name in PORTADORES}
