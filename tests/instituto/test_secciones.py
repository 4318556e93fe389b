"""The files of secciones: which acta goes where, with which id, and the same text however it is made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from pregon.instituto.hojas import Hojas
from pregon.instituto.secciones import Hoja, Ids, amended, described, item, items_of, shard_of, sheets, text_in
from pregon.prep.model import Estado
from pregon.prep.reader import read_actas
from pregon.prep.rows import actas
from pregon.prep.text import natural
from pregon.tablas.fichas import understand, understand_rows
from pregon.tablas.siguiente import match, understand_next
from pregon.tablas.totales import totals
from tests.prep.muestras import row
from tests.tablas import tablitas
from tests.tablas.referencia import items

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.prep.model import Acta, ActaTable


def made(table: ActaTable) -> dict[str, bytes]:
    """The files of a table, by name."""
    seen = understand(table, fichas=True)
    hojas = sheets(seen.fichas.hojas, seen.secciones, seen.primeras)
    maker = Hojas("gub", table, Ids.of(table, seen.fichas), seen, None)
    return {name: maker.content(name, sheet) for name, sheet in hojas.items()}


def slow_ids(read: Sequence[Acta]) -> list[str | None]:
    """The id of each acta, by the rule alone: CLAVE_ACTA; ``.2`` … by unit, sección and casilla where it repeats."""
    found: list[str | None] = [None] * len(read)
    same: dict[str, list[int]] = {}
    for place, acta in enumerate(read):
        if acta.estado is not Estado.FUERA_CATALOGO:
            same.setdefault(acta.clave_acta or acta.clave_casilla, []).append(place)
    for key, places in same.items():
        ordered = sorted(places, key=lambda n: (_where(read[n]), n))
        for number, place in enumerate(ordered, start=1):
            found[place] = key if number == 1 else f"{key}.{number}"
    return found


def _where(acta: Acta) -> tuple[Any, ...]:
    return tuple(natural(text) for text in (acta.unidad, acta.seccion, acta.id_casilla, acta.ext_contigua))


def slow(table: ActaTable) -> dict[str, dict[str, Any]]:
    """The files of a table as objects, from its actas one by one."""
    read = list(actas(table))
    found: dict[str, dict[str, Any]] = {}

    def file(seccion: str, entidad: str) -> dict[str, Any]:
        empty = {"formato": "pregon/seccion/1", "columnas": list(table.columnas_voto), "secciones": [], "casillas": []}
        return found.setdefault(shard_of(seccion, entidad), empty)

    where = {(acta.unidad, acta.seccion): acta.entidad for acta in read}
    contest = totals(table)
    for section in sorted(contest.secciones, key=lambda s: (natural(s.id), natural(s.unidad))):
        item = section.as_dict(table.nivel)
        del item["contendientes"]
        file(section.id, where[section.unidad, section.id])["secciones"].append({**item, "votos": list(section.votos)})
    for acta, item, identity in zip(read, items(read, table.nivel), slow_ids(read), strict=True):
        file(acta.seccion, acta.entidad)["casillas"].append({"id": identity or None, **item})
    return found


def assert_told_alike(table: ActaTable) -> None:
    files = made(table)
    assert {name: json.loads(content) for name, content in files.items()} == slow(table)
    for content in files.values():
        assert content.endswith(b"]}]}\n")
        assert [json.loads(f'{{"id":{item}}}') for item in items_of(content)] == json.loads(content)["casillas"]


@settings(
    max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)
@given(rows=tablitas.rows(quoted=False), first=st.sampled_from(["", 'junto a "La Luz"']))
@example(rows=[], first="")
@example(  # a typing error in the entidad of one acta of a federal file
    rows=[
        row(1),
        row(2, CLAVE_CASILLA="090002B0100", ID_ESTADO="09"),
        row(3, CLAVE_CASILLA="090003B0100", ID_ESTADO="9x", SECCION="0700"),
    ],
    first="",
)
@example(rows=[row(1, SECCION="9" * 30), row(2, SECCION="1234567890"), row(3, SECCION="123456789")], first="")
@example(rows=[row(1, CLAVE_ACTA=""), row(2, CLAVE_ACTA="040001B0100")], first="")
def test_files_of_any_table_say_what_its_actas_say(tmp_path: Path, rows: list[dict[str, str]], first: str) -> None:
    rows = [{**rows[0], "UBICACION_CASILLA": first}, *rows[1:]] if rows else []
    assert_told_alike(read_actas(tablitas.write(tmp_path / "A.csv", rows)))


def test_ten_section_numbers_to_a_file_named_by_the_first() -> None:
    assert [shard_of(text) for text in ("0", "9", "0009", "10", "0118", "0120", "9999", "10000", "123456789")] == [
        *("0000", "0000", "0000", "0010", "0110", "0120", "9990", "10000", "123456780")
    ]
    assert {shard_of(text) for text in ("", "-", "12a", "٤", "1234567890", "9" * 40)} == {"otras"}
    assert (shard_of("0118", "09"), shard_of("", "09")) == ("09-0110", "09-otras")


def test_actas_keep_the_order_of_the_file_and_secciones_that_of_their_numbers(tmp_path: Path) -> None:
    rows = [row(n, SECCION=section) for n, section in enumerate(("9", "0003", "10", "0002", "9", "0011", ""), start=1)]
    table = read_actas(tablitas.write(tmp_path / "A.csv", rows))
    files = {name: json.loads(content) for name, content in made(table).items()}
    assert list(files) == ["0000", "0010", "otras"]
    assert [acta["clave"] for acta in files["0000"]["casillas"]] == [f"04{n:04d}B0100" for n in (1, 2, 4, 5)]
    assert [section["id"] for section in files["0000"]["secciones"]] == ["0002", "0003", "9"]
    assert [section["actas"]["esperadas"] for section in files["0000"]["secciones"]] == [1, 1, 2]
    seen = understand(table, fichas=True)
    told = described(sheets(seen.fichas.hojas, seen.secciones, seen.primeras))
    assert [(one["archivo"], one["desde"], one["hasta"], one["secciones"], one["actas"]) for one in told] == [
        ("seccion/0000.json", "0002", "9", 3, 4),
        ("seccion/0010.json", "10", "0011", 2, 2),
        ("seccion/otras.json", None, None, 1, 1),
    ]


def test_ids_of_repeated_keys_do_not_depend_on_the_order_of_the_file(tmp_path: Path) -> None:
    same = {"CLAVE_ACTA": "04X"}
    rows = [
        row(1, **same, ID_DISTRITO_LOCAL="10"),
        row(2, **same, ID_DISTRITO_LOCAL="2"),
        row(3, **same, ID_DISTRITO_LOCAL="2", SECCION="0001"),
        row(4, **same, CONTABILIZADA="2"),
        row(5, CLAVE_ACTA=""),
        row(6),
    ]
    wanted = {"040001B0100": "04X.3", "040002B0100": "04X.2", "040003B0100": "04X", "040004B0100": None}
    wanted |= {"040005B0100": "040005B0100", "040006B0100": "040006B010003"}
    for order in (rows, rows[::-1], rows[3:] + rows[:3]):
        files = made(read_actas(tablitas.write(tmp_path / "A.csv", order)))
        read = [acta for content in files.values() for acta in json.loads(content)["casillas"]]
        assert {acta["clave"]: acta["id"] for acta in read} == wanted


def test_text_of_an_acta_is_the_same_bytes_asked_alone_or_with_all_and_parts_again(tmp_path: Path) -> None:
    """A file made from the previous cut and one made from nothing must be the same bytes, whatever the cells hold."""
    odd = [
        *tablitas.ODD,
        *tablitas.CELLS,
        *tablitas.KEYS,
        *tablitas.TOLD,
        "</script>",
        "a/b",
        "\x7f",
        "\x1b",
        "\ufeff",
        "‮",
    ]
    odd = [text for text in odd if not set(text) & set('",')] + [chr(n) for n in range(1, 32) if n not in (10, 13)]
    rows = [row(n, OBSERVACIONES=text, SHA=text, PAN=text, ID_CASILLA=text) for n, text in enumerate(odd, start=1)]
    rows.append(
        row(999, OBSERVACIONES='di"jo', SHA='},{"id":', ID_CASILLA='"clave":', CLAVE_ACTA='],"casillas":[{"id":')
    )
    table = read_actas(tablitas.write(tmp_path / "A.csv", rows))
    texts = understand(table, fichas=True).textos
    places = range(0, len(table.filas), 3)
    assert understand_rows(table, places, ()).textos == {place: texts[place] for place in places}
    for content in made(table).values():
        for text, acta in zip(items_of(content), json.loads(content)["casillas"], strict=True):
            assert json.loads(f'{{"id":{text}}}') == acta
            del acta["id"]
            assert json.loads(f"{{{text_in(text)}}}") == acta


@pytest.mark.datos
@pytest.mark.parametrize(
    "name", ["puebla-2024/20240603_2000_noche/PUE_AYUN_2024.csv", "quintana-roo-2019/QROO_DIP_LOC_2019.csv"]
)
def test_files_of_a_real_table_say_what_its_actas_say(datos: Path, name: str) -> None:
    assert_told_alike(read_actas(datos / name))


def changed_rows() -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Two cuts of the same actas, in their places: one corrected, one that arrives, in two files of three."""
    rows = [row(n, SECCION=f"{n:04d}", ID_DISTRITO_LOCAL=f"{1 + n % 2:03d}") for n in range(1, 28)]
    after = [dict(one) for one in rows]
    after[3] |= {"PAN": "99", "OBSERVACIONES": "dice }]}{'id': y \\"}
    after[12] |= {"MC": "7", "SHA": "f" * 64}
    return rows, after


def test_file_amended_is_the_file_made_whole(tmp_path: Path) -> None:
    before, after = (read_actas(tablitas.write(tmp_path / f"{n}.csv", rows)) for n, rows in enumerate(changed_rows()))
    assert before.crudas is not None
    assert after.crudas is not None
    found = match(after.crudas, before.crudas)
    assert found is not None
    gone = [before.crudas[place] for place in found.idas]
    seen = understand_next(after, gone, understand(before, fichas=True), found)
    assert seen.tocadas is not None
    old, whole, ids = made(before), made(after), Ids.of(after, seen.fichas)
    amendments = 0
    for name, sheet in sheets(seen.fichas.hojas, seen.secciones, seen.primeras).items():
        came = {n: item(ids[n], seen.textos[n]) for n in found.nuevas if n in sheet.actas}
        assert amended(old[name], sheet, after.nivel, seen.tocadas, came) == whole[name]
        amendments += old[name] != whole[name]
        fewer = Hoja(sheet.actas[:-1], sheet.secciones), Hoja(sheet.actas, sheet.secciones[:-1])
        assert [amended(old[name], other, after.nivel, seen.tocadas, {}) for other in fewer] == [None, None]
    assert amendments == 2
