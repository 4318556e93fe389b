"""Offline media: the folders where the keys that do not sign every cut are kept, each under its own passphrase.

A medium is a folder on another file system than the workspace: a USB stick, a card, a tape of the safe. Pregón writes
key files there and the newest root; it never overwrites a key nor deletes one from a medium.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pregon.base.errors import AjustesError, EntradaError, UsoError
from pregon.base.razones import razon
from pregon.trust import keys, rotulo
from pregon.trust.propuesta import INTACTO

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pregon.trust.keys import KeyRing
    from pregon.trust.verified import Identity

RAIZ = "root.json"
"""The newest root that a medium saw: what it believes without asking the machine it is plugged into."""
FRASE_MIN = 12
"""Characters of a new passphrase: a file that may be stolen is guessed at leisure."""
FRASE_MAX = 1024
MAX_KEYS = 64
"""Key files that one medium may hold."""
MAX_ROOT_BYTES = 256 << 10
"""A root is a few kilobytes."""


class Frases(Protocol):
    """Gives the passphrase of a medium: asked, from a file or from the environment; never from the command line."""

    def __call__(self, medio: Path, *, nueva: bool) -> bytes:
        """The passphrase of ``medio``; ``nueva`` when it will encrypt keys for the first time (ask twice)."""


@dataclass(frozen=True)
class Medio:
    """A medium whose keys were opened. ``frase`` is kept for the keys that the same act puts there."""

    carpeta: Path
    ring: KeyRing
    frase: bytes

    def __repr__(self) -> str:
        return f"Medio({self.carpeta}, {len(self.ring.keys)} llaves)"


def check_place(carpeta: Path) -> None:
    """That ``carpeta`` is a folder that only its owner can enter.

    Raises:
        EntradaError: there is no such folder.
        AjustesError: it is a link, or other users can read it.
    """
    try:
        mode = carpeta.lstat().st_mode
    except OSError as exc:
        raise EntradaError(
            f"No está el medio {carpeta}: {razon(exc)}.", intacto=INTACTO, que_hacer="Conéctelo y repita la orden."
        ) from exc
    if not stat.S_ISDIR(mode):
        raise AjustesError(
            f"El medio {carpeta} no es una carpeta.", intacto=INTACTO, que_hacer="Indique la carpeta, no un enlace."
        )
    if mode & 0o077:
        raise AjustesError(
            f"Otros usuarios pueden entrar en el medio {carpeta}.",
            intacto=INTACTO,
            que_hacer=f"Ejecute: chmod 700 {carpeta} (en una memoria FAT o exFAT, móntela con umask=077).",
        )


def check_apart(medios: Sequence[Path], espacio: Path, *, permitir_mismo_disco: bool) -> bool:
    """That each medium is on a file system of its own, apart from the workspace; whether some are not.

    Raises:
        UsoError: the same folder was given twice.
        AjustesError: two of them share a file system, or one shares the workspace's, and that was not allowed.
    """
    if len({path.resolve() for path in medios}) != len(medios):
        raise UsoError(
            "Se indicó dos veces el mismo medio.", intacto=INTACTO, que_hacer="Indique una carpeta distinta por medio."
        )
    place = espacio
    while not place.exists():
        place = place.parent
    devices = [place.stat().st_dev, *(path.stat().st_dev for path in medios)]
    together = len(set(devices)) != len(devices)
    if together and not permitir_mismo_disco:
        raise AjustesError(
            "Hay medios que comparten disco entre sí o con el espacio de trabajo: "
            + ", ".join(
                str(path) for path, device in zip(medios, devices[1:], strict=True) if devices.count(device) > 1
            )
            + ".",
            intacto=INTACTO,
            que_hacer="Use una memoria por persona. Sólo para ensayar: --permitir-mismo-disco (queda en el registro).",
        )
    return together


def check_room(carpeta: Path, nombres: Iterable[str]) -> None:
    """That keys of those names can be written in ``carpeta``.

    Raises:
        AjustesError: one of them is there already; it stays.
        EntradaError: the medium cannot be written.
    """
    for nombre in nombres:
        if (carpeta / f"{nombre}.pem").exists():
            raise AjustesError(
                f"En el medio {carpeta} ya hay una llave «{nombre}».",
                intacto=INTACTO,
                que_hacer="Use un medio vacío; Pregón no escribe sobre una llave ni la borra.",
            )
    if not os.access(carpeta, os.W_OK):
        raise EntradaError(
            f"No se puede escribir en el medio {carpeta}.",
            intacto=INTACTO,
            que_hacer="Quite la protección contra escritura, o use otro medio.",
        )


def names_in(carpeta: Path) -> tuple[str, ...]:
    """Names of the key files that a medium holds, without opening them.

    Raises:
        AjustesError: more than a medium may hold.
    """
    names = sorted(path.stem for path in carpeta.glob("*.pem"))
    if len(names) > MAX_KEYS:
        raise AjustesError(
            f"En {carpeta} hay {len(names)} llaves; el límite es {MAX_KEYS}.",
            intacto=INTACTO,
            que_hacer="Indique la carpeta del medio, no una que reúna varios.",
        )
    return tuple(names)


def passphrase(frases: Frases, carpeta: Path, *, nueva: bool) -> bytes:
    """The passphrase of a medium, checked.

    Raises:
        UsoError: it is empty, or too short or long for a new key.
    """
    frase = frases(carpeta, nueva=nueva)
    low = FRASE_MIN if nueva else 1
    if not low <= len(frase.decode("utf-8", "replace")) <= FRASE_MAX:
        raise UsoError(
            f"La frase de paso del medio {carpeta} debe tener de {low} a {FRASE_MAX} caracteres.",
            intacto=INTACTO,
            que_hacer="Elija varias palabras al azar, apúntelas en papel y guárdelas aparte del medio.",
        )
    return frase


def open_medium(carpeta: Path, identity: Identity, frases: Frases) -> Medio:
    """Every key of a medium, opened with its passphrase.

    Raises:
        EntradaError: the medium is not there, or holds no key.
        AjustesError: other users can read it, or a key does not open.
        AmbienteError, ConvocatoriaError: a key of another tree.
    """
    check_place(carpeta)
    names = names_in(carpeta)
    if not names:
        raise EntradaError(
            f"En el medio {carpeta} no hay llaves.", intacto=INTACTO, que_hacer="Revise cuál medio conectó."
        )
    # The folder of an «inicia» workspace may serve as a medium in a rehearsal: its keys have no passphrase.
    plain = {name for name in names if _is_plain(carpeta / f"{name}.pem")}
    frase = passphrase(frases, carpeta, nueva=False) if len(plain) < len(names) else b""
    opened = [
        keys.load(carpeta / f"{name}.pem", passphrase=None if name in plain else frase, identity=identity)
        for name in names
    ]
    return Medio(carpeta, keys.KeyRing(tuple(opened)), frase)


def pinned_root(carpeta: Path) -> bytes | None:
    """The root that the medium brought with it; None when it brings none."""
    try:
        with (carpeta / RAIZ).open("rb") as file:
            return file.read(MAX_ROOT_BYTES)
    except OSError:
        return None


def _is_plain(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return b"-----BEGIN PRIVATE KEY-----" in file.read(rotulo.MAX_BYTES)
    except OSError as exc:
        raise keys.missing_key(path.stem) from exc
