"""Where a command takes passphrases from: files, the environment, or the terminal. Never from the command line."""

from __future__ import annotations

import getpass
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pregon.base.errors import AjustesError, EntradaError, UsoError
from pregon.base.razones import razon

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VARIABLE = "PREGON_FRASE"
"""One passphrase for every medium; ``PREGON_FRASE_1`` … one for each, in the order in which they were given."""
MAX_BYTES = 4096
_INTACTO = "No se firmó ni se cambió nada."
_SIN_CAMBIO = "No se cambió nada."


class Frases:
    """Implements ``instituto.medios.Frases`` for the media of one command, in the order given."""

    def __init__(self, archivos: Sequence[Path], medios: Sequence[Path], entorno: Mapping[str, str]) -> None:
        """``archivos``: one for every medium, or a single one for all.

        Raises:
            UsoError: another number of files.
        """
        self._order = list(dict.fromkeys(medios))
        if len(archivos) not in (0, 1, len(self._order)):
            raise UsoError(
                f"Se indicaron {len(archivos)} archivos de frase para {len(self._order)} medios.",
                intacto=_INTACTO,
                que_hacer="Indique uno por medio, en el mismo orden, o uno solo para todos.",
            )
        self._files = list(archivos) * len(self._order) if len(archivos) == 1 else list(archivos)
        self._environment = entorno

    def __call__(self, medio: Path, *, nueva: bool) -> bytes:
        """The passphrase of a medium.

        Raises:
            EntradaError: it cannot be read, or there is nobody to ask.
            AjustesError: other users can read its file.
            UsoError: the two times it was typed differ.
        """
        place = self._order.index(medio) if medio in self._order else -1
        if self._files and place >= 0:
            return _from_file(self._files[place])
        for name in (f"{VARIABLE}_{place + 1}", VARIABLE):
            if self._environment.get(name):
                return self._environment[name].encode()
        return _asked(medio, nueva=nueva)


def _from_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(path.stat().st_mode)
            data = file.read(MAX_BYTES)
            regular = path.is_file()
    except OSError as exc:
        raise EntradaError(
            f"No se pudo leer el archivo de frase {path}: {razon(exc)}.",
            intacto=_INTACTO,
            que_hacer="Revise la ruta.",
        ) from exc
    if regular and mode & 0o077:
        raise AjustesError(
            f"Otros usuarios pueden leer la frase de paso en {path}.",
            intacto=_INTACTO,
            que_hacer=f"Ejecute: chmod 600 {path}",
        )
    return data.removesuffix(b"\n").removesuffix(b"\r")


def _asked(medio: Path, *, nueva: bool) -> bytes:
    if not sys.stdin.isatty():
        raise EntradaError(
            f"Nadie puede escribir la frase de paso del medio {medio}.",
            intacto=_INTACTO,
            que_hacer=f"Ejecute la orden en una terminal, o use --frase-archivo o la variable {VARIABLE}.",
        )
    frase = getpass.getpass(f"Frase de paso {'nueva ' if nueva else ''}del medio {medio}: ")
    if nueva and getpass.getpass("La misma, otra vez: ") != frase:
        raise UsoError("Las dos frases no son iguales.", intacto=_INTACTO, que_hacer="Repita la orden.")
    return frase.encode()


def una_clave(origen: str | None, pregunta: str) -> str:
    """A new password: from ``archivo:PATH`` or ``env:NAME``, else asked twice at the terminal.

    Raises:
        EntradaError: it cannot be read, or there is nobody to ask.
        AjustesError: other users can read its file.
        UsoError: ``origen`` is neither form, or the two times it was typed differ.
    """
    kind, _, name = (origen or "").partition(":")
    if kind == "archivo" and name:
        return _text(_from_file(Path(name)))
    if kind == "env" and name:
        if not os.environ.get(name):
            raise EntradaError(
                f"La variable de entorno {name} no tiene valor.", intacto=_SIN_CAMBIO, que_hacer="Póngala y repita."
            )
        return os.environ[name]
    if origen is not None:
        raise UsoError(
            "La contraseña no va en la línea de órdenes: la verían otros usuarios del equipo.",
            intacto=_SIN_CAMBIO,
            que_hacer="Use «archivo:RUTA», «env:NOMBRE», o nada para escribirla en la terminal.",
        )
    if not sys.stdin.isatty():
        raise EntradaError(
            "Nadie puede escribir la contraseña.",
            intacto=_SIN_CAMBIO,
            que_hacer="Ejecute la orden en una terminal, o use --clave-de archivo:RUTA o env:NOMBRE.",
        )
    typed = getpass.getpass(pregunta)
    if getpass.getpass("La misma, otra vez: ") != typed:
        raise UsoError("Las dos no son iguales.", intacto=_SIN_CAMBIO, que_hacer="Repita la orden.")
    return typed


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as exc:
        raise EntradaError(
            "La contraseña de ese archivo no es texto UTF-8.", intacto=_SIN_CAMBIO, que_hacer="Escríbala de nuevo."
        ) from exc
