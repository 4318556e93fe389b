"""Names that a profile gives and that this room understands: rooms that may not import each other agree here."""

from __future__ import annotations

from typing import get_args, get_type_hints

import pytest

from pregon.convocatoria import perfiles
from pregon.convocatoria.model import Convocatoria
from pregon.convocatoria.secciones import Dialecto, Paquete
from pregon.prep.estilos import ESTILOS
from pregon.prep.inconsistencias import DEFINICIONES


def test_dialects_of_a_profile_are_those_that_can_be_written() -> None:
    assert set(get_args(Dialecto)) == set(ESTILOS)
    assert Paquete().dialecto is None
    assert Paquete(dialecto="qroo-2019", encabezado="recalculado").dialecto == "qroo-2019"


def test_definitions_of_a_profile_are_those_that_can_be_counted() -> None:
    names = {
        name
        for option in get_args(get_type_hints(Convocatoria)["inconsistencias"])
        for name in get_args(option)
        if isinstance(name, str)
    }
    assert names == set(DEFINICIONES)


@pytest.mark.parametrize("identity", perfiles.ids())
def test_shipped_profiles_leave_the_database_as_its_source_wrote_it(identity: str) -> None:
    profile = perfiles.load(identity)
    assert (profile.paquete.dialecto, profile.paquete.encabezado, profile.inconsistencias) == (None, "fuente", None)
