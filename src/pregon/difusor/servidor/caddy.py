"""The Caddyfile of the embedded web server, as a pure function of the sites that it serves.

What it promises (each line has its test):

* The pointer is read once per request; a pointer that names nothing gives 503, never another folder's files.
* Strong ETags; no Last-Modified, and no answer ever decided by a date (docs/adr/0003).
* ``espera`` and ``aviso``: the page at ``/``, 404 elsewhere, ``no-store``; ``avisos.json`` in every case,
  ``firmas.json`` only while results are.
* Every answer may be read by the pages of other sites (CORS), also a refusal: all is public, nothing has cookies, and
  the institute's verifier (docs/verificacion.md) reads every file, or learns that one is missing.
* No listing, nothing half-written, our own page for what is not here.
* Only GET and HEAD reach the files: ``file_server`` refuses other methods after it has set the twin's length and
  encoding, and the error page then went out short (measured with 2.11.7).
* Over TLS: HTTP/1.1, 2 and 3; nothing below the call's minimum (INE-II-a-iii-1); plain HTTP only redirects.
* A simulacro that is not for everyone asks before anything else, also for what is not here.
* Whoever stalls, or takes what it asked for too slowly, is cut off.

What every request pays for is kept small, because Caddy is the slowest of the three servers: one level of handlers, few
directives, and only what is taken away waits for the answer; every other header is set before. The access log has what
a combined line has and no more (``bitacora.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.base.durable import PARCIAL
from pregon.difusor.pages import NO_DISPONIBLE, NO_ENCONTRADA, RESTRINGIDA
from pregon.difusor.pointer import AVISO, ESPERA
from pregon.difusor.servidor.reparto import Bloque, Redireccion, arrange
from pregon.difusor.servidor.sitio import INMUTABLE, NUNCA, RUTA_INMUTABLE, SUYOS, security_headers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.difusor.servidor.sitio import Site, Tls

LOG_ROLL = "100MiB"
LOG_KEEP = 50
"""Access logs are evidence for the memoria: up to 5 GiB are kept of each site, compressed when rolled."""
ACCESO_LOG = "acceso.log"
AJENOS = "ajenos"
AJENOS_KEEP = 2
"""Requests for names that are nobody's: of no convocatoria, and as many as a stranger wishes."""
SERVIDOR_LOG = "servidor.log"

HEADER_BYTES = "16KB"
"""Most that a request's headers may take."""
HEADER_LIMIT = "10s"
STALL_S = 120
CHUNK = "64KB"
"""Seconds in which a reader must have taken the next piece of what it asked for: half a kilobyte per second.

The kernel holds some megabytes for who was fast before, and says nothing until a third of them is taken: such a reader
has to take 11 kB/s then. Not Caddy's minimum rate: it counts what the kernel holds as taken, and forgave one that had
stalled an hour for each 4 MB (measured with 2.11.7).
"""
WRITE_LIMIT = "30m"
"""The whole of one answer: 50 MB at 28 kB/s. Who is slower goes on by Range."""

ADMIN_SOCKET = "admin.sock"
"""Relative to the server's folder: a path of any depth fits in a socket address."""

ENTORNO = {"GOGC": "1600", "GOMEMLIMIT": "384MiB"}
"""Memory for speed. Caddy sets aside a megabyte to read a file into a placeholder, the pointer at each request, so with
Go's own measure it would collect its few megabytes of live heap every dozen requests; so it does every hundred or more,
with some hundred megabytes: 152 us of processor per request and not 176 (docs/rendimiento.md). With thousands of slow
clients the heap grows to the limit; the limit leaves a quarter of the 512 MiB promised (docs/confiabilidad.md) to what
Go does not count: the program itself, and what comes before a collection has ended."""


def render(sites: Sequence[Site]) -> str:
    """The whole Caddyfile.

    Raises:
        AjustesError: a path that a Caddyfile cannot hold, or sites that do not fit on one server.
    """
    return f"{_global(sites)}\n{servers(sites)}"


def servers(sites: Sequence[Site]) -> str:
    """The Caddyfile without its global options: what an administrator's own Caddy imports.

    Raises:
        AjustesError: as ``render``.
    """
    blocks, redirections = arrange(sites)
    logged: set[str] = set()
    texts = []
    for number, block in enumerate(blocks):
        texts.append(_block(block, [site for site in block.sites if site.nombre not in logged], number))
        logged.update(site.nombre for site in block.sites)
    return "\n".join((*texts, *map(_redirection, redirections)))


def _global(sites: Sequence[Site]) -> str:
    asked = [site for site in sites if site.tls is not None and site.tls.certificado is None]
    automatic = "auto_https off"
    if asked and asked[0].tls is not None:
        ports = (asked[0].tls.puerto_http, asked[0].puerto)
        automatic = "auto_https disable_redirects" + "".join(
            f"\n\t{name} {port}" for name, port in zip(("http_port", "https_port"), ports, strict=True) if port
        )
    return f"""{{
	admin unix/{ADMIN_SOCKET}|0600
	{automatic}
	persist_config off
	grace_period 3s
	storage file_system caddy
	log default {{
		output file {SERVIDOR_LOG} {{
			roll_size 10MiB
			roll_keep 3
		}}
	}}
{limits()}}}
"""


def limits() -> str:
    """The global options that cut off who stalls, and name the protocols."""
    return f"""	servers {{
		protocols h1 h2 h3
		max_header_size {HEADER_BYTES}
		timeouts {{
			read_header {HEADER_LIMIT}
			read_body 10s
			write {WRITE_LIMIT}
			write_idle {STALL_S}s
			write_max_chunk {CHUNK}
			idle 1m
		}}
	}}
"""


def _block(block: Bloque, unlogged: Sequence[Site], number: int) -> str:
    logs = "".join(_log(site.nombre, f"{site.carpeta}/servidor/{ACCESO_LOG}", LOG_KEEP) for site in unlogged)
    # Caddy logs no name at all of a port where some block has no log of its own.
    logs = logs or _log(f"{AJENOS}-{number}", f"{AJENOS}-{number}.log", AJENOS_KEEP)
    stranger = "" if block.own or block.sites else f"\t\tlog_name {AJENOS}-{number}\n"
    handlers = "".join(_site(site) for site in block.sites)
    rest = f"\thandle {{\n{stranger}\t\terror 404\n\t}}\n"
    if any(site.base == "/" for site in block.sites):
        rest = ""  # Nothing falls through.
    tls = "" if block.tls is None else _tls(block.tls, own=block.own)
    errors = _errors(block, "4xx", NO_ENCONTRADA) + _errors(block, "5xx", NO_DISPONIBLE)
    return f"""{", ".join(block.addresses)} {{
	bind {block.direccion}
{tls}{logs}{handlers}{rest}{errors}}}
"""


def _tls(tls: Tls, *, own: bool) -> str:
    """The ``tls`` directive; ``own`` False: only the minimum, for names that no certificate is asked for."""
    if tls.certificado is not None:
        head, lines = f'tls "{tls.certificado}" "{tls.clave}" {{', []
    elif own:
        issuer = [
            *((f"dir {tls.acme}",) if tls.acme else ()),
            *((f"email {tls.correo}",) if tls.correo else ()),
            *((f'trusted_roots "{tls.acme_ca}"',) if tls.acme_ca else ()),
            *(("disable_http_challenge",) if not tls.puerto_http else ()),
        ]
        head, lines = "tls {", ["issuer acme {", *(f"\t{line}" for line in issuer), "}"]
    else:
        head, lines = "tls {", []
    return "".join(f"\t{line}\n" for line in (head, f"\tprotocols tls{tls.minimo}", *(f"\t{x}" for x in lines), "}"))


def _errors(block: Bloque, codes: str, page: str) -> str:
    """Under the ``base`` of each site, its own page: one convocatoria never answers with the name of another."""
    rest = block.rest
    handlers = _error(rest, codes, page)
    if block.below:
        apart = ((f"{site.base}* ", site) for site in block.below)
        handlers = "".join(
            f"\t\thandle {matcher}{{\n{_error(site, codes, page)}\t\t}}\n" for matcher, site in (*apart, ("", rest))
        )
    return f"\thandle_errors {codes} {{\n{handlers}\t}}\n"


def _error(site: Site, codes: str, page: str) -> str:
    refused = ""
    if codes == "4xx":
        refused = f"""		@metodo vars {{err.status_code}} 405
		header @metodo Allow "GET, HEAD"
		@cerrado vars {{err.status_code}} 401 403
		respond @cerrado "{_page(site, RESTRINGIDA)}" {{err.status_code}}
"""
    return f"""{_security(site, indent=2)}		header -Content-Length
		header -Content-Encoding
		header -Etag
		header Content-Type "text/html; charset=utf-8"
		header Cache-Control no-store
{refused}		respond "{_page(site, page)}" {{err.status_code}}
"""


def _page(site: Site, name: str) -> str:
    return f"{{file.{site.carpeta}/servidor/{name}}}"


def _log(name: str, path: str, keep: int) -> str:
    return f"""	log {name} {{
		no_hostname
		output file "{path}" {{
			roll_size {LOG_ROLL}
			roll_keep {keep}
		}}
		format filter {{
			wrap json
			request>headers delete
			request>tls delete
			resp_headers delete
		}}
	}}
"""


def _site(site: Site) -> str:
    # Each level of handlers and each directive costs every request: one list, in this order, and no ``handle`` around
    # it where the site is all that answers at its name.
    if site.base == "/":
        head, tail = "\troute {\n", "\t}\n"
    else:
        head = f"\tredir {site.base.rstrip('/')} {site.base} 308\n\thandle_path {site.base}* {{\n\troute {{\n"
        tail = "\t}\n\t}\n"
    immutable = (
        f"""		@inmutable path_regexp ^/{RUTA_INMUTABLE}$
		header @inmutable Cache-Control "{INMUTABLE}"
"""
        if site.inmutable
        else ""
    )
    return f"""{head}		log_name {site.nombre}
		log_append referer {{header.Referer}}
		log_append user_agent {{header.User-Agent}}
{_security(site, "Cache-Control no-cache", indent=2)}{_access(site)}		@metodo not method GET HEAD
		error @metodo 405
		request_header -If-Modified-Since
		request_header -If-Unmodified-Since
		@fecha {{
			header If-Range *
			not header_regexp If-Range ^\\"
		}}
		request_header @fecha -Range
{_notices(site)}		@parcial path *{PARCIAL}
		error @parcial 404
		vars corte "{{file.{site.carpeta}/puntero}}"
		root * "{site.carpeta}/cortes/{{vars.corte}}"
		@pagina vars {{vars.corte}} {ESPERA} {AVISO}
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
		@roto not vars_regexp {{vars.corte}} ^[0-9]{{4}}$
		error @roto 503
{_view(site)}{immutable}		file_server {{
			precompressed br zstd gzip
		}}
{tail}"""


def _access(site: Site) -> str:
    """Who may go on: whoever comes from one of the networks, or has the password of one of the users."""
    if site.acceso is None:
        return ""
    outside, lines = "", []
    if site.acceso.redes:
        outside = "@fuera "
        lines.append(f"@fuera not remote_ip {' '.join(site.acceso.redes)}")
    if site.acceso.usuarios:
        users = (f"\t{name} {secret}" for name, secret in sorted(site.acceso.usuarios.items()))
        lines += [f"basic_auth {outside}bcrypt Simulacro {{", *users, "}"]
    else:
        lines.append("error @fuera 403")
    return "".join(f"\t\t{line}\n" for line in lines)


def _notices(site: Site) -> str:
    if not site.firmado:
        return ""
    return f"""		@suyos path {" ".join(f"/{name}" for name in SUYOS)}
		handle @suyos {{
			root * "{site.carpeta}/servidor"
			file_server
		}}
"""


def _view(site: Site) -> str:
    """The difusor's own view: the folder that its pointer names, read once per request too."""
    if not site.personalizada:
        return ""
    folder = f"{site.carpeta}/personalizada"
    return f"""		redir /personalizada {site.base}personalizada/ 308
		handle_path /personalizada/* {{
			vars vista "{{file.{folder}/puntero}}"
			@ninguna not vars_regexp {{vars.vista}} ^[0-9a-f]{{64}}$
			error @ninguna 404
			root * "{folder}/{{vars.vista}}"
			file_server
		}}
"""


def _redirection(what: Redireccion) -> str:
    headers = "".join(
        "\t\t" + line + "\n"
        for line in (
            *(f'{name} "{value}"' for name, value in security_headers(what.voz) if name not in _ONLY_TLS),
            *(f"-{name}" for name in NUNCA),
        )
    )
    return f"""{", ".join(what.addresses)} {{
	bind {what.direccion}
	header {{
{headers}		Cache-Control no-store
	}}
	redir {what.destino}{{uri}} 308
}}
"""


_ONLY_TLS = frozenset({"Strict-Transport-Security"})


def _security(site: Site, *more: str, indent: int) -> str:
    """The headers of every answer, and ``more``, set at once; then those that none has, which ``file_server`` sets.

    Two directives: whatever shares one with a deletion waits for the answer, and would undo what is set after it.
    """
    lines = [
        "header {",
        *(f'	{name} "{value}"' for name, value in security_headers(site)),
        *(f"	{line}" for line in more),
        "}",
        "header {",
        *(f"	-{name}" for name in NUNCA),
        "}",
    ]
    return "".join("\t" * indent + line + "\n" for line in lines)
