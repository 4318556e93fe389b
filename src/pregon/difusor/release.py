"""A release: one folder that is a whole public tree, made of hard links to the objects.

It holds what the institute sent, byte by byte and under its own names, and adds only ``manifiesto.json``, the last
cuts' ``datos/`` and ``assets/`` (so that an open page never mixes two cuts) and the precompressed twins (design §3).
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pregon.base.durable import PARCIAL, Disk
from pregon.base.errors import ArchivoError, CadenaError
from pregon.base.hashing import sha256_file
from pregon.base.hilos import each
from pregon.base.manos import PARTES, another, in_parts
from pregon.difusor.gemelos import GZ, TWINS
from pregon.difusor.objects import ObjectStore, at_first_sight, compressible
from pregon.difusor.pointer import release_name
from pregon.paquete.names import MANIFIESTO, NameSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pregon.paquete.manifest import Manifest

MUCHOS = 5000
"""Files from which another process has time to help with the links."""
_FEWEST = 64
"""Links of one part: some two milliseconds."""
CARRIED = ("datos", "assets")
"""Folders of earlier cuts that stay reachable."""


@dataclass(frozen=True)
class Plan:
    """What a release holds: path to SHA-256, the manifest included, the twins not. ``corte`` is its cut.

    ``llevadas``: those of ``rutas`` that are of earlier cuts.
    """

    corte: int
    rutas: Mapping[str, str]
    llevadas: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The release's folder."""
        return release_name(self.corte)

    def twin_paths(self) -> Iterator[tuple[str, str, str]]:
        """Every twin that may be added: path with its suffix, SHA-256 of the content, suffix.

        A name that the package itself has is never touched.
        """
        for ruta, sha256 in self.rutas.items():
            if not compressible(ruta):
                continue
            for suffix in TWINS:
                if ruta + suffix not in self.rutas:
                    yield ruta + suffix, sha256, suffix


def plan(manifest: Manifest, manifest_sha256: str, previous: Sequence[Manifest]) -> Plan:
    """What the release of ``manifest`` holds; ``previous`` are the cuts still visible, newest first. Pure.

    A path of an earlier cut is carried only where it neither exists nor collides in this one, and where it would not
    pass for the compressed twin of another file.
    """
    rutas = {entry.ruta: entry.sha256 for entry in manifest.archivos}
    names = NameSet()
    for ruta in rutas:
        names.add_file(ruta)
    for older in previous:
        for entry in older.archivos:
            ruta = entry.ruta
            if (
                ruta.split("/", 1)[0] not in CARRIED
                or "/" not in ruta
                or ruta in rutas
                or _passes_for_twin(ruta, rutas)
            ):
                continue
            try:
                names.add_file(ruta)
            except ArchivoError:
                continue
            rutas[ruta] = entry.sha256
    carried = frozenset(rutas).difference(entry.ruta for entry in manifest.archivos)
    rutas[MANIFIESTO] = manifest_sha256
    return Plan(manifest.corte, rutas, carried)


def _passes_for_twin(ruta: str, rutas: Mapping[str, str]) -> bool:
    if any(ruta + suffix in rutas for suffix in TWINS):
        return True
    return any(ruta.endswith(suffix) and ruta.removesuffix(suffix) in rutas for suffix in TWINS)


def check_own_data(manifest: Manifest) -> None:
    """A signed package brings ``datos/`` of its own number only: those addresses never change content once public.

    Raises:
        CadenaError: it brings data under another cut's number.
    """
    for entry in manifest.archivos:
        parts = entry.ruta.split("/")
        if len(parts) > 2 and parts[0] == "datos" and parts[1] != release_name(manifest.corte):
            raise CadenaError(
                f"El corte {manifest.corte} trae datos con el número de otro corte: {entry.ruta!a}.",
                intacto="No se publicó nada de este paquete; lo publicado sigue como estaba.",
                que_hacer="Pida al instituto que vuelva a generar el corte.",
            )


@dataclass(frozen=True, slots=True)
class _Enlaces:
    """The links of a release that is being made: (path, SHA-256, suffix of the twin or nothing), a part at a time."""

    objetos: tuple[Path, int]
    raiz: str
    enlaces: list[tuple[str, str, str]]

    @property
    def parts(self) -> int:
        return -(-len(self.enlaces) // self.size)

    @property
    def size(self) -> int:
        return max(_FEWEST, -(-len(self.enlaces) // PARTES))

    def begin(self) -> Callable[[int], None]:
        """What links a part, in another process."""
        disk = Disk()
        return partial(self.link, disk, ObjectStore(self.objetos[0], disk, reserva=self.objetos[1]))

    def link(self, disk: Disk, store: ObjectStore, number: int) -> None:
        for ruta, sha256, suffix in self.enlaces[number * self.size : (number + 1) * self.size]:
            if suffix:
                disk.link_new(store.name(sha256, suffix), f"{self.raiz}/{ruta}")
            else:
                disk.link(store.name(sha256), f"{self.raiz}/{ruta}")


class Releases:
    """The releases of one workspace, in ``cortes/``."""

    def __init__(self, folder: Path, store: ObjectStore, disk: Disk) -> None:
        self._folder = folder
        self._store = store
        self._disk = disk

    def folder(self, corte: int) -> Path:
        """Where the release of a cut lies, or would."""
        return self._folder / release_name(corte)

    def prepare(self, what: Plan) -> Path:
        """Link the whole tree under a provisional name. Every content must be stored; nothing is public yet.

        Of the twins, the ``.gz`` of the cut's own files that a first sight asks for: ``add_twins`` links the others
        once it is public.
        """
        provisional = self._folder / (what.name + PARCIAL)
        self._disk.remove_tree(provisional)
        with (
            # The contents are written while we link them.
            self._disk.writing(self._folder),
            another(__name__, wanted=len(what.rutas) >= MUCHOS and not self._disk.heard) as mano,
        ):
            for folder in folders(what):
                self._disk.make_folder(provisional / folder)
            own = (twin for twin in what.twin_paths() if twin[2] == GZ and self._sees(what, twin[0].removesuffix(GZ)))
            links = [*((ruta, sha256, "") for ruta, sha256 in what.rutas.items()), *own]
            here = _Enlaces(self._store.lugar, str(provisional), links)
            in_parts(mano, _Enlaces.begin, here, here.parts, partial(here.link, self._disk, self._store))
        return provisional

    @staticmethod
    def _sees(what: Plan, ruta: str) -> bool:
        return ruta not in what.llevadas and at_first_sight(ruta)

    def finish(self, provisional: Path) -> None:
        """Give the release its name. Everything must be on disk (one sync before)."""
        final = provisional.with_name(provisional.name.removesuffix(PARCIAL))
        self.discard(final)
        self._disk.replace(provisional, final)

    def add_twins(self, what: Plan) -> None:
        """Link the twins that there are and are not linked yet; they are on disk already (one sync before)."""
        self._link_twins(what.twin_paths(), self.folder(what.corte))

    def _link_twins(self, twins: Iterable[tuple[str, str, str]], root: Path) -> None:
        base = str(root)
        each(lambda twin: self._disk.link_new(self._store.name(twin[1], twin[2]), f"{base}/{twin[0]}"), twins)

    def discard(self, folder: Path) -> None:
        """Remove a release, in an order that never leaves half of one under its name."""
        if folder.exists():
            leaving = folder.with_name(f"{folder.name}.viejo{PARCIAL}")
            self._disk.remove_tree(leaving)
            self._disk.replace(folder, leaving)
            self._disk.remove_tree(leaving)

    def repair(self, what: Plan, *, deep: bool) -> int:
        """Make the release's folder be exactly ``what``, file by file and each in one step; how many were wrong.

        The contents must be stored and right. ``deep`` hashes again what is not simply a link to its object.
        """
        root = self.folder(what.corte)
        changed = 0
        wanted = dict(what.rutas)
        twins = {ruta: (sha256, suffix) for ruta, sha256, suffix in what.twin_paths()}
        for ruta in files_under(root):
            if ruta in wanted:
                continue
            twin = twins.get(ruta)
            if twin is None or not self._same(root / ruta, self._store.path(*twin), "", deep=False):
                self._disk.remove_tree(root / ruta)
                changed += 1
        for folder in folders(what):
            if (root / folder).is_symlink() or not (root / folder).is_dir():
                self._disk.remove_tree(root / folder)
                self._disk.make_folder(root / folder)
        for ruta, sha256 in wanted.items():
            source = self._store.path(sha256)
            if not self._same(root / ruta, source, sha256, deep=deep):
                if (root / ruta).is_dir() and not (root / ruta).is_symlink():
                    self._disk.remove_tree(root / ruta)
                self._disk.link(source, root / ruta)
                changed += 1
        return changed

    @staticmethod
    def _same(path: Path, source: Path, sha256: str, *, deep: bool) -> bool:
        try:
            here, there = path.lstat(), source.lstat()
        except OSError:
            return False
        if os.path.samestat(here, there):
            return True
        if not stat.S_ISREG(here.st_mode) or (here.st_size, here.st_mtime_ns) != (there.st_size, there.st_mtime_ns):
            return False
        return not deep or sha256_file(path) == sha256


def folders(what: Plan) -> list[str]:
    """Every folder of the release, parents first; the release itself is ``.``."""
    folders = {"."}
    for ruta in what.rutas:
        parts = ruta.split("/")[:-1]
        folders.update("/".join(parts[: depth + 1]) for depth in range(len(parts)))
    return sorted(folders, key=lambda folder: (folder.count("/"), folder != ".", folder))


def files_under(root: Path) -> list[str]:
    """Everything under ``root`` that is not a folder, relative to it; links are not followed."""
    found = []
    pending = [root]
    while pending:
        folder = pending.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                path = folder / entry.name
                if entry.is_dir(follow_symlinks=False):
                    pending.append(path)
                else:
                    found.append(str(path.relative_to(root)))
    return sorted(found)
