"""From a downloaded archive, only what the manifest lists, to objects; hashed while it is written.

An archive of changes may bring a recipe (``paquete.diferencias``) in place of a content, which is made again from
another one stored here. What cannot be made stays missing, and then the whole archive is fetched.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base.durable import Disk
from pregon.base.errors import GemeloError, HashError
from pregon.base.hilos import each
from pregon.base.manos import PARTES, another, in_parts
from pregon.difusor.gemelos import TWINS, file_decodes_to
from pregon.difusor.objects import MAX_TWIN_BYTES, ObjectStore, at_first_sight, compressible
from pregon.paquete.errors import BaseError, DistintaError, ManifiestoError
from pregon.paquete.fuente import PIECE, Source
from pregon.paquete.manifest import FileEntry
from pregon.paquete.names import DIFERENCIA
from pregon.paquete.reading import gzip_of, gzip_twin, members
from pregon.paquete.receta import read_recipe, rebuild
from pregon.paquete.zip.lectura import ZipMember

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

    from pregon.base.manos import Mano
    from pregon.paquete.diferencias import Recipe
    from pregon.paquete.manifest import Manifest
    from pregon.paquete.reading import Member
    from pregon.paquete.zip.lectura import Lugar

_logger = logging.getLogger(__name__)

MANO_BYTES = 4 << 20
"""A shorter archive is unpacked before another process would be ready."""
_FEWEST = 16
"""Contents of one part: some two milliseconds."""
MAX_OWN_TWIN_BYTES = 64 << 20
"""A package's own ``.gz`` beside its plain file is compared up to this size."""


def missing(manifest: Manifest, store: ObjectStore) -> dict[str, int]:
    """The contents of the package that are not stored yet: SHA-256 to size in bytes."""
    here = store.listed()
    return {
        entry.sha256: entry.bytes
        for entry in manifest.archivos
        if entry.sha256 not in here or not store.has(entry.sha256, entry.bytes)
    }


def _wanted(manifest: Manifest, store: ObjectStore, wanted: Collection[str]) -> dict[str, int]:
    """As ``missing``, of those alone: asked one by one, which is quicker than to list everything that is stored."""
    of_them = {entry.sha256: entry.bytes for entry in manifest.archivos if entry.sha256 in wanted}
    return {sha256: size for sha256, size in of_them.items() if not store.has(sha256, size)}


def unpack(archive: Path, manifest: Manifest, store: ObjectStore, wanted: Collection[str] | None = None) -> None:
    """Store every content that the archive brings and the store lacks, with the ``.gz`` twins of a first sight.

    ``wanted``: the SHA-256 of those that matter, where others do not; all of them are admitted all the same.

    1. The archive is admitted whole before a byte is inflated (``paquete.reading``).
    2. Every member is in the manifest, with the length that it states, or is the recipe of a file that is in it.
    3. Every recipe is read, and says of its file what the manifest says.
    4. There is room for what is not stored yet; it is asked for again while writing.
    5. Each content is written under its hash and only stays if it has it: recipes first and then small ones, of a large
       archive by another process too (``base.manos``). A recipe that does not fit its base is refused before any
       content is; one whose base is not here, or that gives other bytes, leaves its content missing.

    Whatever is raised, nothing that this call stored stays.

    Raises:
        ArchivoError: not admitted, a member that the manifest does not list, or a recipe that is not admissible.
        HashError: a content is not the one listed.
        DiscoError: too little space is free.
    """
    with another(__name__, wanted=archive.stat().st_size >= MANO_BYTES and not store.heard) as mano:
        entries = {entry.ruta: entry for entry in manifest.archivos}
        contents, recipes = _known(members(archive), entries)  # 1 and 2
        read = [read_recipe(member, entry) for member, entry in recipes]  # 3
        needed = missing(manifest, store) if wanted is None else _wanted(manifest, store, wanted)
        store.require_space(sum(needed.values()))  # 4
        made = [(recipe, pair) for recipe, pair in zip(read, recipes, strict=True) if pair[1].sha256 in needed]
        new = _new(contents, needed)
        contents.clear()  # What unpacks a 7z takes memory, and so does making a twin.
        others = [pair for pair in new if not _apart(pair)]
        try:  # 5
            _store_apart(archive, store, mano, manifest, made, [pair for pair in new if _apart(pair)])
            new.clear()
            plain = [_store(member, entry, store) for member, entry in others]
            others.clear()
            for again in plain:
                if again is not None:
                    store.put_gz(again.sha256, None)
        except BaseException:
            if mano is not None:
                mano.stop()
            for sha256 in needed:
                store.drop(sha256)
            raise


def _apart(pair: tuple[Member, FileEntry]) -> bool:
    return pair[0].suelto and pair[1].bytes <= PIECE


@dataclass(frozen=True, slots=True)
class _Trabajo:
    """What the other process needs: the archive, the store, and where each recipe and content lies, with its file."""

    archivo: Path
    objetos: tuple[Path, int]
    recetas: list[tuple[Lugar, FileEntry]]
    contenidos: list[tuple[Lugar, str]]
    tamano: int

    def begin(self) -> Callable[[int], None]:
        """What does a part there. A recipe that cannot be made is an error: this process then tries, and tells."""
        source = Source(self.archivo)
        store = ObjectStore(self.objetos[0], Disk(), reserva=self.objetos[1])

        def part(number: int) -> None:
            if number < len(self.recetas):
                lugar, entry = self.recetas[number]
                recipe = read_recipe(ZipMember.at(lugar, source), entry)
                store.put(entry.sha256, entry.bytes, rebuild(recipe, store.path(recipe.base_sha256)))
                return
            first = (number - len(self.recetas)) * self.tamano
            for lugar, sha256 in self.contenidos[first : first + self.tamano]:
                member = ZipMember.at(lugar, source)
                _store_whole(member, FileEntry(member.ruta, member.bytes, sha256), store)

        return part


def _store_apart(
    archive: Path,
    store: ObjectStore,
    mano: Mano | None,
    manifest: Manifest,
    made: list[tuple[Recipe, tuple[Member, FileEntry]]],
    pairs: _Pairs,
) -> None:
    """Make the recipes and store what is small, each part by whoever is free."""
    size = max(_FEWEST, -(-len(pairs) // (PARTES - len(made))))

    def part(number: int) -> None:
        if number < len(made):
            make(made[number][0], manifest, store)
            return
        first = (number - len(made)) * size
        for pair in pairs[first : first + size]:
            _store_whole(*pair, store)

    parts = len(made) + -(-len(pairs) // size)
    zipped = [(pair[0].lugar, pair[1].sha256) for pair in pairs if isinstance(pair[0], ZipMember)]
    recipes = [(pair[0].lugar, pair[1]) for _, pair in made if isinstance(pair[0], ZipMember)]
    if (len(zipped), len(recipes)) != (len(pairs), len(made)):
        mano = None  # Recipes in a 7z: no other process can read one of its members alone.
    in_parts(mano, _Trabajo.begin, _Trabajo(archive, store.lugar, recipes, zipped, size), parts, part)


_Pairs = list[tuple["Member", "FileEntry"]]


def _known(admitted: Iterator[Member], entries: Mapping[str, FileEntry]) -> tuple[_Pairs, _Pairs]:
    """The contents and the recipes, each with the file that it is for or makes; nothing else may be there."""
    contents: _Pairs = []
    recipes: _Pairs = []
    for member in admitted:
        entry = entries.get(member.ruta)
        made = entries.get(member.ruta.removesuffix(DIFERENCIA))
        if entry is not None:
            _check_length(member, entry)
            contents.append((member, entry))
        elif made is not None:
            recipes.append((member, made))
        else:
            raise ManifiestoError(f"El archivo trae {member.ruta!a}, que el manifiesto no lista.")
    return contents, recipes


def recipes_in(archive: Path, manifest: Manifest, wanted: Collection[str]) -> list[Recipe]:
    """The recipes that ``archive`` brings of the contents ``wanted``.

    Raises:
        ArchivoError: the archive, or one of them, is not admitted.
    """
    entries = {entry.ruta + DIFERENCIA: entry for entry in manifest.archivos if entry.sha256 in wanted}
    if not entries:
        return []
    return [read_recipe(member, entries[member.ruta]) for member in members(archive) if member.ruta in entries]


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
        store.put(entry.sha256, entry.bytes, made)
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


def _new(contents: _Pairs, needed: Mapping[str, int]) -> _Pairs:
    """Those that are needed, each content once."""
    first = {pair[1].sha256: pair for pair in reversed(contents) if pair[1].sha256 in needed}
    return [pair for pair in contents if first.get(pair[1].sha256) is pair]


def add_gz(archive: Path, manifest: Manifest, store: ObjectStore, absent: Collection[str]) -> bool:
    """Make the ``.gz`` twins of the contents ``absent`` that ``archive`` has deflated; whether any was made.

    They are stored already: a content that the archive does not give as it was received gets no twin from it.

    Raises:
        ArchivoError: the archive is not admitted.
        DiscoError: the disk is filling up.
    """
    contents, _ = _known(members(archive), {entry.ruta: entry for entry in manifest.archivos})
    twins = [pair for pair in _new(contents, dict.fromkeys(absent, 0)) if pair[0].suelto and pair[1].bytes <= PIECE]
    made: list[bool] = []

    def one(pair: tuple[Member, FileEntry]) -> None:
        content, deflated = pair[0].whole()
        if deflated is not None:
            made.append(store.put_deflated(pair[1].sha256, content, gzip_of(deflated, pair[0])))

    each(one, twins)
    return any(made)


def _twin_wanted(entry: FileEntry) -> bool:
    return compressible(entry.ruta) and at_first_sight(entry.ruta)


def _store_whole(member: Member, entry: FileEntry, store: ObjectStore) -> None:
    """Store a small content and its ``.gz`` twin, which is the archive's own deflate stream."""
    content, deflated = member.whole()
    wanted = _twin_wanted(entry)
    twin = gzip_of(deflated, member) if deflated is not None and wanted else None
    store.put_whole(entry.sha256, content, twin)
    if deflated is None and wanted:
        store.put_gz(entry.sha256, None)


def _store(member: Member, entry: FileEntry, store: ObjectStore) -> FileEntry | None:
    """Store the content and its ``.gz`` twin; the entry is returned where the twin has to be compressed anew."""
    store.put(entry.sha256, entry.bytes, member.open())
    if not _twin_wanted(entry) or entry.bytes > MAX_TWIN_BYTES:
        return None
    stream = gzip_twin(member)
    if stream is None:
        return entry
    store.put_gz(entry.sha256, b"".join(stream))
    return None


def check_own_twins(manifest: Manifest, store: ObjectStore) -> None:
    """Refuse a package whose own ``x.gz``, ``x.br`` or ``x.zst`` is not ``x`` compressed.

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
            if not small or not file_decodes_to(store.path(twin.sha256), suffix, store.path(entry.sha256)):
                raise GemeloError(
                    f"{twin.ruta!a} no es {ruta!a} comprimido: los navegadores recibirían otro contenido.",
                    intacto="No se publicó nada de este paquete; lo publicado sigue como estaba.",
                    que_hacer="Pida al instituto que cambie ese nombre y vuelva a generar el corte.",
                )
