"""The personalised view: another presentation of the same data, only where the call allows it and the institute did.

Source: GRO-1.3b, DGO-I-3b («previa autorización»); MOR-I-3b and MEX-I-3b forbid it, so there is nothing to install.

It is a folder of static pages of the difusor's own that read the cut's data by relative addresses (``../corte.json``).
It lives at ``<base>personalizada/``, never in the place of the institute's pages, and is public only while

* the profile says ``personalizacion = "autorizada"``,
* the record of the authorisation names this call, this difusor and the hash of these very files, and is in force,
* a cut is public: neither before the start nor under an aviso.

::

    personalizada/
      autorizacion.toml   the record, as it was given;  documento.*  the institute's paper, where the record names one
      <huella>/           the view, copied when it was installed: what its author edits afterwards is not public
      puntero             the huella of the view that is public, or «no»;  publica -> the same, for servers with links
"""

from __future__ import annotations

import datetime as dt
import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from pregon.base.errors import EntradaError, EscrituraError, PregonError, UsoError
from pregon.base.hashing import CHUNK, open_regular, sha256_bytes, sha256_file
from pregon.base.razones import razon
from pregon.base.settings import Settings, parse_toml, read_toml_bytes
from pregon.difusor import pointer
from pregon.paquete.names import NameSet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.base.durable import Disk
    from pregon.difusor.libro import Libro
    from pregon.difusor.workspace import Workspace

RUTA = "personalizada"
"""Path of the view below the portal's base, and its folder in the workspace."""
REGISTRO = "autorizacion.toml"
PUNTERO = "puntero"
PUBLICA = "publica"
NINGUNA = "no"
"""What ``puntero`` says while no view is public."""
PORTADA = "index.html"

MAX_ARCHIVOS = 2_000
MAX_BYTES = 64 << 20
"""A page of one's own around the institute's data is small; more is a mistake of folder."""

_HUELLA = re.compile(r"[0-9a-f]{64}")
_Texto = Annotated[str, Field(min_length=1, max_length=300)]
_Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Autorizacion(Settings):
    """The institute's permission for one view, as the difusor keeps it (GRO-1.3b).

    ``id``: number of the paper; ``autoriza``: office that signed it; ``vista_sha256``: the huella that it approves;
    ``hasta``: its last day in the call's zone, None where it names none; ``documento_sha256``: of the scanned paper.
    """

    id: _Texto
    fecha: dt.date
    autoriza: _Texto
    convocatoria: _Texto
    difusor: _Texto
    vista_sha256: _Sha
    hasta: dt.date | None = None
    documento_sha256: _Sha | None = None


@dataclass(frozen=True)
class Vista:
    """The files of a view: path to SHA-256; ``huella`` is the SHA-256 of their list in the form of SHA256SUMS."""

    huella: str
    archivos: dict[str, str]


def allowed(workspace: Workspace) -> bool:
    """Whether the call admits a personalised view at all."""
    return workspace.convocatoria.personalizacion == "autorizada"


def read_view(folder: Path) -> Vista:
    """The view in ``folder``, read whole.

    Raises:
        EntradaError: it is not a folder, has no ``index.html``, is too large, or has what is not a regular file.
        ArchivoError: a name that a package could not have either (``paquete.names``).
    """
    hashes: dict[str, str] = {}
    names = NameSet()
    total = 0
    for ruta, path in _files(folder):
        names.add_file(ruta)
        total += path.lstat().st_size
        if len(hashes) >= MAX_ARCHIVOS or total > MAX_BYTES:
            raise _refused(folder, f"pasa de {MAX_ARCHIVOS:,} archivos o de {MAX_BYTES >> 20} MiB")
        hashes[ruta] = sha256_file(path)
    if PORTADA not in hashes:
        raise _refused(folder, f"no tiene {PORTADA}")
    listed = "".join(f"{sha256}  {ruta}\n" for ruta, sha256 in sorted(hashes.items()))
    return Vista(sha256_bytes(listed.encode()), hashes)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    pending = [folder]
    while pending:
        here = pending.pop()
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as exc:
            raise _refused(here, f"no se puede leer ({razon(exc)})") from exc
        for entry in entries:
            path = here / entry.name
            if entry.is_dir(follow_symlinks=False):
                pending.append(path)
            elif stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode):
                yield path.relative_to(folder).as_posix(), path
            else:
                raise _refused(path, "es un enlace o no es un archivo normal")


def _refused(folder: Path, why: str) -> EntradaError:
    return EntradaError(
        f"La vista personalizada {folder} no sirve: {why}.",
        intacto="No se instaló nada; lo publicado sigue como estaba.",
        que_hacer="Prepare una carpeta sólo con los archivos de la vista, con su index.html.",
    )


def check(workspace: Workspace, record: Autorizacion, huella: str, now: dt.datetime) -> None:
    """That ``record`` lets this difusor show the view of that huella at ``now``.

    Raises:
        UsoError: it does not; every reason in one text.
    """
    call = workspace.convocatoria
    reasons = []
    if not allowed(workspace):
        reasons.append("la convocatoria no permite presentación personalizada")
    if record.convocatoria != call.id:
        reasons.append(f"es de la convocatoria «{record.convocatoria}», no de «{call.id}»")
    if record.difusor != workspace.settings.id:
        reasons.append(f"es del difusor «{record.difusor}», no de «{workspace.settings.id}»")
    if record.vista_sha256 != huella:
        reasons.append(f"autoriza otra vista (huella {record.vista_sha256}); la de estos archivos es {huella}")
    today = now.astimezone(call.zona).date()
    if record.fecha > today:
        reasons.append(f"tiene fecha futura ({record.fecha})")
    if record.hasta is not None and today > record.hasta:
        reasons.append(f"venció el {record.hasta}")
    if reasons:
        raise UsoError(
            f"La autorización «{record.id}» no ampara esta vista: " + "; ".join(reasons) + ".",
            intacto="No se instaló nada; lo publicado sigue como estaba.",
            que_hacer="Pida al instituto la autorización de esta vista, con su huella "
            "(«pregon difusor personalizada huella CARPETA»).",
        )


def install(
    workspace: Workspace, folder: Path, record: Path, *, documento: Path | None, disk: Disk, now: dt.datetime
) -> Vista:
    """Copy the view and its authorisation into the workspace; it becomes public at the next pass of the difusor.

    Raises:
        UsoError: the authorisation does not cover it. EntradaError, ArchivoError: the view or the paper is not good.
        AjustesError: the record cannot be read. EscrituraError, DiscoError: the workspace cannot be written.
    """
    raw = read_toml_bytes(record)
    given = parse_toml(raw, Autorizacion, where=str(record))
    view = read_view(folder)
    check(workspace, given, view.huella, now)
    if given.documento_sha256 is not None and (documento is None or sha256_file(documento) != given.documento_sha256):
        raise EntradaError(
            "La autorización cita un documento, y el que se dio no es ése." if documento else
            "La autorización cita un documento y no se dio con --documento.",
            intacto="No se instaló nada; lo publicado sigue como estaba.",
            que_hacer="Dé con --documento el archivo del oficio, tal como lo mandó el instituto.",
        )  # fmt: skip
    home = workspace.personalizada
    disk.make_folder(home, mode=0o750)
    target = home / view.huella
    _copy(folder, target, view, disk)
    if documento is not None:
        disk.write(home / f"documento{documento.suffix}", documento.read_bytes())
    disk.write(home / REGISTRO, raw)
    return view


def _copy(folder: Path, target: Path, view: Vista, disk: Disk) -> None:
    provisional = target.with_name(target.name + ".parcial")
    disk.remove_tree(provisional)
    disk.make_folder(provisional, mode=0o755)
    for ruta in view.archivos:
        inner = (provisional / ruta).parent
        if not inner.is_dir():
            disk.make_folder(inner, mode=0o755)
        disk.create(provisional / ruta, _chunks(folder / ruta), mode=0o444)
    copied = read_view(provisional)
    if copied != view:
        disk.remove_tree(provisional)
        raise EscrituraError(
            f"La vista {folder} cambió mientras se copiaba.",
            intacto="No se instaló nada; lo publicado sigue como estaba.",
            que_hacer="Espere a que nadie la edite y repita la orden.",
        )
    disk.sync_filesystem(target.parent)
    disk.remove_tree(target)
    disk.replace(provisional, target)


def _chunks(path: Path) -> Iterator[bytes]:
    with open_regular(path) as file:
        while chunk := file.read(CHUNK):
            yield chunk


def withdraw(workspace: Workspace, disk: Disk) -> bool:
    """Take the view away; whether there was one. The record stays beside it with another name, as evidence."""
    home = workspace.personalizada
    record = home / REGISTRO
    if not record.exists():
        return False
    _point(workspace, NINGUNA, disk)
    disk.replace(record, record.with_name(f"{REGISTRO}.retirada"))
    return True


def public_view(workspace: Workspace) -> str | None:
    """The huella of the view that is public now, or None."""
    try:
        with open_regular(workspace.personalizada / PUNTERO) as file:
            text = file.read(80).decode("ascii", errors="replace").removesuffix("\n")
    except OSError:
        return None
    return text if _HUELLA.fullmatch(text) else None


def _point(workspace: Workspace, name: str, disk: Disk) -> None:
    home = workspace.personalizada
    disk.write(home / PUNTERO, f"{name}\n".encode())
    if name == NINGUNA:
        disk.remove_tree(home / PUBLICA)
    else:
        disk.symlink(home / PUBLICA, name)


def hide(workspace: Workspace, disk: Disk) -> None:
    """Take the view off the public at once; ``Guardia`` shows it again when a cut is public."""
    if public_view(workspace) is not None:
        _point(workspace, NINGUNA, disk)


class Guardia:
    """Keeps the view public exactly while it may be. Looked at in every pass; files are hashed when they move."""

    def __init__(self, workspace: Workspace, libro: Libro, disk: Disk, clock: Clock) -> None:
        self._workspace = workspace
        self._libro = libro
        self._disk = disk
        self._clock = clock
        self._sound: tuple[str, object] | None = None
        self._told: str | None = None

    def check(self, shown: str | None) -> None:
        """Make it public, or not: ``shown`` names the release that is public.

        Raises:
            DiscoError, EscrituraError: the pointer cannot be written.
        """
        if not self._workspace.personalizada.is_dir():
            return
        wanted, why = self._wanted()
        due = wanted if shown is not None and pointer.release_number(shown) is not None else None
        if public_view(self._workspace) != due:
            _point(self._workspace, due or NINGUNA, self._disk)
            self._libro.evento("personalizada", muestra=due, motivo=why)
        elif why is not None and why != self._told:
            self._libro.evento("personalizada", muestra=None, motivo=why)
        self._told = why

    def _wanted(self) -> tuple[str | None, str | None]:
        """The huella that may be public, or why none may."""
        record = self._workspace.personalizada / REGISTRO
        if not record.exists():
            return None, None
        try:
            given = parse_toml(read_toml_bytes(record), Autorizacion, where=str(record))
            huella = given.vista_sha256
            check(self._workspace, given, huella, self._clock.now())
            folder = self._workspace.personalizada / huella
            now = (huella, _state(folder))
            if now != self._sound:
                if read_view(folder).huella != huella:
                    return None, "los archivos de la vista instalada ya no son los autorizados"
                self._sound = now
        except PregonError as exc:
            return None, exc.que_paso
        return huella, None


def _state(folder: Path) -> list[tuple[object, ...]]:
    """Equal while nobody touches the files of a view."""
    found: list[tuple[object, ...]] = []
    for ruta, path in _files(folder):
        status = path.lstat()
        found.append((ruta, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_mode))
    return found
