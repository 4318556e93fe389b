"""A real Apache 2.4 on loopback with Debian's own defaults around the text of a site. Its files are in one folder."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pregon.base.errors import ComprobacionError
from pregon.base.procesos import start, wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from pregon.base.procesos import Process

HOST = "127.0.0.1"
READY_S = 15.0
RAIZ = Path("/etc/apache2")
"""Debian's: its modules with their settings are what an administrator has before adding anything."""
MODULOS = Path("/usr/lib/apache2/modules")
USUARIO = "www-data"
NUESTROS = ("rewrite", "headers", "ssl", "http2", "reqtimeout")
"""Modules that the steps of ``configura apache`` enable."""


class Apache:
    """``with Apache(folder, text, ports): …``: ``text`` holds the virtual hosts; ``modulos`` go besides the defaults.

    As root its workers are www-data, as they are in a difusor; else they are whoever runs the tests.
    """

    def __init__(self, carpeta: Path, texto: str, puertos: Sequence[int], *, modulos: Sequence[str] = NUESTROS) -> None:
        carpeta.mkdir(parents=True, exist_ok=True)
        self.carpeta = carpeta
        self._puertos = tuple(puertos)
        self._output = carpeta / "apache.log"
        self.ajustes = carpeta / "apache2.conf"
        self.ajustes.write_text(_config(carpeta, texto, puertos, modulos), encoding="utf-8")
        self._process: Process | None = None

    def __enter__(self) -> Self:
        self._process = start([programa(), "-DFOREGROUND", "-f", self.ajustes], output=self._output)
        try:
            wait_until(self._answers, self._process, timeout=READY_S, what="apache2")
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
    """Where Apache is: Debian keeps it out of an ordinary user's PATH."""
    return shutil.which("apache2", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or "apache2"


def contesta(port: int) -> bool:
    """Whether somebody accepts connections at a port of this machine."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def _config(carpeta: Path, texto: str, puertos: Sequence[int], modulos: Sequence[str]) -> str:
    enabled = RAIZ / "mods-enabled"
    lines = [
        f"ServerRoot {RAIZ}",
        "ServerName localhost",
        f"DefaultRuntimeDir {carpeta}",
        f"PidFile {carpeta}/apache2.pid",
        f"Mutex file:{carpeta} default",
        f"ErrorLog {carpeta}/error.log",
        f"Define APACHE_RUN_DIR {carpeta}",
        f"Define APACHE_LOG_DIR {carpeta}",
        f"User {USUARIO}",
        f"Group {USUARIO}",
        "Timeout 300",
        "KeepAlive On",
        "MaxKeepAliveRequests 100",
        "KeepAliveTimeout 5",
        f"IncludeOptional {enabled}/*.load",
        *(line for name in modulos for line in _unless_loaded(name)),
        f"IncludeOptional {enabled}/*.conf",
        *(f"Listen {HOST}:{port}" for port in puertos),
        "<Directory />",
        "    Options FollowSymLinks",
        "    AllowOverride None",
        "    Require all denied",
        "</Directory>",
        "AccessFileName .htaccess",
        '<FilesMatch "^\\.ht">',
        "    Require all denied",
        "</FilesMatch>",
        'LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\"" combined',
    ]
    return "\n".join([*lines, "", texto])


def _unless_loaded(name: str) -> tuple[str, ...]:
    return (f"<IfModule !{name}_module>", f"LoadModule {name}_module {MODULOS}/mod_{name}.so", "</IfModule>")
