"""What keys there are, for people: names, places, thresholds, dates. What counts is in the signed root and targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pregon.base.errors import EntradaError, UsoError
from pregon.base.hashing import grupos, sha256_bytes
from pregon.instituto.ceremonia.acto import EQUIPO
from pregon.trust.keys import ONLINE_ROLES, RAIZ
from pregon.trust.propuesta import DOCUMENTS, INTACTO

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pregon.instituto.workspace import Workspace
    from pregon.trust.ceremonia import Ceremonia, Papel
    from pregon.trust.keys import KeyRing

LLAVES = "llaves"
"""Key of the state: ``{key id: {nombre, rol, lugar}}`` of every key that a ceremony made here."""
KEYID_MIN = 8
"""Digits with which a key may be named."""
GRUPOS_POR_RENGLON = 4


@dataclass(frozen=True)
class Llave:
    """An authorised key. ``lugar`` is where it should be: this machine, a medium, or unknown (``None``)."""

    keyid: str
    rol: str
    nombre: str | None
    lugar: str | None
    en_equipo: bool

    def as_dict(self) -> dict[str, Any]:
        """JSON types."""
        return {
            "llave": self.keyid,
            "huella": grupos(self.keyid),
            "rol": self.rol,
            "nombre": self.nombre,
            "lugar": self.lugar,
            "en_equipo": self.en_equipo,
        }


@dataclass(frozen=True)
class Inventario:
    """The roles, the keys and the root of a workspace, at an instant; ``avisos`` say what should not be so."""

    papeles: tuple[Papel, ...]
    llaves: tuple[Llave, ...]
    raiz_version: int
    raiz_sha256: str
    hora: datetime
    avisos: tuple[str, ...]

    def of(self, rol: str) -> tuple[Llave, ...]:
        """The keys of a role."""
        return tuple(llave for llave in self.llaves if llave.rol == rol)

    def find(self, palabra: str) -> Llave:
        """The authorised key of that name, or whose id begins so.

        Raises:
            EntradaError: there is none.
            UsoError: there are several.
        """
        digits = palabra.replace(" ", "").lower()
        found = [
            llave
            for llave in self.llaves
            if llave.nombre == palabra or (len(digits) >= KEYID_MIN and llave.keyid.startswith(digits))
        ]
        if not found:
            raise EntradaError(
                f"Ninguna llave autorizada se llama «{palabra}» ni empieza así.",
                intacto=INTACTO,
                que_hacer=f"Vea nombres y huellas con «llaves muestra» (de una huella bastan {KEYID_MIN} cifras).",
            )
        if len(found) > 1:
            raise UsoError(
                f"«{palabra}» puede ser más de una llave.",
                intacto=INTACTO,
                que_hacer="Escriba más cifras de su huella.",
            )
        return found[0]

    def as_dict(self) -> dict[str, Any]:
        """JSON types."""
        return {
            "raiz": {"version": self.raiz_version, "sha256": self.raiz_sha256, "huella": grupos(self.raiz_sha256)},
            "papeles": [
                {
                    "papel": papel.nombre,
                    "version": papel.version,
                    "umbral": papel.umbral,
                    "llaves": list(papel.llaves),
                    "vence": papel.vence.isoformat(),
                }
                for papel in self.papeles
            ],
            "llaves": [llave.as_dict() for llave in self.llaves],
            "avisos": list(self.avisos),
        }


def look(workspace: Workspace, ceremonia: Ceremonia, ring: KeyRing) -> Inventario:
    """The inventory of a workspace; ``ring`` are the keys in its ``llaves/``."""
    known: dict[str, dict[str, str]] = workspace.state().get(LLAVES) or {}
    here = {key.keyid: key.nombre for key in ring.keys}
    papeles = ceremonia.papeles()
    found = []
    for rol in (RAIZ, *ONLINE_ROLES):
        papel = next(papel for papel in papeles if papel.nombre == (DOCUMENTS[0] if rol == RAIZ else rol))
        for keyid in papel.llaves:
            told = known.get(keyid, {})
            found.append(
                Llave(
                    keyid,
                    rol,
                    here.get(keyid) or told.get("nombre"),
                    EQUIPO if keyid in here else told.get("lugar"),
                    keyid in here,
                )
            )
    root = ceremonia.root_bytes()
    now = workspace.clock.now()
    return Inventario(
        papeles, tuple(found), papeles[0].version, sha256_bytes(root), now, _warnings(papeles, found, now)
    )


def _warnings(papeles: Iterable[Papel], llaves: list[Llave], now: datetime) -> tuple[str, ...]:
    found = [f"«{papel.nombre}» venció el {papel.vence:%d/%m/%Y}." for papel in papeles if papel.vence <= now]
    away = [llave.nombre or llave.keyid[:KEYID_MIN] for llave in llaves if llave.en_equipo and llave.rol == RAIZ]
    if away:
        found.append(f"En este equipo hay llaves raíz que deben estar en un medio aparte: {', '.join(away)}.")
    for rol in ONLINE_ROLES:
        mine = [llave for llave in llaves if llave.rol == rol]
        if sum(llave.en_equipo for llave in mine) > 1:
            found.append(f"La llave de reserva de «{rol}» está en este equipo; debe estar en un medio aparte.")
        if not any(llave.en_equipo for llave in mine):
            found.append(f"En este equipo no hay llave de «{rol}»: no se puede firmar un corte.")
        if len(mine) < 2:  # one to sign and one in reserve
            found.append(f"«{rol}» no tiene llave de reserva.")
    return tuple(found)


def renglones(huella: str) -> tuple[str, ...]:
    """A digest in groups of four digits, four groups a line: how it is printed to be read aloud."""
    parts = grupos(huella).split()
    return tuple(
        " ".join(parts[start : start + GRUPOS_POR_RENGLON]) for start in range(0, len(parts), GRUPOS_POR_RENGLON)
    )


def next_names(rol: str, taken: Iterable[str], many: int) -> tuple[str, ...]:
    """The next ``many`` free names of a role: ``cortes-3``, ``cortes-4``."""
    numbers = [
        int(number)
        for name in taken
        for role, _, number in [name.rpartition("-")]
        if role == rol and number.isdecimal()
    ]
    first = 1 + max(numbers, default=0)
    return tuple(f"{rol}-{first + n}" for n in range(many))
