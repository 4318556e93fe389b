"""Profiles that cannot be are refused, every problem at once, each at the path of its key."""

from __future__ import annotations

from datetime import date, time
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from pregon.base.errors import AjustesError, EntradaError
from pregon.convocatoria.lectura import describe
from pregon.convocatoria.model import Convocatoria
from pregon.convocatoria.perfiles import load, problems, to_toml_text
from tests.convocatoria.muestras import local, possible

if TYPE_CHECKING:
    from pathlib import Path

Path_ = tuple[str | int, ...]

BROKEN: list[tuple[str, Path_, Any, Path_]] = [
    ("the end before the start", ("fin_actualizacion",), local("2024-06-02T19:00"), ("fin_actualizacion",)),
    ("the end at the start", ("fin_actualizacion",), local("2024-06-02T20:00"), ("fin_actualizacion",)),
    ("permanence before the end", ("permanencia_hasta",), local("2024-06-03T19:00"), ("permanencia_hasta",)),
    ("interval zero", ("intervalo_min",), 0, ("intervalo_min",)),
    ("interval as text", ("intervalo_min",), "10", ("intervalo_min",)),
    ("interval with a fraction", ("intervalo_min",), 10.5, ("intervalo_min",)),
    ("interval as truth", ("intervalo_min",), True, ("intervalo_min",)),
    ("no cut fits the night", ("fin_actualizacion",), local("2024-06-02T20:05"), ("intervalo_min",)),
    ("delay beyond the next cut", ("retraso_max_s",), 601, ("retraso_max_s",)),
    ("transfer beyond the next cut", ("transferencia_max_s",), 601, ("transferencia_max_s",)),
    ("deadline after the start", ("plazos", "solicitud"), date(2024, 6, 3), ("plazos", "solicitud")),
    ("list of difusores after the start", ("plazos", "lista"), local("2024-06-02T20:00"), ("plazos", "lista")),
    ("report due before the night", ("plazos", "memoria_entrega"), date(2024, 6, 1), ("plazos", "memoria_entrega")),
    ("report form after it is due", ("plazos", "memoria_formato"), date(2024, 7, 1), ("plazos", "memoria_formato")),
    ("deadline as text", ("plazos", "solicitud"), "2024-05-18", ("plazos", "solicitud")),
    ("rehearsal after the start", ("simulacros", 0, "fecha"), date(2024, 6, 9), ("simulacros", 0, "fecha")),
    ("window backwards", ("ventanas_prueba", 0, "hasta"), date(2024, 5, 1), ("ventanas_prueba", 0, "hasta")),
    ("window with one hour", ("ventanas_prueba", 0, "hora_desde"), time(9), ("ventanas_prueba", 0, "hora_hasta")),
    ("push without ports", ("transporte", "puertos"), [], ("transporte", "puertos")),
    ("push to a closed port", ("transporte", "puertos"), [2222], ("transporte", "puertos", 0)),
    ("push over https", ("transporte", "protocolo"), "https", ("transporte", "protocolo")),
    ("port out of range", ("puertos_publicos", 1), 70000, ("puertos_publicos", 1)),
    ("port both open and restricted", ("puertos_restringidos",), [22, 443], ("puertos_restringidos", 1)),
    ("unknown election", ("elecciones", 1), "REINA", ("elecciones", 1)),
    ("repeated election", ("elecciones", 1), "GUB", ("elecciones", 1)),
    ("two elections, one folder", ("elecciones",), ["DIP", "DIP_FED"], ("elecciones", 1)),
    ("no election", ("elecciones",), [], ("elecciones",)),
    ("unknown zone", ("zona_horaria",), "America/Chilpancingo", ("zona_horaria",)),
    ("zone that climbs folders", ("zona_horaria",), "../../etc/passwd", ("zona_horaria",)),
    ("sizes crossed", ("paquete",), {"tam_min_mb": 550, "tam_max_mb": 40}, ("paquete", "tam_max_mb")),
    ("package without formats", ("paquete",), {"formatos": []}, ("paquete", "formatos")),
    ("periods without a count", ("fallo",), {"accion": "bloquear", "causas": ["periodos"]}, ("fallo", "periodos")),
    (
        "automatic without a count",
        ("fallo",),
        {"accion": "interrumpir", "causas": ["incumplimiento"], "automatica": True},
        ("fallo", "automatica"),
    ),
    (
        "automatic block",
        ("fallo",),
        {"accion": "bloquear", "causas": ["periodos"], "periodos": 3, "automatica": True},
        ("fallo", "automatica"),
    ),
    ("failure without a cause", ("fallo",), {"accion": "baja", "causas": []}, ("fallo", "causas")),
    (
        "logs that end before they begin",
        ("memoria", "bitacoras_hasta"),
        date(2024, 6, 1),
        ("memoria", "bitacoras_hasta"),
    ),
    ("logs that no section asks", ("memoria", "secciones"), [], ("memoria", "bitacoras_desde")),
    ("unknown key", ("color",), "rojo", ("color",)),
    ("unknown key inside", ("entidad", "color"), "rojo", ("entidad", "color")),
    ("the cut hidden", ("mostrar_corte",), False, ("mostrar_corte",)),
    ("id with a path", ("id",), "../prueba", ("id",)),
    ("availability above a hundred", ("disponibilidad_pct",), "100.1", ("disponibilidad_pct",)),
    ("reception by an unknown sign", ("recepcion",), "adivina", ("recepcion",)),
    ("night key written in the profile", ("clave_noche",), "secreto", ("clave_noche",)),
]


def broken(path: Path_, value: Any) -> dict[str, Any]:
    table: Any = possible()
    target = table
    for part in path[:-1]:
        target = target[part]
    target[path[-1]] = value
    return table  # type: ignore[no-any-return]


def test_the_sample_is_possible() -> None:
    assert Convocatoria.model_validate(possible()).contiendas == ("gub", "dip")


@pytest.mark.parametrize(("path", "value", "named"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_an_impossible_profile_is_refused_at_its_path(path: Path_, value: Any, named: Path_) -> None:
    with pytest.raises(ValidationError) as refusal:
        Convocatoria.model_validate(broken(path, value))
    assert named in [error["loc"] for error in refusal.value.errors()]


@pytest.mark.parametrize(
    "key", ["id", "nombre", "instituto", "entidad", "elecciones", "zona_horaria", "inicio", "fallo"]
)
def test_a_missing_key_is_named(key: str) -> None:
    table = possible()
    del table[key]
    with pytest.raises(ValidationError) as refusal:
        Convocatoria.model_validate(table)
    assert [(error["loc"], error["type"]) for error in refusal.value.errors()] == [((key,), "missing")]


@pytest.mark.parametrize("proof", ["suma", "ninguna"])
def test_without_signature_a_profile_says_how_a_package_is_known_to_be_complete(proof: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        Convocatoria.model_validate(possible() | {"verificacion": proof})
    assert [error["loc"] for error in refusal.value.errors()] == [("recepcion",)]
    found = Convocatoria.model_validate(possible() | {"verificacion": proof, "recepcion": "renombrado"})
    assert (found.verificacion, found.recepcion) == (proof, "renombrado")


def test_reception_by_hash_list_needs_a_hash_list() -> None:
    table = possible() | {"verificacion": "ninguna", "recepcion": "suma"}
    with pytest.raises(ValidationError) as refusal:
        Convocatoria.model_validate(table)
    assert [error["loc"] for error in refusal.value.errors()] == [("recepcion",)]


def test_one_wrong_key_does_not_hide_the_others(tmp_path: Path) -> None:
    profile = tmp_path / "malo.toml"
    text = f"{_TOML}\n".replace("intervalo_min = 10", 'intervalo_min = 0\ncolor = "rojo"')
    profile.write_text(text.replace("2024-06-03T20:00:00", "2024-06-01T20:00:00"))
    with pytest.raises(AjustesError) as refusal:
        load(profile)
    for named in ("intervalo_min: debe ser al menos 1", "color: clave desconocida", "fin_actualizacion: debe ser"):
        assert named in refusal.value.que_paso
    assert len(problems(profile)) == 3


def test_a_file_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    profile = tmp_path / "malo.toml"
    profile.write_text("id = \n")
    assert problems(profile)[0].startswith("no es TOML")


def test_braces_in_a_message_are_not_a_template(tmp_path: Path) -> None:
    profile = tmp_path / "malo.toml"
    profile.write_text(_TOML.replace('id = "prueba-2024"', 'id = "{x}"'))
    assert [text.split(":")[0] for text in problems(profile)] == ["id"]


def test_an_unknown_id_names_the_known_ones() -> None:
    with pytest.raises(EntradaError) as refusal:
        load("gro-2027")
    assert "gro-2021" in refusal.value.que_hacer


def test_a_profile_does_not_change_after_reading() -> None:
    profile = load("gro-2021")
    with pytest.raises(ValidationError):
        profile.intervalo_min = 5
    assert profile.intervalo_min == 20


_TOML = """
id = "prueba-2024"
nombre = "Prueba"
instituto = "instituto-de-prueba"
elecciones = ["GUB"]
zona_horaria = "America/Mexico_City"
inicio = 2024-06-02T20:00:00
fin_actualizacion = 2024-06-03T20:00:00
intervalo_min = 10
[entidad]
numero = 17
clave = "MOR"
nombre = "Morelos"
[transporte]
modo = "pull"
protocolo = "https"
[fallo]
accion = "bloquear"
causas = ["incumplimiento"]
"""


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("http://prep.example.mx/{sha}.jpg", ["https://"]),
        ("//prep.example.mx/{sha}.jpg", ["https://"]),
        ("javascript:alert({sha})", ["https://", "no dice en qué sitio"]),
        ("https:///actas/{sha}.jpg", ["no dice en qué sitio"]),
        ("https://localhost/{sha}.jpg", ["«localhost» no es el nombre de un sitio"]),
        ("https://ana:clave@prep.example.mx/{sha}", ["usuario ni contraseña"]),
        ("https://prep.example.mx:noventa/{sha}", ["no es una dirección"]),
        ("https://{entidad}.example.mx/{sha}", ["el nombre del sitio va escrito"]),
        ("https://prep.example.mx/{clave}.jpg", ["«clave» no es un dato del acta", "no distingue un acta de otra"]),
        ("https://prep.example.mx/{seccion}.jpg", ["no distingue un acta de otra"]),
        ("https://prep.example.mx/{sha", ["una llave sin su pareja"]),
        ("https://prep.example.mx/{{sha}}", ["una llave sin su pareja"]),
        ("https://prep.example.mx/{sha}.jpg?a=b c", ["sólo admite los caracteres de una dirección"]),
        ('https://prep.example.mx/"{sha}', ["sólo admite los caracteres de una dirección"]),
        ("https://prep.example.mx/{sha}#x", ["sólo admite los caracteres de una dirección"]),
        ("ftp://u@localhost/{x}", ["https://", "usuario", "«localhost»", "«x»", "no distingue"]),
    ],
)
def test_an_address_of_images_that_cannot_be_tells_everything_wrong_with_it(template: str, words: list[str]) -> None:
    with pytest.raises(ValidationError) as refusal:
        Convocatoria.model_validate(possible() | {"imagenes_url": template})
    errors = refusal.value.errors()
    assert {error["loc"] for error in errors} == {("imagenes_url",)}
    assert len(errors) == len(words)
    for text in words:
        assert any(text in error["msg"] for error in errors), text


@pytest.mark.parametrize(
    "template",
    [
        "https://prep2024.example.mx/actas/{clave_acta}.jpg",
        "https://prep.example.mx:8443/{entidad}/{seccion}/{clave_casilla}/{sha}?v=1",
    ],
)
def test_an_address_of_images_is_kept_as_written(tmp_path: Path, template: str) -> None:
    profile = tmp_path / "perfil.toml"
    profile.write_text(f'imagenes_url = "{template}"\n{_TOML}\n')
    assert load(profile).imagenes_url == template
    assert Convocatoria.model_validate(possible()).imagenes_url is None


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://iee.example.mx/verificador/", ["https://"]),
        ("javascript:alert(1)", ["https://", "no dice en qué sitio está el verificador"]),
        ("verificador/index.html", ["https://", "no dice en qué sitio"]),
        ("https://localhost/verificador/", ["«localhost» no es el nombre de un sitio"]),
        ("https://iee.example.mx@malo.example.com/", ["usuario ni contraseña"]),
        ("https://iee.example.mx:noventa/", ["no es una dirección"]),
        ("https://iee.example.mx/verificador/#sitio=https://otro.example.mx/", ["sólo admite los caracteres"]),
        ("https://iee.example.mx/{sha}", ["sólo admite los caracteres"]),
        ('https://iee.example.mx/"onclick=', ["sólo admite los caracteres"]),
    ],
)
def test_an_address_of_the_verifier_that_cannot_be_tells_everything_wrong_with_it(
    address: str, words: list[str]
) -> None:
    with pytest.raises(ValidationError) as refusal:
        Convocatoria.model_validate(possible() | {"verificador_url": address})
    errors = refusal.value.errors()
    assert {error["loc"] for error in errors} == {("verificador_url",)}
    assert len(errors) == len(words)
    for text in words:
        assert any(text in error["msg"] for error in errors), text


def test_an_address_of_the_verifier_is_kept_as_written_and_told(tmp_path: Path) -> None:
    address = "https://www.iee.example.mx:8443/prep/verificador/?v=1"
    profile = tmp_path / "perfil.toml"
    profile.write_text(f'verificador_url = "{address}"\n{_TOML}\n')
    read = load(profile)
    assert read.verificador_url == address
    profile.write_text(to_toml_text(read))
    assert load(profile).verificador_url == address
    assert address in [text for block in describe(read) for _, text in block.lineas]
    assert Convocatoria.model_validate(possible()).verificador_url is None
