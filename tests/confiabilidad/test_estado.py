"""What a difusor remembers, or may write, is spoiled by somebody: it starts, the same cut is public, the night goes on.

A damaged state database is set aside and made again from what is on disk besides; what is public does not depend on it.
"""

from __future__ import annotations

import random
import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pregon.difusor.historia.rescate import APARTADO
from pregon.difusor.libro import Libro
from tests.confiabilidad.noche import Noche, mata
from tests.trust.conftest import INICIO

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pregon.trust.keys import KeyRing

SEMILLA = 20270606
MINUTO = timedelta(minutes=1)


def overwritten(path: Path) -> None:
    dice = random.Random(SEMILLA)
    data = bytearray(path.read_bytes())
    for _ in range(40):
        at = dice.randrange(0, len(data) - 64)
        data[at : at + 64] = dice.randbytes(64)
    path.write_bytes(data)


def truncated(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2 + 100])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def garbage(path: Path) -> None:
    path.write_bytes(random.Random(SEMILLA).randbytes(path.stat().st_size))


def gone(path: Path) -> None:
    path.unlink()


DANOS = [overwritten, gone, *(pytest.param(each, marks=pytest.mark.aguante) for each in (truncated, empty, garbage))]


@pytest.mark.parametrize("spoil", DANOS)
def test_damaged_state_database(noche: Noche, spoil: Callable[[Path], None]) -> None:
    for _ in range(2):
        noche.corte()
        noche.escena.receiver().run_once()
    noche.juez.espera = False
    state = noche.workspace.estado
    spoil(state)
    before = state.read_bytes() if state.exists() else None
    assert noche.una_vez() == 0
    # The same cut is public, everything accepted is known, and the damaged one is kept as evidence and told.
    assert (noche.publico(), noche.sana()) == (2, [])
    libro = Libro(noche.workspace.open_state(noche.escena.clock))
    assert [cut.corte for cut in libro.cortes()] == [1, 2]
    assert libro.publicado == 2
    if before is not None:
        assert before in [path.read_bytes() for path in noche.carpeta.glob(f"{state.name}{APARTADO}*")]
    assert "estado_apartado" in {event.tipo for event in noche.workspace.open_state(noche.escena.clock).events()}
    noche.corte()
    assert noche.una_vez() == 0
    assert (noche.publico(), noche.sana()) == (3, [])


def test_damaged_journal_of_the_state_database(noche: Noche) -> None:
    """Only what SQLite keeps beside it, and has not yet put in its place: a process died, and somebody spoiled it."""
    with noche.operando() as process:
        noche.espera_corte(noche.corte(), process)
        reader = sqlite3.connect(noche.workspace.estado)
        reader.execute("SELECT * FROM valor").fetchall()  # While somebody reads, the journal stays.
        noche.espera_corte(noche.corte(), process)
        mata(process)
        wal = noche.workspace.estado.with_name("estado.sqlite-wal")
        kept = wal.read_bytes()
        reader.close()
    assert len(kept) > 0
    wal.write_bytes(random.Random(SEMILLA).randbytes(len(kept)))
    noche.juez.espera = False
    assert noche.una_vez() == 0
    assert (noche.publico(), noche.sana()) == (2, [])
    noche.corte()
    assert noche.una_vez() == 0
    assert (noche.publico(), noche.sana()) == (3, [])


def test_state_database_lost_before_the_start_opens_nothing(tmp_path: Path, ring: KeyRing) -> None:
    """Without its memory a difusor is as on the first day: the cut is there and verified, and nothing of it is seen."""
    noche = Noche(tmp_path / "noche", ring, reloj='fuente = "ninguna"', ahora=INICIO)
    noche.corte(firmado=INICIO - 60 * MINUTO, permite=False)
    assert noche.una_vez() == 0
    assert (noche.publico(), noche.sana()) == (None, [])
    garbage(noche.workspace.estado)
    assert noche.una_vez() == 0
    assert (noche.publico(), noche.sana()) == (None, [])
    noche.juez.permite(1)
    noche.escena.repository.resign_timestamp(now=INICIO, expires=INICIO + 600 * MINUTO)
    assert noche.una_vez() == 0
    assert (noche.publico(), noche.sana()) == (1, [])


def test_little_memory_refuses_a_cut_and_nothing_else(noche: Noche) -> None:
    """A pass that is given too little memory ends, or dies; the next one that has it publishes."""
    noche.corte()
    assert noche.una_vez() == 0
    noche.juez.espera = False
    noche.corte({"datos/0002/grande.csv": b"a,b,c\n" * 2_000_000})
    failed = 0
    for mib in (60, 90, 120, 150):
        failed += noche.una_vez("prlimit", f"--as={mib << 20}") != 0
        assert noche.sana() == []
        if noche.publico() == 2:
            break
    assert failed > 0
    assert noche.una_vez() == 0
    assert (noche.publico(), noche.sana()) == (2, [])
