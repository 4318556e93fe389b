"""Writes ``tests/vectors/repositorios`` again: ``python -m tests.vectors.genera [FOLDER]``."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from tests.vectors.catalogo import Vector, catalogue
from tests.vectors.fabrica import put, sha256

HERE = Path(__file__).resolve().parent / "repositorios"
FORMATO = "pregon/vectores/1"


def generate(folder: Path) -> None:
    """Write every vector and the index in ``folder``; what was there of another time goes, but for the LEEME."""
    vectors = catalogue()
    for old in folder.iterdir() if folder.is_dir() else ():
        if old.is_dir():
            shutil.rmtree(old)
    for vector in vectors:
        write(vector, folder / vector.id)
        put(folder / root_of(vector), vector.raiz.root(1, vector.raiz.roots[0]))
    index = {"formato": FORMATO, "vectores": [entry(vector) for vector in vectors]}
    put(folder / "indice.json", (json.dumps(index, ensure_ascii=False, indent=1) + "\n").encode())


def write(vector: Vector, folder: Path) -> None:
    """The files of one vector: the repository, the earlier copy, and what is beside them."""
    vector.repo.write(folder / "repositorio")
    if vector.antes is not None:
        vector.antes.write(folder / "antes")
    vector.junto(folder)


def root_of(vector: Vector) -> str:
    """Where the root that the vector trusts lies: vectors that trust the same one share the file."""
    root = vector.raiz.root(1, vector.raiz.roots[0])
    return f"raices/{sha256(root)[:12]}.root.json"


def entry(vector: Vector) -> dict[str, str | int | None]:
    """What the index says of a vector; paths are relative to the index."""
    separate = not vector.objetivo.startswith("repositorio")
    return {
        "id": vector.id,
        "descripcion": vector.descripcion,
        "objetivo": f"{vector.id}/{vector.objetivo}",
        "raiz": root_of(vector),
        "repositorio": f"{vector.id}/repositorio" if separate else None,
        "antes": None if vector.antes is None else f"{vector.id}/antes",
        "hora": vector.hora.isoformat(),
        "codigo": vector.codigo,
        "corte": vector.corte if vector.codigo == "OK" else None,
    }


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
