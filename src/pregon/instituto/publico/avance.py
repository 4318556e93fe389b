"""How the capture advanced, cut by cut: read from the newest signed package, which tells the whole night.

Each package has in ``datos/<corte>/<contienda>/noche.json`` what every cut so far said of that contest, so one package
is enough; each content is checked against the signed manifest before it is believed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pregon.base.errors import ArchivoError, DiscoError
from pregon.base.hashing import sha256_bytes
from pregon.instituto.noche import ARCHIVO, Noche
from pregon.instituto.publico.modelo import Actas, Contienda
from pregon.paquete.anterior import PreviousPackage
from pregon.paquete.manifest import parse_manifest
from pregon.paquete.names import CAMBIOS, SIETE
from pregon.paquete.reading import EXTENSIONES, members

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pregon.instituto.opera.programa import Corte
    from pregon.instituto.workspace import Workspace
    from pregon.paquete.manifest import Manifest

CORTE = "corte.json"


@dataclass(frozen=True)
class Avance:
    """The contests of the newest cut, and what each cut counts of each: ``actas[corte][contienda]``."""

    contiendas: tuple[Contienda, ...] = ()
    actas: Mapping[int, dict[str, Actas]] | None = None

    def de(self, corte: int) -> dict[str, Actas]:
        """What one cut counts; empty where its package did not tell."""
        return (self.actas or {}).get(corte, {})


def lee(workspace: Workspace, corte: Corte) -> Avance:
    """What the package of ``corte`` tells of the night until it.

    Raises:
        DiscoError: the package is not there, or is not the signed one.
    """
    folder = workspace.repositorio / "targets" / "cortes" / f"{corte.corte:04d}"
    try:
        data = (folder / "manifiesto.json").read_bytes()
        if sha256_bytes(data) != corte.manifiesto_sha256:
            raise _damaged(folder)
        manifest = parse_manifest(data)
        found = _contents(folder, manifest)
        return _read(json.loads(found[CORTE]), found, corte.corte)
    except (OSError, KeyError, TypeError, ValueError, ArchivoError) as exc:
        raise _damaged(folder) from exc


def _read(cut: Any, found: Mapping[str, bytes], corte: int) -> Avance:
    contests = tuple(Contienda(str(one["id"]), str(one["titulo"])) for one in cut["contiendas"])
    actas: dict[int, dict[str, Actas]] = {}
    for contest in contests:
        night = found.get(f"datos/{corte:04d}/{contest.id}/{ARCHIVO}")
        if night is not None:
            for entry in Noche.from_json(json.loads(night)).cortes:
                counted = Actas(entry.esperadas, entry.capturadas, entry.contabilizadas)
                actas.setdefault(entry.corte, {})[contest.id] = counted
    return Avance(contests, actas)


def _contents(folder: Path, manifest: Manifest) -> dict[str, bytes]:
    """``corte.json`` and the night of each contest, as the manifest signs them."""
    known = {one.ruta: one for one in manifest.archivos if one.ruta == CORTE or one.ruta.endswith(f"/{ARCHIVO}")}
    [archive] = [path for path in folder.iterdir() if path.suffix in EXTENSIONES and not path.name.endswith(CAMBIOS)]
    if archive.suffix != SIETE:
        with PreviousPackage(archive, manifest) as package:
            return {ruta: package.read(ruta) for ruta in known}
    found = {}
    for member in members(archive):
        entry = known.get(member.ruta)
        if entry is not None:
            data = b"".join(member.open())
            if sha256_bytes(data) != entry.sha256:
                raise ValueError(member.ruta)
            found[member.ruta] = data
    return found


def _damaged(folder: Path) -> DiscoError:
    return DiscoError(
        f"No se pudo leer el paquete firmado de {folder}.",
        intacto="Las páginas públicas siguen como estaban.",
        que_hacer="Recupere esa carpeta: pregon instituto recupera.",
    )
