"""The text of each query: those of ``sql/``, and the one that takes the fields out of a line of a given format."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pregon.bitacoras import sql
from pregon.bitacoras.robots import SIN_DECIR
from pregon.motor.sql import read_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.bitacoras.formatos import Formato

_CONTIENDA = re.compile(r"[a-z0-9_-]{2,40}")
_REQUEST = ("metodo", "ruta", "protocolo")
_FIELDS = ("direccion", "hora", "pedido", "estado", "bytes", "referente", "agente", "duracion", "cache")


def query(name: str, **values: str | float) -> str:
    """The SELECT of ``sql/name.sql``; each ``$word`` is a number of ours, or a list of plain contest names."""
    text = read_sql(sql.__name__, f"{name}.sql")
    for word, value in values.items():
        text = text.replace(f"${word}", str(value))
    return text


def contests(ids: Sequence[str]) -> str:
    """The contests of a package as alternatives of a pattern.

    Raises:
        ValueError: one is not a plain name: it would enter the text of a query.
    """
    for one in ids:
        if not _CONTIENDA.fullmatch(one):
            raise ValueError(f"not a contest: {one!r}")
    return "|".join(ids)


def fields(formato: Formato, *, reenvio: bool) -> str:
    """The SELECT that makes ``crudos`` of the table ``lineas``.

    ``reenvio``: the address is the first that the proxy says it forwards for, where it says one.
    """
    if formato.clase == "json":
        return _select(_json(formato), reenvio=reenvio)
    if formato.clase == "columnas":
        return _select(_columns(formato), reenvio=reenvio)
    return _pattern(formato, "lineas", reenvio=reenvio)


def rest(formato: Formato) -> str:
    """Of «combined», the rows that its places did not tell: ``sobrantes``, through the pattern."""
    return _pattern(formato, "sobrantes", reenvio=False)


def _select(told: tuple[str, dict[str, str]], *, reenvio: bool) -> str:
    source, found = told
    if "pedido" not in found:
        found["pedido"] = _request(found)
    elif _REQUEST[1] in found:
        found["pedido"] = f"case when {found['pedido']} <> '' then {found['pedido']} else {_request(found)} end"
    if reenvio and "reenviada" in found:
        first = f"trim(split_part({found['reenviada']}, ',', 1))"
        found["direccion"] = f"case when {first} not in ('', '-') then {first} else {found['direccion']} end"
    found.setdefault("agente", f"'{SIN_DECIR}'")
    parts = ",\n    ".join(f"{found.get(name, _EMPTY)} as {name}" for name in _FIELDS)
    return f"select\n    {parts}\nfrom {source}\n"


_EMPTY = "''"


def _request(found: dict[str, str]) -> str:
    parts = [found[name] for name in _REQUEST if name in found]
    return " || ' ' || ".join(parts) or _EMPTY


def _pattern(formato: Formato, table: str, *, reenvio: bool) -> str:
    names = ", ".join(f"'{name}'" for name in formato.grupos)
    source = f"(select regexp_extract(linea, getvariable('patron'), [{names}]) as p from {table}) as leidas"  # noqa: S608
    return _select((source, {name: f"p.{name}" for name in formato.grupos}), reenvio=reenvio)


def _columns(formato: Formato) -> tuple[str, dict[str, str]]:
    found: dict[str, str] = {}
    for name, places in formato.indices:
        if places:
            whole = " || ' ' || ".join(f"coalesce(parte(p, {place}), '')" for place in places)
            # What would part columns is written otherwise in them.
            found[name] = f"replace(replace({whole}, '%20', ' '), '+', ' ')" if name == "agente" else whole
    separator = "chr(9)" if formato.separador == "\t" else "' '"
    return f"(select trozos(linea, {separator}) as p from lineas) as leidas", found  # noqa: S608


def _json(formato: Formato) -> tuple[str, dict[str, str]]:
    paths = [path for _, some in formato.lugares for path in some]
    found: dict[str, str] = {}
    for name, some in formato.lugares:
        parts = [f"nullif(parte(p, {paths.index(path) + 1}), '')" for path in some]
        found[name] = f"coalesce({', '.join(parts)}, '')"
    listed = ", ".join(f"'{path}'" for path in paths)
    return f"(select datos_json(linea, [{listed}]) as p from lineas) as leidas", found  # noqa: S608
