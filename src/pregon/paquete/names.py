"""The one policy for paths inside a package, judged by component: the tree, the manifest and the reading obey it.

A path is relative, separated by ``/``, and names the same file on every system that a difusor or a citizen may use.
Refusing is the only answer: a name is never repaired, because a repaired name is another name.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from hashlib import blake2b

from pregon.paquete.errors import (
    BidiError,
    ColisionError,
    ControlError,
    DiagonalError,
    DuplicadoError,
    LargoError,
    MiembrosError,
    NombreError,
    NuloError,
    ProfundidadError,
    ReservadoError,
    RutaAbsolutaError,
    RutaSuperiorError,
    UnidadError,
)

MANIFIESTO = "manifiesto.json"
"""Lies beside the archive; the difusor publishes it at the root of the release (design §7)."""
ZIP, SIETE = ".zip", ".7z"
"""How the names of the whole archive end (design §2)."""
CAMBIOS = ".cambios.zip"
"""How the name of the archive of changes ends (design §2)."""
SUMAS = "SHA256SUMS"
"""The list inside each whole archive that ``sha256sum -c`` reads."""
DIFERENCIA = ".diferencia"
"""How a member of ``CAMBIOS`` ends that brings a recipe for the content, not the content (docs/adr/0005)."""

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_WINDOWS_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\..*)?", re.IGNORECASE)
_RESERVED = frozenset({MANIFIESTO})
_FILE, _FOLDER = b"a", b"c"
_PART = r"(?!con|prn|aux|nul|com|lpt)[a-z0-9](?:[a-z0-9._-]{0,60}[a-z0-9])?"
_ORDINARY = re.compile(rf"(?:{_PART}/){{1,7}}{_PART}")
"""What nearly all paths look like; each of them passes every check below, within any limits of at least these."""


@dataclass(frozen=True)
class NameLimits:
    """Largest path (UTF-8 bytes), component (UTF-8 bytes), number of components; names in all, folders included."""

    ruta: int = 512
    componente: int = 255
    profundidad: int = 16
    nombres: int = 150_000


LIMITES = NameLimits()
SHOWN = 600
"""Most characters of somebody else's text that a message repeats."""


def check_path(ruta: str, limits: NameLimits = LIMITES) -> str:
    """Return ``ruta`` if it is admitted in a package; its components are ``ruta.split("/")``.

    Raises:
        ArchivoError: one of the leaves of ``paquete.errors`` about names; nothing was written.
    """
    if _ORDINARY.fullmatch(ruta) and limits is LIMITES:
        return ruta
    shown = ascii(ruta[:120])
    _check_characters(ruta, shown)
    if ruta.startswith("/"):
        raise RutaAbsolutaError(f"El nombre {shown} es absoluto.")
    if ":" in ruta:
        raise UnidadError(f"El nombre {shown} lleva dos puntos: nombra una unidad o un flujo alterno.")
    components = ruta.split("/")
    if any(component in ("", ".", "..") for component in components):
        raise RutaSuperiorError(f"El nombre {shown} sale de su carpeta o tiene un componente vacío.")
    if len(components) > limits.profundidad:
        raise ProfundidadError(f"El nombre {shown} tiene {len(components)} niveles; el límite es {limits.profundidad}.")
    if len(ruta.encode()) > limits.ruta or any(len(part.encode()) > limits.componente for part in components):
        raise LargoError(f"El nombre {shown} es más largo que el límite ({limits.ruta} bytes en total).")
    for component in components:
        if component[-1] in ". " or component[0] == " " or _WINDOWS_DEVICE.fullmatch(component):
            raise NombreError(f"El nombre {shown} no existe igual en todos los sistemas.")
    if _fold(ruta) in _RESERVED:
        raise ReservadoError(f"El nombre {shown} lo escribe el difusor; un paquete no puede traerlo.")
    return ruta


def visible(text: str) -> str:
    """What a stranger wrote, to be shown: what is not a character to be seen is escaped, and it is not endless."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[:SHOWN])


def _check_characters(ruta: str, shown: str) -> None:
    if ruta.isascii() and ruta.isprintable() and "\\" not in ruta:
        return
    if "\0" in ruta:
        raise NuloError(f"El nombre {shown} lleva un carácter nulo.")
    used = set(ruta)
    if not used.isdisjoint(_BIDI):
        raise BidiError(f"El nombre {shown} lleva caracteres que invierten el sentido de lectura.")
    if any(unicodedata.category(character) in _INVISIBLE for character in used):
        raise ControlError(f"El nombre {shown} lleva caracteres de control o invisibles.")
    if "\\" in ruta:
        raise DiagonalError(f"El nombre {shown} lleva una diagonal inversa.")


def _fold(text: str) -> str:
    """One spelling for all that a file system insensitive to case or to Unicode form takes for the same name."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


class NameSet:
    """The names of one package: every path admitted, none twice, none that another system takes for another.

    Folders count: ``A/x`` and ``a/y`` collide, and so do a file ``a`` and a file ``a/b``. Digests are kept and not
    texts: sixteen folders deep, each path would be kept sixteen times.
    """

    def __init__(self, limits: NameLimits = LIMITES) -> None:
        self._limits = limits
        self._taken: dict[bytes, bytes] = {}
        self._last = ""
        """The folder of the last path, which is there with those above it: most paths share it with the next."""

    def add_file(self, ruta: str) -> str:
        """Admit the file ``ruta`` and the folders above it.

        Raises:
            ArchivoError: the name itself, ``DuplicadoError``, ``ColisionError``, or ``MiembrosError`` where there are
                too many names.
        """
        check_path(ruta, self._limits)
        self._parents(ruta)
        if not self._claim(ruta, _FILE):
            raise DuplicadoError(f"El nombre {ruta!a} aparece dos veces.")
        return ruta

    def add_folder(self, ruta: str) -> str:
        """Admit the folder ``ruta`` (no final ``/``); a folder may be named more than once, but not by an entry twice.

        Raises:
            ArchivoError: as ``add_file``.
        """
        check_path(ruta, self._limits)
        self._parents(f"{ruta}/")
        return ruta

    def _parents(self, ruta: str) -> None:
        position = ruta.rfind("/")
        folder = ruta[: max(position, 0)]
        if folder == self._last:
            return
        while position > 0 and self._claim(ruta[:position], _FOLDER):
            position = ruta.rfind("/", 0, position)
        self._last = folder

    def _claim(self, path: str, kind: bytes) -> bool:
        """Take the spelling of ``path``; False when this very path already has it, as the same kind."""
        folded, exact = _fold(path), blake2b(path.encode(), digest_size=16).digest()
        key = exact if folded == path else blake2b(folded.encode(), digest_size=16).digest()
        mine = kind + exact
        other = self._taken.setdefault(key, mine)
        if other is mine:
            if len(self._taken) > self._limits.nombres:
                raise MiembrosError(f"El paquete tiene más de {self._limits.nombres:,} archivos y carpetas.")
            return True
        if other[1:] != exact:
            raise ColisionError(f"El nombre {path!a} sería el mismo archivo que otro del paquete en algunos sistemas.")
        if other != mine:
            raise ColisionError(f"El nombre {path!a} es a la vez archivo y carpeta.")
        return False
