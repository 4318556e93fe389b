"""A real nginx on loopback that serves one folder over TLS, at several ports that each ask for something else."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

import trustme

from pregon.base.errors import ComprobacionError
from pregon.base.procesos import start, wait_until
from pregon.base.red import free_port
from tests.red.servidores.apache import contesta

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from pregon.base.procesos import Process

HOST = "127.0.0.1"
READY_S = 10.0
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


class Nginx:
    """One nginx with a port for each of ``sitios``: ``server.puertos[name]``. All its files are below ``carpeta``.

    ``peticiones`` gives what it was asked, in order: port, path, status, bytes sent, range and conditions.
    """

    def __init__(self, carpeta: Path, raiz: Path, sitios: Mapping[str, Sitio]) -> None:
        carpeta.mkdir(parents=True, exist_ok=True)
        self.carpeta = carpeta
        self.puertos = {name: free_port(HOST) for name in sitios}
        self._log = carpeta / "peticiones.log"
        self._output = carpeta / "nginx.log"
        self._config = carpeta / "nginx.conf"
        self._config.write_text(_config(carpeta, raiz, sitios, self.puertos), encoding="utf-8")
        self._process: Process | None = None

    def __enter__(self) -> Self:
        self._process = start([programa(), "-c", self._config, "-p", self.carpeta], output=self._output)
        try:
            wait_until(self._answers, self._process, timeout=READY_S, what="nginx")
        except ComprobacionError:
            self._process.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.stop()

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

    def _answers(self) -> bool:
        for port in self.puertos.values():
            try:
                socket.create_connection((HOST, port), timeout=1).close()
            except OSError:
                return False
        return True


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


class NginxCon:
    """One nginx with Debian's defaults around ``texto``, which is what its administrator adds inside ``http {}``.

    ``modulos`` are loaded besides. As root its workers are www-data, as they are in a difusor.
    """

    def __init__(self, carpeta: Path, texto: str, puertos: Sequence[int], *, modulos: Sequence[str] = ()) -> None:
        carpeta.mkdir(parents=True, exist_ok=True)
        self.carpeta = carpeta
        self._puertos = tuple(puertos)
        self._output = carpeta / "nginx.log"
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
        self._process: Process | None = None

    def __enter__(self) -> Self:
        self._process = start([programa(), "-c", self.ajustes, "-p", self.carpeta], output=self._output)
        try:
            wait_until(self._answers, self._process, timeout=READY_S, what="nginx")
        except ComprobacionError:
            self._process.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.stop()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _answers(self) -> bool:
        return all(contesta(port) for port in self._puertos)


def programa() -> str:
    """Where nginx is: Debian keeps it out of an ordinary user's PATH."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or "nginx"


class Tinyproxy:
    """A real forward proxy on loopback: ``with Tinyproxy(folder) as proxy: proxy.url``.

    ``contrasena``: one that it asks for. ``conexiones`` are the places that it was asked to connect to.
    """

    def __init__(self, carpeta: Path, *, contrasena: str | None = None) -> None:
        carpeta.mkdir(parents=True, exist_ok=True)
        self._port = free_port(HOST)
        self.url = f"http://{HOST}:{self._port}"
        self._output = carpeta / "tinyproxy.log"
        self._config = carpeta / "tinyproxy.conf"
        auth = [] if contrasena is None else [f"BasicAuth cuenta {contrasena}"]
        lines = [f"Port {self._port}", f"Listen {HOST}", "Timeout 60", "LogLevel Connect", f"Allow {HOST}", *auth]
        self._config.write_text("\n".join([*lines, ""]), encoding="utf-8")
        self._process: Process | None = None

    def __enter__(self) -> Self:
        self._process = start(["tinyproxy", "-d", "-c", self._config], output=self._output)
        wait_until(self._answers, self._process, timeout=READY_S, what="tinyproxy")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.stop()

    @property
    def conexiones(self) -> list[str]:
        """The lines of its log that name a connection asked for."""
        return [line for line in self._output.read_text(errors="replace").splitlines() if ": CONNECT " in line]

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection((HOST, self._port), timeout=1):
            return True
        return False
