"""``pregon aforo costo``: what was measured is what is there, and every sum can be made by hand."""

from __future__ import annotations

import gzip
import json
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from pregon.base.errors import AjustesError, ArchivoError, EntradaError
from pregon.cli.app import app
from pregon.difusor.nube.costo import Medida, Peso, Supuestos, calcula, mide, segundos_de_enlace
from pregon.difusor.nube.precios import CUENTAS, lee
from tests.difusor.conftest import files_of
from tests.trust.conftest import INICIO

if TYPE_CHECKING:
    from pathlib import Path

    from tests.difusor.conftest import Escena

MEDIDA = Medida(
    "a mano",
    visita=Peso(100_000, 10, 2),
    pagina=Peso(20_000, 2, 1),
    novedad=Peso(30_000, 3, 2),
    fijo=Peso(1_000_000, 100),
    cambia=Peso(500_000, 50),
    rutas=4,
    original=40_000_000,
)
TABLA = """
nombre = "Otro proveedor"
fecha = 2026-01-15
fuente = "su cotización"
moneda = "MXN"
gb = 1_000_000_000

[[renglones]]
cuenta = "salida_gb"
gratis = 50
tramos = [{ hasta = 100, precio = "2.00" }, { precio = "1.00" }]

[[renglones]]
cuenta = "peticiones"
por = 10_000
precio = "0.5"
"""


def supuestos(**more: Any) -> Supuestos:
    values: dict[str, Any] = {"visitantes": 1000, "cortes": 72, "intervalo_min": 20, "paginas": 3, "minutos": 45}
    return Supuestos(**values | more)


def precios(folder: Path, text: str = TABLA) -> Path:
    path = folder / "precios.toml"
    path.write_text(text)
    return path


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["aforo", "costo", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


def test_the_sums_by_hand(tmp_path: Path) -> None:
    """A visit: 100,000 + 2 pages more of 20,000 + 2 cuts in 45 minutes of 30,000 = 200,000 bytes in 20 requests."""
    found = calcula(MEDIDA, supuestos(), lee(precios(tmp_path)))
    amounts = {one.cuenta: one.cantidad for one in found.conceptos}
    assert amounts["salida_gb"] == Decimal("0.2")
    assert amounts["peticiones"] == 20_000
    assert amounts["funciones"] == 1000 * (2 + 2 * 1 + 2 * 2)
    assert amounts["purgas"] == 72 * 4
    assert amounts["subidas"] == 100 + 72 * 50
    assert amounts["lecturas"] == 15 * (100 + 72 * 50)
    assert amounts["almacen_gb_mes"] == Decimal("2.917")  # 1 MB + 72 * (0.5 + 40) MB
    assert amounts["enlace_h"] == 0
    assert amounts["enlace_gb"] == 0
    assert amounts.keys() == set(CUENTAS)
    money = {one.cuenta: one.importe for one in found.conceptos}
    assert money["salida_gb"] == 0  # the first 50 GB are free
    assert money["peticiones"] == 1
    assert money["purgas"] is None, "what the table does not price is not said to be free"
    assert found.total == Decimal("1.00")

    crowd = calcula(MEDIDA, supuestos(visitantes=1_000_000, enlace=True), lee(precios(tmp_path)))
    money = {one.cuenta: one.importe for one in crowd.conceptos}
    assert money["salida_gb"] == 50 * 2 + 100 * 1  # 200 GB: 50 free, 50 at 2, 100 at 1
    assert money["peticiones"] == 1000
    linked = {one.cuenta: one.cantidad for one in crowd.conceptos}
    assert linked["enlace_gb"] == Decimal("2.88")
    assert linked["enlace_h"] == 7 * 24
    assert segundos_de_enlace(MEDIDA, 50) == pytest.approx(6.4)  # INE-II-a-iii-2a


def test_our_own_table_has_a_price_a_date_and_a_source_for_everything() -> None:
    table = lee(None)
    assert {one.cuenta for one in table.renglones} == set(CUENTAS)
    assert table.fecha >= date(2026, 1, 1)
    assert table.fuente
    found = calcula(MEDIDA, supuestos(), table)
    assert not found.viejos(table.fecha)
    assert found.viejos(date(table.fecha.year + 1, 1, 1).replace(month=12))
    assert any("1,000 visitantes" in one for one in found.supuestos.en_palabras())


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        ('moneda = "MXN"', 'moneda = "pesos"', "moneda"),
        ("fecha = 2026-01-15\n", "", "fecha"),
        ('fuente = "su cotización"\n', "", "fuente"),
        ('cuenta = "peticiones"', 'cuenta = "salida_gb"', "dos veces"),
        ('cuenta = "peticiones"', 'cuenta = "visitas"', "renglones"),
        ('precio = "0.5"', 'precio = "-1"', "precio"),
        ('{ precio = "1.00" }', '{ hasta = 90, precio = "1.00" }', "sin «hasta»"),
        ('{ hasta = 100, precio = "2.00" }', '{ precio = "2.00" }', "sin «hasta»"),
        ("[[renglones]]", "[[renglones", "TOML"),
    ],
)
def test_a_table_that_is_wrong_is_refused(tmp_path: Path, right: str, wrong: str, problem: str) -> None:
    assert right in TABLA
    with pytest.raises(AjustesError, match=problem):
        lee(precios(tmp_path, TABLA.replace(right, wrong, 1)))


def test_what_a_release_weighs_is_what_its_readers_get(escena: Escena) -> None:
    """And the package that it came from weighs the same, before any difusor has it."""
    escena.cut(1)
    escena.receiver().run_once()
    folder = escena.workspace.publico
    found = mide(folder)
    tree = files_of(1, INICIO)
    assert found.visita.objetos == 4  # cover, corte.json, its style, entidad.json
    assert found.visita.mudables == 3  # a style without a hash in its name may change
    sent = [(folder / name).with_name((folder / name).name + ".gz") for name in ("index.html", "assets/estilo.css")]
    assert all(path.is_file() for path in sent)
    rest = (folder / "corte.json", folder / "datos/0001/gub/entidad.json")
    twins = [twin if (twin := path.with_name(path.name + ".gz")).is_file() else path for path in rest]
    assert found.visita.bytes == sum(path.stat().st_size for path in (*sent, *twins))
    assert found.novedad.objetos == 3
    assert found.fijo.objetos == len([name for name in tree if name.startswith(("assets/", "gub/"))])
    assert found.rutas >= 3  # «/», «/index.html», «/corte.json»
    page = gzip.compress(tree["gub/index.html"])
    assert found.pagina.bytes == pytest.approx(len(page), rel=0.05)

    package = next(escena.repository.folder.rglob("*.zip"))
    whole = mide(package)
    assert whole.original == package.stat().st_size
    assert (whole.visita.objetos, whole.fijo.objetos) == (found.visita.objetos, found.fijo.objetos)
    assert whole.visita.bytes == pytest.approx(found.visita.bytes, rel=0.02)


def test_the_order_says_everything_and_takes_the_call_from_the_difusor(escena: Escena, tmp_path: Path) -> None:
    escena.cut(1)
    escena.receiver().run_once()
    folder = escena.workspace.folder
    status, out, err = run(folder, "--visitantes", "200000", "--precios", precios(tmp_path), "--json")
    assert status == 0, err
    said = json.loads(out)
    assert said["supuestos"]["cortes"] == 72  # 24 hours, one each 20 minutes
    assert said["precios"] == {"nombre": "Otro proveedor", "fecha": "2026-01-15", "fuente": "su cotización"}
    assert said["moneda"] == "MXN"
    assert Decimal(said["total"]) == sum(Decimal(one["importe"]) for one in said["conceptos"] if one["importe"])
    status, out, _ = run(folder, "--visitantes", "200000")
    assert status == 0
    for words in ("Se supone:", "200,000 visitantes", "72 cortes", "Precios: AWS", "Total, sin impuestos"):
        assert words in out
    status, out, _ = run(folder / "publico", "--visitantes", "10", "--convocatoria", "ine-2021", "--privado", "--json")
    said = json.loads(out)
    assert said["supuestos"]["cortes"] == 288  # INE-II-a-ii-3c: the most, one each five minutes
    assert said["supuestos"]["enlace"] is True


def test_what_cannot_be_measured_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vacia").mkdir()
    with pytest.raises(EntradaError, match=r"no tiene index\.html"):
        mide(tmp_path / "vacia")
    with pytest.raises(EntradaError, match="no es la carpeta"):
        mide(tmp_path / "no-esta")
    (tmp_path / "roto.zip").write_bytes(b"PK\x03\x04 roto")
    with pytest.raises(ArchivoError):
        mide(tmp_path / "roto.zip")
    status, out, err = run(tmp_path / "vacia", "--visitantes", "10", "--json")
    assert (status != 0, out) == (True, "")
    assert "--convocatoria o --cortes" in json.loads(err)["que_hacer"]
