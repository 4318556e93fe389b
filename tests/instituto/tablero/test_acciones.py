"""The rules of what may be asked for: roles, fields, limits, and the confirmation. Pure."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import pytest

from pregon.instituto.tablero.acciones import (
    ACCIONES,
    CLAVES,
    MOTIVO,
    Peticion,
    accion,
    lee,
    limpia,
    papel_de,
    puede,
    verbo,
)
from pregon.instituto.tablero.cuentas import PAPELES, papeles_hasta
from pregon.trust.aviso import MOTIVO_MAX, TEXTO_MAX

if TYPE_CHECKING:
    from pregon.instituto.tablero.acciones import Clave

NUMERO = "abcdefghijklmnop-_23"
PUEDE = {
    "observador": set(),
    "operador": {"entrega", "advierte", "anota"},
    "titular": {"entrega", "advierte", "anota", "suspende", "reactiva", "confirma", "descarta"},
}
BUENAS: dict[Clave, dict[str, str]] = {
    "entrega": {"difusor": "radio-uno", "corte": "12", "completo": "si"},
    "advierte": {"difusor": "radio-uno", "texto": "Revise su certificado:\nvence hoy a las 23:59."},
    "anota": {},
    "suspende": {"difusor": "radio-uno", "evidencia": "observación 12\nobservación 13", "confirmacion": "radio-uno"},
    "reactiva": {"difusor": "radio-uno"},
    "confirma": {"orden": "O0001", "difusor": "radio-uno", "confirmacion": "radio-uno"},
    "descarta": {"orden": "O0001", "difusor": "radio-uno"},
}


def buena(clave: Clave, **more: str) -> dict[str, str]:
    return {"numero": NUMERO, "motivo": "Lo pidió el consejo.", **BUENAS[clave], **more}


def asked(clave: Clave, form: dict[str, str]) -> Peticion | dict[str, str]:
    return lee(ACCIONES[clave], form, cuenta="ana", papeles=PAPELES)


@pytest.mark.parametrize("papel", PAPELES)
def test_each_role_may_what_those_before_it_may(papel: str) -> None:
    assert {one.clave for one in ACCIONES.values() if puede(papeles_hasta(papel), one)} == PUEDE[papel]
    assert papel_de(papeles_hasta(papel)) == papel


def test_who_has_no_role_may_nothing() -> None:
    for roles in ((), ("mira",), ("Titular",)):
        assert not any(puede(roles, one) for one in ACCIONES.values())
        assert papel_de(roles) == ""


@pytest.mark.parametrize("clave", CLAVES)
def test_a_good_request_is_read_whole(clave: Clave) -> None:
    made = asked(clave, buena(clave, responde_a="orden/O0001"))
    assert isinstance(made, Peticion), made
    assert (made.accion, made.cuenta, made.papel, made.motivo) == (clave, "ana", "titular", "Lo pidió el consejo.")
    assert (made.numero, made.responde_a) == (NUMERO, "orden/O0001")
    assert made.difusor == BUENAS[clave].get("difusor")
    assert made.evidencia == tuple(BUENAS[clave].get("evidencia", "").splitlines())
    assert made.corte == (12 if clave == "entrega" else None)
    assert made.completo is (clave == "entrega")


@pytest.mark.parametrize("clave", CLAVES)
def test_what_is_missing_or_strange_is_told_by_field(clave: Clave) -> None:
    good = buena(clave)
    for name in good:
        field = ACCIONES[clave].campo(name)
        found = asked(clave, {key: value for key, value in good.items() if key != name})
        if name == "numero" or (field is not None and field.obligatorio):
            assert isinstance(found, dict)
            assert name in found
        else:
            assert isinstance(found, Peticion)
    assert list(asked(clave, {**good, "papel": "titular"})) == ["papel"]  # type: ignore[arg-type]
    for bad in ("", "abcd", " con espacio", "con espacio ", "dos\nrenglones", "x" * (MOTIVO_MAX + 1), "a\x00bcde",
                "revés \u202e aquí", "sin \u200b ancho", "     "):  # fmt: skip
        assert list(asked(clave, {**good, "motivo": bad})) == ["motivo"], bad  # type: ignore[arg-type]
    for bad in ("", "corto", "x" * 65, "con espacio en medio", NUMERO + "\n", "ñ" * 20):
        assert list(asked(clave, {**good, "numero": bad})) == ["numero"], bad  # type: ignore[arg-type]
    for bad in ("Radio-Uno", "../etc", "a", "x" * 33, "radio uno", "radio-uno\n"):
        if "difusor" in good:
            assert "difusor" in asked(clave, {**good, "difusor": bad}), bad  # type: ignore[operator]


def test_the_reason_admits_the_languages_of_the_country() -> None:
    for text in ("Āmatl, ko'olel — ñäñhö: 50 €", "Kaxlan tiʼ: u̱ tsʼíib", "«Cayó» el servidor → llamé"):
        assert isinstance(asked("anota", buena("anota", motivo=text)), Peticion), text
    assert re.fullmatch(MOTIVO.patron, "é" * MOTIVO_MAX)


@pytest.mark.parametrize("clave", ["suspende", "confirma"])
@pytest.mark.parametrize("typed", ["", "radio-dos", "RADIO-UNO", "radio-uno ", "radio", None])
def test_what_is_grave_is_confirmed_by_typing_the_id(clave: Clave, typed: str | None) -> None:
    form = buena(clave)
    if typed is None:
        del form["confirmacion"]
    else:
        form["confirmacion"] = typed
    assert list(asked(clave, form)) == ["confirmacion"]  # type: ignore[arg-type]


def test_limits_of_texts() -> None:
    assert isinstance(asked("suspende", buena("suspende", texto="x" * TEXTO_MAX)), Peticion)
    assert list(asked("suspende", buena("suspende", texto="x" * (TEXTO_MAX + 1)))) == ["texto"]  # type: ignore[arg-type]
    assert list(asked("suspende", buena("suspende", texto="dos\nrenglones"))) == ["texto"]  # type: ignore[arg-type]
    assert isinstance(asked("suspende", buena("suspende", evidencia="\n".join(["prueba"] * 10))), Peticion)
    for bad in ("\n".join(["prueba"] * 11), "una\n\ndos", "x" * 301, ""):
        assert list(asked("suspende", buena("suspende", evidencia=bad))) == ["evidencia"]  # type: ignore[arg-type]
    for cut in ("00", "-1", "10000", "1.0", "uno"):
        assert list(asked("entrega", buena("entrega", corte=cut))) == ["corte"], cut  # type: ignore[arg-type]


def test_what_a_browser_sends_is_tidied_up() -> None:
    sent = {
        "numero": NUMERO, "difusor": "radio-uno", "corte": "", "motivo": "  Se  cayo\u0301 \r\n", "texto": " ",
        "evidencia": "\r\nobservación  12 \r\n\r\nllamada de las 20:40\r\n", "confirmacion": " radio-uno ",
    }  # fmt: skip
    assert limpia(sent) == {
        "numero": NUMERO, "difusor": "radio-uno", "motivo": "Se cayó",
        "evidencia": "observación 12\nllamada de las 20:40", "confirmacion": "radio-uno",
    }  # fmt: skip
    assert isinstance(asked("suspende", limpia(sent)), Peticion)


def test_the_words_of_a_request_and_of_its_forms() -> None:
    made = {clave: verbo(one) for clave in CLAVES if isinstance(one := asked(clave, buena(clave)), Peticion)}
    assert made["suspende"] == "suspender a radio-uno"
    assert made["confirma"] == "confirmar la orden O0001, de radio-uno"
    assert made["anota"] == "anotar"
    assert accion("borra") is None
    names = [[field.nombre for field in one.campos] for one in ACCIONES.values()]
    assert all(len(set(one)) == len(one) for one in names)
    assert all("motivo" in one for one in names), "nothing is done without saying why"
    assert set(itertools.chain(*names)) <= {
        "difusor", "orden", "corte", "motivo", "texto", "evidencia", "completo", "confirmacion",
    }  # fmt: skip
