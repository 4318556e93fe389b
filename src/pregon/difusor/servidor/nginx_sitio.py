"""What nginx answers within one site: its addresses, its refusals, and who may go on. ``nginx`` says why. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.difusor.pages import NO_DISPONIBLE, NO_ENCONTRADA, RESTRINGIDA
from pregon.difusor.servidor.sitio import INMUTABLE, SUYOS

if TYPE_CHECKING:
    from pregon.difusor.servidor.sitio import Site


def registro(site: Site, folder: str) -> str:
    """Where the requests of a site are written, and how."""
    return f"{folder}/pregon-{site.nombre}.log combined"


def _own(site: Site, name: str) -> str:
    """An address inside the server that nobody can ask for."""
    return f"/.pregon/{site.nombre}/{name}"


def errores(site: Site, lost: Site | None) -> list[str]:
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


def sitio(site: Site, place: str, logs: str, *, alone: bool) -> list[str]:
    """The addresses of a site that anybody may ask for. ``alone``: no other site is in its server."""
    base, folder = site.base, site.carpeta
    shared = [] if alone else [f"access_log {registro(site, logs)};", *errores(site, site)]
    inside = [*shared, *_access(site, place), "if ($pregon_metodo) {", "    return 405;", "}"]
    files = [*inside, 'if ($uri ~ "\\.parcial$") {', "    return 404;", "}", "set $pregon_vary Accept-Encoding;"]
    follow = [f"root {folder}/publico;", "set $pregon_enlace $realpath_root;"]
    lines = [f"# {site.nombre}", *lugar(f"= {base}", *inside, *follow, f"rewrite ^ {_own(site, 'portada')} last;")]
    lines += lugar(
        f"= {base}index.html",
        *inside,
        *follow,
        "if ($pregon_sin_cortes) {",
        "    return 404;",
        "}",
        f"rewrite ^ {_own(site, 'portada')} last;",
    )
    if site.inmutable:
        lines += lugar(
            f"^~ {base}datos/", *files, f'set $pregon_cache "{INMUTABLE}";', f"alias {folder}/publico/datos/;"
        )
        lines += lugar(
            f"^~ {base}assets/", *files, "set $pregon_cache $pregon_assets;", f"alias {folder}/publico/assets/;"
        )
    if site.firmado:
        lines.append("# Lo que dice y firma el instituto.")
        for name in SUYOS:
            lines += lugar(
                f"= {base}{name}",
                *inside,
                "set $pregon_cache no-cache;",
                "set $pregon_vary Accept-Encoding;",
                f"alias {folder}/servidor/{name};",
            )
    if site.personalizada:
        lines += lugar(
            f"{base}personalizada/", *files, "set $pregon_cache no-cache;", f"alias {folder}/personalizada/publica/;"
        )
    if base != "/":
        lines += lugar(f"= {base[:-1]}", *inside, f"return 308 {base};")
    return lines + lugar(base, *files, "set $pregon_cache no-cache;", f"alias {folder}/publico/;")


def paginas(site: Site, place: str, logs: str) -> list[str]:
    """The addresses that only an internal redirection reaches. The last that a request goes through logs it."""
    folder, log = site.carpeta, f"access_log {registro(site, logs)};"
    page = [log, "internal;", *_open(site), "etag off;", "gzip_static off;", "max_ranges 0;"]
    return [
        "",
        f"# La portada de {site.nombre}: el enlace se leyó una sola vez, y aquí es ya una carpeta concreta.",
        *lugar(
            f"= {_own(site, 'portada')}",
            log,
            "internal;",
            *errores(site, site),
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
        *lugar(
            f"@{site.nombre}-falta",
            log,
            *errores(site, None),
            f"root {folder}/publico;",
            "set $pregon_enlace $realpath_root;",
            'if ($pregon_corte = "") {',
            "    return 503;",
            "}",
            "return 404;",
        ),
        "# Una carpeta con portada, sin su diagonal. Los nombres de un paquete nunca llevan signos de control.",
        *lugar(
            f"@{site.nombre}-barra",
            log,
            *errores(site, site),
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
        *lugar(
            f"= {_own(site, '405')}",
            *page,
            *_HTML,
            'set $pregon_permite "GET, HEAD";',
            f"alias {folder}/servidor/{NO_ENCONTRADA};",
        ),
        *lugar(f"^~ {_own(site, '')}", *page, f"alias {folder}/servidor/;"),
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


def lugar(where: str, *lines: str) -> list[str]:
    """A ``location`` with those lines in it."""
    return [f"location {where} {{", *(f"    {line}" for line in lines), "}"]
