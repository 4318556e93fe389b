"""From a downloaded archive, only what the manifest lists, to objects; hashed while it is written.

An archive of changes may bring a recipe (``paquete.diferencias``) in place of a content, which is made again from
another one stored here. What cannot be made stays missing, and then the whole archive is fetched.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pregon.base.errors import GemeloError, HashError
from pregon.difusor.objects import TWINS, compressible, decoded_matches
from pregon.paquete.errors import BaseError, DiferenciaError, DistintaError, ManifiestoError
from pregon.paquete.names import DIFERENCIA
from pregon.paquete.reading import gzip_twin, members
from pregon.paquete.receta import MAX_RECIPE_BYTES, decode, rebuild

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.difusor.objects import ObjectStore
    from pregon.paquete.diferencias import Recipe
    from pregon.paquete.manifest import FileEntry, Manifest
    from pregon.paquete.reading import Member

_logger = logging.getLogger(__name__)

MAX_OWN_TWIN_BYTES = 64 << 20
"""A package's own ``.gz`` beside its plain file is compared in memory up to this size."""


def missing(manifest: Manifest, store: ObjectStore) -> dict[str, int]:
    """The contents of the package that are not stored yet: SHA-256 to size in bytes."""
    return {entry.sha256: entry.bytes for entry in manifest.archivos if not store.has(entry.sha256, entry.bytes)}


def unpack(archive: Path, manifest: Manifest, store: ObjectStore) -> None:
    """Store every content that the archive brings and the store lacks, with its ``.gz`` twin.

    1. The archive is admitted whole before a byte is inflated (``paquete.reading``).
    2. Every member is in the manifest, with the length that it states, or is the recipe of a file that is in it.
    3. Every recipe is read, and says of its file what the manifest says.
    4. Each content is written under its hash and only stays if it has it. Recipes come first, since one that does not
       fit its base is refused; one whose base is not here, or that gives other bytes, leaves its content missing.

    Raises:
        ArchivoError: not admitted, a member that the manifest does not list, or a recipe that is not admissible.
        HashError: a content is not the one listed.
    """
    entries = {entry.ruta: entry for entry in manifest.archivos}
    admitted = list(members(archive))  # 1
    contents, recipes = [], []
    for member in admitted:  # 2
        entry = entries.get(member.ruta)
        if entry is not None:
            _check_length(member, entry)
            contents.append(member)
        elif member.ruta.endswith(DIFERENCIA) and member.ruta.removesuffix(DIFERENCIA) in entries:
            recipes.append(member)
        else:
            raise ManifiestoError(f"El archivo trae {member.ruta!a}, que el manifiesto no lista.")
    read = [read_recipe(member, entries[member.ruta.removesuffix(DIFERENCIA)]) for member in recipes]  # 3
    for recipe in read:  # 4
        make(recipe, manifest, store)
    for member in contents:
        _store(member, entries[member.ruta], manifest, store)


def read_recipe(member: Member, entry: FileEntry) -> Recipe:
    """The recipe that ``member`` brings of the file ``entry``.

    Raises:
        DiferenciaError: not admissible, or it makes another file than the manifest lists.
        ArchivoError: the member is damaged.
    """
    if member.bytes > MAX_RECIPE_BYTES:
        raise DiferenciaError(f"La diferencia {member.ruta!a} mide {member.bytes:,} bytes.")
    recipe = decode(b"".join(member.open()))
    if recipe.destino != entry:
        raise DiferenciaError(f"La diferencia {member.ruta!a} no hace el archivo que lista el manifiesto.")
    return recipe


def make(recipe: Recipe, manifest: Manifest, store: ObjectStore) -> bool:
    """Store the content that ``recipe`` makes, if its base is stored; whether the content is here afterwards.

    Raises:
        DiferenciaError: the recipe does not fit its base; nothing stays.
    """
    entry = recipe.destino
    if store.has(entry.sha256, entry.bytes):
        return True
    made = rebuild(recipe, store.path(recipe.base_sha256))
    try:
        store.put(entry.sha256, entry.bytes, made, manifest.hora_corte)
    except (BaseError, DistintaError) as exc:
        # Ours, not the institute's: a base that was pruned or is damaged, or another version of the compressor.
        _logger.warning("corte %d: %s: %s", manifest.corte, exc.codigo, exc.que_paso)
        return False
    return True


def _check_length(member: Member, entry: FileEntry) -> None:
    if member.bytes != entry.bytes:
        raise HashError(
            f"{member.ruta!a} mide {member.bytes:,} bytes y el manifiesto dice {entry.bytes:,}.",
            intacto="No se publicó nada de este paquete; lo publicado sigue como estaba.",
            que_hacer="Pida al instituto que vuelva a enviar el corte; conserve este archivo como evidencia.",
        )


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
