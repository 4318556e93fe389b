"""What is public and ours, not the institute's: the pointer, its link, the pages and the personalised view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.base.hashing import sha256_bytes
from pregon.difusor import pages, pointer
from pregon.difusor.integridad.sellos import holds
from pregon.difusor.personalizada import Guardia

if TYPE_CHECKING:
    from pregon.base.clock import Clock
    from pregon.difusor.publish import Publisher


class Propias:
    """Compares them with what this process decided and made; small, so every time whole."""

    def __init__(self, publisher: Publisher, clock: Clock) -> None:
        self._publisher = publisher
        self._workspace = publisher.workspace
        self._libro = publisher.libro
        self._clock = clock
        self._dicho = publisher.libro.dicho
        self._pages = pages.contents(publisher.workspace, self._dicho)
        self._view = Guardia(publisher.workspace, publisher.libro, publisher.disk, clock)

    def check(self) -> int:
        """Put right whatever of them was altered, each told in the journal; how many there were.

        Raises:
            DiscoError, EscrituraError: it could not be written.
        """
        found = self._pointer() + self._files()
        self._view.check(self._publisher.mostrado)
        return found

    def _pointer(self) -> int:
        name = self._publisher.mostrado
        if name is None or pointer.sound(self._workspace, name):
            return 0
        found = pointer.read(self._workspace)
        pointer.restore(self._workspace, name, self._publisher.disk)
        self._tell("puntero", esperado=name, encontrado=found)
        return 1

    def _files(self) -> int:
        found = 0
        dicho = self._libro.dicho
        if dicho != self._dicho:
            self._dicho, self._pages = dicho, pages.contents(self._workspace, dicho)
        disk = self._publisher.disk
        for path, content in self._pages.items():
            if holds(path, content):
                continue
            if path.parent.is_symlink() or not path.parent.is_dir():
                disk.remove_tree(path.parent)
                disk.make_folder(path.parent)
            if path.is_dir() and not path.is_symlink():
                disk.remove_tree(path)
            disk.write(path, content)
            self._tell(str(path.relative_to(self._workspace.folder)), esperado=sha256_bytes(content))
            found += 1
        for name in (pointer.ESPERA, pointer.AVISO):
            for path in sorted((self._workspace.cortes / name).iterdir()):
                if path not in self._pages:
                    disk.remove_tree(path)
                    self._tell(str(path.relative_to(self._workspace.folder)), problema="sobra", hecho="quitado")
                    found += 1
        return found

    def _tell(self, ruta: str, **data: str | None) -> None:
        self._libro.evento("alterado", **{"ruta": ruta, "problema": "contenido", "hecho": "repuesto", **data})
        self._libro.alterar(self._clock.now(), ruta, 1)
