"""Writes the hostile archives and their twins to a folder: ``python -m tests.vectors.archivos.genera FOLDER``.

Without a folder it writes ``indice.json`` beside this file, and no archive.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pregon.paquete.reading import members
from tests.vectors.archivos import casos_7z, casos_zip

if TYPE_CHECKING:
    from tests.vectors.archivos.caso import Caso

FORMATO = "pregon/vectores-archivos/1"
INDICE = Path(__file__).with_name("indice.json")


def cases() -> list[Caso]:
    """The whole catalogue, in the order of the index."""
    return [*casos_zip.cases(), *casos_7z.cases()]


def write(folder: Path) -> None:
    """Write ``hostiles/`` and ``gemelos/`` under ``folder``."""
    for name in ("hostiles", "gemelos"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for caso in cases():
        name = f"{caso.id}.{caso.extension}"
        (folder / "hostiles" / name).write_bytes(caso.hostil)
        (folder / "gemelos" / name).write_bytes(caso.gemelo)


def index(folder: Path) -> dict[str, Any]:
    """The index of what ``write`` left in ``folder``."""
    vectors = []
    for caso in cases():
        name = f"{caso.id}.{caso.extension}"
        content = {}
        for member in members(folder / "gemelos" / name):
            data = b"".join(member.open())
            content[member.ruta] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        vectors.append(
            {
                "id": caso.id,
                "archivo": f"hostiles/{name}",
                "bytes": len(caso.hostil),
                "sha256": hashlib.sha256(caso.hostil).hexdigest(),
                "que": caso.que,
                "codigo": caso.codigo,
                "gemelo": {
                    "archivo": f"gemelos/{name}",
                    "bytes": len(caso.gemelo),
                    "sha256": hashlib.sha256(caso.gemelo).hexdigest(),
                    "contenido": content,
                },
            }
        )
    return {"formato": FORMATO, "vectores": vectors}


def to_text(document: dict[str, Any]) -> str:
    """The index as it is kept."""
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def main(arguments: list[str]) -> None:
    """Write the archives and their index to the folder given, or the index alone."""
    if arguments:
        write(Path(arguments[0]))
        Path(arguments[0], "indice.json").write_text(to_text(index(Path(arguments[0]))))
        return
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        INDICE.write_text(to_text(index(Path(folder))))


if __name__ == "__main__":
    main(sys.argv[1:])
