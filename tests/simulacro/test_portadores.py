"""Each call by its own carrier: real servers, real keys, and what was refused before anything was made."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING

import pytest

from pregon.base.durable import Disk
from pregon.base.errors import AjustesError, EntradaError
from pregon.base.procesos import start
from pregon.convocatoria.perfiles import ids, load
from pregon.instituto.workspace import open_workspace
from pregon.simulacro import portadores
from pregon.simulacro.night import Leader, Night
from pregon.simulacro.prepare import synthetic_night

if TYPE_CHECKING:
    from pathlib import Path

LLEGAN = {
    # call: how cuts come to the first two difusores, what they come in, minutes between them
    "dgo-2024": (["rsync", "rsync+ssh"], "zip", 15),
    "gro-2021": (["scp", "scp"], "7z", 20),
    "ine-2021": (["https", "https"], "zip", 20),
    "mex-2021": (["sftp", "sftp"], "zip", 20),
    "mor-2024": (["rsync", "rsync+ssh"], "zip", 10),
}


def test_cuts_come_by_the_carrier_of_the_call_and_the_institute_knows_who_has_them(tmp_path: Path) -> None:
    """Durango: a daemon of rsync for one difusor, rsync over SSH for the other (DGO-II-net-c3)."""
    profile, plan = synthetic_night(tmp_path / "fuentes", convocatoria="dgo-2024", cortes=2, semilla=7, disk=Disk())
    pace = portadores.ritmo_maximo(profile, 2)
    folder = tmp_path / "noche"
    said: list[str] = []
    with Leader(Night(profile, plan, 2, pace, 7, "convocatoria"), folder, say=said.append).run() as night:
        assert night.ok, [check for difusor in night.difusores for check in difusor.checks if not check.ok]
    assert [difusor.transporte for difusor in night.difusores] == ["rsync", "rsync+ssh"]
    assert night.paquete == "zip"
    # Nothing went by folder: the institute had no inbox of this machine to write in, and the servers saw it all.
    assert json.loads((folder / "entradas.json").read_bytes()) == []
    daemon = (folder / "portadores/difusor-1/rsyncd.log").read_text()
    assert "rsync to entrada/ from instituto@" in daemon
    session = (folder / "portadores/difusor-2/sshd.log").read_text()
    orders = set(re.findall(r"Starting session: forced-command .*?(rrsync -\w+)", session))
    assert orders == {"rrsync -wo", "rrsync -ro"}
    institute = open_workspace(folder / "instituto")
    sent = [event.dato for event in institute.state().events() if event.tipo == "entrega"]
    assert {line["codigo"] for line in sent} == {"ENTREGADO"}
    assert {(line["difusor"], line["corte"]) for line in sent} >= {
        (difusor, cut) for difusor in ("difusor-1", "difusor-2") for cut in (0, 1, 2)
    }
    # Their signed acuses came back by the same carrier, so the last cut went as changes, not whole.
    last = {line["difusor"]: line["forma"] for line in sent if line["corte"] == 2 and line["forma"] != "nada"}
    assert last == {"difusor-1": "cambios", "difusor-2": "cambios"}


def test_no_key_does_more_than_deliver_or_read_acuses(tmp_path: Path) -> None:
    """The doors of a simulacro are those of ``configura sshd``: another order is not obeyed, another key not let in."""
    difusor = tmp_path / "difusor-1"
    for name in ("entrada", "acuses", "privado"):
        (difusor / name).mkdir(parents=True)
    (difusor / "privado" / "llave").write_text("secreto")
    doors = portadores.abiertas(
        load("gro-2021"),
        {"difusor-1": difusor},
        repositorio=tmp_path / "repositorio",
        folder=tmp_path / "portadores",
        disk=Disk(),
    )
    with doors as opened:
        assert opened["difusor-1"].esquema == "scp"
        folder = tmp_path / "portadores/difusor-1"
        port = re.search(r":(\d+)/entrada", opened["difusor-1"].destinos)
        assert port is not None
        base = ["ssh", "-p", port[1], "-o", f"UserKnownHostsFile={folder / 'known_hosts'}", "-o", "BatchMode=yes"]
        base += ["-o", "IdentitiesOnly=yes", "-F", "none"]
        user = re.search(r"scp://([^@]+)@", opened["difusor-1"].destinos)
        assert user is not None
        order = f"cat {difusor / 'privado' / 'llave'}; touch {difusor / 'privado' / 'nuevo'}"
        for key in ("entrega", "servidor"):
            output = tmp_path / f"{key}.salida"
            asked = start([*base, "-i", folder / key, f"{user[1]}@127.0.0.1", order], output=output)
            asked.wait(20)  # The server's half of scp, told nothing, ends well.
            assert "secreto" not in output.read_text()
        assert "Permission denied" in (tmp_path / "servidor.salida").read_text()
    assert [path.name for path in (difusor / "privado").iterdir()] == ["llave"]
    assert list((difusor / "entrada").iterdir()) == []


def test_missing_programs_are_all_named_before_anything_is_made() -> None:
    def nowhere(program: str) -> str | None:
        return None

    with pytest.raises(EntradaError) as refused:
        portadores.comprueba([load(one) for one in ids()], difusores=2, busca=nowhere)
    for program in ("sshd (", "scp (", "rsync (", "rrsync (", "ssh ("):
        assert program in refused.value.que_paso
    assert "--transporte ambos" in refused.value.que_hacer
    portadores.comprueba([load("ine-2021")], difusores=20, busca=nowhere)  # Its server comes with Pregón.


def test_a_call_by_a_store_is_not_said_to_be_rehearsed() -> None:
    call = load("ine-2021")
    other = call.model_copy(update={"transporte": call.transporte.model_copy(update={"protocolo": "s3"})})
    with pytest.raises(AjustesError, match="servidor s3"):
        portadores.comprueba([other], difusores=1)


def test_shipped_calls_are_rehearsed_as_they_ask() -> None:
    got = {one: [portadores.esquema_de(load(one), number) for number in (1, 2)] for one in ids()}
    assert got == {one: schemes for one, (schemes, _, _) in LLEGAN.items()}


@pytest.mark.aguante
def test_five_calls_each_with_its_carrier_package_and_clock(tmp_path: Path) -> None:
    output = tmp_path / "salida"
    command = [sys.executable, "-m", "pregon", "simulacro", "--convocatoria", "todas", "--cortes", "4", "--json"]
    process = start(command, output=output, folder=tmp_path)
    try:
        status = process.wait(900)
    finally:
        process.stop()
    text = output.read_text()
    assert status == 0, text
    nights = json.loads(text[text.index("\n[\n") :])
    told = {
        night["convocatoria"]: (
            [difusor["transporte"] for difusor in night["difusores"]],
            night["paquete"],
            night["horario"]["intervalo_min"],
        )
        for night in nights
    }
    assert told == LLEGAN
    for night in nights:
        assert night["ok"] is True
        assert [cut["numero"] for cut in night["cortes"]] == [1, 2, 3, 4]
        start_hour = load(night["convocatoria"]).inicio.isoformat()
        assert night["horario"]["inicio"] == start_hour
        assert all(difusor["nota"] == 100 for difusor in night["difusores"])
