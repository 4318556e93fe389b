"""How observations are written: one JSON object each, in which only what differs is named. And how they are read."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, get_args

from pregon.instituto.monitor.modelo import Dictamen, Forma, Muestra, Observacion, Vista

if TYPE_CHECKING:
    from collections.abc import Mapping

DISTINTAS_MAX = 20
"""Of the files that differ, so many are named: one is enough, and a record stays short."""
LEIDAS_MAX = 10_000
"""No look reads more files."""
_OPTIONAL = ("codigo", "porque", "estado", "corte", "manifiesto_sha256", "desfase_s")


def de_observacion(one: Observacion) -> dict[str, Any]:
    """``{n, punto, difusor, url, direccion, hora, alcanzable, forma, segundos, leidas, …}``; what is None is left out.

    ``distintas``: ``[ruta, esperado, sha256]`` of each file that was read and differs; ``faltan``: how many did not
    come.
    """
    made: dict[str, Any] = {
        "n": one.n,
        "punto": one.punto,
        "difusor": one.difusor,
        "url": one.url,
        "direccion": one.direccion,
        "hora": one.hora.isoformat(),
        "alcanzable": one.alcanzable,
        "forma": one.forma,
        "segundos": one.segundos,
        "leidas": max(one.leidas, len(one.muestras)),
    }
    made.update((key, value) for key in _OPTIONAL if (value := getattr(one, key)) is not None)
    made.update((key, value.isoformat()) for key in ("hora_corte", "vence") if (value := getattr(one, key)) is not None)
    if one.cabeceras:
        made["cabeceras"] = list(one.cabeceras)
    different = [[each.ruta, each.esperado, each.sha256] for each in one.muestras if not each.igual and each.sha256]
    if different:
        made["distintas"] = different[:DISTINTAS_MAX]
    if missing := [[each.ruta, each.esperado] for each in one.muestras if each.sha256 is None]:
        made["faltan"], made["faltan_total"] = missing[:DISTINTAS_MAX], len(missing)
    return made


def a_observacion(data: Mapping[str, Any]) -> Observacion:
    """The value that ``de_observacion`` wrote, without the files that were as they should be.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    samples = [Muestra(_text(ruta), _text(due), _text(found)) for ruta, due, found in data.get("distintas", ())]
    samples += [Muestra(_text(ruta), _text(due), None) for ruta, due in data.get("faltan", ())]
    read = _number(data["leidas"])
    if len(samples) > 2 * DISTINTAS_MAX or not len(samples) <= read <= LEIDAS_MAX:
        raise ValueError("leidas")
    # So that how many did not come, among all, is counted as it was.
    unnamed = _number(data.get("faltan_total", 0)) - len(data.get("faltan", ()))
    samples += [Muestra("", "", None) for _ in range(min(max(unnamed, 0), read - len(samples)))]
    form = data["forma"]
    if form not in get_args(Forma):
        raise ValueError(form)
    well = [Muestra("", "", "") for _ in range(read - len(samples))]
    return Observacion(
        punto=_text(data["punto"]),
        difusor=_text(data["difusor"]),
        url=_text(data["url"]),
        hora=_instant(data["hora"]),
        alcanzable=data["alcanzable"] is True,
        codigo=_maybe(data.get("codigo")),
        estado=None if data.get("estado") is None else _number(data["estado"]),
        forma=form,
        corte=None if data.get("corte") is None else _number(data["corte"]),
        hora_corte=None if data.get("hora_corte") is None else _instant(data["hora_corte"]),
        manifiesto_sha256=_maybe(data.get("manifiesto_sha256")),
        cabeceras=tuple(_text(one) for one in data.get("cabeceras", ())),
        muestras=(*samples, *well),
        segundos=float(data["segundos"]),
        desfase_s=None if data.get("desfase_s") is None else float(data["desfase_s"]),
        n=_number(data["n"]),
        direccion=_number(data["direccion"]),
        leidas=read,
        porque=_maybe(data.get("porque")),
        vence=None if data.get("vence") is None else _instant(data["vence"]),
    )


def de_vista(one: Vista) -> dict[str, Any]:
    """``{punto, hora, con_red, alguien}``."""
    return {"punto": one.punto, "hora": one.hora.isoformat(), "con_red": one.con_red, "alguien": one.alguien}


def a_vista(data: Mapping[str, Any]) -> Vista:
    """The value that ``de_vista`` wrote. Raises as ``a_observacion``."""
    return Vista(_text(data["punto"]), _instant(data["hora"]), data["con_red"] is True, data["alguien"] is True)


def de_dictamen(one: Dictamen) -> dict[str, Any]:
    """``{difusor, hora, veredicto, causa, motivos, corte, atraso_s, evidencia}``."""
    return {
        "difusor": one.difusor,
        "hora": one.hora.isoformat(),
        "veredicto": one.veredicto,
        "causa": one.causa,
        "motivos": list(one.motivos),
        "corte": one.corte,
        "atraso_s": None if one.atraso_s is None else round(one.atraso_s, 1),
        "evidencia": list(one.evidencia),
    }


def a_dictamen(data: Mapping[str, Any]) -> Dictamen:
    """The value that ``de_dictamen`` wrote, which is our own. Raises as ``a_observacion``."""
    return Dictamen(
        difusor=_text(data["difusor"]),
        hora=_instant(data["hora"]),
        veredicto=data["veredicto"],
        causa=data["causa"],
        motivos=tuple(data["motivos"]),
        corte=data["corte"],
        atraso_s=data["atraso_s"],
        evidencia=tuple(data["evidencia"]),
    )


def _instant(value: Any) -> datetime:
    found = datetime.fromisoformat(_text(value))
    if found.tzinfo is None:
        raise ValueError(value)
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 4000:
        raise TypeError("texto")
    return value


def _maybe(value: Any) -> str | None:
    return None if value is None else _text(value)


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 53:
        raise TypeError("número")
    return value
