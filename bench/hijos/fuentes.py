"""``python -m bench.hijos.fuentes CARPETA ELECCION CASILLAS``: the files of one contest at two cuts that follow."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench.noche import PRIMERO, SEMILLA, archivo, candidaturas, horas, unidades
from bench.procesos import listo
from pregon.prep.synthetic.eleccion import election


def main() -> None:
    """Write them; print how many actas are new in the second."""
    folder, code, casillas = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    listo()
    contest = election(
        code,
        casillas=casillas,
        unidades=unidades(casillas),
        cortes=horas(),
        semilla=SEMILLA,
        entidad=None,
        correcciones=True,
    )
    before: set[bytes] = set()
    changed = 0
    captured = []
    for number in (0, 1):
        path = archivo(folder, number, code)
        with path.open("wb") as file:
            for piece in contest.actas(PRIMERO + number):
                file.write(piece)
        candidaturas(folder, number, code).write_bytes(contest.candidaturas_csv())
        lines = path.read_bytes().splitlines()
        captured.append(int(lines[4].split(b",")[3]))
        changed = sum(1 for line in lines[6:] if line not in before)
        before = set(lines[6:])
    print(json.dumps({"nuevas": captured[1] - captured[0], "cambiados": changed}))


if __name__ == "__main__":
    main()
