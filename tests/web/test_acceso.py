"""The door, asked by a real client of a real server: who is let in, and what each refusal leaves undone."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
import time
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx2
import pytest
import trustme
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from pregon.base.durable import Disk
from pregon.base.errors import AjustesError, EntradaError
from pregon.web import servidor
from pregon.web.flujo import COLA
from pregon.web.limites import LIBRES
from pregon.web.servidor import corriendo
from pregon.web.sitio import CABECERAS, Sitio
from tests.web.conftest import CLAVE, visitando

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.requests import Request

    from tests.web.conftest import Casa, Visita


def cookies(answer: httpx2.Response) -> list[str]:
    return answer.headers.get_list("set-cookie")


def test_without_signing_in_there_is_only_the_page_of_sign_in(casa: Casa, visita: Visita) -> None:
    for ruta in ("", "jefe", "no-existe", "accion", "salir", "entrar/otra", "ESTATICO/x", "rompe"):
        answer = visita.client.get(casa.url + ruta)
        assert (answer.status_code, answer.headers["location"]) == (303, "/entrar"), ruta
    stream = visita.client.get(casa.url + "flujo", headers={"accept": "text/event-stream"})
    assert stream.status_code == 401
    assert visita.manda("accion", {"que": "x"}).status_code == 401
    for method in ("PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"):
        assert visita.client.request(method, casa.url).status_code == 405
    assert casa.acciones == []
    page = visita.client.get(casa.url + "entrar")
    style = page.text.split('href="')[1].split('"')[0]
    assert visita.client.get(casa.url.rstrip("/") + style).headers["content-type"] == "text/css; charset=utf-8"
    assert visita.client.get(casa.url + "estatico/..%2fclaves.py").status_code in (303, 404)


def test_signing_in_and_out(casa: Casa, visita: Visita) -> None:
    answer = visita.entra()
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    given = [each for each in cookies(answer) if "sesion" in each]
    assert len(given) == 1
    assert given[0].startswith("pregon-casa-sesion=")  # plain HTTP to this machine: neither Secure nor __Host-
    assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(given[0].split("; "))
    assert "Domain" not in given[0]
    assert visita.client.get(casa.url).text.startswith("hola ana ")
    assert visita.client.get(casa.url + "jefe").status_code == 403  # another role's
    ident = visita.client.cookies["pregon-casa-sesion"]
    assert visita.manda("salir", {"ficha": visita.ficha()}).status_code == 303
    assert visita.client.get(casa.url).status_code == 303
    again = visita.client.get(casa.url, headers={"cookie": f"pregon-casa-sesion={ident}"})
    assert again.status_code == 303  # the number itself is worth nothing now
    assert [suceso.tipo for suceso in casa.sucesos] == ["entrada", "salida"]


@pytest.mark.parametrize(("cuenta", "clave"), [("ana", "otra"), ("nadie", CLAVE), ("ana", ""), ("ANA", CLAVE)])
def test_a_wrong_password_says_nothing_of_which_was_wrong(casa: Casa, visita: Visita, cuenta: str, clave: str) -> None:
    answer = visita.entra(cuenta, clave)
    assert answer.status_code == 401
    assert "La cuenta o la contraseña no son correctas." in answer.text
    assert len(casa.sesiones) == 0
    assert [(each.tipo, each.cuenta) for each in casa.sucesos] == [("rechazo", "ana" if cuenta == "ana" else None)]


def test_a_name_that_is_markup_is_shown_as_text(visita: Visita) -> None:
    answer = visita.entra('"><script>alert(1)</script>', "otra")
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_guessing_is_slowed_and_the_owner_gets_in_afterwards(casa: Casa, visita: Visita) -> None:
    statuses = [visita.entra("ana", f"intento {n} fallido").status_code for n in range(LIBRES + 3)]
    assert statuses == [401] * LIBRES + [429] * 3
    refused = visita.entra()  # the right one, too soon
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 300
    assert len(casa.sesiones) == 0
    casa.clock.sleep(int(refused.headers["retry-after"]))
    assert visita.entra().status_code == 303
    assert visita.client.get(casa.url).status_code == 200


def test_a_planted_session_number_is_not_the_one_that_signing_in_gives(casa: Casa, visita: Visita) -> None:
    planted = "A" * 43
    visita.client.cookies.set("pregon-casa-sesion", planted, domain="127.0.0.1", path="/")
    assert visita.client.get(casa.url).status_code == 303
    answer = visita.entra()
    given = next(each for each in cookies(answer) if "sesion=" in each)
    assert planted not in given
    with visitando(casa.url, cookies={"pregon-casa-sesion": planted}) as thief:
        assert thief.client.get(casa.url).status_code == 303
    first = given.split(";")[0].split("=", 1)[1]
    with visitando(casa.url) as same:
        page = same.client.get(casa.url + "entrar")
        same.client.cookies.set("pregon-casa-sesion", first, domain="127.0.0.1", path="/")
        form = {"cuenta": "ana", "clave": CLAVE, "ficha": page.text.split('name="ficha" value="')[1].split('"')[0]}
        second = same.manda("entrar", form)
        assert second.status_code == 303  # already in: rotated all the same
        assert first not in str(cookies(second))
        with visitando(casa.url, cookies={"pregon-casa-sesion": first}) as old:
            assert old.client.get(casa.url).status_code == 303


def test_a_session_ends_with_time_and_with_its_account(casa: Casa, visita: Visita) -> None:
    visita.entra()
    casa.clock.sleep(599)
    assert visita.client.get(casa.url).status_code == 200
    casa.clock.sleep(601)
    assert visita.client.get(casa.url).status_code == 303
    visita.entra()
    assert visita.client.get(casa.url).status_code == 200
    casa.cuentas.pone("ana", "una clave nueva y larga", ("mira",), ahora=casa.clock.now(), disk=Disk())
    assert visita.client.get(casa.url).status_code == 303
    assert len(casa.sesiones) == 0


def test_a_form_of_another_site_does_nothing(casa: Casa, visita: Visita) -> None:
    visita.entra()
    good = {"que": "x", "ficha": visita.ficha()}
    own = casa.url.rstrip("/")
    for headers in (
        {"origin": "https://malo.ejemplo"}, {"origin": "null"}, {"origin": own + "1"}, {},
        {"origin": own.replace("http", "https")}, {"origin": own, "sec-fetch-site": "cross-site"},
        {"origin": own, "sec-fetch-site": "same-site"}, {"sec-fetch-site": "none"},
    ):  # fmt: skip
        assert visita.client.post(casa.url + "accion", data=good, headers=headers).status_code == 403, headers
    for ficha in ("", "x", good["ficha"][:-1], good["ficha"] + "x", "ñ"):
        assert visita.manda("accion", {"que": "x", "ficha": ficha}).status_code == 403
    assert visita.manda("accion", {"que": "x"}).status_code == 403
    assert visita.manda("salir", {"que": "x"}).status_code == 403
    json = visita.client.post(casa.url + "accion", json=good, headers={"origin": own})
    assert json.status_code == 415
    assert casa.acciones == []
    assert visita.client.get(casa.url).status_code == 200  # nor was anybody signed out
    assert visita.manda("accion", good).status_code == 200
    assert visita.client.post(casa.url + "accion", data=good, headers={"sec-fetch-site": "same-origin"}).is_success
    assert casa.acciones == ["x", "x"]
    assert {each.motivo for each in casa.sucesos if each.tipo == "ajeno"} == {"origen", "ficha", "formulario"}


def test_the_token_of_one_session_is_of_no_use_in_another(casa: Casa, visita: Visita) -> None:
    visita.entra()
    with visitando(casa.url) as other:
        other.entra()
        assert visita.manda("accion", {"que": "x", "ficha": other.ficha()}).status_code == 403
    assert casa.acciones == []


def test_signing_in_needs_the_page_of_sign_in(casa: Casa, visita: Visita) -> None:
    answer = visita.manda("entrar", {"cuenta": "ana", "clave": CLAVE, "ficha": "x"})
    assert answer.status_code == 403
    assert len(casa.sesiones) == 0


@pytest.mark.parametrize("host", ["malo.ejemplo", "malo.ejemplo:80", "127.0.0.1.malo.ejemplo", "", "10.0.0.1"])
def test_a_name_that_others_point_at_us_is_not_answered(casa: Casa, visita: Visita, host: str) -> None:
    visita.entra()
    assert visita.client.get(casa.url, headers={"host": host}).status_code in (400, 421)


def test_every_answer_carries_what_it_must(casa: Casa, visita: Visita, caplog: pytest.LogCaptureFixture) -> None:
    seen = {}
    for ruta in ("entrar", "", "estatico/nada.css"):
        answer = visita.client.get(casa.url + ruta)
        seen[answer.status_code] = answer
    visita.entra()
    for ruta in ("", "no-existe", "jefe", "rompe"):
        with caplog.at_level(logging.CRITICAL, "uvicorn.error"):
            answer = visita.client.get(casa.url + ruta)
        seen[answer.status_code] = answer
    seen[403] = visita.manda("accion", {})
    assert {200, 303, 403, 404, 500} <= set(seen)
    for status, answer in seen.items():
        for name, value in CABECERAS:
            assert answer.headers[name] == value, (status, name)
        assert answer.headers["cache-control"] == "no-store", status
        assert "server" not in answer.headers
    assert "unsafe" not in dict(CABECERAS)["content-security-policy"]
    assert "Traceback" not in seen[500].text
    assert "Esta página no se pudo hacer." in seen[500].text
    assert "No hay ninguna página en esa dirección." in seen[404].text


def test_a_body_that_is_long_or_odd_is_refused_before_it_is_kept(casa: Casa, visita: Visita) -> None:
    visita.entra()
    assert visita.manda("accion", {"que": "x" * 20_000}).status_code == 413
    many = "&".join(f"c{n}=1" for n in range(100))
    kind = {"content-type": "application/x-www-form-urlencoded", "origin": casa.url.rstrip("/")}
    assert visita.client.post(casa.url + "accion", content=many, headers=kind).status_code == 400
    assert visita.client.post(casa.url + "accion", content=b"\xff\xfe=%ff", headers=kind).status_code == 400
    assert casa.acciones == []


def events(answer: httpx2.Response, name: str = "foto") -> Iterator[str]:
    kind, data = "", []
    for line in answer.iter_lines():
        if line.startswith("event: "):
            kind = line[7:]
        elif line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line:
            if kind == name:
                yield "\n".join(data)
            kind, data = "", []


def test_what_is_told_arrives_at_once_line_by_line_and_to_who_comes_later(casa: Casa, visita: Visita) -> None:
    visita.entra()
    with visita.client.stream("GET", casa.url + "flujo") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        arrived = events(answer)
        started = time.monotonic()
        casa.emisor.publica("foto", "uno\n<b>dos</b>")
        assert next(arrived) == "uno\n<b>dos</b>"
        assert time.monotonic() - started < 1
    with visita.client.stream("GET", casa.url + "flujo") as answer:
        assert next(events(answer)) == "uno\n<b>dos</b>"


def test_the_stream_beats_and_ends_with_its_session(casa: Casa, visita: Visita) -> None:
    visita.entra()
    with visita.client.stream("GET", casa.url + "flujo") as answer:
        beats = events(answer, "latido")
        next(beats)
        casa.clock.sleep(601)  # idle: a stream that does not count as use
        assert len(list(beats)) <= 1
    # The reader sees the end of the answer a moment before the server has let go of it.
    end = time.monotonic() + 10
    while casa.emisor.oyentes and time.monotonic() < end:
        time.sleep(0.01)
    assert casa.emisor.oyentes == 0


def test_who_reads_nothing_holds_nobody_back_nor_grows(casa: Casa, visita: Visita) -> None:
    visita.entra()
    cookie = visita.client.cookies["pregon-casa-sesion"]
    address = urlsplit(casa.url)
    with socket.create_connection((address.hostname or "", address.port or 0)) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(
            f"GET /flujo HTTP/1.1\r\nHost: {address.netloc}\r\nCookie: pregon-casa-sesion={cookie}\r\n\r\n".encode()
        )
        assert slow.recv(12) == b"HTTP/1.1 200"
        with visita.client.stream("GET", casa.url + "flujo") as answer:
            arrived = events(answer)
            big = "x" * 200_000
            for n in range(5 * COLA):
                started = time.monotonic()
                casa.emisor.publica("foto", f"{n} {big}")
                assert next(arrived).startswith(f"{n} ")
                assert time.monotonic() - started < 1
        queues = [len(listener._queue) for listener in casa.emisor._listeners]
        assert max(queues) <= COLA


def test_the_end_is_soon_whoever_is_there(casa: Casa, tmp_path: Path) -> None:
    del tmp_path
    began = 0.0
    with corriendo(casa.app(), direccion="127.0.0.1", puerto=0) as port:  # nobody closes its streams
        url = f"http://127.0.0.1:{port}/"
        with visitando(url) as one:
            one.entra()
            with one.client.stream("GET", url + "flujo"), socket.create_connection(("127.0.0.1", port)):
                began = time.monotonic()
                stopped = _stopped(port)
                next(stopped)
    assert time.monotonic() - began < 6
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_who_connects_and_asks_nothing_is_let_go(casa: Casa, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servidor, "PRIMERA_S", 0.3)
    address = urlsplit(casa.url)
    for first in (b"", b"GET / HTTP/1.1\r\nHost: "):
        with socket.create_connection((address.hostname or "", address.port or 0), timeout=5) as slow:
            slow.sendall(first)
            with contextlib.suppress(ConnectionResetError):
                assert slow.recv(100) == b""


def _stopped(port: int) -> Iterator[int]:
    yield port


@contextmanager
def over_tls(casa: Casa, tmp_path: Path, sitio: Sitio) -> Iterator[tuple[int, ssl.SSLContext]]:
    authority = trustme.CA()
    own = authority.issue_cert("localhost", "panel.ejemplo.mx")
    certificate, key = tmp_path / "cert.pem", tmp_path / "clave.pem"
    for blob in own.cert_chain_pems:
        blob.write_to_path(certificate, append=True)
    own.private_key_pem.write_to_path(key)
    casa.sitio = sitio
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with corriendo(casa.app(), direccion="127.0.0.1", puerto=0, certificado=certificate, clave=key) as port:
        yield port, context


def test_over_tls_the_cookies_are_of_this_host_alone(casa: Casa, tmp_path: Path) -> None:
    with over_tls(casa, tmp_path, Sitio("casa", tls=True)) as (port, context):
        url = f"https://localhost:{port}/"
        with visitando(url, verify=context) as one:
            answer = one.entra()
            given = next(each for each in cookies(answer) if "sesion=" in each)
            assert given.startswith("__Host-pregon-casa-sesion=")
            assert {"Secure", "HttpOnly", "Path=/", "SameSite=strict"} <= set(given.split("; "))
            assert one.client.get(url).status_code == 200
            assert "max-age" in one.client.get(url).headers["strict-transport-security"]
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with visitando(url, verify=context) as old:
            assert old.client.get(url).status_code == 303


def test_tls_is_1_2_or_later(casa: Casa, tmp_path: Path) -> None:
    old_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old_context.check_hostname, old_context.verify_mode = False, ssl.CERT_NONE
    old_context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old_context.minimum_version, old_context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with (
        over_tls(casa, tmp_path, Sitio("casa", tls=True)) as (port, _),
        socket.create_connection(("127.0.0.1", port)) as raw,
        pytest.raises(ssl.SSLError),
    ):
        old_context.wrap_socket(raw)


def test_behind_a_proxy_the_address_and_the_site_are_what_people_use(casa: Casa) -> None:
    casa.sitio = Sitio("casa", anfitrion="panel.ejemplo.mx", proxy=True)
    with corriendo(casa.app(), direccion="127.0.0.1", puerto=0) as port:
        url = f"http://127.0.0.1:{port}/"
        outside = {"host": "panel.ejemplo.mx", "x-forwarded-for": "198.51.100.1, 192.0.2.44"}
        with visitando(url, headers=outside) as one:
            page = one.client.get(url + "entrar")
            # The browser keeps a Secure cookie, because to it all is HTTPS; this client has to be told.
            seed = cookies(page)[0].split(";")[0]
            form = {"cuenta": "ana", "clave": CLAVE, "ficha": page.text.split('name="ficha" value="')[1].split('"')[0]}
            answer = one.manda("entrar", form, origin="https://panel.ejemplo.mx", cookie=seed)
            given = next(each for each in cookies(answer) if "sesion=" in each)
            assert given.startswith("__Host-")
            assert "Secure" in given
            assert casa.sucesos[-1].direccion == "192.0.2.44"  # the last one, which our proxy wrote
            refused = one.manda("entrar", form, origin="https://malo.ejemplo", cookie=seed)
            assert refused.status_code == 403
    casa.sitio = Sitio("casa")
    with corriendo(casa.app(), direccion="127.0.0.1", puerto=0) as port:
        with visitando(f"http://127.0.0.1:{port}/", headers={"x-forwarded-for": "192.0.2.44"}) as one:
            one.entra()
        assert casa.sucesos[-1].direccion == "127.0.0.1"  # nobody said that there is a proxy


def test_a_port_or_a_certificate_that_do_not_serve_open_nothing(casa: Casa, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AjustesError, match=str(port)), corriendo(casa.app(), direccion="127.0.0.1", puerto=port):
            raise AssertionError
    bad = tmp_path / "no.pem"
    bad.write_text("no")
    for kind, path in ((AjustesError, bad), (EntradaError, tmp_path / "ausente")):
        with (
            pytest.raises(kind),
            corriendo(casa.app(), direccion="127.0.0.1", puerto=0, certificado=path, clave=path),
        ):
            raise AssertionError


def test_accounts_that_cannot_be_read_refuse_everybody(casa: Casa, visita: Visita, tmp_path: Path) -> None:
    visita.entra()
    (tmp_path / "cuentas.json").chmod(0o644)
    (tmp_path / "cuentas.json").write_text("{")
    assert visita.client.get(casa.url).status_code == 503
    with visitando(casa.url) as other:
        answer = other.entra()
    assert (answer.status_code, "Las cuentas no se pueden leer" in answer.text) == (503, True)
    assert [one.tipo for one in casa.sucesos] == ["entrada"]


def test_a_stream_ends_where_nobody_can_tell_who_may_see_it(
    casa: Casa, visita: Visita, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    visita.entra()
    with visita.client.stream("GET", casa.url + "flujo") as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith("retry:")
        (tmp_path / "cuentas.json").write_text("{")
        casa.emisor.publica("foto", "Nueva.")
        assert "Nueva." not in "".join(lines)
    assert "no es un archivo de cuentas" in caplog.text
    assert "Traceback" not in caplog.text


def test_who_answers_nobody_gives_no_sign_of_life() -> None:
    signs: list[float] = []
    held, go = threading.Event(), threading.Event()

    async def blocks(request: Request) -> Response:
        held.set()
        go.wait(30)  # On purpose not awaited: it holds the loop that answers everybody.
        return Response()

    app = Starlette(routes=[Route("/", blocks)])
    with corriendo(app, direccion="127.0.0.1", puerto=0, vive=lambda: signs.append(time.monotonic())) as port:
        while len(signs) < 2:
            time.sleep(0.05)
        client = threading.Thread(target=httpx2.get, args=(f"http://127.0.0.1:{port}/",))
        client.start()
        assert held.wait(30)
        before = len(signs)
        time.sleep(2.5)
        silent = len(signs) - before
        go.set()
        client.join(30)
        deadline = time.monotonic() + 30
        while len(signs) == before:
            assert time.monotonic() < deadline, "it did not come back"
            time.sleep(0.05)
    assert silent == 0
