"""A thousand switches of the real pointer under the three real web servers while others read."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2
import pytest

from pregon.base import procesos
from pregon.difusor import pointer
from pregon.difusor.publish import Publisher
from pregon.difusor.release import plan
from tests.difusor.conftest import files_of
from tests.difusor.servidores import SERVIDORES, sirviendo
from tests.trust.conftest import INICIO, INTERVALO

if TYPE_CHECKING:
    from tests.difusor.conftest import Escena

SWITCHES = 1000
PAUSE_S = 0.004
"""Between two switches, so that every reader sees many of them from both sides."""
PAUSA_S = 0.01
"""Between two pages of one reader: eighteen that never rest would leave the switches little of the machine."""
CORTES = (1, 2, 3, 4)
PAGINAS = ("", "gub/", "estado.txt", "corte.json", "assets/estilo.css")


def same_size(corte: int) -> dict[str, bytes]:
    """``estado.txt``: A, B, A again, C, all of one length; the page keeps one length too."""
    letter = {1: b"A", 2: b"B", 3: b"A", 4: b"C"}[corte]
    return {"estado.txt": letter * 4000 + b"\n"}


@pytest.fixture
def four(escena_abierta: Escena) -> Escena:
    """Four cuts received, each release with the data of all four, so that switching back and forth is fair."""
    escena = escena_abierta
    receiver = escena.receiver()
    for corte in CORTES:
        escena.cut(corte, {**files_of(corte, INICIO + corte * INTERVALO), **same_size(corte)})
        assert receiver.run_once().error is None
    publisher = Publisher(escena.workspace, escena.libro, escena.disk)
    cuts = {cut.corte: cut for cut in escena.libro.cortes()}
    manifests = {corte: publisher.history.manifest(cut)[0] for corte, cut in cuts.items()}
    for corte, cut in cuts.items():
        others = [manifests[other] for other in CORTES if other != corte]
        what = plan(manifests[corte], cut.sha256, others)
        publisher.releases.finish(publisher.releases.prepare(what))
        publisher.releases.add_twins(what)
    escena.disk.sync_filesystem(escena.workspace.folder)
    return escena


def test_thousand_switches_while_clients_read_from_three_servers(four: Escena, tmp_path: Path) -> None:
    """Caddy, nginx and Apache at once over one workspace, each read in every encoding, with and without ETags."""
    listed = {corte: four.manifest_hashes(corte) for corte in CORTES}
    rutas = {ruta: sorted({listed[c][_file(ruta)] for c in CORTES}) for ruta in PAGINAS}
    for corte in CORTES:
        ruta = f"datos/{corte:04d}/gub/entidad.json"
        rutas[ruta] = [listed[corte][ruta]]
    with contextlib.ExitStack() as stack:
        readers = {}
        for name in SERVIDORES:
            where = urlsplit(stack.enter_context(sirviendo(name, four.workspace, four.folder / name)))
            order = {
                "host": where.hostname,
                "port": where.port,
                "rutas": rutas,
                "paginas": PAGINAS,
                "pausa_s": PAUSA_S,
                "alto": str(tmp_path / "alto"),
                "salida": str(tmp_path / f"{name}.json"),
            }
            (tmp_path / f"{name}.orden").write_text(json.dumps(order))
            readers[name] = stack.enter_context(
                procesos.running(
                    [sys.executable, "-m", "tests.difusor.lectores", tmp_path / f"{name}.orden"],
                    output=tmp_path / f"{name}.out",
                    folder=Path(__file__).resolve().parents[2],
                )
            )
        time.sleep(0.5)
        began = time.monotonic()
        for number in range(SWITCHES):
            pointer.switch(four.workspace, pointer.release_name(CORTES[number % len(CORTES)]), four.disk)
            time.sleep(PAUSE_S)
        took = time.monotonic() - began
        (tmp_path / "alto").touch()
        for name, process in readers.items():
            assert process.wait(20) == 0, (name, process.tail())
    for name in SERVIDORES:
        _judge(name, json.loads((tmp_path / f"{name}.json").read_bytes()), rutas, took)


def _judge(name: str, result: dict[str, Any], rutas: dict[str, list[str]], took: float) -> None:
    assert result["errors"] == [], name
    print(f"{name}: {result['answers']} answers, {result['not_modified']} of them 304, in {took:.1f} s")
    assert result["answers"] > SWITCHES, f"{name}: {result['answers']} answers in {took:.1f} s"
    assert result["not_modified"] > 0, name
    # One ETag, one body; one body, one ETag (a content that comes back is the same object).
    assert {key: value for key, value in result["etags"].items() if len(value) != 1} == {}, name
    assert {key: value for key, value in result["bodies"].items() if len(value) != 1} == {}, name
    for encoding in ("identity", "gzip", "br"):
        seen = {key.split(" ")[2] for key in result["bodies"] if key.startswith(f"estado.txt {encoding} ")}
        assert seen == set(rutas["estado.txt"]), f"{name}: every content was seen in {encoding}"


def _file(ruta: str) -> str:
    return ruta + "index.html" if ruta == "" or ruta.endswith("/") else ruta


@pytest.mark.parametrize("name", SERVIDORES)
def test_same_size_change_and_return_to_older_content_answer_200(four: Escena, name: str) -> None:
    with (
        sirviendo(name, four.workspace, four.folder / name) as url,
        httpx2.Client(base_url=url, trust_env=False) as client,
    ):
        for encoding in ("identity", "gzip", "br"):
            _same_size(four, client, {"accept-encoding": encoding})


def _same_size(four: Escena, client: httpx2.Client, headers: dict[str, str]) -> None:
    def show(corte: int) -> httpx2.Response:
        pointer.switch(four.workspace, pointer.release_name(corte), four.disk)
        answer = client.get("estado.txt", headers=headers)
        assert "last-modified" not in answer.headers
        return answer

    answers = [show(corte) for corte in CORTES]
    assert len({len(answer.content) for answer in answers}) == 1
    tags = [answer.headers["etag"] for answer in answers]
    assert all(tag.startswith('"') for tag in tags), "strong, though the cuts are of a night to come"
    assert tags[0] == tags[2]
    assert len(set(tags)) == 3
    for corte, stale in ((2, tags[0]), (3, tags[1]), (1, tags[3]), (4, tags[2])):
        pointer.switch(four.workspace, pointer.release_name(corte), four.disk)
        for conditions in (
            {"if-none-match": stale},
            {"if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT"},
            {"if-none-match": stale, "if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT"},
            {"range": "bytes=0-9", "if-range": stale},
            {"range": "bytes=0-9", "if-range": "Fri, 01 Jan 2100 00:00:00 GMT"},
            {"if-unmodified-since": "Mon, 01 Jan 2001 00:00:00 GMT"},
        ):
            answer = client.get("estado.txt", headers=headers | conditions)
            assert answer.status_code == 200, conditions
            assert answer.content == same_size(corte)["estado.txt"]
        again = client.get("estado.txt", headers=headers | {"if-none-match": tags[corte - 1]})
        assert again.status_code == 304
