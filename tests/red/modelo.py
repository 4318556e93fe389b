"""A model of one folder's disk that follows the calls of a process: what it holds, and which of it is synced.

No pytest here.
"""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from tests.red.llamadas import CAMBIAN, INSTANTE, Llamada, descriptor, texto

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_UMASK = 0o022


@dataclass
class Cambio:
    """One change of one node's content (``hace`` of its bytes) or of its mode or time, and whether it is synced."""

    clase: Literal["escribe", "corta", "modo", "hora"]
    valor: int
    dato: bytes = b""
    firme: bool = False


@dataclass
class Nombre:
    """One change of a name in a folder: it leads to ``nodo`` from now on, or (None) it is gone."""

    carpeta: int
    nombre: bytes
    nodo: int | None
    orden: int
    firme: bool = False


@dataclass
class Nodo:
    clase: Literal["archivo", "carpeta", "enlace"]
    modo: int
    inicial: bytes = b""
    hora_ns: int | None = None
    cambios: list[Cambio] = field(default_factory=list)


@dataclass
class _Abierto:
    nodo: int
    posicion: int = 0
    agrega: bool = False


class Modelo:
    """The model: nodes, the changes of each, and the changes of names in order."""

    def __init__(self, antes: Path, raiz: Path, born: Mapping[int, tuple[int, bool]]) -> None:
        self.raiz = os.fsencode(raiz)
        self._born = born
        self.nodos: list[Nodo] = []
        self.nombres: list[Nombre] = []
        self._now: dict[int, dict[bytes, int]] = {}
        self._open: dict[int, dict[int, _Abierto]] = {}
        self._order = itertools.count()
        self._known: dict[tuple[int, int], int] = {}
        self._load(antes)

    def _load(self, path: Path) -> int:
        status = path.lstat()
        key = (status.st_dev, status.st_ino)
        if key in self._known:
            return self._known[key]
        if path.is_symlink():
            node = self._new(Nodo("enlace", 0o777, os.fsencode(path.readlink())))
        elif path.is_dir():
            node = self._new(Nodo("carpeta", status.st_mode & 0o7777))
            for child in sorted(path.iterdir()):
                self._name(node, os.fsencode(child.name), self._load(child), firme=True)
        else:
            node = self._new(Nodo("archivo", status.st_mode & 0o7777, path.read_bytes(), status.st_mtime_ns))
        self._known[key] = node
        return node

    def _new(self, node: Nodo) -> int:
        self.nodos.append(node)
        if node.clase == "carpeta":
            self._now[len(self.nodos) - 1] = {}
        return len(self.nodos) - 1

    def _name(
        self, folder: int, name: bytes, node: int | None, *, firme: bool = False, orden: int | None = None
    ) -> None:
        order = next(self._order) if orden is None else orden
        self.nombres.append(Nombre(folder, name, node, order, firme))
        if node is None:
            self._now[folder].pop(name, None)
        else:
            self._now[folder][name] = node

    # Paths of the trace.

    def _place(self, path: bytes) -> tuple[int, bytes] | None:
        """The folder and the name that a path means; None where it is not of ours. Of links only the last is a name."""
        if path != self.raiz and not path.startswith(self.raiz + b"/"):
            return None
        folder, name = 0, b""
        for part in path[len(self.raiz) :].split(b"/"):
            if part in (b"", b"."):
                continue
            if name:
                found = self._now[folder].get(name)
                if found is None or self.nodos[found].clase != "carpeta":
                    raise ValueError(f"{path!r}: {name!r} is not a folder here")
                folder = found
            name = part
        return folder, name

    def _node(self, place: tuple[int, bytes]) -> int | None:
        folder, name = place
        return self._now[folder].get(name) if name else folder

    def _at(self, call: Llamada, first: int) -> tuple[int, bytes] | None:
        """The place that (descriptor, path) arguments mean, or a path alone."""
        if call.argumentos[first].startswith('"'):
            return self._place(texto(call.argumentos[first]))
        _, folder = descriptor(call.argumentos[first])
        path = texto(call.argumentos[first + 1])
        return self._place(path if path.startswith(b"/") else folder + b"/" + path)

    def _opened(self, call: Llamada, argument: str) -> _Abierto | None:
        number, _ = descriptor(argument)
        return None if number is None else self._table(call.proceso).get(number)

    def _table(self, process: int) -> dict[int, _Abierto]:
        if process not in self._open:
            parent, shared = self._born.get(process, (None, False))
            table = {} if parent is None else self._table(parent)
            self._open[process] = table if shared else dict(table)
        return self._open[process]

    # The calls.

    def hace(self, call: Llamada) -> None:
        """Follow one call, other than a sync."""
        name = call.nombre
        if name in ("openat", "open", "creat"):
            self._do_open(call)
        elif name in ("write", "pwrite64", "lseek", "ftruncate", "fchmod"):
            self._do_descriptor(call)
        elif name == "sendfile":
            self._do_copy(call)
        elif name in ("utimensat", "chmod", "fchmodat", "truncate"):
            self._do_attribute(call)
        elif name in CAMBIAN:
            self._do_name(call)

    def _do_open(self, call: Llamada) -> None:
        place = self._at(call, 0)
        table = self._table(call.proceso)
        table.pop(call.resultado, None)
        if place is None:
            return
        flags = next((argument for argument in call.argumentos if argument.startswith("O_")), "O_CREAT|O_TRUNC")
        node = self._node(place)
        if node is not None and self.nodos[node].clase == "enlace":
            return  # Followed somewhere: only folders are opened through a link, and those are never written here.
        if node is None:
            node = self._new(Nodo("archivo", int(call.argumentos[-1], 8) & ~_UMASK))
            self._name(*place, node)
        elif "O_TRUNC" in flags:
            self.nodos[node].cambios.append(Cambio("corta", 0))
        table[call.resultado] = _Abierto(node, agrega="O_APPEND" in flags)

    def _do_descriptor(self, call: Llamada) -> None:
        opened = self._opened(call, call.argumentos[0])
        if opened is None:
            return
        node = self.nodos[opened.nodo]
        if call.nombre == "lseek":
            opened.posicion = call.resultado
        elif call.nombre == "ftruncate":
            node.cambios.append(Cambio("corta", int(call.argumentos[1])))
        elif call.nombre == "fchmod":
            node.cambios.append(Cambio("modo", int(call.argumentos[1], 8)))
        else:
            data = texto(call.argumentos[1])[: call.resultado]
            if call.nombre == "pwrite64":
                at = int(call.argumentos[3])
            else:
                at = len(entero(node)) if opened.agrega else opened.posicion
                opened.posicion = at + len(data)
            node.cambios.append(Cambio("escribe", at, data))

    def _do_copy(self, call: Llamada) -> None:
        target, source = (self._opened(call, argument) for argument in call.argumentos[:2])
        if target is None or source is None:
            if target is not None:
                raise NotImplementedError("a copy from a file that is not of ours")
            return
        start = int(call.argumentos[2].removeprefix("[").partition("]")[0])
        data = entero(self.nodos[source.nodo])[start : start + call.resultado]
        if data:
            self.nodos[target.nodo].cambios.append(Cambio("escribe", target.posicion, data))
        target.posicion += len(data)

    def _do_attribute(self, call: Llamada) -> None:
        if call.nombre == "utimensat" and call.argumentos[1] == "NULL":
            opened = self._opened(call, call.argumentos[0])
            number = None if opened is None else opened.nodo
        else:
            place = self._at(call, 0)
            number = None if place is None else self._node(place)
        if number is None:
            return
        node = self.nodos[number]
        if call.nombre == "utimensat":
            seconds, nanos = INSTANTE.findall(call.argumentos[2])[-1]
            node.cambios.append(Cambio("hora", int(seconds) * 1_000_000_000 + int(nanos)))
        elif call.nombre == "truncate":
            node.cambios.append(Cambio("corta", int(call.argumentos[1])))
        else:
            mode = call.argumentos[2 if call.nombre == "fchmodat" else 1]
            node.cambios.append(Cambio("modo", int(mode, 8)))

    def _do_name(self, call: Llamada) -> None:
        name = call.nombre
        if name in ("mkdir", "mkdirat"):
            place = self._at(call, 0)
            if place is not None:
                self._name(*place, self._new(Nodo("carpeta", int(call.argumentos[-1], 8) & ~_UMASK)))
        elif name in ("unlink", "unlinkat", "rmdir"):
            place = self._at(call, 0)
            if place is not None:
                self._name(*place, None)
        elif name in ("symlink", "symlinkat"):
            place = self._at(call, 1)
            if place is not None:
                self._name(*place, self._new(Nodo("enlace", 0o777, texto(call.argumentos[0]))))
        elif name in ("link", "linkat", "rename", "renameat", "renameat2"):
            self._do_move(call, link="link" in name)
        elif any(self._opened(call, each) for each in call.argumentos[:3] if "<" in each):
            raise NotImplementedError(f"{name} is not followed here")

    def _do_move(self, call: Llamada, *, link: bool) -> None:
        source = self._at(call, 0)
        target = self._at(call, 1 if call.argumentos[0].startswith('"') else 2)
        if source is None and target is None:
            return
        if source is None or target is None:
            raise NotImplementedError("a name that comes from another folder, or leaves ours")
        node = self._node(source)
        if node is None:
            raise ValueError(f"{call}: nothing has that name here")
        if node == self._node(target):
            return  # Two names of one file: rename does nothing.
        order = next(self._order)
        self._name(*target, node, orden=order)
        if not link:
            self._name(*source, None, orden=order)

    def pendientes(self) -> list[Cambio | Nombre]:
        """Everything that happened and no sync has reached."""
        changes: list[Cambio | Nombre] = [change for node in self.nodos for change in node.cambios if not change.firme]
        return [*changes, *(name for name in self.nombres if not name.firme)]

    def alcanza(self, call: Llamada) -> list[Cambio | Nombre]:
        """What a sync that begins now makes durable: of one file, of one folder's names, or everything."""
        if call.nombre in ("sync", "syncfs"):
            if call.nombre == "syncfs":
                _, path = descriptor(call.argumentos[0])
                if self._place(path) is None:
                    return []
            return self.pendientes()
        opened = self._opened(call, call.argumentos[0])
        if opened is None:
            return []
        if self.nodos[opened.nodo].clase == "carpeta":
            return [name for name in self.nombres if name.carpeta == opened.nodo and not name.firme]
        return [change for change in self.nodos[opened.nodo].cambios if not change.firme]


def entero(node: Nodo) -> bytes:
    return contenido(node, node.cambios, zeros=False)


def contenido(node: Nodo, changes: Sequence[Cambio], *, zeros: bool) -> bytes:
    data = bytearray(node.inicial)
    for change in changes:
        if change.clase == "corta":
            del data[change.valor :]
            data.extend(bytes(change.valor - len(data)))
        elif change.clase == "escribe":
            data.extend(bytes(max(0, change.valor - len(data))))
            written = bytes(len(change.dato)) if zeros and not change.firme else change.dato
            data[change.valor : change.valor + len(written)] = written
    return bytes(data)
