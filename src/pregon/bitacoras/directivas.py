"""The custom formats of Apache (``LogFormat``) and nginx (``log_format``), as patterns.

Sources: Apache httpd 2.4, mod_log_config, «Custom Log Formats»; nginx, ngx_http_log_module and the variables of
ngx_http_core_module and ngx_http_upstream_module.
"""

from __future__ import annotations

import re

from pregon.base.errors import AjustesError
from pregon.bitacoras.formatos import ENTRE_COMILLAS, Formato

_APACHE = re.compile(r"%(?:[!0-9,]*)(?P<mod>[<>]?)(?:\{(?P<arg>[^}]*)\})?(?P<mod2>[<>]?)(?P<letra>\^?[A-Za-z]{1,2}|%)")
_NGINX = re.compile(r"\$(?:\{(?P<a>[a-z0-9_]+)\}|(?P<b>[a-z0-9_]+))")
_DE_LETRA = {
    "h": "direccion",
    "a": "direccion",
    "t": "hora",
    "r": "pedido",
    "m": "metodo",
    "U": "ruta",
    "H": "protocolo",
    "s": "estado",
    "b": "bytes",
    "B": "bytes",
    "D": "duracion",
    "T": "duracion",
}
_DE_CABECERA = {"referer": "referente", "user-agent": "agente", "x-forwarded-for": "reenviada"}
_DE_RESPUESTA = {"x-cache": "cache", "cache-status": "cache"}
_DE_VARIABLE = {
    "remote_addr": "direccion",
    "realip_remote_addr": "",
    "http_x_forwarded_for": "reenviada",
    "proxy_add_x_forwarded_for": "reenviada",
    "time_local": "hora",
    "time_iso8601": "hora",
    "msec": "hora",
    "request": "pedido",
    "request_method": "metodo",
    "request_uri": "ruta",
    "uri": "ruta",
    "server_protocol": "protocolo",
    "status": "estado",
    "body_bytes_sent": "bytes",
    "bytes_sent": "bytes",
    "http_referer": "referente",
    "http_user_agent": "agente",
    "request_time": "duracion",
    "upstream_cache_status": "cache",
}
_MICRO, _MILI, _SEGUNDO = 0.001, 1.0, 1000.0


def apache(texto: str) -> Formato:
    """The format that ``LogFormat "texto"`` writes.

    Raises:
        AjustesError: it lacks what no hit can lack, or cannot be told apart.
    """
    text = texto.replace('\\"', '"').replace("\\t", "\t")
    milisegundos = _SEGUNDO
    pieces: list[tuple[str, str]] = []  # (literal before, field or "")
    end, closing = 0, ""
    for found in _APACHE.finditer(text):
        letter, arg = found["letra"], found["arg"] or ""
        before = closing + text[end : found.start()]
        end, closing = found.end(), ""
        if letter == "%":
            pieces.append((before + "%", "%"))
            continue
        field = _apache_field(letter, arg)
        if field == "duracion":
            milisegundos = _unit(letter, arg)
        if letter == "t" and not arg:
            pieces.append((before + "[", "hora"))
            closing = "]"
        else:
            pieces.append((before, field))
    return _compiled("apache", "Apache, a la medida", _joined(pieces), closing + text[end:], texto, milisegundos)


def nginx(texto: str) -> Formato:
    """The format that ``log_format nombre 'texto'`` writes; pieces in quotes of their own may be given as they are.

    Raises:
        AjustesError: as ``apache``.
    """
    text = re.sub(r"'\s*\n\s*'", "", texto.strip()).strip("'").replace("\\t", "\t")
    pieces: list[tuple[str, str]] = []
    end = 0
    for found in _NGINX.finditer(text):
        pieces.append((text[end : found.start()], _DE_VARIABLE.get(found["a"] or found["b"], "")))
        end = found.end()
    return _compiled("nginx", "nginx, a la medida", pieces, text[end:], texto, _SEGUNDO)


def _apache_field(letter: str, arg: str) -> str:
    if letter == "i":
        return _DE_CABECERA.get(arg.lower(), "")
    if letter == "o":
        return _DE_RESPUESTA.get(arg.lower(), "")
    if letter == "O":
        return "bytes_red"
    return _DE_LETRA.get(letter, "")


def _unit(letter: str, arg: str) -> float:
    if letter == "D" or arg == "us":
        return _MICRO
    return _MILI if arg == "ms" else _SEGUNDO


def _joined(pieces: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """A literal «%» joins what is around it."""
    joined: list[tuple[str, str]] = []
    carried = ""
    for before, field in pieces:
        if field == "%":
            carried += before
        else:
            joined.append((carried + before, field))
            carried = ""
    return joined if not carried else [*joined, (carried, "")]


def _compiled(
    nombre: str, titulo: str, pieces: list[tuple[str, str]], tail: str, texto: str, milisegundos: float
) -> Formato:
    fields = [field for _, field in pieces]
    # What crosses the wire counts only where the size of the body is not said.
    body = "bytes" in fields
    pattern, seen = "^", set[str]()
    for place, (before, field) in enumerate(pieces):
        after = pieces[place + 1][0] if place + 1 < len(pieces) else tail
        if place and not before:
            raise _unclear(texto, "dos campos seguidos, sin nada que los separe")
        named = "bytes" if field == "bytes_red" and not body else field
        value = _value(before, after, last=place == len(pieces) - 1 and not tail)
        pattern += re.escape(before)
        pattern += f"(?P<{named}>{value})" if named and named != "bytes_red" and named not in seen else f"(?:{value})"
        seen.add(named)
    missing = [name for name in ("direccion", "hora", "estado") if name not in seen]
    if "pedido" not in seen and "ruta" not in seen:
        missing.append("pedido")
    if missing:
        raise _unclear(texto, f"no dice: {', '.join(missing)}")
    return Formato(nombre, titulo, "patron", f"{pattern}{re.escape(tail)}$", milisegundos=milisegundos)


def _value(before: str, after: str, *, last: bool) -> str:
    if before.endswith('"') and after.startswith('"'):
        return ENTRE_COMILLAS
    if last:
        return ".*"
    stop = after[:1]
    if after.startswith(" ["):  # The name of a user, which may have blanks.
        return ".*?"
    return f"[^{re.escape(stop)}]*" if stop else ".*"


def _unclear(texto: str, why: str) -> AjustesError:
    return AjustesError(
        f"El formato de bitácora «{texto[:200]}» no se entiende: {why}.",
        intacto="No se leyó ninguna bitácora.",
        que_hacer="Cópielo como está en la configuración del servidor, o diga uno de los conocidos.",
    )
