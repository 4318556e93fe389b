"""What is secret on this machine, gathered to be looked for: the settings' secrets, the keys, the environment."""

from __future__ import annotations

import contextlib
import json
import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pregon.difusor.diagnostico.patrones import CLAVE_SENSIBLE, PROPIO

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pregon.difusor.workspace import Workspace

MAX_SECRETO = 64 << 10
"""Bytes of one file of secrets that are looked for."""
MAX_ARCHIVOS = 64
_VARIABLE = re.compile(r"(?i)pass|secret|token|key|clave|frase|credential|contrase|auth")
_MIN_VARIABLE = 6
_COMUNES = frozenset({"root", "pregon", "user", "daemon", "nobody"})
_CUENTA = ("usuario", "cuenta")
_ANFITRION = ("servidor", "direccion", "host", "anfitrion", "nombres")


@dataclass(frozen=True)
class Conocidos:
    """Secrets, names of machines and names of accounts, as they are."""

    secretos: frozenset[str]
    nombres: frozenset[str]
    cuentas: frozenset[str]


def reune(workspace: Workspace, environment: Mapping[str, str]) -> Conocidos:
    """Everything that is known to be secret. What cannot be read is not there to be leaked by us either."""
    secrets: set[str] = set()
    names: set[str] = {socket.gethostname(), socket.gethostname().partition(".")[0]}
    accounts: set[str] = set()
    for key, value in _leaves(workspace.settings.model_dump(mode="json")):
        kind, _, rest = value.partition(":")
        if kind == "env" and rest:
            secrets.add(environment.get(rest, ""))
        elif kind == "archivo" and rest:
            secrets.update(_file(workspace.folder / rest))
        elif CLAVE_SENSIBLE.search(key) and not value.endswith((".pem", ".key", ".crt")):
            secrets.add(value)
        if key in _CUENTA:
            accounts.add(value)
        _address(key, value, names, secrets, accounts)
    visitors = workspace.settings.servidor.acceso.usuarios
    accounts.update(visitors)
    secrets.update(visitors.values())
    for key, value in _leaves(workspace.convocatoria.model_dump(mode="json")):
        _address(key, value, names, set(), accounts)
    with contextlib.suppress(OSError):
        for path in sorted(workspace.llave.parent.iterdir())[:MAX_ARCHIVOS]:
            secrets.update(_file(path))
            accounts.update(_accounts(path))
    for variable, value in environment.items():
        if _VARIABLE.search(variable) and len(value) >= _MIN_VARIABLE and not value.startswith("/"):
            secrets.add(value)
    own = {"localhost", workspace.settings.id, ""}
    return Conocidos(
        frozenset(secrets - {""}),
        frozenset(name for name in names if name.lower() not in own and not PROPIO.fullmatch(name)),
        frozenset(accounts - _COMUNES - {""}),
    )


def _address(key: str, value: str, names: set[str], secrets: set[str], accounts: set[str]) -> None:
    if "://" not in value:
        if key in _ANFITRION and re.fullmatch(r"[A-Za-z0-9.:_-]+", value):
            names.add(value)
        return
    with contextlib.suppress(ValueError):
        parts = urlsplit(value)
        names.add(parts.hostname or "")
        accounts.add(parts.username or "")
        secrets.add(parts.password or "")
        if key == "destino" and len(parts.path) > 1:
            # The path of a webhook is what lets one write there.
            pieces = parts.path.strip("/").split("/")
            secrets.update("/".join(pieces[n:]) for n in range(len(pieces)))
            secrets.add(parts.query)


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _leaves(each, str(name))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _leaves(each, key)


def _file(path: Path) -> set[str]:
    """The secrets in one file: the texts of a JSON, else it whole and each of its lines."""
    if not path.is_file():
        return set()
    try:
        with path.open("rb") as file:
            text = file.read(MAX_SECRETO).decode(errors="replace")
    except OSError:
        return set()
    with contextlib.suppress(ValueError, RecursionError):
        return {each for _, each in _leaves(json.loads(text)) if len(each) >= 16}
    return {text.strip()}


def _accounts(path: Path) -> set[str]:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        return {str(each["nombre"]) for each in json.loads(path.read_bytes()[:MAX_SECRETO])["cuentas"]}
    return set()
