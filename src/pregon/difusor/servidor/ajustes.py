"""``[servidor]`` of ``difusor.toml``: where the portal is served, over what, and who enters a simulacro."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from pregon.base.settings import Settings

MAX_NOMBRES = 32
MAX_USUARIOS = 100
MAX_REDES = 256

_LABEL = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)"
_NOMBRE = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_BCRYPT = re.compile(r"\$2[aby]\$(0[4-9]|1[0-9])\$[./A-Za-z0-9]{53}")
_AQUI = r"^http://(127\.0\.0\.1|\[::1\]|localhost):[0-9]{1,5}$"
_CORREO = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}")


class AccesoSimulacro(Settings):
    """``[servidor.acceso]``: who enters a simulacro that is not for everyone. Whoever meets one of both enters.

    ``usuarios``: name to the bcrypt hash of its password, as ``pregon difusor contrasena`` prints it; never the
    password. ``redes``: addresses or networks (``198.51.100.0/24``) that need none, judged by who opens the
    connection and never by what a header says.
    """

    usuarios: Annotated[Mapping[str, str], Field(max_length=MAX_USUARIOS)] = {}
    redes: Annotated[tuple[str, ...], Field(max_length=MAX_REDES)] = ()

    @field_validator("usuarios")
    @classmethod
    def _hashed(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        for name, secret in value.items():
            if not re.fullmatch(r"[A-Za-z0-9._@-]{1,64}", name):
                raise PydanticCustomError(
                    "usuario", "el usuario lleva letras sin acento, números y . _ @ -", {"reservado": True}
                )
            if not _BCRYPT.fullmatch(secret):
                raise PydanticCustomError(
                    "huella",
                    "la de {name} no es una huella bcrypt: escriba la que imprime «pregon difusor contrasena»",
                    {"name": name, "reservado": True},
                )
        return dict(value)

    @field_validator("redes")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return tuple(str(ipaddress.ip_network(text)) for text in value)
        except ValueError as exc:
            raise PydanticCustomError("red", "debe ser una red, como 198.51.100.0/24 o 2001:db8::/32") from exc

    @property
    def vacio(self) -> bool:
        """Whether it restricts nothing."""
        return not self.usuarios and not self.redes


class Servidor(Settings):
    """Where the embedded web server listens, and what the public calls it.

    ``puerto`` 0 takes a free one at each start. ``base`` is the path under which the portal lives («/» or
    «/prep2024/»); ``nombres``, the host names that are this portal's: several convocatorias on one port are told apart
    by name or by ``base``. ``url`` is the public address for the self-check and the reports, deduced where absent.

    ``tls``: ``no``; ``archivo``, with ``certificado`` (PEM, with its chain) and ``clave``, read again when they change;
    ``automatico``: asked from an ACME authority for ``nombres``. ``correo`` is given to it; ``acme`` is the address of
    its directory where it is not the web server's own choice, ``acme_ca`` the PEM that vouches for that address.
    Paths are relative to the workspace. ``puerto_http`` redirects to https and answers the authority; 0: closed, for
    calls that open 443 alone (MEX-II-2c2). ``hsts``: an official portal over TLS asks browsers to come back over TLS
    for a year. ``marco_simulacro``: a page of this very machine that may show a simulacro's portal in a frame, besides
    those that the call lets (``pregon simulacro --vivo`` writes its own); never of an official night.
    """

    direccion: str = "127.0.0.1"
    puerto: Annotated[int, Field(ge=0, le=65535)] = 8080
    base: Annotated[str, Field(pattern=r"^/(?:[A-Za-z0-9._~-]+/)*$")] = "/"
    nombres: Annotated[tuple[str, ...], Field(max_length=MAX_NOMBRES)] = ()
    url: str | None = None
    tls: Literal["no", "archivo", "automatico"] = "no"
    certificado: Path | None = None
    clave: Path | None = None
    correo: str | None = None
    acme: Annotated[str, Field(max_length=2000)] | None = None
    acme_ca: Path | None = None
    puerto_http: Annotated[int, Field(ge=0, le=65535)] = 80
    hsts: bool = True
    marco_simulacro: Annotated[str, Field(pattern=_AQUI)] | None = None
    acceso: AccesoSimulacro = AccesoSimulacro()

    @field_validator("direccion")
    @classmethod
    def _plain_address(cls, value: str) -> str:
        if not value or not all(char.isalnum() or char in ".:-" for char in value):
            raise ValueError("debe ser una dirección IP o un nombre")
        return value

    @field_validator("base")
    @classmethod
    def _no_dots(cls, value: str) -> str:
        if any(part in (".", "..") for part in value.split("/")):
            raise ValueError("no puede llevar «.» ni «..»")
        return value

    @field_validator("nombres")
    @classmethod
    def _host_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(name.lower() for name in value)
        if any(len(name) > 253 or not _NOMBRE.fullmatch(name) for name in names) or len(set(names)) < len(names):
            raise ValueError("cada uno debe ser un nombre de sitio, como prep2027.ejemplo.mx, y sin repetir")
        return names

    @field_validator("correo")
    @classmethod
    def _mail(cls, value: str | None) -> str | None:
        if value is not None and not _CORREO.fullmatch(value):
            raise ValueError("debe ser un correo electrónico")
        return value

    @field_validator("acme")
    @classmethod
    def _over_tls(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https://[A-Za-z0-9.:/_~\[\]-]+", value):
            raise ValueError("debe comenzar con https://")
        return value

    @model_validator(mode="after")
    def _keys_of_each_kind(self) -> Servidor:
        given = {name for name in ("certificado", "clave") if getattr(self, name) is not None}
        asked = {name for name in ("correo", "acme", "acme_ca") if getattr(self, name) is not None}
        if self.tls == "archivo" and len(given) < 2:
            raise PydanticCustomError("tls", 'con tls = "archivo" hacen falta «certificado» y «clave»')
        if self.tls != "archivo" and given:
            raise PydanticCustomError("tls", '«certificado» y «clave» son de tls = "archivo"')
        if self.tls != "automatico" and asked:
            raise PydanticCustomError("tls", '«correo», «acme» y «acme_ca» son de tls = "automatico"')
        if self.tls == "automatico" and not self.nombres:
            raise PydanticCustomError("tls", 'con tls = "automatico" hacen falta los «nombres» del certificado')
        if self.tls != "no" and self.puerto_http and self.puerto_http == self.puerto:
            raise PydanticCustomError("puerto_http", "no puede ser el mismo que «puerto»")
        return self

    def public_at(self, port: int) -> str:
        """The portal's address with a final slash when it listens on ``port``: its own ``url``, else deduced."""
        if self.url:
            return self.url.rstrip("/") + "/"
        scheme, usual = ("http", 80) if self.tls == "no" else ("https", 443)
        host = self.nombres[0] if self.nombres else self.direccion
        shown = f"[{host}]" if ":" in host else host
        return f"{scheme}://{shown}{'' if port == usual else f':{port}'}{self.base}"

    @property
    def public_url(self) -> str | None:
        """``public_at`` its own port; None where the port is only known once it serves."""
        return None if self.puerto == 0 and not self.url else self.public_at(self.puerto)
