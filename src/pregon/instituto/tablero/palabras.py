"""Events, verdicts and alarms in the words of the board. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pregon.instituto.bitacora import frases
from pregon.instituto.proceso.textos import MOTIVOS
from pregon.instituto.tablero.modelo import Evento

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pregon.base.state import Event
    from pregon.instituto.monitor.modelo import Dictamen
    from pregon.instituto.tablero.modelo import Tono

RUTINA: Final = frozenset({"acuse", "entrega", "mensaje", "sello"})
"""Events that come by the hundred where all goes well: in the page of the journal, not on the board."""
PROPIOS: Final = "tablero_"
"""How the events of the board's own door begin."""
_MALOS: Final = frozenset({"corte_perdido", "corte_bloqueado", "falla", "recuperacion"})
_OJO: Final = frozenset(
    {"retraso", "sin_acuses", "acuse_rechazado", "punto_sin_red", "orden_propuesta", "relevo", "soporte"}
)
_BIEN: Final = frozenset({"corte", "alarma_resuelta", "orden_cumplida"})


def evento(one: Event) -> Evento:
    """An event of the journal as the board tells it. One that somebody changed may hold anything: it is told as is."""
    data = _data(one)
    cut, who = data.get("corte"), data.get("difusor")
    return Evento(
        n=one.n,
        hora=one.hora,
        tipo=one.tipo,
        texto=frase(one.tipo, data),
        tono=tono(one.tipo, data),
        difusor=who if isinstance(who, str) else None,
        corte=cut if isinstance(cut, int) else None,
    )


def rutina(one: Event) -> bool:
    """Whether the board leaves it to the page of the journal."""
    if one.tipo in RUTINA or one.tipo.startswith(PROPIOS):
        return True
    return one.tipo == "periodo" and _data(one).get("resultado") != "fallo"


def _data(one: Event) -> Mapping[str, Any]:
    data: Any = one.dato
    return data if isinstance(data, dict) else {}


def frase(tipo: str, dato: Mapping[str, Any]) -> str:
    """One event in one sentence."""
    if tipo == "alarma":
        return f"Alarma: {dato.get('texto') or dato.get('codigo') or 'sin texto'}"[: frases.MAX_TEXTO]
    if tipo == "alarma_resuelta":
        return f"Terminó la alarma {dato.get('codigo') or '—'}."
    return frases.suceso(tipo, dato)


def tono(tipo: str, dato: Mapping[str, Any]) -> Tono:
    """How much an event asks for a person."""
    match tipo:
        case "dictamen":
            if dato.get("veredicto") == "al_dia":
                return "bien"
            return "mal" if dato.get("causa") == "difusor" else "ojo"
        case "periodo":
            return "mal" if dato.get("resultado") == "fallo" else "calma"
        case "advertencia":
            bad = dato.get("fase") in ("perdida", "en_duda", "fallo")
            return "mal" if dato.get("fase") == "perdida" else "ojo" if bad else "calma"
        case "alarma":
            return "mal" if dato.get("severidad") == "alarma" else "ojo"
        case "punto_sin_red":
            return "bien" if dato.get("con_red") is True else "ojo"
        case "estado_difusor":
            return "mal" if dato.get("a") in ("suspendido", "bloqueado", "baja") else "calma"
        case _:
            return "mal" if tipo in _MALOS else "ojo" if tipo in _OJO else "bien" if tipo in _BIEN else "calma"


def porque(one: Dictamen | None, *, fuera: bool) -> str:
    """A verdict with its cause and what was seen, in one sentence without its end."""
    if one is None:
        return "Todavía no se le mira"
    if fuera and one.veredicto == "al_dia" and one.corte is None:
        return "Muestra el aviso que se le ordenó"
    name = frases.VEREDICTOS.get(one.veredicto, (one.veredicto, ""))[0]
    cause = {
        "ninguna": "",
        "instituto": ", por causa del instituto",
        "red": ", por causa de la red",
        "difusor": ", por causa del difusor",
        "sin_determinar": ", sin saber de quién es la causa",
    }.get(one.causa, "")
    if one.veredicto == "sin_determinar":
        cause = ""
    seen = "; ".join(MOTIVOS.get(each, each) for each in one.motivos)
    return f"{name}{cause}: {seen}" if seen else f"{name}{cause}"
