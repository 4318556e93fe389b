"""A delivery of counts, taken or refused.

In this order: 1. it is an envelope in its only spelling; 2. the node that it names is registered, and its key signed
it; 3. it is of this convocatoria, institute and ambiente; 4. it was counted with the key of this night; 5. it is not
older than the one that is here. Of what is refused nothing stays but a line in the journal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base.errors import (
    AmbienteError,
    ConvocatoriaError,
    EntradaError,
    FirmaError,
    PregonError,
    RetrocesoError,
)
from pregon.base.razones import razon
from pregon.bitacoras import entrega
from pregon.instituto.memorias import claves
from pregon.trust.acuse import load_public_key

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.bitacoras.entrega import Entrega
    from pregon.instituto.entrega.destinos import Destino
    from pregon.instituto.workspace import Workspace

_INTACTO = "No se sumó nada de él, y las entregas que ya se tenían siguen como estaban."


@dataclass(frozen=True)
class Admitida:
    """A delivery that is here. ``nueva``: it was not before."""

    entrega: Entrega
    nueva: bool


def admit(workspace: Workspace, data: bytes) -> Admitida:
    """Take one delivery, and keep it as it came, in place of the node's older one.

    Raises:
        FormatoError: it is none. FirmaError: nobody registered signed it.
        ConvocatoriaError, AmbienteError: it is of another call, institute, night or ambiente.
        RetrocesoError: it is older than the one that is here.
        AjustesError: the registered key cannot be read. DiscoError, EscrituraError: it could not be kept.
    """
    try:
        node = _node(workspace, data)
        found = _checked(workspace, node, data)
        path = _path(workspace, node)
        before = _kept(workspace, node)
        if before is not None and before.sha256 == found.sha256:
            return Admitida(found, nueva=False)
        if before is not None and found.generado <= before.generado:
            raise RetrocesoError(
                f"La entrega de {node.nombre} es anterior a la que ya se tiene ({before.generado.isoformat()}).",
                intacto=_INTACTO,
                que_hacer="Pida la más reciente.",
            )
    except PregonError as exc:
        workspace.state().record("memoria_rechazada", codigo=exc.codigo, que_paso=exc.que_paso, bytes=len(data))
        raise
    workspace.disk.make_folder(path.parent, mode=0o700)
    workspace.disk.write(path, data, mode=0o600)
    workspace.state().record(
        "memoria", difusor=node.difusor, nodo=node.nodo, sha256=found.sha256, noche=found.noche, bytes=len(data)
    )
    return Admitida(found, nueva=True)


def admit_file(workspace: Workspace, path: Path) -> Admitida:
    """``admit`` of a file. Raises ``EntradaError`` too, where it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(entrega.MAX_BYTES + 1)
    except OSError as exc:
        raise EntradaError(
            f"No se pudo leer {path}: {razon(exc)}.", intacto=_INTACTO, que_hacer="Revise la ruta."
        ) from exc
    return admit(workspace, data)


def delivered(workspace: Workspace) -> dict[str, Entrega]:
    """The deliveries that are here, by node («diario-uno/principal»), each verified again.

    Raises:
        FormatoError, TrustError: one is not as it was taken.
    """
    found = {node.nombre: _kept(workspace, node) for node in workspace.settings.destino}
    return {name: one for name, one in found.items() if one is not None}


def _node(workspace: Workspace, data: bytes) -> Destino:
    names = entrega.claimed(data)
    for one in workspace.settings.destino:
        if (one.difusor, one.nodo) == names and one.clave_acuses is not None:
            return one
    raise FirmaError(
        f"La entrega dice ser de {'/'.join(names)[:80]}, que no está registrado o no tiene llave de acuses.",
        intacto=_INTACTO,
        que_hacer="Revise sus [[destino]] y «clave_acuses» en instituto.toml.",
    )


def _checked(workspace: Workspace, node: Destino, data: bytes) -> Entrega:
    found = entrega.read(data, load_public_key(workspace.folder / str(node.clave_acuses)))
    said, ours = found.emisor, claves.emisor_of(workspace, node)
    ask = "Pida al difusor la entrega de esta convocatoria y de este ambiente."
    if (said.convocatoria, found.instituto) != (ours.convocatoria, workspace.convocatoria.instituto):
        text = f"La entrega de {node.nombre} es de la convocatoria «{said.convocatoria}» de «{found.instituto}»."
        raise ConvocatoriaError(text, intacto=_INTACTO, que_hacer=ask)
    if said.ambiente != ours.ambiente:
        text = f"La entrega de {node.nombre} es del ambiente «{said.ambiente}», no de «{ours.ambiente}»."
        raise AmbienteError(text, intacto=_INTACTO, que_hacer=ask)
    night = claves.known(workspace)
    if night is None or night.nombre != found.noche:
        raise ConvocatoriaError(
            f"La entrega de {node.nombre} se contó con la clave {found.noche}, que no es la de esta noche"
            + ("." if night is None else f" ({night.nombre})."),
            intacto=_INTACTO,
            que_hacer="Sus visitantes no se pueden sumar con los demás: que cuente de nuevo con la que se le dio.",
        )
    return found


def _kept(workspace: Workspace, node: Destino) -> Entrega | None:
    path = _path(workspace, node)
    if node.clave_acuses is None or not path.is_file():
        return None
    return _checked(workspace, node, path.read_bytes())


def _path(workspace: Workspace, node: Destino) -> Path:
    return claves.folder(workspace) / "entregas" / node.difusor / f"{node.nodo}.json"
