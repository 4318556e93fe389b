"""Names, dates, elections and sentences: what people read."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from pregon.base.errors import EntradaError
from pregon.instituto.elecciones import from_code, identify
from pregon.instituto.portal import formato, frases
from pregon.instituto.portal.partidos import Actores
from pregon.instituto.portal.vista_unidad import file_id, folder_of_unit

CENTRO = ZoneInfo("America/Mexico_City")


def test_cut_moment_names_date_hour_offset_and_zone_of_that_day() -> None:
    summer = datetime(2021, 6, 7, 3, 40, tzinfo=UTC)
    assert (
        formato.momento(summer, CENTRO)
        == "6 de junio de 2021, 22:40\u00a0h (UTC−5), Tiempo del Centro"  # summer time still existed
    )
    assert formato.momento(datetime(2024, 6, 3, 4, 40, tzinfo=UTC), CENTRO).endswith("(UTC−6), Tiempo del Centro")
    assert formato.tiempo(ZoneInfo("America/Cancun")) == "Tiempo del Sureste"
    assert formato.tiempo(ZoneInfo("America/Hermosillo")) == "Tiempo del Pacífico"


@pytest.mark.parametrize(
    ("published", "shown"),
    [
        ("BIBY KAREN RABELO DE LA TORRE", "Biby Karen Rabelo de la Torre"),
        ("NIC-THE-HA AGUILERA SILVA", "Nic-The-Ha Aguilera Silva"),
        ("DEL CARMEN I", "Del Carmen I"),
        ("JUAN PABLO II", "Juan Pablo II"),
        ("PEÑA ÁLVAREZ", "Peña Álvarez"),
        ("María de los Ángeles", "María de los Ángeles"),
        ("  DOS   ESPACIOS ", "Dos Espacios"),
    ],
)
def test_capitals_become_prose(published: str, shown: str) -> None:
    assert formato.nombre_propio(published) == shown


@pytest.mark.parametrize(
    "text", ["Nombre Apellido Apellido", "SIN CANDIDATURA", "Sin registro", "", " - ", "N/A", None]
)
def test_placeholders_of_election_night_are_nobody(text: str | None) -> None:
    assert formato.candidatura(text) is None


def test_unit_name_loses_the_number_that_repeats_its_id_and_no_other() -> None:
    assert formato.unidad("007", "007. TENABO") == "Tenabo"
    assert formato.unidad("7", "007. TENABO") == "Tenabo"
    assert formato.unidad("010", "2 DE ABRIL") == "2 de Abril"
    assert formato.unidad("002", "002") == "002"


def test_sizes_never_promise_less() -> None:
    assert formato.bytes_legibles(1) == "0.1\u00a0kB"
    assert formato.bytes_legibles(1_000_001) == "1.1\u00a0MB"


@pytest.mark.parametrize(
    ("name", "titulo", "contest", "token"),
    [
        ("CAMP_GOB_2021.csv", "GUBERNATURA", "gub", "GOB"),
        ("CAMP_DIP_LOC_2021.csv", "DIPUTACIONES LOCALES", "dip", "DIP_LOC"),
        ("PUE_AYUN_2024.csv", "AYUNTAMIENTOS", "ayun", "AYUN"),
        ("CAMP_JUNTAS_2021.csv", "JUNTAS", "juntas", "JUNTAS"),
        ("PRES_2024.csv", "PRESIDENCIA", "pres", "PRES"),
        ("actas.csv", "Diputaciones Locales", "dip", "DIP"),
        ("actas.csv", "JEFATURA DE GOBIERNO", "gub", "GUB"),
    ],
)
def test_election_from_the_name_or_the_title(name: str, titulo: str, contest: str, token: str) -> None:
    found = identify(name, titulo)
    assert (found.eleccion.id, found.token) == (contest, token)


def test_unknown_election_is_refused_by_name() -> None:
    with pytest.raises(EntradaError, match=r"actas\.csv"):
        identify("actas.csv", "CONSULTA POPULAR")


def test_unit_folders_are_padded_and_safe() -> None:
    assert folder_of_unit("distrito", "7") == folder_of_unit("distrito", "007") == "distrito-007"
    assert folder_of_unit("municipio", "sin-municipio") == "sin-municipio"
    assert file_id("../Á/b") == "b"


def test_many_races_are_told_with_ties_and_empty_units() -> None:
    word = from_code("JUNTAS").unidad("distrito")
    text = frases.de_unidades([("MC", 3), ("PT", 1)], 7, word, ties=1, without_votes=2)
    assert (
        text
        == "MC encabeza en 3 de 7 juntas municipales; PT, en 1; hay empate en 1; en 2 aún no hay actas contabilizadas."
    )
    assert frases.de_unidades([], 7, word, ties=0, without_votes=7) == frases.SIN_ACTAS
    assert frases.de_unidades([], 2, word, ties=2, without_votes=0) == "Hay empate en 2 de 2 juntas municipales."


def test_columns_are_read_in_every_spelling() -> None:
    actores = Actores(
        ("PAN", "PRI", "MOR", "FM", "PNA", "MAS", "CQROO", "C_PAN_PRI", "CAND_IND_02", "NO_REGISTRADOS", "NULOS")
    )
    shown = {key: tuple(p.siglas for p in actores.partidos(key)) for key in actores.columnas}
    assert shown["MOR"] == ("MORENA",)
    assert shown["FM"] == ("FXM",)
    assert shown["C_PAN_PRI"] == ("PAN", "PRI")
    assert shown["CAND_IND_02"] == ("Ind. 2",)
    assert actores.partidos("MAS")[0].color != actores.partidos("CQROO")[0].color
    assert not actores.contiende("NULOS")
    assert not actores.contiende("NO_REGISTRADOS")
