"""What the papers are made of: the journal read once, and what the rooms of the night keep of a difusor or a cut."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pregon.base.errors import DanadoError, EntradaError
from pregon.base.hashing import sha256_bytes
from pregon.instituto.monitor.almacen import Almacen
from pregon.instituto.monitor.periodos import periodos
from pregon.instituto.monitor.veredicto import Firmado
from pregon.instituto.proceso.diario import Diario
from pregon.instituto.registro.almacen import Registro
from pregon.paquete.manifest import parse_manifest
from pregon.trust.aviso import TODOS, parse_aviso

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pregon.base.cadena import Apunte
    from pregon.instituto.monitor.almacen import Guardada
    from pregon.instituto.monitor.modelo import Dictamen, Periodo
    from pregon.instituto.registro.modelo import Inscrito
    from pregon.instituto.workspace import Workspace
    from pregon.paquete.manifest import Manifest
    from pregon.trust.aviso import Aviso

INTACTO = "No se escribió nada."
GENERALES = frozenset({"inicia", "corte", "corte_perdido", "retraso", "punto_sin_red", "sello"})
"""Events that are nobody's own: they go in clear in the file of any difusor, since they explain what it saw.

Not those of the institute's house: where its keys are, its machines, what its data had wrong.
"""
NUNCA = datetime(1970, 1, 1, tzinfo=UTC)
"""The hour of an event whose own cannot be read."""
VISPERA = timedelta(hours=1)
"""How long before the start the watch of a night begins to be told."""


@dataclass(frozen=True)
class Suceso:
    """One event with its hour as an instant and its data read; ``apunte`` is it as it is kept."""

    apunte: Apunte
    hora: datetime
    dato: Mapping[str, Any]

    @property
    def tipo(self) -> str:
        return self.apunte.tipo

    @property
    def n(self) -> int:
        return self.apunte.n


@dataclass(frozen=True)
class Corte:
    """One signed cut: its manifest, when it was signed (the event; None where the journal does not tell)."""

    manifiesto: Manifest
    sha256: str
    firmado: datetime | None
    suceso: Suceso | None

    @property
    def numero(self) -> int:
        return self.manifiesto.corte


@dataclass(frozen=True)
class Racha:
    """Dictámenes that say the same one after another: from when to when, how many, and the last of them."""

    desde: datetime
    hasta: datetime
    cuantos: int
    ultimo: Dictamen


@dataclass(frozen=True)
class Hechos:
    """Everything that a paper may tell, read at one moment. ``bitacora``: every event, in order."""

    workspace: Workspace
    hora: datetime
    bitacora: tuple[Suceso, ...]
    cortes: tuple[Corte, ...]
    periodos: tuple[Periodo, ...]
    avisos: tuple[Aviso, ...]
    diario: Diario
    inscritos: Mapping[str, Inscrito]

    @classmethod
    def lee(cls, workspace: Workspace) -> Hechos:
        """Read them. Changes nothing.

        Raises:
            DiscoError, DanadoError: something that was kept is not as it was.
        """
        state = workspace.state()
        events = tuple(suceso(apunte) for apunte in state.apuntes())
        cuts = tuple(_cortes(workspace, events))
        closing = next((one.numero for one in cuts if one.manifiesto.ultimo), None)
        signed = [
            (
                Firmado(corte=one.numero, firmado=one.firmado or one.manifiesto.generado, manifiesto_sha256=one.sha256),
                one.manifiesto.hora_corte,
            )
            for one in cuts
        ]
        diario = Diario()
        try:
            diario.lee(state)
        except (KeyError, TypeError, ValueError) as exc:
            raise _danada(workspace) from exc
        return cls(
            workspace,
            workspace.clock.now(),
            events,
            cuts,
            periodos(workspace.convocatoria, signed, cierre=closing),
            tuple(parse_aviso(data, n=number) for number, data in workspace.repository().notices()),
            diario,
            {one.id: one for one in Registro(workspace).todos()},
        )

    @property
    def difusores(self) -> tuple[str, ...]:
        """Every difusor that the night knew: registered, a ``[[destino]]``, or named by the due process."""
        known = {one.difusor for one in self.workspace.settings.destino} | self.inscritos.keys()
        return tuple(sorted(known | self.diario.cuentas.keys()))

    def nombre(self, difusor: str) -> str:
        """How people call it."""
        found = self.inscritos.get(difusor)
        return difusor if found is None else found.nombre

    def exige(self, difusor: str) -> None:
        """Check that the night knew ``difusor``. Raises ``EntradaError``."""
        if difusor not in self.difusores and not any(de_difusor(one, difusor) for one in self.bitacora):
            raise EntradaError(
                f"No se conoce al difusor «{difusor}».",
                intacto=INTACTO,
                que_hacer="Revise el identificador: «pregon instituto difusor lista».",
            )

    def corte(self, numero: int) -> Corte:
        """The signed cut of that number. Raises ``EntradaError``."""
        for one in self.cortes:
            if one.numero == numero:
                return one
        raise EntradaError(
            f"No se ha firmado el corte {numero:04d}.",
            intacto=INTACTO,
            que_hacer="Los cortes firmados están en repositorio/targets/cortes.",
        )

    def avisos_de(self, difusor: str) -> tuple[Aviso, ...]:
        """The signed notices for it, those for everybody included."""
        return tuple(one for one in self.avisos if one.names(difusor))

    def rondas(self, desde: datetime, hasta: datetime, *, difusor: str | None = None) -> Iterator[Guardada]:
        """The rounds of the watch between two instants."""
        return Almacen(self.workspace).lee(desde, hasta, difusor=difusor)

    @property
    def noche(self) -> tuple[datetime, datetime]:
        """From when to when the night is told."""
        last = max([one.hora for one in self.bitacora[-1:]] + [self.hora])
        return min(self.workspace.convocatoria.inicio - VISPERA, self.hora), last


def de_difusor(suceso: Suceso, difusor: str) -> bool:
    """Whether an event is about that difusor, by name."""
    data = suceso.dato
    return data.get("difusor") == difusor or difusor in (data.get("difusores") or ())


def en_claro_para(suceso: Suceso, difusor: str) -> bool:
    """Whether its file shows the event whole: its own, and those that are nobody's."""
    return suceso.tipo in GENERALES or de_difusor(suceso, difusor) or TODOS in (suceso.dato.get("difusores") or ())


def rachas(dictamenes: Iterable[Dictamen]) -> list[Racha]:
    """Dictámenes of one difusor, in order, as runs of those that say the same."""
    made: list[Racha] = []
    for one in dictamenes:
        last = made[-1] if made else None
        if last is not None and _dice(last.ultimo) == _dice(one):
            made[-1] = Racha(last.desde, one.hora, last.cuantos + 1, one)
        else:
            made.append(Racha(one.hora, one.hora, 1, one))
    return made


def _dice(one: Dictamen) -> tuple[object, ...]:
    return one.veredicto, one.causa, one.motivos, one.corte


def suceso(apunte: Apunte) -> Suceso:
    """An event that somebody changed may be anything: it is told as it is, and the chain says what is wrong."""
    try:
        hora, data = datetime.fromisoformat(apunte.hora), json.loads(apunte.dato)
    except (ValueError, RecursionError):
        hora, data = NUNCA, None
    if hora.tzinfo is None or not isinstance(data, dict):
        return Suceso(apunte, NUNCA, {"que_paso": "Este suceso no se entiende."})
    return Suceso(apunte, hora, data)


def _cortes(workspace: Workspace, events: Iterable[Suceso]) -> Iterator[Corte]:
    told = {one.dato.get("corte"): one for one in events if one.tipo == "corte"}
    for cut in workspace.repository().cuts():
        path = workspace.repositorio / "targets" / cut.manifiesto.ruta
        event = told.get(cut.corte)
        data = path.read_bytes() if path.is_file() else b""
        if sha256_bytes(data) != cut.manifiesto.sha256:
            raise _alterado(path)
        yield Corte(parse_manifest(data), cut.manifiesto.sha256, None if event is None else event.hora, event)


def _danada(workspace: Workspace) -> DanadoError:
    return DanadoError(
        "La bitácora tiene sucesos que no se entienden.",
        intacto=INTACTO,
        que_hacer=f"Compruébela: pregon instituto bitacora verifica {workspace.folder}",
    )


def _alterado(path: Path) -> DanadoError:
    return DanadoError(
        f"El manifiesto {path} no está, o no es el que se firmó.",
        intacto=INTACTO,
        que_hacer="Recupere el repositorio: pregon instituto recupera.",
    )
