"""The accounts of one site: a file that only its owner reads, with no password in it.

::

    {"formato": "pregon/cuentas/1",
     "cuentas": [{"nombre": "ana", "roles": ["mira"], "clave": "scrypt$…", "desde": "2027-06-01T…"}]}

Read again whenever it changes: an account changed or removed by the command line is so for the running site at once,
its sessions too.
"""

from __future__ import annotations

import json
import re
import stat
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base.errors import AjustesError, EntradaError, UsoError
from pregon.base.jsonio import canonical_json
from pregon.base.locks import exclusive
from pregon.base.razones import razon
from pregon.web.claves import Costo, Resumen, exige

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from pregon.base.durable import Disk

FORMATO = "pregon/cuentas/1"
MAX_ARCHIVO = 1 << 20
MAX_CUENTAS = 200
NOMBRE = re.compile(r"[a-z0-9][a-z0-9._-]{1,31}")
"""An account's name: lower case, so that it is typed in one way."""


@dataclass(frozen=True)
class Cuenta:
    """One account; ``desde`` is when its password was last set (ISO 8601)."""

    nombre: str
    roles: tuple[str, ...]
    clave: Resumen
    desde: str


class Cuentas:
    """The accounts in one file, for any number of threads."""

    def __init__(self, path: Path, *, costo: Costo | None = None) -> None:
        """``costo``: of the passwords that are set from now on; each one kept has its own."""
        self._path = path
        self._costo = costo or Costo()
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._known: Mapping[str, Cuenta] = {}
        self._nobody = Resumen(self._costo, bytes(16), bytes(32))

    def todas(self) -> Mapping[str, Cuenta]:
        """Every account by its name; none where there is no file yet.

        Raises:
            AjustesError: others can read the file, or it is not one of accounts.
            EntradaError: it cannot be read.
        """
        with self._lock:
            try:
                status = self._path.stat()
            except FileNotFoundError:
                self._seen, self._known = None, {}
                return self._known
            except OSError as exc:
                raise self._unreadable(exc) from exc
            mark = (status.st_mtime_ns, status.st_size, status.st_ino)
            if mark != self._seen:
                self._known = self._read(status.st_mode)
                self._seen = mark
            return self._known

    def verifica(self, nombre: str, clave: str) -> Cuenta | None:
        """The account, where the password is its own; as slow where there is no such account.

        Raises: as ``todas``.
        """
        found = self.todas().get(nombre)
        right = (self._nobody if found is None else found.clave).es(clave)
        return found if right else None

    def vigente(self, cuenta: Cuenta) -> bool:
        """Whether the account is still as it was when ``cuenta`` was read. Raises: as ``todas``."""
        return self.todas().get(cuenta.nombre) == cuenta

    def pone(self, nombre: str, clave: str, roles: Sequence[str], *, ahora: datetime, disk: Disk) -> bool:
        """Create the account or change its password and roles; True where it is new.

        Raises:
            UsoError: the name or the password is not admitted, or there are too many accounts.
            InstanciaError: another process is changing the accounts.
            AjustesError, EntradaError, DiscoError, EscrituraError: the file; it stays as it was.
        """
        if not NOMBRE.fullmatch(nombre):
            raise UsoError(
                f"«{nombre}» no sirve como nombre de cuenta.",
                intacto="No se cambió ninguna cuenta.",
                que_hacer="Use de 2 a 32 letras minúsculas sin acento, números, punto o guion.",
            )
        exige(clave)
        with exclusive(self._path.with_name(self._path.name + ".lock")):
            known = dict(self.todas())
            new = nombre not in known
            if new and len(known) >= MAX_CUENTAS:
                raise UsoError(
                    f"Ya hay {MAX_CUENTAS} cuentas.",
                    intacto="No se cambió ninguna.",
                    que_hacer="Quite las que ya no se usan.",
                )
            known[nombre] = Cuenta(nombre, tuple(roles), Resumen.de(clave, self._costo), ahora.isoformat())
            self._write(known, disk)
        return new

    def quita(self, nombre: str, *, disk: Disk) -> None:
        """Remove the account; its sessions end with it.

        Raises:
            UsoError: there is none of that name.
            InstanciaError, AjustesError, EntradaError, DiscoError, EscrituraError: as ``pone``.
        """
        with exclusive(self._path.with_name(self._path.name + ".lock")):
            known = dict(self.todas())
            if known.pop(nombre, None) is None:
                raise UsoError(
                    f"No hay una cuenta «{nombre}».",
                    intacto="No se cambió ninguna.",
                    que_hacer="Repita la orden con una de las que hay: "
                    + (", ".join(sorted(known)) or "ninguna")
                    + ".",
                )
            self._write(known, disk)

    def _write(self, known: Mapping[str, Cuenta], disk: Disk) -> None:
        cuentas = [
            {"nombre": each.nombre, "roles": list(each.roles), "clave": str(each.clave), "desde": each.desde}
            for _, each in sorted(known.items())
        ]
        disk.write(self._path, canonical_json({"formato": FORMATO, "cuentas": cuentas}), mode=0o600)

    def _read(self, mode: int) -> Mapping[str, Cuenta]:
        if stat.S_IMODE(mode) & 0o077:
            raise AjustesError(
                f"Otros usuarios pueden leer las cuentas en {self._path}.",
                intacto="Nadie puede entrar mientras tanto.",
                que_hacer=f"Ejecute: chmod 600 {self._path}",
            )
        try:
            with self._path.open("rb") as file:
                raw = file.read(MAX_ARCHIVO + 1)
        except OSError as exc:
            raise self._unreadable(exc) from exc
        try:
            if len(raw) > MAX_ARCHIVO:
                raise ValueError("largo")  # noqa: TRY301 - one text for whatever is wrong
            data = json.loads(raw)
            if data["formato"] != FORMATO or len(data["cuentas"]) > MAX_CUENTAS:
                raise ValueError("formato")  # noqa: TRY301
            found = [
                Cuenta(
                    str(each["nombre"]),
                    tuple(str(role) for role in each["roles"]),
                    Resumen.parse(each["clave"]),
                    str(each["desde"]),
                )
                for each in data["cuentas"]
            ]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
            raise AjustesError(
                f"{self._path} no es un archivo de cuentas.",
                intacto="Nadie puede entrar mientras tanto.",
                que_hacer="Repóngalo de su respaldo, o bórrelo y vuelva a crear las cuentas.",
            ) from exc
        return {each.nombre: each for each in found}

    def _unreadable(self, exc: OSError) -> EntradaError:
        return EntradaError(
            f"No se pudieron leer las cuentas en {self._path}: {razon(exc)}.",
            intacto="Nadie puede entrar mientras tanto.",
            que_hacer="Revise que el archivo sea de este usuario.",
        )
