"""How several convocatorias share one server: which names and paths of which port are whose. Pure.

A block is what one web server calls a site or a virtual host: the names that have exactly the same convocatorias under
them. A convocatoria without ``nombres`` answers on every name, at its ``base``; one with names wins there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pregon.base.errors import AjustesError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pregon.difusor.servidor.sitio import Site, Tls

_NADIE = ""
"""Stands for every name that is nobody's."""


@dataclass(frozen=True)
class Bloque:
    """The ``sites`` of some names of one port.

    ``addresses`` as a Caddyfile writes them; ``voz``: whose headers and pages an answer has that is no site's;
    ``own``: whether the names are sites' own, and not those that are left.
    """

    addresses: tuple[str, ...]
    direccion: str
    sites: tuple[Site, ...]
    voz: Site
    tls: Tls | None
    own: bool

    @property
    def rest(self) -> Site:
        """Whose pages and log have what is asked for under no other site's ``base``."""
        return next((site for site in self.sites if site.base == "/"), self.voz)

    @property
    def below(self) -> list[Site]:
        """The others, each with pages and log of its own under its ``base``."""
        return [site for site in self.sites if site.nombre != self.rest.nombre]


@dataclass(frozen=True)
class Redireccion:
    """Names that plain HTTP sends to ``destino`` (scheme, name and port), on ``direccion``."""

    addresses: tuple[str, ...]
    direccion: str
    voz: Site
    destino: str


def arrange(sites: Sequence[Site]) -> tuple[list[Bloque], list[Redireccion]]:
    """The blocks of each port, and what redirects to those with TLS.

    Raises:
        AjustesError: a path that no configuration can hold; two convocatorias on one address, name and path; one port
            or name with and without TLS, or with two certificates; a port of redirections that serves something.
    """
    for site in sites:
        _check_paths(site)
    if len({site.nombre for site in sites}) < len(sites):
        raise _refused("La misma convocatoria de un difusor se pidió dos veces.", "otro «id» o «convocatoria»")
    _check_authority(sites)
    blocks: list[Bloque] = []
    for place in dict.fromkeys(site.escucha for site in sites):
        blocks += _blocks_of([site for site in sites if site.escucha == place])
    return blocks, list(_redirections(sites))


def _blocks_of(sites: Sequence[Site]) -> Iterator[Bloque]:
    if len({site.tls is None for site in sites}) > 1:
        raise _refused(f"En {sites[0].escucha} unas convocatorias piden TLS y otras no.", "«tls» u otro «puerto»")
    groups: dict[tuple[str, ...], list[str]] = {}
    for name in (*dict.fromkeys(name for site in sites for name in site.nombres), _NADIE):
        groups.setdefault(tuple(site.nombre for site in _of_name(name, sites)), []).append(name)
    scheme = "http" if sites[0].tls is None else "https"
    for names in groups.values():
        group = _of_name(names[0], sites)
        own = [site for site in group if _NADIE not in names and site.nombres] or list(group)
        # Who asks for a name that is nobody's is told so, without promises about that name.
        voz = own[0] if own else replace(sites[0], hsts=False)
        kinds = {site.tls for site in own}
        if len(kinds) > 1:
            raise _refused(f"En {sites[0].escucha} dos convocatorias dan certificados distintos.", "los mismos")
        yield Bloque(
            addresses=tuple(f"{scheme}://{name}:{sites[0].puerto}" for name in names),
            direccion=sites[0].direccion,
            sites=tuple(sorted(group, key=lambda site: -len(site.base))),
            voz=voz,
            tls=voz.tls,
            own=_NADIE not in names,
        )


def _of_name(name: str, sites: Sequence[Site]) -> tuple[Site, ...]:
    """The sites under one name, those that name it first."""
    named = [site for site in sites if name in site.nombres]
    everywhere = [site for site in sites if not site.nombres]
    _check_bases(named)
    _check_bases(everywhere)
    taken = {site.base for site in named}
    return (*named, *(site for site in everywhere if site.base not in taken))


def _check_bases(sites: Sequence[Site]) -> None:
    seen: set[str] = set()
    for site in sites:
        if site.base in seen:
            raise _refused(
                f"Dos convocatorias quieren la misma dirección: {site.escucha}{site.base}",
                "otros «nombres», otra «base» u otro «puerto»",
            )
        seen.add(site.base)


def _check_authority(sites: Sequence[Site]) -> None:
    asked = {(site.tls.puerto_http, site.puerto) for site in sites if site.tls and site.tls.certificado is None}
    if len(asked) > 1:
        raise _refused(
            'Las convocatorias con tls = "automatico" deben compartir «puerto» y «puerto_http».', "los mismos puertos"
        )


def _redirections(sites: Sequence[Site]) -> Iterator[Redireccion]:
    wanted: dict[tuple[str, int], list[Site]] = {}
    for site in sites:
        if site.tls is not None and site.tls.puerto_http:
            wanted.setdefault((site.direccion, site.tls.puerto_http), []).append(site)
    for (address, port), group in wanted.items():
        if any((site.direccion, site.puerto) == (address, port) for site in sites):
            raise _refused(
                f"El puerto {port} de {address} sirve y redirige a la vez.", "otro «puerto_http» (0: ninguno)"
            )
        for target in dict.fromkeys(site.puerto for site in group):
            here = [site for site in group if site.puerto == target]
            names = dict.fromkeys(name for site in here for name in site.nombres)
            if names:
                yield _redirection(tuple(f"http://{name}:{port}" for name in names), here[0], "{host}")
        # Without a name of ours: to the first that has one, for whose certificate it will be.
        voz = next((site for site in group if not site.nombres), group[0])
        yield _redirection((f"http://:{port}",), voz, voz.nombres[0] if voz.nombres else "{host}")


def _redirection(addresses: tuple[str, ...], site: Site, name: str) -> Redireccion:
    port = "" if site.puerto == 443 else f":{site.puerto}"
    return Redireccion(addresses, site.direccion, site, f"https://{name}{port}")


def _check_paths(site: Site) -> None:
    tls = site.tls
    paths: tuple[Path | None, ...] = (site.carpeta, *((tls.certificado, tls.clave, tls.acme_ca) if tls else ()))
    for path in paths:
        if path is not None and any(char in str(path) for char in '{}"`\\\n\r\t'):
            raise AjustesError(
                f"La ruta {path} tiene un carácter que el servidor web no admite (llaves, comillas…).",
                intacto="No se inició el servidor.",
                que_hacer="Mueva el espacio de trabajo o el archivo a una carpeta con un nombre simple.",
            )


def _refused(what: str, give: str) -> AjustesError:
    return AjustesError(
        what,
        intacto="No se cambió lo que se sirve.",
        que_hacer=f"Dé a cada una {give} en la sección [servidor] de su difusor.toml.",
    )
