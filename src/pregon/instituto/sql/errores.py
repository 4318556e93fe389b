"""What a database driver says, as one of our failures: never the password, always the key of ``instituto.toml``."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from pregon.base.errors import AjustesError, FormatoError, PregonError, RedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

INTACTO = "No se firmó nada; el repositorio sigue como estaba y el corte anterior sigue publicado."
_MAX_DETAIL = 300

# Codes by which PostgreSQL (SQLSTATE), MariaDB and MySQL (numbers) tell one kind of failure from another.
_PG_LINK = ("08", "57", "53", "40", "58", "XX")
_PG_DATA = ("22", "21")
_MY_LINK = frozenset({1040, 1053, 1158, 1159, 1160, 1161, 1203, 1205, 1213, 1226, 1317, 1412, 1969})
_MY_CLIENT = range(2000, 3000)
_MY_TIMEOUT = 3024
_MY_DATA = frozenset({1242, 1264, 1292, 1365, 1366, 1406, 1690})
_MY_ACCOUNT = frozenset({1044, 1045, 1049, 1130, 1698})
_LITE_LINK = ("locked", "busy", "disk i/o", "unable to open")
_LITE_DATA = ("malformed", "not a database", "could not decode", "overflow")


@dataclass(frozen=True)
class Direccion:
    """Where the database is. ``clave`` is the settings key that says so; ``secretos`` never appear in a text."""

    clave: str
    url: URL = field(repr=False)
    secretos: tuple[str, ...] = field(repr=False)

    @property
    def servidor(self) -> str:
        """Server and database, without user or password, for a person."""
        if self.url.get_backend_name() == "sqlite":
            return self.url.database or ""
        port = f":{self.url.port}" if self.url.port else ""
        return f"{self.url.host or 'localhost'}{port}/{self.url.database or ''}"

    def cleaned(self, text: str) -> str:
        """The first line of ``text`` without any secret, bounded."""
        line = next((part.strip() for part in text.splitlines() if part.strip()), "")
        for secret in self.secretos:
            line = line.replace(secret, "***")
        return line[:_MAX_DETAIL]


def settings_error(donde: str, what: str, *, hacer: str | None = None) -> AjustesError:
    """The refusal of a key of ``instituto.toml``."""
    return AjustesError(
        f"instituto.toml, {donde}: {what}",
        intacto=INTACTO,
        que_hacer=hacer or "Corrija esa clave de instituto.toml (docs/operacion/fuentes-sql.md) y repita la orden.",
    )


def data_error(donde: str, what: str) -> FormatoError:
    """Data that are not what the mapping says."""
    return FormatoError(
        f"{donde}: {what}",
        intacto=INTACTO,
        que_hacer="Revise esa columna en instituto.toml, o el dato en la base, y repita la orden.",
    )


@contextlib.contextmanager
def mapped(address: Direccion, donde: str, *, connecting: bool = False) -> Iterator[None]:
    """Turn a failure of the driver into ours; ``donde`` is the key that was being followed.

    AJUSTES: what the mapping or the account asks for is not there or not allowed. RED: the server did not answer, or
    stopped. FORMATO: a value that the database cannot give.
    """
    try:
        yield
    except DBAPIError as exc:
        raise _ours(exc, address, donde, connecting=connecting) from exc
    except UnicodeDecodeError as exc:
        raise data_error(donde, f"un texto no está en la codificación que la base dice ({exc.reason}).") from exc
    except ModuleNotFoundError as exc:
        raise settings_error(
            address.clave,
            f"falta el programa que habla con esa base ({exc.name}).",
            hacer="Instale «pregon[postgres]» o «pregon[mariadb]», según la base, y repita la orden.",
        ) from exc
    except (SQLAlchemyError, TypeError) as exc:
        # TypeError: an option of the URL's query that the driver does not have.
        raise settings_error(donde, f"la base no lo admite: {address.cleaned(str(exc))}") from exc


def _ours(exc: DBAPIError, address: Direccion, donde: str, *, connecting: bool) -> PregonError:
    detail = address.cleaned(_message(exc.orig))
    kind = _kind(exc.orig, address.url.get_backend_name(), connecting=connecting)
    if kind == "cuenta":
        return settings_error(
            address.clave,
            f"{address.servidor} no aceptó la cuenta o no tiene esa base: {detail}",
            hacer="Revise usuario, contraseña y nombre de la base en la dirección que esa clave señala.",
        )
    if kind == "red" or exc.connection_invalidated:
        return RedError(
            f"La base {address.servidor} ({donde}) no respondió o dejó de hacerlo: {detail}",
            intacto=INTACTO,
            que_hacer="Revise que el servidor esté en marcha y la red lo alcance, y repita la orden.",
        )
    if kind == "dato":
        return data_error(f"instituto.toml, {donde}", f"la base no puede dar un dato: {detail}")
    return settings_error(donde, f"la base no lo admite: {detail}")


def _kind(orig: Any, backend: str, *, connecting: bool) -> str:
    """``cuenta``, ``red``, ``dato`` or ``ajustes``."""
    if backend == "postgresql":
        return _postgres(orig, getattr(orig, "sqlstate", None), connecting=connecting)
    if backend == "sqlite":
        text = str(orig).lower()
        if any(word in text for word in _LITE_DATA):
            return "dato"
        return "red" if any(word in text for word in _LITE_LINK) else "ajustes"
    number = orig.args[0] if getattr(orig, "args", ()) else None
    if number in _MY_ACCOUNT:
        return "cuenta"
    if connecting or not isinstance(number, int) or number in _MY_LINK or number in _MY_CLIENT or number == _MY_TIMEOUT:
        return "red"
    return "dato" if number in _MY_DATA else "ajustes"


def _postgres(orig: Any, state: str | None, *, connecting: bool) -> str:
    if connecting:
        # A refused connection carries no SQLSTATE; libpq's own status says whether the server asked for a password.
        if state is not None:
            return "cuenta" if state[:2] in ("28", "3D", "42") else "red"
        pgconn = getattr(orig, "pgconn", None)
        asked = pgconn is not None and (pgconn.used_password or pgconn.needs_password)
        return "cuenta" if asked else "red"
    if state is None or state.startswith(_PG_LINK):
        return "red"
    return "dato" if state.startswith(_PG_DATA) else "ajustes"


def _message(orig: Any) -> str:
    args: tuple[Any, ...] = getattr(orig, "args", ())
    if len(args) > 1 and isinstance(args[0], int):
        return f"{args[1]} ({args[0]})"
    return str(orig)
