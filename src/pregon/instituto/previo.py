"""The previous cut as the gate sees it, read from its signed package in the repository.

The workspace keeps no other copy: what was published is what ``repositorio/`` has signed.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pregon.base.errors import DiscoError
from pregon.base.hashing import sha256_bytes
from pregon.instituto.elecciones import from_code, token_of
from pregon.paquete.names import CAMBIOS
from pregon.prep.archivos import parse_zip_name
from pregon.prep.cambios import changes
from pregon.prep.reader import read_actas
from pregon.tablas.compuerta import Referencia, corrected, follows

if TYPE_CHECKING:
    from pregon.instituto.armado import Contienda
    from pregon.instituto.workspace import Workspace
    from pregon.paquete.manifest import Manifest
    from pregon.prep.model import ActaTable, Finding

CARPETA = "previo"
"""In ``trabajo/``: where the database of the previous cut is unpacked to be read."""
MAX_JSON = 64 << 20
_CATALOGUE = "CANDIDATURA"


@dataclass(frozen=True)
class Previo:
    """The package of the last signed cut: its archive and its manifest."""

    archivo: Path
    manifiesto: Manifest
    trabajo: Path

    @property
    def contiendas(self) -> frozenset[str]:
        """Ids of its contests."""
        return frozenset(from_code(code).id for code in self.manifiesto.elecciones)

    def review(self, contest: Contienda) -> tuple[Finding, ...]:
        """What of ``contest`` does not follow from this cut, and its actas that are now otherwise.

        Raises:
            DiscoError: the package is damaged or cannot be unpacked.
        """
        identifier = contest.fuente.eleccion.id
        if identifier not in self.contiendas:
            return ()
        try:
            with zipfile.ZipFile(self.archivo) as package:
                route = f"datos/{self.manifiesto.corte:04d}/{identifier}/entidad.json"
                before = Referencia.from_json(json.loads(self._content(package, route)))
                table = self._table(package, identifier)
        except (OSError, zipfile.BadZipFile, KeyError, ValueError) as exc:
            raise _damaged(self.archivo) from exc
        if table is None:
            return follows(contest.totals, before)
        return (*follows(contest.totals, before), *corrected(changes(table, contest.fuente.tabla)))

    def _content(self, package: zipfile.ZipFile, route: str) -> bytes:
        data = package.read(route)
        listed = {entry.ruta: entry.sha256 for entry in self.manifiesto.archivos}
        if len(data) > MAX_JSON or sha256_bytes(data) != listed.get(route):
            raise ValueError(f"{route} is not what was signed")
        return data

    def _table(self, package: zipfile.ZipFile, identifier: str) -> ActaTable | None:
        """The per-acta database of a contest."""
        for entry in self.manifiesto.archivos:
            name = parse_zip_name(Path(entry.ruta).name) if entry.ruta.startswith("base-de-datos/") else None
            token = None if name is None else token_of(name.resto)
            if token is None or from_code(token).id != identifier:
                continue
            self.trabajo.mkdir(parents=True, exist_ok=True)
            with package.open(entry.ruta) as file, zipfile.ZipFile(file) as inner:
                member, *_ = [
                    item
                    for item in inner.namelist()
                    if item.lower().endswith(".csv") and _CATALOGUE not in item.upper()
                ]  # a ValueError where there is none
                target = self.trabajo / Path(member).name
                with inner.open(member) as source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy)
            return read_actas(target)
        return None


def last_cut(workspace: Workspace, folder: Path, manifiesto: Manifest) -> Previo:
    """The package in ``folder``, the last signed cut of ``workspace``.

    Raises:
        DiscoError: its archive is not there.
    """
    found = [path for path in sorted(folder.glob("*.zip")) if not path.name.endswith(CAMBIOS)]
    if len(found) != 1:
        raise _damaged(folder)
    return Previo(found[0], manifiesto, workspace.trabajo / CARPETA)


def _damaged(path: Path) -> DiscoError:
    return DiscoError(
        f"No se pudo leer el paquete del corte anterior ({path}).",
        intacto="No se firmó nada; el repositorio sigue como estaba.",
        que_hacer="Recupere ese archivo de un respaldo o de un difusor, y repita la orden.",
    )
