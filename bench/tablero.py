"""``tablero``: what the board of a great night costs, from the first reading to the change on 200 open pages.

100 difusores by 144 cuts, a round each minute from two points, an acuse of each cut: made by the institute's own
writers. The pages are streams of this very process, so what reading them costs is in the figures too.
"""

from __future__ import annotations

import gzip
import statistics
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.instituto.tablero import noches
from tests.instituto.tablero.conftest import atendida
from tests.instituto.tablero.oyentes import escuchan
from tests.web.conftest import visitando

from bench.informe import Limite

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.instituto.tablero.noches import Noche

    from bench.informe import Informe

DIFUSORES, SLOTS = 100, 144
RONDA_S = 60
PAGINAS = 200
VECES = 20
QUIETO_S = 10.0
ESPERA_S = 30.0

ARRANQUE = Limite(maximo=10.0)
RETRASO = Limite(maximo=1.0)
PAGINA = Limite(maximo=150.0)
QUIETA = Limite(maximo=0.25)


def mide(informe: Informe, folder: Path) -> None:
    """Print the measure."""
    folder.mkdir(parents=True)
    night = noches.haz(folder, difusores=DIFUSORES, slots=SLOTS, cada_s=RONDA_S)
    informe.titulo(
        "tablero", f"{DIFUSORES} difusores × {SLOTS} cortes, {night.ronda:,} rondas, {PAGINAS} páginas abiertas"
    )
    started = time.perf_counter()
    with atendida(night) as attended, visitando(attended.url) as visit:
        informe.cifra("de arrancar a la noche entera", time.perf_counter() - started, ARRANQUE, unidad=" s")
        if visit.entra().status_code != 303:
            raise SystemExit("no se pudo entrar al tablero de la medida")
        for name, path in (("la página", ""), ("el JSON", "tablero.json")):
            body = visit.client.get(attended.url + path).content
            informe.cifra(f"{name}, comprimida", len(gzip.compress(body, 6)) / 1000, PAGINA, unidad=" kB")
        board = attended.tablero.lector.cuadro
        with escuchan(visit, f"/flujo?serie={board.serie}&desde={board.version}", PAGINAS) as pages:
            while attended.tablero.emisor.oyentes < PAGINAS:
                time.sleep(0.05)
            spent, at = time.process_time(), time.perf_counter()
            time.sleep(QUIETO_S)
            informe.cifra(
                "núcleo que ocupa sin novedades",
                (time.process_time() - spent) / (time.perf_counter() - at),
                QUIETA,
                decimales=3,
            )
            for name, change in _changes(night):
                lags = []
                for turn in range(VECES):
                    seen = max(len(one) for one in pages.ids())
                    change(turn)
                    written = time.monotonic()
                    lags.append(max(pages.espera(seen, ESPERA_S)) - written)
                    time.sleep(0.5)
                informe.segundos(f"de {name} a la última página", lags)
                informe.cifra(f"de {name}, la peor vez", max(lags), RETRASO, unidad=" s")
                informe.cifra(f"de {name}, mediana", statistics.median(lags), unidad=" s")


def _changes(night: Noche) -> tuple[tuple[str, Callable[[int], object]], ...]:
    """What is written: an event, and a round in which forty verdicts change."""
    state, last = night.workspace.state(), night.slots - 1

    def look(turn: int) -> object:
        letters = dict.fromkeys(range(20, 60), "R") if turn % 2 == 0 else {}
        return night.mira(night.clock.instant + timedelta(seconds=5), last, letters)  # type: ignore[arg-type]

    return (("un suceso", lambda turn: state.record("nota", texto=f"nota {turn}")), ("una ronda", look))
