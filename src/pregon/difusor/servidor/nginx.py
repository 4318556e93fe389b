"""The text of a site of nginx that answers as the embedded Caddy does (``caddy.py`` says what that is). Pure.

What differs, and why (each measured; docs/adr/0002):

* nginx cannot read ``puntero``: it follows the link ``publico``. It opens each file once and answers from what it
  opened, so a body and its ETag are of one release, whichever the link names by then.
* Asking the system where the link leads costs as much as the rest of a request. It is asked only where the answer
  depends on it: at the cover (which of ``espera`` and ``aviso`` must not be kept) and where a file is not found (which
  of 404 and 503). Elsewhere ``espera`` and ``aviso`` give 404 because they hold nothing but their page.
* Its ETag is made of whole seconds: those of our files tell contents apart (``objects.stamp_ns``), and are older than
  any date that a client sends, so ``If-Unmodified-Since`` never refuses. ``If-Modified-Since`` is switched off.
* It says ``Server: nginx``, without its version: only a module of others takes that away.
* Twins: gzip always; br where its module is (``BROTLI``, an included file); of zstd it knows nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.base.errors import AjustesError
from pregon.difusor.servidor.nginx_sitio import errores, lugar, paginas, registro, sitio
from pregon.difusor.servidor.reparto import arrange
from pregon.difusor.servidor.sitio import INMUTABLE, TIPOS, security_headers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pregon.difusor.servidor.reparto import Bloque, Redireccion
    from pregon.difusor.servidor.sitio import Site

CARPETA = "/etc/nginx/pregon"
"""What a site includes: passwords of a simulacro, and ``BROTLI``."""
BROTLI = "brotli.conf"
"""One line, there only where nginx has the module: a site that named it would not start without."""
BITACORAS = "/var/log/nginx"
RETOS = "/var/www/html"
"""Where the administrator's ACME client leaves what the authority asks for."""
CONEXIONES = 1024
"""Answers at a time for one address: a mobile operator brings thousands of readers from one."""

CIFRAS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)
"""Of TLS 1.2, those that authenticate what they encrypt and forget their keys; TLS 1.3 has no others."""


def render(sites: Sequence[Site], *, carpeta: str = CARPETA, bitacoras: str = BITACORAS) -> str:
    """A whole file for ``conf.d`` or ``sites-enabled``: maps, and a server for each name. Paths must be plain.

    ``carpeta``: of what it includes; ``bitacoras``: of the access logs.

    Raises:
        AjustesError: the sites do not fit on one server.
    """
    blocks, redirections = arrange_alike(sites)
    parts = [
        _HEAD,
        *(_block(block, number, carpeta, bitacoras) for number, block in enumerate(blocks, start=1)),
        *map(_redirection, redirections),
    ]
    return "\n".join(parts)


def arrange_alike(sites: Sequence[Site]) -> tuple[list[Bloque], list[Redireccion]]:
    """``arrange``, where each name says the same headers whichever of its paths is asked for.

    Raises:
        AjustesError: as ``arrange``; or two convocatorias of one name do not say the same headers.
    """
    blocks, redirections = arrange(sites)
    for block in blocks:
        if len({security_headers(site) for site in block.sites}) > 1:
            raise AjustesError(
                f"En {sites[0].escucha} dos convocatorias del mismo nombre no dan las mismas cabeceras: una es "
                "simulacro, o no se deja incrustar.",
                intacto="No se escribió ni se cambió nada.",
                que_hacer="Dé a cada una otros «nombres» u otro «puerto», o use el servidor incluido.",
            )
    return blocks, redirections


_HEAD = f"""\
# Hecho por «pregon difusor configura nginx». Va dentro de http {{ … }}: conf.d/ o sites-enabled/.
# Da las mismas cabeceras y los mismos bytes que el servidor incluido de Pregón.

# Sólo se lee; lo demás recibe 405.
map $request_method $pregon_metodo {{
    default 1;
    GET 0;
    HEAD 0;
}}
# A dónde lleva «publico»: un corte, espera o aviso. Cualquier otra cosa deja vacío, y se responde 503.
map $pregon_enlace $pregon_corte {{
    default "";
    "~/cortes/(?<pregon_nombre>[0-9]{{4}}|espera|aviso)$" $pregon_nombre;
}}
# Las páginas de espera y de aviso no se guardan; la portada se pregunta de nuevo cada vez.
map $pregon_corte $pregon_portada {{
    default no-cache;
    espera no-store;
    aviso no-store;
}}
# En espera y en aviso sólo existe «/».
map $pregon_corte $pregon_sin_cortes {{
    default 0;
    espera 1;
    aviso 1;
}}
# Lo que lleva su huella en el nombre no cambia nunca.
map $uri $pregon_assets {{
    default no-cache;
    "~/assets/[^/]+\\.[0-9a-f]{{8,64}}\\.[a-z0-9]+$" "{INMUTABLE}";
}}
limit_conn_zone $binary_remote_addr zone=pregon:10m;
"""


def _block(block: Bloque, number: int, folder: str, logs: str) -> str:
    names = [address.rpartition(":")[0].partition("//")[2] for address in block.addresses]
    port = block.addresses[0].rpartition(":")[2]
    # Debian's sample site is the default of port 80: it is left alone where ours has a name.
    default = not block.own and bool(block.sites or block.tls)
    voz, tls = block.voz, " ssl http2" if block.tls else ""
    headers = (*((name, f'"{value}"') for name, value in security_headers(voz)), *_OURS)
    lines = [
        f"listen {_place(block.direccion, port)}{tls}{' default_server' if default else ''};",
        f"server_name {' '.join(name or '_' for name in names)};",
        f"access_log {registro(voz, logs)};",
        "",
        *_tls(block),
        "# Quien se detiene o tarda demasiado se corta.",
        "client_header_timeout 10s;",
        "client_body_timeout 10s;",
        "send_timeout 30s;",
        "keepalive_timeout 60s;",
        "reset_timedout_connection on;",
        "client_max_body_size 16k;",
        "large_client_header_buffers 4 16k;",
        f"limit_conn pregon {CONEXIONES};",
        "",
        "# «publico» es un enlace que cambia en cada corte: nada se recuerda, nada se prohíbe por ser enlace.",
        "open_file_cache off;",
        "disable_symlinks off;",
        "sendfile on;",
        "tcp_nopush on;",
        "autoindex off;",
        "",
        "# Las copias ya comprimidas, hechas por el difusor; nada se comprime al vuelo.",
        "gzip off;",
        "gzip_static on;",
        "gzip_proxied any;",
        "gzip_vary off;",
        f"include {folder}/{BROTLI[:-1]}[{BROTLI[-1]}];  # existe sólo donde nginx tiene ese módulo",
        "",
        "# Ninguna fecha decide nada: sólo el ETag.",
        "etag on;",
        "if_modified_since off;",
        "",
        "server_tokens off;",
        "absolute_redirect off;",
        "recursive_error_pages on;",
        'default_type "";',
        "types {",
        *(f'    "{kind}" {" ".join(suffixes)};' for kind, suffixes in TIPOS.items()),
        "}",
        "",
        "set $pregon_cache no-store;",
        'set $pregon_vary "";',
        'set $pregon_permite "";',
        *(f"add_header {name} $pregon_{number}_{place} always;" for place, (name, _) in enumerate(headers)),
        "add_header Allow $pregon_permite always;",
        'add_header Last-Modified "" always;',
        *errores(voz, voz),
    ]
    for site in block.sites:
        lines += ["", *sitio(site, folder, logs, alone=len(block.sites) == 1)]
    if all(site.base != "/" for site in block.sites):
        lines += ["", "location / {", "    return 404;", "}"]
    lines += [line for site in _each((voz, *block.sites)) for line in paginas(site, folder, logs)]
    server = "".join(f"    {line}\n" if line else "\n" for line in lines)
    return f"{_maps(headers, number)}\nserver {{\n{server}}}\n"


_OURS = (("Cache-Control", "$pregon_cache"), ("Vary", "$pregon_vary"))


def _maps(headers: Sequence[tuple[str, str]], number: int) -> str:
    """Each header as a variable of the status: nginx passes twice by the headers of a 416, and would say them twice."""
    lines = ["# Cabeceras de toda respuesta. Un 416 pasa dos veces por ellas: la segunda ya no se agregan."]
    for place, (name, value) in enumerate(headers):
        lines += [f"# {name}", f"map $status $pregon_{number}_{place} {{"]
        lines += ["    volatile;", f"    default {value};", '    416 "";', "}"]
    return "\n".join([*lines, ""])


def _each(sites: Sequence[Site]) -> list[Site]:
    return list({site.nombre: site for site in sites}.values())


def _place(address: str, port: str) -> str:
    if address == "::":
        return f"[::]:{port} ipv6only=off"
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _tls(block: Bloque) -> Iterator[str]:
    if block.tls is None:
        return
    certificate, key = block.tls.certificado, block.tls.clave
    if certificate is None:
        folder = f"/etc/letsencrypt/live/{block.voz.nombres[0] if block.voz.nombres else 'NOMBRE'}"
        yield "# Lo pide y lo renueva su propio cliente de ACME."
        yield f"ssl_certificate {folder}/fullchain.pem;"
        yield f"ssl_certificate_key {folder}/privkey.pem;"
    else:
        yield f"ssl_certificate {certificate};"
        yield f"ssl_certificate_key {key};"
    yield f"ssl_protocols {'TLSv1.3' if block.tls.minimo == '1.3' else 'TLSv1.2 TLSv1.3'};"
    yield f"ssl_ciphers {CIFRAS};"
    yield "ssl_prefer_server_ciphers off;"
    yield "ssl_session_cache shared:pregon_tls:10m;"
    yield "ssl_session_timeout 1d;"
    yield "ssl_session_tickets off;"
    yield ""


def _redirection(what: Redireccion) -> str:
    names = [address.rpartition(":")[0].partition("//")[2] for address in what.addresses]
    port = what.addresses[0].rpartition(":")[2]
    headers = (line for line in security_headers(what.voz) if line[0] != "Strict-Transport-Security")
    lines = [
        f"listen {_place(what.direccion, port)}{'' if what.voz.nombres else ' default_server'};",
        f"server_name {' '.join(name or '_' for name in names)};",
        "server_tokens off;",
        *(f'add_header {name} "{value}" always;' for name, value in headers),
        "add_header Cache-Control no-store always;",
        *lugar("^~ /.well-known/acme-challenge/", f"root {RETOS};"),
        *lugar("/", f"return 308 {what.destino.replace('{host}', '$host')}$request_uri;"),
    ]
    return "server {\n" + "".join(f"    {line}\n" for line in lines) + "}\n"
