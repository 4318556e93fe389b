"""The texts of the caches that stand before a portal, Varnish and nginx: a template each, filled for one origin."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pregon.base.errors import AjustesError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from urllib.parse import SplitResult

VARNISH = "varnish.vcl"
NGINX = "nginx-cache.conf"
LOCAL = ("127.0.0.0/8", "::1")
"""Who may purge where nothing else is said: this machine."""
RESPALDO = "7d"
"""How long Varnish keeps what was purged or expired, for when the origin fails: longer than any call's night."""
LENTA_S = 0.5
"""What the origin took longer than this to begin answering, Varnish keeps for some seconds only: it may be of the cut
before, and arrive after the purge. ``AjustesPurga.repaso_s`` is longer, for what came sooner."""
INTERVALO_S = 900
"""How long nginx keeps what nobody purged: it does not read ``s-maxage`` beside ``no-cache``."""
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/:%[]")
_AUSENTE = """
    location @ausente {
        default_type "text/html; charset=utf-8";
        return 404 '<!doctype html><html lang="es-MX"><meta charset="utf-8"><title>No está</title>
<p>Esta página no existe, o todavía no se publica.</p></html>
';
    }
"""


@dataclass(frozen=True)
class Origen:
    """Where the cache asks: ``url`` is ``http://host[:port][/path]``, plain (they speak no TLS to their origin).

    ``almacen``: it is an object store, which has objects and no folders: «/gub/» is asked as «/gub/index.html», and
    its «forbidden» means that there is no such object. The path of ``url`` goes before what readers ask for.
    """

    url: str
    almacen: bool = False


def vcl(
    origen: Origen,
    *,
    secreto: Path,
    quienes: Sequence[str] = LOCAL,
    encabezados: Sequence[tuple[str, str]] = (),
    respaldo: str = RESPALDO,
    lenta_s: float = LENTA_S,
) -> str:
    """The whole VCL.

    ``secreto``: absolute path of the file with the word that whoever purges must say. ``quienes``: addresses and
    networks from where it is taken. ``encabezados``: set on every answer (an object store keeps few of them).

    Raises:
        AjustesError: some value cannot be written there.
    """
    prefix, values = _common(origen, secreto)
    towards = ["    set bereq.http.X-Pregon-Ruta = bereq.url;"]
    if origen.almacen:
        towards.append('    set bereq.url = regsub(bereq.url, "/$", "/index.html");')
    if prefix:
        towards.append(f'    set bereq.url = "{prefix}" + bereq.url;')
    absent = (
        ["    if (beresp.status == 403 || beresp.status == 404) {", '        return (error(404, "No esta"));', "    }"]
        if origen.almacen
        else []
    )
    nets = [ipaddress.ip_network(_net(one)) for one in quienes]
    values |= {
        "QUIENES": "\n".join(f'    "{net.network_address}"/{net.prefixlen};' for net in nets),
        "RESPALDO": respaldo,
        "LENTA": f"{lenta_s:.3f}",
        "AL_ORIGEN": "\n".join(towards),
        "AUSENTES": "\n".join(absent),
        "ENCABEZADOS": "\n".join(f'    set resp.http.{name} = {{"{_text(value)}"}};' for name, value in encabezados),
    }
    return _filled(VARNISH, values)


def nginx_cache(
    origen: Origen,
    *,
    secreto: Path,
    carpeta: Path,
    escucha: str,
    quienes: Sequence[str] = LOCAL,
    encabezados: Sequence[tuple[str, str]] = (),
    intervalo_s: int = INTERVALO_S,
    tamano: str = "4g",
) -> str:
    """The text for nginx's ``http`` context.

    ``secreto``: absolute path of the file with the line ``"word" 1;``. ``carpeta``: where it keeps its copies.
    ``escucha``: ``address:port``; TLS is left to who administers it. ``intervalo_s``: how long it keeps what nobody
    purges of an ``almacen``; of a web server, which nobody purges, a second. The rest as in ``vcl``.

    Raises:
        AjustesError: some value cannot be written there.
    """
    prefix, values = _common(origen, secreto)
    _plain(str(carpeta), escucha)
    towards = []
    if origen.almacen:
        towards.append(f"rewrite ^(.*)/$ {prefix}$1/index.html? break;")
    towards.append(f"rewrite ^(.*)$ {prefix}$1? break;")
    absent = ["proxy_intercept_errors on;", "error_page 403 404 410 =404 @ausente;"] if origen.almacen else []
    values |= {
        "CARPETA": str(carpeta),
        "TAMANO": tamano,
        "ESCUCHA": escucha,
        "QUIENES": "\n".join(f"    {_net(one)} 1;" for one in quienes),
        "INTERVALO": str(intervalo_s if origen.almacen else 1),
        "AL_ORIGEN": "\n".join(f"        {line}" for line in towards),
        "AUSENTES": "\n".join(f"        {line}" for line in absent),
        "AUSENTE": _AUSENTE.rstrip("\n") if origen.almacen else "",
        "ENCABEZADOS": "\n".join(
            f'    add_header {name} "{_text(value, never=chr(34) + "$")}" always;' for name, value in encabezados
        ),
    }
    return _filled(NGINX, values)


def _common(origen: Origen, secreto: Path) -> tuple[str, dict[str, str]]:
    parts = _parts(origen.url)
    _plain(origen.url, str(secreto))
    host = parts.hostname or ""
    values = {
        "ANFITRION": host,
        "PUERTO": str(parts.port or 80),
        "NOMBRE": parts.netloc,
        "SECRETO": str(secreto),
    }
    return parts.path.rstrip("/"), values


def _parts(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise _wrong(f"el origen {url!r} debe ser http://equipo[:puerto][/carpeta]")
    return parts


def _filled(template: str, values: Mapping[str, str]) -> str:
    text = (resources.files("pregon.difusor.configura") / "plantillas" / template).read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@\n", f"{value}\n" if value else "").replace(f"@{name}@", value)
    return text


def _net(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError as exc:
        raise _wrong(f"{text!r} no es una dirección ni una red") from exc


def _text(value: str, *, never: str = "") -> str:
    if not value.isascii() or not value.isprintable() or '"}' in value or set(value) & set(never):
        raise _wrong(f"el encabezado {value!r} lleva caracteres que no se pueden escribir ahí")
    return value


def _plain(*values: str) -> None:
    for value in values:
        if not set(value) <= _PLAIN:
            raise _wrong(f"{value!r} lleva caracteres que no se pueden escribir ahí")


def _wrong(reason: str) -> AjustesError:
    return AjustesError(
        f"No se pudo escribir la configuración de la caché: {reason}.",
        intacto="No se escribió nada.",
        que_hacer="Corrija el valor y repita la orden.",
    )
