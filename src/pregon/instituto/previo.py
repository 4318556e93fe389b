"""The previous cut, read from its signed package in the repository: for the gate, and so as not to repeat work.

What was published is what ``repositorio/`` has signed. ``apuntes`` may spare reading it again, and never decides.
"""

from __future__ import annotations

import json
import logging
import shutil
import zipfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from pregon.base.errors import ArchivoError, DiscoError, PregonError
from pregon.base.hashing import sha256_bytes, sha256_file
from pregon.instituto.elecciones import from_code, token_of
from pregon.paquete.anterior import PreviousPackage, damaged
from pregon.paquete.archive import write_zip
from pregon.paquete.empacado import is_stored, pack_stream
from pregon.paquete.names import CAMBIOS, SIETE
from pregon.paquete.reading import EXTENSIONES, members
from pregon.paquete.tree import PackageTree
from pregon.prep.archivos import parse_zip_name
from pregon.prep.reader import read_actas
from pregon.tablas.compuerta import Referencia

if TYPE_CHECKING:
    from datetime import datetime

    from pregon.instituto.workspace import Workspace
    from pregon.paquete.crudo import Packed
    from pregon.paquete.manifest import Manifest
    from pregon.prep.model import ActaTable

_logger = logging.getLogger(__name__)

CARPETA = "previo"
"""In ``trabajo/``: where the database of the previous cut is unpacked to be read."""
ZIP = "paquete.zip"
"""Where the package is a 7z: the same contents as a zip, among the notes, or made again in ``CARPETA``."""
_CATALOGUE = "CANDIDATURA"
_CLAVE = "zip_del_corte"
"""Key of the state: of which manifest that zip is, and its SHA-256."""


class Previo:
    """The package of the last signed cut. ``bytes_manifiesto``: its manifest, byte for byte; ``…_sha256``, of them."""

    def __init__(self, paquete: PreviousPackage, manifiesto: bytes, trabajo: Path) -> None:
        self._package = paquete
        self._work = trabajo
        self.bytes_manifiesto = manifiesto
        self.manifiesto_sha256 = sha256_bytes(manifiesto)
        self._hashes = {entry.ruta: entry.sha256 for entry in paquete.manifiesto.archivos}

    @property
    def manifiesto(self) -> Manifest:
        """Its manifest."""
        return self._package.manifiesto

    @property
    def archivo(self) -> Path:
        """Its archive."""
        return self._package.archivo

    @property
    def corte(self) -> int:
        """Its number."""
        return self._package.manifiesto.corte

    @property
    def hora_corte(self) -> datetime:
        """Its hour."""
        return self._package.manifiesto.hora_corte

    @property
    def contiendas(self) -> frozenset[str]:
        """Ids of its contests."""
        return frozenset(from_code(code).id for code in self._package.manifiesto.elecciones)

    def referencia(self, contienda: str) -> Referencia:
        """What the gate needs of one of its contests.

        Raises:
            DiscoError: the package is damaged.
        """
        try:
            content = self._package.read(f"datos/{self.corte:04d}/{contienda}/entidad.json")
            return Referencia.from_json(json.loads(content))
        except (KeyError, ValueError) as exc:
            raise damaged(self._package.archivo) from exc

    def tabla(self, contienda: str) -> tuple[ActaTable, str] | None:
        """The per-acta database of one of its contests and the SHA-256 of its zip; None where it has none.

        Raises:
            DiscoError: the package is damaged or cannot be unpacked.
        """
        for ruta in self._hashes:
            name = parse_zip_name(Path(ruta).name) if ruta.startswith("base-de-datos/") else None
            token = None if name is None else token_of(name.resto)
            if token is not None and from_code(token).id == contienda:
                return self._read_table(ruta), self._hashes[ruta]
        return None

    def contenido(self, ruta: str) -> bytes | None:
        """The content of a path; None where it had none.

        Raises:
            DiscoError: the package is damaged.
        """
        if ruta not in self._hashes:
            return None
        try:
            return self._package.read(ruta)
        except (KeyError, ValueError) as exc:
            raise damaged(self._package.archivo) from exc

    def con_hash(self, sha256: str) -> Packed | None:
        """The content of that hash, compressed as it lies in the package; None where it had none.

        Raises:
            DiscoError: the package is damaged.
        """
        return self._package.find(sha256)

    def en(self, ruta: str) -> Packed | None:
        """The content of a path, compressed as it lies in the package; None where it had none.

        Raises:
            DiscoError: the package is damaged.
        """
        known = self._hashes.get(ruta)
        return None if known is None else self._package.find(known)

    def _read_table(self, ruta: str) -> ActaTable:
        try:
            self._work.mkdir(parents=True, exist_ok=True)
            with zipfile.ZipFile(BytesIO(self._package.read(ruta))) as inner:
                member, *_ = [
                    item
                    for item in inner.namelist()
                    if item.lower().endswith(".csv") and _CATALOGUE not in item.upper()
                ]  # a ValueError where there is none
                target = self._work / Path(member).name
                with inner.open(member) as source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy)
        except (OSError, zipfile.BadZipFile, KeyError, ValueError) as exc:
            raise damaged(self._package.archivo) from exc
        return read_actas(target)


def last_cut(workspace: Workspace, folder: Path, manifiesto: Manifest, data: bytes, *, sha256: str | None) -> Previo:
    """The package in ``folder``, the last signed cut of ``workspace``: its manifest, as read and as bytes, and the
    SHA-256 of its archive as it was signed.

    Raises:
        DiscoError: its archive is not there, or is damaged.
    """
    found = [path for path in sorted(folder.iterdir()) if path.suffix in EXTENSIONES]
    whole = [path for path in found if not path.name.endswith(CAMBIOS)]
    if len(whole) != 1:
        raise damaged(folder)
    [archive] = whole
    if archive.suffix == SIETE:
        package = _kept_zip(workspace, manifiesto, data) or _zip_again(workspace, archive, manifiesto, sha256)
    else:
        package = PreviousPackage(archive, manifiesto, sha256=sha256)
    return Previo(package, data, workspace.trabajo / CARPETA)


def keep_zip(workspace: Workspace, made: Path, manifiesto_sha256: str) -> None:
    """Keep the zip ``made`` with the contents of a cut that was signed as 7z: the next one copies from it."""
    try:
        sha256 = sha256_file(made)
        workspace.disk.make_folder(workspace.apuntes)
        workspace.disk.replace(made, workspace.apuntes / ZIP)
    except (OSError, PregonError) as exc:
        _logger.warning("sin zip para el corte que sigue, que se hará del 7z: %s", exc)
        return
    workspace.state().put(**{_CLAVE: {"manifiesto": manifiesto_sha256, "sha256": sha256}})


def _kept_zip(workspace: Workspace, manifiesto: Manifest, data: bytes) -> PreviousPackage | None:
    told = workspace.state().get(_CLAVE)
    path = workspace.apuntes / ZIP
    if told is None or told["manifiesto"] != sha256_bytes(data) or not path.is_file():
        return None
    try:
        return PreviousPackage(path, manifiesto, sha256=told["sha256"])
    except DiscoError:
        return None  # made again from what was signed


def _zip_again(workspace: Workspace, archive: Path, manifiesto: Manifest, sha256: str | None) -> PreviousPackage:
    """The zip that was kept, made of the signed 7z."""
    target = workspace.trabajo / CARPETA / ZIP
    try:
        if sha256 is not None and sha256_file(archive) != sha256:
            raise damaged(archive)
        tree = PackageTree()
        for member in members(archive):
            tree.add(member.ruta, b"".join(member.open()) if is_stored(member.ruta) else pack_stream(member.open()))
        workspace.disk.make_folder(target.parent)
        write_zip(target, tree, [one.ruta for one in tree.entries()], stamp=manifiesto.hora_corte, disk=workspace.disk)
        return PreviousPackage(target, manifiesto, sha256=sha256_file(target))
    except (OSError, ArchivoError) as exc:
        raise damaged(archive) from exc
