"""Carries out what the board was asked for, by the very functions that the commands call. Never by another path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pregon.base.errors import RedError, UsoError
from pregon.instituto import avisos
from pregon.instituto.entrega.corrida import Corrida
from pregon.instituto.entrega.memoria import ENTREGADO
from pregon.instituto.proceso.a_mano import advierte
from pregon.instituto.proceso.avisa import Proceso
from pregon.instituto.proceso.ordenes import INTACTO
from pregon.instituto.registro.almacen import Registro
from pregon.instituto.registro.estados import Mandato
from pregon.instituto.registro.orden import ordena

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pregon.instituto.registro.estados import Estado
    from pregon.instituto.tablero.acciones import Peticion
    from pregon.instituto.workspace import Workspace
    from pregon.trust.aviso import Aviso

LLEGA: Final = "Llega a los difusores con la siguiente entrega, que «opera» hace en seguida."
_SUSPENSION: Final = "El instituto interrumpió la publicación de resultados en este sitio."


@dataclass(frozen=True)
class Hecho:
    """What came of it. ``dice``: for whoever asked. ``aviso``: number of the notice that was signed, if one was."""

    dice: str
    aviso: int | None = None


class Ejecutor:
    """Carries out requests on a workspace that is opened for each, as a command would."""

    def __init__(self, abre: Callable[[], Workspace], environment: Mapping[str, str]) -> None:
        """``abre`` opens the workspace; ``environment`` is what deliveries take passwords from."""
        self._open = abre
        self._environment = environment

    def __call__(self, peticion: Peticion) -> Hecho:
        """Do it. Takes as long as it takes: a delivery, minutes.

        Raises:
            PregonError: it could not be done; its texts say what stayed as it was.
        """
        workspace = self._open()
        if peticion.accion == "anota":
            return _note(workspace, peticion)
        if workspace.compartido is not None:
            workspace.numeros()  # Of two machines, only the one that has the night delivers, warns and signs.
        match peticion.accion:
            case "entrega":
                return self._deliver(workspace, peticion)
            case "advierte":
                return _warn(workspace, peticion)
            case "suspende":
                return _order(workspace, peticion, "suspendido")
            case "reactiva":
                return _order(workspace, peticion, "activo")
            case "confirma" | "descarta":
                return _decide(workspace, peticion)

    def _deliver(self, workspace: Workspace, peticion: Peticion) -> Hecho:
        who = _who(peticion)
        lines = Corrida(workspace, self._environment, completo=peticion.completo).run((who,))
        said = "; ".join(
            f"nodo {line.nodo}: corte {line.corte:04d} entregado en {line.segundos:.1f} s"
            if line.codigo == ENTREGADO and line.corte is not None
            else f"nodo {line.nodo}: {'sin cortes que entregar' if line.error is None else line.error.que_paso}"
            for line in lines
        )
        failed = [line.error for line in lines if line.error is not None]
        if failed:
            raise RedError(
                f"No todo se entregó a «{who}»: {said}",
                intacto="Lo que ese difusor publica sigue como estaba; lo firmado también.",
                que_hacer=failed[0].que_hacer,
            )
        newer = [line.corte for line in lines if line.corte is not None and peticion.corte not in (None, line.corte)]
        more = f" Se pidió por el corte {peticion.corte:04d}; el más reciente es otro." if newer else ""
        return Hecho(f"{said[:1].upper()}{said[1:]}.{more}")


def _note(workspace: Workspace, peticion: Peticion) -> Hecho:
    if peticion.difusor is not None and all(one.difusor != peticion.difusor for one in workspace.settings.destino):
        Registro(workspace).uno(peticion.difusor)
    data = {"difusor": peticion.difusor, "corte": peticion.corte}
    workspace.state().record(
        "nota",
        texto=f"{peticion.cuenta} anotó: {peticion.motivo}",
        operador=peticion.cuenta,
        **{key: value for key, value in data.items() if value is not None},
    )
    return Hecho("La nota quedó en la bitácora.")


def _warn(workspace: Workspace, peticion: Peticion) -> Hecho:
    ident = advierte(
        workspace,
        _who(peticion),
        texto=peticion.texto or "",
        motivo=peticion.motivo,
        operador=peticion.cuenta,
        corte=peticion.corte,
    )
    process = Proceso(workspace)
    process.atiende()
    warning = process.diario.advertencias[ident]
    if not warning.envios:
        return Hecho(f"Se escribió la advertencia {ident}, pero no hay por dónde enviarla: revise [[notifica]].")
    told = ", ".join(
        f"{name}: {'entregada' if one.fase == 'aceptada' else 'todavía no'}" for name, one in warning.envios.items()
    )
    return Hecho(f"Advertencia {ident}. {told}.")


def _order(workspace: Workspace, peticion: Peticion, nuevo: Estado) -> Hecho:
    who = _who(peticion)
    if Registro(workspace).busca(who) is None:
        # Only a [[destino]]: it has no state, the notice is all there is.
        order = avisos.Orden(peticion.motivo, peticion.cuenta)
        if nuevo == "suspendido":
            signed = avisos.suspend(workspace, who, order, texto=peticion.texto or _SUSPENSION)
        else:
            signed = avisos.reinstate(workspace, who, order, texto=peticion.texto)
        return _signed(signed, f"Firmado el aviso {signed.n:06d}, de {who}.")
    mandate = Mandato(quien="operador", operador=peticion.cuenta, motivo=peticion.motivo, evidencia=peticion.evidencia)
    done = ordena(workspace, who, nuevo, mandate, texto=peticion.texto)
    return _signed(done.aviso, f"El difusor «{who}» está «{done.inscrito.estado}».")


def _decide(workspace: Workspace, peticion: Peticion) -> Hecho:
    process, ident = Proceso(workspace), peticion.orden or ""
    known = process.diario.ordenes.get(ident)
    if known is not None and known.difusor != peticion.difusor:
        raise UsoError(
            f"La orden {ident} no es de «{peticion.difusor}», es de «{known.difusor}».",
            intacto=INTACTO,
            que_hacer="Abra la orden desde el tablero y repita.",
        )
    if peticion.accion == "descarta":
        process.descarta(ident, peticion.cuenta, motivo=peticion.motivo)
        return Hecho(f"Orden {ident} descartada. No se firmó ningún aviso.")
    order = process.confirma(ident, peticion.cuenta, texto=peticion.texto)
    if order.fase != "cumplida":
        return Hecho(f"Orden {ident} confirmada; otro proceso está firmando y «opera» la cumplirá.")
    notice = Registro(workspace).uno(order.difusor).historia[-1].aviso
    return Hecho(f"Orden {ident} cumplida. {LLEGA}", notice)


def _signed(notice: Aviso | None, said: str) -> Hecho:
    if notice is None:
        return Hecho(f"{said} No hizo falta ningún aviso.")
    return Hecho(f"{said} Aviso {notice.n:06d}. {LLEGA}", notice.n)


def _who(peticion: Peticion) -> str:
    if peticion.difusor is None:
        raise UsoError("Falta el difusor.", intacto="No se hizo nada.", que_hacer="Elija uno y repita.")
    return peticion.difusor
