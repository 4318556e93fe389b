"""``instituto sondea``: a difusor seen from two addresses through a real firewall, with a real sshd and nginx."""

from __future__ import annotations

import json
import os
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from pregon.base.clock import SystemClock
from pregon.base.errors import UsoError
from pregon.base.procesos import wait_until
from pregon.base.red import answers_tcp, free_port
from pregon.cli.app import app
from pregon.convocatoria.perfiles import load
from pregon.difusor.preflight import red
from pregon.instituto.sondeo import fallas, sondea
from pregon.sonda.sondeo import lee
from tests.red.mundo import Liga, Mundo
from tests.red.servidores.nginx import Autoridad
from tests.red.servidores.sshd import PRIVSEP, nueva_llave

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pregon.sonda.sondeo import Sondeo
    from tests.red.mundo import Host

HOST = "127.0.0.1"
SEGURAS = (
    "add_header Content-Security-Policy \"default-src 'self'\"; add_header X-Content-Type-Options nosniff; "
    'add_header Referrer-Policy no-referrer; add_header Strict-Transport-Security "max-age=1"; server_tokens off;'
)
NGINX = """daemon off; {user} pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{ access_log off; {temp} {headers}
types {{ text/html html; text/css css; application/json json; }}
server {{ listen {ip}:80; {extra} location / {{ root {folder}/web; }} }}
server {{ listen {ip}:443 ssl; {tls} ssl_certificate {cert}; ssl_certificate_key {key};
location / {{ root {folder}/web; }} }} }}
"""
REGLAS = """table ip prueba {{ chain entra {{ type filter hook input priority 0;
tcp dport {{ {ports} }} ip saddr {{ {institute} }} accept
tcp dport {{ {ports} }} reject with tcp reset
}}
}}
"""


class Difusor:
    """One difusor with a web server on 80 and 443, an sshd on 22, and what its firewall lets in."""

    def __init__(self, mundo: Mundo, folder: Path, authority: Autoridad) -> None:
        self.host, self.instituto, self.ajeno = (mundo.host(name) for name in ("difusor", "instituto", "ajeno"))
        for other in (self.instituto, self.ajeno):
            mundo.une(other, self.host, Liga())
        self.folder, self.authority = folder, authority
        web = folder / "web"
        web.mkdir(parents=True)
        (web / "index.html").write_text('<html><link rel="stylesheet" href="estilo.css"><h1>Corte</h1></html>')
        (web / "estilo.css").write_text("body{margin:0}" * 50)
        (web / "corte.json").write_text(json.dumps({"base_de_datos": ["datos.json"]}))
        (web / "datos.json").write_bytes(os.urandom(1 << 20))
        folder.chmod(0o755)

    def publica(self, *, headers: str = SEGURAS, tls: str = "", extra: str = "") -> None:
        cert, key = self.authority.firma("difusor", self.host.ip)
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temp = " ".join(f"{name}_temp_path {self.folder}/{name};" for name in kinds)
        values = {"ip": self.host.ip, "cert": cert, "key": key, "headers": headers, "tls": tls, "extra": extra}
        config = self.folder / "nginx.conf"
        config.write_text(NGINX.format(folder=self.folder, temp=temp, user="user root;", **values))
        process = self.host.corre(["nginx", "-c", config, "-p", self.folder])
        with self.host.dentro():
            wait_until(lambda: answers_tcp(self.host.ip, 443), process, timeout=10, what="nginx")

    def ssh(self) -> None:
        PRIVSEP.mkdir(mode=0o755, exist_ok=True)
        nueva_llave(self.folder / "llave")
        config = self.folder / "sshd_config"
        config.write_text(f"ListenAddress {self.host.ip}\nPort 22\nHostKey {self.folder}/llave\nPidFile none\n")
        process = self.host.corre(["/usr/sbin/sshd", "-D", "-e", "-f", config])
        with self.host.dentro():
            wait_until(lambda: answers_tcp(self.host.ip, 22), process, timeout=10, what="sshd")

    def cortafuegos(self, ports: str) -> None:
        rules = self.folder / "reglas.nft"
        rules.write_text(REGLAS.format(ports=ports, institute=self.instituto.ip))
        assert self.host.corre(["nft", "-f", rules]).wait(10) == 0


@pytest.fixture
def difusor(tmp_path: Path) -> Iterator[Difusor]:
    with Mundo(semilla=5) as mundo:
        yield Difusor(mundo, tmp_path / "difusor", Autoridad(tmp_path / "autoridad"))


def test_from_the_institute_and_from_elsewhere_each_port_is_as_it_must_be(difusor: Difusor, tmp_path: Path) -> None:
    call = load("gro-2021")
    difusor.publica(tls="ssl_protocols TLSv1.2 TLSv1.3;")
    difusor.ssh()
    trust = ssl.create_default_context(cafile=difusor.authority.ca)

    def look(desde: Host, *, autorizado: bool, ancho: bool = False, name: str = "gro-2021") -> dict[int, str]:
        with desde.dentro():
            seen = sondea(
                difusor.host.ip, load(name), clock=SystemClock(), autorizado=autorizado, ancho=ancho, tls=trust
            )
        looks.append(seen)
        return {one.puerto: one.esta for one in seen.puertos if not one.bien}

    looks: list[Sondeo] = []
    assert look(difusor.ajeno, autorizado=False) == {22: "abierto"}, "no firewall yet"
    assert fallas(looks[0], call) == ("el puerto 22 está abierto y debe estar cerrado",)
    assert [one.estado for one in red.puertos(call, [], looks)] == ["bien", "falla"]
    difusor.cortafuegos("22, 873")
    looks.clear()
    assert look(difusor.ajeno, autorizado=False) == {}
    assert look(difusor.instituto, autorizado=True, ancho=True) == {}
    assert fallas(looks[0], call) == ()
    assert [one.estado for one in red.puertos(call, [], looks)] == ["bien", "bien"]
    outside, inside = looks
    assert outside.tls is not None
    assert outside.pagina is not None
    assert outside.tls.versiones == ("1.2", "1.3")
    assert outside.tls.problema is None
    assert (outside.estado, outside.cabeceras, outside.pagina.peticiones) == (200, (), 3)
    assert outside.direcciones == (difusor.host.ip,)
    assert outside.subida is None
    assert inside.subida is not None
    assert inside.subida.bytes > 10 << 20
    # Whoever is not on the list and says so: SSH must be open for it, and it is not.
    assert look(difusor.ajeno, autorizado=True) == {22: "cerrado"}
    # DGO-II-net-c3 lets the institute in by any of three ports; SSH is enough.
    assert look(difusor.instituto, autorizado=True, name="dgo-2024") == {}
    path = tmp_path / "sondeo.json"
    path.write_text(json.dumps(inside.to_json()))
    assert lee([path]) == (inside,)


def test_what_is_wrong_is_told_one_by_one(difusor: Difusor) -> None:
    difusor.publica(headers="", tls="ssl_protocols TLSv1.1 TLSv1.2; ssl_ciphers ALL:@SECLEVEL=0;", extra="return 404;")
    call = load("ine-2021").model_copy(update={"puertos_publicos": (80, 443)})
    trust = ssl.create_default_context(cafile=difusor.authority.ca)
    (difusor.folder / "web" / "estilo.css").unlink()
    with difusor.ajeno.dentro():
        seen = sondea(f"https://{difusor.host.ip}/", call, clock=SystemClock(), ajenos=(21, 80, 443), tls=trust)
        plain = sondea(f"http://{difusor.host.ip}/", call, clock=SystemClock(), ajenos=(), tls=trust)
        nobody = sondea(f"https://{difusor.host.ip}:444/", call, clock=SystemClock(), ajenos=(), tls=trust)
        unknown = sondea(f"https://{difusor.host.ip}/", call, clock=SystemClock(), ajenos=())
    told = fallas(seen, call)
    for text in (
        "falta la cabecera content-security-policy",
        "falta la cabecera strict-transport-security",
        "la cabecera server dice la versión",
        "acepta TLS 1.1",
        "/estilo.css respondió 404",
    ):
        assert text in told, told
    assert len(told) == 7
    assert [one.puerto for one in seen.puertos] == [80, 443, 21]
    assert "la portada responde 404" in fallas(plain, call)
    assert any("No respondió" in text for text in fallas(nobody, call))
    assert nobody.pagina is None
    assert any("no se puede creer" in text for text in fallas(unknown, call))
    assert seen.pagina is not None
    slow = replace(seen, pagina=replace(seen.pagina, segundos=10.5))
    assert any("tardó 10.5 s" in text for text in fallas(slow, call))


@pytest.mark.parametrize("target", ["ftp://127.0.0.1/", "http://", "https://[::1", "https://a b/", "no-existe.invalid"])
def test_a_target_that_is_none_is_refused(target: str) -> None:
    with pytest.raises(UsoError):
        sondea(target, load("gro-2021"), clock=SystemClock(), ajenos=())


def test_command_writes_the_file_and_says_70_where_something_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "sondeo.json"
    url = f"http://{HOST}:{free_port(HOST)}/"
    answer = CliRunner().invoke(
        app, ["instituto", "sondea", url, "--convocatoria", "ine-2021", "--salida", str(path), "--json"]
    )
    assert answer.exit_code == 70
    told = json.loads(answer.stdout)
    assert told["ok"] is False
    assert told["sondeo"] == json.loads(path.read_text())
    assert any("No respondió" in text for text in told["fallas"])
    [seen] = lee([path])
    assert (seen.anfitrion, seen.url, seen.pagina) == (HOST, url, None)
    words = CliRunner().invoke(app, ["instituto", "sondea", url, "--convocatoria", "ine-2021"])
    assert words.exit_code == 70
    assert "FALLA" in words.stdout
