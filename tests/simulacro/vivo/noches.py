"""The folder of a rehearsed night, left there step by step by the very writers of a night, with nobody playing it."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pregon.base.clock import SimulatedClock, SystemClock
from pregon.base.durable import Disk
from pregon.convocatoria.perfiles import load, to_toml_text
from pregon.difusor import pointer
from pregon.difusor.acuse import Acuses, Hecho
from pregon.difusor.inicia import create
from pregon.difusor.libro import Libro
from pregon.difusor.servidor.direccion import DIRECCION
from pregon.instituto import workspace as espacios
from pregon.simulacro.fallas.diario import Diario
from pregon.simulacro.fallas.plan import PlanFallas, resuelve
from pregon.simulacro.institute import Post
from pregon.simulacro.plan import Plan, PlannedCut
from pregon.simulacro.result import SignedCut
from pregon.simulacro.vivo import encargo

if TYPE_CHECKING:
    from pregon.base.state import StateDatabase
    from pregon.convocatoria.model import Convocatoria
    from pregon.difusor.workspace import Workspace
    from pregon.paquete.manifest import Ambiente
    from pregon.simulacro.fallas.plan import Falla
    from pregon.trust.acuse import Evento

SHA = "ab" * 32
FALLAS: tuple[dict[str, Any], ...] = (
    {"clase": "corrompido", "corte": 2, "difusor": "difusor-1"},
    {"clase": "corte_tarde", "corte": 3, "minutos": 7},
)


@cache
def raiz(ambiente: Ambiente = "simulacro") -> bytes:
    """The root of an institute of gro-2021."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "instituto"
        espacios.create(folder, "gro-2021", ambiente=ambiente, clock=SystemClock(), disk=Disk())
        return (folder / espacios.RAIZ).read_bytes()


def plan_de(call: Convocatoria, cortes: int) -> Plan:
    """The plan of a night of that many cuts, made of no files."""
    step = timedelta(minutes=call.intervalo_min)
    return Plan(
        None, tuple(PlannedCut(n, call.inicio + step * n, (), ultimo=n == cortes) for n in range(1, cortes + 1))
    )


def fallas_de(*entries: dict[str, Any], difusores: int = 2, cortes: int = 4) -> tuple[Falla, ...]:
    """Those faults, each with its target."""
    plan = PlanFallas.model_validate({"falla": list(entries)})
    return resuelve(plan, difusores=difusores, cortes=cortes, semilla=7, intervalo_min=20)


@dataclass
class Carpeta:
    """A night's folder. Each step is written as the night's own processes write it."""

    folder: Path
    difusores: int = 2
    cortes: int = 4
    entradas: tuple[dict[str, Any], ...] = FALLAS
    informe: Path | None = None
    siguen: bool = False
    disk: Disk = field(default_factory=Disk)

    def __post_init__(self) -> None:
        self.call = load("gro-2021")
        self.post = Post(self.folder)
        self.fallas = fallas_de(*self.entradas, difusores=self.difusores, cortes=self.cortes) if self.entradas else ()
        self.signed: list[SignedCut] = []
        self.spaces: dict[str, Workspace] = {}
        self.states: dict[str, StateDatabase] = {}
        plan = plan_de(self.call, self.cortes)
        self.encargo = encargo.encargo_de(
            self.call,
            plan,
            difusores=self.difusores,
            semilla=7,
            fallas=self.fallas,
            informe=self.informe,
            calificada=True,
            siguen=self.siguen,
        )
        self.disk.make_folder(self.folder)
        encargo.escribe(self.folder, self.encargo, disk=self.disk)

    def reloj(self, minutos: float, *, ritmo: float = 1.0) -> None:
        """Set the clock of the rehearsal that long after the start."""
        instant = self.call.inicio + timedelta(minutes=minutos)
        self.disk.write(self.post.reloj, SimulatedClock.start(instant, ritmo).dump())

    def abre(self, url: str = "http://127.0.0.1:9/") -> None:
        """Make the workspaces of the difusores; ``url``: where each of them says that it serves."""
        profile = self.folder / "convocatoria.toml"
        self.disk.write(profile, to_toml_text(self.call).encode())
        for name in self.encargo.difusores:
            toml = (
                f'convocatoria = {json.dumps(str(profile))}\nambiente = "simulacro"\nid = "{name}"\n'
                f'[reloj]\nfuente = "simulado"\nsimulado = {json.dumps(str(self.post.reloj))}\n'
            )
            space = create(self.folder / name, toml, root=raiz(), disk=self.disk)
            self.disk.write(space.servidor / DIRECCION, url.encode())
            self.spaces[name] = space
            self.states[name] = space.open_state(space.open_clock())

    def firma(self, numero: int, *, hace_s: float = 0.0) -> None:
        """The institute signs a cut; ``hace_s``: so long ago, by the machine."""
        signed = datetime.now(UTC) - timedelta(seconds=hace_s)
        self.signed.append(SignedCut(numero, self.encargo.periodos[numero - 1].hora, signed, SHA))
        self.disk.write(self.post.firmados, json.dumps([one.to_json() for one in self.signed]).encode())

    def acuse(self, name: str, evento: Evento, corte: int | None = None, codigo: str | None = None) -> Path:
        """A difusor signs that it happened; its pointer follows."""
        space = self.spaces[name]
        fact = Hecho(evento, space.open_clock().now(), corte, None if corte is None else SHA, codigo)
        made = Acuses(space, self.disk).issue(fact)
        assert made is not None
        if evento == "publicado" and corte is not None:
            pointer.switch(space, pointer.release_name(corte), self.disk)
        return made

    def rechaza(self, name: str, codigo: str) -> None:
        """A difusor notes a refusal as its receiver does."""
        book = Libro(self.states[name])
        now = self.spaces[name].open_clock().now()
        if book.anotar_intento(now, "rechazado", codigo):
            book.evento("rechazado", codigo=codigo, que_paso="no es lo firmado")
            self.acuse(name, "rechazado", codigo=codigo)

    def recibe_bien(self, name: str) -> None:
        """Its last attempt went well."""
        Libro(self.states[name]).anotar_intento(self.spaces[name].open_clock().now(), "aceptado", None)

    def falla(self, n: int) -> None:
        """A fault begins, in the journal."""
        self._diario().empieza(self.fallas[n - 1])

    def termina(self, n: int, efectos: int = 1) -> None:
        """A fault ends, in the journal."""
        self._diario().termina(self.fallas[n - 1], efectos=efectos, detalle="se quitó")

    def concluye(self, resultado: dict[str, Any]) -> None:
        """The leader leaves how it ended."""
        self.disk.write(self.folder / encargo.RESULTADO, json.dumps(resultado).encode())

    def _diario(self) -> Diario:
        return Diario(self.folder / "fallas.sqlite", SimulatedClock.load(self.post.reloj))


def envejece(path: Path, segundos: float) -> None:
    """Make a file be of so long ago."""
    then = path.stat().st_mtime - segundos
    os.utime(path, (then, then))


_GRADOS = {True: (100, "listo"), False: (50, "no_listo")}


def resultado_de(*, ok: bool = True, cumplio: bool = True, aplicada: bool = True) -> dict[str, Any]:
    """How a night of two difusores and ``FALLAS`` ended, as ``simulacro --json`` says it."""
    marks = [
        {"difusor": "difusor-1", "periodo": 2, "falla": 1, "cumplio": cumplio, "esperado": "a", "ocurrido": "b"},
        {"difusor": "difusor-1", "periodo": 3, "falla": None, "cumplio": True, "esperado": "a", "ocurrido": "a"},
        {"difusor": "difusor-2", "periodo": 3, "falla": None, "cumplio": True, "esperado": "a", "ocurrido": "a"},
    ]
    grades: list[dict[str, Any]] = [
        {"id": name, "puntos": _GRADOS[met][0], "grado": _GRADOS[met][1]}
        for name, met in (("difusor-1", cumplio), ("difusor-2", True))
    ]
    return {
        "ok": ok,
        "fallas": [{"n": 1, "aplicada": aplicada}, {"n": 2, "aplicada": True}],
        "difusores": [{"id": one["id"], "nota": one["puntos"], "cortes": []} for one in grades],
        "notas": {"ok": ok, "fallas_sin_aplicar": [], "difusores": grades, "notas": marks, "asistencia": []},
    }
