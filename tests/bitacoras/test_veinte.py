"""Twenty difusores, twenty processes: the union of what they deliver against the exact count."""

from __future__ import annotations

import multiprocessing
import random
import re
from base64 import b64decode
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

import pytest

from pregon.bitacoras import entrega
from pregon.instituto.memorias import union
from pregon.trust import keys
from tests.bitacoras.hijo_conteo import trabaja
from tests.bitacoras.medir import AHORA, Peticion, escribe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.bitacoras.entrega import Entrega

pytestmark = pytest.mark.xdist_group("veinte")

DIFUSORES = 20
SEMILLAS = (11, 12, 13)
"""One night in ``make test``; the three of them in ``make aguante``."""
POBLACION = 40_000
POR_DIFUSOR = 3_000


@pytest.fixture(scope="module")
def noche(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    return _counted(tmp_path_factory.mktemp("veinte"), SEMILLAS[:1])


@pytest.fixture(scope="module")
def noches(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    return _counted(tmp_path_factory.mktemp("veinte"), SEMILLAS)


def _counted(folder: Path, seeds: Sequence[int]) -> tuple[Path, list[int]]:
    """Logs of nights at twenty difusores whose visitors overlap, those of each difusor counted by a process of its own.

    Gives the folder, and the exact number of different visitors of each night.
    """
    exact = []
    for n, seed in enumerate(seeds):
        azar = random.Random(seed)
        seen: set[int] = set()
        for numero in range(DIFUSORES):
            people = azar.sample(range(POBLACION), POR_DIFUSOR)
            seen.update(people)
            escribe(
                folder / f"{numero}-{n}.log",
                (Peticion(azar.randrange(9_000), f"10.{one >> 8}.{one & 255}.{seed}", ruta="/gub/") for one in people),
            )
        exact.append(len(seen))
    for numero in range(DIFUSORES):
        keys.save(keys.generate(str(numero)), folder)
    secrets = [bytes([seed]) * 32 for seed in seeds]
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["tests.bitacoras.hijo_conteo"])
    with ProcessPoolExecutor(2, mp_context=server, max_tasks_per_child=1) as pool:
        pids = list(pool.map(trabaja, *zip(*[(str(folder), n, secrets) for n in range(DIFUSORES)], strict=True)))
    assert len(set(pids)) == DIFUSORES
    return folder, exact


def _read(folder: Path, n: int) -> dict[str, Entrega]:
    found = {}
    for numero in range(DIFUSORES):
        one = entrega.read((folder / f"{numero}-{n}.json").read_bytes(), keys.load(folder / f"{numero}.pem").public)
        found[one.emisor.nombre] = one
    return found


def test_the_union_of_twenty_processes_is_within_two_per_cent(noche: tuple[Path, list[int]]) -> None:
    _within_two_per_cent(*noche, 0)


@pytest.mark.aguante
@pytest.mark.parametrize("n", range(len(SEMILLAS)))
def test_the_union_of_each_night_is_within_two_per_cent(n: int, noches: tuple[Path, list[int]]) -> None:
    _within_two_per_cent(*noches, n)


def _within_two_per_cent(folder: Path, exact: list[int], n: int) -> None:
    everybody = [f"difusor-{numero}/principal" for numero in range(DIFUSORES)]
    told = union.add_up(
        _read(folder, n), [*everybody, "ausente/principal"], convocatoria="x", ambiente="oficial", now=AHORA
    )
    (one,) = told["medidas"]
    for clase in ("ventana", "contienda"):
        row = next(row for row in one["visitantes"] if row["clase"] == clase)
        assert abs(row["estimado"] - exact[n]) <= 0.02 * exact[n]
        assert row["desde"] <= exact[n] <= row["hasta"]
        assert row["difusores"] == DIFUSORES
        assert row["sumados"] > 1.5 * exact[n]  # adding up would count most of them more than once
    assert one["hits"] == one["visitas"] == DIFUSORES * POR_DIFUSOR
    assert told["faltan"] == ["ausente/principal"]


def test_nothing_that_is_delivered_tells_of_an_address(noche: tuple[Path, list[int]]) -> None:
    folder, _ = noche
    address = re.compile(rb"(?<![0-9.])[0-9]{1,3}(?:[.][0-9]{1,3}){3}(?![0-9.])")
    for path in sorted(folder.glob("*.json")):
        payload = b64decode(entrega._envelope(path.read_bytes()).to_dict()["payload"])
        assert address.search(payload) is None
        assert b"Firefox/" not in payload
