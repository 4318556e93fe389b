"""What the panel shows of one moment: gathered without ever failing, in words, nothing that may act."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pregon.base.errors import PregonError
from pregon.convocatoria.calendario import apremian, proximas
from pregon.difusor.decide import Tiempos, overdue_at
from pregon.difusor.panel import palabras
from pregon.difusor.panel.palabras import hace, hora
from pregon.difusor.report import estado as report
from pregon.difusor.situacion import situation_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pregon.base.state import Event
    from pregon.difusor.historia.pronostico import Pronostico
    from pregon.difusor.libro import Libro
    from pregon.difusor.workspace import Workspace

_logger = logging.getLogger(__name__)

INTENTO = "INTENTO"
"""The alarm about the last attempt."""
PORTAL = "PORTAL"
"""How the codes of alarms about the public address begin."""
POCO_DISCO = 2_000_000_000
"""Bytes free under which the disk is shown as something to look at."""


@dataclass(frozen=True)
class Dato:
    """One line of the page: ``tono`` is ``calma``, ``bien``, ``ojo`` or ``mal``."""

    clave: str
    etiqueta: str
    valor: str
    detalle: str = ""
    tono: str = "calma"


@dataclass(frozen=True)
class Aviso:
    """Something that asks for a person: since when, and what to do."""

    codigo: str
    texto: str
    que_hacer: str
    desde: str
    grave: bool


@dataclass(frozen=True)
class Foto:
    """One moment. ``estado`` is None where it could not be read; ``faltan`` says what could not, and why.
    ``vigilada``: the self-watch has looked."""

    hora: datetime
    estado: str | None
    nombre: str
    explica: str
    tono: str
    desde: str
    corte: Dato | None
    datos: tuple[Dato, ...]
    avisos: tuple[Aviso, ...]
    vigilada: bool
    eventos: tuple[tuple[str, str, str], ...]
    faltan: tuple[str, ...]


def toma(
    workspace: Workspace,
    libro: Libro,
    now: datetime,
    *,
    eventos: Callable[[], Sequence[Event]],
    alarmas: Callable[[], Sequence[Aviso] | None],
    pronostico: Callable[[], Pronostico],
) -> Foto:
    """The moment ``now``. Each part is read by itself: one that fails is told in ``faltan`` and the others stay."""
    missing: list[str] = []

    def read(what: str, part: Callable[[], Any]) -> Any:
        try:
            return part()
        except PregonError as exc:
            missing.append(f"{what}: {exc.que_paso}")
        except Exception:
            # The border of the panel: whatever is wrong in what it reads, it must show the rest.
            _logger.exception("panel: %s", what)
            missing.append(f"{what}: falla interna; está en el registro del servicio")
        return None

    data = read("El estado", lambda: report(workspace, libro, now))
    zona = workspace.convocatoria.zona
    alarms: Sequence[Aviso] | None = read("Las alarmas", alarmas)
    rows: list[Dato] = []
    if data is not None:
        rows += [each for each in (read("El corte siguiente", lambda: _next(workspace, libro, now)),) if each]
        rows += [each for each in (read("El calendario", lambda: _deadline(workspace, now)),) if each]
        rows.append(_attempt(data["ultimo_intento"], zona, now))
        rows.append(_address(data, alarms))
        rows += [] if not data["nube"] else [_cloud(data["nube"])]
        rows.append(_clock(data["reloj"]))
    forecast = read("El pronóstico del disco", pronostico)
    if data is not None:
        rows.append(_disk(data["disco_libre"], forecast))
    journal = read("La bitácora", eventos) or ()
    name, explains, tone = palabras.ESTADOS.get("" if data is None else data["estado"], _NADA)
    since = None if data is None or data["desde"] is None else datetime.fromisoformat(data["desde"])
    return Foto(
        hora=now,
        estado=None if data is None else data["estado"],
        nombre=name,
        explica=explains,
        tono=tone,
        desde="" if since is None else f"desde {_at(since, zona, now)}, hace {hace((now - since).total_seconds())}",
        corte=None if data is None or data["corte"] is None else _cut(data["corte"], zona, now),
        datos=tuple(rows),
        vigilada=alarms is not None,
        avisos=tuple(_merge(alarms or (), data)),
        eventos=tuple(
            (hora(event.hora, zona, now), *palabras.evento(event.tipo, event.dato)) for event in reversed(journal)
        ),
        faltan=tuple(dict.fromkeys(missing)),
    )


_NADA = ("Sin datos", "No se pudo leer el estado. El sitio público no depende de esto.", "mal")


def _at(instant: datetime, zona: Any, now: datetime) -> str:
    text = hora(instant, zona, now)
    return f"las {text}" if text[0].isdigit() and len(text) <= len("22:40:00") else f"el {text}"


def _cut(data: dict[str, Any], zona: Any, now: datetime) -> Dato:
    proof = {"firma": "firmado por el instituto", "suma": "completo según sus sumas, sin firma"}
    when = hora(datetime.fromisoformat(data["hora_corte"]), zona, now)
    return Dato("corte", f"Corte {data['numero']}", when, proof.get(data["prueba"], "sin comprobar"))


def _next(workspace: Workspace, libro: Libro, now: datetime) -> Dato | None:
    zona = workspace.convocatoria.zona
    last = libro.ultimo()
    inicio = workspace.convocatoria.inicio
    if last is None or (libro.publicado is None and now < inicio):
        return Dato("siguiente", "Inicio", hora(inicio, zona, now), _ahead(inicio, now))
    if last.ultimo:
        return Dato("siguiente", "Siguiente corte", "ninguno", "Éste fue el último.")
    if last.proximo is None:
        return Dato("siguiente", "Siguiente corte", "sin hora anunciada")
    situation = situation_of(workspace, libro, now)
    times: Tiempos = situation.tiempos
    due = overdue_at(situation.corte, times) if situation.corte is not None else None
    late = due is not None and now > due
    return Dato(
        "siguiente",
        "Siguiente corte",
        hora(last.proximo, zona, now),
        f"Lleva {hace((now - last.proximo).total_seconds())} de retraso." if late else _ahead(last.proximo, now),
        "ojo" if late else "calma",
    )


def _ahead(instant: datetime, now: datetime) -> str:
    seconds = (instant - now).total_seconds()
    return f"Faltan {hace(seconds)}." if seconds >= 60 else "Es la hora." if seconds > -60 else "Puede llegar ya."


def _deadline(workspace: Workspace, now: datetime) -> Dato | None:
    """The next deadline of the difusor, until the start; near ones stand out. Of several, how many more wait."""
    call = workspace.convocatoria
    left = [] if now >= call.inicio else [one for one in proximas(call, now, quien="difusor") if one.limite]
    if not left:
        return None
    near = apremian(call, now)
    more = len(left) - 1
    detail = f"{left[0].que}." + (f" Después, {more} más." if more else "")
    return Dato("plazo", "Plazo siguiente", left[0].cuando().capitalize(), detail, "ojo" if near else "calma")


def _attempt(data: dict[str, Any], zona: Any, now: datetime) -> Dato:
    if data["hora"] is None:
        return Dato("intento", "Último intento", "ninguno todavía")
    words = palabras.RESULTADOS.get(data["resultado"], str(data["resultado"]))
    failed = data["codigo"] is not None
    detail = f"{words}: {palabras.codigo(data['codigo'])}." if failed else f"{words}."
    when = datetime.fromisoformat(data["hora"])
    return Dato("intento", "Último intento", hora(when, zona, now, segundos=True), detail, "mal" if failed else "bien")


def _address(data: dict[str, Any], alarms: Sequence[Aviso] | None) -> Dato:
    if not data["urls"]:
        return Dato("publico", "Dirección pública", "sin servidor", "No se sabe dónde lo ve el público.", "ojo")
    wrong = [each.texto for each in alarms or () if each.codigo.startswith(PORTAL)]
    if alarms is None:
        return Dato("publico", "Dirección pública", data["urls"][0], "La vigilancia todavía no la comprueba.")
    detail = f"{wrong[0]}." if wrong else "La vigilancia la ve bien."
    return Dato("publico", "Dirección pública", data["urls"][0], detail, "mal" if wrong else "bien")


def _cloud(data: Sequence[dict[str, Any]]) -> Dato:
    """One line for every target: how many show what they must, and what is wrong with the others."""
    late = [each for each in data if each["pendiente"] is not None or each["error"] is not None]
    value = f"{len(data) - len(late)} de {len(data)} al día"
    if not late:
        return Dato("nube", "Nube", value, f"{', '.join(each['nombre'] for each in data)}.", "bien")
    said = (
        f"{each['nombre']}: {'va subiendo' if each['error'] is None else each['error']['que_paso'].rstrip('.')}"
        for each in late
    )
    failing = any(each["error"] is not None for each in late)
    return Dato("nube", "Nube", value, f"{'; '.join(said)}.", "mal" if failing else "ojo")


def _clock(data: dict[str, Any]) -> Dato:
    offset = data["desfase_s"]
    value = "sin medir" if offset is None else f"{'+' if offset >= 0 else '−'}{abs(offset):.3f} s"
    tone = "bien" if data["fiable"] else "ojo"
    return Dato("reloj", "Reloj", value, f"Fuente: {data['fuente']}." if data["fiable"] else "No es confiable.", tone)


def _disk(free: int, forecast: Pronostico | None) -> Dato:
    short = free < POCO_DISCO or (forecast is not None and not forecast.cabe)
    detail = "" if forecast is None else forecast.texto
    return Dato("disco", "Disco libre", palabras.tamano(free), detail, "ojo" if short else "calma")


def _merge(alarms: Sequence[Aviso], data: dict[str, Any] | None) -> list[Aviso]:
    """The alarms in force, the grave ones first, and what the state itself warns of and no alarm does."""
    found = sorted(alarms, key=lambda each: not each.grave)
    known = {each.codigo for each in found}
    if data is not None and INTENTO in known:
        known.add(str(data["ultimo_intento"]["codigo"]))  # that alarm says it
    for warning in [] if data is None else data["avisos"]:
        if warning["codigo"] not in known:
            code = warning["codigo"]
            found.append(Aviso(code, warning["texto"], palabras.QUE_HACER.get(code, palabras.LLAME), "", grave=False))
    return found
