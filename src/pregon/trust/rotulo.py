"""The label of a key file: plain lines above the PEM that say whose key it is, so that nobody uses it elsewhere.

::

    Pregon-Llave: 1
    Nombre: raiz-1
    Convocatoria: gro-2021
    Instituto: iepcgro
    Ambiente: simulacro
    Ceremonia: 5f0c…
    Creada: 2027-03-01T16:00:00+00:00
    Llave: 64 hexadecimal digits, the id of the key

A label protects against carelessness, not against malice: it is not signed. What makes a key worthless in another
tree is that no root of that tree authorises it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pregon.trust import orden
from pregon.trust.verified import Identity

if TYPE_CHECKING:
    from pathlib import Path

_MARK = "Pregon-Llave"
_FORM = "1"
_PEM = b"-----BEGIN"
MAX_BYTES = 8192
"""No key file is longer."""


@dataclass(frozen=True)
class Rotulo:
    """What the label says. ``ceremonia`` is the id of the act that made the key; ``llave`` its key id."""

    nombre: str
    identity: Identity
    ceremonia: str
    creada: datetime
    llave: str

    def text(self) -> bytes:
        """The lines, with an empty one after them."""
        who = self.identity
        lines = {
            _MARK: _FORM,
            "Nombre": self.nombre,
            "Convocatoria": who.convocatoria,
            "Instituto": who.instituto,
            "Ambiente": who.ambiente,
            "Ceremonia": self.ceremonia,
            "Creada": self.creada.astimezone(UTC).isoformat(timespec="seconds"),
            "Llave": self.llave,
        }
        return ("".join(f"{name}: {value}\n" for name, value in lines.items()) + "\n").encode()


def read(data: bytes) -> Rotulo | None:
    """The label of a key file; None when it has none (those of ``pregon instituto inicia``).

    Raises:
        ValueError: there is one and it cannot be understood.
    """
    head = data.split(_PEM, 1)[0].decode("utf-8", "strict")
    if not head.strip():
        return None
    fields = dict(line.split(": ", 1) for line in head.splitlines() if line.strip())
    if fields.get(_MARK) != _FORM:
        raise ValueError("not a label of this form")
    ambiente = fields.get("Ambiente", "")
    if ambiente not in ("oficial", "simulacro"):
        raise ValueError("no ambiente")
    try:
        return Rotulo(
            nombre=fields["Nombre"],
            identity=Identity(
                fields["Convocatoria"], fields["Instituto"], "oficial" if ambiente == "oficial" else "simulacro"
            ),
            ceremonia=fields["Ceremonia"],
            creada=datetime.fromisoformat(fields["Creada"]),
            llave=fields["Llave"],
        )
    except KeyError as exc:
        raise ValueError(f"no {exc}") from exc


def check(label: Rotulo | None, mine: Identity, path: Path) -> None:
    """That a labelled key is of this tree.

    Raises:
        AmbienteError, ConvocatoriaError: it is of another one.
    """
    if label is not None:
        orden.check_key(mine, label.identity, path=str(path))
