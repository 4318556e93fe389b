"""A price table: what one provider asks for what a night takes. It carries its own date and source."""

from __future__ import annotations

import tomllib
from datetime import date
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from pydantic import Field, ValidationError, model_validator

from pregon.base.errors import AjustesError
from pregon.base.razones import razon
from pregon.base.settings import Settings, spanish_problems

if TYPE_CHECKING:
    from pathlib import Path

Cuenta = Literal[
    "salida_gb", "peticiones", "funciones", "purgas", "subidas", "lecturas", "almacen_gb_mes", "equipo_h",
    "disco_gb_mes", "direccion_h", "enlace_h", "enlace_gb",
]  # fmt: skip
"""What is counted: GB that the edge sends, requests to it, runs of its function, paths purged, objects written and read
in the store, GB there for a month, hours of the machine, GB of its disk for a month, hours of its address, and hours
and GB of the private link."""
CUENTAS: tuple[Cuenta, ...] = get_args(Cuenta)
MAX_BYTES = 1 << 20
_Precio = Annotated[Decimal, Field(ge=0, le=1_000_000)]


class Tramo(Settings):
    """A price up to a quantity; without ``hasta``, of all the rest."""

    precio: _Precio
    hasta: Annotated[int, Field(gt=0)] | None = None


class Renglon(Settings):
    """The price of ``por`` units, after the first ``gratis``; with ``tramos``, the price of each part."""

    cuenta: Cuenta
    precio: _Precio | None = None
    por: Annotated[int, Field(gt=0)] = 1
    gratis: Annotated[int, Field(ge=0)] = 0
    tramos: tuple[Tramo, ...] = ()

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Renglon:
        if (self.precio is None) == (not self.tramos):
            raise ValueError("hace falta «precio» o «tramos», uno de los dos")
        limits = [one.hasta for one in self.tramos]
        if self.tramos and (limits[-1] is not None or None in limits[:-1]):
            raise ValueError("sólo el último de los «tramos» va sin «hasta»")
        known = [limit for limit in limits if limit is not None]
        if known != sorted(set(known)):
            raise ValueError("los «tramos» van de menos a más")
        return self

    def importe(self, cantidad: Decimal) -> Decimal:
        """What a quantity costs. The free units are the first ones, of the first parts."""
        low, free, total = Decimal(0), Decimal(self.gratis), Decimal(0)
        for part in self.tramos or (Tramo(precio=self.precio or Decimal(0)),):
            high = cantidad if part.hasta is None else min(cantidad, Decimal(part.hasta))
            total += max(high - max(low, free), Decimal(0)) * part.precio
            low = max(low, high)
        return total / self.por


class Precios(Settings):
    """The whole table. ``gb``: bytes of what this provider calls a GB."""

    nombre: Annotated[str, Field(min_length=1, max_length=300)]
    fecha: date
    fuente: Annotated[str, Field(min_length=1, max_length=500)]
    moneda: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    gb: Annotated[int, Field(gt=0)] = 1_000_000_000
    renglones: tuple[Renglon, ...]

    @model_validator(mode="after")
    def _each_once(self) -> Precios:
        names = [one.cuenta for one in self.renglones]
        if len(set(names)) != len(names):
            raise ValueError("un renglón está dos veces")
        return self


def lee(path: Path | None) -> Precios:
    """The table of a file, or ours.

    Raises:
        AjustesError: it cannot be read, or is no such table.
    """
    where = "la lista de precios incluida" if path is None else str(path)
    try:
        if path is None:
            data = (resources.files("pregon.difusor.nube") / "precios.toml").read_bytes()
        else:
            with path.open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise _wrong(where, f"mide más de {MAX_BYTES:,} bytes")
        return Precios.model_validate(tomllib.loads(data.decode("utf-8")))
    except OSError as exc:
        raise _wrong(where, razon(exc)) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise _wrong(where, f"no es TOML: {exc}") from exc
    except ValidationError as exc:
        raise _wrong(where, "; ".join(spanish_problems(exc))) from exc


def _wrong(where: str, problem: str) -> AjustesError:
    return AjustesError(
        f"No sirve {where}: {problem}.",
        intacto="No se calculó ni se cambió nada.",
        que_hacer="Tome como modelo la que describe docs/operacion/nube.md, y repita la orden.",
    )
