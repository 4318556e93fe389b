"""From where an address is, by a file of places that the operator has (MMDB); nothing is asked over the network."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pregon.base.errors import EntradaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path


@contextmanager
def open_places(path: Path) -> Iterator[Callable[[Sequence[str]], list[str]]]:
    """What gives the places of some addresses: «México, Guerrero»; an empty text where the file has none.

    Raises:
        EntradaError: it is no such file, or what reads it is not installed.
    """
    try:
        import maxminddb
    except ModuleNotFoundError as exc:
        raise EntradaError(
            f"Para leer {path} hace falta maxminddb.",
            intacto="No se midió nada.",
            que_hacer="Instale Pregón con su extra «memoria», o no diga archivo de lugares.",
        ) from exc
    try:
        reader = maxminddb.open_database(path)
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as exc:
        raise EntradaError(
            f"{path} no es un archivo de lugares (MMDB) que se pueda leer.",
            intacto="No se midió nada.",
            que_hacer="Revise la ruta; sirve cualquier archivo de países o ciudades con ese formato.",
        ) from exc
    with reader:
        yield lambda addresses: [_place(reader, address) for address in addresses]


def _place(reader: Any, address: str) -> str:
    try:
        found = reader.get(address)
    except ValueError:  # Not an address: a name, or what somebody wrote in its place.
        return ""
    if not isinstance(found, dict):
        return ""
    regions = found.get("subdivisions")
    parts = [_name(found.get("country")), _name(regions[0]) if isinstance(regions, list) and regions else ""]
    return ", ".join(part for part in parts if part)


def _name(one: Any) -> str:
    if not isinstance(one, dict):
        return ""
    names = one.get("names")
    names = names if isinstance(names, dict) else {}
    told = names.get("es") or names.get("en") or one.get("iso_code") or ""
    return str(told)[:80]
