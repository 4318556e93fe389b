"""Every field of each call's form: asked, answered, and missed by its own words when it is not there."""

from __future__ import annotations

import csv
import json
import re
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from pregon.base.errors import UsoError
from pregon.convocatoria import perfiles
from pregon.convocatoria.solicitud import contactos, formulario
from pregon.convocatoria.solicitud.modelo import Ficha
from pregon.instituto.registro import anexo
from tests.instituto.registro.fichas import PERFILES, datos, ficha

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.instituto.registro.fichas import Casa


@pytest.mark.parametrize("perfil", PERFILES)
def test_a_whole_form_answers_every_question_of_its_call(perfil: str) -> None:
    profile = perfiles.load(perfil)
    form = ficha(profile)
    answers = formulario.respuestas(form, profile)
    assert tuple(answers)[: len(profile.formulario.campos)] == profile.formulario.campos
    assert all(answers.values())
    assert formulario.faltantes(form, profile) == ()


def test_the_nine_answers_of_guerrero() -> None:
    """GRO-1.7d, word by word."""
    profile = perfiles.load("gro-2021")
    answers = formulario.respuestas(ficha(profile, respuestas={}), profile)
    assert list(answers.values()) == [
        "prep.diario-uno.example",
        "Lucía Quiñones Ávila",
        "Diario Uno",
        "747 555 0142",
        "747 555 0199",
        "lquinones@diario-uno.example",
        "Calle Ocotillo 415, interior 3",
        "Chilapa",
        "Guerrero",
    ]


@pytest.mark.parametrize("perfil", ["mor-2024", "mex-2021"])
def test_the_forms_of_morelos_and_mexico_get_no_password(perfil: str) -> None:
    """MOR-A2-3 to MOR-A2-7, MEX-A1-3 to MEX-A1-6: an FTP account is answered with a public key."""
    profile = perfiles.load(perfil)
    answers = formulario.respuestas(ficha(profile, respuestas={}), profile)
    assert answers["Responsable legal: nombre, teléfono, celular, email"] == (
        "Rosalba Iturbide; 747 555 0111; 747 555 0122; legal@diario-uno.example"
    )
    [ftp] = [answer for question, answer in answers.items() if "FTP" in question]
    assert ftp == formulario.SIN_FTP
    assert answers["Infraestructura de alimentación eléctrica"] == "UPS Tepeyac de 6 KVA"


MISSES: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("gro-2021", {"domicilio": None}, "Formulario: Ciudad"),
    ("gro-2021", {"contacto": []}, "Formulario: Teléfono fijo"),
    ("gro-2021", {"contacto": []}, "Contacto técnico para la etapa «Ejercicios y simulacros»"),
    ("gro-2021", {"documento": []}, "Documento: Compromiso por escrito"),
    ("gro-2021", {"infraestructura": {}}, "Dirección IP pública de cada servidor"),
    ("gro-2021", {"dispensa": [{"concepto": "UPS", "declarado": "1 KVA"}]}, "Dispensa pendiente: UPS"),
    ("dgo-2024", {"dispensa": [{"concepto": "UPS", "declarado": "1 KVA"}]}, "no prevé dispensas"),
    ("mor-2024", {"tipo": "osc"}, "no admite difusores de tipo «osc»"),
    ("mor-2024", {"sitio": None}, "Formulario: Dirección del sitio web"),
    (
        "mex-2021",
        {"personalizada": {"oficio": "7", "fecha": "2021-05-01", "sha256": "a" * 64}},
        "no permite la presentación personalizada",
    ),
    ("ine-2021", {"contacto": []}, "Contacto técnico para la etapa «Jornada electoral y difusión de resultados»"),
    ("ine-2021", {"documento": []}, "Documento: Diagrama del servicio"),
)


def test_what_is_missing_is_said_by_its_name() -> None:
    for perfil, changes, said in MISSES:
        profile = perfiles.load(perfil)
        missing = formulario.faltantes(ficha(profile, **changes), profile)
        assert any(said in one for one in missing), (perfil, said, missing)


@pytest.mark.parametrize("perfil", PERFILES)
def test_the_empty_form_filled_in_is_a_whole_form(perfil: str) -> None:
    """What ``difusor plantilla`` writes has a place for everything that the call asks."""
    profile = perfiles.load(perfil)
    text = formulario.plantilla(profile)
    whole = datos(profile)
    filled: dict[str, Any] = {}
    for key, value in tomllib.loads(
        re.sub(r"^# (acuses|anfitrion|recibido|sha256)", r"\1", text, flags=re.MULTILINE)
    ).items():
        assert key in Ficha.model_fields, key
        assert isinstance(value, type(whole[key])), key
        filled[key] = whole[key]
    assert set(filled) >= {"nombre", "url", "domicilio", "contacto", "infraestructura", "llaves", "documento"}
    assert formulario.faltantes(Ficha.model_validate(filled), profile) == ()
    [contact] = tomllib.loads(text)["contacto"]
    assert contact["etapas"] == [one.nombre for one in contactos.etapas(profile)]
    assert [one["nombre"] for one in tomllib.loads(text)["documento"]] == list(profile.documentos)


WRONG: tuple[tuple[str, Any, str], ...] = (
    ("url", "https://usuario:clave@prep.example", "usuario ni contraseña"),
    ("url", "javascript:alert(1)", "no es una dirección web"),
    ("url", "https://prep.example/#x", "«?» ni «#»"),
    ("url", 'https://prep.example/"onclick=', "no es una dirección web"),
    ("url", "https://", "no es una dirección web"),
    ("url", "https://prep.example:0/", "no es una dirección web"),
    ("nombre", "Diario\u0007Uno", "forma"),
    ("nombre", "", "vacío"),
    ("infraestructura", {"ip": ["10.0.0.7"]}, "no es una dirección IP pública"),
    ("infraestructura", {"ip": ["prep"]}, "no es una dirección IP"),
    ("llaves", {"acuses": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"}, "forma"),
    ("contacto", [{"nombre": "Ana"}], "hace falta"),
    ("contacto", [{"nombre": "Ana", "correo": "a@b.mx", "desde": "08:00:00"}], "van juntos"),
    ("dispensa", [{"concepto": "UPS", "declarado": "no", "decision": "aceptada"}], "«decide» y «fecha»"),
    ("contraseña_ftp", "secreto", "desconocida"),
)


def test_a_form_with_something_wrong_is_refused_by_the_place_of_it(tmp_path: Path) -> None:
    from pregon.base.settings import spanish_problems

    profile = perfiles.load("gro-2021")
    for key, value, said in WRONG:
        with pytest.raises(ValidationError) as caught:
            ficha(profile, **{key: value})
        problems = "; ".join(spanish_problems(caught.value))
        assert said in problems, problems
        assert problems.startswith(key.split("[")[0]), problems


def test_the_annex_is_a_sheet_that_only_we_read_and_no_cell_of_it_is_a_formula(
    de_perfil: Callable[[str], Casa], tmp_path: Path
) -> None:
    """DGO-II-f: the text does not bring Anexo A, so its columns are whatever the forms answer."""
    house = de_perfil("dgo-2024")
    house.alta(respuestas={"Servidores": '=HYPERLINK("https://malo.example")', "Turno": "nocturno"})
    house.alta("radio-2", nombre="Radio Dos", respuestas={"Turno": "mixto, «de día»"})
    path = tmp_path / "anexo-a.csv"
    columns, count = anexo.escribe(house.registro, path, ())
    assert path.stat().st_mode & 0o777 == 0o600
    rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    assert rows[0] == list(columns) == [*anexo.FIJAS, "Servidores", "Turno"]
    assert [row[4:] for row in rows[1:]] == [
        ['\'=HYPERLINK("https://malo.example")', "nocturno"],
        ["", "mixto, «de día»"],
    ]
    assert count == 2
    before = path.read_bytes()
    with pytest.raises(UsoError, match="Ninguna ficha responde a: Color"):
        anexo.escribe(house.registro, path, ("Turno", "Color"))
    assert path.read_bytes() == before


def test_a_form_goes_through_the_seal_and_comes_back_the_same(gro: Casa) -> None:
    form = gro.alta()
    assert gro.registro.ficha("diario-uno") == form
    assert json.loads(form.model_dump_json())["contacto"][1]["proveedor"] == "Nubes del Sur"
