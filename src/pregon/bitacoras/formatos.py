"""The formats of access logs, as data: where in a line each field is.

Three kinds. ``patron``: a regular expression with named groups (Apache, nginx, S3, Fastly); ``comillas`` is the same
and also has the shape of «combined», which is cut at its quotes several times faster. ``columnas``: fields in columns
that the file itself names in ``#Fields:`` (IIS, CloudFront). ``json``: one object per line (Caddy, Cloudflare, Fastly).
The fields are those of ``CAMPOS``. Sources: the documentation of each server or service, named in
``docs/memoria/bitacoras.md``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from pregon.base.errors import AjustesError

Clase: TypeAlias = Literal["comillas", "patron", "columnas", "json"]

CAMPOS = (
    *("direccion", "reenviada", "hora", "pedido", "metodo", "ruta", "protocolo"),
    *("estado", "bytes", "referente", "agente", "duracion", "cache"),
)
"""What is read of a line. ``pedido`` is the whole request; where a format has none, it is made of method, address and
protocol. ``reenviada``: the addresses that a proxy says it forwards for."""

ENTRE_COMILLAS = r'[^"\\]*(?:\\.[^"\\]*)*'
_Q = ENTRE_COMILLAS
_PEDIDO = rf'\[(?P<hora>[^\]]+)\] "(?P<pedido>{_Q})" (?P<estado>[0-9]{{3}}) (?P<bytes>[0-9]+|-)'
_QUIENES = rf' "(?P<referente>{_Q})" "(?P<agente>{_Q})"'
_DIRECCION = "(?P<direccion>[^ ]+) [^ ]+ "
_ESTRICTO = f"{_DIRECCION}[^ ]+ {_PEDIDO}"
_LAXO = rf'{_DIRECCION}[^"\[]+ {_PEDIDO}'
"""The name of a user who signed in may have blanks."""
_SYSLOG = r"(?:<[0-9]{1,3}>)?[0-9]{4}-[0-9]{2}-[0-9]{2}T[^ ]+ [^ ]+ [^ ]+: "
_JSON_PATH = re.compile(r'\$(?:\.[A-Za-z0-9_-]{1,80}|\."[A-Za-z0-9_ ().-]{1,80}"|\[[0-9]{1,2}\]){1,6}')


@dataclass(frozen=True, slots=True)
class Formato:
    """How one kind of log is read.

    ``lugares``: of each field, its columns or JSON paths. Of columns, all that the file has are joined by a blank; of
    paths, the first that is there counts. ``indices``: the columns as numbers from 1, once the file has named them.
    ``milisegundos``: how many one unit of its ``duracion`` is.
    """

    nombre: str
    titulo: str
    clase: Clase
    patron: str = ""
    separador: str = " "
    lugares: tuple[tuple[str, tuple[str, ...]], ...] = ()
    indices: tuple[tuple[str, tuple[int, ...]], ...] = ()
    milisegundos: float = 1000.0

    def con_columnas(self, nombres: tuple[str, ...]) -> Formato:
        """This format for a file whose columns are ``nombres``, in their order."""
        found = tuple(
            (field, tuple(nombres.index(name) + 1 for name in names if name in nombres))
            for field, names in self.lugares
        )
        return replace(self, indices=found)

    @property
    def grupos(self) -> tuple[str, ...]:
        """The fields of the pattern, in the order of its groups."""
        return tuple(re.compile(self.patron).groupindex)


COMBINADO = Formato("combinado", "combinado de Apache y nginx", "comillas", f"^{_LAXO}{_QUIENES}(?: .*)?$")
COMUN = Formato("comun", "común de Apache", "patron", f"^{_LAXO}$")
VHOST = Formato(
    "vhost", "combinado de Apache con el nombre del sitio", "patron", f"^[^ ]+ {_ESTRICTO}{_QUIENES}(?: .*)?$"
)
FASTLY = Formato("fastly", "Fastly por syslog, combinado", "patron", f"^{_SYSLOG}{_ESTRICTO}{_QUIENES}(?: .*)?$")
FASTLY_COMUN = Formato("fastly-comun", "Fastly por syslog, común", "patron", f"^{_SYSLOG}{_ESTRICTO}$")
S3 = Formato(
    "s3",
    "registro de acceso de S3",
    "patron",
    r"^[^ ]+ [^ ]+ \[(?P<hora>[^\]]+)\] (?P<direccion>[^ ]+) [^ ]+ [^ ]+ [^ ]+ [^ ]+ "
    rf'(?:-|"(?P<pedido>{_Q})") (?P<estado>[0-9]{{3}}) [^ ]+ (?P<bytes>[0-9]+|-) [^ ]+ (?P<duracion>[0-9]+|-) [^ ]+ '
    rf'(?:-|"(?P<referente>{_Q})") (?:-|"(?P<agente>{_Q})")(?: .*)?$',
    milisegundos=1.0,
)
IIS = Formato(
    "w3c",
    "W3C extendido (IIS)",
    "columnas",
    lugares=(
        ("direccion", ("c-ip",)),
        ("reenviada", ("X-Forwarded-For",)),
        ("hora", ("date", "time")),
        ("metodo", ("cs-method",)),
        ("ruta", ("cs-uri-stem",)),
        ("protocolo", ("cs-version",)),
        ("estado", ("sc-status",)),
        ("bytes", ("sc-bytes",)),
        ("referente", ("cs(Referer)",)),
        ("agente", ("cs(User-Agent)",)),
        ("duracion", ("time-taken",)),
    ),
    milisegundos=1.0,
)
CLOUDFRONT = Formato(
    "cloudfront",
    "CloudFront",
    "columnas",
    separador="\t",
    lugares=(
        ("direccion", ("c-ip",)),
        ("reenviada", ("x-forwarded-for",)),
        ("hora", ("date", "time")),
        ("metodo", ("cs-method",)),
        ("ruta", ("cs-uri-stem",)),
        ("protocolo", ("cs-protocol-version",)),
        ("estado", ("sc-status",)),
        ("bytes", ("sc-bytes",)),
        ("referente", ("cs(Referer)",)),
        ("agente", ("cs(User-Agent)",)),
        ("duracion", ("time-taken",)),
        ("cache", ("x-edge-result-type",)),
    ),
)
CADDY = Formato(
    "caddy",
    "Caddy",
    "json",
    lugares=(
        ("direccion", ("$.request.client_ip", "$.request.remote_ip")),
        ("reenviada", ('$.request.headers."X-Forwarded-For"[0]',)),
        ("hora", ("$.ts",)),
        ("metodo", ("$.request.method",)),
        ("ruta", ("$.request.uri",)),
        ("protocolo", ("$.request.proto",)),
        ("estado", ("$.status",)),
        ("bytes", ("$.size",)),
        ("referente", ("$.referer", "$.request.headers.Referer[0]")),
        ("agente", ("$.user_agent", '$.request.headers."User-Agent"[0]')),
        ("duracion", ("$.duration",)),
        ("cache", ('$.resp_headers."X-Cache"[0]', '$.resp_headers."Cache-Status"[0]')),
    ),
)
CLOUDFLARE = Formato(
    "cloudflare",
    "Cloudflare (Logpush)",
    "json",
    lugares=(
        ("direccion", ("$.ClientIP",)),
        ("hora", ("$.EdgeStartTimestamp",)),
        ("metodo", ("$.ClientRequestMethod",)),
        ("ruta", ("$.ClientRequestURI", "$.ClientRequestPath")),
        ("protocolo", ("$.ClientRequestProtocol",)),
        ("estado", ("$.EdgeResponseStatus",)),
        ("bytes", ("$.EdgeResponseBytes",)),
        ("referente", ("$.ClientRequestReferer",)),
        ("agente", ("$.ClientRequestUserAgent",)),
        ("duracion", ("$.EdgeTimeToFirstByteMs",)),
        ("cache", ("$.CacheCacheStatus",)),
    ),
    milisegundos=1.0,
)
FASTLY_JSON = Formato(
    "fastly-json",
    "Fastly (JSON)",
    "json",
    lugares=(
        ("direccion", ("$.client_ip",)),
        ("hora", ("$.timestamp",)),
        ("metodo", ("$.request_method",)),
        ("ruta", ("$.url",)),
        ("protocolo", ("$.request_protocol",)),
        ("estado", ("$.response_status",)),
        ("bytes", ("$.response_body_size",)),
        ("referente", ("$.request_referer",)),
        ("agente", ("$.request_user_agent",)),
        ("duracion", ("$.time_elapsed",)),
        ("cache", ("$.response_state", "$.cache_status")),
    ),
    milisegundos=0.001,
)
NGINX_JSON = Formato(
    "nginx-json",
    "nginx (JSON con los nombres de sus variables)",
    "json",
    lugares=(
        ("direccion", ("$.remote_addr",)),
        ("reenviada", ("$.http_x_forwarded_for",)),
        ("hora", ("$.time_iso8601", "$.msec", "$.time_local")),
        ("pedido", ("$.request",)),
        ("metodo", ("$.request_method",)),
        ("ruta", ("$.request_uri", "$.uri")),
        ("protocolo", ("$.server_protocol",)),
        ("estado", ("$.status",)),
        ("bytes", ("$.body_bytes_sent", "$.bytes_sent")),
        ("referente", ("$.http_referer",)),
        ("agente", ("$.http_user_agent",)),
        ("duracion", ("$.request_time",)),
        ("cache", ("$.upstream_cache_status",)),
    ),
)
CONOCIDOS = (
    *(FASTLY, FASTLY_COMUN, VHOST, S3, COMBINADO, COMUN),
    *(CLOUDFRONT, IIS, CADDY, CLOUDFLARE, FASTLY_JSON, NGINX_JSON),
)
"""In the order in which a sample is tried: those that ask for more first."""
POR_NOMBRE = {formato.nombre: formato for formato in CONOCIDOS}


def json_format(campos: dict[str, str]) -> Formato:
    """A format of one JSON object per line whose fields are at ``campos``, as ``$.request.uri``.

    Raises:
        AjustesError: a field or a path is none, or what no hit can lack is not there.
    """
    problems = [f"«{name}» no es un campo ({', '.join(CAMPOS)})" for name in campos if name not in CAMPOS]
    problems += [
        f"{name}: «{path}» no es una ruta como $.request.uri" for name, path in campos.items() if not json_path(path)
    ]
    problems += [f"falta «{name}»" for name in ("direccion", "hora", "estado") if name not in campos]
    if "pedido" not in campos and "ruta" not in campos:
        problems.append("falta «pedido» o «ruta»")
    if problems:
        raise AjustesError(
            f"Los campos del formato no se entienden: {'; '.join(problems)}.",
            intacto="No se leyó ninguna bitácora.",
            que_hacer="Corrija «campos» en [[bitacora]].",
        )
    return Formato("json", "JSON", "json", lugares=tuple((name, (path,)) for name, path in campos.items()))


def json_path(path: str) -> bool:
    """Whether ``path`` is a plain path into an object: it enters the text of a query."""
    return _JSON_PATH.fullmatch(path) is not None
