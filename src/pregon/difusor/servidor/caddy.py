"""The Caddyfile of the embedded web server, as a pure function of the sites that it serves.

What it promises (each line has its test):

* The pointer is read once per request; a pointer that names nothing gives 503, never another folder's files.
* Strong ETags; no Last-Modified, and no answer ever decided by a date (docs/adr/0003).
* ``espera`` and ``aviso``: the page at ``/``, 404 elsewhere, ``no-store``.
* Every answer may be read by the pages of other sites (CORS), also a refusal: all is public, nothing has cookies, and
  the institute's verifier (docs/verificacion.md) reads every file, or learns that one is missing.
* No listing, nothing half-written, our own page for what is not here.
* Only GET and HEAD reach the files: ``file_server`` refuses other methods after it has set the twin's length and
  encoding, and the error page then went out short (measured with 2.11.7).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.base.errors import AjustesError
from pregon.difusor.pages import NO_DISPONIBLE, NO_ENCONTRADA
from pregon.difusor.servidor.sitio import INMUTABLE, NUNCA, RUTA_INMUTABLE, security_headers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.difusor.servidor.sitio import Site

LOG_ROLL = "100MiB"
LOG_KEEP = 50
"""Access logs are evidence for the memoria: up to 5 GiB are kept of each site, compressed when rolled."""

HEADER_BYTES = "16KB"
"""Most that a request's headers may take."""

ADMIN_SOCKET = "admin.sock"
"""Relative to the server's folder: a path of any depth fits in a socket address."""


def render(sites: Sequence[Site]) -> str:
    """The whole Caddyfile.

    Raises:
        AjustesError: a path that a Caddyfile cannot hold, or two sites on one address and path.
    """
    _check(sites)
    addresses = dict.fromkeys(site.escucha for site in sites)
    blocks = (_address(address, [site for site in sites if site.escucha == address]) for address in addresses)
    return "\n".join((_GLOBAL, *blocks))


def _check(sites: Sequence[Site]) -> None:
    seen: set[tuple[str, str]] = set()
    for site in sites:
        path = str(site.carpeta)
        if any(char in path for char in '{}"`\\\n\r\t'):
            raise AjustesError(
                f"La carpeta {path} tiene un carácter que el servidor web no admite (llaves, comillas…).",
                intacto="No se inició el servidor.",
                que_hacer="Mueva el espacio de trabajo a una carpeta con un nombre simple.",
            )
        if (site.escucha, site.base) in seen:
            raise AjustesError(
                f"Dos convocatorias quieren la misma dirección: {site.escucha}{site.base}",
                intacto="No se inició el servidor.",
                que_hacer="Dé a cada una otra «base» u otro «puerto» en la sección [servidor] de su difusor.toml.",
            )
        seen.add((site.escucha, site.base))


_GLOBAL = f"""{{
	admin unix/{ADMIN_SOCKET}|0600
	auto_https off
	persist_config off
	grace_period 3s
	storage file_system caddy
	log default {{
		output file servidor.log {{
			roll_size 10MiB
			roll_keep 3
		}}
	}}
	servers {{
		protocols h1
		max_header_size {HEADER_BYTES}
		timeouts {{
			read_header 10s
			read_body 10s
			write 30m
			idle 1m
		}}
	}}
}}
"""


def _address(address: str, sites: Sequence[Site]) -> str:
    host = address.rpartition(":")[0]
    logs = "".join(_log(site) for site in sites)
    handlers = "".join(_site(site) for site in sites)
    return f"""http://:{address.rpartition(":")[2]} {{
	bind {host.strip("[]")}
{logs}{handlers}	handle {{
		error 404
	}}
{_errors(sites[0], "4xx", NO_ENCONTRADA)}{_errors(sites[0], "5xx", NO_DISPONIBLE)}}}
"""


def _errors(site: Site, codes: str, page: str) -> str:
    return f"""	handle_errors {codes} {{
{_security(site, indent=2)}		header -Content-Length
		header -Content-Encoding
		header -Etag
		header Content-Type "text/html; charset=utf-8"
		header Cache-Control no-store
		respond "{{file.{site.carpeta}/servidor/{page}}}" {{err.status_code}}
	}}
"""


def _log(site: Site) -> str:
    return f"""	log {site.nombre} {{
		no_hostname
		output file "{site.carpeta}/servidor/acceso.log" {{
			roll_size {LOG_ROLL}
			roll_keep {LOG_KEEP}
		}}
		format json
	}}
"""


def _site(site: Site) -> str:
    open_block = "handle {" if site.base == "/" else f"handle_path {site.base}* {{"
    redirect = "" if site.base == "/" else f"	redir {site.base.rstrip('/')} {site.base} 308\n"
    immutable = (
        f"""				@inmutable path_regexp ^/{RUTA_INMUTABLE}$
				header @inmutable Cache-Control "{INMUTABLE}"
"""
        if site.inmutable
        else ""
    )
    return f"""{redirect}	{open_block}
		log_name {site.nombre}
		vars corte "{{file.{site.carpeta}/puntero}}"
		request_header -If-Modified-Since
		request_header -If-Unmodified-Since
		@fecha {{
			header If-Range *
			not header_regexp If-Range ^\\"
		}}
		request_header @fecha -Range
{_security(site, indent=2)}		header ?Cache-Control no-cache
		@metodo not method GET HEAD
		header @metodo Allow "GET, HEAD"
		@roto not vars_regexp {{vars.corte}} ^([0-9]{{4}}|espera|aviso)$
		@pagina vars {{vars.corte}} espera aviso
		route {{
			error @metodo 405
			error @roto 503
			root * "{site.carpeta}/cortes/{{vars.corte}}"
			handle @pagina {{
				header Cache-Control no-store
				@portada path /
				handle @portada {{
					file_server
				}}
				handle {{
					error 404
				}}
			}}
			handle {{
{immutable}				file_server {{
					precompressed br gzip
					hide *.parcial
				}}
			}}
		}}
	}}
"""


def _security(site: Site, *, indent: int) -> str:
    lines = [
        "header {",
        *(f'	{name} "{value}"' for name, value in security_headers(site)),
        *(f"	-{name}" for name in NUNCA),
        "	defer",
        "}",
    ]
    return "".join("\t" * indent + line + "\n" for line in lines)
