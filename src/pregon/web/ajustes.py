"""Where a signed-in site listens: the keys that the panel of a difusor and the board of the institute share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from pregon.base.settings import Settings

LOCALES = ("127.0.0.1", "::1")
"""Addresses that only this machine reaches."""


class AjustesSitio(Settings):
    """One site: off unless ``puerto`` is given.

    ``direccion``: this machine alone unless ``certificado`` and ``clave`` (PEM, relative to the workspace) and ``url``
    are there too. ``puerto`` 0 takes a free one. ``url``: the address that people type, where it is not this machine's
    own (behind a reverse proxy, or with TLS): only that host is answered, and only its pages may send forms.
    """

    direccion: str = "127.0.0.1"
    puerto: Annotated[int, Field(ge=0, le=65535)] | None = None
    certificado: Path | None = None
    clave: Path | None = None
    url: Annotated[str, Field(pattern=r"^https://[A-Za-z0-9.:\[\]-]+/?$")] | None = None

    @field_validator("direccion")
    @classmethod
    def _plain_address(cls, value: str) -> str:
        if not value or not all(char.isalnum() or char in ".:" for char in value):
            raise ValueError("debe ser una dirección IP")
        return value

    @model_validator(mode="after")
    def _never_in_the_clear(self) -> AjustesSitio:
        if (self.certificado is None) != (self.clave is None):
            raise ValueError("«certificado» y «clave» van juntos")
        if self.direccion not in LOCALES and (self.certificado is None or self.url is None):
            raise ValueError(
                "fuera de este equipo hacen falta «certificado», «clave» y «url»; sin ellos, deje 127.0.0.1 y llegue "
                "por un túnel SSH o un proxy"
            )
        return self

    @property
    def anfitrion(self) -> str | None:
        """The host (with its port, where it is not 443) of ``url``."""
        return None if self.url is None else urlsplit(self.url).netloc.lower().removesuffix(":443")
