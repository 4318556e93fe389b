"""``pregon aforo``: how many visits, and what they take."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pregon.cli import salida
from pregon.cli.opciones import Json, one_of

if TYPE_CHECKING:
    from pregon.convocatoria.model import Convocatoria
    from pregon.difusor.aforo.analisis import Aforo
    from pregon.difusor.nube.costo import Costo
    from pregon.difusor.workspace import Workspace

Objetivo = Annotated[
    Path, typer.Argument(help="La carpeta de un difusor, la de un corte, o un paquete.", metavar="RUTA")
]
Ajustes = Annotated[
    Path | None,
    typer.Option("--ajustes", help="Su aforo.toml; si no se dice, el de la carpeta del difusor.", metavar="F"),
]
Visitantes = Annotated[
    int | None, typer.Option(min=1, help="De toda la noche; rige sobre toda estimación.", metavar="N")
]
Llamado = Annotated[str | None, typer.Option("--convocatoria", help="La suya, si RUTA no es un difusor.")]

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
    objetivo: Objetivo,
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
    from pregon.difusor.nube.costo import Supuestos, mide
    from pregon.difusor.nube.costo import calcula as price
    from pregon.difusor.nube.precios import lee

    call, folder, _ = _target(objetivo, convocatoria)
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
    found = price(mide(folder), assumed, lee(precios))
    if as_json:
        salida.show_json(found.as_dict())
        return
    _tell(found, None if call is None else call.transporte.mbps)
    if found.viejos(SystemClock().now().date()):
        typer.echo(f"Aviso: los precios son del {found.precios.fecha.isoformat()}: cópielos de nuevo.", err=True)


@app.command("plantilla")
@salida.command
def plantilla() -> None:
    """Escribe un aforo.toml con todo lo que se supone, para corregirlo."""
    from importlib import resources

    text = resources.files("pregon.difusor.aforo").joinpath("plantilla.toml").read_text(encoding="utf-8")
    typer.echo(text, nl=False)


@app.command("calcula")
@salida.command
def calcula(
    objetivo: Objetivo,
    ajustes: Ajustes = None,
    visitantes: Visitantes = None,
    convocatoria: Llamado = None,
    as_json: Json = False,
) -> None:
    """Cuántos llegan y cuándo, el pico con su margen, y qué hace falta para que cada página llegue a tiempo."""
    from pregon.difusor.aforo.palabras import dictamen

    found = _analysis(objetivo, ajustes, visitantes, convocatoria)
    if as_json:
        salida.show_json(found.as_dict())
        return
    for one in found.demanda.estimaciones:
        rules = "; rige" if one is found.demanda.rige else ""
        typer.echo(f"{one.nombre}: {one.visitantes:,} visitantes ({one.cuenta}{rules})")
    typer.echo(f"{'escenario':<10} {'visitantes':>12} {'peticiones/s':>20} {'Mbps':>24} {'abiertas':>10}")
    for name, traffic in found.escenarios.items():
        asked, bits = traffic.peticiones, traffic.mbps
        typer.echo(
            f"{name:<10} {found.demanda.visitantes(name):>12,} "
            f"{f'{asked.medio:,.0f} ({asked.bajo:,.0f}-{asked.alto:,.0f})':>20} "
            f"{f'{bits.medio:,.1f} ({bits.bajo:,.1f}-{bits.alto:,.1f})':>24} {traffic.simultaneos.medio:>10,.0f}"
        )
    for sentence in dictamen(found):
        typer.echo(sentence)


@app.command("documento")
@salida.command
def documento(
    objetivo: Objetivo,
    en: Annotated[Path, typer.Option("--en", help="Dónde se escribe.", metavar="CARPETA")],
    ajustes: Ajustes = None,
    visitantes: Visitantes = None,
    convocatoria: Llamado = None,
    forma: Annotated[
        list[str] | None, typer.Option("--forma", help="pdf, docx o xlsx; se puede repetir. Si no se dice, pdf.")
    ] = None,
    as_json: Json = False,
) -> None:
    """El análisis de capacidad que se entrega (INE-II-a-iii-3c, GRO-2.4h), con su JSON y sus gráficas al lado."""
    from pregon.base.clock import SystemClock
    from pregon.base.durable import Disk
    from pregon.difusor.aforo.documento import archivos
    from pregon.documentos.formas import FORMAS

    wanted = forma or ["pdf"]
    for word in wanted:
        one_of(word, FORMAS, que="la forma", intacto="No se escribió nada.")
    found = _analysis(objetivo, ajustes, visitantes, convocatoria)
    files = archivos(found, SystemClock().now(), [one for one in FORMAS if one in wanted])
    disk = Disk()
    disk.make_folder(en)
    for name, data in files.items():
        disk.write(en / name, data)
    if as_json:
        salida.show_json({"carpeta": str(en), "archivos": sorted(files), "resuelto": found.resuelto})
        return
    for name in sorted(files):
        typer.echo(str(en / name))


def _analysis(objetivo: Path, ajustes: Path | None, visitantes: int | None, convocatoria: str | None) -> Aforo:
    from pregon.base.errors import UsoError
    from pregon.difusor.aforo import peso
    from pregon.difusor.aforo.ajustes import ARCHIVO, con_visitantes, lee
    from pregon.difusor.aforo.analisis import analiza
    from pregon.difusor.aforo.antecedentes import con_medidas
    from pregon.difusor.nube.costo import archivos

    call, folder, workspace = _target(objetivo, convocatoria)
    if call is None:
        raise UsoError(
            "No se sabe de qué convocatoria es.",
            intacto="No se calculó ni se escribió nada.",
            que_hacer="Dé la carpeta de un difusor, o diga --convocatoria.",
        )
    own = None if workspace is None else workspace.folder / ARCHIVO
    chosen = ajustes if ajustes is not None else own if own is not None and own.is_file() else None
    settings = lee(chosen)
    if chosen is not None:
        settings = con_medidas(settings, chosen.parent)
    settings = con_visitantes(settings, visitantes)
    return analiza(call, settings, peso.mide(archivos(folder)))


def _target(objetivo: Path, convocatoria: str | None) -> tuple[Convocatoria | None, Path, Workspace | None]:
    """The call, what is weighed, and the difusor's folder where it is one."""
    from pregon.convocatoria.perfiles import load
    from pregon.difusor.comprueba import is_workspace
    from pregon.difusor.workspace import open_workspace

    if is_workspace(objetivo):
        workspace = open_workspace(objetivo)
        return workspace.convocatoria, workspace.publico, workspace
    return None if convocatoria is None else load(convocatoria), objetivo, None


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
