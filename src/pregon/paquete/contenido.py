"""Whether contents are the ones that a manifest lists, told file by file. Reads and hashes; writes nothing.

A refusal of one file does not stop the others: who verifies wants the name of each one that fails.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base.errors import HashError, PregonError
from pregon.paquete.errors import ManifiestoError
from pregon.paquete.manifest import MANIFEST_MAX_BYTES, FileEntry
from pregon.paquete.names import CAMBIOS, DIFERENCIA, SUMAS
from pregon.paquete.reading import members
from pregon.paquete.receta import read_recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from pregon.paquete.manifest import Manifest
    from pregon.paquete.reading import Member

_SHA256 = re.compile(r"[0-9a-f]{64}")
INTACTO = "Sólo se leyó: no se escribió ni se cambió nada."
_EVIDENCE = "Consérvelo como evidencia, compárelo con otra copia y avise al instituto."


@dataclass(frozen=True)
class Falla:
    """One file that is not what it should be, and why; ``ruta`` is its path, or the name of the whole archive."""

    ruta: str
    error: PregonError

    def as_dict(self) -> dict[str, str]:
        """JSON types."""
        return {"ruta": self.ruta, "codigo": self.error.codigo, "que_paso": self.error.que_paso}


@dataclass(frozen=True)
class Revision:
    """What reading gave: how many files and bytes were hashed, and each failure, in the order found."""

    archivos: int = 0
    bytes: int = 0
    fallas: tuple[Falla, ...] = ()
    recetas: int = 0
    """Files that an archive of changes tells by a recipe: read, not made again."""

    def __add__(self, other: Revision) -> Revision:
        return Revision(
            self.archivos + other.archivos,
            self.bytes + other.bytes,
            (*self.fallas, *other.fallas),
            self.recetas + other.recetas,
        )


def review_files(entries: Iterable[FileEntry], read: Callable[[str], Iterator[bytes] | None]) -> Revision:
    """Hash each file of ``entries``; ``read`` gives its pieces, or None where it is not there.

    A ``PregonError`` of ``read`` is that file's failure. No more is read of a file than its size and one piece.
    """
    total = Revision()
    for entry in entries:
        try:
            pieces = read(entry.ruta)
            if pieces is None:
                raise different(f"Falta «{entry.ruta}», que el manifiesto lista.")
            check_content(entry, pieces)
        except PregonError as exc:
            total += Revision(1, 0, (Falla(entry.ruta, exc),))
        else:
            total += Revision(1, entry.bytes)
    return total


def check_content(entry: FileEntry, pieces: Iterable[bytes]) -> None:
    """Compare a content with what a signed or a manifest's list says of it.

    Raises:
        HashError: more, fewer or other bytes.
    """
    digest, size = hashlib.sha256(), 0
    for piece in pieces:
        size += len(piece)
        if size > entry.bytes:
            raise different(f"«{entry.ruta}» mide más de los {entry.bytes:,} bytes que se listan.")
        digest.update(piece)
    if size != entry.bytes:
        raise different(f"«{entry.ruta}» mide {size:,} bytes y se listan {entry.bytes:,}.")
    if digest.hexdigest() != entry.sha256:
        raise different(f"«{entry.ruta}» no tiene el SHA-256 que se lista: es {digest.hexdigest()}.")


def review_archive(archive: Path, manifest: Manifest) -> Revision:
    """Open ``archive`` and compare every member with ``manifest``; a whole archive must bring every file.

    An archive that is not admitted is one failure, with its own name.
    """
    entries = {entry.ruta: entry for entry in manifest.archivos}
    try:
        admitted = list(members(archive))
    except PregonError as exc:
        return Revision(fallas=(Falla(archive.name, exc),))
    total = Revision()
    for member in admitted:
        try:
            recipe = _check_member(member, entries)
        except PregonError as exc:
            total += Revision(1, 0, (Falla(member.ruta, exc),))
        else:
            total += Revision(1, member.bytes, recetas=recipe)
    if not archive.name.endswith(CAMBIOS):
        there = {member.ruta for member in admitted}
        for ruta in sorted(entries.keys() - there):
            missing = different(f"Falta «{ruta}», que el manifiesto lista.")
            total += Revision(fallas=(Falla(ruta, missing),))
    return total


def _check_member(member: Member, entries: dict[str, FileEntry]) -> int:
    """Whether it is a recipe (1) or a content (0), once it is the one that the manifest lists."""
    entry = entries.get(member.ruta)
    if entry is not None:
        if member.bytes != entry.bytes:
            raise different(f"«{entry.ruta}» mide {member.bytes:,} bytes y se listan {entry.bytes:,}.")
        check_content(entry, member.open())
        return 0
    made = entries.get(member.ruta.removesuffix(DIFERENCIA))
    if made is None:
        raise ManifiestoError(f"Sobra «{member.ruta}»: el manifiesto no lo lista.", intacto=INTACTO)
    read_recipe(member, made)
    return 1


def review_alone(archive: Path) -> Revision:
    """Compare the contents of an archive that has no manifest beside it with its own ``SHA256SUMS``.

    An archive without such a list, or with one that does not fit it, is a failure.
    """
    try:
        admitted = {member.ruta: member for member in members(archive)}
        sums = admitted.get(SUMAS)
        if sums is None or sums.bytes > MANIFEST_MAX_BYTES:
            raise ManifiestoError(f"«{archive.name}» no trae la lista «{SUMAS}»: no es un paquete de Pregón.")
        listed = _sums(b"".join(sums.open()))
    except PregonError as exc:
        return Revision(fallas=(Falla(archive.name, exc),))
    total = Revision(1, sums.bytes)
    for ruta, digest in listed.items():
        member = admitted.get(ruta)
        entry = FileEntry(ruta, 0 if member is None else member.bytes, digest)
        total += review_files([entry], lambda name: admitted[name].open() if name in admitted else None)
    return total + Revision(fallas=extra_files(admitted, {*listed, SUMAS}))


def _sums(text: bytes) -> dict[str, str]:
    """Path to SHA-256, of the text that ``sha256sum -c`` reads."""
    lines = [line.partition("  ") for line in text.decode(errors="replace").splitlines()]
    found = {ruta: digest for digest, _, ruta in lines if ruta and _SHA256.fullmatch(digest)}
    if len(found) != len(lines):
        raise ManifiestoError(f"La lista «{SUMAS}» no se puede leer.", intacto=INTACTO)
    return found


def extra_files(found: Iterable[str], listed: Iterable[str]) -> tuple[Falla, ...]:
    """The files that are there and that the manifest does not list, each as a failure."""
    known = set(listed)
    return tuple(
        Falla(ruta, ManifiestoError(f"Sobra «{ruta}»: el manifiesto no lo lista.", intacto=INTACTO))
        for ruta in sorted(found)
        if ruta not in known
    )


def different(que_paso: str) -> HashError:
    """The failure of bytes that are not the ones listed, read by who only verifies."""
    return HashError(que_paso, intacto=INTACTO, que_hacer=_EVIDENCE)
