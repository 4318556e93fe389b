"""``[[bitacora]]`` and ``[memoria]`` of ``difusor.toml``: which logs there are, and which days are compared."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from pregon.base.errors import AjustesError, EntradaError
from pregon.base.settings import Settings
from pregon.bitacoras.directivas import apache, nginx
from pregon.bitacoras.formatos import POR_NOMBRE, Formato, json_format

if TYPE_CHECKING:
    from collections.abc import Sequence

MAESTRO = r"^(local(\[([0-9]{1,3}|\*)\])?|yarn|(spark|k8s)://\S{1,500})$"
"""How the master of Spark is written."""
_SECRETA = re.compile(r"secret|password|token|credential|access\.key", re.IGNORECASE)
Sitio = Literal["portal", "prep"]
SITIOS: tuple[Sitio, ...] = ("portal", "prep")
"""The difusor's own portal, and its site with the PREP: the memoria asks for each apart (GRO-6.4, INE-VII-a-ii)."""


class AjustesBitacora(Settings):
    """One set of logs.

    ``sitio``: of which site. ``archivos``: files, folders or patterns (``/var/log/nginx/prep*.log*``), relative ones
    from the workspace. How they are written is found out; or one of: ``formato``, the name of a known one; ``apache``,
    the text of its ``LogFormat``; ``nginx``, that of its ``log_format``; ``campos``, where each field is in a JSON
    object (``direccion = "$.request.ip"``). ``reenvio``: the address is the first of ``X-Forwarded-For``; only behind
    a proxy of one's own that writes it.
    """

    sitio: Sitio
    archivos: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=1000)], ...], Field(min_length=1)]
    formato: str | None = None
    apache: Annotated[str, Field(max_length=4000)] | None = None
    nginx: Annotated[str, Field(max_length=4000)] | None = None
    campos: dict[str, str] | None = None
    reenvio: bool = False

    @field_validator("formato")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and value not in POR_NOMBRE:
            told = {"conocidos": ", ".join(POR_NOMBRE)}
            raise PydanticCustomError("formato", "no es un formato conocido ({conocidos})", told)
        return value

    @model_validator(mode="after")
    def _is_understood(self) -> AjustesBitacora:
        given = [name for name in ("formato", "apache", "nginx", "campos") if getattr(self, name) is not None]
        if len(given) > 1:
            raise PydanticCustomError("formato", "diga sólo uno: {given}", {"given": ", ".join(given)})
        try:
            self.leido()
        except AjustesError as exc:
            raise PydanticCustomError("formato", "{que}", {"que": exc.que_paso}) from exc
        return self

    def leido(self) -> Formato | None:
        """The format that is given; None: it is found in each file.

        Raises:
            AjustesError: it is not understood.
        """
        return given_format(formato=self.formato, de_apache=self.apache, de_nginx=self.nginx, campos=self.campos)


class AjustesMemoria(Settings):
    """``[memoria]``: what the report compares, and with what.

    ``base_desde`` to ``base_hasta``: ordinary days, both included, for the average of visits (GRO-6.4, DGO-IV-4).
    ``eleccion_desde`` to ``eleccion_hasta``: those of the election; None: those of the convocatoria. ``geoip``: a file
    of places by address (MMDB) that the operator has.
    """

    base_desde: date | None = None
    base_hasta: date | None = None
    eleccion_desde: date | None = None
    eleccion_hasta: date | None = None
    geoip: Path | None = None

    @model_validator(mode="after")
    def _in_order(self) -> AjustesMemoria:
        for first, last, name in (
            (self.base_desde, self.base_hasta, "base"),
            (self.eleccion_desde, self.eleccion_hasta, "eleccion"),
        ):
            if (first is None) != (last is None):
                raise PydanticCustomError("dias", "{name}_desde y {name}_hasta van juntas", {"name": name})
            if first is not None and last is not None and last < first:
                raise PydanticCustomError("dias", "{name}_hasta es anterior a {name}_desde", {"name": name})
        return self


class AjustesMotor(Settings):
    """``[motor]``: where the logs are measured that one machine is not enough for. Without it, here.

    ``spark``: the master, ``spark://host:7077``, ``yarn``, ``k8s://…`` or ``local[2]``; then ``archivos`` of
    ``[[bitacora]]`` may be ``s3a://…``. ``trabajo``: where it keeps its tables meanwhile (``s3a://…`` for a cluster).
    ``opciones``: any of Spark's own; no secret goes here: credentials come from the environment.
    """

    spark: Annotated[str, Field(pattern=MAESTRO)] | None = None
    trabajo: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    opciones: dict[Annotated[str, Field(pattern=r"^spark\.[A-Za-z0-9_.-]+$")], str] = Field(default_factory=dict)

    @field_validator("opciones")
    @classmethod
    def _no_secret(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if _SECRETA.search(name):
                raise PydanticCustomError("secreto", "{name} es un secreto: va en el ambiente", {"name": name})
        return value


def given_format(
    *,
    formato: str | None = None,
    de_apache: str | None = None,
    de_nginx: str | None = None,
    campos: dict[str, str] | None = None,
) -> Formato | None:
    """The format that one of them describes; None where none does. ``formato``: a known name.

    Raises:
        AjustesError: it is not understood, or there is none of that name.
    """
    if formato is not None and formato not in POR_NOMBRE:
        raise AjustesError(
            f"No se conoce el formato de bitácora «{formato}».",
            intacto="No se leyó ninguna bitácora.",
            que_hacer=f"Diga uno de: {', '.join(POR_NOMBRE)}.",
        )
    if formato is not None:
        return POR_NOMBRE[formato]
    if de_apache is not None:
        return apache(de_apache)
    if de_nginx is not None:
        return nginx(de_nginx)
    return json_format(campos) if campos is not None else None


def files_of(patterns: Sequence[str], folder: Path) -> list[Path]:
    """The files that ``archivos`` names, each once, in the order of their names; folders with all that is in them.

    Raises:
        EntradaError: a pattern or a folder has none: what is not counted must not go unseen.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        if "://" in pattern:  # An address of a store: Spark alone reads there, and knows what its patterns are.
            found[Path(pattern)] = None
            continue
        path = Path(pattern) if Path(pattern).is_absolute() else folder / pattern
        magic = any(char in path.name for char in "*?[")
        matched = sorted(path.parent.glob(path.name)) if magic else [path]
        inside = [file for one in matched for file in (sorted(one.rglob("*")) if one.is_dir() else [one])]
        files = [file for file in inside if not file.is_dir()]
        if not files:
            raise EntradaError(
                f"No hay ningún archivo en «{pattern}».", intacto="No se midió nada.", que_hacer="Revise la ruta."
            )
        found.update(dict.fromkeys(files))
    return list(found)
