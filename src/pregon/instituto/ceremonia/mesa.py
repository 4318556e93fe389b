"""The table of a ceremony: what is on it, what is ordered, what is made, and what is written of it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pregon.instituto.ceremonia import inventario, medios
from pregon.instituto.ceremonia.acto import EQUIPO, Acto, Nueva
from pregon.trust import keys, rotulo
from pregon.trust.ceremonia import Ceremonia
from pregon.trust.keys import KeyRing, NamedKey
from pregon.trust.rotulo import Rotulo

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pregon.instituto.ceremonia.acto import Tipo
    from pregon.instituto.ceremonia.medios import Frases, Medio
    from pregon.instituto.workspace import Workspace
    from pregon.trust.verified import Identity

EVENTO = "llaves"
"""Kind of the journal's events of a ceremony."""


@dataclass(frozen=True)
class Mesa:
    """What is on the table: media with keys (``medios``), media for new keys (``nuevos``), who knows the phrases."""

    medios: tuple[Path, ...]
    frases: Frases
    nuevos: tuple[Path, ...] = ()
    permitir_mismo_disco: bool = False


@dataclass(frozen=True)
class Pedido:
    """What is ordered.

    ``llaves`` are names or ids; ``rol`` alone, the key of that online role that this machine has; ``equipo``, every
    online key that it has.
    """

    tipo: Tipo
    causa: str
    motivo: str
    operador: str
    llaves: tuple[str, ...] = ()
    rol: str | None = None
    equipo: bool = False

    @property
    def orden(self) -> tuple[str, ...]:
        """How the command is recognised when it is repeated."""
        words = (self.rol, *sorted(self.llaves), EQUIPO if self.equipo else None)
        return (self.tipo, *(word for word in words if word))


@dataclass(frozen=True)
class Hecho:
    """What an act did. ``solicitud`` is set when it waits for signatures from elsewhere; then nothing is in force."""

    acto: Acto
    raiz_version: int
    raiz_sha256: str
    retiradas: tuple[str, ...]
    nuevas: tuple[Nueva, ...]
    avisos: tuple[str, ...]
    solicitud: Path | None = None
    solicitud_sha256: str | None = None


@dataclass
class Obra:
    """An act in progress: the open workspace and what was opened for it."""

    workspace: Workspace
    mesa: Mesa
    abiertos: list[Medio] = field(default_factory=list)
    frases: dict[str, bytes] = field(default_factory=dict)
    hechas: list[Path] = field(default_factory=list)

    @property
    def identity(self) -> Identity:
        return self.workspace.identity

    def ring(self) -> KeyRing:
        """The keys of this machine."""
        return keys.load_ring(self.workspace.llaves, identity=self.identity)

    def ceremonia(self) -> Ceremonia:
        workspace = self.workspace
        return Ceremonia(workspace.repositorio, self.ring(), disk=workspace.disk, numeros=workspace.numeros())

    def media_keys(self) -> tuple[NamedKey, ...]:
        return tuple({key.keyid: key for medio in self.abiertos for key in medio.ring.keys}.values())

    def medium_of(self, keyid: str) -> Path | None:
        return next((m.carpeta for m in self.abiertos if keyid in {key.keyid for key in m.ring.keys}), None)

    def open(self) -> None:
        """Open every medium that holds keys; those for new keys may be empty."""
        self.abiertos = []
        for carpeta in dict.fromkeys((*self.mesa.medios, *self.mesa.nuevos)):
            medios.check_place(carpeta)
            if carpeta in self.mesa.nuevos and carpeta not in self.mesa.medios and not medios.names_in(carpeta):
                continue
            self.abiertos.append(medios.open_medium(carpeta, self.identity, self._once))

    def _once(self, medio: Path, *, nueva: bool) -> bytes:
        """The passphrase of a medium, asked once for the whole act."""
        if str(medio) not in self.frases:
            self.frases[str(medio)] = self.mesa.frases(medio, nueva=nueva)
        return self.frases[str(medio)]

    def passphrase(self, lugar: str) -> bytes:
        """The one under which new keys go to a medium: that of the keys it has, or a new one."""
        return medios.passphrase(self._once, Path(lugar), nueva=lugar not in self.frases)


@contextlib.contextmanager
def held(espacio: Workspace, mesa: Mesa) -> Iterator[Obra]:
    """Hold the workspace for an act."""
    with espacio.held():
        yield Obra(espacio, mesa)


def make_key(obra: Obra, acto: Acto, nueva: Nueva) -> NamedKey:
    """The key of ``nueva``, in its place and read back from there; the one that a stopped attempt left, if any."""
    espacio = obra.workspace
    here = nueva.lugar == EQUIPO
    folder = espacio.llaves if here else Path(nueva.lugar)
    frase = None if here else obra.passphrase(nueva.lugar)
    path = folder / f"{nueva.nombre}.pem"
    if path.exists():
        if not made_by(path, acto):
            medios.check_room(folder, (nueva.nombre,))
    else:
        key = KeyRing(obra.media_keys()).named(nueva.nombre) if nueva.instala else keys.generate(nueva.nombre)
        label = Rotulo(nueva.nombre, espacio.identity, acto.id, acto.hora, key.keyid)
        obra.hechas.append(path)
        keys.save(key, folder, passphrase=frase, label=label, disk=espacio.disk)
    return keys.load(path, passphrase=frase, identity=espacio.identity)


def remember(espacio: Workspace, made: Iterable[tuple[Nueva, NamedKey]]) -> None:
    """Note names and places, for people."""
    state = espacio.state()
    known = state.get(inventario.LLAVES) or {}
    new = {key.keyid: {"nombre": nueva.nombre, "rol": nueva.rol, "lugar": nueva.lugar} for nueva, key in made}
    state.put(**{inventario.LLAVES: {**known, **new}})


def made_by(path: Path, acto: Acto) -> bool:
    """Whether this very act wrote that key file."""
    try:
        label = rotulo.read(path.read_bytes())
    except (OSError, ValueError):
        return False
    return label is not None and label.ceremonia == acto.id


def record_act(espacio: Workspace, acto: Acto, que: str, **more: object) -> None:
    """Write the act in the journal once, even if it had to be finished twice."""
    state = espacio.state()
    after = 0
    while events := state.events(after=after):
        if any(e.tipo == EVENTO and e.dato.get("id") == acto.id and e.dato.get("acto") == que for e in events):
            return
        after = events[-1].n
    known = state.get(inventario.LLAVES) or {}
    ids = {told["nombre"]: keyid for keyid, told in known.items()}
    state.record(
        EVENTO,
        acto=que,
        id=acto.id,
        causa=acto.causa,
        motivo=acto.motivo,
        operador=acto.operador,
        retira=list(acto.retira),
        nuevas=[
            {"nombre": nueva.nombre, "rol": nueva.rol, "lugar": nueva.lugar, "llave": ids.get(nueva.nombre)}
            for nueva in acto.nuevas
        ],
        mismo_disco=acto.mismo_disco,
        **more,
    )
