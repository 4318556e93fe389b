"""One small file for each oddity of the years, as its institute wrote it; each also comes out again whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.prep.inconsistencias import DEFINICIONES, definitions_met
from pregon.prep.model import CAMPOS, Estado, Marker
from pregon.prep.reader import read_actas
from pregon.prep.rows import actas
from pregon.tablas.totales import totals
from tests.prep.valores import written

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.prep.model import Acta, ActaTable

NAMES = (
    "ACTAS_ESPERADAS,ACTAS_REGISTRADAS,ACTAS_FUERA_CATALOGO,ACTAS_CAPTURADAS,PORCENTAJE_ACTAS_CAPTURADAS,"
    "ACTAS_CONTABILIZADAS,PORCENTAJE_ACTAS_CONTABILIZADAS,PORCENTAJE_ACTAS_INCONSISTENCIAS,ACTAS_NO_CONTABILIZADAS,"
    "LISTA_NOMINAL_ACTAS_CONTABILIZADAS,TOTAL_VOTOS_C_CS,TOTAL_VOTOS_S_CS,PORCENTAJE_PARTICIPACION_CIUDADANA"
)
SHA = "a1" * 32


def read(folder: Path, text: str, *, encoding: str = "utf-8") -> tuple[ActaTable, list[Acta]]:
    """Read a file written in a test; it must come out again byte for byte."""
    path = folder / "ACTAS.csv"
    path.write_bytes(text.encode(encoding))
    table = read_actas(path)
    assert written(table) == path.read_bytes()
    return table, list(actas(table))


def test_quintana_roo_2019_sep_line_pipes_formula_keys_and_year_first(tmp_path: Path) -> None:
    table, (acta,) = read(
        tmp_path,
        "sep=|\nDIPUTACIONES LOCALES\n2019/06/03 05:47 (UTC-5)\n"
        + NAMES.replace(",", "|")
        + "\n1|1|0|1|100.0000|1|100.0000|0.0000|0|483|77|77|15.9420\n\n"
        "CLAVE_CASILLA|CLAVE_ACTA|ID_ESTADO|ESTADO|ID_DISTRITO|DISTRITO|SECCION|ID_CASILLA|TIPO_CASILLA|EXT_CONTIGUA|"
        "TOTAL_VOTOS_SACADOS|PAN|PRD|MAS|PESQROO|C_PAN_PRD_PESQROO|C_PAN_PRD|CAND_IND_1|CAND_IND_2|NO_REGISTRADOS|"
        "NULOS|TOTAL_VOTOS_ASENTADO|TOTAL_VOTOS_CALCULADO|LISTA_NOMINAL|REPRESENTANTES_PP_CI|OBSERVACIONES|"
        "CONTABILIZADA|SHA|FECHA_HORA_ACOPIO\n"
        f'="230085B0100"|230085B010002|23|QUINTANA ROO|1|DISTRITO 1|85|1|B|0|77|20|30|10|5|4|3|-|1|0|4|77|77|483|6||1|'
        f"{SHA}|2019-06-03 02:45:00\n\n",
    )
    assert table.dialecto.descripcion == "barra, UTF-8, LF, línea sep=, claves con formula"
    assert table.original.cola == "\n"
    assert (acta.clave_casilla, acta.suma, acta.marcas) == ("230085B0100", 77, {"CAND_IND_1": "no_contiende"})
    assert dict(totals(table).recalculado)["TOTAL_VOTOS_C_CS"] == 77


def test_puebla_2019_latin_1_thousands_percent_signs_and_its_own_column_names(tmp_path: Path) -> None:
    """Also one field too many in every row, and only ten of the thirteen summary fields."""
    table, (first, second) = read(
        tmp_path,
        "sep=|\r\nAYUNTAMIENTOS (EXTRAORDINARIA)\r\n3/6/2019 09:15 (UTC-5)\r\n"
        "ACTAS_ESPERADAS|ACTAS_REGISTRADAS|ACTAS_FUERA_DE_CATÁLOGO|ACTAS_CAPTURADAS|PORCENTAJE_ACTAS_CAPTURADAS|"
        "ACTAS_CONTABILIZADAS|PORCENTAJE_ACTAS_CONTABILIZADAS|PORCENTAJE_ACTAS_CON_INCONSISTENCIAS|"
        "ACTAS_NO_CONTABILIZADAS|PORCENTAJE_PARTICIPACION_CIUDADANA\r\n"
        "7,548|7,516|1|7,515|'99.5628%|7,463|'98.8738%|'20.0715%|52|'33.4206%\r\n\r\n"
        "CLAVE_CASILLA|CLAVE_ACTA|ID_ESTADO|ESTADO|ID_MUNICIPIO|MUNICIPIO|SECCION|ID_CASILLA|TIPO_CASILLA|"
        "EXT_CONTIGUA|NUM_BOLETAS_SOBRANTES|TOTAL_CIUDADANOS_VOTARON|TOTAL_VOTOS_SACADOS|PAN|PRI|NO_REGISTRADOS|NULOS|"
        "TOTAL_VOTOS|LISTA_NOMINAL|OBSERVACIONES|CONTABILIZADA|CODIGO_INTEGRIDAD|FECHA_HORA_ACOPIO\r\n"
        "'210001B0100|'210001B010004|21|PUEBLA|7|AHUAZOTEPEC|1|1|B|0|200|181|181|100|70|1|10|181|1,204|"
        f"Ilegible,Identificación forzada,Todos los campos ilegibles|1|{SHA}|02/06/2019 21:03:11|\r\n"
        "-|-|21|PUEBLA|-|-|-|-|-|-|-|-|-|-|-|-|-|-|-|Fuera de catálogo|-|-|2019-06-02 21:03|\r\n",
        encoding="latin-1",
    )
    assert (table.dialecto.encoding, table.dialecto.line_end, table.nivel) == ("latin-1", "\r\n", "municipio")
    assert table.encabezado["ACTAS_ESPERADAS"] == 7548
    assert table.encabezado["ACTAS_FUERA_CATALOGO"] == 1
    assert table.encabezado["PORCENTAJE_ACTAS_CONTABILIZADAS"] == "98.8738"
    assert [name for name in CAMPOS if table.encabezado[name] is None] == [
        "LISTA_NOMINAL_ACTAS_CONTABILIZADAS",
        "TOTAL_VOTOS_C_CS",
        "TOTAL_VOTOS_S_CS",
    ]
    assert [f.codigo for f in table.hallazgos] == ["CAMPO_DE_MAS"]
    assert (first.calculado, first.lista_nominal, first.estado) == (181, 1204, Estado.CONTABILIZADA)
    assert definitions_met(first.observaciones) == (True, True, False, True)
    assert second.estado is Estado.FUERA_CATALOGO


def test_puebla_2024_mark_of_order_blank_line_and_floats_in_the_summary(tmp_path: Path) -> None:
    table, (acta,) = read(
        tmp_path,
        f"\ufeffGUBERNATURA\n03/06/2024 20:00 (UTC-6)\n\n{NAMES}\n"
        "1,1,0,1,100.0000,1,100.0000,0.0000,0.0,500,484.0,484.0,96.8000\n\n"
        "CLAVE_CASILLA,CLAVE_ACTA,ID_ENTIDAD,ENTIDAD,ID_DISTRITO,DISTRITO,SECCION,ID_CASILLA,TIPO_CASILLA,EXT_CONTIGUA,"
        "TOTAL_VOTOS_SACADOS,PAN,PRI,C_PAN_PRI,NO_REGISTRADAS,NULOS,TOTAL_VOTOS_ASENTADO,TOTAL_VOTOS_CALCULADO,"
        "LISTA_NOMINAL,REPRESENTANTES_PP_CI,OBSERVACIONES,CONTABILIZADA,CODIGO_INTEGRIDAD\n"
        f"'210001B0100,'210001B01002,'21,PUEBLA,'001,XICOTEPEC,'0001,'01,B,'00,484,200,200,SIN DATO,ILEGIBLE,84,"
        f"SIN DATO,484.0,500,20, - ,1,{SHA}\n",
    )
    assert table.dialecto.bom
    assert (table.encabezado["TOTAL_VOTOS_C_CS"], table.encabezado["ACTAS_NO_CONTABILIZADAS"]) == (484, 0)
    assert acta.votos == (200, 200, Marker.SIN_DATO, Marker.ILEGIBLE, 84)
    assert (acta.unidad, acta.calculado, acta.asentado) == ("001", 484, Marker.SIN_DATO)
    assert definitions_met(acta.observaciones) == (False,) * len(DEFINICIONES)


def test_sonora_2021_quoted_frame_accents_and_typing_errors(tmp_path: Path) -> None:
    table, (acta,) = read(
        tmp_path,
        '\ufeff"Diputaciones Locales"\n"07/06/2021 13:19 (UTC-7)"\n'
        + NAMES.replace("ACTAS_FUERA_CATALOGO", "ACTAS_FUERA_CATÁLOGO")
        + "\n1,1,0,1,100.0000,1,100.0000,0.0000,0,500,300,300,60.0000\n\n"
        "CLAVE_CASILLA,CLAVE_ACTA,ID_ESTADO,ESTADO,ID_DISTRITO_LOCAL,DISTRITO_LOCAL,SECCION,TIPO_CASILLA,TIPO_ACTA,"
        "TOTAL_VOTOS_SACADOS,PAN,MORENA,NO_REGISTRADAS,NULOS,TOTAL_VOTOS_CALCULADO,LISTA_NOMINAL,OBSERVACIONES,"
        "CONTABILIZADA\n'260777B0100,'260777B01003,26,SONORA,1,SAN LUIS,777,B,3},300,100,190,sin_dato,10,300,500,,1\n",
    )
    assert table.titulo == "Diputaciones Locales"
    assert table.hora_corte.isoformat() == "2021-06-07T13:19:00-07:00"
    assert table.encabezado["ACTAS_FUERA_CATALOGO"] == 0
    assert acta.votos[2] is Marker.SIN_DATO


def test_queretaro_2018_quoted_keys_bare_coalitions_and_no_word_for_pending(tmp_path: Path) -> None:
    table, (counted, absent) = read(
        tmp_path,
        f"AYUNTAMIENTOS\n02/07/2018 11:45(UTC-5)\n{NAMES}\n2,1,0,1,50.0000,1,50.0000,0.0000,0,500,300,300,60.0000\n\n"
        "CLAVE_CASILLA,CLAVE_ACTA,ID_ESTADO,ESTADO,ID_MUNICIPIO,MUNICIPIO,SECCION,TIPO_CASILLA,TOTAL_VOTOS_SACADOS,"
        "PAN,PRD,MC,MORENA,PT,PAN_PRD_MC,PAN_MC,MORENA_PT,CAND_IND_EGL,NO_REGISTRADOS,NULOS,TOTAL_VOTOS_CALCULADO,"
        "LISTA_NOMINAL,OBSERVACIONES,CONTABILIZADA\n"
        '"220277B0100","220277B010004",22,QUERETARO,6,CORREGIDORA,277,B,300,100,50,25,25,10,30,20,15,5,10,10,300,500,,1\n'
        '"220277C0100","220277C010004",22,QUERETARO,6,CORREGIDORA,277,C,,,,,,,,,,,,,-,510,SIN ACTA,\n',
    )
    assert table.hora_corte.isoformat() == "2018-07-02T11:45:00-05:00"
    assert (counted.clave_casilla, absent.estado) == ("220277B0100", Estado.PENDIENTE)
    members = {c.columna: c.miembros for c in table.columns.contendientes if c.clase == "coalicion"}
    assert members == {"PAN_PRD_MC": ("PAN", "PRD", "MC"), "PAN_MC": ("PAN", "MC"), "MORENA_PT": ("MORENA", "PT")}
    assert sum(totals(table).partidos.values()) == 300


def test_federal_2021_counts_of_codes_stand_before_the_parties(tmp_path: Path) -> None:
    table, (acta,) = read(
        tmp_path,
        "DIPUTACIONES FEDERALES\r\n06/06/2021 18:00 (UTC-5)\r\n"
        + NAMES.replace("FUERA_CATALOGO", "FUERA_DE_CATALOGO").replace("S_INC", "S_CON_INC").replace(",", "|")
        + "\r\n1|1|0|1|100.0000|1|100.0000|0.0000|0|500|100|100|20.0000\r\n\r\n"
        "CLAVE_CASILLA|CLAVE_ACTA|ID_ESTADO|ESTADO|ID_DISTRITO_FEDERAL|DISTRITO_FEDERAL|SECCION|TIPO_CASILLA|"
        "TOTAL_VOTOS_SACADOS|CODIGOS_ENTREGADOS_PMDC|CODIGOS_SOBRANTES|CODIGOS_UTILIZADOS|PAN|PRI|CAND_IND_1|PAN_PRI|"
        "NO_REGISTRADOS|NULOS|TOTAL_VOTOS_CALCULADO|LISTA_NOMINAL|OBSERVACIONES|CONTABILIZADA|COTEJADA\r\n"
        "010338B0100|010338B010002|1|AGUASCALIENTES|1|JESUS MARIA|338|B|100|9|9|9|50|30|-|10|0|10|100|500||1|0\r\n",
    )
    assert table.columnas_voto == ("PAN", "PRI", "CAND_IND_1", "PAN_PRI", "NO_REGISTRADOS", "NULOS")
    assert acta.suma == 100
    assert table.encabezado["PORCENTAJE_ACTAS_INCONSISTENCIAS"] == "0.0000"


def test_federal_2024_cr_only_keys_in_two_apostrophes_mixed_coalitions_and_lists(tmp_path: Path) -> None:
    table, (acta,) = read(
        tmp_path,
        f"\ufeffPRESIDENCIA\r03/06/2024 20:05 (UTC-6)\r{NAMES}\r"
        "1,1,0,1,100.0000,1,100.0000,100.0000,0,500,100,100,20.0000\r\r"
        "CLAVE_CASILLA,CLAVE_ACTA,ID_ENTIDAD,ENTIDAD,ID_DISTRITO_FEDERAL,DISTRITO_FEDERAL,SECCION,TIPO_CASILLA,"
        "TOTAL_VOTOS_SACADOS,PAN,PRI,PRD,PVEM,PT,MC,MORENA,PAN-PRI-PRD,PAN-PRI,PVEM_PT_MORENA,PT_MORENA,"
        "NO_REGISTRADAS,NULOS,TOTAL_VOTOS_CALCULADO,LISTA_NOMINAL,OBSERVACIONES,CONTABILIZADA\r"
        "'010338B0100','010338B010001',1,AGUASCALIENTES,1,JESUS MARIA,338,B,100,20,10,Sin dato,5,5,10,30,6,4,6,2,0,2,"
        "100,500,\"['Ilegible', 'Sin dato']\",1\r",
    )
    assert (table.dialecto.line_end, acta.clave_casilla) == ("\r", "010338B0100")
    members = {c.columna: c.miembros for c in table.columns.contendientes if c.clase == "coalicion"}
    assert members["PAN-PRI-PRD"] == ("PAN", "PRI", "PRD")
    assert members["PVEM_PT_MORENA"] == ("PVEM", "PT", "MORENA")
    contest = totals(table)
    assert (contest.recalculado["PORCENTAJE_ACTAS_INCONSISTENCIAS"], contest.regla_inconsistencias) == (
        "100.0000",
        "amplia",
    )
    assert dict(contest.candidaturas) == {
        "PAN-PRI-PRD": 40,
        "PVEM_PT_MORENA": 48,
        "MC": 10,
        "NO_REGISTRADAS": 0,
        "NULOS": 2,
    }


def test_mexico_city_2024_line_of_tabs_common_candidacy_and_zone_in_dates(tmp_path: Path) -> None:
    table, (acta,) = read(
        tmp_path,
        f"JEFATURA DE GOBIERNO\r\n02/06/2024 23:40(UTC-6)\r\n{NAMES}\r\n"
        "1,1,0,1,100.0000,1,100.0000,0.0000,0,500,100,100,20.0000\r\n\t\t\t\t\r\n"
        "CLAVE_CASILLA,CLAVE_ACTA,ID_ENTIDAD,ENTIDAD,ID_DISTRITO_LOCAL,DISTRITO_LOCAL,SECCION,TIPO_CASILLA,"
        "TOTAL_VOTOS_SACADOS,PAN,PRI,MORENA,PT,CC_MORENA_PT,NO_REGISTRADAS,NULOS,TOTAL_VOTOS_CALCULADO,LISTA_NOMINAL,"
        "OBSERVACIONES,CONTABILIZADA,FECHA_HORA_ACOPIO\r\n"
        "090001U0100,090001U0100A04UE,9,CIUDAD DE MÉXICO,1,GUSTAVO A. MADERO,1,U,100,30,20,20,10,15,0,5,100,500,--,1,"
        "02/06/2024 20:10:00 (UTC-6)\r\n",
        encoding="latin-1",
    )
    contest = totals(table)
    assert (contest.partidos["CC_MORENA_PT"], contest.candidaturas["CC_MORENA_PT"]) == (15, 45)
    assert [special.nombre for special in contest.entidad.especiales] == ["Urna electrónica"]
    assert acta.fechas[0].endswith("(UTC-6)")


def test_campeche_2021_summary_at_zero_and_mixed_dates(tmp_path: Path) -> None:
    table, (pending, outside) = read(
        tmp_path,
        f"JUNTAS\n01/06/2021 18:52 (UTC-5)\n{NAMES}\n1,0,0,0,0,0,0,0,0,,,0,\n\n"
        "CLAVE_CASILLA,CLAVE_ACTA,ID_ESTADO,ESTADO,ID_DISTRITO_LOCAL,DISTRITO_LOCAL,SECCION,TIPO_CASILLA,"
        "TOTAL_VOTOS_SACADOS,PAN,MOR,FM,NO_REGISTRADOS,NULOS,TOTAL_VOTOS_CALCULADO,LISTA_NOMINAL,OBSERVACIONES,"
        "CONTABILIZADA,FECHA_HORA_ACOPIO\n"
        "'040118B0100,'040118B010007,'04,CAMPECHE,'004,HAMPOLOL,'0118,B,,,,,,,,486,,,\n"
        "-,-,4,CAMPECHE,-,-,-,-,-,-,-,-,-,-,-,-,FUERA DE CATALOGO,0,2021-06-07 11:15:00.000000\n",
    )
    assert table.encabezado["TOTAL_VOTOS_C_CS"] is None
    assert table.encabezado["PORCENTAJE_ACTAS_CAPTURADAS"] == "0.0000"
    assert (pending.estado, outside.estado) == (Estado.PENDIENTE, Estado.FUERA_CATALOGO)
    assert set(pending.votos) == {Marker.VACIO}
    assert table.entidades == ("04",)  # «4» of the row without key is not another entidad


def test_semicolons_tabs_and_odd_ends_are_kept_too(tmp_path: Path) -> None:
    text = (
        f"GUBERNATURA\r\n06/06/2021 22:40 (UTC-5)\r\n{NAMES}\r\n1,1,0,1,100,1,100,0,0,500,10,10,2\r\n \t \r\n"
        "CLAVE_CASILLA,ID_DISTRITO,SECCION,TIPO_CASILLA,TOTAL_VOTOS_SACADOS,PAN,NULOS,TOTAL_VOTOS_CALCULADO,"
        "LISTA_NOMINAL,OBSERVACIONES,CONTABILIZADA\r\n\r\n040001B0100,1,1,B,10,5,5,10,500,,1\n\n\n"
        '040002B0100,1,2,B,10,5,5,10,500,"dos\r\nlíneas",1\r\n\t\r\n'
    )
    for delimiter in ";\t":
        table, found = read(tmp_path, text.replace(",", delimiter))
        assert [acta.suma for acta in found] == [10, 10]
        assert found[1].observaciones == "dos\r\nlíneas"
        assert table.lineas == (8, 11)
