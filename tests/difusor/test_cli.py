"""The commands, as an administrator types them."""

from __future__ import annotations

import json
import shutil
import sys
import time
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from typer.testing import CliRunner

from pregon.base import procesos
from pregon.cli.difusor import app
from pregon.difusor import pointer
from tests.difusor.conftest import without_twins
from tests.trust.conftest import OFICIAL, other

if TYPE_CHECKING:
    from pathlib import Path

    from tests.difusor.conftest import Escena, EscenaFactory

MAIN = "import sys; from pregon.cli.difusor import app; app()"


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.stdout, result.stderr


def as_json(*arguments: object) -> Any:
    status, out, err = run(*arguments, "--json")
    assert status == 0, err
    return json.loads(out)


def test_inicia_recibe_estado_cortes(escena: Escena, tmp_path: Path) -> None:
    root = tmp_path / "root.json"
    root.write_bytes(escena.repository.root_bytes())
    folder = tmp_path / "nuevo"
    status, out, err = run(
        "inicia", folder, "--convocatoria", escena.folder / "perfil.toml", "--raiz", root,
        "--origen", escena.repository.folder, "--id", "diario-dos",
    )  # fmt: skip
    assert (status, err) == (0, "")
    assert "difusor.toml" in out
    modes = {name: (folder / name).stat().st_mode & 0o777 for name in ("recepcion", "historico", "objetos", "cortes")}
    assert modes == {"recepcion": 0o700, "historico": 0o700, "objetos": 0o750, "cortes": 0o750}
    assert (folder / "llaves" / "acuse.pem").stat().st_mode & 0o777 == 0o600
    escena.sign(1)
    first = as_json("recibe", folder, "--una-vez")
    assert (first["novedad"], first["corte"], first["publico"], first["estado"]) == (True, 1, None, "espera")
    assert as_json("recibe", folder, "--una-vez") == {"novedad": False}
    state = as_json("estado", folder)
    assert list(state) == [
        "convocatoria", "ambiente", "estado", "corte", "desde", "ultimo_intento", "reloj", "urls", "disco_libre",
        "avisos", "nube",
    ]  # fmt: skip
    assert (state["convocatoria"], state["ambiente"], state["estado"]) == ("demo-2027", "oficial", "espera")
    assert state["corte"] is None
    assert state["ultimo_intento"]["resultado"] == "sin_novedad"
    assert state["reloj"]["fiable"] is False
    assert state["disco_libre"] > 0
    cuts = as_json("cortes", folder)["cortes"]
    assert [(cut["numero"], cut["publicado"], cut["prueba"]) for cut in cuts] == [(1, False, "firma")]
    status, _, err = run(
        "inicia", folder, "--convocatoria", escena.folder / "perfil.toml", "--raiz", root, "--origen", "entrada"
    )
    assert status == 73
    assert "ya hay un difusor" in err


@pytest.mark.parametrize(
    ("changes", "codigo", "says"),
    [
        (("--ambiente", "simulacro"), 77, "repita la orden con --ambiente oficial"),
        (("--convocatoria", "gro-2021"), 77, "es de «demo-2027»"),
    ],
    ids=["ambiente", "convocatoria"],
)
def test_inicia_refuses_the_root_of_another_and_makes_nothing(
    escena: Escena, tmp_path: Path, changes: tuple[str, ...], codigo: int, says: str
) -> None:
    root, folder = tmp_path / "root.json", tmp_path / "nuevo"
    root.write_bytes(escena.repository.root_bytes())
    status, out, err = run(
        "inicia", folder, "--convocatoria", escena.folder / "perfil.toml", "--raiz", root, "--origen", "entrada",
        *changes,
    )  # fmt: skip
    assert (status, out) == (codigo, "")
    assert says in err
    assert "No se creó nada." in err
    assert not folder.exists()


def test_estado_tells_the_last_attempt_and_why_it_failed_the_clock_and_the_disk(escena: Escena) -> None:
    folder = escena.workspace.folder
    before = run("estado", folder)[1]
    assert "Último intento: ninguno todavía" in before
    escena.cut(1)
    escena.receiver().run_once()
    told = run("estado", folder)[1]
    local = escena.clock.now().astimezone(escena.workspace.convocatoria.zona).isoformat(timespec="seconds")
    assert f"publicado desde {local}\n" in told
    assert f"Último intento: {local}, llegó un corte y se aceptó\n" in told
    assert "Reloj: no es confiable (ninguna, sin medir)\n" in told
    assert "GB libres\n" in told
    (escena.repository.folder / "metadata" / "timestamp.json").unlink()
    escena.receiver().run_once()
    told = run("estado", folder)[1]
    assert f"Último intento: {local}, no se pudo recibir (RED)\n" in told
    assert "falló: El origen no tiene «metadata/timestamp.json».\n" in told
    assert "no mostrado" not in told
    assert list(as_json("estado", folder)["ultimo_intento"]) == ["hora", "resultado", "codigo"]


def test_estado_before_the_start_tells_the_cut_that_waits(escena: Escena) -> None:
    escena.sign(1)
    escena.receiver().run_once()
    told = run("estado", escena.workspace.folder)[1]
    assert "(oficial): espera desde" in told
    assert "Corte: ninguno\nVerificado y no mostrado: 1 de 2027-06-06T20:20:00-06:00\n" in told


@pytest.mark.parametrize("name", ["cortes", "objetos", "recepcion", "acuses", "servidor"])
def test_folder_that_somebody_removed_is_made_again(escena: Escena, name: str) -> None:
    escena.cut(1)
    escena.receiver().run_once()
    shutil.rmtree(escena.workspace.folder / name)
    assert as_json("recibe", escena.workspace.folder, "--una-vez") == {"novedad": False}
    assert without_twins(escena.public()) == escena.manifest_hashes(1)


def test_root_that_was_removed_is_told_and_what_is_public_stays(escena: Escena) -> None:
    escena.cut(1)
    escena.receiver().run_once()
    escena.workspace.raiz.unlink()
    status, _, err = run("recibe", escena.workspace.folder, "--una-vez")
    assert status == 66
    assert "root.json del instituto" in err
    assert escena.public()["index.html"] == escena.manifest_hashes(1)["index.html"]


def test_refusal_gives_its_exit_status_and_its_keys(escena: Escena) -> None:
    escena.sign(1)
    escena.receiver().run_once()
    escena.sign(2)
    path = escena.repository.cut_folder(2) / "manifiesto.json"
    path.write_bytes(path.read_bytes().replace(b"GUB", b"DIP"))
    status, out, err = run("recibe", escena.workspace.folder, "--una-vez", "--json")
    assert (status, out) == (77, "")
    assert sorted(json.loads(err)) == ["clase", "codigo", "intacto", "que_hacer", "que_paso"]
    assert (json.loads(err)["codigo"], json.loads(err)["clase"]) == ("HASH", "INTEGRIDAD")  # INE-VI-a-i
    assert as_json("estado", escena.workspace.folder)["ultimo_intento"]["codigo"] == "HASH"


def test_second_receiver_is_refused(escena: Escena) -> None:
    from pregon.base.locks import exclusive

    with exclusive(escena.workspace.candado):
        status, _, err = run("recibe", escena.workspace.folder, "--una-vez")
    assert status == 75
    assert "Otro proceso" in err


def test_wrong_settings_are_told_all_at_once(escena: Escena) -> None:
    toml = escena.workspace.folder / "difusor.toml"
    text = toml.read_text().replace('id = "diario-uno"', 'id = "Diario Uno"')
    toml.write_text(text + 'desconocida = 1\nbase = "sin-diagonal"\n')
    status, _, err = run("estado", escena.workspace.folder)
    assert status == 78
    for place in ("id", "servidor.desconocida", "servidor.base"):
        assert place in err


def test_simulated_time_in_an_official_difusor_is_refused(escena: Escena) -> None:
    toml = escena.workspace.folder / "difusor.toml"
    toml.write_text(toml.read_text().replace('fuente = "ninguna"', 'fuente = "simulado"'))
    status, _, err = run("recibe", escena.workspace.folder, "--una-vez")
    assert status == 78
    assert "simulacro" in err


def test_recibe_and_sirve_as_processes(escena_factory: EscenaFactory) -> None:
    """Two processes, as on the night: one receives and survives a refusal, the other serves and ends its server."""
    escena = escena_factory(
        identity=other(OFICIAL, ambiente="simulacro"), reloj='fuente = "simulado"\nsimulado = "reloj.json"'
    )
    from pregon.base.clock import SimulatedClock
    from tests.trust.conftest import INICIO, INTERVALO

    folder = escena.workspace.folder
    (folder / "reloj.json").write_bytes(SimulatedClock.start(INICIO + INTERVALO, 1.0).dump())
    escena.cut(1)
    command = [sys.executable, "-c", MAIN]
    with (
        procesos.running([*command, "sirve", folder], output=escena.folder / "sirve.out") as serving,
        procesos.running([*command, "recibe", folder], output=escena.folder / "recibe.out") as receiving,
    ):
        procesos.wait_until(lambda: "LISTO " in serving.tail(), serving, timeout=20, what="sirve")
        url = next(line.split(" ")[1] for line in serving.tail().splitlines() if line.startswith("LISTO "))

        def shown(corte: int) -> bool:
            return f'data-corte="{corte:04d}"' in httpx2.get(url, trust_env=False).text

        procesos.wait_until(lambda: shown(1), receiving, timeout=20, what="corte 1")
        escena.cut(2)
        path = escena.repository.cut_folder(2) / "manifiesto.json"
        honest = path.read_bytes()
        path.write_bytes(honest.replace(b"GUB", b"DIP"))
        time.sleep(0.5)
        assert receiving.returncode() is None
        assert shown(1)
        path.write_bytes(honest)
        procesos.wait_until(lambda: shown(2), receiving, timeout=20, what="corte 2")
        assert as_json("estado", folder)["urls"] == [url]
        assert as_json("estado", folder)["corte"]["numero"] == 2
        assert receiving.stop() == 0
        assert serving.stop(grace=10) == 0
    assert pointer.read(escena.workspace) == "0002"
    assert (escena.folder / "recibe.out").read_text().count("Público: corte") == 2
