"""A difusor's nodes: what its form says of them against the ``[[destino]]`` of its id, by which cuts are delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pregon.convocatoria.solicitud.modelo import Ficha
    from pregon.instituto.entrega.destinos import Destino
    from pregon.instituto.workspace import Workspace

_CARRIERS = {"rsync+ssh": "rsync", "file": "local", "": "local"}
"""The schemes of an address that are not the carrier's own name."""


def de(workspace: Workspace, ident: str) -> tuple[Destino, ...]:
    """The nodes of a difusor, in the order of the settings."""
    return tuple(one for one in workspace.settings.destino if one.difusor == ident)


def desacuerdos(workspace: Workspace, ident: str, ficha: Ficha) -> tuple[str, ...]:
    """What the form and the settings say against each other, Spanish; empty where a cut can be delivered and acused.

    A node whose acuses verify with a key that is not the one of the form would be believed in somebody else's name.
    """
    found, nodes = [], de(workspace, ident)
    if not nodes:
        found.append(f"Ninguna tabla [[destino]] de instituto.toml es de «{ident}»")
    for one in nodes:
        carrier = _CARRIERS.get(one.esquema, one.esquema)
        if one.empuja and ficha.transporte is not None and carrier != ficha.transporte:
            found.append(f"{one.nombre}: se entrega por {carrier} y la ficha pide {ficha.transporte}")
        if one.empuja and workspace.convocatoria.transporte.modo == "pull":
            found.append(f"{one.nombre}: la convocatoria dice que el difusor lee por su cuenta, sin «url»")
        if one.clave_acuses is None:
            found.append(f"{one.nombre}: sin «clave_acuses» ninguno de sus acuses se cree")
        elif ficha.llaves.acuses is not None and not _same_key(workspace, one, ficha.llaves.acuses):
            found.append(f"{one.nombre}: «clave_acuses» no es la llave de acuses de la ficha")
    return tuple(found)


def _same_key(workspace: Workspace, node: Destino, pem: str) -> bool:
    path = workspace.folder / str(node.clave_acuses)
    try:
        return path.read_text(encoding="ascii").split() == pem.split()
    except (OSError, UnicodeDecodeError):
        return False
