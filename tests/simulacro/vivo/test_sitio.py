"""The page over HTTP: whom it answers, what it gives and when, what it never does, and when its process ends."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest
from typer.testing import CliRunner

from pregon.base.errors import AjustesError
from pregon.base.procesos import start
from pregon.base.red import answers_tcp
from pregon.cli.app import app
from pregon.simulacro.session import Request, run
from pregon.simulacro.vivo.servicio import DIRECCION, Vista
from pregon.simulacro.vivo.sitio import Vivo
from pregon.web.servidor import corriendo, escuchando
from tests.simulacro.vivo.noches import Carpeta, resultado_de

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def atendida(night: Carpeta, puerto: int = 0) -> Iterator[tuple[str, Vivo]]:
    """The view of that folder, served in this process; it reads when it is told to."""
    view = Vivo(night.folder)
    with corriendo(view.app, direccion=DIRECCION, puerto=puerto, al_cerrar=view.cierra) as port:
        yield f"http://127.0.0.1:{port}/", view


def test_it_answers_this_machine_alone_and_only_to_be_read(tmp_path: Path) -> None:
    night = Carpeta(tmp_path / "noche")
    with atendida(night) as (url, _), httpx2.Client(base_url=url, trust_env=False) as client:
        page = client.get("")
        assert page.status_code == 200
        policy = page.headers["content-security-policy"]
        assert "frame-src http://127.0.0.1:*" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert page.headers["x-frame-options"] == "DENY"
        assert "style=" not in page.text
        assert client.get("vivo.json").json()["fase"] == "prepara"
        for host in ("prep.example.mx", "192.0.2.7", f"127.0.0.1.example.mx:{client.base_url.port}"):
            answer = client.get("", headers={"host": host})
            assert (answer.status_code, "Guerrero" in answer.text) == (421, False)
        for path in ("", "vivo.json", "flujo", "informe/informe.html"):
            for method in ("POST", "PUT", "DELETE"):
                assert client.request(method, path).status_code == 405, (method, path)


def test_the_report_is_there_once_the_night_ended_and_nothing_else_of_its_folder(tmp_path: Path) -> None:
    report = tmp_path / "informe"
    report.mkdir()
    for name in ("informe.html", "informe.pdf", "informe.json", "firma.json", "raiz.json", "otra.txt"):
        (report / name).write_bytes(name.encode())
    night = Carpeta(tmp_path / "noche", informe=report)
    with atendida(night) as (url, view), httpx2.Client(base_url=url, trust_env=False) as client:
        assert client.get("informe/informe.html").status_code == 404
        assert "/informe/" not in client.get("").text
        night.concluye(resultado_de())
        assert view.lee(todo=True)
        page = client.get("").text
        assert "Todo se cumplió" in page
        assert "Carpeta «informe»" in page
        for name in ("informe.html", "informe.pdf", "informe.json", "firma.json"):
            answer = client.get(f"informe/{name}")
            assert (answer.status_code, answer.content) == (200, name.encode())
            assert "script-src" not in answer.headers["content-security-policy"]
        for name in ("otra.txt", "raiz.json", "..%2fnoche%2fvivo.json", ""):
            assert client.get(f"informe/{name}").status_code == 404


def test_an_open_page_is_told_what_changes_and_that_the_night_is_over(tmp_path: Path) -> None:
    night = Carpeta(tmp_path / "noche")
    with (
        atendida(night) as (url, view),
        httpx2.Client(base_url=url, trust_env=False, timeout=10) as client,
        client.stream("GET", "flujo") as stream,
    ):
        lines = stream.iter_lines()
        first = next(line for line in lines if line.startswith("data: {"))
        assert '"fase":"prepara"' in first
        assert "ahora" in first
        assert not view.lee()
        night.reloj(20)
        assert view.lee()
        told = next(line for line in lines if line.startswith("data: {"))
        assert '"fase":"noche"' in told
        assert '"fallas":' in told
        view.despide()
        assert next(line for line in lines if line == "event: fin")
        assert next(line for line in lines if line.startswith("data:")) == 'data: {"ok": null, "sigue": false}'


def test_a_port_that_is_taken_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    said: list[str] = []
    with escuchando(DIRECCION, 0) as taken:
        port = taken.getsockname()[1]
        request = Request(None, None, 2, 1, 600, 7, "ambos", vivo=port)
        with pytest.raises(AjustesError, match=str(port)):
            run(request, say=said.append, ready=said.append)
    assert list(tmp_path.iterdir()) == []
    assert said == []


@pytest.mark.parametrize("option", [("--vivo", "0"), ("--abierto",)], ids=["vivo", "abierto"])
def test_a_night_that_happens_elsewhere_has_no_view(tmp_path: Path, option: tuple[str, ...]) -> None:
    orders = ["simulacro", "repite", str(tmp_path / "noche.pregon"), "--instituto", str(tmp_path), *option]
    done = CliRunner().invoke(app, orders)
    assert done.exit_code == 2
    assert "ocurre aquí" in done.output
    assert list(tmp_path.iterdir()) == []


LIDER = """
import sys, time
from pathlib import Path
from pregon.simulacro.vivo.servicio import Vista
with Vista(int(sys.argv[2])).atendida(Path(sys.argv[1])) as process:
    print(process.pid, flush=True)
    time.sleep(60)
"""


def test_it_ends_with_whoever_leads_the_night_even_if_that_is_killed(tmp_path: Path) -> None:
    night = Carpeta(tmp_path / "noche")
    port = Vista.en(0).puerto
    leader = start([sys.executable, "-c", LIDER, night.folder, str(port)], output=tmp_path / "lider")
    try:
        while not (tmp_path / "lider").read_text().strip():
            assert leader.returncode() is None
            time.sleep(0.05)
        pid = int((tmp_path / "lider").read_text())
        assert httpx2.get(f"http://127.0.0.1:{port}/vivo.json", trust_env=False).json()["fase"] == "prepara"
        os.kill(leader.pid, signal.SIGKILL)  # It alone: the view is in a group of its own.
        until = time.monotonic() + 5
        while answers_tcp(DIRECCION, port) and time.monotonic() < until:
            time.sleep(0.05)
        assert not answers_tcp(DIRECCION, port)
        assert _ends(pid)
    finally:
        leader.stop()


def _ends(pid: int) -> bool:
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":  # Nobody asked for its status yet.
            return True
        time.sleep(0.05)
    return False
