"""The data files against their published schemas: what is produced fits them, and what is wrong does not."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from pregon.instituto import contrato
from pregon.instituto.fuentes import sources
from pregon.prep.model import CAMPOS, Marker
from tests.instituto.conftest import CAMPECHE, HORA, INICIO, campeche_sources, unpack
from tests.instituto.contratos import check, check_totals, contest, follow, package_files, validators
from tests.prep.muestras import Sample, row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.instituto.conftest import Night, Published

FILE_MAX_BYTES = 512 << 10
"""Largest data file of a real state: Puebla 2024, 217 municipalities in one ``entidad.json``, takes 373 kB."""
FIGURES = 20_000


def nodes(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        yield path, value
        for key, item in value.items():
            yield from nodes(item, f"{path}/{key}")
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from nodes(item, f"{path}/{place}")


def test_schemas_are_valid_closed_and_explain_every_key_in_spanish() -> None:
    shared: dict[str, Any] = {}
    for name in contrato.NOMBRES:
        schema = contrato.schema(name)
        Draft202012Validator.check_schema(schema)
        assert schema["$schema"].endswith("2020-12/schema")
        assert schema["$id"] == f"urn:pregon:esquema:{name}:{contrato.VERSION}"
        for path, node in nodes(schema):
            for key, item in node.get("properties", {}).items() if isinstance(node.get("properties"), dict) else ():
                assert item["description"].endswith((".", "…")), (name, path, key)
            if node.get("type") == "object":
                assert "additionalProperties" in node, (name, path)
        for key, definition in schema["$defs"].items():
            assert shared.setdefault(key, definition) == definition, f"«{key}» says two things"
            assert f'"#/$defs/{key}"' in json.dumps(schema), f"«{key}» is not used in {name}"
    assert tuple(shared["recalculado"]["properties"]) == tuple(shared["encabezado"]["properties"]) == CAMPOS
    marks = shared["acta"]["properties"]["votos"]["items"]["pattern"].strip("^$()").split("|")
    assert set(marks) == {marker.value for marker in Marker}


def test_synthetic_cuts_fit_their_schemas_before_during_and_at_the_end(night: Night, tmp_path: Path) -> None:
    space = night.create()
    moments = (INICIO.replace(hour=19), HORA, HORA.replace(hour=23))
    for place, moment in enumerate(moments):
        built = night.cut(space, moment, ultimo=moment is moments[-1])
        site = unpack(built, tmp_path / str(place))
        files = package_files(site)
        files["manifiesto.json"] = (built.carpeta / "manifiesto.json").read_bytes()
        seen = check(files.items())
        each = dict.fromkeys(("indice", "entidad", "cambios", "noche", "estadistica"), 2)
        assert seen == {"corte": 1, "manifiesto": 1, "unidad": 4, "seccion": 4, **each}
        for route, data in contrato.published():
            assert (site / route).read_bytes() == data
        corte = json.loads(files["corte.json"])
        assert corte["esquemas"] == contrato.CARPETA
        assert all(item["indice"] == f"{item['datos']}indice.json" for item in corte["contiendas"])
        assert all(item["datos"].startswith(corte["datos"]) for item in corte["contiendas"])


def test_federal_files_have_circunscripciones_and_secciones_of_each_entidad(tmp_path: Path) -> None:
    rows = [
        row(1, ID_ESTADO="04"),
        row(2, SECCION="0001", ID_ESTADO="09", ESTADO="CIUDAD DE MÉXICO", CLAVE_CASILLA="090001B0100"),
        row(3, TIPO_CASILLA="S", CLAVE_CASILLA="040003S0100", CLAVE_ACTA="040003S010003"),
    ]
    path = tmp_path / "PRES_2024.csv"
    Sample(titulo="PRESIDENCIA", rows=rows).write(path)
    computed, files = contest(sources([path])[0])
    check(files.items())
    found = follow(files, "datos/0001/pres/indice.json")
    assert found.read == files.keys()
    check_totals(found, computed)
    assert set(found.entidad["niveles"]) == {"nacional", "circunscripcion", "entidad", "distrito"}
    assert [item["archivo"] for item in found.indice["secciones"]] == ["seccion/04-0000.json", "seccion/09-0000.json"]
    assert [item["tipo"] for item in found.entidad["niveles"]["nacional"][0]["especiales"]] == ["S"]


@pytest.mark.datos
def test_every_file_of_campeche_fits_is_reached_by_routes_and_says_what_the_totals_say(campeche: Published) -> None:
    files = package_files(campeche.folder)
    files["manifiesto.json"] = (campeche.built.carpeta / "manifiesto.json").read_bytes()
    seen = check(files.items())
    shards = seen.pop("seccion")
    each = dict.fromkeys(("indice", "entidad", "cambios", "noche", "estadistica"), 4)
    assert seen == {"corte": 1, "unidad": 77, "manifiesto": 1, **each}
    assert shards >= 20
    corte = json.loads(files["corte.json"])
    reached = {"corte.json", "manifiesto.json"}
    figures = 0
    for item, source in zip(corte["contiendas"], campeche.sources, strict=True):
        found = follow(files, item["indice"])
        reached |= found.read
        figures += check_totals(found, contest(source)[0])
    assert reached == files.keys()
    assert figures > FIGURES
    assert max(map(len, (data for route, data in files.items() if route != "manifiesto.json"))) < FILE_MAX_BYTES


@pytest.mark.datos
@pytest.mark.parametrize(
    ("name", "abroad", "count", "each"),
    [
        ("GUB", "210000A01002", 14, 4),
        ("AYUN", "210000A01004", 30, 5),
        pytest.param("GUB", "210000A01002", 14, 1, marks=pytest.mark.aguante),
    ],
)
def test_every_file_of_puebla_fits_is_reached_and_is_small(
    datos: Path, name: str, abroad: str, count: int, each: int
) -> None:
    """One in ``each`` files of secciones goes through its schema; all are compared with the totals."""
    path = datos / "puebla-2024" / "20240603_2000_noche" / f"PUE_{name}_2024.csv"
    computed, files = contest(sources([path])[0])
    shards = [route for route in files if contrato.kind_of(route) == "seccion"]
    skipped = set(shards) - set(shards[::each])
    check((route, data) for route, data in files.items() if route not in skipped)
    found = follow(files, next(route for route in files if route.endswith("/indice.json")))
    assert found.read == files.keys()
    assert check_totals(found, computed) > FIGURES
    assert max(map(len, files.values())) < FILE_MAX_BYTES
    ids = [acta["id"] for acta in found.actas if acta["id"] is not None]
    assert len(set(ids)) == len(ids)  # though votes from abroad share one CLAVE_ACTA
    assert sum(identity.startswith(abroad) for identity in ids) == count
    assert {abroad, f"{abroad}.2", f"{abroad}.{count}"} <= set(ids)


@pytest.mark.datos
@pytest.mark.parametrize("name", CAMPECHE)
def test_an_id_is_the_same_thing_in_every_cut(datos: Path, name: str) -> None:
    place = CAMPECHE.index(name)
    cuts = []
    for number, cut in enumerate(("20210606_2240", "20210607_2000"), start=1):
        _, files = contest(campeche_sources(datos, cut)[place], corte=number)
        cuts.append(follow(files, next(route for route in files if route.endswith("/indice.json"))))
    before, after = cuts
    assert before.archivo_de.items() <= after.archivo_de.items()
    assert before.indice["unidades"] == after.indice["unidades"]
    assert before.indice["partidos"] == after.indice["partidos"]
    assert {item["clave"]: item["partidos"] for item in before.indice["candidaturas"]}.items() <= {
        item["clave"]: item["partidos"] for item in after.indice["candidaturas"]
    }.items()
    told = [{acta["id"]: _identity(acta, cut.indice["nivel"]) for acta in cut.actas if acta["id"]} for cut in cuts]
    assert told[0] == told[1]
    for ids, shown in zip(told, cuts, strict=True):
        assert len(ids) == sum(acta["estado"] != "fuera_catalogo" for acta in shown.actas)
    assert sum(acta["id"] is None for acta in after.actas) == 3


def _identity(acta: dict[str, Any], nivel: str) -> tuple[Any, ...]:
    return tuple(acta[key] for key in ("clave", "clave_acta", nivel, "seccion", "tipo", "id_casilla", "ext_contigua"))


@pytest.mark.datos
def test_placeholders_are_pending_and_their_text_is_nowhere_in_the_data(campeche: Published) -> None:
    pending = named = 0
    for route, data in package_files(campeche.folder).items():
        if contrato.kind_of(route) == "unidad":
            for line in json.loads(data)["resultado"]["candidaturas"]:
                assert not (line["pendiente"] and line["propietaria"])
                pending += line["pendiente"]
                named += line["propietaria"] is not None
        assert b"Apellido" not in data
    assert pending > 0
    assert named > 300
    index = json.loads((campeche.folder / "datos/0001/gub/indice.json").read_bytes())
    assert "Layda Elena Sansores San Roman" in [item["propietaria"] for item in index["candidaturas"]]


# --- what is wrong is refused ---


def _set(path: str, value: Any) -> Callable[[Any], None]:
    """Put ``value`` at ``path`` (keys and places separated by ``/``)."""

    def change(document: Any) -> None:
        *way, last = path.split("/")
        for step in way:
            document = document[int(step) if isinstance(document, list) else step]
        document[int(last) if isinstance(document, list) else last] = value

    return change


def _drop(path: str) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        *way, last = path.split("/")
        for step in way:
            document = document[int(step) if isinstance(document, list) else step]
        del document[last]

    return change


MUTATIONS = [
    ("corte", _drop("hora_corte")),
    ("corte", _set("corte", "1")),
    ("corte", _set("corte", value=True)),
    ("corte", _set("hora_corte", "2021-06-06T22:40:00")),
    ("corte", _set("ambiente", "prueba")),
    ("corte", _set("datos", "/datos/0001/")),
    ("corte", _set("contiendas", [])),
    ("corte", _set("contiendas/0/id", "gobernador")),
    ("corte", _set("contiendas/0/datos", "datos/0001/gub")),
    ("corte", _set("contiendas/0/indice", "https://otro.mx/indice.json")),
    ("corte", _set("extra", 1)),
    ("indice", _set("formato", "pregon/indice/2")),
    ("indice", _set("nivel", "estado")),
    ("indice", _set("unidades/0/archivo", "../001.json")),
    ("indice", _set("secciones/0/actas", -1)),
    ("indice", _drop("candidaturas/0/pendiente")),
    ("indice", _set("hora_corte", "2021-06-06T22:40:00-05:00")),
    ("entidad", _drop("niveles/distrito")),
    ("entidad", _set("niveles/municipio", [])),
    ("entidad", _set("niveles/comarca", [])),
    ("entidad", _set("niveles/nacional", [])),
    ("entidad", _set("contendientes/PAN", "40")),
    ("entidad", _set("contendientes/PAN", -40)),
    ("entidad", _set("contendientes/PAN", None)),
    ("entidad", _set("recalculado/ACTAS_ESPERADAS", None)),
    ("entidad", _set("recalculado/PORCENTAJE_PARTICIPACION_CIUDADANA", "25.000")),
    ("entidad", _set("recalculado/PORCENTAJE_PARTICIPACION_CIUDADANA", 25.0)),
    ("entidad", _drop("encabezado/TOTAL_VOTOS_C_CS")),
    ("entidad", _set("encabezado/VOTOS", 1)),
    ("entidad", _set("regla_participacion", "ambas")),
    ("unidad", _set("participacion", "25.00000")),
    ("unidad", _set("participacion", "025.0000")),
    ("unidad", _set("id", 1)),
    ("unidad", _drop("especiales")),
    ("unidad", _drop("actas/esperadas")),
    ("unidad", _set("resultado/candidaturas/0/votos", 1.5)),
    ("unidad", _set("resultado/candidaturas/0/propietaria", "")),
    ("unidad", _set("secciones/0/archivo", "seccion/000.json")),
    ("seccion", _set("casillas/0/votos/0", "nada")),
    ("seccion", _set("casillas/0/votos/0", None)),
    ("seccion", _set("casillas/0/estado", "Contabilizada")),
    ("seccion", _drop("casillas/0/id")),
    ("seccion", _drop("casillas/0/distrito")),
    ("seccion", _set("casillas/0/municipio", "001")),
    ("seccion", _set("secciones/0/votos/0", "ilegible")),
    ("seccion", _set("columnas", [])),
    ("indice", _drop("cambios")),
    ("cambios", _set("formato", "pregon/cambios/2")),
    ("cambios", _drop("anterior")),
    ("cambios", _set("anterior", "1")),
    ("cambios", _set("conteo/entraron", -1)),
    ("cambios", _set("hora_corte", "2021-06-06T22:40:00-05:00")),
    ("cambios", _set("entraron", [{}])),
    ("cambios", _set("salieron", ["040003B010003"])),
    ("indice", _drop("noche")),
    ("indice", _set("estadistica", "otra.json")),
    ("noche", _set("formato", "pregon/noche/2")),
    ("noche", _set("cortes", [])),
    ("noche", _drop("cortes/0/encabeza")),
    ("noche", _set("cortes/0/hora_corte", "2021-06-06T22:40:00")),
    ("noche", _set("cortes/0/participacion", 25.0)),
    ("noche", _set("cortes/0/candidaturas/0", "40")),
    ("noche", _set("cortes/0/partidos/0", -1)),
    ("estadistica", _set("formato", "pregon/estadistica/2")),
    ("estadistica", _drop("actas/fuera_catalogo")),
    ("estadistica", _set("casillas/0/total_votos", "100")),
    ("estadistica", _set("ubicacion", [{}])),
    ("estadistica", _set("participacion/regla", "ambas")),
    ("manifiesto", _set("archivos/0/sha256", "A" * 64)),
    ("manifiesto", _set("archivos/0/ruta", "/etc/passwd")),
    ("manifiesto", _set("cierre", "normal")),
    ("manifiesto", _set("anterior", "no")),
    ("manifiesto", _drop("archivos")),
]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One right file of each kind, from a small cut."""
    from pregon.base.clock import ManualClock
    from tests.instituto.conftest import Night

    folder = tmp_path_factory.mktemp("bueno")
    night = Night(folder, ManualClock(INICIO))
    built = night.cut(night.create())
    files = package_files(unpack(built, folder / "sitio"))
    files["manifiesto.json"] = (built.carpeta / "manifiesto.json").read_bytes()
    return {contrato.kind_of(route) or "": json.loads(data) for route, data in files.items()}


@pytest.mark.parametrize(("kind", "change"), MUTATIONS)
def test_a_wrong_file_is_refused(good: dict[str, Any], kind: str, change: Callable[[Any], None]) -> None:
    known = validators()[kind]
    document = copy.deepcopy(good[kind])
    assert known.is_valid(document)
    change(document)
    assert not known.is_valid(document)
