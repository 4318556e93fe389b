"""``[[notifica]]``: one place that is told. ``destino`` by channel:

* ``syslog``: ``local`` (this machine's ``/dev/log``), ``unix:///path``, ``udp://host[:514]`` or ``tcp://host[:514]``;
* ``correo``: ``smtp://host[:587]`` (STARTTLS) or ``smtps://host[:465]``;
* ``webhook``: ``https://…``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from pregon.base.settings import Settings
from pregon.transport.lugar import Secreto

if TYPE_CHECKING:
    from urllib.parse import SplitResult

LOCAL = "local"
ESQUEMAS = {"syslog": ("unix", "udp", "tcp"), "correo": ("smtp", "smtps"), "webhook": ("https",)}
PUERTOS = {"udp": 514, "tcp": 514, "smtp": 587, "smtps": 465, "https": 443}
Buzon = Annotated[str, Field(pattern=r"^[^\s@<>,;:\"()\[\]\\]+@[A-Za-z0-9.-]+$", max_length=254)]
Facilidad = Literal["user", "daemon", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"]
_NAME = re.compile(r"[A-Za-z0-9._:-]+")


class AjustesCanal(Settings):
    """One channel. Paths are relative to the workspace.

    ``severidad``: the least that it is told («aviso»: everything; «alarma»: only what asks for a person now; who was
    told of a beginning is told of its end). ``de``, ``para`` and ``usuario``: of a mail. ``secreto``: the password of
    ``usuario``, or what signs a webhook. ``ca``: PEM certificates that sign the other end's, instead of the system's.
    ``facilidad``: of a syslog. ``registro``: the process log goes to this syslog too (MEX-II-1e).
    """

    canal: Literal["correo", "webhook", "syslog"]
    destino: Annotated[str, Field(min_length=1, max_length=2000)]
    severidad: Literal["alarma", "aviso"] = "aviso"
    de: Buzon | None = None
    para: tuple[Buzon, ...] = ()
    usuario: Annotated[str, Field(max_length=254)] | None = None
    secreto: Secreto | None = None
    ca: Path | None = None
    facilidad: Facilidad = "daemon"
    registro: bool = True

    @field_validator("destino")
    @classmethod
    def _an_address(cls, value: str) -> str:
        if not value.isascii() or not value.isprintable() or " " in value:
            raise PydanticCustomError("destino", "tiene caracteres que no van en una dirección")
        try:
            parts = urlsplit(value)
            port = parts.port
        except ValueError as exc:
            raise PydanticCustomError("destino", "no es una dirección") from exc
        if parts.username is not None or parts.password is not None:
            raise PydanticCustomError("destino", "no lleva cuenta ni contraseña: use «usuario» y «secreto»")
        if parts.fragment or port == 0:
            raise PydanticCustomError("destino", "no es una dirección")
        return value

    @model_validator(mode="after")
    def _goes_together(self) -> AjustesCanal:
        parts = self.partes
        if not (self.canal == "syslog" and self.destino == LOCAL):
            schemes = ESQUEMAS[self.canal]
            if parts.scheme not in schemes:
                known = " o ".join(f"{scheme}://" for scheme in schemes)
                raise ValueError(f"destino: de un {self.canal} debe comenzar con {known}")
            if not (parts.path if parts.scheme == "unix" else _NAME.fullmatch(parts.hostname or "")):
                raise ValueError("destino: le falta el nombre o la dirección del otro equipo")
            if parts.scheme not in ("unix", "https") and (parts.path.strip("/") or parts.query):
                raise ValueError("destino: no lleva ruta")
        if self.canal == "correo" and not (self.de and self.para):
            raise ValueError("un correo necesita «de» y «para»")
        if self.canal == "correo" and (self.usuario is None) != (self.secreto is None):
            raise ValueError("«usuario» y «secreto» van juntos")
        if self.canal != "correo" and (self.de or self.para or self.usuario):
            raise ValueError("«de», «para» y «usuario» son de un correo")
        if self.canal == "syslog" and (self.secreto or self.ca):
            raise ValueError("un syslog no lleva «secreto» ni «ca»")
        return self

    @property
    def partes(self) -> SplitResult:
        """``destino``, split."""
        return urlsplit(self.destino)

    @property
    def lugar(self) -> tuple[str, int]:
        """Host and port of ``destino``, the port its scheme's own where it names none."""
        return self.partes.hostname or "", self.partes.port or PUERTOS.get(self.partes.scheme, 0)

    @property
    def nombre(self) -> str:
        """The channel as it may be written in a log or shown: never its path or query, which may be a secret."""
        if self.destino == LOCAL or self.partes.scheme == "unix":
            return f"{self.canal} {self.destino}"
        return f"{self.canal} {self.partes.scheme}://{self.partes.netloc}"
