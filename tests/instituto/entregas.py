"""An institute that delivers for real: its signed repository, its settings, and nodes that receive, verify and sign."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pregon.base.clock import SystemClock
from pregon.base.durable import Disk
from pregon.difusor.acuse import Acuses
from pregon.difusor.inicia import create
from pregon.difusor.night import open_receiver
from pregon.instituto.entrega.corrida import Corrida
from pregon.instituto.entrega.reparto import Reglas
from pregon.instituto.settings import AjustesInstituto
from pregon.instituto.workspace import Workspace
from tests.difusor.conftest import Escena, files_of, make_escena
from tests.trust.conftest import INICIO, INTERVALO

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pregon.difusor.receive import Receiver
    from pregon.difusor.workspace import Workspace as EspacioDifusor
    from pregon.instituto.entrega.corrida import Linea
    from pregon.trust.keys import KeyRing


MAPA = 60_000
"""Bytes of what does not change from cut to cut, and does not compress."""


@dataclass
class Nodo:
    """One node: a difusor's workspace whose ``entrada/`` the institute pushes into."""

    espacio: EspacioDifusor
    campo: Campo
    _receptor: Receiver | None = None

    @property
    def entrada(self) -> Path:
        return self.espacio.folder / "entrada"

    @property
    def tabla(self) -> dict[str, Any]:
        """Its ``[[destino]]``, by folder."""
        return {
            "difusor": self.espacio.settings.id,
            "nodo": self.espacio.settings.nodo,
            "url": str(self.entrada),
            "acuses": str(self.espacio.acuses),
            "clave_acuses": str(self.espacio.llave.with_suffix(".pub.pem")),
        }

    def recibe(self) -> int | None:
        """One pass over what it was given; the cut accepted. A refusal is in its acuses."""
        if self._receptor is None:
            state = self.espacio.open_state(self.campo.escena.clock)
            self._receptor = open_receiver(
                self.espacio, clock=self.campo.escena.clock, state=state, disk=self.campo.escena.disk
            )
        return self._receptor.run_once().novedad

    @property
    def acuses(self) -> tuple[Path, ...]:
        return Acuses(self.espacio, self.campo.escena.disk).files()

    @property
    def archivos(self) -> set[str]:
        """Paths of everything that lies in its ``entrada/``."""
        return {str(path.relative_to(self.entrada)) for path in self.entrada.rglob("*") if path.is_file()}


@dataclass
class Campo:
    """The institute and its nodes. Cuts are of a night on a clock of their own; deliveries take real time."""

    escena: Escena
    ajustes: dict[str, Any] = field(default_factory=dict)
    nodos: dict[str, Nodo] = field(default_factory=dict)

    @classmethod
    def make(cls, folder: Path, ring: KeyRing, *, extra: str = "") -> Campo:
        return cls(make_escena(folder, ring, extra=extra))

    def nodo(self, difusor: str, nodo: str = "principal") -> Nodo:
        """A new node, registered with the institute from now on."""
        toml = "\n".join(
            (
                f'convocatoria = "{self.escena.folder / "perfil.toml"}"',
                f'ambiente = "{self.escena.identity.ambiente}"',
                f'id = "{difusor}"\nnodo = "{nodo}"',
                'origen = "entrada"\nsondeo_s = 0.1\n[reloj]\nfuente = "ninguna"\n[servidor]\npuerto = 0\n',
            )
        )
        folder = self.escena.folder / f"{difusor}-{nodo}"
        made = create(folder, toml, root=self.escena.repository.root_bytes(), disk=Disk())
        self.nodos[f"{difusor}/{nodo}"] = Nodo(made, self)
        return self.nodos[f"{difusor}/{nodo}"]

    def corte(self, number: int) -> None:
        """Sign the next cut: most of it was in the one before, as in a real night."""
        hora = INICIO + INTERVALO * number
        files = files_of(number, hora, ambiente=self.escena.identity.ambiente)
        self.escena.cut(number, {**files, "assets/mapa.bin": random.Random(1).randbytes(MAPA)})

    def espacio(self, *tablas: Mapping[str, Any], **entrega: Any) -> Workspace:
        """The institute's workspace with those ``[[destino]]``: by default, those of every node."""
        rows = tablas or tuple(nodo.tabla for nodo in self.nodos.values())
        settings = AjustesInstituto.model_validate({"convocatoria": "x", "destino": rows, "entrega": entrega})
        call = self.escena.workspace.convocatoria
        return Workspace(self.escena.folder, settings, call, SystemClock(), Disk())

    def entrega(self, espacio: Workspace | None = None, *difusores: str, **options: Any) -> dict[str, Linea]:
        """One round; its lines by node, in the order in which they were started."""
        space = espacio or self.espacio()
        ours = space.settings.entrega
        rules = Reglas(ours.a_la_vez, ours.intentos, ours.plazo_s, espera_s=0.05, lenta_s=0.3)
        lines = Corrida(space, {}, reglas=rules, **options).run(difusores)
        return {f"{line.difusor}/{line.nodo}": line for line in lines}

    def events(self, kind: str) -> list[dict[str, Any]]:
        """What the institute's journal says of that kind."""
        return [event.dato for event in self.espacio().state().events(limit=100_000) if event.tipo == kind]
