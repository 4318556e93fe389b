"""Each call by its own carrier: real servers, real keys, and what was refused before anything was made."""

from __future__ import annotations

import io
import json
import re
import sys
import zipfile
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pregon.base.durable import Disk
from pregon.base.errors import AjustesError, EntradaError
from pregon.base.procesos import start
from pregon.convocatoria.perfiles import ids, load
from pregon.instituto.workspace import open_workspace
from pregon.simulacro import entregado, portadores
from pregon.simulacro.night import Leader, Night
from pregon.simulacro.prepare import synthetic_night
from pregon.simulacro.result import DifusorResult

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.simulacro.entregado import Entregado

PREGON = {"html", "json", "csv"}
LLEGAN = {
    # call: how cuts come to the first two difusores, in what, with which formats, minutes between them, offset
    "dgo-2024": (["rsync", "rsync+ssh"], "zip", PREGON, 15, "-06:00"),
    "gro-2021": (["scp", "scp"], "7z", PREGON, 20, "-05:00"),
    "ine-2021": (["https", "https"], "zip", PREGON | {"js"}, 20, "-05:00"),
    "mex-2021": (["sftp", "sftp"], "zip", {"html", "hash", "txt"}, 20, "-05:00"),
    "mor-2024": (["rsync", "rsync+ssh"], "zip", PREGON, 10, "-06:00"),
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
    assert [one.transporte for one in night.entregas] == ["rsync", "rsync+ssh"]
    assert all((one.sesiones or 0) >= 3 for one in night.entregas), night.entregas
    assert all(one.archivos == ("zip",) and set(one.contenido) >= PREGON for one in night.entregas)
    assert night.horario is not None
    assert night.horario.zona == "America/Mexico_City"
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
    assert got == {one: schemes for one, (schemes, *_) in LLEGAN.items()}
    asked = {one: (load(one).paquete.archivo, set(load(one).paquete.formatos)) for one in ids()}
    assert asked == {one: (kind, formats) for one, (_, kind, formats, *_) in LLEGAN.items()}


def _arrived(folder: Path, name: str, members: dict[str, bytes], carrier: str, log: str) -> Entregado:
    """What is read of a difusor that got one whole archive, and of the log that its carrier's server left."""
    kept = folder / name / "historico/0001"
    kept.mkdir(parents=True)
    with zipfile.ZipFile(kept / "20240602_2015_PREP_DGO.zip", "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    (kept / "20240602_2015_PREP_DGO.cambios.zip").write_bytes(b"PK")
    servers = folder / "portadores"
    (servers / name).mkdir(parents=True)
    (servers / name / ("rsyncd.log" if carrier == "rsync" else "sshd.log")).write_text(log)
    return entregado.lee(DifusorResult(name, "http://127.0.0.1/", carrier), folder / name / "historico", servers)


def test_a_carrier_that_nobody_used_and_a_package_that_lacks_what_is_asked_for_are_told(tmp_path: Path) -> None:
    asked = load("mex-2021").paquete
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as database:
        database.writestr("MEX_DIP_2021.csv", "CLAVE_CASILLA\n")
    whole = {
        "index.html": b"<p>", "assets/a.js": b"1", "corte.json": b"{}", "resumen.txt": b"x", "SHA256SUMS": b"0  a\n",
        "base-de-datos/x.zip": inner.getvalue(),
    }  # fmt: skip
    visit = "Starting session: subsystem 'sftp' for ana from 127.0.0.1 port 1 id 0\n"
    good = _arrived(tmp_path, "uno", whole, "sftp", f"Connection from\n{visit}{visit}")
    assert (good.sesiones, good.archivos) == (2, ("zip",))
    assert good.contenido == ("csv", "hash", "html", "js", "json", "txt")
    assert good.cumple(asked)
    assert good.cumple(load("ine-2021").paquete)
    assert not good.cumple(load("gro-2021").paquete)  # 7z
    unused = _arrived(tmp_path, "dos", whole, "sftp", "Server listening on 127.0.0.1 port 1.\n")
    assert (unused.sesiones, unused.cumple(asked)) == (0, False)
    for name in ("index.html", "SHA256SUMS", "resumen.txt"):
        less = {ruta: data for ruta, data in whole.items() if ruta != name}
        assert not _arrived(tmp_path, f"sin-{name[:3].lower()}", less, "sftp", visit).cumple(asked)
    folder = _arrived(tmp_path, "carpeta", whole, "carpeta", "")
    assert (folder.sesiones, folder.cumple(asked)) == (None, True)
    nothing = entregado.lee(DifusorResult("nadie", "", "sftp"), tmp_path / "nadie", tmp_path / "portadores")
    assert (nothing.archivos, nothing.contenido, nothing.cumple(asked)) == ((), (), False)


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
            [row["transporte"] for row in night["entregas"]],
            night["paquete"],
            LLEGAN[night["convocatoria"]][2] & set(night["entregas"][0]["contenido"]),
            night["horario"]["intervalo_min"],
            night["horario"]["inicio"][-6:],
        )
        for night in nights
    }
    assert told == LLEGAN
    for night in nights:
        call = load(night["convocatoria"])
        assert (night["ok"], night["como_se_pide"]) == (True, True)
        # Of each difusor, the log of its own server and the originals that it keeps.
        assert [row["difusor"] for row in night["entregas"]] == ["difusor-1", "difusor-2"]
        assert all(row["sesiones"] >= 4 and row["archivos"] == [call.paquete.archivo] for row in night["entregas"])
        assert all(set(row["contenido"]) >= set(call.paquete.formatos) for row in night["entregas"])
        # Its own clock: from its start, each interval, in its zone; the last at the end of updates.
        assert [cut["numero"] for cut in night["cortes"]] == [1, 2, 3, 4]
        step = timedelta(minutes=call.intervalo_min)
        hours = [*(call.inicio + step * n for n in (1, 2, 3)), call.fin_actualizacion]
        assert [cut["hora_corte"] for cut in night["cortes"]] == [hour.isoformat() for hour in hours]
        assert (night["horario"]["inicio"], night["horario"]["zona"]) == (call.inicio.isoformat(), call.zona_horaria)
        assert all(difusor["nota"] == 100 for difusor in night["difusores"])
