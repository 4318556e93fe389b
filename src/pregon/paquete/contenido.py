"""Whether contents are the ones that a manifest lists, told file by file. Reads and hashes; writes nothing.

A refusal of one file does not stop the others: who verifies wants the name of each one that fails.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from pregon.base.errors import HashError, PregonError
from pregon.paquete.errors import ManifiestoError
from pregon.paquete.manifest import MANIFEST_MAX_BYTES, FileEntry
from pregon.paquete.names import CAMBIOS, DIFERENCIA, SUMAS, visible
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
        return Revision.of((self, other))

    @classmethod
    def of(cls, parts: Iterable[Revision]) -> Self:
        """All of them together; a hundred thousand failures are joined once, not one at a time."""
        files = size = recipes = 0
        failures: list[Falla] = []
        for part in parts:
            files += part.archivos
            size += part.bytes
            recipes += part.recetas
            failures.extend(part.fallas)
        return cls(files, size, tuple(failures), recipes)


def review_files(entries: Iterable[FileEntry], read: Callable[[str], Iterator[bytes] | None]) -> Revision:
    """Hash each file of ``entries``; ``read`` gives its pieces, or None where it is not there.

    A ``PregonError`` of ``read`` is that file's failure. No more is read of a file than its size and one piece.
    """
    return Revision.of(_review_file(entry, read) for entry in entries)


def _review_file(entry: FileEntry, read: Callable[[str], Iterator[bytes] | None]) -> Revision:
    try:
        pieces = read(entry.ruta)
        if pieces is None:
            raise different(f"Falta «{entry.ruta}», que el manifiesto lista.")
        check_content(entry, pieces)
    except PregonError as exc:
        return Revision(1, 0, (Falla(entry.ruta, exc),))
    return Revision(1, entry.bytes)


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
    total = Revision.of(_review_member(member, entries) for member in admitted)
    if archive.name.endswith(CAMBIOS):
        return total
    absent = sorted(entries.keys() - {member.ruta for member in admitted})
    missing = (Falla(ruta, different(f"Falta «{ruta}», que el manifiesto lista.")) for ruta in absent)
    return total + Revision(fallas=tuple(missing))


def _review_member(member: Member, entries: dict[str, FileEntry]) -> Revision:
    try:
        recipe = _check_member(member, entries)
    except PregonError as exc:
        return Revision(1, 0, (Falla(member.ruta, exc),))
    return Revision(1, member.bytes, recetas=recipe)


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
    sizes = {ruta: member.bytes for ruta, member in admitted.items()}
    wanted = (FileEntry(ruta, sizes.get(ruta, 0), digest) for ruta, digest in listed.items())
    found = review_files(wanted, lambda name: admitted[name].open() if name in admitted else None)
    return Revision.of((Revision(1, sums.bytes), found, Revision(fallas=extra_files(admitted, {*listed, SUMAS}))))


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
        Falla(ruta, ManifiestoError(f"Sobra «{visible(ruta)}»: el manifiesto no lo lista.", intacto=INTACTO))
        for ruta in sorted(found)
        if ruta not in known
    )


def different(que_paso: str) -> HashError:
    """The failure of bytes that are not the ones listed, read by who only verifies."""
    return HashError(que_paso, intacto=INTACTO, que_hacer=_EVIDENCE)
