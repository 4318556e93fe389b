"""``pregon memoria medidas``: what the access logs say of the night."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pregon.cli import salida
from pregon.cli.memoria.medicion import INTACTO, Plan, measured, measured_by_spark, of_workspace
from pregon.cli.opciones import Json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from pregon.bitacoras.medidas import Cuenta, Medida, Medidas

MEXICO = "America/Mexico_City"


@salida.command
def medidas(
    rutas: Annotated[
        list[Path],
        typer.Argument(help="Bitácoras, carpetas con ellas, o la carpeta de un difusor.", metavar="RUTA…"),
    ],
    formato: Annotated[str | None, typer.Option(help="Uno conocido; si no se dice ninguno, se averigua.")] = None,
    apache: Annotated[str | None, typer.Option(help="El texto de su LogFormat de Apache.", metavar="TEXTO")] = None,
    nginx: Annotated[str | None, typer.Option(help="El texto de su log_format de nginx.", metavar="TEXTO")] = None,
    sitio: Annotated[str, typer.Option(help="De qué sitio son: «portal» o «prep».")] = "prep",
    desde: Annotated[str | None, typer.Option(help="Primer día de la elección, AAAA-MM-DD.")] = None,
    hasta: Annotated[str | None, typer.Option(help="Último día de la elección.")] = None,
    base_desde: Annotated[str | None, typer.Option(help="Primer día ordinario, para comparar.")] = None,
    base_hasta: Annotated[str | None, typer.Option(help="Último día ordinario.")] = None,
    zona: Annotated[str, typer.Option(help="Zona horaria de esos días.")] = MEXICO,
    geoip: Annotated[Path | None, typer.Option(help="Archivo de lugares por dirección (MMDB).")] = None,
    reenvio: Annotated[
        bool, typer.Option("--reenvio", help="La dirección es la primera de X-Forwarded-For (hay un proxy propio).")
    ] = False,
    spark: Annotated[
        str | None, typer.Option(help="Medirlas con Spark en ese maestro: local[2], spark://…", metavar="MAESTRO")
    ] = None,
    as_json: Json = False,
) -> None:
    """Cuenta visitas, páginas, hits, bytes y lo demás (docs/memoria/definiciones.md); nada sale de este equipo."""
    from pregon.base.clock import SystemClock
    from pregon.base.errors import EntradaError, UsoError
    from pregon.bitacoras.ajustes import SITIOS, AjustesMotor, given_format
    from pregon.bitacoras.lectura import Fuente
    from pregon.bitacoras.maestro import Maestro
    from pregon.cli.opciones import one_of
    from pregon.difusor.comprueba import is_workspace
    from pregon.difusor.workspace import open_workspace

    one_of(sitio, SITIOS, que="el sitio", intacto=INTACTO)
    engine = AjustesMotor()
    days = _days(desde, hasta, "--desde", "--hasta")
    base = _days(base_desde, base_hasta, "--base-desde", "--base-hasta")
    if len(rutas) == 1 and is_workspace(rutas[0]):
        if formato or apache or nginx or reenvio:
            raise UsoError(
                "El formato de las bitácoras de un difusor está en sus ajustes.",
                intacto=INTACTO,
                que_hacer="Escríbalo en [[bitacora]] de difusor.toml, o dé los archivos en vez de la carpeta.",
            )
        opened = open_workspace(rutas[0])
        engine = opened.settings.motor
        plan = of_workspace(opened)
        if not plan.fuentes:
            raise EntradaError(
                f"No hay ninguna bitácora de acceso en {rutas[0]}, ni en los ajustes.",
                intacto=INTACTO,
                que_hacer="Nombre las de su servidor en [[bitacora]] de difusor.toml.",
            )
        plan = plan._replace(eleccion=days or plan.eleccion, base=base or plan.base, geoip=geoip or plan.geoip)
    else:
        given = given_format(formato=formato, de_apache=apache, de_nginx=nginx)
        fuentes = tuple(Fuente(path, 0, given, reenvio) for path in _files(rutas))
        plan = Plan((sitio,), fuentes, _zone(zona), days, base, (), geoip)
    now, where = SystemClock().now(), spark or engine.spark
    if where is None:
        found = measured(plan, now)
    elif any(one.reenvio for one in plan.fuentes):
        raise UsoError("«reenvio» no se mide con Spark.", intacto=INTACTO, que_hacer="Mídalas sin --spark.")
    else:
        found = measured_by_spark(plan, Maestro(where, engine.trabajo, engine.opciones), now)
    if as_json:
        salida.show_json(found.as_dict())
    else:
        _tell(found)


def _files(rutas: Sequence[Path]) -> list[Path]:
    from pregon.bitacoras.ajustes import files_of

    return [path for one in rutas for path in (files_of([str(one.absolute())], one) if one.is_dir() else [one])]


def _days(first: str | None, last: str | None, *names: str) -> tuple[date, date] | None:
    from pregon.base.errors import UsoError

    if first is None and last is None:
        return None
    try:
        begin, end = date.fromisoformat(first or ""), date.fromisoformat(last or "")
    except ValueError as exc:
        raise UsoError(
            f"{names[0]} y {names[1]} van juntos, y son días.", intacto=INTACTO, que_hacer="Escríbalos como 2021-06-06."
        ) from exc
    if end < begin:
        raise UsoError(f"{names[1]} es anterior a {names[0]}.", intacto=INTACTO, que_hacer="Corrija los días.")
    return begin, end


def _zone(name: str) -> ZoneInfo:
    from zoneinfo import ZoneInfo

    from pregon.base.errors import UsoError

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as exc:
        raise UsoError(
            f"No existe la zona horaria «{name}».", intacto=INTACTO, que_hacer=f"Escríbala como {MEXICO}."
        ) from exc


def _tell(found: Medidas) -> None:
    for one in found.archivos:
        tail = f"; {one.malos:,} no se entienden" if one.malos else ""
        cut = f"; incompleta: {one.incompleta}" if one.incompleta else ""
        typer.echo(f"{one.ruta}: {one.lineas:,} renglones, {one.formato or 'sin formato'}{tail}{cut}")
    for example in found.ejemplos:
        typer.echo(f"  {example.archivo}, renglón {example.linea}: {example.forma}")
    for out in found.fuera:
        typer.echo(f"{out.nombre}: {out.hits:,} hits son de otros días y no se miden.")
    for measure in found.medidas:
        _tell_measure(measure)


def _tell_measure(one: Medida) -> None:
    typer.echo(f"\n{one.sitio}, {one.ventana}")
    for label, value in (
        ("visitas", f"{one.visitas:,} de {one.visitantes:,} visitantes"),
        ("páginas", f"{one.paginas:,}; {one.paginas_por_visita} por visita"),
        ("hits", f"{one.hits:,}, de ellos {one.hits_robots:,} de programas"),
        ("bytes", f"{one.bytes:,}"),
        ("respuestas", _listed(one.estados)),
        ("programas", _listed(one.robots[:5])),
        ("páginas más vistas", _listed(one.rutas[:5])),
        ("no encontradas", _listed(one.perdidas[:5])),
    ):
        if value:
            typer.echo(f"  {label:<20} {value}")
    if one.tiempos is not None:
        times = one.tiempos
        typer.echo(
            f"  {'tiempos (ms)':<20} mitad {times.p50:,}; p95 {times.p95:,}; p99 {times.p99:,}; {times.maximo:,}"
        )


def _listed(some: Sequence[Cuenta]) -> str:
    return ", ".join(f"{_plain(one.nombre)} {one.hits:,}" for one in some)


def _plain(text: str) -> str:
    """Text that came from outside, for a terminal: what does not print is not sent to it."""
    return "".join(char if char.isprintable() else "·" for char in text)
