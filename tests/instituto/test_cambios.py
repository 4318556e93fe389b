"""«Qué cambió en este corte»: its JSON against its schema, and its page, small at any hour."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.jsonio import compact_json
from pregon.instituto import fuentes
from pregon.instituto.cambios import cambios_json
from pregon.instituto.portal import vista_cambios as limits
from pregon.instituto.portal.formato import casilla
from pregon.instituto.portal.paginas import Complementos, Paginas
from pregon.instituto.portal.partidos import Actores
from pregon.instituto.portal.vista_cambios import Anterior, VistaCambios, vista_cambios
from pregon.instituto.portal.vistas import Enlace, Marco, VistaContienda, contienda
from pregon.instituto.secciones import shard_of
from pregon.prep.cambios import Cambios, Celda, Correccion, Movida, changes
from pregon.prep.rows import actas
from pregon.tablas.totales import totals
from tests.instituto.conftest import CAMPECHE, HORA, ZONA, campeche_sources
from tests.instituto.contratos import check
from tests.instituto.html import Element, parse
from tests.prep.muestras import VOTES, Sample, row

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.instituto.fuentes import Fuente
    from pregon.prep.model import ActaTable
    from pregon.tablas.model import ContestTotals

PAGE_BYTES = 60_000
PENDING = {
    **dict.fromkeys((*VOTES, "TOTAL_VOTOS_CALCULADO", "TOTAL_VOTOS_ASENTADO"), ""),
    "CONTABILIZADA": "",
    "SHA": "",
}
ANTERIOR = Anterior(1, HORA.replace(minute=20))


@dataclass(frozen=True)
class Pair:
    """A cut and what it brings over the one before."""

    table: ActaTable
    totals: ContestTotals
    view: VistaContienda
    cambios: Cambios | None

    @classmethod
    def of(cls, before: Fuente | None, after: Fuente) -> Pair:
        computed = totals(after.tabla, eleccion=after.eleccion.id, candidaturas=after.candidaturas)
        view = contienda(after.eleccion, computed, after.candidaturas, corte=2)
        return cls(after.tabla, computed, view, None if before is None else changes(before.tabla, after.tabla))

    def json(self) -> dict[str, Any]:
        return cambios_json(
            self.cambios,
            nivel=self.totals.nivel,
            anterior=None if self.cambios is None else 1,
            ids={acta.linea: f"{acta.clave_acta}.x" for acta in actas(self.table)},
            shard=lambda acta: shard_of(acta.seccion, acta.entidad),
        )

    def shown(self) -> VistaCambios:
        anterior = None if self.cambios is None else ANTERIOR
        return vista_cambios(self.view, Actores(tuple(self.totals.contendientes)), self.cambios, anterior)

    def page(self) -> bytes:
        marco = Marco("Proceso", "Instituto", "oficial", 2, HORA, ZONA, ultimo=False, proximo=None, cierre=None)
        pages = dict(
            Paginas().contest(marco, (Enlace.to(self.view.eleccion),), self.view, Complementos(cambios=self.shown()))
        )
        return pages[f"{self.view.id}/cambios/index.html"]


def small(folder: Path, before: list[dict[str, str]] | None, after: list[dict[str, str]]) -> Pair:
    read: list[Fuente] = []
    for name, rows in (("antes", before), ("despues", after)):
        (folder / name).mkdir(exist_ok=True)
        path = Sample(rows=rows or after).write(folder / name / "CAMP_DIP_LOC_2021.csv")
        read.append(fuentes.read(fuentes.sources([path])[0]))
    return Pair.of(None if before is None else read[0], read[1])


BEFORE = [row(1), row(2, **PENDING), row(3), row(4), row(5, SECCION="0150")]
AFTER = [
    row(1, PAN="ILEGIBLE", TOTAL_VOTOS_CALCULADO="60", OBSERVACIONES="ILEGIBLE"),
    row(2, TIPO_CASILLA="C", ID_CASILLA="02", ID_DISTRITO_LOCAL="002", DISTRITO_LOCAL="002. HOPELCHÉN"),
    row(4),
    row(5, SECCION="0151", MC="11", ID_DISTRITO_LOCAL="002", DISTRITO_LOCAL="002. HOPELCHÉN"),
]


def test_the_file_names_each_acta_its_place_and_where_to_read_it(tmp_path: Path) -> None:
    found = small(tmp_path, BEFORE, AFTER).json()
    assert found["anterior"] == 1
    assert found["conteo"] == {"entraron": 1, "corregidas": 2, "movidas": 1, "salieron": 1}
    [entered] = found["entraron"]
    assert entered == {
        "id": "040002B010003.x",
        "clave": "040002B0100",
        "clave_acta": "040002B010003",
        "distrito": "002",
        "seccion": "0002",
        "tipo": "C",
        "id_casilla": "02",
        "ext_contigua": "0",
        "archivo": f"seccion/{shard_of('0002')}.json",
    }
    assert [item["seccion"] for item in found["corregidas"]] == ["0001", "0151"]
    assert found["corregidas"][0]["celdas"] == [
        {"columna": "PAN", "antes": 40, "despues": "ilegible"},
        {"columna": "TOTAL_VOTOS_CALCULADO", "antes": 100, "despues": 60},
        {"columna": "OBSERVACIONES", "antes": "", "despues": "ILEGIBLE"},
    ]
    [moved] = found["movidas"]
    assert (moved["distrito"], moved["seccion"], moved["archivo"]) == (
        "002",
        "0151",
        f"seccion/{shard_of('0151')}.json",
    )
    assert (moved["antes"]["distrito"], moved["antes"]["seccion"]) == ("001", "0150")
    assert [item["clave_acta"] for item in found["salieron"]] == ["040003B010003"]
    assert check([("datos/0002/dip/cambios.json", compact_json(found))])["cambios"] == 1


def test_the_first_cut_says_that_there_is_no_other(tmp_path: Path) -> None:
    pair = small(tmp_path, None, AFTER)
    found = pair.json()
    assert found["anterior"] is None
    assert set(found["conteo"].values()) == {0}
    check([("datos/0001/dip/cambios.json", compact_json(found))])
    page = parse(pair.page())
    assert "No hay un corte anterior con el cual compararlo." in page.one("p", class_="titular").text
    assert not page.all("table")
    assert not page.all(data_cambios=None)


def cells(table: Element) -> list[list[str]]:
    return [[cell.text for cell in line.children if isinstance(cell, Element)] for line in table.all("tr")][1:]


def test_the_page_says_it_in_words(tmp_path: Path) -> None:
    page = parse(small(tmp_path, BEFORE, AFTER).page())
    told = {item.attrs["data-cambios"]: item.text for item in page.all(data_cambios=None)}
    assert told == {"entraron": "1", "corregidas": "2", "movidas": "1", "salieron": "1"}
    assert "Comparado con el corte 1, del 6 de junio de 2021, 22:20 h" in page.one("p", class_="titular").text
    assert cells(page.one("table", id="unidades")) == [["1. Tenabo", "0", "1"], ["2. Hopelchén", "1", "1"]]
    assert cells(page.one("table", id="entraron")) == [["2. Hopelchén", "2", "Contigua 2"]]
    first, second = cells(page.one("table", id="corregidas"))
    assert first[0] == "1. TenaboSección 1, Básica"
    assert "PAN: 40 → ilegible" in first[1]
    assert "Observaciones: vacío → ILEGIBLE" in first[1]
    assert second[1].startswith("MC: 10 → 11")
    assert cells(page.one("table", id="movidas")) == [
        ["1. Tenabo, sección 150, Básica", "2. Hopelchén, sección 151, Básica"]
    ]
    assert cells(page.one("table", id="salieron")) == [["1. Tenabo", "3", "Básica"]]
    links = {item.attrs["href"] for item in page.one("main").all("a")}
    assert {"../index.html", "../distrito-002/index.html", "../../datos/0002/dip/cambios.json"} <= links


def test_a_cut_that_brings_nothing_says_so(tmp_path: Path) -> None:
    pair = small(tmp_path, AFTER, AFTER)
    assert pair.shown().resumen == "Ningún acta cambió respecto del corte anterior."
    assert not parse(pair.page()).all("table")
    assert pair.json()["anterior"] == 1


def test_the_page_stays_small_when_everything_changes(tmp_path: Path) -> None:
    pair = small(tmp_path, BEFORE, AFTER)
    assert pair.cambios is not None
    [first, *_] = pair.cambios.entraron
    unit = pair.view.unidades[0]
    units = tuple(
        replace(unit, id=f"{n:03d}", numero=str(n), nombre=f"Cabecera {n:x}", carpeta=f"distrito-{n:03d}")
        for n in range(1, 301)
    )
    many = [
        replace(first, linea=n, unidad=f"{n * 7 % 300 + 1:03d}", seccion=f"{n * 37 % 9000:04d}", id_casilla=str(n % 13))
        for n in range(8_500)
    ]
    long = tuple(Celda(column, n * 17, f"texto {n} " * 40) for n, column in enumerate((*VOTES, *VOTES)))
    pair = replace(
        pair,
        view=replace(pair.view, unidades=units),
        cambios=Cambios(
            tuple(many),
            tuple(Correccion(acta, long) for acta in many),
            tuple(Movida(acta, replace(acta, seccion="9999")) for acta in many),
            tuple(many),
        ),
    )
    data = pair.page()
    assert len(gzip.compress(data, 6)) < PAGE_BYTES // 2
    page = parse(data)
    assert page.one(data_cambios="entraron").text == "8,500"
    sizes = {item.attrs["id"]: len(cells(item)) for item in page.all("table", id=None)}
    assert sizes == {
        "unidades": 300,
        "entraron": limits.MAX_ENTRARON,
        "corregidas": limits.MAX_CORREGIDAS,
        "movidas": limits.MAX_MOVIDAS,
        "salieron": limits.MAX_SALIERON,
    }
    assert f"Se muestran {limits.MAX_ENTRARON} de 8,500" in page.text
    corrected = page.one("table", id="corregidas").all("tr")[1].all("li")
    assert len(corrected) == limits.MAX_CELDAS + 1
    assert corrected[-1].text == f"y {len(long) - limits.MAX_CELDAS} más"
    assert max(len(item.text) for item in page.all("ins")) <= limits.MAX_TEXTO


@pytest.mark.parametrize(
    ("tipo", "numero", "contigua", "shown"),
    [
        ("B", "01", "00", "Básica"),
        ("C", "02", "00", "Contigua 2"),
        ("E", "01", "00", "Extraordinaria 1"),
        ("E", "01", "02", "Extraordinaria 1, contigua 2"),
        ("S", "1", "", "Especial 1"),
        ("M", "", "", "Voto en el extranjero"),
        ("X", "3", "", "Tipo X 3"),
        ("", "", "", "—"),
    ],
)
def test_casillas_in_words(tipo: str, numero: str, contigua: str, shown: str) -> None:
    assert casilla(tipo, numero, contigua) == shown


@pytest.mark.datos
@pytest.mark.parametrize("name", CAMPECHE)
def test_the_real_night_fits_and_the_page_counts_the_same(datos: Path, name: str) -> None:
    place = CAMPECHE.index(name)
    cuts = [fuentes.read(campeche_sources(datos, cut)[place]) for cut in ("20210606_2320", "20210607_1320")]
    pair = Pair.of(*cuts)
    assert pair.cambios is not None
    found = json.loads(compact_json(pair.json()))
    check([(f"datos/0002/{pair.view.id}/cambios.json", compact_json(found))])
    known = {acta.clave_acta for acta in actas(pair.table)}
    assert {item["clave_acta"] for item in found["entraron"]} <= known
    data = pair.page()
    assert len(gzip.compress(data, 6)) < PAGE_BYTES // 2
    page = parse(data)
    told = {item.attrs["data-cambios"]: int(item.text.replace(",", "")) for item in page.all(data_cambios=None)}
    assert told == found["conteo"]
    assert told["entraron"] > 0
    by_unit = cells(page.one("table", id="unidades"))
    assert sum(int(line[1].replace(",", "")) for line in by_unit) == told["entraron"]
    assert len(cells(page.one("table", id="entraron"))) == min(told["entraron"], limits.MAX_ENTRARON)
