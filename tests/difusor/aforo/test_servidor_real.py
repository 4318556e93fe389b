"""What the analysis supposes of the embedded server is no more than what a real one gives, over TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.aforo import carga

from pregon.difusor.aforo.ajustes import Red, Servidor
from pregon.difusor.aforo.capacidad import por_nucleo

if TYPE_CHECKING:
    from pathlib import Path


def test_a_real_caddy_gives_what_is_counted_on(fast: Path) -> None:
    found = carga(fast / "carga", 1)
    assert found.por_procesador >= por_nucleo(Servidor())
    assert 100 < found.encabezados <= Red().cabeceras_bytes
