"""Special votes apart: each figure is that of the actas of its kind, and with the ordinary ones they are the total."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from pregon.convocatoria.tipos import VISTAS
from pregon.instituto import fuentes
from pregon.instituto.portal.partidos import Actores
from pregon.instituto.portal.vista_especiales import CONTIENDA, vistas_especiales
from pregon.instituto.portal.vistas import contienda
from pregon.prep.model import Estado
from pregon.prep.rows import actas
from pregon.tablas.totales import totals
from tests.instituto.html import parse
from tests.prep.muestras import Sample, row

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.instituto.portal.vista_especiales import VistaEspeciales
    from pregon.tablas.model import ContestTotals
    from tests.instituto.conftest import Published

ORDINARIAS = ("B", "C", "E", "")
REALES = (
    "campeche-2021/20210607_2000_PREP_GOB_CAMP/CAMP_GOB_2021.csv",
    "campeche-2021/20210607_2000_PREP_DIP_LOC_CAMP/CAMP_DIP_LOC_2021.csv",
    "puebla-2024/20240603_2000_noche/PUE_GUB_2024.csv",
    "puebla-2024/20240603_2000_noche/PUE_DIP_LOC_2024.csv",
)


def apart(path: Path) -> tuple[fuentes.Fuente, ContestTotals, dict[str, VistaEspeciales]]:
    (source,) = fuentes.sources([path])
    read = fuentes.read(source)
    computed = totals(read.tabla, eleccion=read.eleccion.id, candidaturas=read.candidaturas)
    view = contienda(read.eleccion, computed, read.candidaturas, corte=1)
    return read, computed, vistas_especiales(view, computed, Actores(tuple(computed.contendientes)))


@pytest.mark.datos
@pytest.mark.parametrize("name", REALES)
def test_special_votes_are_those_of_their_actas_one_by_one(datos: Path, name: str) -> None:
    read, computed, shown = apart(datos / name)
    kinds: dict[tuple[str, str], int] = Counter()
    columns: dict[tuple[str, str], Counter[str]] = {}
    for acta in actas(read.tabla):
        if acta.estado is Estado.CONTABILIZADA and acta.tipo not in ORDINARIAS:
            for scope in (CONTIENDA, acta.unidad):
                kinds[scope, acta.tipo] += acta.suma
                votes = {key: n for key, n in acta.contendientes.items() if n}
                columns.setdefault((scope, acta.tipo), Counter()).update(votes)
    assert {(scope, kind.tipo) for scope, view in shown.items() for kind in view.modalidades} == set(kinds)
    levels = {unit.id: unit for unit in computed.unidades} | {CONTIENDA: computed.entidad}
    actors = Actores(tuple(computed.contendientes))
    for scope, view in shown.items():
        for row_ in view.filas:
            assert row_.ordinarias + sum(row_.especiales) == row_.total
            assert min(row_.ordinarias, *row_.especiales, 0) == 0
        if not view.filas:
            continue
        *lines, total = view.filas
        assert total.total == levels[scope].total_votos
        assert all(line.total == levels[scope].candidaturas[line.clave] for line in lines if line.partidos)
        for place, kind in enumerate(view.modalidades):
            assert total.especiales[place] == kinds[scope, kind.tipo]
            assert sum(line.especiales[place] for line in lines) == kinds[scope, kind.tipo]
            # Where the parties of a line are in no other line, its votes are those of all their columns.
            for line in lines:
                members = {party.clave for party in line.partidos}
                others = {p.clave for other in lines if other is not line for p in other.partidos}
                if members and not members & others:
                    told = columns[scope, kind.tipo]
                    of_line = (key for key in told if actors.contiende(key) and set(actors.miembros(key)) <= members)
                    own = sum(told[key] for key in of_line)
                    assert line.especiales[place] == own


@pytest.mark.datos
def test_the_pages_show_them_where_there_are_any(campeche: Published) -> None:
    found = 0
    for path in sorted(campeche.folder.glob("gub/**/index.html")):
        page = parse(path.read_bytes())
        for table in page.all("table", id="especiales"):
            found += 1
            for line in table.one("tbody").all("tr"):
                numbers = {
                    cell.attrs["data-modalidad"]: int(cell.text.replace(",", ""))
                    for cell in line.all("td", data_modalidad=None)
                }
                total = numbers.pop("total")
                assert sum(numbers.values()) == total
                assert set(numbers) == {"ordinarias", "S"}
                if line.attrs["data-clave"] not in ("total", "no_registradas", "nulos"):
                    results = page.one("table", id="candidaturas").one("tr", data_clave=line.attrs["data-clave"])
                    assert results.one("td", data_votos=None).attrs["data-votos"] == str(total)
    assert 2 <= found < 22


def test_a_kind_without_counted_actas_is_told_and_has_no_column(tmp_path: Path) -> None:
    rows = [
        row(1),
        row(2, TIPO_CASILLA="S", PAN="10", TOTAL_VOTOS_CALCULADO="70"),
        row(3, TIPO_CASILLA="A", CONTABILIZADA="-"),
        row(4, ID_DISTRITO_LOCAL="002", DISTRITO_LOCAL="002. HOPELCHÉN", TIPO_CASILLA="P", CONTABILIZADA="-"),
        row(5, ID_DISTRITO_LOCAL="003", DISTRITO_LOCAL="003. OTRO"),
    ]
    _, computed, shown = apart(Sample(titulo="GUBERNATURA", rows=rows).write(tmp_path / "CAMP_GUB_2021.csv"))
    assert set(shown) == {CONTIENDA, "001", "002"}
    first, second = shown["001"], shown["002"]
    assert [kind.tipo for kind in first.modalidades] == ["S"]
    assert first.avance == (
        "Voto anticipado, 0 de 1 acta contabilizada; casillas especiales, 1 de 1 acta contabilizada."
    )
    assert first.filas[-1].especiales == (70,)
    assert (second.modalidades, second.filas) == ((), ())
    assert second.avance == "Voto en prisión preventiva, 0 de 1 acta contabilizada."
    assert shown[CONTIENDA].filas[-1].total == computed.entidad.total_votos


def test_no_special_casillas_no_section(tmp_path: Path) -> None:
    _, _, shown = apart(Sample(titulo="GUBERNATURA", rows=[row(1), row(2)]).write(tmp_path / "CAMP_GUB_2021.csv"))
    assert shown == {}
    assert "especiales" in VISTAS
