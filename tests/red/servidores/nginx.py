"""A real nginx on loopback that serves one folder over TLS, at several ports that each ask for something else."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import trustme

from pregon.base.red import free_port
from tests.red.servidores.enmarcha import HOST, EnMarcha, programa

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


TOKEN = "ficha-de-prueba"
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class Autoridad:
    """A certificate authority of the tests, and files of what it signs below ``carpeta``."""

    def __init__(self, carpeta: Path) -> None:
        carpeta.mkdir(parents=True, exist_ok=True)
        self.carpeta = carpeta
        self._ca = trustme.CA()
        self.ca = carpeta / "ca.pem"
        self._ca.cert_pem.write_to_path(self.ca)

    def firma(self, nombre: str, identidad: str = HOST, *, vencido: bool = False) -> tuple[Path, Path]:
        """A new certificate for ``identidad`` and its key, as PEM files. ``vencido``: its time is over."""
        now = datetime.now(UTC)
        end = now + timedelta(days=-2 if vencido else 30)
        leaf = self._ca.issue_cert(identidad, not_before=now - timedelta(days=9), not_after=end)
        certificate, key = self.carpeta / f"{nombre}.pem", self.carpeta / f"{nombre}.key"
        certificate.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        leaf.private_key_pem.write_to_path(key)
        key.chmod(0o600)
        return certificate, key


@dataclass(frozen=True)
class Sitio:
    """What one port asks for. ``ajustes`` are lines of a server, ``en_la_ruta`` of its location."""

    certificado: tuple[Path, Path]
    ajustes: tuple[str, ...] = ()
    en_la_ruta: tuple[str, ...] = ()


class Nginx(EnMarcha):
    """One nginx with a port for each of ``sitios``: ``server.puertos[name]``. All its files are below ``carpeta``.

    ``peticiones`` gives what it was asked, in order: port, path, status, bytes sent, range and conditions.
    """

    def __init__(self, carpeta: Path, raiz: Path, sitios: Mapping[str, Sitio]) -> None:
        carpeta.mkdir(parents=True, exist_ok=True)
        self.carpeta = carpeta
        self.puertos = {name: free_port(HOST) for name in sitios}
        self._log = carpeta / "peticiones.log"
        config = carpeta / "nginx.conf"
        config.write_text(_config(carpeta, raiz, sitios, self.puertos), encoding="utf-8")
        super().__init__(
            [programa("nginx"), "-c", config, "-p", carpeta],
            puertos=tuple(self.puertos.values()),
            salida=carpeta / "nginx.log",
        )

    def url(self, sitio: str) -> str:
        """The address of the folder at one of the ports."""
        return f"https://{HOST}:{self.puertos[sitio]}/repositorio"

    def peticiones(self) -> list[list[str]]:
        """The requests that were answered until now, but those with a 400.

        nginx notes each right after its last byte: one more, plain where TLS is spoken, makes sure that it did.
        """
        with socket.create_connection((HOST, next(iter(self.puertos.values()))), timeout=5) as link:
            link.sendall(b"GET /nota HTTP/1.0\r\n\r\n")
            while link.recv(4096):
                pass
        lines = (line.split("\t") for line in self._log.read_text(encoding="utf-8").splitlines())
        return [line for line in lines if line[2] != "400"]


def _config(carpeta: Path, raiz: Path, sitios: Mapping[str, Sitio], puertos: Mapping[str, int]) -> str:
    fields = ("$server_port", "$uri", "$status", "$body_bytes_sent", "$http_range", "$http_if_none_match")
    lines = [
        "daemon off;",
        "master_process on;",
        "worker_processes 1;",
        *(["user root;"] if os.geteuid() == 0 else []),  # the folders of a test are its owner's alone
        f"pid {carpeta}/nginx.pid;",
        "error_log stderr;",
        "events { worker_connections 64; }",
        "http {",
        *(f"{name}_temp_path {carpeta}/{name};" for name in _TEMPORARY),
        "types { application/json json; application/zip zip; }",
        f"log_format corto '{chr(9).join(fields)}';",
        f"access_log {carpeta}/peticiones.log corto;",
    ]
    for name, sitio in sitios.items():
        certificate, key = sitio.certificado
        lines += [
            "server {",
            f"listen {HOST}:{puertos[name]} ssl;",
            f"ssl_certificate {certificate};",
            f"ssl_certificate_key {key};",
            *sitio.ajustes,
            f"location /repositorio/ {{ alias {raiz}/; {' '.join(sitio.en_la_ruta)} }}",
            "}",
        ]
    return "\n".join([*lines, "}", ""])


MODULOS = Path("/usr/lib/nginx/modules")
"""Where Debian's packages put what nginx may load."""


class NginxCon(EnMarcha):
    """One nginx with Debian's defaults around ``texto``, which is what its administrator adds inside ``http {}``.

    ``modulos`` are loaded besides. As root its workers are www-data, as they are in a difusor.
    """

    def __init__(self, carpeta: Path, texto: str, puertos: Sequence[int], *, modulos: Sequence[str] = ()) -> None:
        carpeta.mkdir(parents=True, exist_ok=True)
        self.carpeta = carpeta
        self.ajustes = carpeta / "nginx.conf"
        lines = [
            "daemon off;",
            *(["user www-data;"] if os.geteuid() == 0 else []),
            "worker_processes auto;",
            f"pid {carpeta}/nginx.pid;",
            f"error_log {carpeta}/error.log;",
            *(f"load_module {MODULOS}/ngx_{name}_module.so;" for name in modulos),
            "events { worker_connections 768; }",
            "http {",
            *(f"{name}_temp_path {carpeta}/{name};" for name in _TEMPORARY),
            "sendfile on;",
            "tcp_nopush on;",
            "types_hash_max_size 2048;",
            "include /etc/nginx/mime.types;",
            "default_type application/octet-stream;",
            "ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;",
            "access_log off;",
            "gzip on;",
            texto,
            "}",
        ]
        self.ajustes.write_text("\n".join([*lines, ""]), encoding="utf-8")
        super().__init__(
            [programa("nginx"), "-c", self.ajustes, "-p", carpeta], puertos=puertos, salida=carpeta / "nginx.log"
        )


class Tinyproxy(EnMarcha):
    """A real forward proxy on loopback: ``with Tinyproxy(folder) as proxy: proxy.url``.

    ``contrasena``: one that it asks for. ``conexiones`` are the places that it was asked to connect to.
    """

    def __init__(self, carpeta: Path, *, contrasena: str | None = None) -> None:
        carpeta.mkdir(parents=True, exist_ok=True)
        self._port = free_port(HOST)
        self.url = f"http://{HOST}:{self._port}"
        config = carpeta / "tinyproxy.conf"
        auth = [] if contrasena is None else [f"BasicAuth cuenta {contrasena}"]
        lines = [f"Port {self._port}", f"Listen {HOST}", "Timeout 60", "LogLevel Connect", f"Allow {HOST}", *auth]
        config.write_text("\n".join([*lines, ""]), encoding="utf-8")
        super().__init__(["tinyproxy", "-d", "-c", config], puertos=[self._port], salida=carpeta / "tinyproxy.log")

    @property
    def conexiones(self) -> list[str]:
        """The lines of its log that name a connection asked for."""
        return [line for line in self._output.read_text(errors="replace").splitlines() if ": CONNECT " in line]
