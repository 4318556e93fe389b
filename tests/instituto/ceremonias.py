"""A ceremony in a temporary folder: a workspace, its media, the people who know the phrases, and a difusor that reads.

Also a process that does one act and dies, as by a power cut, before or after its n-th durable step:
``python -m tests.instituto.ceremonias CARPETA ACTO N antes|despues``. Prints each step.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pregon.base.clock import ManualClock
from pregon.base.durable import Disk
from pregon.convocatoria.perfiles import profile_for_night, to_toml_text
from pregon.convocatoria.secciones import Entidad
from pregon.instituto import workspace
from pregon.instituto.ceremonia import llaves, relevo
from pregon.instituto.ceremonia.mesa import Hecho, Mesa, Pedido
from pregon.trust import cifrado
from pregon.trust.cliente import TrustClient
from pregon.trust.keys import KeyRing
from pregon.trust.verified import Memory
from tests.instituto.muerte import disco
from tests.trust.conftest import INICIO, FolderReader, Institute

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pregon.instituto.workspace import Workspace
    from pregon.paquete.manifest import Ambiente

MEDIOS = ("ana", "luis", "eva", "reserva")


@contextmanager
def cheap_phrases() -> Iterator[None]:
    """Keys are encrypted meanwhile at next to no cost: each one takes a quarter of a second of processor otherwise.

    What a ceremony costs outside is proved by ``trust/test_llaves`` and by the rehearsal of ``cli/test_llaves``.
    """
    costs = cifrado.SCRYPT_N, cifrado.SCRYPT_P
    cifrado.SCRYPT_N, cifrado.SCRYPT_P = 2, 1
    try:
        yield
    finally:
        cifrado.SCRYPT_N, cifrado.SCRYPT_P = costs


@dataclass
class Personas:
    """Who knows the passphrase of each medium; notes which were asked for."""

    preguntas: list[tuple[str, bool]] = field(default_factory=list)
    otras: dict[str, bytes] = field(default_factory=dict)

    def __call__(self, medio: Path, *, nueva: bool) -> bytes:
        self.preguntas.append((medio.name, nueva))
        return self.otras.get(medio.name, f"la frase larga de {medio.name}".encode())


@dataclass
class Sala:
    """The folder of a ceremony: ``espacio/`` and one folder for each medium."""

    carpeta: Path
    clock: ManualClock
    ambiente: Ambiente = "oficial"
    disk: Disk = field(default_factory=Disk)
    personas: Personas = field(default_factory=Personas)

    @property
    def espacio(self) -> Path:
        return self.carpeta / "espacio"

    @property
    def repositorio(self) -> Path:
        return self.espacio / "repositorio"

    def medio(self, nombre: str) -> Path:
        path = self.carpeta / nombre
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def mesa(self, *presentes: str, nuevos: tuple[str, ...] = (), permitir: bool = True) -> Mesa:
        return Mesa(
            tuple(self.medio(name) for name in presentes),
            self.personas,
            tuple(self.medio(name) for name in nuevos),
            permitir,
        )

    def profile(self) -> Path:
        path = self.carpeta / "perfil.toml"
        if not path.exists():
            profile = profile_for_night(
                id="demo-2027",
                nombre="Proceso Electoral de Demostración 2027",
                instituto="iedemo",
                entidad=Entidad(numero=4, clave="CAMP", nombre="Campeche"),
                elecciones=("GUB",),
                inicio=INICIO,
                permanencia_hasta=None,
            )
            path.write_text(to_toml_text(profile))
        return path

    def genera(self, mesa: Mesa | None = None) -> llaves.Fundacion:
        return llaves.generate(
            self.espacio,
            self.profile(),
            mesa or self.mesa(*MEDIOS[:3], nuevos=MEDIOS[3:]),
            ambiente=self.ambiente,
            operador="Ana",
            motivo="inicio",
            clock=self.clock,
            disk=self.disk,
        )

    def open(self) -> Workspace:
        return workspace.open_workspace(self.espacio, clock=self.clock, disk=self.disk)

    def acto(self, tipo: Any, *llaves_: str, mesa: Mesa, pide: Path | None = None, **more: Any) -> Hecho:
        pedido = Pedido(
            tipo,
            more.pop("causa", "prueba"),
            more.pop("motivo", "ensayo"),
            more.pop("operador", "Ana"),
            llaves_,
            **more,
        )
        return relevo.replace_keys(self.open(), pedido, mesa, pide=pide)

    def institute(self) -> Institute:
        """The same repository, with the keys that its machine has, for signing small cuts."""
        space = self.open()
        return Institute(self.repositorio, KeyRing(()), space.identity, self.clock, space.repository())

    def cut(self, corte: int) -> None:
        self.institute().cut(corte)

    def difusor(self, name: str, memory: Memory | None = None) -> TrustClient:
        return TrustClient(
            self.carpeta / name,
            root=(self.repositorio / "metadata" / "1.root.json").read_bytes(),
            identity=self.open().identity,
            clock=self.clock,
            memory=memory or Memory(),
        )

    def source(self) -> FolderReader:
        return FolderReader(self.repositorio)

    def moment(self) -> dict[str, bytes]:
        """Every byte that a refusal must not change: workspace (but for its database and its lock) and media."""
        return {
            str(path.relative_to(self.carpeta)): path.read_bytes()
            for path in sorted(self.carpeta.rglob("*"))
            if path.is_file() and not path.name.startswith("estado.sqlite") and path.suffix != ".lock"
        }


def do(sala: Sala, acto: str) -> None:
    """The acts that the tests stop half way, by name."""
    if acto == "genera":
        sala.genera()
    elif acto == "robada":
        sala.acto("revoca", equipo=True, causa="robo", mesa=sala.mesa("ana", "luis", "reserva"))
    elif acto == "raiz":
        sala.acto("revoca", "raiz-1", causa="robo", mesa=sala.mesa("luis", "eva", nuevos=("nuevo",)))
    elif acto == "rota":
        sala.acto("rota", rol="timestamp", mesa=sala.mesa("ana", "eva"))
    else:
        raise ValueError(acto)


def main(carpeta: str, acto: str, hora: str, at: str, when: str) -> None:
    clock = ManualClock(datetime.fromisoformat(hora), simulado=False)
    with cheap_phrases():
        do(Sala(Path(carpeta), clock, disk=disco(at, when)), acto)
    sys.stdout.write(json.dumps({"fin": acto}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
