"""The service where acuses arrive, for real: TLS on loopback, one request at a time and many."""

from __future__ import annotations

import contextlib
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx2
import pytest
import trustme

from pregon.base.clock import ManualClock, SystemClock
from pregon.base.errors import AjustesError, EntradaError
from pregon.instituto.entrega.buzon import Buzon, Cupo
from pregon.instituto.entrega.recibidos import Recibidos
from pregon.trust.acuse import MAX_BYTES
from pregon.trust.keys import KeyRing, generate, ring_names
from tests.instituto.entregas import Campo
from tests.instituto.test_entrega_acuses import bodies, kept, signed
from tests.trust.conftest import INICIO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def campo(tmp_path: Path) -> Campo:
    campo = Campo.make(tmp_path, KeyRing(tuple(generate(name) for name in ring_names())))
    for name in ("diario-uno", "diario-dos"):
        campo.nodo(name)
    campo.corte(1)
    campo.entrega()
    for node in campo.nodos.values():
        node.recibe()
    return campo


@contextlib.contextmanager
def attended(campo: Campo, cupo: Cupo | None = None) -> Iterator[tuple[str, ssl.SSLContext]]:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    certificate, secret = campo.escena.folder / "sitio.pem", campo.escena.folder / "sitio.clave.pem"
    certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    secret.write_bytes(issued.private_key_pem.bytes())
    received = Recibidos(campo.espacio())
    service = Buzon(
        received, SystemClock(), direccion="127.0.0.1", puerto=0, certificado=certificate, clave=secret, cupo=cupo
    )
    thread = threading.Thread(target=service.run)
    thread.start()
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    try:
        yield f"https://127.0.0.1:{service.puerto}/acuses/", trusted
    finally:
        service.stop()
        thread.join(10)
        assert not thread.is_alive()


def test_every_answer_and_what_each_leaves(campo: Campo) -> None:
    one, two = (bodies(node) for node in campo.nodos.values())
    node = campo.nodos["diario-uno/principal"]
    with attended(campo) as (url, trusted), httpx2.Client(verify=trusted, trust_env=False) as client:

        def post(data: bytes, where: str = "diario-uno/principal") -> tuple[int, dict[str, object]]:
            answer = client.post(url + where, content=data)
            return answer.status_code, answer.json()

        assert post(one[0]) == (201, {"nuevo": True})
        before = kept(campo)
        assert post(one[0]) == (200, {"nuevo": False})
        status, told = post(one[2])
        assert (status, told["codigo"]) == (409, "CADENA")
        assert told["ultimo"] == next(iter(before.values())), "where to go on from"
        for data, expected in (
            (two[0], 403),
            (signed(node, ambiente="simulacro"), 403),
            (b"", 400),
            (b"{}", 400),
            (one[1][:-1], 400),
            (b"x" * MAX_BYTES, 400),
            (b"x" * (MAX_BYTES + 1), 413),
        ):
            status, told = post(data)
            assert status == expected, data[:80]
            assert {"codigo", "que_paso", "intacto", "que_hacer"} <= set(told)
            assert str(campo.escena.folder) not in str(told)
        for where in ("diario-tres/principal", "diario-uno/otro", "..%2F..%2Fetc/principal", "%2e%2e/principal"):
            assert client.post(url + where, content=one[1]).status_code == 404, where
        assert client.post(url.replace("/acuses/", "/"), content=one[1]).status_code == 404
        assert client.get(url + "diario-uno/principal").status_code == 405
        assert kept(campo) == before
        assert [post(data)[0] for data in one[1:]] == [201, 201]
        assert post(two[0], "diario-dos/principal")[0] == 201
        # Nothing in clear, nothing older than TLS 1.2.
        with pytest.raises(httpx2.TransportError):
            client.post(url.replace("https", "http") + "diario-uno/principal", content=one[0])
    outside = {path.name for path in campo.escena.folder.iterdir()}
    assert outside <= {
        *("acuses", "entrega", "estado.sqlite", "repositorio", "perfil.toml", "difusor", "sitio.pem"),
        *("sitio.clave.pem", "diario-uno-principal", "diario-dos-principal", "estado.sqlite-wal", "estado.sqlite-shm"),
    }
    assert len(kept(campo)) == 4


def test_many_at_once_of_one_node_are_kept_once_and_in_their_order(campo: Campo) -> None:
    node = campo.nodos["diario-uno/principal"]
    with attended(campo) as (url, trusted):

        def post(data: bytes) -> int:
            return httpx2.post(url + "diario-uno/principal", content=data, verify=trusted, trust_env=False).status_code

        with ThreadPoolExecutor(8) as pool:
            for data in bodies(node):
                answers = sorted(pool.map(post, [data] * 6))
                assert answers == [200] * 5 + [201]
    mine = {path.name for path in (campo.escena.folder / "acuses/diario-uno/principal").glob("*.json")}
    assert mine == {path.name for path in node.acuses}


def test_too_many_wait_and_a_slow_body_is_let_go(campo: Campo) -> None:
    [body, *_] = bodies(campo.nodos["diario-uno/principal"])
    with (
        attended(campo, Cupo(SystemClock(), rafaga=3, por_segundo=0.01)) as (url, trusted),
        httpx2.Client(verify=trusted, trust_env=False) as client,
    ):
        answers = [client.post(url + "diario-uno/principal", content=b"{}") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [400, 400, 400, 429, 429]
        assert int(answers[-1].headers["Retry-After"]) > 0
        assert client.post(url + "diario-uno/principal", content=body).status_code == 429
    assert kept(campo) == {}


def test_quota_is_of_each_address_and_fills_again() -> None:
    clock = ManualClock(INICIO)
    cupo = Cupo(clock, rafaga=2, por_segundo=1.0)
    assert [cupo.wait("a") for _ in range(3)] == [0.0, 0.0, 1.0]
    assert cupo.wait("b") == 0.0
    clock.sleep(1.0)
    assert cupo.wait("a") == 0.0
    assert cupo.wait("a") > 0


def test_in_clear_only_on_this_machine_and_never_with_half_a_certificate(campo: Campo, tmp_path: Path) -> None:
    received, clock = Recibidos(campo.espacio()), SystemClock()
    pem = tmp_path / "x.pem"
    with pytest.raises(AjustesError):
        Buzon(received, clock, direccion="0.0.0.0", puerto=0)  # noqa: S104 - it is what must be refused
    with pytest.raises(AjustesError):
        Buzon(received, clock, direccion="127.0.0.1", puerto=0, certificado=pem)
    with pytest.raises(EntradaError):
        Buzon(received, clock, direccion="127.0.0.1", puerto=0, certificado=pem, clave=pem)
    pem.write_text("no es PEM")
    with pytest.raises(AjustesError):
        Buzon(received, clock, direccion="127.0.0.1", puerto=0, certificado=pem, clave=pem)
