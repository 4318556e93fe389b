"""The stages of each call, and whom to call at which hour (GRO-5.4, INE-VI-a)."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from pregon.convocatoria import perfiles
from pregon.convocatoria.solicitud import contactos
from tests.instituto.registro.fichas import PERFILES, ficha

ZONA = ZoneInfo("America/Mexico_City")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONA)


STAGES = (
    ("gro-2021", "2021-04-01T00:00", "Instalación y pruebas"),
    ("gro-2021", "2021-05-16T00:00", "Ejercicios y simulacros"),
    ("gro-2021", "2021-05-31T12:00", "Ejercicios y simulacros"),  # between two stages: the one that ended
    ("gro-2021", "2021-06-01T00:00", "Jornada electoral y difusión de resultados"),
    ("gro-2021", "2021-06-20T00:00", "Jornada electoral y difusión de resultados"),
    ("dgo-2024", "2024-05-21T23:59", "Instalación, pruebas y ejercicios"),
    ("ine-2021", "2021-06-05T23:59", "Instalación, pruebas y simulacros"),
    ("ine-2021", "2021-06-06T00:00", "Jornada electoral y difusión de resultados"),
)


@pytest.mark.parametrize(("perfil", "hora", "etapa"), STAGES)
def test_the_stage_of_an_instant(perfil: str, hora: str, etapa: str) -> None:
    assert contactos.etapa_en(perfiles.load(perfil), at(hora)).nombre == etapa


@pytest.mark.parametrize("perfil", PERFILES)
def test_every_call_has_the_stage_of_the_night(perfil: str) -> None:
    profile = perfiles.load(perfil)
    assert contactos.etapa_en(profile, profile.inicio).nombre == contactos.JORNADA
    assert contactos.etapas(profile)[-1].nombre == contactos.JORNADA


def names(hora: str, **cambios: object) -> list[str]:
    profile = perfiles.load("gro-2021")
    return [one.nombre.split()[0] for one in contactos.para(ficha(profile, **cambios), profile, at(hora))]


def test_who_answers_at_that_hour_comes_first_and_nobody_is_left_out() -> None:
    assert names("2021-06-06T19:59") == ["Lucía", "Efraín", "Rosalba"]
    assert names("2021-06-06T20:00") == ["Efraín", "Lucía", "Rosalba"]
    assert names("2021-06-07T03:00") == ["Efraín", "Lucía", "Rosalba"]
    assert names("2021-06-07T08:00") == ["Lucía", "Efraín", "Rosalba"]


def test_staff_of_another_stage_comes_after_that_of_this_one() -> None:
    people = [
        {"nombre": "Uno", "correo": "a@b.mx", "etapas": ["Instalación y pruebas"]},
        {"nombre": "Dos", "correo": "a@b.mx", "etapas": [contactos.JORNADA], "desde": "08:00", "hasta": "09:00"},
    ]
    assert names("2021-06-07T03:00", contacto=people) == ["Dos", "Uno"]
    assert names("2021-05-12T08:30", contacto=people) == ["Uno", "Dos"]
    profile = perfiles.load("gro-2021")
    form = ficha(profile, contacto=people)
    assert contactos.sin_contacto(form, profile) == ("Ejercicios y simulacros",)
    assert contactos.horas_sin_contacto(form, profile) == tuple(hour for hour in range(24) if hour != 8)


def test_a_night_with_somebody_at_every_hour() -> None:
    profile = perfiles.load("gro-2021")
    assert contactos.horas_sin_contacto(ficha(profile), profile) == ()
    assert contactos.horas_sin_contacto(ficha(profile, contacto=[]), profile) == tuple(range(24))


def test_the_hours_of_a_contact_in_words() -> None:
    day, night, legal = ficha(perfiles.load("gro-2021")).contacto
    assert (day.horario_texto, night.horario_texto, legal.horario_texto) == (
        "08:00 a 20:00 h",
        "20:00 a 08:00 h",
        "las 24 horas",
    )
