"""The register of support: by stage and class, sealed, closed once (INE-VI-a, GRO-5.0, DGO-III-0)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pregon.base import errors
from pregon.base.errors import EntradaError, UsoError
from pregon.convocatoria.solicitud import contactos
from pregon.instituto.registro.soporte import CLASES, Soporte, resumen

if TYPE_CHECKING:
    from collections.abc import Callable

    from pregon.instituto.registro.soporte import Caso
    from tests.instituto.registro.fichas import Casa


def support(house: Casa) -> Soporte:
    return Soporte(house.espacio, registro=house.registro)


def test_a_case_from_its_opening_to_its_end(gro: Casa) -> None:
    gro.alta()
    began = gro.clock.now()
    made = support(gro).abre(
        "diario-uno", "INTEGRIDAD", asunto="HASH en el corte 12", quien="Lucía", operador="Ana", codigo="HASH"
    )
    assert (made.n, made.etapa, made.abierto, made.cerrado) == (1, contactos.JORNADA, began, None)
    gro.clock.instant = began + timedelta(minutes=5)
    support(gro).responde(1, "Envíen el diagnóstico", operador="Ana")
    gro.clock.instant = began + timedelta(minutes=9)
    support(gro).cierra(1, "Se entregó completo", operador="Beto")
    [case] = support(gro).todos(con_textos=True)
    assert (case.asunto, case.quien, case.codigo) == ("HASH en el corte 12", "Lucía", "HASH")
    assert [(one.operador, one.texto, one.hora - began) for one in case.respuestas] == [
        ("Ana", "Envíen el diagnóstico", timedelta(minutes=5)),
        ("Beto", "Se entregó completo", timedelta(minutes=9)),
    ]
    assert case.cerrado == began + timedelta(minutes=9)
    assert [(each["n"], each["que"], each["clase"], each["operador"]) for each in gro.eventos("soporte")] == [
        (1, "abierto", "INTEGRIDAD", "Ana"),
        (1, "respondido", "INTEGRIDAD", "Ana"),
        (1, "cerrado", "INTEGRIDAD", "Beto"),
    ]


def test_what_cannot_be_changes_nothing(gro: Casa) -> None:
    gro.alta()
    desk = support(gro)
    desk.abre("diario-uno", "TRANSFERENCIA", asunto="a", quien="b", operador="Ana")
    desk.cierra(1, "ya", operador="Ana")
    before = (desk.todos(con_textos=True), gro.eventos("soporte"))
    refused: tuple[tuple[Callable[[], Caso], type[Exception], str], ...] = (
        (lambda: desk.responde(1, "x", operador="Ana"), UsoError, "ya está cerrado"),
        (lambda: desk.cierra(1, "x", operador="Ana"), UsoError, "ya está cerrado"),
        (lambda: desk.responde(2, "x", operador="Ana"), EntradaError, "No hay caso"),
        (lambda: desk.abre("radio-2", "INTEGRIDAD", asunto="a", quien="b", operador="A"), EntradaError, "registro"),
        (
            lambda: desk.abre("diario-uno", "INTEGRIDAD", asunto="a", quien="b", operador="A", etapa="Otra"),
            UsoError,
            "«Otra»",
        ),
    )
    for call, kind, said in refused:
        with pytest.raises(kind, match=said):
            call()
        assert (desk.todos(con_textos=True), gro.eventos("soporte")) == before


def test_without_the_key_there_are_numbers_and_no_words(gro: Casa) -> None:
    gro.alta()
    for stage, kind in (("Instalación y pruebas", "TRANSFERENCIA"), (None, "TRANSFERENCIA"), (None, "EXTRACCION")):
        support(gro).abre("diario-uno", kind, asunto="a", quien="b", operador="Ana", etapa=stage)  # type: ignore[arg-type]
    support(gro).cierra(2, "ya", operador="Ana")
    (gro.folder / "llaves" / "registro.clave").unlink()
    found = support(gro).todos(con_textos=False)
    assert {(case.asunto, case.quien, case.respuestas) for case in found} == {(None, None, ())}
    assert resumen(found) == [
        {"etapa": "Instalación y pruebas", "clase": "TRANSFERENCIA", "casos": 1, "abiertos": 1},
        {"etapa": contactos.JORNADA, "clase": "TRANSFERENCIA", "casos": 1, "abiertos": 0},
        {"etapa": contactos.JORNADA, "clase": "EXTRACCION", "casos": 1, "abiertos": 1},
    ]
    with pytest.raises(EntradaError, match="clave del registro"):
        support(gro).todos(con_textos=True)


def test_the_classes_are_those_of_the_errors() -> None:
    """INE-VI-a-i: what a difusor's error says is what its case is filed under."""
    kinds = {
        one.clase for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.PregonError)
    }
    assert kinds - {None} == {"TRANSFERENCIA", "INTEGRIDAD", "EXTRACCION"} == set(CLASES[:3])
