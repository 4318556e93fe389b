"""Many switches of a bucket behind a real Varnish while others read: no page ever has data of another cut."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base import procesos
from tests.difusor.nube.lectores_borde import CODIFICACIONES, Lector, Tally
from tests.difusor.nube.orilla import PAGINAS, Orilla, arbol, datos, publicas

if TYPE_CHECKING:
    from tests.difusor.conftest import Escena

pytestmark = pytest.mark.xdist_group("nube")

CAMBIOS = 16
CAMBIOS_AGUANTE = 1000
LEE = [*PAGINAS, "corte.json", "contacto.txt"]
PAUSA_S = 0.04
"""Between two pages of one reader: six that never rest would leave the others little of the machine."""
VISTOS = 0.25
"""Part of the cuts that each kind of reader must have seen of each page, at least: else they read too little."""
TARDES = 0.03
"""Part of the data, at most, that a reader may ask for too late, because the machine was busy with something else."""


def test_switches_while_clients_read_through_varnish(escena: Escena, tmp_path: Path) -> None:
    """INE-II-a: each cut signed, received, uploaded, purged and asked for, with readers of three encodings."""
    _switch(escena, tmp_path, CAMBIOS)


@pytest.mark.aguante
def test_thousand_switches_while_clients_read_through_varnish(escena: Escena, tmp_path: Path) -> None:
    _switch(escena, tmp_path, CAMBIOS_AGUANTE)


def _switch(escena: Escena, folder: Path, number: int) -> None:
    rutas: dict[str, set[str]] = {}
    for corte in range(1, number + 2):
        for ruta, sha256 in publicas(corte).items():
            rutas.setdefault(ruta, set()).add(sha256)
    with Orilla(escena, folder / "orilla") as orilla:
        orilla.corta()
        order = {
            "url": orilla.url,
            "rutas": {ruta: sorted(known) for ruta, known in rutas.items()},
            "paginas": LEE,
            "origen": orilla.origen,
            "visibles": escena.workspace.convocatoria.cortes_visibles,
            "pausa_s": PAUSA_S,
            "alto": str(folder / "alto"),
            "salida": str(folder / "salida.json"),
        }
        (folder / "orden.json").write_text(json.dumps(order))
        with procesos.running(
            [sys.executable, "-m", "tests.difusor.nube.lectores_borde", folder / "orden.json"],
            output=folder / "lectores.out",
            folder=Path(__file__).resolve().parents[3],
        ) as readers:
            procesos.wait_until((folder / "orden.json.lee").exists, readers, timeout=20, what="lectores")
            began = time.monotonic()
            for _ in range(number):
                orilla.corta()
            took = time.monotonic() - began
            (folder / "alto").touch()
            assert readers.wait(30) == 0, readers.tail()
        _a_mixed_page_is_noticed(orilla, order)
        _data_gone_too_soon_are_noticed(orilla, order)
    _judge(json.loads((folder / "salida.json").read_bytes()), number, took)


def _a_mixed_page_is_noticed(orilla: Orilla, order: dict[str, Any]) -> None:
    """The same reader says so when somebody puts there a cover of this cut with data of the one before."""
    corte = orilla.corte
    page = arbol(corte)["index.html"]
    mixed = page.replace(b'"datos/%04d/' % corte, b'"datos/%04d/' % (corte - 1))
    orilla.pon("index.html", mixed)
    tally = Tally()
    plan = {**order, "rutas": {**order["rutas"], "": [hashlib.sha256(mixed).hexdigest()]}}
    _reads(plan, tally)
    assert len(tally.errores) == 1
    assert f"of cut {corte} names datos/{corte - 1:04d}/" in tally.errores[0]


def _data_gone_too_soon_are_noticed(orilla: Orilla, order: dict[str, Any]) -> None:
    """Data that an open page may still ask for are missed; those of the cut before them are gone as they must be."""
    oldest, tally = orilla.corte + 1 - order["visibles"], Tally()
    for corte, there, errors, late in ((oldest, True, 0, 0), (oldest - 1, False, 0, 1), (oldest, False, 1, 0)):
        orilla.pon("index.html", arbol(corte)["index.html"])
        if not there:
            orilla.quita(datos(corte)["entidad"])  # the edge may have kept what the bucket has no more
        tally = Tally()
        _reads(order, tally)
        assert (len(tally.errores), tally.tarde) == (errors, late), tally.errores
    assert f"is gone when the origin shows {orilla.corte}" in tally.errores[0]


def _reads(order: dict[str, Any], tally: Tally) -> None:
    """One reader asks for the cover and what it names."""
    reader = Lector(order, tally, codificacion="gzip", condicional=False)
    reader.visita("")
    reader.cierra()


def _judge(found: dict[str, Any], number: int, took: float) -> None:
    assert found["errores"] == []
    assert found["atras"] == [], "nobody was shown an older cut after a newer one"
    assert found["estados"].keys() - {"404"} == {"200", "304"}
    assert found["estados"].get("404", 0) == found["tarde"]
    asked = f"{found['respuestas']} answers in {took:.1f} s: {found['paginas']} pages, {found['datos']} data"
    asked += f", {found['tarde']} of them too late"
    print(asked)
    assert found["tarde"] <= TARDES * found["datos"], asked
    assert found["datos"] > 3 * number, asked
    assert found["sin_cambio"] > number, asked
    # One ETag, one content, in each encoding.
    assert {key: value for key, value in found["etags"].items() if len(value) != 1} == {}
    for encoding in CODIFICACIONES:
        for ruta in (*PAGINAS, "corte.json"):
            seen = found["vistos"][f"{encoding} {ruta}"]
            assert len(seen) > VISTOS * number, f"{encoding} «{ruta}»: {len(seen)} of {number + 1} cuts"
