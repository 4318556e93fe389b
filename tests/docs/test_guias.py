"""Each guide of docs/guias, order by order, on a machine of our own: from an empty folder to a rehearsed night.

Everything is what the guide says and as it says it: the accounts, sshd, rsync, nginx, the ports and the paths. What is
put in place of something else is in ``_ENTORNO`` and ``_CUENTA``, and nowhere else.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from pregon.base.procesos import start, wait_until
from pregon.base.red import answers_tcp
from pregon.cli.app import app
from pregon.convocatoria.perfiles import ids, load
from pregon.paquete.names import CAMBIOS, SIETE, ZIP
from pregon.paquete.reading import EXTENSIONES, members
from tests.difusor.maquina import SRC, Maquina
from tests.docs.residente import PREGON

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
GUIAS = ROOT / "docs" / "guias"
LIMITE_S = 300
AQUI = "/run/ordenes"

_CUENTA = "runuser -u pregon -- "
"""The difusor's account: the interpreter of the tests may lie where only its owner reads, so root does its orders."""
_ENTORNO = {
    # There is no systemd: what ``pasos.sh`` and the guides ask of it is done by hand, and it returns when that listens.
    "systemctl": """#!/bin/bash
set -eu
case "$1 ${2-}" in
  "reload ssh") kill -HUP "$(cat /run/sshd.pid)"; sleep 0.3 ;;
  "daemon-reload " | "enable --now") ;;
  "restart pregon-rsyncd@"* | "stop pregon-rsyncd@"*)
    order=$1; shift
    for unit; do
      port=${unit#*@}; port=${port%.service}
      if [ "$order" = stop ]; then kill "$(cat "/run/$port.pid")"; continue; fi
      $(sed -n "s/^ExecStart=//p" "/etc/systemd/system/${unit%%@*}@.service" | sed "s/%i/$port/") \\
        "--log-file=/run/rsync-$port.log" < /dev/null > /dev/null 2>&1 &
      echo $! > "/run/$port.pid"
      for _ in $(seq 100); do (: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null && break; sleep 0.05; done
    done ;;
  *) exit 1 ;;
esac
""",
    "pregon": PREGON.format(folder=AQUI),
}
_SIN_RESIDENTE = f'#!/bin/sh\nexec {sys.executable} -m pregon "$@"\n'

DE_FUERA = {
    "gro-2021": ["timeout -k 10 3600 scp -r -d -t entrada", "timeout -k 10 3600 scp -r -f acuses"],
    "dgo-2024": ["timeout -k 10 3600 rrsync -wo -munge -no-del -no-lock entrada", "rrsync -ro acuses"],
    "mor-2024": ["timeout -k 10 3600 rrsync -wo -munge -no-del -no-lock entrada", "rrsync -ro acuses"],
    "mex-2021": ["internal-sftp -u 022 -p open,"],
}
"""What sshd writes that it ran for the account of the institute: the carrier of that call and no other."""
SIN_SSH = {"dgo-2024": (873, 2873), "mor-2024": (873,)}
"""Ports of the daemon of rsync at which a cut came, each the only way at its time (DGO-II-net-c3, MOR-A1-3.4)."""
CORTES = 4
"""With the one before the start."""
ACEPTADOS = {"gro-2021": (0, 1, 4, 5, 6)}
"""Where others than the first ``CORTES``: while its link was cut (GRO-3.3a) a difusor got none, and then the newest."""
DIARIO = "/run/systemd/journal/dev-log"
"""Where systemd takes what programs log: here, a real rsyslogd."""
_RSYSLOG = f"""module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{DIARIO}" CreatePath="on")
global(maxMessageSize="8k")
*.* action(type="omfile" file="/run/diario.log")
"""


@dataclass(frozen=True)
class Ensayo:
    """What each step of the guide printed, by its number, and the machine on which it was done."""

    id: str
    maquina: Maquina
    pasos: dict[int, str]

    def ruta(self, path: str) -> Path:
        return self.maquina.ruta(f"/srv/pregon/{path}")

    def objeto(self, paso: int) -> Any:
        """The ``corte.json`` that a step showed."""
        return json.loads(re.findall(r"^\{\n.*?^\}", self.pasos[paso], re.DOTALL | re.MULTILINE)[-1])


def pasos(guide: str) -> list[tuple[int, str]]:
    """The fenced ``sh`` blocks with the number of the heading under which they are."""
    found = []
    for section in re.split(r"^## ", guide, flags=re.MULTILINE)[1:]:
        number = re.match(r"(\d+)\.", section)
        for block in re.findall(r"```sh\n(.*?)```", section, re.DOTALL):
            assert number is not None, "an order outside the numbered steps would not be tried"
            found.append((int(number[1]), block))
    return found


@pytest.fixture
def maquina(tmp_path: Path) -> Iterator[Maquina]:
    with Maquina(tmp_path) as made:
        orders = made.ruta(AQUI)
        orders.mkdir()
        made.ejecuta("/usr/sbin/sshd", "-o", "LogLevel=VERBOSE", "-E", "/run/sshd.log")
        yield made


def ensaya(maquina: Maquina, folder: Path, ident: str, *, hasta: int = 99, residente: bool = True) -> Ensayo:
    """Do the steps of a guide, up to number ``hasta``, in one bash that ends at the first order that fails."""
    for name, text in _ENTORNO.items():
        program = maquina.ruta(f"{AQUI}/{name}")
        program.write_text(_SIN_RESIDENTE if name == "pregon" and not residente else text, encoding="utf-8")
        program.chmod(0o755)
    places = os.environ["PATH"].split(":")
    environment = {**os.environ, "PATH": ":".join([AQUI, *places, "/usr/sbin"]), "PYTHONPATH": f"{SRC}:{ROOT}"}
    queue = maquina.ruta(f"{AQUI}/cola")
    guide = (GUIAS / f"{ident}.md").read_text(encoding="utf-8")
    blocks = [(n, text) for n, text in pasos(guide) if n <= hasta]
    if DIARIO in guide:
        maquina.ruta("/run/rsyslog.conf").write_text(_RSYSLOG, encoding="utf-8")
        maquina.sigue(
            ["rsyslogd", "-n", "-f", "/run/rsyslog.conf", "-i", "/run/rsyslog.pid"], espera=f"test -S {DIARIO}"
        )
    script = "".join(f"echo '::paso {n}'\n{text}" for n, text in blocks).replace(_CUENTA, "")
    printed = folder / "dicho.txt"
    holder = start(
        maquina.dentro([sys.executable, "-m", "tests.docs.residente", AQUI]),
        output=folder / "residente.txt",
        environment=environment,
    )
    try:
        wait_until(queue.exists, holder, timeout=60, what="el residente no empezó")
        with printed.open("wb") as output:
            done = subprocess.run(
                maquina.dentro(["bash", "-c", f"set -euo pipefail\n{script}"]),
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=LIMITE_S,
                check=False,
            )
    finally:
        holder.stop()
    text = printed.read_text(encoding="utf-8")
    assert done.returncode == 0, text[-4000:]
    said: dict[int, str] = {}
    for part in text.split("::paso ")[1:]:
        number, _, rest = part.partition("\n")
        said[int(number)] = said.get(int(number), "") + rest
    assert set(said) == {n for n, _ in blocks}
    return Ensayo(ident, maquina, said)


def test_every_call_has_its_guide_and_every_guide_names_what_it_answers() -> None:
    assert sorted(path.stem for path in GUIAS.glob("*.md")) == sorted(ids())
    for path in GUIAS.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        steps = [n for n, _ in pasos(text)]
        assert sorted(set(steps)) == list(range(1, 13)), path
        from pregon.convocatoria.clausulas import clausulas_de

        named = set(re.findall(rf"\b{path.stem[:3].upper()}-[A-Za-z0-9.-]*[a-z0-9]", text)) - _HUECOS
        known = {clause.id for clause in clausulas_de(path.stem)}
        missing = {one for one in named if one not in known and not any(each.startswith(one) for each in known)}
        assert missing == set(), path


_HUECOS = {"MOR-gap", "INE-gap"}
"""What a text does not say, as clauses.md marks it."""


@pytest.mark.parametrize("ident", ["dgo-2024"])
def test_guide_leads_from_an_empty_folder_to_a_rehearsed_night(maquina: Maquina, tmp_path: Path, ident: str) -> None:
    judged(ensaya(maquina, tmp_path, ident))


@pytest.mark.aguante
@pytest.mark.parametrize("ident", ["gro-2021", "mor-2024", "mex-2021", "ine-2021"])
def test_the_other_guides_lead_to_a_rehearsed_night(maquina: Maquina, tmp_path: Path, ident: str) -> None:
    judged(ensaya(maquina, tmp_path, ident))


@pytest.mark.aguante
def test_a_guide_with_the_program_started_anew_by_each_order(maquina: Maquina, tmp_path: Path) -> None:
    judged(ensaya(maquina, tmp_path, "dgo-2024", residente=False))


@pytest.mark.parametrize("ident", ["gro-2021", "mex-2021", "ine-2021"])
def test_guide_leads_to_a_difusor_that_is_ready(maquina: Maquina, tmp_path: Path, ident: str) -> None:
    """All that comes before the rehearsal: registration, workspace, carrier, portal, preflight."""
    ready(ensaya(maquina, tmp_path, ident, hasta=6))


def test_orders_of_the_page_for_an_institute_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of what a person fills in, the profile of Durango; each order in turn, from an empty folder."""
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "convocatorias.md").read_text(encoding="utf-8")
    lines = "".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL)).splitlines()
    assert [line.split()[1:3] for line in lines] == [
        ["convocatoria", "plantilla"],
        ["convocatoria", "valida"],
        ["convocatoria", "muestra"],
        ["convocatoria", "calendario"],
        ["instituto", "inicia"],
        ["difusor", "inicia"],
    ]
    for line in lines:
        order, _, target = line.partition(" > ")
        done = CliRunner().invoke(app, shlex.split(order)[1:])
        assert done.exit_code == 0, done.output
        if target:
            assert "intervalo_min" in done.stdout
            profile = SRC / "pregon" / "convocatoria" / "perfiles" / "dgo-2024.toml"
            (tmp_path / target).write_bytes(profile.read_bytes())
    assert (tmp_path / "mi-convocatoria.ics").read_bytes().startswith(b"BEGIN:VCALENDAR")
    assert (tmp_path / "difusor" / "puntero").read_text(encoding="utf-8").strip() == "espera"


@pytest.mark.parametrize("wrong", [["--hora", "mañana"], ["--hora", "2021-06-06T20:00", "--zona", "Mexico/Nada"]])
def test_clock_of_a_rehearsal_that_is_told_nonsense_goes_on_as_it_was(tmp_path: Path, wrong: list[str]) -> None:
    file = tmp_path / "reloj.json"
    done = CliRunner().invoke(app, ["simulacro", "reloj", str(file), "--hora", "2021-06-06T19:20", "--json"])
    assert (done.exit_code, json.loads(done.stdout)["hora"]) == (0, "2021-06-07T00:20:00+00:00")
    before = file.read_bytes()
    refused = CliRunner().invoke(app, ["simulacro", "reloj", str(file), *wrong])
    assert (refused.exit_code, "El reloj no cambió." in refused.output) == (2, True)
    assert file.read_bytes() == before


def ready(done: Ensayo) -> None:
    call = load(done.id)
    assert (done.ruta(f"{done.id}.ics")).read_bytes().startswith(b"BEGIN:VCALENDAR")
    assert "Solicitud o aviso al instituto: a más tardar" in done.pasos[1]
    # The registry: the call's own form; what a rehearsal lacks; the list, public by then.
    assert "Registrado «diario-uno»: Diario Uno, solicitado." in done.pasos[2]
    lacks = re.findall(
        r"^ +(?:falta: )?(.*IP pública.*|Formulario: .*|Documento: .*|Contacto .*)$", done.pasos[2], re.MULTILINE
    )
    assert len(set(lacks)) == (1 if call.minimos.ip_publicas_por_servidor else 0), lacks
    assert "llegó después del plazo" not in done.pasos[2]
    assert "1 difusores, 1 con enlace" in done.pasos[2]
    assert "Diario Uno" in done.ruta("lista/index.html").read_text(encoding="utf-8")
    assert "todavía no se publican" in done.ruta("portada.html").read_text(encoding="utf-8")
    assert "diario-uno: al día." in done.pasos[5]
    ports = call.puertos_publicos or (80, 443)
    with done.maquina.red():
        assert [port for port in (80, 443) if answers_tcp("127.0.0.1", port)] == list(ports)
    assert json.loads(done.ruta("difusor/cumplimiento/revision.json").read_bytes())
    if call.transporte.modo == "push":
        account = done.maquina.ejecuta("id", "-Gn", "prep-entrada").split()
        assert account == ["prep-entrada"]
        assert "prep-entrada@ESTE-SERVIDOR" in done.pasos[4]
    if done.id == "mor-2024":
        assert "Concesión: MOR-A1-1.5" in done.pasos[4]  # root is asked for, and nobody gets it


def judged(done: Ensayo) -> None:
    """The rules of the call, as the night was seen."""
    ready(done)
    call = load(done.id)
    # Nothing before the start: the cut is in the machine, and the public gets a page that says when, and 404.
    before = done.pasos[7]
    assert "Corte 0 verificado. Todavía no es la hora de inicio." in before
    assert "): espera" in before
    assert "todavía no se publican" in before
    assert before.rstrip().endswith("404")
    # Interval of the call, from its first cut on.
    first = done.objeto(8)
    assert (first["corte"], first["ultimo"]) == (1, False)
    assert (_instant(first["proximo"]) - _instant(first["hora_corte"])).total_seconds() == call.intervalo_min * 60
    assert "El corte más reciente está publicado." in done.pasos[8]
    assert "diario-uno: al día, corte 0001." in done.pasos[8]
    fails(done)
    newest = aceptados(done.id)[-1]
    assert f"Corte {newest} verificado. Es el último corte." in done.pasos[10]
    assert "): cerrado" in done.pasos[10]
    assert f"diario-uno: al día, corte {newest:04d}." in done.pasos[10]
    # The last cut stays, to the end of what the call asks.
    last = done.objeto(11)
    assert (last["corte"], last["ultimo"], last["proximo"]) == (newest, True, None)
    assert _instant(last["hora_corte"]) == call.fin_actualizacion
    assert done.ruta("difusor/puntero").read_text(encoding="utf-8").strip() == f"{newest:04d}"
    # Also where the call says no end (MOR-gap) and its last signature is past its date.
    assert "Sin novedad. Es el último corte" in done.pasos[11]
    assert "EXPIRADO" not in done.pasos[11]
    assert "): cerrado" in done.pasos[11]
    kinds(done)
    carrier(done)
    # The same totals in the institute's file and in the one that the public downloads.
    totals = done.pasos[11].split("DIPUTACIONES ")[1:]
    assert len(totals) == 2
    one, other = (re.findall(r"^ ?([A-Z_0-9]+) +([\d,.% ]+)$", text, re.MULTILINE) for text in totals)
    assert len(one) > 10
    assert one == other
    report = json.loads(done.ruta("cumplimiento.json").read_bytes())
    assert report
    assert done.ruta("cumplimiento.html").read_text(encoding="utf-8").lower().startswith("<!doctype html>")


def fails(done: Ensayo) -> None:
    """The failure rule of the call, with the institute's own tools: what the watch saw over HTTPS, who decided, what
    the difusor showed, and the public list.
    """
    call, said = load(done.id), done.pasos[9]
    assert said.index("atrasado") < said.index("): suspendido"), "a late cut keeps what there is"
    # The institute's word takes the portal away.
    away = said[said.index("): suspendido") :]
    assert "Corte: ninguno" in away
    assert "<h1>" in away
    assert ("Aviso ATAQUE" if done.id == "mex-2021" else "Aviso SUSPENSION") in away
    assert "diario-uno: al día" in away, "whoever was ordered to show the notice, and does"
    # And brings it back, with a verified cut.
    back = done.objeto(9)
    assert back["corte"] == aceptados(done.id)[-2]
    assert f"diario-uno: al día, corte {back['corte']:04d}." in away
    # The public list, before and after, has the link; between them, as the call says.
    lists = re.findall(r"index\.html: (\d) difusores, (\d) con enlace", said)
    gone = ("1", "0") if done.id in ("gro-2021", "dgo-2024", "mex-2021") else ("0", "0")
    assert (lists[0], lists[-1]) == (gone, ("1", "1"))
    [listed] = json.loads(done.ruta("lista/difusores.json").read_bytes())["difusores"]
    assert (listed["id"], listed["estado"], listed["url"]) == ("diario-uno", "enlazado", "https://127.0.0.1")
    if done.id == "gro-2021":  # GRO-3.3a: three periods in a row, and not two
        assert said.count("diario-uno: ATRASADO, corte 0001") == call.fallo.periodos == 3
        warned = re.findall(r"^diario-uno: (.*?);", said, re.MULTILINE)
        assert [one for one in warned if not one.startswith("ATRASADO")] == [
            "se le advierte",
            "se le advierte",
            "una orden espera su decisión",
            "su regreso espera su decisión",
        ]
        log = done.maquina.ruta("/run/diario.log").read_text(encoding="utf-8")
        assert re.findall(r"A000[23]-diario-uno", said)
        assert said.count("dev-log (del difusor): aceptada") >= 2
        assert "555 000 0009" in log
    elif done.id in ("dgo-2024", "mor-2024"):  # any breach: one altered page is one
        assert "diario-uno: ALTERADO" in said
        assert "CONTENIDO" in said
        assert said.count("Orden O0001 (espera su decisión)") == 1
        assert ("Orden O0002 cumplida" in said) == (done.id == "dgo-2024")
    elif done.id == "mex-2021":
        assert "diario-uno: ALTERADO" in said
        assert "«Ensayo de la regla de falla.»" in away
        assert "Orden O0" not in said, "an attack is told by a person"
    else:  # INE-I-d-3: no count of failed cuts leads to an order, and what removes it stays
        assert "diario-uno: ATRASADO" in said
        assert "diario-uno: se le advierte" in said
        assert "Orden O0" not in said
        assert said.index("y de ahí no pasa a «activo»") < said.index("Es irrevocable.")


def aceptados(ident: str) -> tuple[int, ...]:
    """The cuts that a difusor has at the end of a guide."""
    return ACEPTADOS.get(ident, tuple(range(CORTES)))


def kinds(done: Ensayo) -> None:
    """Every cut is kept as it came: the archive and the formats of the call (GRO-2.3d), whole where the history is so
    (INE-II-a-ii-3a).
    """
    call = load(done.id)
    folders = sorted(path.name for path in done.ruta("difusor/historico").iterdir())
    assert folders == [f"{n:04d}" for n in aceptados(done.id)]
    files = [path for name in folders for path in done.ruta(f"difusor/historico/{name}").iterdir()]
    packages = [path for path in files if path.suffix in EXTENSIONES]
    assert len(packages) >= CORTES
    whole = [path for path in packages if not path.name.endswith(CAMBIOS)]
    assert {path.suffix for path in whole} == {SIETE if call.paquete.archivo == "7z" else ZIP}
    if call.historial.conservar == "completo":
        assert len(whole) == CORTES
    inside: list[str] = []
    for member in members(whole[0]):
        inside.append(member.ruta)
        if member.ruta.endswith(".zip"):  # the database, as the public downloads it
            with zipfile.ZipFile(io.BytesIO(b"".join(member.open()))) as database:
                inside += database.namelist()
    found = {Path(name).suffix.lstrip(".") for name in inside}
    assert {"html", "json", "csv"} <= found
    assert set(call.paquete.formatos) - {"hash"} <= found


def carrier(done: Ensayo) -> None:
    """What the server of the carrier itself wrote."""
    if done.id == "ine-2021":
        lines = done.ruta("almacen.log").read_text(encoding="utf-8").splitlines()
        assert {line.split()[0] for line in lines} <= {"TLSv1.2", "TLSv1.3"}  # INE-II-a-iii-1
        asked = {line.split()[2] for line in lines if line.split()[3] == "200"}
        assert "/repositorio/metadata/timestamp.json" in asked
        assert sum(path.endswith(".zip") for path in asked) >= CORTES
        return
    log = done.maquina.ruta("/run/sshd.log").read_text(encoding="utf-8")
    ran = [line for line in log.splitlines() if line.startswith("Starting session: ") and "for prep-entrada" in line]
    assert len(ran) >= (CORTES if done.id not in SIN_SSH else 2)
    for port in SIN_SSH.get(done.id, ()):
        said = done.maquina.ruta(f"/run/rsync-{port}.log").read_text(encoding="utf-8")
        assert "allowed access on module entrada from UNDETERMINED (127.0.0.1)" in said, said
        assert "denied" not in said
    for wanted in DE_FUERA[done.id]:
        assert any(wanted in line for line in ran), wanted
    assert all(any(wanted in line for wanted in DE_FUERA[done.id]) for line in ran)
    signed = re.findall(r"principal +(\d{4}) +(\d{4})", done.pasos[11])
    newest = f"{aceptados(done.id)[-1]:04d}"
    assert signed == [(newest, newest)], "the acuses that the institute collected and verified"


def _instant(text: str) -> Any:
    from datetime import datetime

    return datetime.fromisoformat(text)
