"""A wrong mapping, account or value: a clear error with the key's path, never the password, and nothing signed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pregon.base.errors import AjustesError, FormatoError, PregonError, RedError
from pregon.instituto.build import build_cut
from pregon.instituto.sql.fuentes import configured
from pregon.instituto.workspace import open_workspace
from tests.instituto.conftest import HORA, Night, tree_digest
from tests.instituto_sql import servidores
from tests.instituto_sql.eleccion import both, configure
from tests.instituto_sql.servidores import CLAVE_DUENO, CLAVE_LECTOR, as_operator

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.instituto.workspace import Workspace
    from tests.instituto_sql.servidores import Base

SERVERS = pytest.mark.parametrize("base", ["postgres", "mariadb"], indirect=True)
ONE = pytest.mark.parametrize("base", ["sqlite"], indirect=True)


def refused(space: Workspace, night: Night, kind: type[PregonError], **entorno: str) -> str:
    """Order the cut and give what it says; nothing is signed, no secret is told, the work folder holds no cut."""
    before = tree_digest(space.repositorio)
    with pytest.raises(kind) as failed:
        _cut(space, night, entorno)
    assert type(failed.value) is kind
    assert tree_digest(space.repositorio) == before
    told = " ".join(failed.value.as_dict().values())
    for secret in (CLAVE_LECTOR, CLAVE_DUENO, "s3cr", "nóche", "mala-clave"):
        assert secret not in told
    return told


def _cut(space: Workspace, night: Night, entorno: dict[str, str]) -> int:
    opened = open_workspace(space.folder, clock=night.clock)
    return build_cut(opened, configured(opened, hora=HORA, ultimo=False, entorno=entorno), hora=HORA).corte


def test_a_table_that_is_not_there(base: Base, night: Night, space: Workspace) -> None:
    configure(space, base, *both(origen='tabla = "otras_actas"'))
    assert "fuente[0].tabla" in (told := refused(space, night, AjustesError))
    assert "otras_actas" in told


def test_every_column_that_is_not_there_is_told_with_its_path(base: Base, night: Night, space: Workspace) -> None:
    first, second = both(orden="orden_de_llegada")
    second.columnas = {"SECCION": '"secc"'}
    second.votos = {"PRI": '{ nombre = "PRI", columna = "v_pri", marca = "m_pri" }'}
    first.orden = "renglon"
    configure(space, base, first, second)
    told = refused(space, night, AjustesError)
    for path in ("columnas.SECCION", "votos[1].columna", "votos[1].marca", "orden[0]"):
        assert f"fuente[1].{path}: no existe la columna" in told
    assert "clave_casilla" in told  # and which there are


def test_a_query_that_the_database_does_not_understand(base: Base, night: Night, space: Workspace) -> None:
    configure(space, base, *both(origen='consulta = "SELECT * FROM actas_gub WHERE"'))
    assert "fuente[0].consulta" in refused(space, night, AjustesError)


@pytest.mark.parametrize(
    ("value", "column", "said"),
    [
        ("-7", "pan", "columna PAN: vino -7, que no es una cuenta ni está en «marcas»"),
        ("'trece'", "texto", "columna PAN: vino «trece»"),
        ("3.5", "texto", "columna PAN: vino «3.5»"),
        ("'Z'", "mc_marca", "columna MC: la marca «Z» no está en «marcas_aparte»"),
    ],
)
def test_a_value_that_its_column_cannot_hold(
    base: Base, night: Night, space: Workspace, value: str, column: str, said: str
) -> None:
    if column == "texto":
        first, second = both(origen=f'consulta = "SELECT a.*, {value} AS otra FROM actas_gub a"')
        first.votos = {"PAN": '{ nombre = "PAN", columna = "otra" }'}
        configure(space, base, first, second)
    else:
        base.run(f"UPDATE actas_gub SET {column} = {value} WHERE renglon = 3")
        configure(space, base, *both())
    told = refused(space, night, FormatoError)
    assert said in told
    assert "renglón " in told
    assert "fuente[0]" in told


@pytest.mark.parametrize("base", ["postgres", "mariadb"], indirect=True)
def test_a_computation_that_the_database_cannot_do(base: Base, night: Night, space: Workspace) -> None:
    bad = {"postgres": "('x' || renglon)::int", "mariadb": "(SELECT pan FROM actas_dip_loc)"}[base.nombre]
    configure(space, base, *both(origen=f'consulta = "SELECT a.*, {bad} AS otra FROM actas_gub a"', orden="otra"))
    assert "fuente[0].consulta" in refused(space, night, FormatoError)


def test_text_with_line_ends_is_refused_and_not_mended(base: Base, night: Night, space: Workspace) -> None:
    base.run("UPDATE actas_gub SET observaciones = 'ILEGIBLE\nSIN DATO' WHERE renglon = 5")
    configure(space, base, *both())
    assert "renglón 5, columna OBSERVACIONES" in refused(space, night, FormatoError)


@SERVERS
def test_a_server_that_nobody_answers_for(base: Base, night: Night, space: Workspace) -> None:
    away = base.lector.set(port=servidores.free_port())
    configure(space, base, *both(), direccion=as_operator(away))
    assert f"127.0.0.1:{away.port}" in refused(space, night, RedError)


@SERVERS
def test_a_wrong_password_or_a_database_that_is_not_there(base: Base, night: Night, space: Workspace) -> None:
    configure(space, base, *both(), direccion=as_operator(base.lector.set(password="mala-clave")))
    assert "fuente[0].url_archivo" in refused(space, night, AjustesError)
    configure(space, base, *both(), direccion=as_operator(base.lector.set(database="otra")))
    told = refused(space, night, AjustesError)
    assert "fuente[0].url_archivo" in told
    assert "otra" in told


@SERVERS
def test_a_table_that_the_account_may_not_read(base: Base, night: Night, space: Workspace) -> None:
    if base.nombre == "postgres":
        base.run("REVOKE SELECT ON actas_dip_loc FROM lector")
        configure(space, base, *both())
        assert "fuente[1].tabla" in refused(space, night, AjustesError)
    else:
        configure(space, base, *both(origen='tabla = "mysql.user"'))
        assert "fuente[0].tabla" in refused(space, night, AjustesError)


@SERVERS
def test_an_account_that_can_write_is_refused_unless_the_institute_says_so(
    base: Base, night: Night, space: Workspace
) -> None:
    owner = as_operator(base.dueno)
    configure(space, base, *both(), direccion=owner)
    assert "la cuenta puede más que leer" in refused(space, night, AjustesError)
    configure(space, base, *both(extra="permite_escritura = true"), direccion=owner)
    assert _cut(space, night, {}) == 1


@SERVERS
def test_even_an_account_that_can_write_writes_nothing(base: Base, night: Night, space: Workspace) -> None:
    body = {
        "postgres": "CREATE OR REPLACE FUNCTION toca() RETURNS int LANGUAGE sql AS "
        "$$ UPDATE actas_gub SET pan = 0 RETURNING 1 $$",
        "mariadb": "CREATE OR REPLACE FUNCTION toca() RETURNS int "
        "BEGIN UPDATE actas_dip_loc SET pan = 0; RETURN 1; END",
    }[base.nombre]
    base.run(body)
    table = {"postgres": "actas_gub", "mariadb": "actas_dip_loc"}[base.nombre]
    before = base.scalar(f"SELECT sum(pan) FROM {table}")
    query = 'consulta = "SELECT a.*, toca() AS tocada FROM actas_gub a"'
    first, second = both(extra="permite_escritura = true")
    first.origen, first.orden = query, "tocada"
    configure(space, base, first, second, direccion=as_operator(base.dueno))
    assert "fuente[0].consulta" in refused(space, night, AjustesError)
    assert base.scalar(f"SELECT sum(pan) FROM {table}") == before


@pytest.mark.parametrize("base", ["mariadb"], indirect=True)
def test_tables_without_transactions_are_refused(base: Base, night: Night, space: Workspace) -> None:
    base.run("ALTER TABLE actas_dip_loc ENGINE = MyISAM")
    configure(space, base, *both())
    assert "actas_dip_loc (MyISAM)" in refused(space, night, AjustesError)


@ONE
def test_the_secret_must_be_there_and_not_for_everybody(base: Base, night: Night, space: Workspace) -> None:
    secret = configure(space, base, *both())
    secret.chmod(0o644)
    assert "cualquiera puede leer" in refused(space, night, AjustesError)
    secret.unlink()
    assert "no se pudo leer" in refused(space, night, AjustesError)
    secret.write_text("")
    secret.chmod(0o600)
    assert "está vacío" in refused(space, night, AjustesError)
    for wrong in ("s3cr:nóche", "oracle://u:s3cr@h/b", "postgresql://u:s3cr@nóche@h/b", "postgresql://u:s3cr@h:x/b"):
        secret.write_text(wrong)
        assert "no contiene una dirección" in refused(space, night, AjustesError)
    secret.write_text("sqlite:///no-esta.db")
    assert "no existe la base SQLite" in refused(space, night, AjustesError)


@ONE
def test_an_address_by_environment_variable(base: Base, night: Night, space: Workspace) -> None:
    configure(space, base, *both(url='url_variable = "PREP_BASE"'))
    assert "PREP_BASE no está puesta" in refused(space, night, AjustesError)
    assert _cut(space, night, {"PREP_BASE": base.direccion}) == 1


@ONE
def test_two_databases_have_no_common_instant(base: Base, night: Night, space: Workspace, tmp_path: Path) -> None:
    first, second = both()
    second.url = 'url_variable = "OTRA"'
    configure(space, base, first, second)
    other = servidores.sqlite(tmp_path / "otra.db")
    assert "un solo instante" in refused(space, night, AjustesError, OTRA=other.direccion)


@ONE
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": 'url = "postgresql://u:s3cr@h/b"'}, "fuente[0].url: clave desconocida"),
        ({"url": ""}, "debe dar «url_archivo» o «url_variable»"),
        ({"eleccion": "GOBERNADORA"}, "fuente[0].eleccion: no es una elección conocida"),
        ({"origen": 'consulta = "DELETE FROM actas"'}, "fuente[0].consulta: debe ser un solo SELECT"),
        ({"origen": 'consulta = "SELECT 1; DROP TABLE actas"'}, "fuente[0].consulta: debe ser un solo SELECT"),
        ({"origen": 'tabla = "a"\nconsulta = "SELECT 1"'}, "debe dar «tabla» o «consulta»"),
        ({"columnas": {"LISTA_NOMINAL": "{ }"}}, "fuente[0].columnas.LISTA_NOMINAL: debe dar «columna» o «valor»"),
        ({"votos": {"X": '{ nombre = "DESPUES_DE_NULOS", columna = "x" }'}}, "NULOS"),
        ({"columnas": {'"PAN"': '"pan"'}}, "columnas repetidas: PAN"),
    ],
)
def test_a_wrong_key_is_told_with_its_path(
    base: Base, night: Night, space: Workspace, change: dict[str, Any], said: str
) -> None:
    sources = both(**{k: v for k, v in change.items() if k != "eleccion"})
    path = space.folder / "instituto.toml"
    configure(space, base, *sources)
    if "eleccion" in change:
        path.write_text(path.read_text().replace('eleccion = "GUB"', f'eleccion = "{change["eleccion"]}"'))
    assert said in refused(space, night, AjustesError)


@ONE
def test_one_election_twice(base: Base, night: Night, space: Workspace) -> None:
    first, _ = both()
    configure(space, base, first, first)
    assert "hay dos fuentes de la elección GUB" in refused(space, night, AjustesError)
