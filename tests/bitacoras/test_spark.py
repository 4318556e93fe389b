"""The same log by DuckDB and by a real Spark on this machine: every measure and every register, to the unit.

It needs Java 17 and the extra «spark», and takes minutes: ``make spark``.
"""

from __future__ import annotations

import dataclasses
import gzip
import random
from typing import TYPE_CHECKING

import pytest
from bench.registros import escribe

from pregon.base.errors import AjustesError, ComprobacionError, UsoError
from pregon.bitacoras import cuenta, reparto
from pregon.bitacoras.conteo import Conteo
from pregon.bitacoras.cuenta import Corrida
from pregon.bitacoras.formatos import CADDY
from pregon.bitacoras.lectura import Fuente
from pregon.bitacoras.maestro import Maestro
from pregon.bitacoras.resumen import summarise
from pregon.bitacoras.ventanas import Ventana
from tests.bitacoras.medir import AHORA, FIREFOX, INICIO, ZONA, Peticion, combinado

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.bitacoras.contado import Contado
    from pregon.bitacoras.medidas import Medidas

pytestmark = pytest.mark.aguante

LINEAS = 220_000
CLAVE = b"n" * 32
CERO = int(INICIO.timestamp())
VENTANAS = [Ventana(0, "base", 0, CERO + 3 * 3600), Ventana(0, "eleccion", CERO + 3 * 3600, CERO + 20 * 3600)]
LOCAL = Maestro("local[2]", opciones={"spark.sql.shuffle.partitions": "4"})


def _hostiles() -> list[bytes]:
    """Lines that no server writes, or only when somebody wants it to; each a few times, with other addresses."""
    good = combinado(Peticion(ruta="/gub/")).encode()
    hour = b"07/Jun/2021:01:00:00 +0000"
    whole = [
        b"",
        b" ",
        b"-",
        b"\r",
        good + b"\r",
        good.replace(b"GET", b"GET\r"),
        good.replace(b"Firefox", b"F\x1e\x1f\x1eF"),
        good.replace(b"Firefox", b"\x01\x02\x01"),
        good.replace(b"Firefox", b"\x00\x1b[31m\x07"),
        good.replace(b"Firefox", b"\xff\xfe\xc3\x28\xe2\x82"),
        good.replace(b"Firefox", b"\xf0\x9f\x98\x80 \xed\xa0\x80"),
        good.replace(b"Firefox", "ñandú «á»".encode()),
        good.replace(b"Firefox", b"=cmd|' /C calc'!A0"),
        good.replace(b"Firefox", b'\\"x\\" --'),
        good.replace(b"Firefox", b"x" * 70_000),
        good.replace(b"/gub/", b"/" + b"a" * 1_000_000),
        good.replace(b"/gub/", b"/gub/?q='; drop table golpes; --"),
        good.replace(b"/gub/", b"/gub/\\x22"),
        good.replace(b"/gub/", b"//gub//"),
        good.replace(b"/gub/", b"https://otro.mx/gub/#x"),
        good.replace(b"/gub/", b"/datos/0007/gub/entidad.json"),
        good.replace(b"GET /gub/ HTTP/1.1", b"-"),
        good.replace(b"GET /gub/ HTTP/1.1", b"\\x16\\x03\\x01"),
        good.replace(b"GET /gub/ HTTP/1.1", b""),
        good.replace(b"HTTP/1.1", b"HTTP/3.0"),
        good.replace(b"GET", b"PROPFIND"),
        good.replace(b" 200 ", b" 2000 "),
        good.replace(b" 200 ", b" 000 "),
        good.replace(b" 200 1000", b" 404 -"),
        good.replace(b" 1000 ", b" 99999999999999999 "),
        good.replace(b" 1000 ", b" 999999999999999999 "),
        good.replace(b" 1000 ", b" -5 "),
        good.replace(b"198.51.100.7 - -", b"2001:db8::1 - maria lopez"),
        good.replace(b"198.51.100.7 - -", b"- - -"),
        good.replace(b"198.51.100.7", b""),
        good.replace(b'"-" "', b'"https://user:clave@www.x.mx:8080/a?b" "'),
        good.replace(b'"-" "', b'"javascript:alert(1)" "'),
        good + b' "extra" 0.003',
        good[:-1],
        good[1:],
        good + good,
        good.replace(FIREFOX.encode(), b"-"),
        good.replace(FIREFOX.encode(), b""),
        *(
            good.replace(hour, other)
            for other in (
                b"07/jun/2021:01:00:00 +0000",
                b"31/Feb/2021:01:00:00 +0000",
                b"07/Jun/2021:24:00:00 +0000",
                b"07/Jun/2021:01:00:00 -0500",
                b"07/Jun/2021:01:00:00 +9999",
                b"7/Jun/2021:01:00:00 +0000",
                b"07/Jun/21:01:00:00 +0000",
                b"07/Ene/2021:01:00:00 +0000",
                b"07/Jun/2021:01:00 +0000",
                b"2021-06-07 01:00:00",
            )
        ),
    ]
    return [line.replace(b"198.51.100.7", b"198.51.100.%d" % n) for n in range(3) for line in whole]


@pytest.fixture(scope="module")
def bitacora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spark")
    plain, path = folder / "llano.log", folder / "acceso.log"
    escribe(plain, LINEAS)
    lines = plain.read_bytes().split(b"\n")[:-1]
    azar = random.Random(4)
    for hostile in _hostiles():
        lines.insert(azar.randrange(len(lines)), hostile)
    half = len(lines) // 2
    path.write_bytes(b"\n".join(lines[:half]) + b"\n")
    (folder / "acceso-2.log.gz").write_bytes(gzip.compress(b"\n".join(lines[half:]), 1))
    plain.unlink()
    return folder


def _duck(folder: Path) -> tuple[Medidas, tuple[Contado, ...]]:
    counting = Conteo()
    with cuenta.open_run(Corrida(VENTANAS, clave=CLAVE, al_paso=counting.paso)) as run:
        run.take([Fuente(path) for path in sorted(folder.iterdir())])
        return summarise(run, sitios=("prep",), zona=ZONA, now=AHORA), counting.sketches(run, ("prep",))


@pytest.fixture(scope="module")
def spark(bitacora: Path) -> tuple[Medidas, tuple[Contado, ...]]:
    counting = Conteo()
    with reparto.open_run(LOCAL, Corrida(VENTANAS, clave=CLAVE, al_paso=counting.paso)) as run:
        with pytest.raises(UsoError):
            run.take([str(bitacora)], CADDY)
        with pytest.raises(ComprobacionError):
            run.take([str(bitacora / "no-esta")])
        run.take([str(bitacora)])
        return summarise(run, sitios=("prep",), zona=ZONA, now=AHORA), counting.sketches(run, ("prep",))


def test_both_engines_agree_to_the_unit(bitacora: Path, spark: tuple[Medidas, tuple[Contado, ...]]) -> None:
    (one, sketches), (two, others) = _duck(bitacora), spark
    assert (one.lineas, one.malos, one.fuera) == (two.lineas, two.malos, two.fuera)
    assert one.lineas >= LINEAS + len(_hostiles()) - 12
    assert one.malos > 40
    assert [(each.sitio, each.ventana) for each in one.medidas] == [("prep", "base"), ("prep", "eleccion")]
    for mine, theirs in zip(one.medidas, two.medidas, strict=True):
        for field in dataclasses.fields(mine):
            assert getattr(mine, field.name) == getattr(theirs, field.name), field.name
    assert [each.clave for each in sketches] == [each.clave for each in others]
    assert sketches == others


def test_a_master_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with pytest.raises(AjustesError), reparto.open_run(Maestro("no-es-un-maestro"), Corrida(VENTANAS)):
        pass
