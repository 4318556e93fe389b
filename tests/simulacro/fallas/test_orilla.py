"""The store and the edge of a rehearsal: real clients publish there, and the edge forgets only when it is told to."""

from __future__ import annotations

import hashlib
import threading
import tomllib
from typing import TYPE_CHECKING

import pytest

from pregon.base.clock import SystemClock
from pregon.base.errors import PurgaError
from pregon.difusor.nube.ajustes import AjustesNube
from pregon.difusor.nube.cubo import Cubo, Paciencia
from pregon.difusor.nube.cuerpos import Cuerpo
from pregon.difusor.nube.purga import abre
from pregon.simulacro.fallas.orilla import Orilla
from pregon.simulacro.portal import Portal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CABECERAS = ("text/html; charset=utf-8", "no-cache", None)


@pytest.fixture
def orilla(tmp_path: Path) -> Iterator[Orilla]:
    (tmp_path / "orilla.secreto").write_text("palabra")
    (tmp_path / "orilla.secreto").chmod(0o600)
    with Orilla("palabra") as edge:
        yield edge


def _settings(orilla: Orilla) -> AjustesNube:
    return AjustesNube.model_validate(tomllib.loads(orilla.ajustes())["nube"][0])


def _bucket(orilla: Orilla, folder: Path) -> Cubo:
    return Cubo(
        _settings(orilla), folder=folder, environment={}, parar=threading.Event(), paciencia=Paciencia(2, 5, ())
    )


def _put(cubo: Cubo, ruta: str, data: bytes) -> str:
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return cubo.pon(ruta, Cuerpo(data, len(data), md5), CABECERAS, sha256=hashlib.sha256(data).hexdigest(), de="uno")


def _edge(orilla: Orilla, ruta: str) -> tuple[int, bytes]:
    portal = Portal(orilla.publica)
    try:
        answer = portal.get(ruta)
        assert answer is not None
        return answer.status, answer.body
    finally:
        portal.close()


def test_what_is_put_is_there_with_its_headers_until_it_is_taken_away(orilla: Orilla, tmp_path: Path) -> None:
    cubo = _bucket(orilla, tmp_path)
    tag = _put(cubo, "gub/index.html", b"<p>uno</p>")
    found = cubo.mira("gub/index.html")
    assert found is not None
    assert (found.bytes, found.etag, found.cabeceras, found.de) == (10, tag, CABECERAS, "uno")
    assert found.sha256 == hashlib.sha256(b"<p>uno</p>").hexdigest()
    cubo.copia("gub/index.html", "copia con espacio.html")
    assert cubo.lee("copia con espacio.html", 4) == b"<p>u"
    large = tmp_path / "grande"
    large.write_bytes(bytes(range(256)) * 4096)
    cubo.pon("grande", Cuerpo(large, large.stat().st_size, ""), CABECERAS, sha256="00", de="uno")
    assert cubo.md5("grande") == hashlib.md5(large.read_bytes(), usedforsecurity=False).hexdigest()
    assert set(cubo.lista()) == {"gub/index.html", "copia con espacio.html", "grande"}
    assert set(cubo.lista("gub/")) == {"gub/index.html"}
    cubo.quita(["gub/index.html", "grande"])
    assert set(cubo.lista()) == {"copia con espacio.html"}
    assert cubo.mira("gub/index.html") is None


def test_the_edge_keeps_what_it_was_asked_for_until_it_is_told_and_refuses_while_it_must(
    orilla: Orilla, tmp_path: Path
) -> None:
    cubo, clock = _bucket(orilla, tmp_path), SystemClock()
    settings = _settings(orilla)
    purge = abre(settings.purga, folder=tmp_path, environment={}, clock=clock, publica=settings.publica)
    assert _edge(orilla, "")[0] == 404
    for name in ("index.html", "corte.json"):
        _put(cubo, name, b"uno")
        assert _edge(orilla, name.removesuffix("index.html")) == (200, b"uno")
        _put(cubo, name, b"dos")
        assert _edge(orilla, name.removesuffix("index.html")) == (200, b"uno")
    orilla.niega.set()
    with pytest.raises(PurgaError):
        purge.purga(["/", "/corte.json"], olvida=True)
    assert orilla.negadas > 0
    assert _edge(orilla, "") == _edge(orilla, "corte.json") == (200, b"uno")
    orilla.niega.clear()
    purge.purga(["/", "/corte.json"], olvida=True)
    assert _edge(orilla, "") == _edge(orilla, "corte.json") == (200, b"dos")
    purge.close()


def test_who_does_not_know_the_word_makes_the_edge_forget_nothing(orilla: Orilla, tmp_path: Path) -> None:
    _put(_bucket(orilla, tmp_path), "corte.json", b"uno")
    assert _edge(orilla, "corte.json") == (200, b"uno")
    _put(_bucket(orilla, tmp_path), "corte.json", b"dos")
    (tmp_path / "orilla.secreto").write_text("otra")
    settings = _settings(orilla)
    purge = abre(settings.purga, folder=tmp_path, environment={}, clock=SystemClock(), publica=settings.publica)
    with pytest.raises(PurgaError):
        purge.purga(["/corte.json"], olvida=True)
    assert _edge(orilla, "corte.json") == (200, b"uno")
    purge.close()
