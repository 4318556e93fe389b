"""A profile written is a profile read back equal; a derived night is a profile like any other."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pregon.base.errors import AjustesError
from pregon.convocatoria.model import Convocatoria
from pregon.convocatoria.perfiles import ids, load, profile_for_night, to_toml_text
from pregon.convocatoria.secciones import Entidad
from tests.convocatoria.muestras import local, possible

if TYPE_CHECKING:
    from pathlib import Path

CAMPECHE = Entidad(numero=4, clave="CAMP", nombre="Campeche")


@pytest.mark.parametrize("name", ids())
def test_each_profile_is_read_back_equal(name: str, tmp_path: Path) -> None:
    written = tmp_path / "convocatoria.toml"
    written.write_text(to_toml_text(load(name)), encoding="utf-8")
    assert load(written) == load(name)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80))
def test_any_text_survives_writing(nombre: str) -> None:
    profile = Convocatoria.model_validate(possible() | {"nombre": nombre})
    assert Convocatoria.model_validate(tomllib.loads(to_toml_text(profile))) == profile


def test_a_short_history_says_the_same_as_its_table() -> None:
    short = Convocatoria.model_validate(possible() | {"historial": "completo"})
    assert short == Convocatoria.model_validate(possible() | {"historial": {"conservar": "completo"}})


def test_a_night_of_real_cuts_becomes_a_profile(tmp_path: Path) -> None:
    night = profile_for_night(
        id="campeche-2021",
        nombre="Campeche 2021",
        instituto="ieec",
        entidad=CAMPECHE,
        elecciones=["GOB", "DIP_LOC", "AYUN", "juntas"],
        inicio=datetime(2021, 6, 7, 1, tzinfo=UTC),
        fin=local("2021-06-07T20:00"),
        intervalo_min=20,
    )
    assert night.elecciones == ("GUB", "DIP", "AYU", "JUNTAS")
    assert night.contiendas == ("gub", "dip", "ayun", "juntas")
    assert night.inicio.isoformat() == "2021-06-06T20:00:00-05:00"
    assert night.fin_actualizacion.isoformat() == "2021-06-07T20:00:00-05:00"
    assert night.permanencia_hasta is None
    written = tmp_path / "noche.toml"
    written.write_text(to_toml_text(night), encoding="utf-8")
    assert load(written) == night


def test_a_night_that_cannot_be_is_refused_with_its_keys() -> None:
    with pytest.raises(AjustesError) as refusal:
        profile_for_night(
            id="mala",
            nombre="Mala",
            instituto="ieec",
            entidad=CAMPECHE,
            elecciones=["REINA"],
            inicio=local("2021-06-06T20:00"),
            fin=local("2021-06-06T19:00"),
        )
    assert "elecciones[0]" in refusal.value.que_paso
    assert "fin_actualizacion" in refusal.value.que_paso
