"""Target «manifiesto»: ``manifiesto.json`` from outside. An input is refused as ours (ARCHIVO_*), or

1. its paths are admitted, none twice, and its instants have an hour in UTC;
2. written and read again it is the same manifest, to the second, and its bytes no longer change;
3. the list of files written beside it is what any JSON reader finds in it.
"""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC
from typing import TYPE_CHECKING

from fuzz.json_mutado import muta
from fuzz.objetivo import Hallazgo, Objetivo, rechazo
from pregon.base.errors import ArchivoError
from pregon.paquete.manifest import Manifest, parse_manifest
from pregon.paquete.names import check_path

if TYPE_CHECKING:
    from datetime import datetime


def prueba(data: bytes) -> None:
    """One input, read as a manifest."""
    try:
        manifest = parse_manifest(data)
    except ArchivoError as exc:
        rechazo(exc)
        return
    rutas = [check_path(entry.ruta) for entry in manifest.archivos]
    if len({*rutas}) != len(rutas):
        raise Hallazgo("a path twice")
    for instant in (manifest.hora_corte, manifest.generado, *(item.hora for item in manifest.autorizaciones)):
        if instant.utcoffset() is None:
            raise Hallazgo("an instant without offset")
        instant.astimezone(UTC)
    written = manifest.to_bytes()
    again = parse_manifest(written)
    if again != _to_the_second(manifest) or again.to_bytes() != written:
        raise Hallazgo("written and read again it is another manifest")
    listed = [(item["ruta"], item["bytes"], item["sha256"]) for item in json.loads(written)["archivos"]]
    if listed != [(entry.ruta, entry.bytes, entry.sha256) for entry in manifest.archivos]:
        raise Hallazgo("the list of files that is written is another")


def _to_the_second(manifest: Manifest) -> Manifest:
    def whole(instant: datetime) -> datetime:
        return instant.replace(microsecond=0)

    return dataclasses.replace(
        manifest,
        hora_corte=whole(manifest.hora_corte),
        generado=whole(manifest.generado),
        proximo=None if manifest.proximo is None else whole(manifest.proximo),
        autorizaciones=tuple(dataclasses.replace(item, hora=whole(item.hora)) for item in manifest.autorizaciones),
    )


_KEYS = (
    *("formato", "convocatoria", "instituto", "ambiente", "elecciones", "corte", "hora_corte", "generado"),
    *("ultimo", "cierre", "proximo", "anterior", "incluye_especiales", "autorizaciones", "archivos", "ruta"),
    *("bytes", "sha256", "codigo", "motivo", "operador", "hora", "contienda"),
)
OBJETIVO = Objetivo(
    nombre="manifiesto",
    prueba=prueba,
    max_bytes=16 << 10,
    muta=muta,
    palabras=(
        *(f'"{key}": '.encode() for key in _KEYS),
        *(
            b"null",
            b"true",
            b"false",
            b"NaN",
            b"1e5",
            b"-0",
            b"\\ud800",
            b"\\u0000",
            b"[[[[",
            b'{"":',
            b"../",
            b"+23:59",
        ),
    ),
)
