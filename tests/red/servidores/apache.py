"""A real Apache 2.4 on loopback with Debian's own defaults around the text of a site. Its files are in one folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.red.servidores.enmarcha import HOST, EnMarcha, programa

if TYPE_CHECKING:
    from collections.abc import Sequence

RAIZ = Path("/etc/apache2")
"""Debian's: its modules with their settings are what an administrator has before adding anything."""
MODULOS = Path("/usr/lib/apache2/modules")
USUARIO = "www-data"
NUESTROS = ("rewrite", "headers", "ssl", "http2", "reqtimeout")
"""Modules that the steps of ``configura apache`` enable."""


class Apache(EnMarcha):
    """``with Apache(folder, text, ports): …``: ``text`` holds the virtual hosts; ``modulos`` go besides the defaults.

    As root its workers are www-data, as they are in a difusor; else they are whoever runs the tests.
    """

    def __init__(self, carpeta: Path, texto: str, puertos: Sequence[int], *, modulos: Sequence[str] = NUESTROS) -> None:
        carpeta.mkdir(parents=True, exist_ok=True)
        self.carpeta = carpeta
        self.ajustes = carpeta / "apache2.conf"
        self.ajustes.write_text(_config(carpeta, texto, puertos, modulos), encoding="utf-8")
        super().__init__(
            [programa("apache2"), "-DFOREGROUND", "-f", self.ajustes], puertos=puertos, salida=carpeta / "apache.log"
        )


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
