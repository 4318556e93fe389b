"""What a consultation transmits is what is there: by kind of page, in each representation."""

from __future__ import annotations

import gzip
import zipfile
from typing import TYPE_CHECKING

import pytest

from pregon.difusor.aforo import peso
from pregon.difusor.aforo.ajustes import Visita
from pregon.difusor.nube.costo import archivos, pesa
from tests.difusor.conftest import files_of, make_escena
from tests.trust.conftest import INICIO, INTERVALO

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.trust.keys import KeyRing


def sizes(package: Path) -> dict[str, int]:
    with zipfile.ZipFile(package) as archive:
        return {one.filename: one.file_size for one in archive.infolist()}


def test_kinds_of_a_real_package_and_its_plain_bytes(paquete: Path) -> None:
    found, plain = peso.mide(archivos(paquete)), sizes(paquete)
    assert list(found.paginas) == ["contienda", "unidad", "secciones", "otra"]
    assert found.corte == max(name.split("/")[1] for name in plain if name.startswith("datos/"))
    pages = {name for name in plain if name.endswith(".html") and name != "index.html"}
    assert sum(one.hay for one in found.paginas.values()) == len(pages)
    units = [name for name in pages if name.count("/") == 2 and "distrito-" in name]
    assert found.paginas["unidad"].hay == len(units) == 4
    data = [name for name in plain if name.startswith("datos/") and name.count("/") >= 4 and name.endswith(".json")]
    mean = -(-sum(plain[name] for name in units) // 4) + -(-sum(plain[name] for name in data) // len(data))
    assert found.paginas["unidad"].identidad == mean
    assert found.paginas["unidad"].peticiones == 2
    bases = [name for name in plain if name.startswith("base-de-datos/") and name.endswith(".zip")]
    assert found.descarga is not None
    assert (found.descarga.identidad, found.descarga.hay) == (-(-sum(plain[n] for n in bases) // 2), 2)


def test_the_first_visit_is_the_one_of_the_cost_and_the_next_brings_no_assets(paquete: Path) -> None:
    files = archivos(paquete)
    found, cost = peso.mide(files), pesa(files)
    assert (found.primera.gzip, found.primera.peticiones) == (cost.visita.bytes, cost.visita.objetos)
    assert (found.novedad.gzip, found.novedad.peticiones) == (cost.novedad.bytes, cost.novedad.objetos)
    assert found.medida == cost
    assets = sum(files.enviados[name] for name in files.primera_visita() if name.startswith("assets/"))
    assert assets > 0
    assert found.repetida.gzip == found.primera.gzip - assets
    for one in found.todas[:-1]:
        assert one.br is None  # an archive has no copies
        assert one.gzip < one.identidad
        assert one.bytes("br") == one.bytes("gzip") == one.gzip


def test_copies_of_a_published_cut_are_the_files_that_are_there(fast: Path, ring: KeyRing) -> None:
    escena = make_escena(fast, ring)
    page = b"<!doctype html><title>x</title>" + b"<p>texto</p>" * 400
    files = {**files_of(1, INICIO + INTERVALO), "gub/distrito-1/index.html": page, "logo.png": b"\x89PNG" * 500}
    escena.cut(1, files)
    assert escena.receiver().run_once().error is None
    found = peso.mide(archivos(escena.workspace.publico))
    release = escena.workspace.publico.resolve()
    assert found.paginas["contienda"].br == (release / "gub/index.html.br").stat().st_size
    assert found.paginas["contienda"].gzip == (release / "gub/index.html.gz").stat().st_size
    assert gzip.decompress((release / "gub/index.html.gz").read_bytes()) == files["gub/index.html"]
    assert found.paginas["unidad"].identidad == len(page)
    assert "otra" not in found.paginas
    assert found.descarga is None
    assert found.primera.bytes("br") < found.primera.bytes("gzip") < found.primera.bytes("identidad")


def test_the_mixture_is_of_what_the_package_has(paquete: Path) -> None:
    found = peso.mide(archivos(paquete))
    only = Visita(mezcla={"contienda": 1, "secciones": 3})
    assert peso.partes(found, only) == {"contienda": 0.25, "secciones": 0.75}
    weights = {"contienda": 10.0, "secciones": 20.0}
    moments = peso.marca({"contienda": 0.25, "secciones": 0.75}, lambda name: (2, weights[name]))
    assert moments.bytes == pytest.approx((17.5, 325, 6250))
    assert moments.peticiones == pytest.approx((2, 4, 8))
