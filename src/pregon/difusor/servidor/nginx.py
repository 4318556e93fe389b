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
from pregon.difusor.pages import NO_DISPONIBLE, NO_ENCONTRADA, RESTRINGIDA
from pregon.difusor.servidor.reparto import arrange
from pregon.difusor.servidor.sitio import AVISOS, INMUTABLE, TIPOS, security_headers

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
        f"access_log {_log(voz, logs)};",
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
        *_errors(voz, voz),
    ]
    for site in block.sites:
        lines += ["", *_site(site, folder, logs, alone=len(block.sites) == 1)]
    if all(site.base != "/" for site in block.sites):
        lines += ["", "location / {", "    return 404;", "}"]
    lines += [line for site in _each((voz, *block.sites)) for line in _pages(site, folder)]
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


def _log(site: Site, folder: str) -> str:
    return f"{folder}/pregon-{site.nombre}.log combined"


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


def _own(site: Site, name: str) -> str:
    """An address inside the server that nobody can ask for."""
    return f"/.pregon/{site.nombre}/{name}"


def _errors(site: Site, lost: Site | None) -> list[str]:
    """What is answered with each refusal. ``lost``: the site at whose base the file was looked for."""
    missing = _own(site, NO_ENCONTRADA) if lost is None else f"@{site.nombre}-falta"
    denied = f"error_page 401 403 {_own(site, RESTRINGIDA)};"
    if site.acceso is None:  # Then a 403 is of a folder without a cover, or of what is nobody's to read.
        denied = f"error_page 403 {missing};"
    return [
        f"error_page 404 {missing};",
        f"error_page 405 {_own(site, '405')};",
        f"error_page 400 408 410 411 412 413 414 416 421 429 431 494 {_own(site, NO_ENCONTRADA)};",
        denied,
        f"error_page 500 502 503 504 {_own(site, NO_DISPONIBLE)};",
        f"error_page 301 =308 @{site.nombre}-barra;",
    ]


def _site(site: Site, place: str, logs: str, *, alone: bool) -> list[str]:
    base, folder = site.base, site.carpeta
    shared = [] if alone else [f"access_log {_log(site, logs)};", *_errors(site, site)]
    inside = [*shared, *_access(site, place), "if ($pregon_metodo) {", "    return 405;", "}"]
    files = [*inside, 'if ($uri ~ "\\.parcial$") {', "    return 404;", "}", "set $pregon_vary Accept-Encoding;"]
    follow = [f"root {folder}/publico;", "set $pregon_enlace $realpath_root;"]
    lines = [f"# {site.nombre}", *_location(f"= {base}", *inside, *follow, f"rewrite ^ {_own(site, 'portada')} last;")]
    lines += _location(
        f"= {base}index.html",
        *inside,
        *follow,
        "if ($pregon_sin_cortes) {",
        "    return 404;",
        "}",
        f"rewrite ^ {_own(site, 'portada')} last;",
    )
    if site.inmutable:
        lines += _location(
            f"^~ {base}datos/", *files, f'set $pregon_cache "{INMUTABLE}";', f"alias {folder}/publico/datos/;"
        )
        lines += _location(
            f"^~ {base}assets/", *files, "set $pregon_cache $pregon_assets;", f"alias {folder}/publico/assets/;"
        )
    if site.firmado:
        lines += [
            "# Los avisos firmados del instituto.",
            *_location(
                f"= {base}{AVISOS}",
                *inside,
                "set $pregon_cache no-cache;",
                "set $pregon_vary Accept-Encoding;",
                f"alias {folder}/servidor/{AVISOS};",
            ),
        ]
    if site.personalizada:
        lines += _location(
            f"{base}personalizada/", *files, "set $pregon_cache no-cache;", f"alias {folder}/personalizada/publica/;"
        )
    if base != "/":
        lines += _location(f"= {base[:-1]}", *inside, f"return 308 {base};")
    return lines + _location(base, *files, "set $pregon_cache no-cache;", f"alias {folder}/publico/;")


def _pages(site: Site, place: str) -> list[str]:
    """The addresses that only an internal redirection reaches."""
    folder = site.carpeta
    page = ["internal;", *_open(site), "etag off;", "gzip_static off;", "max_ranges 0;"]
    return [
        "",
        f"# La portada de {site.nombre}: el enlace se leyó una sola vez, y aquí es ya una carpeta concreta.",
        *_location(
            f"= {_own(site, 'portada')}",
            "internal;",
            *_access(site, place),
            'if ($pregon_corte = "") {',
            "    return 503;",
            "}",
            "set $pregon_cache $pregon_portada;",
            "set $pregon_vary Accept-Encoding;",
            "types { }",
            'default_type "text/html; charset=utf-8";',
            f"alias {folder}/cortes/$pregon_corte/index.html;",
        ),
        "# No está: ¿404, o es que «publico» no lleva a ningún corte?",
        *_location(
            f"@{site.nombre}-falta",
            *_errors(site, None),
            f"root {folder}/publico;",
            "set $pregon_enlace $realpath_root;",
            'if ($pregon_corte = "") {',
            "    return 503;",
            "}",
            "return 404;",
        ),
        "# Una carpeta con portada, sin su diagonal. Los nombres de un paquete nunca llevan signos de control.",
        *_location(
            f"@{site.nombre}-barra",
            f'if ($uri ~ "^{site.base}(.*)$") {{',
            "    set $pregon_carpeta $1;",
            "}",
            f"if (!-f {folder}/publico/$pregon_carpeta/index.html) {{",
            "    return 404;",
            "}",
            "set $pregon_cache no-cache;",
            'set $pregon_vary "";',
            "return 308 $uri/$is_args$args;",
        ),
        *_location(
            f"= {_own(site, '405')}",
            *page,
            *_HTML,
            'set $pregon_permite "GET, HEAD";',
            f"alias {folder}/servidor/{NO_ENCONTRADA};",
        ),
        *_location(f"^~ {_own(site, '')}", *page, f"alias {folder}/servidor/;"),
    ]


_HTML = ("types { }", 'default_type "text/html; charset=utf-8";')


def _access(site: Site, folder: str) -> list[str]:
    """Who may go on: whoever comes from one of the networks, or has the password of one of the users."""
    if site.acceso is None:
        return []
    users = ['auth_basic "Simulacro";', f"auth_basic_user_file {folder}/{site.nombre}.htpasswd;"]
    return [
        "satisfy any;",
        *(f"allow {network};" for network in site.acceso.redes),
        "deny all;",
        *(users if site.acceso.usuarios else ()),
    ]


def _open(site: Site) -> list[str]:
    return [] if site.acceso is None else ["auth_basic off;", "allow all;"]


def _location(where: str, *lines: str) -> list[str]:
    return [f"location {where} {{", *(f"    {line}" for line in lines), "}"]


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
        *_location("^~ /.well-known/acme-challenge/", f"root {RETOS};"),
        *_location("/", f"return 308 {what.destino.replace('{host}', '$host')}$request_uri;"),
    ]
    return "server {\n" + "".join(f"    {line}\n" for line in lines) + "}\n"
