"""A warning that a person writes: sent by the same channels as those of the count, and it changes no count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pregon.base import locks
from pregon.base.errors import UsoError
from pregon.instituto.proceso import advertencias, textos
from pregon.instituto.proceso.avisa import CANDADO, TURNO_S
from pregon.instituto.proceso.diario import Diario
from pregon.instituto.proceso.regla import regla_de
from pregon.instituto.registro.almacen import Registro

if TYPE_CHECKING:
    from pregon.instituto.workspace import Workspace

TEXTO_MAX: Final = 1000
"""Characters of what a person writes."""
INTACTO: Final = "No se escribió ninguna advertencia."
LETRA: Final = "M"
"""How the id of a warning of a person begins; those of the count, with «A»; the word of an order, with «O»."""


def advierte(
    workspace: Workspace, difusor: str, *, texto: str, motivo: str, operador: str, corte: int | None = None
) -> str:
    """Write in the journal a warning to ``difusor``, to be sent by ``Proceso.atiende``; its id.

    Args:
        texto: what the difusor reads. motivo: why, for the record of the institute; it is not sent.
        corte: the cut that it speaks of.

    Raises:
        EntradaError: it is not registered.
        UsoError: there is no text, no reason or no name, or the text is too long; nothing was written.
        InstanciaError: another process holds the due process all that time.
    """
    for value, lacks in ((texto, "el texto"), (motivo, "el motivo"), (operador, "quién lo decide")):
        if not value.strip():
            raise UsoError(f"Falta {lacks}.", intacto=INTACTO, que_hacer="Repita la orden con lo que falta.")
    if len(texto) > TEXTO_MAX:
        raise UsoError(
            f"El texto tiene {len(texto)} caracteres.", intacto=INTACTO, que_hacer=f"Déjelo en {TEXTO_MAX} o menos."
        )
    registro, state, call = Registro(workspace), workspace.state(), workspace.convocatoria
    name = registro.uno(difusor).nombre
    contact = workspace.settings.proceso.contacto
    with locks.turn(workspace.folder / CANDADO, seconds=TURNO_S):
        diary = Diario()
        diary.lee(state)
        ident = f"{LETRA}{1 + sum(one.startswith(LETRA) for one in diary.advertencias):04d}-{difusor}"
        ways = advertencias.vias(workspace, difusor, advertencias.cuantos(registro, difusor, workspace.clock.now()))
        state.record(
            "advertencia",
            fase="redactada",
            id=ident,
            difusor=difusor,
            periodo=None,
            corte=corte,
            cuenta=diary.cuenta(difusor).seguidas,
            motivos=[],
            porque=motivo,
            evidencia=[],
            huellas=[],
            clausula=regla_de(call).clausula,
            contacto=contact,
            titulo=f"Advertencia a {name}",
            texto=textos.a_mano(ident, name, texto, call, contact),
            canales=[one.nombre for one in ways],
            directos=[one.nombre for one in ways if one.directa],
            operador=operador,
        )
    return ident
