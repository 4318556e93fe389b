"""A carrier that drips, or never ends, holds nothing up: the look at it ends, and what is public stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pregon.base.clock import ManualClock
from pregon.base.durable import PARCIAL
from pregon.base.hora import FixedSource
from pregon.difusor.libro import Libro
from pregon.difusor.novedades import signed_news
from pregon.difusor.publish import Publisher
from pregon.difusor.receive import Receiver
from pregon.difusor.recover import recover
from pregon.transport.local import FolderSource
from pregon.trust.ritmo import LEAST_RATE, LOOK_S, time_for
from tests.difusor.test_refusals import everything_public

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.difusor.conftest import Escena

DROP_S = 1.0


class Dripping:
    """Reads a real repository, and gives of the files that ``slow`` names a byte a second; of one, for ever."""

    def __init__(self, escena: Escena, slow: str, *, endless: bool) -> None:
        self._source = FolderSource(escena.repository.folder)
        self._clock = escena.clock
        self._slow = slow
        self._endless = endless

    def stream(self, ruta: str, *, desde: int = 0) -> Iterator[bytes] | None:
        found = self._source.stream(ruta, desde=desde)
        return found if found is None or self._slow not in ruta else self._drip(found)

    def _drip(self, found: Iterator[bytes]) -> Iterator[bytes]:
        for piece in found:
            for byte in piece:
                yield self._drop(byte)
        while self._endless:
            yield self._drop(0)

    def _drop(self, byte: int) -> bytes:
        self._clock.sleep(DROP_S)
        return bytes((byte,))


@pytest.mark.parametrize("endless", [False, True])
@pytest.mark.parametrize("slow", ["timestamp.json", "snapshot.json", "cortes.json", "manifiesto.json", ".cambios.zip"])
def test_carrier_that_drips_is_left_and_the_public_cut_stays(escena: Escena, slow: str, *, endless: bool) -> None:
    escena.cut(1)
    escena.receiver().run_once()
    before = everything_public(escena)
    escena.cut(2)
    assert isinstance(escena.clock, ManualClock)
    publisher = Publisher(escena.workspace, Libro(escena.state()), escena.disk)
    recover(publisher, escena.clock.now())
    news = signed_news(publisher, Dripping(escena, slow, endless=endless), escena.clock)
    receiver = Receiver(publisher, news, clock=escena.clock, offset=FixedSource(None))
    start = escena.clock.monotonic()
    outcome = receiver.run_once()
    assert outcome.error is not None
    assert outcome.error.codigo == "RED"
    assert escena.clock.monotonic() - start <= 2 * LOOK_S + time_for(1 << 20)
    assert outcome.decision.corte == 1
    assert everything_public(escena) == before
    # Of an archive what came is kept, under its hash, and of nothing else.
    kept = [path for path in escena.workspace.recepcion.rglob("*") if path.is_file()]
    assert [path.suffix for path in kept] == ([PARCIAL] if slow == ".cambios.zip" else [])
    assert escena.receiver().run_once().novedad == 2


def test_time_for_an_archive_grows_with_its_size() -> None:
    assert time_for(0) == LOOK_S
    assert time_for(550_000_000) == LOOK_S + 550_000_000 / LEAST_RATE
