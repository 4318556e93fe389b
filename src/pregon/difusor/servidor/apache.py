"""The text of a site of Apache 2.4 that answers as the embedded Caddy does (``caddy.py`` says what that is). Pure.

How (each measured; docs/adr/0002):

* ``puntero`` is read once per request, by the condition of the first rule, and what follows works on a concrete folder:
  under a link Apache would stat one release and open the other.
* Rules look at the disk only for what the request asks: a twin where the client takes it, a folder where the address
  has neither final slash nor suffix.
* Its ETag is made of microseconds and size, and weak where the time is still to come: those of our files are long past.
* Dates of the request are dropped before the file is looked at.
* It says ``Server: Apache``, without its version: nothing of its own takes that away.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pregon.difusor.pages import NO_DISPONIBLE, NO_ENCONTRADA, RESTRINGIDA
from pregon.difusor.servidor.nginx import CIFRAS, RETOS, arrange_alike
from pregon.difusor.servidor.sitio import INMUTABLE, RUTA_INMUTABLE, SUYOS, TIPOS, security_headers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pregon.difusor.servidor.reparto import Bloque, Redireccion
    from pregon.difusor.servidor.sitio import Site

CARPETA = "/etc/apache2/pregon"
"""Passwords of a simulacro."""
BITACORAS = "/var/log/apache2"
PROPIAS = "/.pregon/"
"""Addresses of our own pages: only an internal redirection reaches them."""

_TWINS = (("br", "br", "br"), ("zstd", "zst", "zstd"), ("gzip", "gz", "gzip"))
"""Coding, suffix and mark, those that are worth most first."""


def render(sites: Sequence[Site], *, carpeta: str = CARPETA, bitacoras: str = BITACORAS) -> str:
    """A whole file for ``sites-available`` or ``conf.d``: a virtual host for each name. Paths must be plain.

    ``carpeta``: of what it reads besides; ``bitacoras``: of the access logs. ``Listen`` is left to the steps.

    Raises:
        AjustesError: the sites do not fit on one server.
    """
    blocks, redirections = arrange_alike(sites)
    folders = [line for site in sites for line in _folders(site, carpeta)]
    parts = [
        _HEAD,
        "\n".join(folders) + "\n",
        *(_block(block, bitacoras) for block in blocks),
        *map(_redirection, redirections),
    ]
    return "\n".join(parts)


_HEAD = """\
# Hecho por «pregon difusor configura apache». Da las mismas cabeceras y los mismos bytes que el servidor incluido de
# Pregón. Módulos: rewrite, headers, reqtimeout; con TLS, además ssl y http2.

# Sin versión ni sistema en las respuestas; TRACE apagado.
ServerTokens Prod
ServerSignature Off
TraceEnable Off
LogFormat "%h %l %u %t \\"%r\\" %>s %b \\"%{Referer}i\\" \\"%{User-Agent}i\\"" pregon_combinado
"""


def listens(sites: Sequence[Site]) -> tuple[str, ...]:
    """The ``Listen`` lines that these sites need, each once.

    Raises:
        AjustesError: the sites do not fit on one server.
    """
    blocks, redirections = arrange_alike(sites)
    places = [(block.direccion, block.addresses) for block in blocks]
    places += [(what.direccion, what.addresses) for what in redirections]
    return tuple(
        dict.fromkeys(f"Listen {_place(address, addresses[0].rpartition(':')[2])}" for address, addresses in places)
    )


def _place(address: str, port: str) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _host(address: str, port: str) -> str:
    return f"*:{port}" if address in ("0.0.0.0", "::") else _place(address, port)  # noqa: S104 (not where we listen)


def _folders(site: Site, folder: str) -> Iterator[str]:
    """What may be read of the workspace, and how."""
    yield f"# {site.nombre}: sólo los cortes; de los suyos, sólo sus páginas y lo que dice el instituto."
    yield f"<Directory {site.carpeta}/cortes>"
    yield from (f"    {line}" for line in (*_FILES, *_access(site, folder)))
    yield "</Directory>"
    if site.personalizada:
        yield f"<Directory {site.carpeta}/personalizada>"
        yield from (f"    {line}" for line in (*_FILES, *_access(site, folder)))
        yield "</Directory>"
    yield f"<Directory {site.carpeta}/servidor>"
    yield from (f"    {line}" for line in (*_FILES, "Require all denied"))
    names = "|".join(re.escape(name) for name in (NO_ENCONTRADA, NO_DISPONIBLE, RESTRINGIDA))
    yield f'    <FilesMatch "^(?:{names})$">'
    yield "        Require all granted"
    yield "        FileETag None"
    yield "        Header always set Cache-Control no-store"
    yield "        Header unset Accept-Ranges"
    yield "        Header unset ETag"
    yield "    </FilesMatch>"
    if site.firmado:
        for name in SUYOS:
            yield f"    <Files {name}>"
            yield from (f"        {line}" for line in _access(site, folder))
            yield "    </Files>"
    yield "</Directory>"


_FILES = (
    "Options FollowSymLinks",
    "AllowOverride None",
    "FileETag MTime Size",
    "# Los archivos nunca cambian en su lugar. En un disco de red, apáguelo.",
    "EnableSendfile On",
    "# La copia comprimida tiene el tipo del original: lo que dice su último sufijo no cuenta.",
    "RemoveType .gz .br .zst",
    "RemoveEncoding .gz .br .zst",
    "RemoveLanguage .br .es",
    *(f'AddType "{kind}" {" ".join(f".{one}" for one in names)}' for kind, names in TIPOS.items() if "gz" not in names),
    "AddDefaultCharset Off",
)


def _access(site: Site, folder: str) -> list[str]:
    """Who may go on: whoever comes from one of the networks, or has the password of one of the users."""
    if site.acceso is None:
        return ["Require all granted"]
    users = [
        "AuthType Basic",
        "AuthName Simulacro",
        "AuthBasicProvider file",
        f"AuthUserFile {folder}/{site.nombre}.htpasswd",
    ]
    return [
        *(users if site.acceso.usuarios else ()),
        "<RequireAny>",
        *(f"    Require ip {network}" for network in site.acceso.redes),
        *(["    Require valid-user"] if site.acceso.usuarios else ()),
        "</RequireAny>",
    ]


def _block(block: Bloque, logs: str) -> str:
    names = [name for address in block.addresses if (name := address.rpartition(":")[0].partition("//")[2])]
    port = block.addresses[0].rpartition(":")[2]
    voz = block.voz
    rest, below = block.rest, block.below
    lines = [
        *([f"ServerName {names[0]}"] if names else []),
        *(f"ServerAlias {name}" for name in names[1:]),
        *_logs(rest, below, logs),
        "",
        *_tls(block),
        "# Quien se detiene o tarda demasiado se corta.",
        "Timeout 30",
        "KeepAlive On",
        "KeepAliveTimeout 15",
        "MaxKeepAliveRequests 0",
        "RequestReadTimeout header=10-20,MinRate=500 body=10,MinRate=500",
        "LimitRequestBody 16384",
        "LimitRequestFieldSize 16380",
        "LimitRequestLine 8190",
        "",
        "# Nada se comprime al vuelo: las copias las hizo el difusor.",
        "SetEnv no-gzip 1",
        "SetEnv no-brotli 1",
        "",
        "# Ninguna fecha decide nada: sólo el ETag.",
        "RequestHeader unset If-Modified-Since",
        "RequestHeader unset If-Unmodified-Since",
        "Header unset Last-Modified",
        "Header always unset Last-Modified",
        "",
        *(f'Header always set {name} "{value}"' for name, value in security_headers(voz)),
        "Header always set Cache-Control no-cache env=pregon_archivo",
        f'Header always set Cache-Control "{INMUTABLE}" env=pregon_inmutable',
        "Header always set Cache-Control no-store env=pregon_pagina",
        "Header always set Vary Accept-Encoding env=pregon_archivo",
        *(f"Header set Content-Encoding {coding} env=pregon_{mark}" for coding, _, mark in _TWINS),
        'Header always set Allow "GET, HEAD" env=REDIRECT_pregon_metodo',
        "",
        *(line for site in below for line in _below(site)),
        f"Alias {PROPIAS} {rest.carpeta}/servidor/",
        *_errors(rest, PROPIAS),
        "",
        "DirectorySlash Off",
        "RewriteEngine On",
        "# Nuestras páginas: sólo a ellas mismas.",
        "RewriteCond %{ENV:REDIRECT_STATUS} ^$",
        f"RewriteRule ^{re.escape(PROPIAS)} - [R=404,L]",
        f"RewriteRule ^{re.escape(PROPIAS)} - [L]",
        "# Sólo se lee.",
        "RewriteCond %{REQUEST_METHOD} !^(?:GET|HEAD)$",
        "RewriteRule ^ - [E=pregon_metodo:1,R=405,L]",
        "# Lo que está a medias, lo que Apache reserva y lo que confunde a sus reglas no existe.",
        "RewriteRule (?:\\.parcial|/\\.ht[^/]*|\\?.*)$ - [R=404,L]",
    ]
    for site in block.sites:
        lines += ["", *_site(site)]
    lines.append("RewriteRule ^ - [R=404,L]")
    return (
        f"<VirtualHost {_host(block.direccion, port)}>\n"
        + "".join(f"    {line}\n" if line else "\n" for line in lines)
        + "</VirtualHost>\n"
    )


def _logs(rest: Site, below: Sequence[Site], logs: str) -> Iterator[str]:
    """A log for each convocatoria, by the path that was asked for; those below a path are not in that of the rest."""
    paths = [f"%{{THE_REQUEST}} =~ m#^\\S+ {re.escape(site.base)}#" for site in below]
    others = f' "expr=!({" || ".join(paths)})"' if paths else ""
    yield f"CustomLog {logs}/pregon-{rest.nombre}.log pregon_combinado{others}"
    for site, path in zip(below, paths, strict=True):
        yield f'CustomLog {logs}/pregon-{site.nombre}.log pregon_combinado "expr={path}"'


def _below(site: Site) -> Iterator[str]:
    """Below its path a convocatoria answers with its own pages, and never with the name of another."""
    own = f"{PROPIAS}{site.nombre}/"
    yield f"Alias {own} {site.carpeta}/servidor/"
    yield f"<Location {site.base}>"
    yield from (f"    {line}" for line in _errors(site, own))
    yield "</Location>"


def _errors(site: Site, own: str) -> Iterator[str]:
    yield from (f"ErrorDocument {code} {own}{NO_ENCONTRADA}" for code in _REFUSED)
    yield from (f"ErrorDocument {code} {own}{RESTRINGIDA if site.acceso else NO_ENCONTRADA}" for code in (401, 403))
    yield from (f"ErrorDocument {code} {own}{NO_DISPONIBLE}" for code in (500, 502, 503, 504))


_REFUSED = (400, 404, 405, 408, 410, 411, 412, 413, 414, 416, 417, 421, 426, 429, 431)


def _tls(block: Bloque) -> Iterator[str]:
    if block.tls is None:
        return
    certificate, key = block.tls.certificado, block.tls.clave
    yield "Protocols h2 http/1.1"
    yield "SSLEngine On"
    if certificate is None:
        folder = f"/etc/letsencrypt/live/{block.voz.nombres[0] if block.voz.nombres else 'NOMBRE'}"
        yield "# Lo pide y lo renueva su propio cliente de ACME."
        yield f"SSLCertificateFile {folder}/fullchain.pem"
        yield f"SSLCertificateKeyFile {folder}/privkey.pem"
    else:
        yield f"SSLCertificateFile {certificate}"
        yield f"SSLCertificateKeyFile {key}"
    yield f"SSLProtocol -all {'+TLSv1.3' if block.tls.minimo == '1.3' else '+TLSv1.2 +TLSv1.3'}"
    yield f"SSLCipherSuite {CIFRAS}"
    yield "SSLHonorCipherOrder Off"
    yield "SSLSessionTickets Off"
    yield ""


def _site(site: Site) -> list[str]:
    """The rules of one portal. The folder that the pointer names replaces its base; the rest looks at that path."""
    base, folder = re.escape(site.base), str(site.carpeta)
    cuts = f"{re.escape(folder)}/cortes"
    rules = [f"# {site.nombre}"]
    if site.base != "/":
        rules.append(f"RewriteRule ^{base[:-1]}$ {site.base} [R=308,L]")
    if site.firmado:
        names = "|".join(re.escape(name) for name in SUYOS)
        rules.append(f"RewriteRule ^{base}({names})$ {folder}/servidor/$1 [E=pregon_archivo:1,L]")
    if site.personalizada:
        rules += [
            f"RewriteCond expr \"file('{folder}/personalizada/puntero') =~ m#^([0-9a-f]{{64}})\\n?$#\"",
            f"RewriteRule ^{base}personalizada/(.*)$ {folder}/personalizada/%1/$1 [E=pregon_archivo:1,S=1]",
            f"RewriteRule ^{base}personalizada(?:/|$) - [R=404,L]",
        ]
    rules += [
        "# El puntero se lee una vez; desde aquí la carpeta es concreta.",
        f"RewriteCond expr \"file('{folder}/puntero') =~ m#^([0-9]{{4}}|espera|aviso)\\n?$#\"",
        f"RewriteRule ^{base}(.*)$ {folder}/cortes/%1/$1 [E=pregon_archivo:1,S=1]",
        f"RewriteRule ^{base} - [R=503,L]",
        "# En espera y en aviso sólo existe la portada, que no se guarda.",
        f"RewriteRule ^{cuts}/[ea][a-z]+/. - [R=404,L]",
        f"RewriteRule ^{cuts}/[ea][a-z]+/$ - [E=pregon_pagina:1]",
    ]
    if site.inmutable:
        rules.append(f"RewriteRule ^{cuts}/[0-9]{{4}}/{RUTA_INMUTABLE}$ - [E=pregon_inmutable:1]")
    ours = f"^{re.escape(folder)}/((?:cortes|personalizada)/.+)"
    rules += [
        "# Una carpeta: con su diagonal, su portada; sin ella, a donde la lleva.",
        f"RewriteRule {ours}/$ {folder}/$1/index.html",
        "RewriteCond $0/index.html -f",
        f"RewriteRule {ours}/[^/.]+$ %{{REQUEST_URI}}/ [R=308,L]",
        "RewriteCond $0 -d",
        f"RewriteRule {ours}/[^/.]+$ - [R=404,L]",
        "# La copia comprimida, donde el cliente la admite y existe.",
    ]
    for coding, suffix, mark in _TWINS:
        rules += [
            f"RewriteCond %{{HTTP:Accept-Encoding}} \\b{coding}\\b(?!\\s*;\\s*q=0(?:\\.0*)?\\s*(?:,|$))",
            f"RewriteCond $0.{suffix} -f",
            f"RewriteRule {ours}$ {folder}/$1.{suffix} [E=pregon_{mark}:1,L]",
        ]
    rules += [f"RewriteRule {ours}\\.gz$ - [T=application/gzip]", f"RewriteRule ^{re.escape(folder)}/ - [L]"]
    return rules


def _redirection(what: Redireccion) -> str:
    names = [name for address in what.addresses if (name := address.rpartition(":")[0].partition("//")[2])]
    port = what.addresses[0].rpartition(":")[2]
    headers = (line for line in security_headers(what.voz) if line[0] != "Strict-Transport-Security")
    lines = [
        *([f"ServerName {names[0]}"] if names else []),
        *(f"ServerAlias {name}" for name in names[1:]),
        *(f'Header always set {name} "{value}"' for name, value in headers),
        "Header always set Cache-Control no-store",
        f"DocumentRoot {RETOS}",
        "RewriteEngine On",
        "RewriteRule ^/\\.well-known/acme-challenge/ - [L]",
        f"RewriteRule ^ {what.destino.replace('{host}', '%{SERVER_NAME}')}%{{REQUEST_URI}} [R=308,L,NE]",
    ]
    return (
        f"<VirtualHost {_host(what.direccion, port)}>\n"
        + "".join(f"    {line}\n" for line in lines)
        + "</VirtualHost>\n"
    )
