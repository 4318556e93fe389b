"""``aforo.toml``: what no package and no profile says. Each default is an assumption, and the document prints it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator

from pregon.base.errors import EntradaError
from pregon.base.settings import Settings, load_toml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Clase = Literal["contienda", "unidad", "secciones", "otra"]
"""Kinds of page besides the cover: of a contest, of a district or municipality, of secciones, and the rest."""
Representacion = Literal["gzip", "br", "identidad"]
Programa = Literal["caddy", "apache", "nginx"]
_Pct = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
_Mas = Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]
_Texto = Annotated[str, Field(min_length=1, max_length=2000)]

ARCHIVO = "aforo.toml"
"""Its name in a difusor's folder."""
MEZCLA: dict[Clase, float] = {"contienda": 45.0, "unidad": 35.0, "secciones": 10.0, "otra": 10.0}
HORAS = (20.0, 22.0, 16.0, 11.0, 7.0, 4.0, 2.5, 1.5, 1.0, 1.0, 1.5, 2.0, 2.0, 1.5, 1.0)
"""Weight of each hour from the start on; every later hour weighs like the last. Nobody has published a curve of a PREP
portal: this one says that half come in the first two hours and few before dawn. The own log of a past night is
better."""


class Poblacion(Settings):
    """Who could come (GRO-2.4h, INE-II-a-iii-3b). No number of people is assumed: each is given with its source.

    ``interes_pct``: of those with Internet, who looks at the PREP that night. ``cuota_pct``: of these, who comes to
    this portal and not to another's; if not said, one part of ``difusores``.
    """

    personas: Annotated[int, Field(gt=0)]
    fuente: _Texto
    internet_pct: _Pct
    fuente_internet: _Texto
    interes_pct: _Pct = 25.0
    cuota_pct: _Pct | None = None
    difusores: Annotated[int, Field(gt=0)] = 10

    @property
    def cuota(self) -> float:
        """The part that comes here, of 1."""
        return 1 / self.difusores if self.cuota_pct is None else self.cuota_pct / 100


class Antecedente(Settings):
    """A night that was: of the own portal, or of a past PREP (INE-II-a-iii-3b).

    ``conectados``: people with Internet then; with ``[poblacion]``, visitors grow as they have. ``factor``: what else
    makes this night bigger or smaller, such as a governor's election after a midterm.

    ``medidas``: the file of ``pregon memoria medidas --json`` of that night, in the place of ``visitantes``; of its
    ``sitio`` and ``ventana`` (if not said, the one with most visitors). With ``costumbres`` this night's visits are
    also as those were, and with ``inicio``, when that night began, so are its hours.
    """

    nombre: _Texto
    fuente: _Texto
    visitantes: Annotated[int, Field(gt=0)] | None = None
    medidas: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    sitio: Literal["prep", "portal"] = "prep"
    ventana: _Texto | None = None
    costumbres: bool = False
    inicio: AwareDatetime | None = None
    conectados: Annotated[int, Field(gt=0)] | None = None
    factor: _Mas = 1.0

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Antecedente:
        if (self.visitantes is None) == (self.medidas is None):
            raise ValueError("hace falta «visitantes» o «medidas», uno de los dos")
        if self.medidas is None and (self.costumbres or self.inicio is not None or self.ventana is not None):
            raise ValueError("«costumbres», «inicio» y «ventana» son de «medidas»")
        return self


class Visita(Settings):
    """What one visitor does. ``visitas``: times he comes in the night; ``paginas`` and ``minutos``, of each time.

    ``descarga_pct``: of the visits, those that take a whole data base. ``mezcla``: of which kind are the pages after
    the cover, in parts of any sum. ``representacion``: what the browsers take; gzip is the heaviest that they take
    today.
    """

    visitas: Annotated[float, Field(ge=1, le=1000)] = 1.5
    paginas: Annotated[float, Field(ge=1, le=1000)] = 3.0
    minutos: Annotated[float, Field(gt=0, le=1440)] = 10.0
    descarga_pct: _Pct = 0.5
    mezcla: dict[Clase, Annotated[float, Field(ge=0, le=1e6)]] = MEZCLA
    representacion: Representacion = "gzip"

    @model_validator(mode="after")
    def _some_page(self) -> Visita:
        if not sum(self.mezcla.values()) > 0:
            raise ValueError("la «mezcla» no puede ser toda cero")
        return self


class Curva(Settings):
    """When they come. ``apertura_pct`` wait for the start; ``pulso_pct`` come because there is a new cut; the rest, by
    the hour. ``*_min``: mean minutes from the start, or from the cut, until they come."""

    apertura_pct: _Pct = 5.0
    apertura_min: _Mas = 5.0
    pulso_pct: _Pct = 40.0
    pulso_min: _Mas = 4.0
    horas: tuple[Annotated[float, Field(ge=0, le=1e9)], ...] = HORAS

    @model_validator(mode="after")
    def _parts_of_a_whole(self) -> Curva:
        if self.apertura_pct + self.pulso_pct > 100:
            raise ValueError("«apertura_pct» y «pulso_pct» suman más de 100")
        if not self.horas or not max(self.horas) > 0 or not self.horas[-1] > 0:
            raise ValueError("«horas» necesita pesos, y el último vale para todas las que siguen: mayor que cero")
        return self


class Red(Settings):
    """The network between. ``mbps_usuario`` and ``ida_vuelta_ms``: of a slow telephone, the one that must still have
    its page in time. ``cabeceras_bytes``: of each question and answer; ``tls_bytes``: of opening a connection."""

    mbps_usuario: _Mas = 1.6
    ida_vuelta_ms: _Mas = 150.0
    vueltas: Annotated[int, Field(ge=1, le=50)] = 3
    """Of question and answer that a page takes one after another: itself, what it names, its data."""
    cabeceras_bytes: Annotated[int, Field(ge=0, le=100_000)] = 1_500
    tls_bytes: Annotated[int, Field(ge=0, le=100_000)] = 6_000
    sobrecosto_pct: _Pct = 5.0
    """What TCP, IP and Ethernet add to the bytes."""


class Servidor(Settings):
    """What the difusor has. ``mbps``: of all its machines together towards the Internet. ``por_nucleo``: answers that
    one core gives in a second with everything on; None: what was measured of each program."""

    programa: Programa = "caddy"
    equipos: Annotated[int, Field(ge=1, le=10_000)] = 1
    nucleos: Annotated[int, Field(ge=1, le=1024)] = 2
    mbps: _Mas = 100.0
    por_nucleo: _Mas | None = None
    ocupacion_max_pct: Annotated[float, Field(gt=0, lt=100)] = 70.0


class Cdn(Settings):
    """A network of distribution in front. ``orillas``: places of it that each ask for themselves."""

    nombre: _Texto
    orillas: Annotated[int, Field(ge=1, le=100_000)] = 15
    mbps: _Mas | None = None


class Banda(Settings):
    """How wrong the number of visitors may be: from ``baja`` to ``alta`` times it. What is sized is sized for the
    high."""

    baja: Annotated[float, Field(gt=0, le=1)] = 0.5
    alta: Annotated[float, Field(ge=1, le=100)] = 2.0


class AjustesAforo(Settings):
    """The whole file. ``visitantes``: a number decided by people, with ``fuente``; it goes before every estimate."""

    difusor: _Texto | None = None
    elabora: _Texto | None = None
    visitantes: Annotated[int, Field(gt=0)] | None = None
    fuente: _Texto | None = None
    intervalo_min: Annotated[int, Field(ge=1, le=1440)] | None = None
    zonas: tuple[_Texto, ...] = ()
    notas: tuple[_Texto, ...] = ()
    poblacion: Poblacion | None = None
    antecedente: tuple[Antecedente, ...] = ()
    visita: Visita = Visita()
    curva: Curva = Curva()
    red: Red = Red()
    servidor: Servidor = Servidor()
    cdn: Cdn | None = None
    banda: Banda = Banda()

    @model_validator(mode="after")
    def _a_number_has_a_source(self) -> AjustesAforo:
        if self.visitantes is not None and self.fuente is None:
            raise ValueError("«visitantes» necesita «fuente»: de dónde sale el número")
        return self


def lee(path: Path | None) -> AjustesAforo:
    """``aforo.toml``, or every default. Raises as ``load_toml``."""
    return AjustesAforo() if path is None else load_toml(path, AjustesAforo)


def con_visitantes(settings: AjustesAforo, number: int | None) -> AjustesAforo:
    """The same with a number of visitors given on the command line.

    Raises:
        EntradaError: nothing says how many come.
    """
    if number is not None:
        return settings.model_copy(update={"visitantes": number, "fuente": "dado en la orden"})
    if settings.visitantes is None and settings.poblacion is None and not settings.antecedente:
        raise EntradaError(
            "Nada dice cuántos visitantes se esperan.",
            intacto="No se calculó ni se escribió nada.",
            que_hacer="Escriba [poblacion] o [[antecedente]] en aforo.toml («pregon aforo plantilla» da uno), o use "
            "--visitantes N.",
        )
    return settings


def mezcla(visita: Visita, hay: Mapping[str, object]) -> dict[str, float]:
    """The part of each kind of page that the package really has; of 1 in all. Empty where it has no page but the
    cover."""
    parts = {name: part for name, part in visita.mezcla.items() if name in hay and part > 0}
    if not parts and hay:
        parts = dict.fromkeys(hay, 1.0)  # type: ignore[arg-type]
    total = math.fsum(parts.values())
    return {name: part / total for name, part in parts.items()}
