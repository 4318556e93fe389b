"""What logs do not know: places, from a real MMDB file; freshness and availability, from our own events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from pregon.base.errors import EntradaError
from pregon.bitacoras.lugares import open_places
from pregon.bitacoras.sucesos import Caida, Publicacion, availability, freshness
from tests.bitacoras.medir import GOOGLEBOT, Peticion, cuentas, escribe, mide, una

if TYPE_CHECKING:
    from pathlib import Path

NOCHE = datetime(2021, 6, 7, 1, 0, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return NOCHE + timedelta(minutes=minutes)


@pytest.fixture
def mmdb(tmp_path: Path) -> Path:
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Prueba-City")
    mexico = {"iso_code": "MX", "names": {"en": "Mexico", "es": "México"}}
    region = [{"iso_code": "GRO", "names": {"en": "Guerrero"}}]
    writer.insert_network(IPSet(["198.51.100.0/25"]), {"country": mexico, "subdivisions": region})
    writer.insert_network(IPSet(["2001:db8::/32"]), {"country": mexico})
    writer.insert_network(IPSet(["203.0.113.0/24"]), {"country": {"iso_code": "US"}})
    path = tmp_path / "lugares.mmdb"
    writer.to_db_file(str(path))
    return path


def test_visits_are_told_by_place_and_programs_and_strangers_are_not(mmdb: Path, tmp_path: Path) -> None:
    some = [
        *(Peticion(direccion=f"198.51.100.{n}") for n in range(4)),
        Peticion(4000, direccion="198.51.100.1"),
        Peticion(direccion="2001:db8::9"),
        Peticion(direccion="203.0.113.5"),
        Peticion(direccion="198.51.100.200"),  # in no network of the file
        Peticion(direccion="no-es-una-dirección"),
        Peticion(direccion="203.0.113.6", agente=GOOGLEBOT),
        Peticion(direccion="203.0.113.7", ruta="/sin-pagina.css"),
    ]
    with open_places(mmdb) as places:
        one = una(mide(escribe(tmp_path / "a", some), lugar_de=places))
    assert cuentas(one.lugares) == {"México, Guerrero": 5, "México": 1, "US": 1}
    assert one.visitas == 9


def test_a_file_of_places_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lugares.mmdb"
    path.write_bytes(b"nada")
    for wrong in (path, tmp_path / "no-esta.mmdb"):
        with pytest.raises(EntradaError, match="lugares"), open_places(wrong):
            pass


def test_freshness_counts_each_cut_once_from_its_hour_to_the_first_time_it_was_public() -> None:
    cuts = [Publicacion(n, after(20 * n), after(20 * n) + timedelta(seconds=n)) for n in range(1, 21)]
    again = Publicacion(3, after(60), after(600))  # a restart shows cut 3 again
    found = freshness([again, *reversed(cuts)])
    assert found is not None
    assert (found.cortes, found.mediana_s, found.p95_s, found.peor_s, found.peor_corte) == (20, 10, 19, 20, 20)
    assert freshness([]) is None


def test_stretches_down_are_cut_to_the_window_and_those_that_touch_count_once() -> None:
    down = [
        Caida(after(-10), after(6)),  # began before
        Caida(after(30), after(40)),
        Caida(after(35), after(42)),  # within and beyond the one before
        Caida(after(42), after(43)),  # touches it
        Caida(after(95), after(200)),
        Caida(after(300), after(301)),
    ]
    found = availability(NOCHE, after(100), list(reversed(down)))
    assert (found.segundos, found.caido_s, found.caidas) == (6000, (6 + 13 + 5) * 60, 3)
    assert found.por_cien_mil == 76_000
    assert availability(NOCHE, after(100), []).por_cien_mil == 100_000
