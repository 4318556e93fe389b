"""Copies a foreign package into our own staging, hashing the bytes copied, and says what it contains.

The sender may still hold its files open: nothing of them is renamed, linked or verified in place (design §2). What was
copied is what is judged, opened and published, whatever happens to the sender's file afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base.errors import RedError
from pregon.paquete.archive import zip_of
from pregon.paquete.empacado import pack
from pregon.paquete.errors import EnlaceError, EspecialError
from pregon.paquete.horas import newest_entry
from pregon.paquete.manifest import FileEntry
from pregon.paquete.names import CAMBIOS, NameSet, check_path
from pregon.paquete.reading import ReadingLimits, members
from pregon.paquete.sumas import LISTA_MAX_BYTES, Digester, Sumas, is_list, no_sums, read_list, too_long
from pregon.trust.orden import INTACTO

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from pregon.base.durable import Disk
    from pregon.paquete.crudo import Packed
    from pregon.paquete.reading import Member
    from pregon.paquete.sumas import Suma
    from pregon.trust.origen import ForeignSource, Visto
    from pregon.trust.recepcion import Oferta

_IN_MEMORY = 16 << 20
"""Bytes of a loose file that are packed in memory."""


@dataclass(frozen=True)
class Contenido:
    """A package in staging: every file of it by path, the archive that holds them all, its size and SHA-256.

    ``archivo`` is the one received or, of loose files, a zip of ours with each of them byte by byte. ``hora`` is what
    the name of the package says or, where it says none, the newest time inside. ``sumas``: those that came beside it.
    """

    archivos: tuple[FileEntry, ...]
    archivo: Path
    bytes: int
    sha256: str
    hora: datetime
    sumas: tuple[Suma, ...] = ()


class Copista:
    """Takes packages of one source into ``folder``, which is ours alone and holds one package at a time."""

    def __init__(
        self,
        folder: Path,
        source: ForeignSource,
        *,
        zone: ZoneInfo,
        disk: Disk,
        require_space: Callable[[int], None],
        limits: ReadingLimits | None = None,
    ) -> None:
        self._folder = folder
        self._source = source
        self._zone = zone
        self._disk = disk
        self._require_space = require_space
        self._limits = limits or ReadingLimits()

    def clear(self) -> None:
        """Remove what was taken."""
        self._disk.remove_tree(self._folder)

    def take(self, offer: Oferta, *, con_sumas: bool) -> Contenido:
        """Copy the package and check it against its sums (``con_sumas``), in this order.

        1. Regular files only, within the limits of any package, and room for them.
        2. The lists of sums, then the rest, hashed as they are written.
        3. The files did not change meanwhile.
        4. Each file copied is the one of the lists. Of a folder, nothing is missing and nothing is left out.
        5. An archive is admitted whole and every member read to its end; lists inside are judged as those of a folder,
           where the archive itself has no sum.

        Raises:
            SumaError, HashError: the sums.
            ArchivoError: a name or a kind of file, or the archive.
            RedError: the source failed, or somebody is writing the package now.
            DiscoError, EscrituraError: could not write.
        """
        self.clear()
        self._admit(offer)  # 1
        self._require_space(2 * sum(seen.bytes for seen in offer.archivos))
        self._disk.make_folder(self._folder, mode=0o700)
        take = self._archive if offer.comprimido else self._loose
        return take(offer, con_sumas=con_sumas)

    def _admit(self, offer: Oferta) -> None:
        names = NameSet(self._limits.nombres)
        self._limits.check_members(len(offer.archivos))
        for seen in offer.archivos:
            names.add_file(seen.ruta.removeprefix(offer.raiz))
        for seen in (*offer.archivos, *offer.listas):
            if seen.tipo == "enlace":
                raise EnlaceError(f"«{seen.ruta}» es un enlace simbólico.")
            if seen.tipo != "archivo":
                raise EspecialError(f"«{seen.ruta}» no es un archivo regular.")
            self._limits.check_file(seen.bytes, f"«{seen.ruta}»")
        self._limits.check_total(sum(seen.bytes for seen in offer.archivos))

    # A folder.

    def _loose(self, offer: Oferta, *, con_sumas: bool) -> Contenido:
        seen = {each.ruta.removeprefix(offer.raiz): each for each in offer.archivos}
        sumas = Sumas(())
        if con_sumas:
            lists = {ruta: self._read(each) for ruta, each in seen.items() if is_list(ruta)}
            sumas = _gather(lists.items(), seen)
        copies = self._folder / "copia"
        entries: dict[str, FileEntry] = {}
        digests: dict[str, dict[str, str]] = {}
        for ruta, each in seen.items():
            entries[ruta], digests[ruta] = self._copy(each, copies / ruta, ruta, sumas.algorithms(ruta))
        self._unchanged(offer)
        if con_sumas:
            _check_whole(sumas, digests, f"El paquete «{offer.nombre}»")
        for ruta, found in digests.items():
            sumas.check(ruta, found)
        hora = (offer.sello or offer.modificado).astimezone(self._zone)
        archive = self._folder / f"{hora:%Y%m%d_%H%M}_carpeta.zip"
        whole = Digester()
        ordered = tuple(entries[ruta] for ruta in sorted(entries))
        packed = ((entry.ruta, _packed(entry, copies / entry.ruta)) for entry in ordered)
        self._disk.create(archive, _hashed(zip_of(packed, stamp=hora), whole), mode=0o600)
        self._disk.remove_tree(copies)
        return Contenido(ordered, archive, whole.bytes, whole.digests()["sha256"], hora)

    # An archive.

    def _archive(self, offer: Oferta, *, con_sumas: bool) -> Contenido:
        [seen] = offer.archivos
        there = {seen.ruta, *(each.ruta for each in offer.listas)}
        beside = Sumas(())
        if con_sumas:
            said = _gather(((each.ruta, self._read(each)) for each in offer.listas), there)
            beside = Sumas(suma for suma in said if suma.ruta == seen.ruta)
        archive = self._folder / _kept_name(offer.nombre)
        entry, digests = self._copy(seen, archive, seen.ruta, beside.algorithms(seen.ruta))
        self._unchanged(offer)
        beside.check(seen.ruta, digests)
        entries = self._open(archive, offer, con_sumas=con_sumas, vouched=bool(beside))
        hora = offer.sello or newest_entry(archive, self._zone) or offer.modificado
        return Contenido(entries, archive, entry.bytes, entry.sha256, hora.astimezone(self._zone), tuple(beside))

    def _open(self, archive: Path, offer: Oferta, *, con_sumas: bool, vouched: bool) -> tuple[FileEntry, ...]:
        admitted = list(members(archive, self._limits))
        inside = Sumas(())
        if con_sumas:
            lists = [(member.ruta, _content(member)) for member in admitted if is_list(member.ruta)]
            inside = _gather(lists, {member.ruta for member in admitted})
        entries: list[FileEntry] = []
        digests: dict[str, dict[str, str]] = {}
        for member in admitted:
            digester = Digester(inside.algorithms(member.ruta))
            for piece in member.open():
                digester.update(piece)
            digests[member.ruta] = digester.digests()
            entries.append(FileEntry(member.ruta, digester.bytes, digests[member.ruta]["sha256"]))
        if con_sumas and not vouched:
            _check_whole(inside, digests, f"El archivo «{offer.nombre}»")
        for ruta, found in digests.items():
            inside.check(ruta, found)
        return tuple(sorted(entries, key=lambda entry: entry.ruta))

    # Reading the source.

    def _pieces(self, seen: Visto) -> Iterator[bytes]:
        """The bytes of a file, no more than it had when it was looked at."""
        pieces = self._source.stream(seen.ruta)
        if pieces is None:
            raise _changed(seen.ruta)
        size = 0
        for piece in pieces:
            size += len(piece)
            if size > seen.bytes:
                raise _changed(seen.ruta)
            yield piece
        if size != seen.bytes:
            raise _changed(seen.ruta)

    def _read(self, seen: Visto) -> bytes:
        if seen.bytes > LISTA_MAX_BYTES:
            raise too_long(seen.ruta, seen.bytes)
        return b"".join(self._pieces(seen))

    def _copy(
        self, seen: Visto, target: Path, ruta: str, algorithms: Iterable[str]
    ) -> tuple[FileEntry, dict[str, str]]:
        digester = Digester(algorithms)
        self._disk.make_folder(target.parent, mode=0o700)
        self._disk.create(target, _hashed(self._pieces(seen), digester), mode=0o600)
        digests = digester.digests()
        return FileEntry(ruta, digester.bytes, digests["sha256"]), digests

    def _unchanged(self, offer: Oferta) -> None:
        """That what was copied is still there as it was: a tree half of one cut and half of the next is no package."""
        now = {seen.ruta: seen.huella for seen in self._source.entries()}
        for seen in (*offer.archivos, *offer.listas):
            if now.get(seen.ruta) != seen.huella:
                raise _changed(seen.ruta)


def _gather(lists: Iterable[tuple[str, bytes]], there: Collection[str]) -> Sumas:
    return Sumas(suma for ruta, data in lists for suma in read_list(ruta, data, there))


def _packed(entry: FileEntry, path: Path) -> Packed:
    # What is already compressed and comes as a path is left where it lies, each with an open file: only the large ones.
    return pack(entry.ruta, path if entry.bytes > _IN_MEMORY else path.read_bytes(), sha256=entry.sha256)


def _check_whole(sumas: Sumas, there: Collection[str], what: str) -> None:
    if not sumas:
        raise no_sums(what)
    sumas.check_whole(there)


def _content(member: Member) -> bytes:
    if member.bytes > LISTA_MAX_BYTES:
        raise too_long(member.ruta, member.bytes)
    return b"".join(member.open())


def _hashed(pieces: Iterable[bytes], digester: Digester) -> Iterator[bytes]:
    for piece in pieces:
        digester.update(piece)
        yield piece


def _kept_name(nombre: str) -> str:
    """The name under which the archive is kept: its own, with its ending as we write it."""
    name = check_path(nombre.rpartition("/")[2])
    stem, _, suffix = name.rpartition(".")
    kept = f"{stem}.{suffix.lower()}"
    # Under that ending a package of Pregón brings only what changed.
    return f"{kept.removesuffix(CAMBIOS)}-cambios.zip" if kept.endswith(CAMBIOS) else kept


def _changed(ruta: str) -> RedError:
    return RedError(
        f"«{ruta}» cambió mientras se copiaba: el envío no ha terminado.",
        intacto=INTACTO,
        que_hacer="Se intentará de nuevo. Si se repite, acuerde con el instituto cómo avisa que terminó (recepcion).",
    )
