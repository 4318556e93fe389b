"""``[servidor]`` of ``difusor.toml``: where the portal is served."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from pregon.base.settings import Settings


class Servidor(Settings):
    """Where the embedded web server listens, and what the public calls it.

    ``puerto`` 0 takes a free one at each start. ``base`` is the path under which the portal lives («/» or
    «/prep2024/»); ``url`` is the public address for the self-check and the reports, deduced where absent.
    """

    direccion: str = "127.0.0.1"
    puerto: Annotated[int, Field(ge=0, le=65535)] = 8080
    base: Annotated[str, Field(pattern=r"^/(?:[A-Za-z0-9._~-]+/)*$")] = "/"
    url: str | None = None

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

    @property
    def public_url(self) -> str | None:
        """The portal's address with a final slash; None where the port is only known once it serves."""
        if self.url:
            return self.url.rstrip("/") + "/"
        if self.puerto == 0:
            return None
        host = f"[{self.direccion}]" if ":" in self.direccion else self.direccion
        return f"http://{host}:{self.puerto}{self.base}"
