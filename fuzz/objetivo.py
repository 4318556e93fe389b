"""What every target is: a function of bytes that raises only for a finding, and how its inputs are made."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pregon.base.errors import PregonError

CARPETA = "PREGON_FUZZ_CARPETA"
"""In the environment of a search: the folder in which it may write."""
_MEMORIA = Path("/dev/shm")  # noqa: S108 - only private folders are made in it


class Hallazgo(Exception):
    """A property that must hold of every input did not: what the search looks for."""


@dataclass(frozen=True)
class Objetivo:
    """One target.

    ``prueba`` takes an input and returns, or raises for a finding: ``Hallazgo``, or whatever our code let out.
    ``max_bytes``: the longest input made. ``palabras``: texts that the search may put anywhere in an input.
    ``muta``: makes an input of another one, given the most bytes, a number that decides, and libFuzzer's own mutation;
    None where libFuzzer's alone is used.
    """

    nombre: str
    prueba: Callable[[bytes], None]
    max_bytes: int
    palabras: tuple[bytes, ...] = ()
    muta: Callable[[bytes, int, int, Callable[[bytes, int], bytes]], bytes] | None = None


def rechazo(error: PregonError) -> None:
    """That a refusal is whole: the three sentences, and a stable code.

    Raises:
        Hallazgo: one of them is empty.
    """
    if not (error.que_paso and error.intacto and error.que_hacer and error.codigo):
        raise Hallazgo(f"a refusal without all its sentences: {error!r}")


@contextmanager
def carpeta() -> Iterator[Path]:
    """An empty folder; afterwards nothing is left of it.

    Within a search it always has the same name: Python keeps something of every path that it ever saw.
    """
    given = os.environ.get(CARPETA)
    found = Path(given, "entrada") if given else Path(tempfile.mkdtemp(prefix="pregon-fuzz-", dir=en_memoria()))
    found.mkdir(exist_ok=not given)
    try:
        yield found
    finally:
        shutil.rmtree(found, ignore_errors=True)


def en_memoria() -> Path | None:
    """Where private folders are made: in memory where that is possible, so that no disk is waited for."""
    return _MEMORIA if os.access(_MEMORIA, os.W_OK) else None
