"""The same log counted by others: awk, written apart from Pregón, and GoAccess. And in any order or kind of file."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import random
import subprocess
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from backports import zstd
from bench.registros import escribe as inventa

from pregon.base.errors import EntradaError
from pregon.bitacoras.lectura import Fuente
from pregon.bitacoras.robots import Registro
from tests.bitacoras.medir import FORMATOS, Peticion, escribe, mide, una

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pregon.bitacoras.medidas import Medidas

pytestmark = pytest.mark.xdist_group("bitacoras")
LINEAS = 30_000
EMPACA: tuple[Callable[[bytes], bytes], ...] = (gzip.compress, bz2.compress, lzma.compress, zstd.compress)

AWK = r"""
BEGIN { FS = "\"" }
{
  split($1, cabeza, " "); split($2, pedido, " "); split($3, medio, " ")
  estado = medio[1]; bytes = medio[2] == "-" ? 0 : medio[2]; ruta = pedido[2]; sub(/\?.*/, "", ruta)
  split(cabeza[4], hora, ":")
  print "hits", "todo", 1, bytes
  print "estado", estado, 1, bytes
  print "minuto", hora[2] ":" hora[3] "/" substr(cabeza[4], 2, 2), 1, bytes
  if (match(ruta, /^\/datos\/[0-9][0-9][0-9][0-9]\/[a-z]+\//)) {
    split(ruta, partes, "/"); print "corte", partes[3] "/" partes[4], 1, bytes
  }
  robot = $6 ~ /[Bb]ot|facebookexternalhit|curl/
  if (robot) print "robots", "todo", 1, bytes
  n = split(ruta, trozos, "/")
  if (!robot && estado ~ /^(200|304)$/ && pedido[1] == "GET" && trozos[n] !~ /\./) {
    print "paginas", "todo", 1, 0
    print "visitantes", cabeza[1] "\t" $6, 1, 0
  }
}
"""
"""One line for each thing that counts: what, which, how many, bytes."""


@pytest.fixture(scope="module")
def registro(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("registro") / "acceso.log"
    inventa(path, LINEAS)
    return path


@pytest.fixture(scope="module")
def medidas(registro: Path) -> Medidas:
    return mide(registro)


@pytest.fixture(scope="module")
def de_awk(registro: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, tuple[int, int]]]:
    """What awk and sort say, added up: kind, which, (hits, bytes)."""
    program = tmp_path_factory.mktemp("awk") / "cuenta.awk"
    program.write_text(AWK)
    text = subprocess.run(
        ["awk", "-f", program, registro], capture_output=True, text=True, check=True, timeout=60, env={"LC_ALL": "C"}
    ).stdout
    sums: dict[str, dict[str, tuple[int, int]]] = defaultdict(lambda: defaultdict(lambda: (0, 0)))
    for row in text.splitlines():
        what, rest = row.split(" ", 1)
        which, hits, size = rest.rsplit(" ", 2)
        before = sums[what][which]
        sums[what][which] = (before[0] + int(hits), before[1] + int(size))
    return sums


def test_totals_equal_an_independent_awk_count(medidas: Medidas, de_awk: dict[str, dict[str, tuple[int, int]]]) -> None:
    one = una(medidas)
    assert medidas.malos == 0
    assert (one.hits, one.bytes) == de_awk["hits"]["todo"]
    assert one.hits == LINEAS
    assert {row.nombre: (row.hits, row.bytes) for row in one.estados} == de_awk["estado"]
    assert {f"{row.corte:04d}/{row.contienda}": (row.hits, row.bytes) for row in one.por_corte} == de_awk["corte"]
    minutes = {f"{_hour(row.desde)}": (row.hits, row.bytes) for row in one.por_minuto}
    assert minutes == de_awk["minuto"]
    assert one.hits_robots == de_awk["robots"]["todo"][0]
    assert one.paginas == de_awk["paginas"]["todo"][0]
    assert one.visitantes == len(de_awk["visitantes"])
    assert sum(row.paginas for row in one.por_dia) == one.paginas
    assert sum(row.visitas for row in one.por_dia) == one.visitas


def _hour(desde: int) -> str:
    minute = desde // 60
    return f"{minute // 60 % 24:02d}:{minute % 60:02d}/{7 + (desde - 1623024000) // 86400:02d}"


def test_hits_bytes_and_statuses_equal_those_of_goaccess(registro: Path, medidas: Medidas, tmp_path: Path) -> None:
    out = tmp_path / "goaccess.json"
    command = ["goaccess", registro, "--log-format=COMBINED", "--no-global-config", "-o", out]
    subprocess.run([*map(str, command)], check=True, timeout=120, capture_output=True)
    told = json.loads(out.read_bytes())
    one = una(medidas)
    general = told["general"]
    assert (general["valid_requests"], general["failed_requests"]) == (one.hits, medidas.malos)
    assert general["bandwidth"] == one.bytes
    statuses = {
        row["data"].split()[0]: (row["hits"]["count"], row["bytes"]["count"])
        for family in told["status_codes"]["data"]
        for row in family["items"]
    }
    assert statuses == {row.nombre: (row.hits, row.bytes) for row in one.estados}
    days = {row["data"]: row["hits"]["count"] for row in told["visitors"]["data"]}
    assert sum(days.values()) == one.hits


def test_order_pieces_files_and_compression_change_nothing(registro: Path, medidas: Medidas, tmp_path: Path) -> None:
    lines = registro.read_bytes().splitlines(keepends=True)
    random.Random(3).shuffle(lines)
    fifth = len(lines) // 5
    parts = [b"".join(lines[at : at + fifth]) for at in range(0, len(lines), fifth)]
    packers = (*EMPACA, bytes)
    paths = []
    for place, (part, pack) in enumerate(zip(parts, packers, strict=True)):
        path = tmp_path / f"acceso.{place}"
        half = len(part) // 2
        # Of two members each, as a server that goes on in the same file leaves it.
        path.write_bytes(pack(part[:half]) + pack(part[half:]))
        paths.append(path)
    again = mide(*paths, pieza=1 << 20)
    assert una(again) == una(medidas)
    assert [one.lineas for one in again.archivos] == [fifth] * 5
    assert again.malos == 0


def test_a_damaged_file_is_read_as_far_as_it_goes_and_told(tmp_path: Path) -> None:
    whole = escribe(tmp_path / "a", [Peticion(second, ruta=f"/{second}/") for second in range(5000)]).read_bytes()
    for pack in EMPACA:
        cut = tmp_path / "cortado"
        cut.write_bytes(pack(whole) + pack(whole)[:-500])
        found = mide(cut)
        assert 5000 <= una(found).hits < 10_000
        assert found.archivos[0].incompleta
        assert found.archivos[0].lineas == una(found).hits + found.malos
        cut.write_bytes(pack(whole)[:-1] + b"basura" * 99)
        assert mide(cut).archivos[0].incompleta
    with pytest.raises(EntradaError, match="no-esta"):
        mide(tmp_path / "no-esta.log")


def test_files_of_several_formats_and_sites_are_counted_apart(tmp_path: Path) -> None:
    some = [Peticion(second, ruta="/") for second in range(5)]
    fuentes = []
    for place, name in enumerate(("combinado", "caddy", "cloudfront", "combinado")):
        line, head = FORMATOS[name]
        fuentes.append(Fuente(escribe(tmp_path / f"{place}", some, line, head), place % 2))
    bad = tmp_path / "0"
    bad.write_text(bad.read_text() + "esto no\n")
    found = mide(*fuentes, sitios=("portal", "prep"))
    assert [(one.sitio, one.hits, one.visitas) for one in found.medidas] == [("portal", 10, 1), ("prep", 10, 1)]
    assert [one.malos for one in found.archivos] == [1, 0, 0, 0]
    assert [(one.archivo, one.linea) for one in found.ejemplos] == [(str(bad), 6)]


def test_thousands_of_agents_do_not_grow_the_list_of_those_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pregon.bitacoras.robots.MAX_CONOCIDOS", 3)
    registro = Registro()
    told = registro.tell(
        ["Mozilla/5.0 uno", "Googlebot/2.1", "-", "Mozilla/5.0 cuatro", "nuevo-bot/1", "Mozilla/5.0 uno"]
    )
    assert [(one.numero, one.robot) for one in told] == [
        (1, None), (2, "Googlebot"), (3, "sin agente"), (0, None), (0, "otros"), (1, None),
    ]  # fmt: skip


def test_no_address_of_the_log_is_in_what_is_told(registro: Path, medidas: Medidas) -> None:
    addresses = {line.split(" ", 1)[0] for line in registro.read_text().splitlines()}
    told = json.dumps(medidas.as_dict())
    assert len(addresses) > 100
    assert not [address for address in addresses if address in told]
