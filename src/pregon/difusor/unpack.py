"""From a downloaded archive, only what the manifest lists, to objects; hashed while it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.base.errors import GemeloError, HashError
from pregon.difusor.objects import TWINS, compressible, decoded_matches
from pregon.paquete.errors import ManifiestoError
from pregon.paquete.reading import gzip_twin, members

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.difusor.objects import ObjectStore
    from pregon.paquete.manifest import FileEntry, Manifest
    from pregon.paquete.reading import Member

MAX_OWN_TWIN_BYTES = 64 << 20
"""A package's own ``.gz`` beside its plain file is compared in memory up to this size."""


def missing(manifest: Manifest, store: ObjectStore) -> dict[str, int]:
    """The contents of the package that are not stored yet: SHA-256 to size in bytes."""
    return {entry.sha256: entry.bytes for entry in manifest.archivos if not store.has(entry.sha256, entry.bytes)}


def unpack(archive: Path, manifest: Manifest, store: ObjectStore) -> None:
    """Store every content that the archive brings and the store lacks, with its ``.gz`` twin.

    1. The archive is admitted whole before a byte is inflated (``paquete.reading``).
    2. Every member is in the manifest, with the length that it states.
    3. Each content is written under its hash and only stays if it has it.

    Raises:
        ArchivoError: not admitted, or a member that the manifest does not list.
        HashError: a content is not the one listed.
    """
    entries = {entry.ruta: entry for entry in manifest.archivos}
    admitted = list(members(archive))  # 1
    for member in admitted:  # 2
        entry = entries.get(member.ruta)
        if entry is None:
            raise ManifiestoError(f"El archivo trae {member.ruta!a}, que el manifiesto no lista.")
        if member.bytes != entry.bytes:
            raise HashError(
                f"{member.ruta!a} mide {member.bytes:,} bytes y el manifiesto dice {entry.bytes:,}.",
                intacto="No se publicó nada de este paquete; lo publicado sigue como estaba.",
                que_hacer="Pida al instituto que vuelva a enviar el corte; conserve este archivo como evidencia.",
            )
    for member in admitted:  # 3
        _store(member, entries[member.ruta], manifest, store)


def _store(member: Member, entry: FileEntry, manifest: Manifest, store: ObjectStore) -> None:
    if store.has(entry.sha256, entry.bytes):
        return
    store.put(entry.sha256, entry.bytes, member.open(), manifest.hora_corte)
    if compressible(entry.ruta):
        stream = gzip_twin(member)
        store.put_gz(entry.sha256, None if stream is None else b"".join(stream))


def check_own_twins(manifest: Manifest, store: ObjectStore) -> None:
    """Refuse a package whose own ``x.gz`` or ``x.br`` is not ``x`` compressed.

    A web server would answer the one for the other to every browser: bytes that the manifest does not list for that
    address.

    Raises:
        GemeloError: such a pair; nothing was published.
    """
    by_path = {entry.ruta: entry for entry in manifest.archivos}
    for ruta, entry in by_path.items():
        for suffix in TWINS:
            twin = by_path.get(ruta + suffix)
            if twin is None:
                continue
            small = max(entry.bytes, twin.bytes) <= MAX_OWN_TWIN_BYTES
            if not small or not decoded_matches(
                store.path(twin.sha256).read_bytes(), suffix, store.path(entry.sha256).read_bytes()
            ):
                raise GemeloError(
                    f"{twin.ruta!a} no es {ruta!a} comprimido: los navegadores recibirían otro contenido.",
                    intacto="No se publicó nada de este paquete; lo publicado sigue como estaba.",
                    que_hacer="Pida al instituto que cambie ese nombre y vuelva a generar el corte.",
                )
