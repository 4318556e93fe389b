"""One registry for two machines that share a real PostgreSQL: what one writes the other reads, with the same key."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import psycopg
import pytest

from pregon.base.errors import EntradaError
from pregon.instituto.registro import sello
from pregon.instituto.registro.almacen import Registro
from pregon.instituto.workspace import open_workspace
from tests.instituto.registro.escaner import hallados
from tests.instituto.registro.fichas import ANA, confidenciales, ficha
from tests.instituto.relevo.conftest import comparte
from tests.instituto_sql.servidores import as_operator

if TYPE_CHECKING:
    from tests.instituto.registro.fichas import Casa
    from tests.instituto_sql.servidores import Base

ESQUEMA = "registro_de_dos"


def test_the_stand_by_has_the_registry_and_the_server_has_nothing_to_read(gro: Casa, postgres: Base) -> None:
    url = as_operator(postgres.dueno)
    other = gro.folder.with_name("b")
    shutil.copytree(gro.folder, other, ignore=shutil.ignore_patterns("estado.sqlite*", "registro.clave"))
    for folder, machine in ((gro.folder, "a"), (other, "b")):
        comparte(folder, url, ESQUEMA, machine)
    spaces = [open_workspace(folder, clock=gro.clock) for folder in (gro.folder, other)]
    try:
        first, second = (Registro(space, entorno={}) for space in spaces)
        form = ficha(spaces[0].convocatoria)
        first.alta("diario-uno", form, ANA)
        first.pasa("diario-uno", "admitido", ANA)
        assert second.todos() == first.todos()
        with pytest.raises(EntradaError, match="clave del registro"):
            second.ficha("diario-uno")
        shutil.copy2(gro.folder / sello.ARCHIVO, other / sello.ARCHIVO)
        assert second.ficha("diario-uno") == form
        with psycopg.connect(url, options=f"-c search_path={ESQUEMA}") as connection:
            kept = [
                row[0]
                for row in connection.execute(
                    "SELECT renglon::text FROM renglon UNION ALL SELECT evento::text FROM evento"
                )
            ]
        assert any("diario-uno" in row for row in kept)
        assert hallados("\n".join(kept).encode(), confidenciales(form)) == set()
    finally:
        for space in spaces:
            shared = space.__dict__.get("compartido")
            if shared is not None:
                shared.servidor.cierra()
        postgres.run(f"DROP SCHEMA IF EXISTS {ESQUEMA} CASCADE")
