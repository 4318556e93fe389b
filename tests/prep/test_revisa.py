"""What actas show by themselves: one by one, or told by columns, the findings are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pregon.prep.model import Estado
from pregon.prep.reader import read_actas
from pregon.prep.revisa import MAX_EXAMPLES, RowFindings, faults
from pregon.prep.rows import actas
from tests.prep.muestras import Sample, row

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.prep.model import Acta

ARRIVED = (Estado.CONTABILIZADA, Estado.NO_CONTABILIZADA)


def read(folder: Path, rows: list[dict[str, str]]) -> list[Acta]:
    return list(actas(read_actas(Sample(rows=rows).write(folder / "A.csv"))))


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({}, ()),
        (
            {"PAN": "cuarenta"},
            (("VALOR_DESCONOCIDO", "columnas de votos o LISTA_NOMINAL"), ("SUMA_VOTOS", "100 y suman 60")),
        ),
        ({"TOTAL_VOTOS_CALCULADO": "ILEGIBLE"}, (("SUMA_VOTOS", "ilegible y suman 100"),)),
        ({"TOTAL_VOTOS_CALCULADO": "ILEGIBLE", "CONTABILIZADA": "0"}, ()),
        ({"LISTA_NOMINAL": "79"}, (("EXCEDE_SIN_MARCA", "100 votos, 99"),)),
        ({"LISTA_NOMINAL": "80"}, ()),
        ({"LISTA_NOMINAL": "0"}, ()),
        ({"SHA": "x" * 64}, (("SHA_FORMATO", f"«{'x' * 20}»"),)),
        ({"SHA": "-"}, ()),
        (
            {"FECHA_HORA_CAPTURA": "05/06/2021 20:10:00"},
            (("FECHA_RARA", "06/06/2021 20:01:00 | 05/06/2021 20:10:00 | 06/06/2021 20:20:00"),),
        ),
        ({"CONTABILIZADA": "sí", "PAN": "cuarenta"}, (("CONTABILIZADA_DESCONOCIDA", "«sí»"),)),
        ({"CONTABILIZADA": "-", "PAN": "cuarenta"}, ()),
        ({"CONTABILIZADA": "2", "PAN": "cuarenta", "SHA": "x"}, ()),
    ],
)
def test_faults_of_one_acta(tmp_path: Path, cells: dict[str, str], expected: tuple[tuple[str, str], ...]) -> None:
    [acta] = read(tmp_path, [row(1, **cells)])
    assert faults(acta) == expected


def test_many_faults_are_one_finding_with_its_first_line_and_a_few_examples(tmp_path: Path) -> None:
    found = RowFindings()
    for acta in read(tmp_path, [row(n, PAN="41", CLAVE_ACTA="") for n in range(1, 9)]):
        found.add(acta)
    [finding] = found.findings()
    assert (finding.codigo, finding.severidad, finding.donde) == ("SUMA_VOTOS", "avisa", "línea 6")
    assert finding.mensaje.startswith(
        "8 acta(s) cuyo total calculado no es la suma de sus votos: 040001B0100 (línea 6): 100 y suman 101; "
    )
    assert finding.mensaje.count("línea") == MAX_EXAMPLES


def test_repeated_keys_and_images_are_counted_within_the_catalogue_and_among_those_arrived(tmp_path: Path) -> None:
    same = {"CLAVE_ACTA": "040001B010003", "SHA": f"{7:064x}"}
    rows = [row(1, **same), row(2, **same), row(3, CONTABILIZADA="", **same), row(4, CONTABILIZADA="2", **same)]
    rows += [row(n, CLAVE_ACTA="-", SHA="-") for n in (5, 6)]
    found = RowFindings()
    for acta in read(tmp_path, rows):
        found.add(acta)
    images, keys = found.findings()
    assert (keys.codigo, keys.severidad, images.codigo, images.severidad) == (
        *("CLAVE_REPETIDA", "informa"),
        *("SHA_REPETIDO", "avisa"),
    )
    assert keys.mensaje == "CLAVE_ACTA no es única: 1 valores repetidos: 040001B010003 3 veces."
    assert images.mensaje.endswith("en más de un acta: 1 valores repetidos: 0000000000000000 2 veces.")


CELLS = st.fixed_dictionaries(
    {},
    optional={
        "PAN": st.sampled_from(["41", "x", "ILEGIBLE", ""]),
        "SHA": st.sampled_from(["", "-", "N/A", "xyz", f"{1:064x}", f"{2:064x}"]),
        "CLAVE_ACTA": st.sampled_from(["", "-", "A", "B"]),
        "CONTABILIZADA": st.sampled_from(["0", "1", "2", "", "-", "?"]),
        "LISTA_NOMINAL": st.sampled_from(["50", "x", "0"]),
        "FECHA_HORA_CAPTURA": st.sampled_from(["", "x", "01/01/2020 00:00"]),
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CELLS, max_size=14))
def test_told_by_columns_the_findings_are_those_of_one_by_one(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    found = read(tmp_path, [row(n, **cells) for n, cells in enumerate(rows, start=1)])
    one_by_one, told = RowFindings(), RowFindings()
    for acta in found:
        one_by_one.add(acta)
        for codigo, detalle in faults(acta):
            told.note(codigo, detalle, linea=acta.linea, nombre=acta.clave_acta or acta.clave_casilla)
    told.keys(acta.clave_acta for acta in found if acta.estado is not Estado.FUERA_CATALOGO)
    told.images(acta.sha for acta in found if acta.estado in ARRIVED)
    assert told.findings() == one_by_one.findings()
