"""Asking the edge until it answers the new bytes: against a real Varnish, and edges that do what they should not."""

from __future__ import annotations

import gzip
import threading
import time
import zlib
from typing import TYPE_CHECKING

import brotli
import pytest

from pregon.base.clock import ManualClock, SystemClock
from pregon.base.hashing import sha256_bytes
from pregon.base.red import free_port
from pregon.difusor.nube.borde import CODIFICACIONES, Borde, Limites, pregunta
from pregon.difusor.nube.purga import abre
from pregon.difusor.nube.purga.ajustes import AjustesPurga
from tests.red.servidores import cdn
from tests.red.servidores.varnish import Varnish
from tests.trust.conftest import INICIO

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NUEVO = b"<!doctype html><title>Corte 2</title>" * 40
VIEJO = b"<!doctype html><title>Corte 1</title>" * 40
POCO = Limites(segundos=0.5, respuesta_s=5.0)


class Edge(cdn.Servicio):
    """An edge that answers each path by encoding: ``dice[ruta]`` gives headers and body of what was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.copias: dict[tuple[str, str], tuple[str, bytes]] = {}
        self.estado = 200
        self.nada = 404

    def pon(self, ruta: str, coding: str, body: bytes, *, dicho: str | None = None) -> None:
        """Keep ``body`` for who asks in ``coding``; ``dicho``: the encoding that it says, ``coding`` itself if None."""
        self.copias[(ruta, coding)] = (coding if dicho is None else dicho, body)

    def todo(self, ruta: str, plain: bytes) -> None:
        """Keep one content in every encoding."""
        self.pon(ruta, "identity", plain)
        self.pon(ruta, "gzip", gzip.compress(plain))
        self.pon(ruta, "br", brotli.compress(plain))

    def contesta(self, pedido: cdn.Pedido) -> cdn.Respuesta | None:
        asked = pedido.headers["accept-encoding"]
        kept = self.copias.get((pedido.ruta, asked))
        if kept is None:
            return self.nada, {}, b""
        said, body = kept
        return self.estado, {} if said == "identity" else {"content-encoding": said}, body


def preguntada(edge: Edge, esperado: Mapping[str, str | None], limits: Limites = POCO) -> Borde:
    return pregunta(edge.url + "/", esperado, clock=SystemClock(), limits=limits)


def test_every_path_in_every_encoding() -> None:
    with Edge() as edge:
        for ruta in ("/", "/corte.json"):
            edge.todo(ruta, NUEVO)
        answer = pregunta(
            edge.url,
            {"/": sha256_bytes(NUEVO), "/corte.json": sha256_bytes(NUEVO)},
            clock=ManualClock(INICIO),
        )
        assert answer.faltan == ()
        assert answer.hora == INICIO, "the instant is the clock's; the seconds are real"
        assert answer.preguntas == len(edge.pedidos) == 2 * len(CODIFICACIONES)
        assert {each.headers["accept-encoding"] for each in edge.pedidos} == set(CODIFICACIONES)
        assert all("cache-control" not in each.headers for each in edge.pedidos), "an edge might obey it"
        assert 0 < answer.vistas["/"] <= answer.vistas["/corte.json"] <= answer.segundos


@pytest.mark.parametrize("estado", [403, 404, 410])
def test_what_was_withdrawn_is_gone_however_the_edge_says_so(estado: int) -> None:
    """S3 answers 403 of what is not there to who may read and not list, as a CDN does."""
    with Edge() as edge:
        edge.nada = estado
        edge.todo("/", NUEVO)
        edge.todo("/dip/", VIEJO)
        answer = preguntada(edge, {"/": sha256_bytes(NUEVO), "/gub/": None, "/dip/": None})
        assert answer.faltan == ("/dip/",)
        assert answer.razones == {"/dip/": "todavía contesta, con el estado 200"}
        edge.estado = estado
        denied = preguntada(edge, {"/": sha256_bytes(NUEVO), "/gub/": None})
        assert denied.faltan == ("/",), "who denies everything shows nothing new"


@pytest.mark.parametrize("old", CODIFICACIONES)
def test_one_encoding_that_stayed_old_is_seen(old: str) -> None:
    """Each encoding is a copy apart at many edges: who asked for one only would call this cut visible."""
    with Edge() as edge:
        edge.todo("/", NUEVO)
        body = {"identity": VIEJO, "gzip": gzip.compress(VIEJO), "br": brotli.compress(VIEJO)}[old]
        edge.pon("/", old, body)
        answer = preguntada(edge, {"/": sha256_bytes(NUEVO)})
        assert answer.faltan == ("/",)
        assert answer.razones == {"/": f"muestra otros bytes a quien pide «{old}»"}
        assert answer.segundos < POCO.segundos + 1


@pytest.mark.parametrize(
    ("coding", "said", "body", "razon"),
    [
        ("identity", "gzip", gzip.compress(NUEVO), "comprimido (gzip)"),
        ("gzip", "gzip", gzip.compress(NUEVO)[:-9], "dañado"),
        ("gzip", "gzip", gzip.compress(NUEVO) + gzip.compress(NUEVO), "dañado"),
        ("gzip", "zstd", b"(\xb5/\xfd", "comprimido (zstd)"),
        ("br", "br", b"no es brotli", "dañado"),
        ("gzip", "gzip", gzip.compress(bytes(1 << 20)), "no cabe"),
        ("identity", "identity", bytes(70_000), "pasa de 65,536 bytes"),
    ],
)
def test_answers_that_no_reader_could_read(coding: str, said: str, body: bytes, razon: str) -> None:
    with Edge() as edge:
        edge.todo("/", NUEVO)
        edge.pon("/", coding, body, dicho=said)
        answer = preguntada(edge, {"/": sha256_bytes(NUEVO)}, Limites(segundos=0.4, bytes=1 << 16))
        assert answer.faltan == ("/",)
        assert razon in answer.razones["/"]


def test_what_was_withdrawn_must_be_gone() -> None:
    with Edge() as edge:
        edge.todo("/", NUEVO)
        edge.todo("/gub/", VIEJO)
        expected = {"/": sha256_bytes(NUEVO), "/gub/": None, "/dip/": None}
        answer = preguntada(edge, expected)
        assert answer.faltan == ("/gub/",)
        assert "todavía contesta" in answer.razones["/gub/"]
        for coding in CODIFICACIONES:
            del edge.copias[("/gub/", coding)]
        assert preguntada(edge, expected).faltan == ()


def test_edge_that_takes_its_time_is_waited_for() -> None:
    with Edge() as edge:
        edge.todo("/", VIEJO)
        edge.todo("/corte.json", NUEVO)
        threading.Timer(0.7, lambda: edge.todo("/", NUEVO)).start()
        expected = {"/": sha256_bytes(NUEVO), "/corte.json": sha256_bytes(NUEVO)}
        answer = preguntada(edge, expected, Limites(segundos=20))
        assert answer.faltan == ()
        assert 0.5 < answer.vistas["/"] < 10
        assert answer.vistas["/corte.json"] < 0.5
        assert sum(each.ruta == "/corte.json" for each in edge.pedidos) == 3, "what was seen is not asked again"


def test_edge_that_fails_or_is_not_there_is_no_error_of_ours() -> None:
    with Edge() as edge:
        edge.todo("/", NUEVO)
        edge.estado = 503
        answer = preguntada(edge, {"/": sha256_bytes(NUEVO)})
        assert answer.razones == {"/": "respondió con el estado 503"}
        edge.estado = 200
        edge.dice.append(None)  # the first connection falls
        assert preguntada(edge, {"/": sha256_bytes(NUEVO)}).faltan == ()
    answer = pregunta(f"http://127.0.0.1:{free_port('127.0.0.1')}", {"/": "0" * 64}, clock=SystemClock(), limits=POCO)
    assert answer.faltan == ("/",)
    assert "no se pudo conectar" in answer.razones["/"]
    assert answer.segundos < 5


def test_nobody_waits_for_what_is_no_longer_wanted() -> None:
    with Edge() as edge:
        edge.todo("/", VIEJO)
        start = time.monotonic()
        wanted = iter([True, True, True])
        answer = pregunta(
            edge.url,
            {"/": sha256_bytes(NUEVO), "/corte.json": "0" * 64},
            clock=SystemClock(),
            limits=Limites(segundos=60),
            sigue=lambda: next(wanted, False),
        )
        assert time.monotonic() - start < 5
        assert set(answer.faltan) == {"/", "/corte.json"}


def test_a_compressed_bomb_is_not_unpacked() -> None:
    """A gigabyte in a megabyte: counted in pieces and left, never held whole."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()
    with Edge() as edge:
        edge.todo("/", NUEVO)
        edge.pon("/", "gzip", bomb)
        start = time.process_time()
        answer = preguntada(edge, {"/": sha256_bytes(NUEVO)}, Limites(segundos=0.3, bytes=1 << 20))
        assert answer.faltan == ("/",)
        assert time.process_time() - start < 2


def test_varnish_is_new_after_its_purge_and_not_before(tmp_path: Path) -> None:
    """The whole way: what the bucket has is not what is seen until it is purged, and then in each encoding."""
    with (
        cdn.Origen({"/urna/index.html": VIEJO, "/urna/gub/index.html": VIEJO}) as origen,
        Varnish(tmp_path / "v", f"{origen.url}/urna", almacen=True) as edge,
    ):
        before = {"/": sha256_bytes(VIEJO), "/gub/": sha256_bytes(VIEJO)}
        assert pregunta(edge.url, before, clock=SystemClock(), limits=POCO).faltan == ()
        origen.codificadas = {"/urna/index.html": gzip.compress(NUEVO), "/urna/gub/index.html": gzip.compress(NUEVO)}
        after = {"/": sha256_bytes(NUEVO), "/gub/": sha256_bytes(NUEVO)}
        assert set(pregunta(edge.url, after, clock=SystemClock(), limits=POCO).faltan) == {"/", "/gub/"}
        settings = {
            "tipo": "varnish",
            "equipos": [edge.url],
            "secreto": f"archivo:{edge.archivo_secreto}",
            "repaso_s": 0,
        }
        purga = abre(
            AjustesPurga.model_validate(settings),
            folder=tmp_path,
            environment={},
            clock=SystemClock(),
            publica=edge.url,
        )
        purga.purga(("/",))
        answer = pregunta(edge.url, after, clock=SystemClock(), limits=POCO)
        assert answer.faltan == ("/gub/",), "only what was purged"
        purga.purga(("/gub/",))
        purga.close()
        answer = pregunta(edge.url, after, clock=SystemClock())
        assert answer.faltan == ()
        assert answer.segundos < 5
