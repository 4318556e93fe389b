"""What the targets «zip» and «siete» ask of an archive, whatever its format."""

from __future__ import annotations

import hashlib
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fuzz.objetivo import Hallazgo, rechazo
from pregon.base.durable import Disk
from pregon.base.errors import ArchivoError, PregonError
from pregon.difusor.objects import ObjectStore
from pregon.difusor.unpack import check_own_twins, unpack
from pregon.paquete.manifest import FileEntry, Manifest
from pregon.paquete.names import check_path
from pregon.paquete.reading import ReadingLimits, gzip_twin, members

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_HORA = datetime(2027, 6, 6, 20, 40, tzinfo=UTC)
_MIB = 1 << 20
LIMITES = ReadingLimits(archivo=4 * _MIB, total=8 * _MIB, razon_desde=_MIB // 4)
"""Smaller than those of a difusor, so that an input that is admitted is read whole, thousands of times."""


def leido(folder: Path, data: bytes) -> dict[str, bytes] | None:
    """The contents of ``data`` as an archive, by path; None where it is refused as it must be.

    Raises:
        Hallazgo: what is admitted is not as it says, or its names are not admitted.
    """
    archive = folder / "archivo"
    archive.write_bytes(data)
    found: dict[str, bytes] = {}
    try:
        for member in members(archive, LIMITES):
            content = b"".join(member.open())
            if (len(content), zlib.crc32(content)) != (member.bytes, member.crc32):
                raise Hallazgo("a content without the size or the CRC that its archive declares")
            twin = gzip_twin(member)
            if twin is not None and zlib.decompress(b"".join(twin), wbits=31) != content:
                raise Hallazgo("the .gz of a member is not its content")
            if check_path(member.ruta) in found:
                raise Hallazgo("one path twice")
            found[member.ruta] = content
    except ArchivoError as exc:
        rechazo(exc)
        return None
    if sum(map(len, found.values())) > LIMITES.total:
        raise Hallazgo("more than the limit came out")
    return found


def difundido(folder: Path, found: Mapping[str, bytes]) -> None:
    """Unpack the archive that ``leido`` admitted as a difusor does: its contents are stored, and nothing else is there.

    Raises:
        Hallazgo: a file that should not be there, one that is missing, or other bytes.
    """
    archive, store = folder / "archivo", folder / "objetos"
    store.mkdir()
    entries = [FileEntry(ruta, len(data), hashlib.sha256(data).hexdigest()) for ruta, data in found.items()]
    manifest = _manifest(tuple(entries))
    objects = ObjectStore(store, Disk(), reserva=0)
    refused = False
    try:
        unpack(archive, manifest, objects)
        check_own_twins(manifest, objects)
    except PregonError as exc:  # a name that ends as a recipe does, or a twin that is not one
        rechazo(exc)
        refused = True
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    places = {entry.sha256: f"objetos/{entry.sha256[:2]}/{entry.sha256}" for entry in entries}
    twins = {f"{place}.gz" for place in places.values()}
    if not there - {"archivo"} <= {*places.values(), *twins}:
        raise Hallazgo(f"files that no member explains: {sorted(there)}")
    if not refused and not {*places.values()} <= there:
        raise Hallazgo("a content is not stored")
    for digest, place in places.items():
        if place in there and hashlib.sha256((folder / place).read_bytes()).hexdigest() != digest:
            raise Hallazgo("a content is stored under another hash")


def _manifest(entries: tuple[FileEntry, ...]) -> Manifest:
    return Manifest(
        convocatoria="demo", instituto="iedemo", ambiente="simulacro", elecciones=("GUB",), corte=1, hora_corte=_HORA,
        generado=_HORA, anterior=None, archivos=entries,
    )  # fmt: skip
