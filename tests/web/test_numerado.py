"""Changes told by their number: who was away gets those that it misses, who cannot have them gets the whole."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pregon.web.flujo import COLA_NUMERADA, Numerado

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pregon.web.flujo import Oyente

ESPERA_S = 0.05


class Cuenta:
    """A number that grows, and whoever tells it."""

    def __init__(self, **options: int) -> None:
        self.n = 0
        self.emisor = Numerado("ab", lambda: (self.n, f"todo hasta {self.n}"), **options)  # type: ignore[arg-type]

    def sube(self, veces: int = 1, *, callando: bool = False) -> None:
        for _ in range(veces):
            self.n += 1
            self.emisor.cambia(self.n, None if callando else f"cambio {self.n}")


def corre(work: Callable[[Cuenta], Awaitable[None]], **options: int) -> None:
    async def whole() -> None:
        await work(Cuenta(**options))

    asyncio.run(whole())


async def oye(oyente: Oyente) -> list[tuple[str, str, str]]:
    """What waits for it: the event, the id and the data of each message."""
    text = (await oyente.espera(ESPERA_S)).decode()
    found = []
    for message in text.split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in message.splitlines())
        found.append((fields["event"], fields["id"], fields["data"]))
    return found


def test_who_comes_back_gets_what_it_misses_and_nothing_else() -> None:
    async def work(cuenta: Cuenta) -> None:
        cuenta.sube(5)
        assert await oye(cuenta.emisor.entra("ab.3")) == [
            ("cambio", "ab.4", "cambio 4"),
            ("cambio", "ab.5", "cambio 5"),
        ]
        assert await oye(cuenta.emisor.entra("ab.5")) == []
        assert await oye(cuenta.emisor.entra("ab.0")) == [("cambio", f"ab.{n}", f"cambio {n}") for n in range(1, 6)]
        for other in ("", "ab.6", "cd.3", "ab.-1", "ab.", "3", "ab.1e3", f"ab.{'9' * 400}"):
            assert await oye(cuenta.emisor.entra(other)) == [("entero", "ab.5", "todo hasta 5")], other

    corre(work)


def test_numbers_that_say_nothing_are_not_missed() -> None:
    async def work(cuenta: Cuenta) -> None:
        cuenta.sube(2)
        cuenta.sube(3, callando=True)
        assert await oye(cuenta.emisor.entra("ab.2")) == []
        assert await oye(cuenta.emisor.entra("ab.5")) == []
        cuenta.sube()
        assert await oye(cuenta.emisor.entra("ab.4")) == [("cambio", "ab.6", "cambio 6")]

    corre(work)


def test_what_is_not_kept_any_more_is_given_whole() -> None:
    async def work(cuenta: Cuenta) -> None:
        cuenta.sube(6)
        assert [one[1] for one in await oye(cuenta.emisor.entra("ab.3"))] == ["ab.4", "ab.5", "ab.6"]
        assert await oye(cuenta.emisor.entra("ab.2")) == [("entero", "ab.6", "todo hasta 6")]

    corre(work, guarda=3)


def test_a_page_that_does_not_read_gets_the_whole_in_place_of_what_it_lost() -> None:
    async def work(cuenta: Cuenta) -> None:
        slow = cuenta.emisor.entra()
        cuenta.sube(COLA_NUMERADA + 5)
        await asyncio.sleep(0)
        assert await oye(slow) == [("entero", f"ab.{cuenta.n}", f"todo hasta {cuenta.n}")]
        cuenta.sube()
        assert await oye(slow) == [("cambio", f"ab.{cuenta.n}", f"cambio {cuenta.n}")]

    corre(work)


def test_one_more_page_than_there_is_room_for_ends_the_first() -> None:
    async def work(cuenta: Cuenta) -> None:
        first, second = cuenta.emisor.entra(), cuenta.emisor.entra()
        third = cuenta.emisor.entra()
        await oye(first)
        assert (first.cerrado, second.cerrado, third.cerrado, cuenta.emisor.oyentes) == (True, False, False, 2)
        cuenta.emisor.cierra()
        for one in (second, third, cuenta.emisor.entra("ab.0")):
            await asyncio.sleep(0)
            await oye(one)
            assert one.cerrado

    corre(work, oyentes=2)
