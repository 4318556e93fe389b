"""The key of the night at the institute: made once, given to each node under seal, destroyed with proof."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pregon.base.errors import EntradaError, UsoError
from pregon.base.hashing import sha256_bytes
from pregon.instituto.workspace import RAIZ
from pregon.trust import keys, noche
from pregon.trust.acuse import Emisor, load_public_key
from pregon.trust.sobre import paper_keys

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.instituto.entrega.destinos import Destino
    from pregon.instituto.workspace import Workspace
    from pregon.trust.noche import ClaveNoche

CARPETA = "memorias"
PAPELES = "papeles"
DESCIFRA = "descifra"
_NOCHE = "noche"
"""Key of the state: ``{nombre, hecha, destruida}`` of the key of this night; never the key itself."""
_ARCHIVO, _VARIABLE = "archivo:", "env:"


@dataclass(frozen=True)
class Papel:
    """The key sealed for one node. ``archivo`` None: its acuses have no key here, so that there is none to seal to."""

    nodo: str
    archivo: Path | None


@dataclass(frozen=True)
class Noche:
    """What is known of the key: its name, when it was made and when it was destroyed (ISO 8601), None where not."""

    nombre: str
    hecha: str
    destruida: str | None


def folder(workspace: Workspace) -> Path:
    """Where all of this is."""
    return workspace.folder / CARPETA


def known(workspace: Workspace) -> Noche | None:
    """The key of this night; None where there was never one."""
    told: Any = workspace.state().get(_NOCHE)
    return None if told is None else Noche(told["nombre"], told["hecha"], told["destruida"])


def give_out(workspace: Workspace) -> tuple[Papel, ...]:
    """Write the paper of every node, with the key of the night; the first time the key is made.

    A node that comes later gets its own when this is called again, while the key is there.

    Raises:
        UsoError: the key was destroyed, or there is another than the one that was given out.
        EntradaError: no key of the role avisos is at hand. AjustesError: the key of a node's acuses cannot be read.
        DiscoError, EscrituraError: could not write.
    """
    key = _key(workspace)
    public = _public(workspace)
    metadata, root = workspace.repositorio / "metadata", (workspace.folder / RAIZ).read_bytes()
    ring = keys.load_ring(workspace.llaves, identity=workspace.identity)
    allowed = paper_keys(metadata, root)
    made: list[Papel] = []
    workspace.disk.make_folder(folder(workspace) / PAPELES, mode=0o700)
    for node in workspace.settings.destino:
        if node.clave_acuses is None:
            made.append(Papel(node.nombre, None))
            continue
        public_of_node = load_public_key(workspace.folder / node.clave_acuses).keyval["public"]
        path = folder(workspace) / PAPELES / f"{node.difusor}-{node.nodo}.json"
        data = noche.issue(
            key,
            emisor_of(workspace, node),
            workspace.convocatoria.instituto,
            para=public_of_node,
            publica=public,
            now=workspace.clock.now(),
            ring=ring,
            allowed=allowed,
        )
        workspace.disk.write(path, data, mode=0o600)
        made.append(Papel(node.nombre, path))
        workspace.state().record(
            "clave_noche_dada", difusor=node.difusor, nodo=node.nodo, noche=key.nombre, sha256=sha256_bytes(data)
        )
    return tuple(made)


def emisor_of(workspace: Workspace, node: Destino) -> Emisor:
    """Who delivers, of a node of the settings."""
    return Emisor(workspace.convocatoria.id, workspace.settings.ambiente, node.difusor, node.nodo)


def private_key(workspace: Workspace) -> bytes:
    """The key (PEM) that opens encrypted logs. Raises ``EntradaError`` where there is none."""
    return keys.load(folder(workspace) / f"{DESCIFRA}.pem").signer.private_bytes


def destroy(workspace: Workspace) -> Noche:
    """Destroy the key of the night: overwritten and removed, and told in the journal. The other keys stay.

    Raises:
        EntradaError: it is not there. UsoError: it is in a variable. EscrituraError: it could not be destroyed.
    """
    told = known(workspace)
    path = _place(workspace)
    if path is None:
        raise UsoError(
            "La clave de la noche está en una variable: desde aquí no se puede destruir.",
            intacto="No se cambió nada.",
            que_hacer="Quítela de donde se escribió y anote quién lo hizo.",
        )
    key = noche.de_archivo(path)
    size = noche.destruye(path)
    now = workspace.clock.now().isoformat()
    made = now if told is None else told.hecha
    state = workspace.state()
    state.put(**{_NOCHE: {"nombre": key.nombre, "hecha": made, "destruida": now}})
    state.record("clave_noche_destruida", noche=key.nombre, archivo=str(path), bytes=size)
    return Noche(key.nombre, made, now)


def _key(workspace: Workspace) -> ClaveNoche:
    told, path = known(workspace), _place(workspace)
    if told is not None and told.destruida is not None:
        raise UsoError(
            f"La clave de la noche ({told.nombre}) ya se destruyó: no se puede dar a nadie más.",
            intacto="No se cambió nada.",
            que_hacer="Quien no la recibió entrega sus medidas sin bosquejos; no se hace otra para la misma noche.",
        )
    if path is None:
        name = str(workspace.convocatoria.clave_noche).removeprefix(_VARIABLE)
        if name not in os.environ:
            raise EntradaError(
                f"No está la variable {name}, que debe traer la clave de la noche.",
                intacto="No se cambió nada.",
                que_hacer="Póngala en el ambiente, o quite «clave_noche» del perfil.",
            )
        key = noche.de_texto(os.environ[name], f"la variable {name}")
    elif path.exists():
        key = noche.de_archivo(path)
    elif told is None:
        key = noche.nueva()
        noche.escribe(path, key, disk=workspace.disk)
    else:
        key = noche.de_archivo(path)  # Raises: it was given out and somebody took it away.
    if told is not None and told.nombre != key.nombre:
        raise UsoError(
            f"La clave de la noche que hay ({key.nombre}) no es la que se dio ({told.nombre}).",
            intacto="No se dio ninguna.",
            que_hacer="Ponga de nuevo la que era: lo que se cuente con otra no se puede sumar.",
        )
    if told is None:
        made = workspace.clock.now().isoformat()
        workspace.state().put(**{_NOCHE: {"nombre": key.nombre, "hecha": made, "destruida": None}})
        workspace.state().record("clave_noche", noche=key.nombre)
    return key


def _place(workspace: Workspace) -> Path | None:
    told = workspace.convocatoria.clave_noche
    if told is None:
        return folder(workspace) / "noche.clave"
    return workspace.folder / told.removeprefix(_ARCHIVO) if told.startswith(_ARCHIVO) else None


def _public(workspace: Workspace) -> str:
    """The public part of the key that opens logs; the key is made the first time."""
    path = folder(workspace) / f"{DESCIFRA}.pem"
    if not path.exists():
        workspace.disk.make_folder(path.parent, mode=0o700)
        keys.save(keys.generate(DESCIFRA), path.parent, disk=workspace.disk)
    return str(keys.load(path).public.keyval["public"])
