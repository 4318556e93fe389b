"""``[publico]`` of ``instituto.toml``: where the public pages are written, and whether they go with each cut."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from pregon.base.settings import Settings
from pregon.transport.lugar import Lugar

LUGARES_MAX = 8


class LugarPublico(Lugar):
    """A place into which the public pages are carried (``transport.lugar``): where the institute's web server is."""

    @field_validator("url")
    @classmethod
    def _can_be_written(cls, value: str) -> str:
        if value.startswith("https://"):
            raise PydanticCustomError("url", "por https:// sólo se lee: use sftp, scp, rsync, s3 o una carpeta")
        return value


class AjustesPublico(Settings):
    """Where, how often and to whom.

    ``carpeta``: relative to the workspace; a web server gives its ``sitio/``. Without it nothing is published.

    ``cada_s``: real seconds between two states while nothing is signed; each cut and notice is told at once.
    ``con_el_paquete``: the state in force also goes in each cut, under ``situacion/`` (docs/adr/0017).
    ``destino``: other machines to which each state is carried.
    """

    carpeta: Path | None = None
    cada_s: Annotated[float, Field(ge=5, le=3600)] = 30.0
    con_el_paquete: bool = False
    destino: Annotated[tuple[LugarPublico, ...], Field(max_length=LUGARES_MAX)] = ()

    @model_validator(mode="after")
    def _has_what_to_send(self) -> Self:
        if self.carpeta is None and (self.con_el_paquete or self.destino):
            raise PydanticCustomError("publico", "con «con_el_paquete» o «destino» hace falta «carpeta»")
        return self
