"""``pregon aforo``: how many visits, and what they take."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pregon.cli import salida
from pregon.cli.opciones import Json

if TYPE_CHECKING:
    from pregon.convocatoria.model import Convocatoria
    from pregon.difusor.nube.costo import Costo

app = typer.Typer(help="Cuánto se espera, y qué hace falta para ello.", no_args_is_help=True)

PALABRAS = {
    "salida_gb": "GB que envía la CDN",
    "peticiones": "peticiones a la CDN",
    "funciones": "usos de la función de la orilla",
    "purgas": "rutas purgadas",
    "subidas": "objetos subidos al depósito",
    "lecturas": "objetos leídos del depósito",
    "almacen_gb_mes": "GB por mes en el depósito",
    "equipo_h": "horas del equipo que recibe",
    "disco_gb_mes": "GB por mes de su disco",
    "direccion_h": "horas de su dirección pública",
    "enlace_h": "horas de PrivateLink",
    "enlace_gb": "GB por PrivateLink",
}


@app.callback()
def _group() -> None:
    """Cuánto se espera, y qué hace falta para ello."""


@app.command("costo")
@salida.command
def costo(
    objetivo: Annotated[
        Path, typer.Argument(help="La carpeta de un difusor, la de un corte, o un paquete.", metavar="RUTA")
    ],
    visitantes: Annotated[int, typer.Option(min=1, help="Los que espera en toda la noche.", metavar="N")],
    convocatoria: Annotated[
        str | None, typer.Option(help="De la que se toman cortes y permanencia, si RUTA no es un difusor.")
    ] = None,
    cortes: Annotated[int | None, typer.Option(min=1, help="Cuántos; si no se dice, los de la convocatoria.")] = None,
    paginas: Annotated[int, typer.Option(min=1, help="Páginas de cada visita.")] = 3,
    minutos: Annotated[int, typer.Option(min=0, help="Minutos de cada visita.")] = 10,
    orillas: Annotated[int, typer.Option(min=1, help="Lugares de la CDN que piden al depósito cada uno.")] = 15,
    privado: Annotated[bool, typer.Option("--privado", help="Con PrivateLink (INE-II-a-iii-2b).")] = False,
    precios: Annotated[Path | None, typer.Option(help="Su lista de precios (TOML), en vez de la incluida.")] = None,
    as_json: Json = False,
) -> None:
    """Lo que costaría una noche detrás de una CDN, con el peso verdadero de un paquete. No pregunta a nadie."""
    from pregon.base.clock import SystemClock
    from pregon.base.errors import UsoError
    from pregon.convocatoria.perfiles import load
    from pregon.difusor.comprueba import is_workspace
    from pregon.difusor.nube.costo import Supuestos, calcula, mide
    from pregon.difusor.nube.precios import lee
    from pregon.difusor.workspace import open_workspace

    call: Convocatoria | None = None
    folder = objetivo
    if is_workspace(objetivo):
        workspace = open_workspace(objetivo)
        call, folder = workspace.convocatoria, workspace.publico
    elif convocatoria is not None:
        call = load(convocatoria)
    if call is None and cortes is None:
        raise UsoError(
            "No se sabe cuántos cortes habrá.",
            intacto="No se calculó nada.",
            que_hacer="Diga --convocatoria o --cortes.",
        )
    interval = 20 if call is None else call.intervalo_piso_min or call.intervalo_min
    kept = timedelta(days=30)
    if call is not None and call.permanencia_hasta is not None:
        kept += call.permanencia_hasta - call.inicio
    number = cortes
    if number is None and call is not None:
        number = max(1, (call.fin_actualizacion - call.inicio) // timedelta(minutes=interval))
    assumed = Supuestos(
        visitantes, number or 1, interval, paginas, minutos, orillas, dias_conserva=-(-kept // timedelta(days=1)),
        enlace=privado,
    )  # fmt: skip
    found = calcula(mide(folder), assumed, lee(precios))
    if as_json:
        salida.show_json(found.as_dict())
        return
    _tell(found, None if call is None else call.transporte.mbps)
    if found.viejos(SystemClock().now().date()):
        typer.echo(f"Aviso: los precios son del {found.precios.fecha.isoformat()}: cópielos de nuevo.", err=True)


def _tell(found: Costo, mbps: int | None) -> None:
    from pregon.difusor.nube.costo import CENTAVO, segundos_de_enlace

    what, table = found.medida, found.precios
    typer.echo(f"Medido en {what.que}:")
    typer.echo(f"  una visita nueva: {what.visita.bytes:,} bytes en {what.visita.objetos} peticiones")
    typer.echo(f"  cada página más: {what.pagina.bytes:,} bytes en {what.pagina.objetos}")
    typer.echo(f"  pasar al corte siguiente: {what.novedad.bytes:,} bytes en {what.novedad.objetos}")
    typer.echo(f"  se sube una vez: {what.fijo.bytes:,} bytes en {what.fijo.objetos:,} objetos")
    typer.echo(f"  se sube con cada corte: {what.cambia.bytes:,} bytes en {what.cambia.objetos:,} objetos")
    if mbps is not None:
        typer.echo(f"  el paquete ({what.original:,} bytes) tarda {segundos_de_enlace(what, mbps):.1f} s a {mbps} Mbps")
    typer.echo("Se supone:")
    for sentence in found.supuestos.en_palabras():
        typer.echo(f"  {sentence}")
    typer.echo(f"Precios: {table.nombre}; del {table.fecha.isoformat()}. {table.fuente}.")
    for one in found.conceptos:
        price = "sin precio en la lista" if one.importe is None else f"{one.importe.quantize(CENTAVO):>12,}"
        typer.echo(f"  {one.cantidad:>18,.2f} {PALABRAS[one.cuenta]:<34} {price}")
    typer.echo(f"Total, sin impuestos: {found.total:,} {table.moneda}")
