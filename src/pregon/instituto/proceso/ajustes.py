"""``[proceso]`` of instituto.toml: whom a warned difusor may ask, and the channels of each difusor's own."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from pregon.base.settings import Settings
from pregon.notifica.ajustes import AjustesCanal

CONTACTO = "la guardia técnica del instituto"
"""What a warning says where the settings name nobody."""


class CanalDifusor(AjustesCanal):
    """One channel that reaches one difusor: ``difusor`` is its id, the other keys are those of ``[[notifica]]``."""

    difusor: Annotated[str, Field(pattern=r"^[a-z0-9-]{2,32}$")]

    @field_validator("canal")
    @classmethod
    def _not_by_mail(cls, value: str) -> str:
        if value == "correo":
            raise PydanticCustomError("canal", "al correo de un difusor se escribe por [[notifica]] y sus contactos")
        return value


class AjustesProceso(Settings):
    """``contacto``: in one line, who answers a warned difusor, and how. ``canal``: each difusor's own channels."""

    contacto: Annotated[str, Field(min_length=1, max_length=300)] = CONTACTO
    canal: tuple[CanalDifusor, ...] = ()
