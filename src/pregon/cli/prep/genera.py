"""``pregon prep genera``: the files of an election that never happened."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pregon.cli import salida

if TYPE_CHECKING:
    from datetime import datetime

    from pregon.base.errors import UsoError
    from pregon.prep.estilos import Estilo
    from pregon.prep.synthetic.noche import Lugar

_FIRST_YEAR, _LAST_YEAR = 1990, 2999


@salida.command
def genera(
    carpeta: Annotated[Path, typer.Argument(metavar="DIR", help="Carpeta nueva o vacía.", show_default=False)],
    eleccion: Annotated[
        str,
        typer.Option(
            "--eleccion",
            help="Elecciones, separadas por comas: gubernatura, diputaciones, ayuntamientos, alcaldias, juntas; o "
            "presidencia, senado, diputaciones-federales. También los códigos de las convocatorias (GUB, DIP…).",
        ),
    ],
    casillas: Annotated[int, typer.Option("--casillas", help="Casillas de cada elección.")] = 1200,
    cortes: Annotated[int, typer.Option("--cortes", help="Cortes en que se reparte la noche.")] = 6,
    semilla: Annotated[int, typer.Option("--semilla", help="Con la misma semilla salen los mismos archivos.")] = 1,
    inicio: Annotated[
        str, typer.Option("--inicio", help="Hora de inicio (ISO 8601). El primer corte es un intervalo después.")
    ] = "2021-06-06T20:00",
    intervalo: Annotated[
        int | None,
        typer.Option("--intervalo", help="Minutos entre cortes. Sin él, los que llenen 24 horas, hasta 20."),
    ] = None,
    entidad: Annotated[
        str | None,
        typer.Option(
            "--entidad",
            help="NÚMERO:CLAVE:NOMBRE. Sin ella, 12:GRO:GUERRERO en las locales y las 32 en las federales.",
        ),
    ] = None,
    dialecto: Annotated[
        str | None, typer.Option("--dialecto", help="Forma de los archivos: campeche-2021, federal-2024, puebla-2024…")
    ] = None,
    unidades: Annotated[
        int | None, typer.Option("--unidades", help="Distritos o municipios. Sin él, los propios del tamaño.")
    ] = None,
    zona: Annotated[str, typer.Option("--zona", help="Zona horaria de los cortes.")] = "America/Mexico_City",
    previo: Annotated[
        bool, typer.Option("--previo", help="Agrega el corte en ceros, media hora antes del inicio.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Escribe el resultado como JSON.")] = False,
) -> None:
    """Genera los archivos de una elección que nunca ocurrió: una carpeta por corte y elección.

    La noche entera se reparte en los cortes pedidos. Los mismos argumentos dan los mismos bytes. La carpeta sirve a
    «pregon simulacro --noche» y cada CSV, a «pregon instituto corte --actas».
    """
    from datetime import timedelta

    from pregon.base.durable import Disk
    from pregon.prep.synthetic import noche

    elecciones = noche.codes(eleccion)
    order = noche.Pedido(
        elecciones=elecciones,
        casillas=casillas,
        cortes=cortes,
        semilla=semilla,
        inicio=_instant(inicio, zona),
        intervalo=noche.interval(max(cortes, 1)) if intervalo is None else timedelta(minutes=intervalo),
        lugar=_place(entidad, elecciones),
        unidades=unidades,
        estilo=_style(dialecto),
        previo=previo,
    )

    def progress(code: str, cut: int) -> None:
        if not as_json and cut in (0, 1, cortes):
            typer.echo(f"{code}: corte {cut} de {cortes}", err=True)

    written = noche.write_night(carpeta, order, disk=Disk(), progreso=progress)
    if as_json:
        salida.show_json(
            [
                {
                    "eleccion": one.eleccion,
                    "titulo": one.titulo,
                    "casillas": casillas,
                    "unidades": one.unidades,
                    "bytes": one.bytes,
                    "archivos": [str(path) for path in one.archivos],
                }
                for one in written
            ]
        )
        return
    for one in written:
        typer.echo(
            f"{one.titulo}: {len(one.archivos)} cortes de {casillas:,} casillas en {one.unidades:,} "
            f"{'municipios o alcaldías' if one.eleccion in ('AYU', 'ALC') else 'distritos'}, {one.bytes:,} bytes"
        )
        typer.echo(f"  el primero  {one.archivos[0]}")
        typer.echo(f"  el último   {one.archivos[-1]}")


def _instant(text: str, zona: str) -> datetime:
    from datetime import datetime
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        zone = ZoneInfo(zona)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise _usage(f"No existe la zona horaria «{zona}».", "Use una como America/Mexico_City.") from exc
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as exc:
        raise _usage(f"«{text}» no es una hora ISO 8601.", "Escríbala como 2027-06-06T20:00.") from exc
    if not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
        raise _usage(f"El año {instant.year} no puede ser.", f"Use uno entre {_FIRST_YEAR} y {_LAST_YEAR}.")
    return instant.replace(tzinfo=zone) if instant.tzinfo is None else instant.astimezone(zone)


def _place(text: str | None, elecciones: tuple[str, ...]) -> Lugar | None:
    from pregon.prep.synthetic.eleccion import contienda
    from pregon.prep.synthetic.noche import Lugar

    if text is None:
        return None if contienda(elecciones[0]).federal else Lugar(12, "GRO", "GUERRERO")
    match = re.fullmatch(r"([0-9]{1,2}):([A-Z]{2,6}):([^:,|\"'=\s][^:,|\"'\x00-\x1f]{0,60})", text)
    if match is None or not 1 <= int(match[1]) <= 32:
        raise _usage(
            f"«{text}» no es una entidad.", "Escríbala como 12:GRO:GUERRERO: número de 1 a 32, clave y nombre."
        )
    return Lugar(int(match[1]), match[2], match[3].strip())


def _style(name: str | None) -> Estilo | None:
    from pregon.prep.estilos import ESTILOS

    if name is None:
        return None
    if name not in ESTILOS:
        raise _usage(f"No existe el dialecto «{name}».", f"Use uno de: {', '.join(ESTILOS)}.")
    return ESTILOS[name]


def _usage(que_paso: str, que_hacer: str) -> UsoError:
    from pregon.base.errors import UsoError

    return UsoError(que_paso, intacto="No se escribió nada.", que_hacer=que_hacer)
