"""The first inputs of each target, made from the vectors of the suite.

``python -m fuzz.siembra`` puts them in ``fuzz/trabajo``;
``python -m fuzz --guarda`` then keeps of them, and of what was found, what reaches something new.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.prep import test_dialectos
from tests.prep.muestras import Sample, row
from tests.vectors.archivos.genera import cases
from tests.vectors.genera import HERE as REPOSITORIOS

from fuzz import metadatos as metadata
from fuzz.__main__ import TRABAJO
from fuzz.limites import OBJETIVOS
from pregon.prep.candidaturas import read_catalogo
from pregon.prep.estilos import ESTILOS
from pregon.prep.reader import read_actas
from pregon.prep.writer import write_actas
from pregon.prep.writer_candidaturas import write_candidaturas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CATALOGUE = (
    "ID_ESTADO,ID_DISTRITO_LOCAL,PARTIDO_CI,CANDIDATURA_PROPIETARIA,CANDIDATURA_SUPLENTE\n"
    "4,1,SUM-PAN-PRI-PRD,Ana Núñez,Eva Ruiz\n4,1,CAND_IND_1,Luis Gómez,\n4,2,C_PT_NAP,Inés Vera,Raúl Paz\n"
)


def csv() -> Iterator[bytes]:
    """A file of actas and a catalogue in every dialect, and one file for each oddity of the years."""
    rows = [row(1), row(2, OBSERVACIONES="['Ilegible']", PAN="Ilegible", CONTABILIZADA="2"), row(3, ID_ESTADO="05")]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = read_actas(Sample(rows=rows).write(folder / "ACTAS.csv"))
        (folder / "CANDIDATURAS.csv").write_text(_CATALOGUE)
        catalogue = read_catalogo(folder / "CANDIDATURAS.csv")
        for style in (None, *ESTILOS.values()):
            yield b"".join(write_actas(table, estilo=style))
            yield b"".join(write_candidaturas(catalogue, estilo=style))
        for test, check in inspect.getmembers(test_dialectos, inspect.isfunction):
            if test.startswith("test_"):
                check(folder)
                yield (folder / "ACTAS.csv").read_bytes()


def zip() -> Iterator[bytes]:  # noqa: A001 - the name of its target
    """The hostile zips and their twins."""
    return (data for caso in cases() if caso.extension == "zip" for data in (caso.hostil, caso.gemelo))


def siete() -> Iterator[bytes]:
    """The hostile 7z and their twins."""
    return (data for caso in cases() if caso.extension == "7z" for data in (caso.hostil, caso.gemelo))


def manifiesto() -> Iterator[bytes]:
    """The manifests of the vectors, and one with everything that a manifest may say."""
    documents = {path.read_bytes() for path in sorted(REPOSITORIOS.rglob("manifiesto.json"))}
    yield from sorted(documents)
    full = json.loads(next(data for data in documents if b'"archivos": [\n' in data))
    full |= {
        "ultimo": True,
        "cierre": "anticipado",
        "proximo": "2027-06-07T03:00:00-06:00",
        "incluye_especiales": True,
        "autorizaciones": [
            {
                "codigo": "SUMA_VOTOS",
                "motivo": "Revisado «acta por acta».",
                "operador": "Eva",
                "hora": "2027-06-07T02:30:00Z",
                "contienda": "GUB",
            }
        ],
        "x-otro": [1, {"ñ": None}],
    }
    yield json.dumps(full, ensure_ascii=False).encode()


def metadatos() -> Iterator[bytes]:
    """Each document of a good repository as it is; and to be signed again, those of every vector."""
    found = [*metadata.repositorio().items()]
    found += [(str(path), path.read_bytes()) for path in sorted(REPOSITORIOS.rglob("metadata/*.json"))]
    for name, data in found:
        role = name.removesuffix(".json").rpartition("/")[2].rpartition(".")[2]
        if role in metadata.PAPELES and "metadata/" in name:
            number = metadata.PAPELES.index(role)
            if name in metadata.repositorio():
                yield bytes([number]) + data
            try:
                yield bytes([number + metadata.FIRMADO]) + json.dumps(json.loads(data)["signed"]).encode()
            except ValueError:
                continue


SEMILLAS: dict[str, Callable[[], Iterator[bytes]]] = {
    "csv": csv,
    "zip": zip,
    "siete": siete,
    "manifiesto": manifiesto,
    "metadatos": metadatos,
}


def main() -> None:
    """Write the inputs of every target, or of those named."""
    for target in sys.argv[1:] or OBJETIVOS:
        folder = TRABAJO / target
        folder.mkdir(parents=True, exist_ok=True)
        for data in SEMILLAS[target]():
            (folder / hashlib.sha1(data, usedforsecurity=False).hexdigest()).write_bytes(data)
        print(f"{target}: {sum(1 for _ in folder.iterdir()):,} entradas")


if __name__ == "__main__":
    main()
