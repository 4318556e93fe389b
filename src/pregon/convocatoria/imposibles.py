"""Profiles that cannot be: checks between keys, each problem with the path of the key to correct.

They run on the table as it was read, before the model, so that one wrong key does not hide the problems of the
others: a check whose values are missing or of another type is skipped (the model reports those itself). Instants are
compared as the local times that were written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from pregon.convocatoria.direcciones import address_problems
from pregon.convocatoria.imagenes import template_problems
from pregon.convocatoria.tipos import CONTIENDAS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

T = TypeVar("T")

BEFORE_START = (
    "solicitud",
    "infraestructura",
    "documentos",
    "logo",
    "analisis_capacidad",
    "procedimiento",
    "calendario_pruebas",
    "lista",
)
"""Deadlines that make no sense after the start of publication."""


@dataclass(frozen=True)
class Problem:
    """What is wrong, in Spanish, and where: ``("plazos", "solicitud")``, ``("simulacros", 0, "fecha")``."""

    path: tuple[str | int, ...]
    text: str
    value: object = None


def find_problems(table: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Every contradiction between the keys of ``table`` (a profile as TOML gives it)."""
    plain = _plain(table)
    checks = (
        _night,
        _elections,
        _deadlines,
        _calendar,
        _transport,
        _package,
        _failure,
        _reports,
        _trust,
        _images,
        _verifier,
    )
    return tuple(problem for check in checks for problem in check(plain))


def _night(table: Mapping[str, Any]) -> Iterator[Problem]:
    start = _moment(table, "inicio")
    end = _moment(table, "fin_actualizacion")
    kept = _moment(table, "permanencia_hasta")
    if start and end and end <= start:
        yield Problem(("fin_actualizacion",), "debe ser posterior a «inicio»", end)
    if start and kept and kept <= start:
        yield Problem(("permanencia_hasta",), "debe ser posterior a «inicio»", kept)
    if end and kept and kept < end:
        yield Problem(("permanencia_hasta",), "no puede ser anterior a «fin_actualizacion»", kept)
    interval = _get(table, int, "intervalo_min")
    shortest = _get(table, int, "intervalo_piso_min")
    if interval is not None and shortest is not None and shortest > interval:
        yield Problem(("intervalo_piso_min",), "no puede ser mayor que «intervalo_min»", shortest)
    if start and end and interval and start < end < start + timedelta(minutes=interval):
        yield Problem(("intervalo_min",), "no cabe ni una actualización entre «inicio» y «fin_actualizacion»", interval)
    if interval is None or interval < 1:
        return
    for key in ("retraso_max_s", "transferencia_max_s"):
        seconds = _get(table, int, key)
        if seconds is not None and seconds > interval * 60:
            yield Problem((key,), f"pasa del intervalo entre cortes ({interval * 60} s)", seconds)


def _elections(table: Mapping[str, Any]) -> Iterator[Problem]:
    codes = _get(table, list, "elecciones") or []
    contests = {code: contest for code, contest, _ in CONTIENDAS}
    seen: dict[str, str] = {}
    for index, code in enumerate(codes):
        if not isinstance(code, str) or code not in contests:
            continue
        other = seen.setdefault(contests[code], code)
        if other != code:
            yield Problem(("elecciones", index), f"comparte la contienda «{contests[code]}» con {other}", code)
        elif codes.index(code) != index:
            yield Problem(("elecciones", index), "está repetida", code)


def _deadlines(table: Mapping[str, Any]) -> Iterator[Problem]:
    start = _moment(table, "inicio")
    deadlines = _get(table, dict, "plazos")
    if start is None or deadlines is None:
        return
    for name in BEFORE_START:
        when = _moment(deadlines, name)
        if when is not None and when >= start:
            yield Problem(("plazos", name), "el plazo vence después del inicio de la publicación", deadlines[name])
    template, delivery = _moment(deadlines, "memoria_formato"), _moment(deadlines, "memoria_entrega")
    if delivery is not None and delivery <= start:
        yield Problem(("plazos", "memoria_entrega"), "la memoria no puede entregarse antes de la noche", delivery)
    if template is not None and delivery is not None and template >= delivery:
        yield Problem(("plazos", "memoria_formato"), "el formato llega cuando la memoria ya venció", template)


def _calendar(table: Mapping[str, Any]) -> Iterator[Problem]:
    start = _moment(table, "inicio")
    for index, rehearsal in enumerate(_tables(table, "simulacros")):
        day = _moment(rehearsal, "fecha")
        if start and day and day >= start:
            yield Problem(("simulacros", index, "fecha"), "el simulacro es posterior al inicio", rehearsal["fecha"])
    for key in ("ventanas_prueba", "etapas"):
        for index, window in enumerate(_tables(table, key)):
            yield from _ordered_pair(window, (key, index), "desde", "hasta")
            yield from _hours(window, (key, index))
            first = _moment(window, "desde")
            if key == "ventanas_prueba" and start and first and first >= start:
                yield Problem((key, index, "desde"), "las pruebas empiezan después del inicio", window["desde"])


def _hours(window: Mapping[str, Any], path: tuple[str | int, ...]) -> Iterator[Problem]:
    opens = _get(window, time, "hora_desde")
    closes = _get(window, time, "hora_hasta")
    if (opens is None) != (closes is None):
        missing = "hora_desde" if opens is None else "hora_hasta"
        yield Problem((*path, missing), "falta la otra hora de la ventana")
    elif opens is not None and closes is not None and closes <= opens:
        yield Problem((*path, "hora_hasta"), "debe ser posterior a «hora_desde»", closes)


def _transport(table: Mapping[str, Any]) -> Iterator[Problem]:
    carrier = _get(table, dict, "transporte")
    if carrier is None:
        return
    mode, protocol = carrier.get("modo"), carrier.get("protocolo")
    if mode == "push" and protocol != "local" and not carrier.get("puertos"):
        yield Problem(("transporte", "puertos"), "el modo push necesita al menos un puerto del difusor")
    if mode == "push" and protocol == "https":
        yield Problem(("transporte", "protocolo"), "https solo sirve al modo pull", protocol)
    public = _get(table, list, "puertos_publicos") or []
    restricted = _get(table, list, "puertos_restringidos") or []
    for index, port in enumerate(restricted):
        if port in public:
            yield Problem(("puertos_restringidos", index), "también figura en «puertos_publicos»", port)
    if mode == "push" and restricted:
        for index, port in enumerate(_get(carrier, list, "puertos") or []):
            if port not in restricted:
                yield Problem(("transporte", "puertos", index), "no figura en «puertos_restringidos»", port)


def _package(table: Mapping[str, Any]) -> Iterator[Problem]:
    package = _get(table, dict, "paquete")
    if package is None:
        return
    least, most = _get(package, int, "tam_min_mb"), _get(package, int, "tam_max_mb")
    if least is not None and most is not None and most < least:
        yield Problem(("paquete", "tam_max_mb"), "es menor que «tam_min_mb»", most)
    if package.get("formatos") == []:
        yield Problem(("paquete", "formatos"), "un paquete sin formatos no publica nada", [])


def _failure(table: Mapping[str, Any]) -> Iterator[Problem]:
    failure = _get(table, dict, "fallo")
    if failure is None:
        return
    causes = _get(failure, list, "causas")
    if causes == []:
        yield Problem(("fallo", "causas"), "debe nombrar al menos una causa", causes)
    count = failure.get("periodos")
    if causes is not None and ("periodos" in causes) != (count is not None):
        yield Problem(("fallo", "periodos"), "la causa «periodos» y el número de periodos van juntos", count)
    counted = causes is not None and "periodos" in causes and failure.get("accion") == "interrumpir"
    if failure.get("automatica") is True and not counted:
        why = "sólo se interrumpe sin una persona donde la convocatoria da la cuenta"
        yield Problem(("fallo", "automatica"), why, failure["automatica"])


def _reports(table: Mapping[str, Any]) -> Iterator[Problem]:
    report = _get(table, dict, "memoria")
    if report is None:
        return
    sections = _get(report, list, "secciones") or []
    for kind in ("bitacoras", "estadisticas"):
        yield from _ordered_pair(report, ("memoria",), f"{kind}_desde", f"{kind}_hasta")
        if f"{kind}_desde" in report and kind not in sections:
            yield Problem(("memoria", f"{kind}_desde"), f"«secciones» no pide «{kind}»", report[f"{kind}_desde"])


def _trust(table: Mapping[str, Any]) -> Iterator[Problem]:
    proof = table.get("verificacion", "firma")
    reception = table.get("recepcion")
    if proof == "ninguna" and reception == "suma":
        yield Problem(("recepcion",), "no hay suma que esperar si «verificacion» es «ninguna»", reception)
    if proof in ("suma", "ninguna") and reception is None:
        yield Problem(("recepcion",), "sin firma hay que decir cómo se sabe que un paquete está completo")


def _images(table: Mapping[str, Any]) -> Iterator[Problem]:
    template = _get(table, str, "imagenes_url")
    if template:
        for text in template_problems(template):
            yield Problem(("imagenes_url",), text, template)


def _verifier(table: Mapping[str, Any]) -> Iterator[Problem]:
    address = _get(table, str, "verificador_url")
    if address:
        for text in address_problems(address, "está el verificador"):
            yield Problem(("verificador_url",), text, address)


def _ordered_pair(table: Mapping[str, Any], path: tuple[str | int, ...], first: str, last: str) -> Iterator[Problem]:
    begins, ends = _get(table, date, first), _get(table, date, last)
    if begins is not None and ends is not None and ends < begins:
        yield Problem((*path, last), f"es anterior a «{first}»", ends)
    if (begins is None) != (ends is None) and (first in table) != (last in table):
        missing = first if first not in table else last
        yield Problem((*path, missing), "falta la otra fecha del periodo")


def _plain(value: Any) -> Any:
    """The same table with models as tables and tuples as lists, whoever built it."""
    if isinstance(value, BaseModel):
        return {key: _plain(item) for key, item in value if item is not None}
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _get(table: Mapping[str, Any], kind: type[T], key: str) -> T | None:
    value = table.get(key)
    return value if isinstance(value, kind) and not isinstance(value, bool) else None


def _tables(table: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    items = _get(table, list, key) or []
    return [item if isinstance(item, dict) else {} for item in items]


def _moment(table: Mapping[str, Any], key: str) -> datetime | None:
    """The local time written at ``key``; a day is its first instant."""
    value = table.get(key)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, date):
        return datetime.combine(value, time())
    return None
