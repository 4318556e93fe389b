"""The process that searches in one target: ``python -m fuzz.hijo TARGET [libFuzzer's options] FOLDER...``.

Only Pregón's modules are instrumented: what guides the search is how far an input gets in them. The limits of this
process are what makes a leak a finding: of memory, of descriptors.
"""

from __future__ import annotations

import importlib
import logging
import os
import resource
import sys
from typing import TYPE_CHECKING

from fuzz.limites import DESCRIPTORES, ESPACIO_MB, OBJETIVOS

if TYPE_CHECKING:
    from fuzz.objetivo import Objetivo

LANZADOR = "PREGON_FUZZ_LANZADOR"
"""In the environment: the program that starts this module again, which libFuzzer needs to merge corpora."""
_MIB = 1 << 20


def main() -> None:
    """Search until libFuzzer's options say that it is enough. It ends the process itself."""
    import atheris

    name, *options = sys.argv[1:]
    if name not in OBJETIVOS:
        raise SystemExit(f"no es un objetivo: {name}")
    with atheris.instrument_imports(include=["pregon"]):
        target: Objetivo = importlib.import_module(f"fuzz.{name}").OBJETIVO
    logging.disable()
    target.prueba(b"")  # what is made once is made before the limits
    resource.setrlimit(resource.RLIMIT_AS, (ESPACIO_MB * _MIB, ESPACIO_MB * _MIB))
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORES, DESCRIPTORES))
    arguments = [os.environ.get(LANZADOR, sys.argv[0]), *options]
    if target.muta is None:
        atheris.Setup(arguments, target.prueba)
    else:
        muta = target.muta

        def mutator(data: bytes, most: int, seed: int) -> bytes:
            return muta(data, most, seed, atheris.Mutate)

        atheris.Setup(arguments, target.prueba, custom_mutator=mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
