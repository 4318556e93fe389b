"""The contests of a cut from the institute's database: every one read inside one read-only transaction.

1. The address of every source is resolved; all must be the same one: two databases have no common instant.
2. One transaction begins, read-only; the account must not be able to write.
3. For each contest: the mapping is checked against the columns that are there, every fault at once; its rows become
   the official file of the contest in the work folder; its catalogue, likewise.
4. The files are read as any other source. Nothing after this knows that there was a database.

The generator holds the transaction until it is exhausted or closed.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from pregon.base.errors import UsoError
from pregon.instituto.elecciones import token_of
from pregon.instituto.fuentes import ContestSource
from pregon.prep.candidaturas import MAX_ROWS as MAX_CANDIDATURAS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
    from datetime import datetime, tzinfo
    from pathlib import Path

    from pregon.instituto.sql.errores import Direccion
    from pregon.instituto.sql.foto import Foto
    from pregon.instituto.sql.modelo import FuenteCandidaturas, FuenteSql
    from pregon.instituto.workspace import Workspace

CARPETA = "fuentes"
"""Folder, inside ``trabajo``, of the files made from the database: they live as long as the cut is made."""


def configured(
    workspace: Workspace, *, hora: datetime | None, ultimo: bool, entorno: Mapping[str, str]
) -> Callable[[], Iterator[ContestSource]]:
    """What ``build_cut`` calls, once it holds the workspace, to have the sources of ``instituto.toml``.

    Raises:
        UsoError: there is no source, or no hour: a database states none.
    """
    if not workspace.settings.fuente:
        raise UsoError(
            "No se dio --actas e instituto.toml no tiene ninguna [[fuente]].",
            intacto="No se hizo ningún corte; el repositorio sigue como estaba.",
            que_hacer="Dé los archivos con --actas, o configure la base de datos (docs/operacion/fuentes-sql.md).",
        )
    if hora is None:
        raise UsoError(
            "Falta la hora del corte: una base de datos no la dice.",
            intacto="No se hizo ningún corte; el repositorio sigue como estaba.",
            que_hacer="Dé la hora con --hora, como 2021-06-06T22:40.",
        )
    return lambda: contest_sources(workspace, hora=hora, ultimo=ultimo, entorno=entorno)


def contest_sources(
    workspace: Workspace, *, hora: datetime, ultimo: bool, entorno: Mapping[str, str]
) -> Generator[ContestSource, None, None]:
    """Each contest as official files in ``trabajo/fuentes``, read in one transaction, in the order of the settings.

    Raises:
        AjustesError: an address, a table or a column that is not there or not allowed; the text gives the key's path.
        RedError: the server does not answer. FormatoError: a value that its column cannot hold.
        DiscoError, EscrituraError: could not write. Nothing outside ``trabajo`` changes in any case.
    """
    from pregon.instituto.sql.foto import snapshot

    sources = workspace.settings.fuente
    where = _one_address(sources, workspace.folder, entorno)
    folder = workspace.trabajo / CARPETA
    workspace.disk.make_folder(folder, mode=0o700)
    local = hora.astimezone(workspace.convocatoria.zona).replace(microsecond=0)
    with snapshot(where, may_write=all(source.permite_escritura for source in sources)) as photo:
        for number, source in enumerate(sources):
            yield _contest(workspace, photo, source, f"fuente[{number}]", folder, local, ultimo=ultimo)


def _one_address(sources: Sequence[FuenteSql], folder: Path, entorno: Mapping[str, str]) -> Direccion:
    from pregon.instituto.sql.errores import settings_error
    from pregon.instituto.sql.foto import address

    found = [address(source, f"fuente[{i}]", folder, entorno) for i, source in enumerate(sources)]
    for other in found[1:]:
        if other.url != found[0].url:
            raise settings_error(
                other.clave,
                f"es otra base que la de {found[0].clave}: un corte es de un solo instante y de una sola base.",
            )
    return found[0]


def _contest(
    workspace: Workspace,
    photo: Foto,
    source: FuenteSql,
    lugar: str,
    folder: Path,
    hora: datetime,
    *,
    ultimo: bool,
) -> ContestSource:
    from pregon.instituto.sql.archivo import write_actas_file
    from pregon.instituto.sql.celdas import Celdas
    from pregon.instituto.sql.foto import relation_of

    profile = workspace.convocatoria
    token = token_of(source.eleccion) or source.eleccion
    base = f"{profile.entidad.clave}_{token}"
    actas = folder / f"{base}_{profile.inicio.year}.csv"
    asked = {f"{lugar}.columnas.{name}": field.columna for name, field in source.columnas.items() if field.columna}
    for i, vote in enumerate(source.votos):
        asked[f"{lugar}.votos[{i}].columna"] = vote.columna
        if vote.marca is not None:
            asked[f"{lugar}.votos[{i}].marca"] = vote.marca
    origen = f"{lugar}.{source.clave_origen}"
    relation = relation_of(source.tabla, source.consulta)
    names, places, order = _resolved(photo.columns(relation, origen), asked, source.orden, lugar, origen)
    esperadas = None
    if source.esperadas_consulta is not None:
        esperadas = photo.number(source.esperadas_consulta, f"{lugar}.esperadas_consulta")
    with closing(photo.rows(relation, names, order, origen)) as rows:
        write_actas_file(
            actas,
            Celdas(source, places, profile.zona),
            rows,
            titulo=source.titulo,
            hora=hora,
            donde=origen,
            ordered=bool(order),
            esperadas=esperadas,
            ultimo=ultimo,
            disk=workspace.disk,
        )
    people = None
    if source.candidaturas is not None:
        people = folder / f"{base}_CANDIDATURAS_{profile.inicio.year}.csv"
        _catalogue(workspace, photo, source.candidaturas, f"{lugar}.candidaturas", people)
    return ContestSource(token, actas, people)


def _catalogue(workspace: Workspace, photo: Foto, source: FuenteCandidaturas, lugar: str, target: Path) -> None:
    from pregon.instituto.sql.archivo import write_table_file
    from pregon.instituto.sql.celdas import CellError, text_step
    from pregon.instituto.sql.errores import data_error
    from pregon.instituto.sql.foto import relation_of

    origen = f"{lugar}.{source.clave_origen}"
    relation = relation_of(source.tabla, source.consulta)
    asked = {f"{lugar}.columnas.{name}": field.columna for name, field in source.columnas.items() if field.columna}
    names, places, order = _resolved(photo.columns(relation, origen), asked, source.orden, lugar, origen)
    zona: tzinfo = workspace.convocatoria.zona
    steps = [text_step(field, places, zona) for field in source.columnas.values()]

    def converted(rows: Iterator[Sequence[Any]]) -> Iterator[list[str]]:
        for number, values in enumerate(rows, start=1):
            try:
                yield [step(values) for step in steps]
            except CellError as exc:
                raise data_error(f"instituto.toml, {origen}", f"renglón {number:,}: {exc}.") from exc

    with closing(photo.rows(relation, names, order, origen)) as rows:
        write_table_file(
            target,
            list(source.columnas),
            converted(rows),
            ordered=bool(order),
            disk=workspace.disk,
            maximum=MAX_CANDIDATURAS - 1,
        )


def _resolved(
    there: Sequence[str], asked: Mapping[str, str], orden: Sequence[str], lugar: str, origen: str
) -> tuple[tuple[str, ...], dict[str, int], tuple[str, ...]]:
    """The database columns to read, where each mapped name is among them, and those that give the order.

    A name is taken as written or, when only one column answers to it, without regard to capitals.

    Raises:
        AjustesError: columns that are not there; all of them, with the path of each.
    """
    from pregon.instituto.sql.errores import settings_error

    exact = set(there)
    loose: dict[str, list[str]] = {}
    for name in there:
        loose.setdefault(name.casefold(), []).append(name)

    def real(name: str) -> str | None:
        if name in exact:
            return name
        found = loose.get(name.casefold(), [])
        return found[0] if len(found) == 1 else None

    missing = [(path, name) for path, name in asked.items() if real(name) is None]
    missing += [(f"{lugar}.orden[{i}]", name) for i, name in enumerate(orden) if real(name) is None]
    if missing:
        shown = "; ".join(f"{path}: no existe la columna «{name}»" for path, name in missing)
        raise settings_error(origen, f"{shown}. Las que hay: {', '.join(there)}.")
    names = tuple(dict.fromkeys(real(name) or name for name in asked.values()))
    places = {name: names.index(real(name) or name) for name in asked.values()}
    return names, places, tuple(real(name) or name for name in orden)
