"""A past night as its logs measured it (``pregon memoria medidas --json``): how many came, what they did and when."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pregon.base.errors import AjustesError, EntradaError
from pregon.base.razones import razon
from pregon.base.settings import spanish_problems

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.difusor.aforo.ajustes import AjustesAforo, Antecedente

MAX_BYTES = 64 << 20
_HORA, _DIA_H = 3600, 24
_NADA = "No se calculó ni se escribió nada."
_Cuanto = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Leido(BaseModel):
    """What is read of a file that says more."""

    model_config = ConfigDict(frozen=True)


class _Minuto(_Leido):
    desde: int
    paginas: Annotated[int, Field(ge=0)]


class _Medida(_Leido):
    sitio: str
    ventana: str
    visitas: Annotated[int, Field(ge=0)]
    visitantes: Annotated[int, Field(ge=0)]
    paginas_por_visita: _Cuanto
    segundos_por_visita: _Cuanto
    por_minuto: tuple[_Minuto, ...] = ()


class _Medidas(_Leido):
    formato: Literal["pregon/medidas/1"]
    medidas: tuple[_Medida, ...]


def con_medidas(settings: AjustesAforo, base: Path) -> AjustesAforo:
    """The settings with what the logs of each past night say. ``base``: where its files are.

    A past night with ``medidas`` gives its visitors. With ``costumbres`` it also gives how often each came, pages,
    minutes and, if ``inicio`` says when it began, the weight of each hour.

    Raises:
        EntradaError: a file is not there. AjustesError: it is none of ours, or has no such site and window.
    """
    past = []
    for one in settings.antecedente:
        if one.medidas is None:
            past.append(one)
            continue
        measured = _read(base / one.medidas, one)
        past.append(one.model_copy(update={"visitantes": measured.visitantes}))
        if one.costumbres:
            settings = settings.model_copy(update=_habits(settings, one, measured))
    return settings.model_copy(update={"antecedente": tuple(past)})


def _habits(settings: AjustesAforo, one: Antecedente, measured: _Medida) -> dict[str, Any]:
    visit = settings.visita.model_copy(
        update={
            "visitas": max(1.0, measured.visitas / measured.visitantes),
            "paginas": max(1.0, measured.paginas_por_visita),
            "minutos": max(0.1, measured.segundos_por_visita / 60),
        }
    )
    hours = _hours(one, measured)
    curve = settings.curva if hours is None else settings.curva.model_copy(update={"horas": hours})
    return {"visita": visit, "curva": curve}


def _hours(one: Antecedente, measured: _Medida) -> tuple[float, ...] | None:
    """Pages of each of the first 24 hours, up to the last that had some; None where nobody says when it began."""
    if one.inicio is None:
        return None
    start = int(one.inicio.timestamp())
    weights = [0.0] * _DIA_H
    for minute in measured.por_minuto:
        place = (minute.desde - start) // _HORA
        if 0 <= place < _DIA_H:
            weights[place] += minute.paginas
    while weights and not weights[-1]:
        weights.pop()
    return tuple(weights) or None


def _read(path: Path, one: Antecedente) -> _Medida:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as exc:
        raise EntradaError(
            f"No se pudo leer {path}: {razon(exc)}.",
            intacto=_NADA,
            que_hacer="Revise «medidas» en aforo.toml: la ruta parte de la carpeta de ese archivo.",
        ) from exc
    try:
        read = _Medidas.model_validate(json.loads(data) if len(data) <= MAX_BYTES else None)
    except (ValueError, RecursionError) as exc:
        told = "; ".join(spanish_problems(exc)[:3]) if isinstance(exc, ValidationError) else str(exc)
        raise AjustesError(
            f"{path} no son medidas de Pregón: {told}.",
            intacto=_NADA,
            que_hacer="Dé lo que escribe «pregon memoria medidas --json».",
        ) from exc
    fits = [
        each
        for each in read.medidas
        if each.sitio == one.sitio and one.ventana in (None, each.ventana) and each.visitantes > 0
    ]
    if not fits:
        has = ", ".join(f"{each.sitio}/{each.ventana}" for each in read.medidas) or "ninguna"
        raise AjustesError(
            f"{path} no tiene visitantes del sitio «{one.sitio}» en esa ventana; tiene: {has}.",
            intacto=_NADA,
            que_hacer="Corrija «sitio» o «ventana» en aforo.toml.",
        )
    return max(fits, key=lambda each: each.visitantes)
