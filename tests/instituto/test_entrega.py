"""Rounds of delivery to real nodes by folder, and what is known of each from its acuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from pregon.base import locks
from pregon.base.clock import SystemClock
from pregon.base.errors import AjustesError, EntradaError
from pregon.base.settings import parse_toml
from pregon.cli.instituto import app
from pregon.instituto.entrega import recoleccion
from pregon.instituto.entrega.destinos import AjustesEntrega, Destino
from pregon.instituto.settings import AjustesInstituto
from pregon.transport.abre import open_acuses, open_destination, open_source
from pregon.transport.lugar import Lugar
from pregon.trust.keys import KeyRing, generate, ring_names
from tests.instituto.entregas import Campo

if TYPE_CHECKING:
    from tests.instituto.conftest import Night


@pytest.fixture(scope="session")
def ring() -> KeyRing:
    return KeyRing(tuple(generate(name) for name in ring_names()))


@pytest.fixture
def campo(tmp_path: Path, ring: KeyRing) -> Campo:
    return Campo.make(tmp_path, ring)


def packages(files: set[str]) -> set[str]:
    return {ruta for ruta in files if ruta.endswith(".zip")}


def test_whole_first_then_only_changes_once_its_acuses_say_so(campo: Campo) -> None:
    one = campo.nodo("diario-uno")
    campo.corte(1)
    line = campo.entrega()["diario-uno/principal"]
    assert (line.codigo, line.corte, line.forma) == ("ENTREGADO", 1, "completo")
    assert one.recibe() == 1
    campo.corte(2)
    line = campo.entrega()["diario-uno/principal"]
    assert (line.corte, line.forma) == (2, "cambios")
    assert one.recibe() == 2
    first, *rest = sorted(packages(one.archivos))
    assert "/0001/" in first
    assert len(rest) == 1
    assert rest[0].endswith(".cambios.zip")
    line = campo.entrega()["diario-uno/principal"]
    assert (line.codigo, line.forma, line.bytes) == ("ENTREGADO", "nada", 0)
    # Between cuts only the sign of life travels.
    campo.escena.repository.resign_timestamp(
        now=campo.escena.clock.instant, expires=campo.escena.clock.instant.replace(year=2028)
    )
    line = campo.entrega()["diario-uno/principal"]
    assert line.bytes == (campo.escena.repository.folder / "metadata" / "timestamp.json").stat().st_size
    [*_, last] = campo.events("entrega")
    assert (last["difusor"], last["nodo"], last["corte"], last["codigo"]) == ("diario-uno", "principal", 2, "ENTREGADO")


def test_node_that_missed_cuts_gets_the_chain_from_the_one_it_has(campo: Campo) -> None:
    one, two = campo.nodo("diario-uno"), campo.nodo("diario-dos")
    campo.corte(1)
    campo.entrega()
    one.recibe()
    two.recibe()
    for number in (2, 3):
        campo.corte(number)
        campo.entrega(None, "diario-uno")
        one.recibe()
    lines = campo.entrega()
    assert {name: line.forma for name, line in lines.items()} == {
        "diario-uno/principal": "nada",
        "diario-dos/principal": "cambios",
    }
    chain = {ruta for ruta in two.archivos if "/0002/" in ruta or "/0003/" in ruta}
    assert sorted(ruta.rpartition("/")[2].rpartition("DEMO")[2] or "manifiesto" for ruta in chain) == [
        ".cambios.zip",
        ".cambios.zip",
        "manifiesto.json",
        "manifiesto.json",
    ]
    assert two.recibe() == 3


def test_node_that_could_not_use_what_came_gets_the_whole(campo: Campo) -> None:
    """It says so in an acuse, and the repair does not wait for a person."""
    one = campo.nodo("diario-uno")
    campo.corte(1)
    campo.entrega()
    one.recibe()
    campo.corte(2)
    campo.entrega()
    [changes] = one.entrada.rglob("*.cambios.zip")
    changes.write_bytes(b"\0" * changes.stat().st_size)
    assert one.recibe() is None
    assert one.acuses[-1].name.endswith("-rechazado.json")
    line = campo.entrega()["diario-uno/principal"]
    assert line.forma == "completo"
    assert one.recibe() == 2


def test_node_that_says_nothing_of_three_cuts_gets_a_whole_one(campo: Campo) -> None:
    """Its store may lack what the changes stand on, and a difusor that waits for a file says nothing."""
    one = campo.nodo("diario-uno")
    campo.corte(1)
    campo.entrega()
    one.recibe()
    forms = []
    for number in range(2, 8):
        campo.corte(number)
        first, again = campo.entrega()["diario-uno/principal"], campo.entrega()["diario-uno/principal"]
        assert (again.forma, again.bytes) == (first.forma, 0)
        forms.append(first.forma)
    assert forms == ["cambios", "cambios", "completo", "cambios", "cambios", "completo"]
    assert one.recibe() == 7
    assert campo.entrega()["diario-uno/principal"].forma == "nada"


def test_without_acuses_only_the_whole_is_sure_unless_the_settings_say_otherwise(campo: Campo) -> None:
    plain, sure = campo.nodo("diario-uno").tabla, campo.nodo("diario-dos").tabla
    for table in (plain, sure):
        del table["acuses"], table["clave_acuses"]
    space = campo.espacio(plain, {**sure, "cadena_sin_acuse": True})
    campo.corte(1)
    assert {line.forma for line in campo.entrega(space).values()} == {"completo"}
    campo.corte(2)
    lines = campo.entrega(space)
    assert lines["diario-uno/principal"].forma == "completo"
    assert lines["diario-dos/principal"].forma == "cambios"
    assert campo.entrega(space, completo=True)["diario-dos/principal"].forma == "completo"


def test_difusor_of_two_nodes_is_at_the_cut_when_both_are(campo: Campo) -> None:
    """GRO-2.1b."""
    one, two = campo.nodo("diario-uno", "norte"), campo.nodo("diario-uno", "sur")
    campo.corte(1)
    campo.entrega()

    def state() -> tuple[int | None, bool]:
        recoleccion.collect_all(campo.espacio(), {})
        [row] = recoleccion.status(campo.espacio())["difusores"]
        return row["corte"], row["al_corte"]

    assert one.recibe() == 1
    assert state() == (None, False)
    assert two.recibe() == 1
    assert state() == (1, True)
    campo.corte(2)
    assert state() == (1, False)
    campo.entrega()
    two.recibe()
    assert state() == (1, False)
    one.recibe()
    assert state() == (2, True)


def test_complete_history_gets_the_whole_after_the_timestamp(tmp_path: Path, ring: KeyRing) -> None:
    campo = Campo.make(tmp_path, ring, extra='historial = "completo"')
    one = campo.nodo("diario-uno")
    campo.corte(1)
    campo.entrega()
    assert one.recibe() == 1
    campo.corte(2)
    assert campo.entrega()["diario-uno/principal"].forma == "cambios"
    assert one.recibe() == 2
    assert len(packages(one.archivos)) == 3, "two whole archives and one of changes"
    stamp, whole = (
        next(path for path in one.entrada.rglob(name) if "cambios" not in path.name).stat().st_ctime_ns
        for name in ("timestamp.json", "*_0240_PREP_GUB_DEMO.zip")
    )
    assert stamp < whole


def test_next_cut_signed_meanwhile_is_not_half_delivered(campo: Campo) -> None:
    """What travels is one state: links to its files, and its own timestamp."""
    campo.nodo("diario-uno")
    campo.corte(1)
    from pregon.instituto.entrega.plan import plan
    from pregon.instituto.entrega.vista import vistas

    with vistas(campo.espacio()) as states:
        state = states.newest()
        stamp = (campo.escena.repository.folder / "metadata" / "timestamp.json").read_bytes()
        campo.corte(2)
        [envio] = state.envios(plan(state.oferta, tiene=None))
        assert (envio.repositorio / "metadata" / "timestamp.json").read_bytes() == stamp
        assert not list(envio.repositorio.rglob("0002"))
        assert states.newest().oferta.cortes[-1].corte == 2
        left = envio.repositorio.parent
        with vistas(campo.espacio()):
            assert left.exists(), "another process does not take it away"
    assert not left.exists()


def test_node_where_another_process_delivers_is_waited_for_and_nobody_else(campo: Campo) -> None:
    one = campo.nodo("diario-uno")
    campo.nodo("diario-dos")
    campo.corte(1)
    folder = campo.escena.folder / "entrega"
    folder.mkdir()
    with locks.exclusive(folder / "diario-uno.principal.candado"):
        lines = campo.entrega(campo.espacio(plazo_s=0.6))
    assert {name: line.codigo for name, line in lines.items()} == {
        "diario-uno/principal": "INSTANCIA",
        "diario-dos/principal": "ENTREGADO",
    }
    assert one.archivos == set()


def test_paused_and_pulling_nodes_get_nothing_unless_they_are_named(campo: Campo) -> None:
    paused, pulls, normal = (campo.nodo(name).tabla for name in ("en-pausa", "que-lee", "normal"))
    del pulls["url"]
    space = campo.espacio({**paused, "pausado": True}, pulls, normal)
    campo.corte(1)
    assert list(campo.entrega(space)) == ["normal/principal"]
    assert list(campo.entrega(space, "en-pausa")) == ["en-pausa/principal"]
    for name in ("que-lee", "nadie"):
        with pytest.raises(EntradaError):
            campo.entrega(space, name)


def test_missing_file_of_the_repository_stops_that_delivery_before_anything_is_named(campo: Campo) -> None:
    one = campo.nodo("diario-uno")
    campo.corte(1)
    [whole] = (campo.escena.repository.folder / "targets").rglob("*.zip")
    whole.rename(whole.with_suffix(".aparte"))
    line = campo.entrega()["diario-uno/principal"]
    assert (line.codigo, line.intentos) == ("ENTRADA", 1)
    assert one.archivos == set()


SSH = 'url = "sftp://u@h/x"\nllave = "l"\nanfitriones = "k"\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('difusor = "a1"\nurl = "ftp://h/x"', "FTP no se usa"),
        ('difusor = "a1"\nurl = "https://h/x"', "sólo se lee"),
        ('difusor = "a1"', "hace falta «url»"),
        ('difusor = "a1"\nurl = "sftp://u@h/x"', "destino[0]: hacen falta «llave»"),
        (f'difusor = "A"\n{SSH}', "difusor: no tiene la forma"),
        (f'difusor = "a1"\n{SSH}contrasena = "x"', "contrasena: clave desconocida"),
        (f'difusor = "a1"\n{SSH}acuses = "sftp://u@h/a"', "pide «clave_acuses»"),
        (f'difusor = "a1"\n{SSH}clave_acuses = "p"\nacuses = "sftp://h/a"', "«acuses»: url: le falta la cuenta"),
        (f'difusor = "a1"\n{SSH}llave_acuses_lectura = "x"', "pide «acuses»"),
        ('difusor = "a1"\nurl = "/x"\npuertos = [22]', "«puertos» pide"),
        (f'difusor = "a1"\n{SSH}[[destino]]\ndifusor = "a1"\nurl = "/x"', "hay dos tablas de a1/principal"),
        (f'difusor = "a1"\n{SSH}[entrega]\na_la_vez = 0', "entrega.a_la_vez: debe ser al menos 1"),
        (f'difusor = "a1"\n{SSH}[entrega]\nveloz = 1', "entrega.veloz: clave desconocida"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_their_place(text: str, problem: str) -> None:
    toml = f'convocatoria = "x"\n[[destino]]\n{text}\n'
    with pytest.raises(AjustesError) as caught:
        parse_toml(toml.encode(), AjustesInstituto, where="instituto.toml")
    assert problem in caught.value.que_paso
    assert "destino" in caught.value.que_paso or "entrega" in caught.value.que_paso


def test_places_of_a_node_its_ports_and_the_account_that_reads() -> None:
    toml = f"""convocatoria = "x"
[[destino]]
difusor = "a1"
{SSH}puertos = [2222]
acuses = "sftp://lee@h/acuses"
llave_acuses_lectura = "otra"
clave_acuses = "a1.pem"
[[destino]]
difusor = "a2"
url = "rsync://cuenta@h:873/prep"
puertos = [2873]
secreto = "env:CLAVE"
"""
    one, two = parse_toml(toml.encode(), AjustesInstituto, where="instituto.toml").destino
    assert [lugar.url for lugar in one.lugares] == ["sftp://u@h/x", "sftp://u@h:2222/x"]
    assert one.lugar_acuses is not None
    assert (one.lugar_acuses.url, str(one.lugar_acuses.llave)) == ("sftp://lee@h/acuses", "otra")
    assert str(one.lugares[0].llave) == "l"
    assert [lugar.url for lugar in two.lugares] == ["rsync://cuenta@h:873/prep", "rsync://cuenta@h:2873/prep"]
    assert two.lugares[1].secreto == "env:CLAVE"
    store = {"difusor": "a3", "url": "s3://cubo/prep"}
    assert [Destino.model_validate({**store, **more}).almacen for more in ({}, {"todo": False})] == [True, False]
    assert (one.almacen, two.almacen) == (False, False)


def test_every_table_of_the_guide_is_one_that_is_read() -> None:
    guide = (Path(__file__).resolve().parents[2] / "docs/operacion/entrega.md").read_text(encoding="utf-8")
    tables = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    assert len(tables) == 5
    read = [parse_toml(f'convocatoria = "x"\n{text}'.encode(), AjustesInstituto, where="guía") for text in tables]
    schemes = {one.esquema for settings in read for one in settings.destino if one.empuja}
    assert schemes == {"scp", "rsync", "rsync+ssh", "sftp", "s3"}
    keys = {f"{field}" for field in Destino.model_fields} | set(AjustesEntrega.model_fields)
    assert [key for key in sorted(keys) if not re.search(rf"\b{key}\b", guide)] == []


@pytest.mark.parametrize(
    ("url", "destino", "acuses", "source"),
    [
        ("carpeta", "FolderDestination", "FolderAcuses", "FolderSource"),
        ("file:///carpeta", "FolderDestination", "FolderAcuses", "FolderSource"),
        ("sftp://u@h/x", "SftpDestination", "SftpAcuses", None),
        ("scp://u@h/x", "ScpDestination", "ScpAcuses", None),
        ("rsync+ssh://u@h/x", "RsyncDestination", "RsyncAcuses", None),
        ("rsync://h/x", "RsyncDestination", "RsyncAcuses", None),
        ("s3://cubo/x", "S3Destination", "S3Acuses", "S3Source"),
        ("https://h/x", None, None, "HttpsSource"),
    ],
)
def test_each_scheme_opens_its_carrier_or_says_that_there_is_none(
    url: str, destino: str | None, acuses: str | None, source: str | None, tmp_path: Path
) -> None:
    lugar = Lugar.model_validate(
        {"url": url, "llave": "l", "anfitriones": "k", "clave_acceso": "a", "secreto": "env:CLAVE"}
    )
    for opener, name in ((open_destination, destino), (open_acuses, acuses), (open_source, source)):
        if name is None:
            with pytest.raises(AjustesError, match="no se puede"):
                opener(lugar, folder=tmp_path, clock=SystemClock(), environment={"CLAVE": "x"})
        else:
            opened = opener(lugar, folder=tmp_path, clock=SystemClock(), environment={"CLAVE": "x"})
            assert type(opened).__name__ == name


def test_command_delivers_says_who_failed_and_leaves_the_folder_form_as_it_was(night: Night, tmp_path: Path) -> None:
    space = night.create()
    night.cut(space)
    (tmp_path / "uno").mkdir()
    settings = space.folder / "instituto.toml"
    run = CliRunner()

    def order(*words: str) -> tuple[int, str, str]:
        result = run.invoke(app, ["entrega", str(space.folder), *words])
        return result.exit_code, result.stdout, result.stderr

    status, _, text = order()
    assert status == 66
    assert "No hay a quién entregar" in text
    settings.write_text(
        settings.read_text()
        + f'[[destino]]\ndifusor = "uno"\nurl = "{tmp_path / "uno"}"\n'
        + f'[[destino]]\ndifusor = "dos"\nurl = "{tmp_path / "no-montada"}"\n'
    )
    status, text, _ = order("--json")
    told = json.loads(text)
    assert status == 69
    assert told["fallaron"] == 1
    assert {row["difusor"]: (row["codigo"], row["corte"]) for row in told["destinos"]} == {
        "uno": ("ENTREGADO", 1),
        "dos": ("DESTINO", None),
    }
    status, text, problems = order()
    assert status == 69
    assert "dos/principal: " in problems
    assert "uno" in text
    assert order("--difusor", "uno")[0] == 0
    assert order("--difusor", "tres")[0] == 66
    assert not (tmp_path / "no-montada").exists()
    (tmp_path / "usb").mkdir()
    status, text, _ = order("--destino", str(tmp_path / "usb"), "--json")
    assert status == 0
    assert set(json.loads(text)) == {"destino", "archivos", "corte", "segundos"}
    assert order("--destino", str(tmp_path / "usb"), "--difusor", "uno")[0] == 2
    state = run.invoke(app, ["acuses", "estado", str(space.folder), "--json"])
    assert state.exit_code == 0
    rows = {row["difusor"]: row for row in json.loads(state.stdout)["difusores"]}
    assert (rows["uno"]["nodos"][0]["entregado"], rows["uno"]["nodos"][0]["entrega"]) == (1, "ENTREGADO")
    assert (rows["uno"]["al_corte"], rows["dos"]["corte"]) == (False, None)
