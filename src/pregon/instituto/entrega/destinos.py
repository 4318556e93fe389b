"""``[[destino]]`` and ``[entrega]`` of ``instituto.toml``: each node of each difusor, and how deliveries go out.

One table for each node (GRO-2.1b asks for several). Its keys are those of a place (``transport.lugar``) and its own;
no secret is ever here. A difusor that reads by itself (pull, over HTTPS or S3) has a table without ``url``: it says
with which key its acuses verify.
"""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic reads it
from typing import Annotated, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from pregon.base.settings import Settings, spanish_problems
from pregon.transport.lugar import Lugar

PUERTOS_MAX = 8
MBIT = 125_000
"""Bytes per second of one megabit per second."""


class Destino(Lugar):
    """One node of a difusor: where to push (``url`` and what opens it), and how its acuses come and verify.

    ``puertos``: other ports to try, in that order, when the one of ``url`` does not answer (873 and 2873: DGO, MOR).
    ``acuses``: address from which its acuses are collected, opened with the same keys and secret, or with the SSH key
    ``llave_acuses_lectura`` (the account that writes may not read). ``clave_acuses``: the public key (PEM) with which
    they verify; without it none is believed. ``todo``: the whole repository, for a store from which many read; what an
    ``s3://`` place gets unless it says otherwise. ``cadena_sin_acuse``: without acuses, take for granted that the node
    has the last cut that was delivered whole to it. ``pausado``: nothing is delivered to it.
    """

    difusor: Annotated[str, Field(pattern=r"^[a-z0-9-]{2,32}$")]
    nodo: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")] = "principal"
    url: Annotated[str, Field(min_length=1, max_length=2000)] = ""
    puertos: Annotated[tuple[Annotated[int, Field(ge=1, le=65535)], ...], Field(max_length=PUERTOS_MAX)] = ()
    acuses: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    llave_acuses_lectura: Path | None = None
    clave_acuses: Path | None = None
    todo: bool | None = None
    cadena_sin_acuse: bool = False
    pausado: bool = False

    @field_validator("url")
    @classmethod
    def _can_be_written(cls, value: str) -> str:
        if value.startswith("https://"):
            raise PydanticCustomError("url", "por https:// sólo se lee: el difusor que lee por su cuenta va sin «url»")
        return value

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not self.empuja and self.clave_acuses is None:
            raise _wrong("hace falta «url» (a dónde se entrega) o «clave_acuses» (de quien lee por su cuenta)")
        if self.acuses is not None and self.clave_acuses is None:
            raise _wrong("«acuses» pide «clave_acuses»: sin ella ningún acuse se cree")
        if self.llave_acuses_lectura is not None and self.acuses is None:
            raise _wrong("«llave_acuses_lectura» pide «acuses»")
        if self.puertos and not self.partes.hostname:
            raise _wrong("«puertos» pide una «url» con el nombre o la dirección de un equipo")
        if self.acuses is not None:
            try:
                self._of_acuses()
            except ValidationError as exc:
                raise _wrong(f"«acuses»: {'; '.join(spanish_problems(exc))}") from exc
        return self

    @property
    def nombre(self) -> str:
        """How people read it: «diario-uno/principal»."""
        return f"{self.difusor}/{self.nodo}"

    @property
    def empuja(self) -> bool:
        """Whether we deliver to it; otherwise it reads by itself."""
        return bool(self.url)

    @property
    def almacen(self) -> bool:
        """Whether it gets the whole repository."""
        return self.esquema == "s3" if self.todo is None else self.todo

    @property
    def lugares(self) -> tuple[Lugar, ...]:
        """The place to push into, once for each port to try."""
        values = self._place()
        parts = self.partes
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        user = f"{parts.username}@" if parts.username else ""
        others = [parts._replace(netloc=f"{user}{host}:{port}").geturl() for port in self.puertos]
        return tuple(Lugar.model_validate({**values, "url": url}) for url in dict.fromkeys((self.url, *others)))

    @property
    def lugar_acuses(self) -> Lugar | None:
        """The place from which acuses are collected, None where they are not."""
        return None if self.acuses is None else self._of_acuses()

    def _of_acuses(self) -> Lugar:
        llave = self.llave if self.llave_acuses_lectura is None else self.llave_acuses_lectura
        return Lugar.model_validate({**self._place(), "url": self.acuses, "llave": llave})

    def _place(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in Lugar.model_fields}


class AjustesEntrega(Settings):
    """How deliveries are shared out.

    ``a_la_vez``: deliveries that may make progress at once. ``mbps_max``: megabits per second of all together, None
    for no cap. ``intentos`` for each destination and cut, and ``plazo_s`` the seconds that they may take in all (ten
    minutes: GRO-2.2b).
    """

    a_la_vez: Annotated[int, Field(ge=1, le=64)] = 8
    mbps_max: Annotated[float, Field(gt=0, le=100_000)] | None = None
    intentos: Annotated[int, Field(ge=1, le=20)] = 4
    plazo_s: Annotated[float, Field(gt=0, le=86_400)] = 600.0

    @property
    def bytes_s(self) -> int | None:
        """The cap in bytes per second."""
        return None if self.mbps_max is None else max(1, int(self.mbps_max * MBIT))


def repeated(destinos: tuple[Destino, ...]) -> str | None:
    """The first node that has two tables."""
    seen: set[str] = set()
    for one in destinos:
        if one.nombre in seen:
            return one.nombre
        seen.add(one.nombre)
    return None


def _wrong(text: str) -> PydanticCustomError:
    return PydanticCustomError("destino", "{texto}", {"texto": text})
