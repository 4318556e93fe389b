"""``difusor.toml``: everything that a difusor's administrator decides, in one frozen model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, field_validator, model_validator

from pregon.base.settings import Settings

Ambiente = Literal["oficial", "simulacro"]

ENTRADA = "entrada"
"""Value of ``origen`` that means: the sender pushes into our own ``entrada/``."""


class Reloj(Settings):
    """How this machine knows that its clock is right.

    ``fuente``: ``chrony`` asks the local chronyd, ``ntp`` asks ``servidor``, ``ninguna`` measures nothing (then only
    a witness opens the embargo), ``simulado`` takes ``desfase_s`` as measured. ``max_desfase_s`` is the limit in
    seconds. ``simulado`` names the file of a simulated clock. Both simulated keys: only where ambiente = simulacro.
    """

    fuente: Literal["chrony", "ntp", "ninguna", "simulado"] = "chrony"
    servidor: str = "cronos.cenam.mx"
    max_desfase_s: Annotated[float, Field(gt=0, le=60)] = 2.0
    desfase_s: float = 0.0
    simulado: Path | None = None


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


class DifusorSettings(Settings):
    """The settings of one difusor for one convocatoria.

    ``convocatoria``: the id of a shipped profile or the path of a TOML (relative to the workspace). ``origen``:
    ``entrada`` (the sender pushes here), a folder, or its ``file://`` address. ``sondeo_s``: seconds between passes.
    """

    convocatoria: str
    ambiente: Ambiente = "oficial"
    id: Annotated[str, Field(pattern=r"^[a-z0-9-]{2,32}$")]
    nodo: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")] = "principal"
    origen: str = ENTRADA
    sondeo_s: Annotated[float, Field(ge=0.05, le=3600)] = 5.0
    reloj: Reloj = Reloj()
    servidor: Servidor = Servidor()

    @field_validator("origen")
    @classmethod
    def _known_carrier(cls, value: str) -> str:
        scheme = urlsplit(value).scheme
        if scheme not in ("", "file"):
            raise ValueError("por ahora «entrada», una carpeta o file://…")
        if not value:
            raise ValueError("vacío")
        return value

    @model_validator(mode="after")
    def _simulated_time_is_for_simulacro(self) -> DifusorSettings:
        if self.ambiente != "simulacro" and (self.reloj.simulado is not None or self.reloj.fuente == "simulado"):
            raise ValueError('reloj: el tiempo simulado solo existe donde ambiente = "simulacro"')
        return self

    def origin_folder(self, workspace: Path) -> Path:
        """The folder to read the repository from; relative ones count from the workspace."""
        if self.origen == ENTRADA:
            return workspace / ENTRADA
        if self.origen.startswith("file:"):
            return Path(unquote(urlsplit(self.origen).path))
        return workspace / self.origen
