"""One night of the record through the real verdict and the real rule, and its comparison with the truth."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from pregon.instituto.monitor.catalogo import Lista
from pregon.instituto.monitor.modelo import Periodo
from pregon.instituto.monitor.ronda import Ventana, Vigilado
from pregon.instituto.monitor.veredicto import RESPUESTA_MAX_S, Reglas
from pregon.instituto.proceso.cuenta import cierra, suma
from pregon.instituto.proceso.modelo import Cuenta
from pregon.instituto.proceso.regla import paso
from pregon.simulacro.flota import verdad
from pregon.simulacro.flota.flota import reporta
from pregon.simulacro.flota.mirada import Mirador, manifiesto

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from pregon.instituto.monitor.modelo import Dictamen, Observacion, Vista
    from pregon.instituto.proceso.modelo import Cierre
    from pregon.instituto.proceso.regla import Regla
    from pregon.simulacro.flota.fallas import Guion


class Ojo(Protocol):
    """Whoever looks at the fleet: without sockets (``Mirador``) or as the watch itself does."""

    def ronda(
        self, hora: datetime, difusores: Sequence[str]
    ) -> tuple[Mapping[str, Sequence[Observacion]], Sequence[Vista]]:
        """What each point saw of each difusor at ``hora``, and whether it had its own network."""


@dataclass(frozen=True)
class Discrepancia:
    """Where the watch and the truth part: about whom, when, what each says."""

    difusor: str
    hora: datetime
    dicho: str
    cierto: str


@dataclass(frozen=True, kw_only=True)
class Resultado:
    """One night. ``suspensiones``: whom the rule proposed to suspend, at the end of which slot; ``debidas``: the truth.

    ``cierres``: how each slot ended for each difusor, until it was suspended. ``discrepancias``: dictámenes and ends of
    slots that are not what is true; empty where all is well.
    """

    guion: Guion
    dictamenes: int
    veredictos: Mapping[str, int]
    cierres: Mapping[str, tuple[str, ...]]
    suspensiones: Mapping[str, int]
    debidas: Mapping[str, int]
    discrepancias: tuple[Discrepancia, ...] = ()

    @property
    def falsas(self) -> tuple[str, ...]:
        """Whose suspension was not due, or not yet."""
        return tuple(
            name
            for name, slot in sorted(self.suspensiones.items())
            if name not in self.debidas or slot < self.debidas[name]
        )

    @property
    def faltantes(self) -> tuple[str, ...]:
        """Whose suspension was due and did not come, or came later."""
        return tuple(
            name
            for name, slot in sorted(self.debidas.items())
            if name not in self.suspensiones or slot < self.suspensiones[name]
        )

    @property
    def ok(self) -> bool:
        """Whether everything said is true."""
        return self.suspensiones == self.debidas and not self.discrepancias


def periodos(guion: Guion, hora: datetime, firma: Callable[[int], str] = manifiesto) -> tuple[Periodo, ...]:
    """The slots as they are known at ``hora``: a cut that is signed later is not there yet.

    ``firma``: the hash of the manifest of each cut.
    """
    clock = guion.reloj
    signed = {cut.periodo: cut for cut in guion.cortes if cut.firmado <= hora}
    found = []
    for slot in range(clock.periodos):
        begin, end, cut = clock.vence(slot), clock.vence(slot + 1), signed.get(slot)
        if cut is None:
            found.append(Periodo(slot, begin, end))
        else:
            found.append(Periodo(slot, begin, end, cut.numero, cut.firmado, firma(cut.numero)))
    return tuple(found)


def reglas_de(guion: Guion, *, respuesta_max_s: float = RESPUESTA_MAX_S) -> Reglas:
    """What the verdict needs of the call, out of the night's clock. ``respuesta_max_s``: GRO-2.4h, or compressed."""
    clock = guion.reloj
    return Reglas(
        inicio=clock.inicio,
        intervalo=timedelta(seconds=clock.intervalo_s),
        tolerancia=timedelta(seconds=clock.tolerancia_s),
        periodos_aviso=verdad.SILENCIO,
        respuesta_max_s=respuesta_max_s,
    )


class Vigilia:
    """A night being watched. Whoever is suspended leaves it: what comes later is for a person to decide."""

    def __init__(
        self,
        guion: Guion,
        regla: Regla,
        *,
        ojo: Ojo | None = None,
        firma: Callable[[int], str] = manifiesto,
        reglas: Reglas | None = None,
        oye: Callable[[Dictamen], None] | None = None,
        debidas: Mapping[str, int] | None = None,
    ) -> None:
        """``firma``: the hash of the manifest of each cut. ``oye`` hears every dictamen.

        ``debidas``: whose suspension is due and when; None: by GRO-3.3a (``verdad.suspensiones``).
        """
        self._night = guion
        self._rule = regla
        self._eye = ojo or Mirador(guion)
        self._signature = firma
        self._hear = oye
        self._due = verdad.suspensiones(guion) if debidas is None else debidas
        self._sight = Ventana(reglas or reglas_de(guion), puntos=len(guion.puntos))
        self._active = list(guion.difusores)
        self._accounts = {name: Cuenta(difusor=name) for name in self._active}
        self._ends: dict[str, list[str]] = {name: [] for name in self._active}
        self._window: dict[str, list[Dictamen]] = {name: [] for name in self._active}
        self._said: Counter[str] = Counter()
        self._out: dict[str, int] = {}
        self._wrong: list[Discrepancia] = []

    def vive(self) -> Resultado:
        """Every look of the night, and the end of every slot."""
        clock, slot = self._night.reloj, 0
        for hora in clock.rondas:
            while hora >= clock.vence(slot + 1):
                self._end(slot)
                slot += 1
            self._look(hora)
        for left in range(slot, clock.periodos):
            self._end(left)
        return Resultado(
            guion=self._night,
            dictamenes=sum(self._said.values()),
            veredictos=dict(self._said),
            cierres={name: tuple(ends) for name, ends in self._ends.items()},
            suspensiones=self._out,
            debidas=self._due,
            discrepancias=tuple(self._wrong),
        )

    def _look(self, hora: datetime) -> None:
        seen, views = self._eye.ronda(hora, self._active)
        self._sight.suma(views, [one for name in self._active for one in seen[name]])
        watched = [Vigilado(difusor=name, urls=(), visible=reporta(self._night, name, hora)) for name in self._active]
        slots = Lista(periodos=periodos(self._night, hora, self._signature))
        for said in self._sight.dictamina(hora, watched, slots):
            name = said.difusor
            self._window[name].append(said)
            self._said[f"{said.veredicto} {said.causa}"] += 1
            if self._hear is not None:
                self._hear(said)
            true = verdad.estado(self._night, name, hora)
            if lectura(said) != true:
                self._wrong.append(Discrepancia(name, hora, f"{said.veredicto} ({said.causa})", true))

    def _end(self, slot: int) -> None:
        until = self._night.reloj.vence(slot + 1)
        known = periodos(self._night, until, self._signature)[slot]
        margin = timedelta(seconds=self._night.reloj.tolerancia_s)
        for name in tuple(self._active):
            end = cierra(name, known, self._window[name], tolerancia=margin)
            self._window[name] = []
            self._ends[name].append(end.resultado)
            true = verdad.cierre(self._night, name, slot)
            if end.resultado != true:
                self._wrong.append(Discrepancia(name, until, f"{end.resultado}, periodo {slot}", true))
            self._count(name, end)

    def _count(self, name: str, end: Cierre) -> None:
        self._accounts[name] = suma(self._accounts[name], end)
        if paso(self._rule, self._accounts[name], end).accion in ("proponer", "ordenar"):
            self._out[name] = end.periodo
            self._active.remove(name)


def lectura(dictamen: Dictamen) -> verdad.Estado:
    """What a dictamen says of the difusor, in the words of the truth."""
    if not dictamen.determinado or dictamen.causa == "sin_determinar":
        return "no_se_sabe"
    if dictamen.falla:
        return dictamen.veredicto  # type: ignore[return-value] # one of the failures
    return "a_medias" if dictamen.causa == "red" and dictamen.veredicto != "al_dia" else "bien"
