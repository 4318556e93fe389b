"""Puts a backup back as a new workspace: everything verified before anything has its place.

The file may come from anywhere, so it is read as any archive is: regular files alone, names by component, sizes
watched, every byte hashed. Its list proves that it is whole, not who made it: what is public afterwards is made from
originals whose manifests the recorded hashes name, and the next cut is verified by the root that was in the backup.
"""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, cast

from pregon.base import esquema, state
from pregon.base.durable import PARCIAL
from pregon.base.errors import ArchivoError, EntradaError, EscrituraError, FormatoError, VersionError
from pregon.base.hashing import CHUNK
from pregon.base.razones import razon
from pregon.base.settings import load_toml
from pregon.base.space import SpaceWatch
from pregon.convocatoria.model import Convocatoria
from pregon.difusor import pages
from pregon.difusor.acuse import create_key
from pregon.difusor.historia.compresion import Inflated, kind_of
from pregon.difusor.historia.respaldo import ESTADO, FORMATO, LISTA, MODE, PERFIL
from pregon.difusor.settings import DifusorSettings
from pregon.difusor.workspace import AJUSTES, Workspace, folders, with_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pregon.base.durable import Disk

MAX_MEMBERS = 1_000_000
MAX_LIST_BYTES = 512 << 20
"""A night of 288 cuts has some 2,500 files, and a line of the list some 200 bytes."""
_PRIVATE = 0o700
_MODES = 0o755
"""No file of a workspace may be written by another user, whatever the backup says."""


@dataclass(frozen=True)
class Restaurado:
    """What was put in place: files, bytes, the cut that was public then, whether a new key for acuses was made, and
    whether the profile that the settings name is not here."""

    archivos: int
    bytes: int
    publico: str | None
    llave_nueva: bool
    falta_perfil: str | None


def restaura(respaldo: Path, folder: Path, *, disk: Disk) -> Restaurado:
    """Make the workspace ``folder`` from a backup. ``recibe`` or ``opera`` then make public again what was.

    1. ``folder`` is not there.
    2. Every member is a regular file with an admissible name, once; it is hashed as it is written, aside.
    3. The list is the last member, and names exactly what came, with those sizes and hashes.
    4. The state database is sound and not of a newer program.
    5. What a workspace has besides is made, and it gets its name in one step.

    Raises:
        EscrituraError: 1; or ``folder`` cannot be written.
        ArchivoError, FormatoError, DiscoError, VersionError: the backup is refused, and nothing stays.
        UsoError, EntradaError: ``respaldo`` is not named as one, or is not there.
    """
    kind = kind_of(respaldo)
    folder = folder.absolute()
    if os.path.lexists(folder):  # 1
        raise EscrituraError(
            f"Ya existe {folder}.",
            intacto="No se cambió nada.",
            que_hacer="Dé el nombre de una carpeta que no exista: restaurar nunca escribe sobre otra.",
        )
    provisional = folder.with_name(folder.name + PARCIAL)
    disk.remove_tree(provisional)
    disk.make_folder(provisional, mode=_PRIVATE)
    try:
        try:
            with respaldo.open("rb") as file:
                listing = desempaca(Inflated(file, kind), provisional, disk)
        except OSError as exc:
            raise EntradaError(
                f"No se puede leer {respaldo}: {razon(exc)}",
                intacto="No se creó nada.",
                que_hacer="Revise la ruta del respaldo.",
            ) from exc
        revisa_estado(provisional)  # 4
        missing, made = _complete(provisional, disk)  # 5
        disk.sync_filesystem(provisional)
        disk.replace(provisional, folder)
    except BaseException:
        disk.remove_tree(provisional)
        raise
    files = listing["archivos"]
    return Restaurado(len(files), sum(item["bytes"] for item in files), listing["publico"], made, missing)


def desempaca(stream: Inflated, target: Path, disk: Disk) -> dict[str, Any]:
    """Write into ``target`` what a backup holds, every byte hashed, and give its list (2 and 3 of ``restaura``).

    Raises: as ``restaura``, for those; what was written stays for the caller to remove.
    """
    found: dict[str, tuple[int, str]] = {}
    watch = SpaceWatch(target)
    listing: dict[str, Any] | None = None
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|", errorlevel=2) as tar:
            for member in tar:
                if listing is not None:
                    raise _refused("trae algo después de su lista")
                if len(found) >= MAX_MEMBERS:
                    raise _refused(f"trae más de {MAX_MEMBERS:,} archivos")
                _admit(member)
                if member.name in found:
                    raise _refused(f"trae dos veces {member.name!a}")
                chunks = _content(tar, member)
                if member.name == LISTA:
                    if member.size > MAX_LIST_BYTES:
                        raise _refused("su lista es demasiado grande")
                    listing = _parsed(b"".join(chunks))
                    continue
                found[member.name] = _store(member, chunks, target, disk, watch)
    except (tarfile.TarError, ValueError, EOFError) as exc:
        raise _refused(f"no se puede leer hasta el final{f': {exc}' if str(exc) else ', está cortado'}") from exc
    if listing is None:
        raise _refused("no trae su lista: está cortado")
    _compare(listing, found)
    return listing


def _admit(member: tarfile.TarInfo) -> None:
    """One name, of a regular file, that stays inside: where nothing else is ever made, no link can lead out.

    Rules of our own: ``tarfile.data_filter`` is not in Debian 12's Python 3.11.2.

    Raises:
        ArchivoError: it is not that.
    """
    if not member.isreg():
        raise _refused(f"trae algo que no es un archivo normal: {member.name!a}")
    if any(part in ("", ".", "..") for part in member.name.split("/")) or "\0" in member.name:
        raise _refused(f"trae un nombre que sale de la carpeta: {member.name!a}")


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    file = tar.extractfile(member)
    left = member.size
    while file is not None and left > 0:
        chunk = file.read(min(CHUNK, left))
        if not chunk:
            raise EOFError
        left -= len(chunk)
        yield chunk


def _store(
    member: tarfile.TarInfo, chunks: Iterator[bytes], target: Path, disk: Disk, watch: SpaceWatch
) -> tuple[int, str]:
    path, digest = target / member.name, hashlib.sha256()
    disk.make_folder(path.parent, mode=_PRIVATE)

    def hashed() -> Iterator[bytes]:
        for chunk in chunks:
            digest.update(chunk)
            watch.wrote(len(chunk))
            yield chunk

    disk.create(path, hashed(), mode=member.mode & _MODES & ~0o111 | MODE)
    return member.size, digest.hexdigest()


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        listing = json.loads(data)
        known = listing["formato"] == FORMATO
        files = [
            {"ruta": str(item["ruta"]), "bytes": int(item["bytes"]), "sha256": str(item["sha256"])}
            for item in listing["archivos"]
        ]
        public = None if listing["publico"] is None else str(listing["publico"])
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise _unknown_list() from exc
    if not known:
        raise _unknown_list()
    return {"archivos": files, "publico": public}


def _compare(listing: dict[str, Any], found: dict[str, tuple[int, str]]) -> None:
    promised = {item["ruta"]: (item["bytes"], item["sha256"]) for item in listing["archivos"]}
    if promised == found:
        return
    wrong = sorted(name for name in promised.keys() | found.keys() if promised.get(name) != found.get(name))
    raise _refused(f"{len(wrong)} archivos no son los de su lista; el primero, {wrong[0]!a}")


def revisa_estado(provisional: Path) -> None:
    """4 of ``restaura``: that the state database in ``provisional`` can be used. Raises as that does."""
    path = provisional / ESTADO
    if not path.is_file():
        raise _refused(f"no trae {ESTADO}")
    version = state.version(path)
    if version > esquema.VERSION:
        raise VersionError(
            f"El respaldo es de un Pregón más nuevo (base de estado {version}; este programa conoce hasta la "
            f"{esquema.VERSION}).",
            intacto="No se creó nada.",
            que_hacer="Restáurelo con la versión de Pregón que lo hizo, o con una posterior.",
        )
    state.check_file(path)


def _complete(provisional: Path, disk: Disk) -> tuple[str | None, bool]:
    """5: the profile that the settings name and is not here, if so; whether a key for acuses was made."""
    settings = load_toml(provisional / AJUSTES, DifusorSettings)
    missing = None
    if settings.convocatoria.endswith(".toml") and not (provisional / settings.convocatoria).is_file():
        missing = settings.convocatoria
        workspace = Workspace(provisional, settings, load_toml(provisional / PERFIL, Convocatoria))
    else:
        workspace = with_settings(provisional, settings)
    for path, mode in folders(workspace):
        disk.make_folder(path, mode=mode)
        path.chmod(mode)  # Those that were made for a file in them are ours alone.
    made = not workspace.llave.exists()
    if made:
        create_key(workspace.llave, disk)
    pages.ensure(workspace, disk)
    return missing, made


def _unknown_list() -> FormatoError:
    return FormatoError(
        "La lista del respaldo no se entiende: no es de este formato.",
        intacto="No se creó nada.",
        que_hacer="Use un respaldo hecho con «pregon difusor respalda», de esta versión o de una anterior.",
    )


def _refused(problem: str) -> ArchivoError:
    return ArchivoError(
        f"El respaldo se rechaza: {problem}.",
        intacto="No se creó nada.",
        que_hacer="Use otra copia del respaldo; compare su tamaño y su SHA-256 con los de donde se hizo.",
    )
