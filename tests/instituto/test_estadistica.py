"""«Estadística»: the figures of the file and of the page are those that the actas give when counted one by one."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.jsonio import compact_json
from pregon.instituto import estadistica, fuentes
from pregon.instituto.estadistica import MAX_OBSERVACIONES
from pregon.instituto.portal.vista_estadistica import definition, vista_estadistica
from pregon.instituto.portal.vistas import contienda
from pregon.prep.model import Estado
from pregon.prep.reader import read_actas
from pregon.prep.rows import actas
from pregon.tablas.estadistica import corrected, statistics
from pregon.tablas.fichas import understand
from pregon.tablas.totales import totals
from tests.instituto.contratos import check
from tests.instituto.html import Element, parse
from tests.prep.muestras import Sample, row

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.prep.model import ActaTable
    from tests.instituto.conftest import Published

REALES = (
    *(f"campeche-2021/20210607_2000_PREP_{name}_CAMP/CAMP_{name}_2021.csv" for name in ("GOB", "AYUN")),
    "campeche-2021/20210606_2240_PREP_JUNTAS_CAMP/CAMP_JUNTAS_2021.csv",
    "puebla-2024/20240603_2000_noche/PUE_GUB_2024.csv",
)
CAPTURADAS = (Estado.CONTABILIZADA, Estado.NO_CONTABILIZADA)


def told_of(path: Path) -> tuple[ActaTable, dict[str, Any]]:
    table = read_actas(path)
    seen = understand(table)
    computed = totals(table, eleccion="gub", entendidas=seen)
    return table, estadistica.estadistica_json(computed, statistics(seen.estadistica))


def counted(table: ActaTable) -> dict[str, Any]:
    """What the file must say, one acta after the other."""
    place = table.columns.ubicacion
    assert place is not None
    states: Counter[Estado] = Counter()
    kinds: dict[str, Counter[str]] = {}
    places: dict[str, Counter[str]] = {}
    told: dict[str, Counter[str]] = {}
    for acta, cells in zip(actas(table), table.filas, strict=True):
        states[acta.estado] += 1
        if acta.estado is not Estado.PENDIENTE:
            text = "" if acta.observaciones in ("-", "--") else acta.observaciones
            told.setdefault(text, Counter())[acta.estado.value] += 1
        if acta.estado is Estado.FUERA_CATALOGO:
            continue
        where = {"1": "urbana", "2": "no_urbana"}.get(cells[place].strip("'"), "otra")
        for sums in (kinds.setdefault(acta.tipo, Counter()), places.setdefault(where, Counter())):
            sums["esperadas"] += 1
            sums["capturadas"] += acta.estado in CAPTURADAS
            if acta.estado is Estado.CONTABILIZADA:
                sums["contabilizadas"] += 1
                sums["lista_nominal"] += acta.lista_nominal if isinstance(acta.lista_nominal, int) else 0
                sums["total_votos"] += acta.suma
    return {"estados": states, "tipos": kinds, "lugares": places, "observaciones": told}


def figures(item: dict[str, Any]) -> dict[str, int]:
    names = ("esperadas", "capturadas", "contabilizadas", "lista_nominal", "total_votos")
    return {name: item[name] for name in names if item[name]}


def seen_of(item: dict[str, Any]) -> dict[str, int]:
    names = {"contabilizadas": "contabilizada", "no_contabilizadas": "no_contabilizada"}
    names["fuera_catalogo"] = "fuera_catalogo"
    return {state: item[name] for name, state in names.items() if item[name]}


@pytest.mark.datos
@pytest.mark.parametrize("name", REALES)
def test_every_figure_is_that_of_the_actas_one_by_one(datos: Path, name: str) -> None:
    table, data = told_of(datos / name)
    slow = counted(table)
    states = slow["estados"]
    assert data["actas"] == {
        "esperadas": sum(states.values()) - states[Estado.FUERA_CATALOGO],
        "capturadas": states[Estado.CONTABILIZADA] + states[Estado.NO_CONTABILIZADA],
        "contabilizadas": states[Estado.CONTABILIZADA],
        "no_contabilizadas": states[Estado.NO_CONTABILIZADA],
        "pendientes": states[Estado.PENDIENTE],
        "fuera_catalogo": states[Estado.FUERA_CATALOGO],
    }
    assert {item["tipo"]: figures(item) for item in data["casillas"]} == {
        kind: dict(+sums) for kind, sums in slow["tipos"].items()
    }
    assert {item["ubicacion"]: figures(item) for item in data["ubicacion"]} == {
        where: dict(+sums) for where, sums in slow["lugares"].items()
    }
    plain = slow["observaciones"].pop("", Counter())
    assert {item["texto"]: seen_of(item) for item in data["observaciones"]} == slow["observaciones"]
    assert seen_of(data["sin_observaciones"]) == dict(plain)
    assert not any(data["otras_observaciones"].values())
    votes = data["votos"]
    ordinary = sum(slow["tipos"][kind]["total_votos"] for kind in "BCE" if kind in slow["tipos"])
    assert (votes["ordinarias"], votes["total"]) == (
        ordinary,
        sum(sums["total_votos"] for sums in slow["tipos"].values()),
    )
    assert votes["especiales"] == votes["total"] - ordinary
    check([("datos/0001/gub/estadistica.json", compact_json(data))])


def cells(table: Element) -> dict[str, dict[str, int]]:
    """The numbers of a table, by the key of its rows and of its cells."""
    return {
        line.attrs["data-clave"]: {
            cell.attrs["data-cifra"]: int(cell.text.replace(",", "")) for cell in line.all("td", data_cifra=None)
        }
        for line in table.all("tr", data_clave=None)
    }


@pytest.mark.datos
def test_the_page_says_what_the_file_says(campeche: Published) -> None:
    for contest in ("gub", "dip", "ayun", "juntas"):
        data = json.loads((campeche.folder / f"datos/0001/{contest}/estadistica.json").read_bytes())
        whole = json.loads((campeche.folder / f"datos/0001/{contest}/entidad.json").read_bytes())
        page = parse((campeche.folder / contest / "estadistica/index.html").read_bytes())
        shown = cells(page.one("table", id="actas"))
        assert {key: value[key] for key, value in shown.items()} == data["actas"]
        told = whole["recalculado"]
        assert data["actas"]["esperadas"] == told["ACTAS_ESPERADAS"]
        assert data["actas"]["capturadas"] == told["ACTAS_CAPTURADAS"]
        assert data["actas"]["fuera_catalogo"] == told["ACTAS_FUERA_CATALOGO"]
        assert data["participacion"]["porcentaje"] == told["PORCENTAJE_PARTICIPACION_CIUDADANA"]
        assert data["participacion"]["lista_nominal"] == told["LISTA_NOMINAL_ACTAS_CONTABILIZADAS"]
        kinds = cells(page.one("table", id="casillas"))
        names = ("esperadas", "capturadas", "contabilizadas", "lista_nominal")
        assert {key: value for key, value in kinds.items() if key != "total"} == {
            item["tipo"]: {name: item[name] for name in names} for item in data["casillas"]
        }
        assert kinds["total"]["contabilizadas"] == told["ACTAS_CONTABILIZADAS"]
        assert kinds["total"]["lista_nominal"] == told["LISTA_NOMINAL_ACTAS_CONTABILIZADAS"]
        votes = {
            row.attrs["data-clave"]: int(row.one("td", data_votos=None).attrs["data-votos"])
            for row in page.one("table", id="votos").all("tr", data_clave=None)
        }
        assert votes == data["votos"]
        assert votes["total"] == told["TOTAL_VOTOS_C_CS"]
        observed = cells(page.one("table", id="observaciones"))
        assert {key: {name: n for name, n in value.items() if n} for key, value in observed.items()} == {
            item["texto"]: {name: n for name, n in item.items() if n and name != "texto"}
            for item in data["observaciones"]
        }
        assert "Algún campo ilegible o sin dato" in page.text
        assert "ILEGIBLE" not in page.text


def test_groups_of_a_cut_are_those_of_the_one_before_and_what_changed() -> None:
    before = (("B", "1", "contabilizada", "", 2, 900, 300), ("B", "1", "pendiente", "", 1, 0, 0))
    change = (
        ("B", "1", "pendiente", "", -1, 0, 0),
        ("B", "1", "contabilizada", "", 0, 10, -40),  # one left, one came
        ("A", "2", "no_contabilizada", "SIN ACTA", 1, 0, 0),
    )
    assert corrected(before, change) == (
        ("A", "2", "no_contabilizada", "SIN ACTA", 1, 0, 0),
        ("B", "1", "contabilizada", "", 2, 910, 260),
    )


def test_kinds_come_in_the_order_people_expect_and_places_only_where_the_file_tells_them() -> None:
    groups = tuple((kind, "", "contabilizada", "", 1, 500, 100) for kind in ("", "A", "B", "C", "E", "M", "S", "X"))
    found = statistics(groups)
    assert [kind for kind, _ in found.tipos] == ["B", "C", "E", "S", "M", "A", "", "X"]
    assert found.ubicaciones == ()
    assert [estadistica.kind_name(kind) for kind in ("B", "M", "", "X")] == [
        "Básica",
        "Voto en el extranjero",
        "Sin tipo de casilla",
        "Tipo X",
    ]


def test_many_observations_are_told_together(tmp_path: Path) -> None:
    rows = [row(n, OBSERVACIONES=f"NOTA {n:03d}", UBICACION_CASILLA="9") for n in range(1, MAX_OBSERVACIONES + 6)]
    rows += [row(200, OBSERVACIONES="<b>NOTA 001</b>"), row(201, OBSERVACIONES="NOTA 065")]
    path = Sample(titulo="GUBERNATURA", rows=rows).write(tmp_path / "CAMP_GUB_2021.csv")
    table, data = told_of(path)
    assert len(data["observaciones"]) == MAX_OBSERVACIONES
    assert data["observaciones"][0] == {
        "texto": "NOTA 065",
        "contabilizadas": 2,
        "no_contabilizadas": 0,
        "fuera_catalogo": 0,
    }
    told = [*data["observaciones"], data["otras_observaciones"], data["sin_observaciones"]]
    assert sum(item["contabilizadas"] for item in told) == len(rows)
    assert data["ubicacion"] == []
    (source,) = fuentes.sources([path])
    read = fuentes.read(source)
    view = contienda(read.eleccion, totals(table, eleccion="gub"), (), corte=1)
    shown = vista_estadistica(view, data)
    assert shown.observaciones[-1].titulo == "Otras observaciones"
    assert sum(item.total for item in shown.observaciones) + shown.sin_observaciones.total == len(rows)


@pytest.mark.parametrize(
    ("texto", "said"),
    [
        ("SIN ACTA POR PAQUETE NO ENTREGADO", "El paquete electoral no llegó"),
        ("SIN ACTA POR PAQUETE ENTREGADO SIN BOLSA", "sin la bolsa"),
        ("Sin acta", "El acta no llegó con el paquete"),
        ("TODOS ILEGIBLES O SIN DATO", "Ninguna cantidad"),
        ("['Excede Lista Nominal', 'Ilegible']", "más que la lista nominal"),
        ("['Ilegible']", "Una cantidad no se lee"),
        ("['Ilegible', 'Sin dato']", "no se lee, ni en letra ni en número o una cantidad no está escrita"),
        ("ALGO NUEVO", ""),
    ],
)
def test_an_observation_is_told_in_words_where_they_are_known(texto: str, said: str) -> None:
    assert said in definition(texto)
    assert bool(said) == bool(definition(texto))
