"""What the journal says of the due process: closed slots, warnings with their delivery, orders. Read, never guessed.

The journal is the only memory: every step is one event, so a process that is killed between two of them finds on its
return what was done and what was not. Kinds: ``periodo``, ``advertencia`` (``fase``: redactada, enviando, aceptada,
fallo, en_duda, perdida), ``orden_propuesta``, ``orden_confirmada``, ``orden_descartada`` and ``orden_cumplida``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from pregon.instituto.proceso.cuenta import suma
from pregon.instituto.proceso.modelo import Cierre, Cuenta

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pregon.base.estado import Estado
    from pregon.base.state import Event

FaseEnvio: TypeAlias = Literal["por_enviar", "enviando", "aceptada", "fallo", "en_duda", "perdida"]
FaseOrden: TypeAlias = Literal["propuesta", "confirmada", "descartada", "cumplida"]
AccionOrden: TypeAlias = Literal["suspender", "baja", "regreso"]

POR_LECTURA: Final = 1000
"""Events read at once."""
EN_PIE: Final[frozenset[FaseOrden]] = frozenset({"propuesta", "confirmada"})
"""The orders that still wait for something: a person, or to be carried out."""


@dataclass(frozen=True, kw_only=True)
class Envio:
    """The delivery of one warning by one channel. ``que_paso``: of the last failure, Spanish."""

    fase: FaseEnvio = "por_enviar"
    intentos: int = 0
    hora: datetime | None = None
    que_paso: str | None = None

    @property
    def acabado(self) -> bool:
        """Whether nothing more will be tried."""
        return self.fase in ("aceptada", "perdida")


@dataclass(frozen=True, kw_only=True)
class Advertencia:
    """One warning. ``id`` is unique; ``texto`` says everything but who the contacts are; ``envios`` by channel.

    ``periodo`` None: not for a slot, it is the word of an order. ``directos``: the channels that end at the difusor;
    the others end at the institute's own guard, or in a log.
    """

    id: str
    difusor: str
    periodo: int | None
    cuenta: int
    hora: datetime
    titulo: str
    texto: str
    evidencia: tuple[int, ...]
    envios: Mapping[str, Envio]
    directos: frozenset[str] = frozenset()

    @property
    def llego(self) -> bool:
        """Whether somebody on the difusor's side took it."""
        return any(name in self.directos for name in self.aceptadas)

    def llego_antes(self, hora: datetime) -> bool:
        """Whether somebody on the difusor's side had taken it at ``hora``, when there was still time to mend."""
        taken = (self.envios[name].hora for name in self.aceptadas if name in self.directos)
        return any(one is not None and one <= hora for one in taken)

    @property
    def aceptadas(self) -> tuple[str, ...]:
        """The channels whose other end took it."""
        return tuple(name for name, one in self.envios.items() if one.fase == "aceptada")


@dataclass(frozen=True, kw_only=True)
class OrdenDifusor:
    """One order about one difusor, from its proposal to its end.

    ``periodo``: the slot that led to it, None where a person began it. ``porque`` and ``clausula``: why. ``caduca``:
    by a count, so that a fulfilled slot ends it while nobody confirmed it. ``operador``: who decided.
    """

    id: str
    difusor: str
    accion: AccionOrden
    periodo: int | None
    cuenta: int
    porque: str
    clausula: str
    hora: datetime
    evidencia: tuple[str, ...] = ()
    caduca: bool = False
    fase: FaseOrden = "propuesta"
    operador: str = ""
    motivo: str = ""
    texto: str | None = None
    decidida: datetime | None = None


@dataclass
class Diario:
    """The due process as the journal has it. ``lee`` brings it up to date."""

    cuentas: dict[str, Cuenta] = field(default_factory=dict)
    ultimos: dict[str, Cierre] = field(default_factory=dict)
    advertencias: dict[str, Advertencia] = field(default_factory=dict)
    ordenes: dict[str, OrdenDifusor] = field(default_factory=dict)
    leido: int = 0

    def lee(self, state: Estado) -> None:
        """Take in the events that were written since the last time."""
        while True:
            events = state.events(after=self.leido, limit=POR_LECTURA)
            for one in events:
                self.toma(one)
            if len(events) < POR_LECTURA:
                return

    def cuenta(self, difusor: str) -> Cuenta:
        """Where the count of ``difusor`` is."""
        return self.cuentas.get(difusor) or Cuenta(difusor=difusor)

    def cerrado(self, difusor: str, periodo: int) -> bool:
        """Whether that slot was closed for ``difusor``, or a later one."""
        last = self.ultimos.get(difusor)
        return last is not None and last.periodo >= periodo

    def orden_en_pie(self, difusor: str) -> OrdenDifusor | None:
        """The order that waits for something; there is one at most."""
        return next((one for one in self.ordenes.values() if one.difusor == difusor and one.fase in EN_PIE), None)

    def ordenada_por(self, difusor: str, periodo: int) -> bool:
        """Whether that slot led to an order already, whatever became of it."""
        return any(one.difusor == difusor and one.periodo == periodo for one in self.ordenes.values())

    def de_la_racha(self, difusor: str) -> tuple[Advertencia, ...]:
        """The warnings for the failures that the count of ``difusor`` adds up now."""
        slots = {one.periodo for one in self.cuenta(difusor).cierres}
        return tuple(one for one in self.advertencias.values() if one.difusor == difusor and one.periodo in slots)

    # One event.

    def toma(self, event: Event) -> None:
        """Take in the event that follows the last one, for whoever reads the journal for more than this.

        Raises:
            KeyError, TypeError, ValueError: it is not as we write them.
        """
        data = event.dato
        if event.tipo == "periodo" and "difusor" in data:
            self._closed(data)
        elif event.tipo == "advertencia":
            self._warned(event)
        elif event.tipo == "orden_propuesta":
            self.ordenes[data["id"]] = _order(event)
        elif event.tipo in _FASES:
            self._decided(event)
        elif event.tipo in ("estado_difusor", "baja"):
            # Whoever was taken away, or came back, begins again: no failure of before weighs on it. A death between
            # the journal and the registry leaves the line twice, and the second one is when it was done.
            self.cuentas.pop(data["difusor"], None)
        self.leido = event.n

    def _closed(self, data: dict[str, Any]) -> None:
        one = cierre_de(data)
        self.cuentas[one.difusor] = suma(self.cuenta(one.difusor), one)
        self.ultimos[one.difusor] = one

    def _warned(self, event: Event) -> None:
        data = event.dato
        if data["fase"] == "redactada":
            self.advertencias[data["id"]] = Advertencia(
                id=data["id"],
                difusor=data["difusor"],
                periodo=data["periodo"],
                cuenta=data["cuenta"],
                hora=event.hora,
                titulo=data["titulo"],
                texto=data["texto"],
                evidencia=tuple(data["evidencia"]),
                envios={name: Envio() for name in data["canales"]},
                directos=frozenset(data["directos"]),
            )
            return
        known = self.advertencias[data["id"]]
        before = known.envios.get(data["canal"], Envio())
        tries = before.intentos + (data["fase"] == "enviando")
        after = Envio(fase=data["fase"], intentos=tries, hora=event.hora, que_paso=data.get("que_paso"))
        self.advertencias[known.id] = replace(known, envios={**known.envios, data["canal"]: after})

    def _decided(self, event: Event) -> None:
        data = event.dato
        known = self.ordenes[data["id"]]
        if event.tipo == "orden_cumplida":
            self.ordenes[known.id] = replace(known, fase="cumplida")
            return
        self.ordenes[known.id] = replace(
            known,
            fase=_FASES[event.tipo],
            operador=data["operador"],
            motivo=data.get("motivo") or known.motivo,
            texto=data.get("texto") or known.texto,
            decidida=event.hora,
        )


_FASES: Final[dict[str, FaseOrden]] = {
    "orden_confirmada": "confirmada",
    "orden_descartada": "descartada",
    "orden_cumplida": "cumplida",
}


def cierre_de(data: dict[str, Any]) -> Cierre:
    """The closed slot that an event ``periodo`` holds."""
    return Cierre(
        difusor=data["difusor"],
        periodo=data["periodo"],
        corte=data["corte"],
        hora=datetime.fromisoformat(data["hora"]),
        resultado=data["resultado"],
        porque=data["porque"],
        evidencia=tuple(data["evidencia"]),
        veredicto=data["veredicto"],
        motivos=tuple(data["motivos"]),
        corte_visto=data["corte_visto"],
    )


def evento_de(cierre: Cierre) -> dict[str, Any]:
    """What the journal keeps of a closed slot; ``cierre_de`` reads it."""
    return {
        "difusor": cierre.difusor,
        "periodo": cierre.periodo,
        "corte": cierre.corte,
        "hora": cierre.hora.isoformat(),
        "resultado": cierre.resultado,
        "porque": cierre.porque,
        "evidencia": list(cierre.evidencia),
        "veredicto": cierre.veredicto,
        "motivos": list(cierre.motivos),
        "corte_visto": cierre.corte_visto,
    }


def _order(event: Event) -> OrdenDifusor:
    data = event.dato
    return OrdenDifusor(
        id=data["id"],
        difusor=data["difusor"],
        accion=data["accion"],
        periodo=data["periodo"],
        cuenta=data["cuenta"],
        porque=data["porque"],
        clausula=data["clausula"],
        hora=event.hora,
        evidencia=tuple(data["evidencia"]),
        caduca=data["caduca"],
        texto=data.get("texto"),
    )
