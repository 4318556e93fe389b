"""Reads every archive of a folder in one process and says what came of it, and how much memory it ever took.

``python -m tests.paquete.hijo_hostiles FOLDER INDEX STAGING`` prints JSON; with one archive alone, it reads that one. A
process of its own, so that its peak of memory is that of reading archives and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pregon.base.durable import Disk
from pregon.base.errors import PregonError
from pregon.difusor.objects import ObjectStore
from pregon.difusor.unpack import unpack
from pregon.paquete.manifest import FileEntry, Manifest
from pregon.paquete.reading import members

HORA = datetime(2027, 6, 6, 20, 40, tzinfo=UTC)


def manifest_of(content: dict[str, dict[str, Any]]) -> Manifest:
    """A manifest that lists exactly ``content``."""
    return Manifest(
        convocatoria="demo", instituto="iedemo", ambiente="simulacro", elecciones=("GUB",), corte=1, hora_corte=HORA,
        generado=HORA, ultimo=False, cierre=None, proximo=None, anterior=None, incluye_especiales=False,
        autorizaciones=(),
        archivos=tuple(FileEntry(ruta, file["bytes"], file["sha256"]) for ruta, file in sorted(content.items())),
    )  # fmt: skip


def read(archive: Path) -> dict[str, Any]:
    """The code of the refusal, or the SHA-256 of what came out."""
    try:
        return {"contenido": {m.ruta: hashlib.sha256(b"".join(m.open())).hexdigest() for m in members(archive)}}
    except PregonError as exc:
        return {"codigo": exc.codigo, "salida": exc.salida, "completo": bool(exc.intacto and exc.que_hacer)}


def store(archive: Path, content: dict[str, dict[str, Any]], staging: Path) -> dict[str, Any]:
    """The same through ``unpack``, into an empty store; what is in it afterwards, by its hash."""
    staging.mkdir()
    objects = ObjectStore(staging, Disk())
    try:
        unpack(archive, manifest_of(content), objects)
        code = None
    except PregonError as exc:
        code = exc.codigo
    left = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in staging.rglob("*") if p.is_file()}
    return {"codigo": code, "quedan": left}


def peak_kib() -> int:
    """The most resident memory of this process so far (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def main() -> None:
    """Everything of the index; or one archive, all of whose members are read."""
    if len(sys.argv) == 2:
        pieces = (piece for member in members(Path(sys.argv[1])) for piece in member.open())
        json.dump({"bytes": sum(len(piece) for piece in pieces), "pico_kib": peak_kib()}, sys.stdout)
        return
    folder, index, staging = (Path(argument) for argument in sys.argv[1:])
    found: dict[str, Any] = {"antes_kib": peak_kib()}
    for vector in json.loads(index.read_text())["vectores"]:
        content = vector["gemelo"]["contenido"]
        for kind, name in (("hostil", vector["archivo"]), ("gemelo", vector["gemelo"]["archivo"])):
            place = staging / f"{vector['id']}-{kind}"
            found[f"{vector['id']}/{kind}"] = {
                "lee": read(folder / name),
                "guarda": store(folder / name, content, place),
            }
    found["pico_kib"] = peak_kib()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
