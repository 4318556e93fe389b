"""``pregon simulacro``: a whole night on this machine."""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pregon.cli import salida
from pregon.cli.opciones import Json
from pregon.cli.simulacro.notas import tabla_de_notas

if TYPE_CHECKING:
    from pregon.simulacro.result import NightResult

TERMINANDO = "Se detiene lo que inició el ensayo; espere un momento."

app = typer.Typer(help="Ensaya la noche completa en esta máquina: instituto, difusores y comprobaciones.")

Convocatoria = Annotated[
    str | None,
    typer.Option(
        help="Perfil de la convocatoria, o «todas». Sin ella: gro-2021, o la que se deduzca de --noche.",
        show_default=False,
    ),
]
Noche = Annotated[
    Path | None,
    typer.Option(help="Carpeta con cortes reales: subcarpetas AAAAMMDD_HHMM_* con CSV por acta.", show_default=False),
]
Autorizaciones = Annotated[
    Path | None,
    typer.Option(
        help="JSON con los hallazgos que se autorizan y por qué (como en «instituto corte»). Sin ella, el instituto "
        "del simulacro autoriza por sí mismo que el encabezado de un archivo difiera de sus renglones "
        "(ENCABEZADO_ORIGEN, «Réplica de archivos ya publicados»), lo que consta en el manifiesto y en el portal.",
        show_default=False,
    ),
]
Cortes = Annotated[int | None, typer.Option(min=1, help="Cuántos cortes publicar.", show_default="6, o todos")]
Difusores = Annotated[int, typer.Option(min=1, max=20, help="Cuántos difusores.")]
Transporte = Annotated[
    str | None,
    typer.Option(
        help="carpeta (el difusor lee el repositorio), entrada (el instituto entrega), ambos (alternados) o "
        "convocatoria (el que ella pide: SCP, rsync, SFTP o HTTPS, con servidores de verdad).",
        show_default="ambos, o convocatoria con «todas»",
    ),
]
Acelerar = Annotated[float, typer.Option(min=1, max=5000, help="Segundos simulados por segundo real.")]
Fallas = Annotated[
    str | None,
    typer.Option(
        help="Plan de fallas (TOML), o «todas»: una de cada clase, repartidas por la semilla. El reloj va de corte en "
        "corte y cada difusor recibe notas.",
        show_default=False,
    ),
]
Informe = Annotated[
    Path | None,
    typer.Option(help="Carpeta nueva para el informe firmado: HTML, PDF y JSON, con las notas.", show_default=False),
]
Semilla = Annotated[int, typer.Option(help="Semilla de la elección sintética y de las muestras.")]
Abierto = Annotated[bool, typer.Option("--abierto", help="Al terminar sigue sirviendo hasta Ctrl+C.")]
Vivo = Annotated[
    int | None,
    typer.Option(
        "--vivo",
        metavar="PUERTO",
        min=0,
        max=65535,
        help="Muestra la noche mientras ocurre en http://127.0.0.1:PUERTO/ (0: uno libre): difusores y cortes, los "
        "portales y la línea de tiempo de las fallas.",
        show_default=False,
    ),
]


@app.callback(invoke_without_command=True)
@salida.command
def main(
    context: typer.Context,
    convocatoria: Convocatoria = None,
    noche: Noche = None,
    autorizaciones: Autorizaciones = None,
    cortes: Cortes = None,
    difusores: Difusores = 2,
    transporte: Transporte = None,
    acelerar: Acelerar = 600.0,
    semilla: Semilla = 7,
    fallas: Fallas = None,
    informe: Informe = None,
    abierto: Abierto = False,
    vivo: Vivo = None,
    as_json: Json = False,
) -> None:
    """Ensaya la noche completa en esta máquina (lo mismo que «simulacro noche»)."""
    if context.invoked_subcommand is None:
        _run(
            convocatoria,
            noche,
            autorizaciones,
            cortes,
            difusores,
            transporte,
            acelerar,
            semilla,
            fallas,
            informe,
            abierto,
            vivo,
            as_json,
        )


@app.command("noche")
@salida.command
def night(
    convocatoria: Convocatoria = None,
    noche: Noche = None,
    autorizaciones: Autorizaciones = None,
    cortes: Cortes = None,
    difusores: Difusores = 2,
    transporte: Transporte = None,
    acelerar: Acelerar = 600.0,
    semilla: Semilla = 7,
    fallas: Fallas = None,
    informe: Informe = None,
    abierto: Abierto = False,
    vivo: Vivo = None,
    as_json: Json = False,
) -> None:
    """Una noche: cortes firmados, entregados, publicados y comprobados. Sale con 0 solo si todo se cumplió."""
    _run(
        convocatoria,
        noche,
        autorizaciones,
        cortes,
        difusores,
        transporte,
        acelerar,
        semilla,
        fallas,
        informe,
        abierto,
        vivo,
        as_json,
    )


@app.command("reloj")
@salida.command
def reloj(
    archivo: Annotated[
        Path,
        typer.Argument(metavar="ARCHIVO", help="El que nombran «simulado» y «reloj_simulado».", show_default=False),
    ],
    hora: Annotated[str, typer.Option("--hora", help="Hora que marca desde ahora (ISO 8601).", show_default=False)],
    zona: Annotated[str, typer.Option("--zona", help="Zona de una hora que no dice la suya.")] = "America/Mexico_City",
    acelerar: Acelerar = 1.0,
    as_json: Json = False,
) -> None:
    """Pone en hora el reloj de un ensayo: el instituto y los difusores que lo nombran obedecen en el acto.

    Sólo existe en el ambiente «simulacro»: ningún ajuste de una noche oficial puede nombrarlo.
    """
    from zoneinfo import ZoneInfo

    from pregon.base.clock import SimulatedClock
    from pregon.base.durable import Disk
    from pregon.base.errors import UsoError
    from pregon.cli.opciones import instant_of

    intact = "El reloj no cambió."
    try:
        place = ZoneInfo(zona)
    except (OSError, ValueError, KeyError) as exc:
        raise UsoError(
            f"«{zona}» no es una zona horaria.", intacto=intact, que_hacer="Escriba, por ejemplo, America/Mexico_City."
        ) from exc
    clock = SimulatedClock.start(instant_of(hora, place, intacto=intact), acelerar)
    Disk().write(archivo, clock.dump())
    if as_json:
        salida.show_json({"archivo": str(archivo), "hora": clock.origin.isoformat(), "acelerar": acelerar})
        return
    typer.echo(f"El ensayo va en las {clock.origin.astimezone(place):%H:%M del %d/%m/%Y}.")


def _run(
    convocatoria: str | None,
    noche: Path | None,
    autorizaciones: Path | None,
    cortes: int | None,
    difusores: int,
    transporte: str | None,
    acelerar: float,
    semilla: int,
    fallas: str | None,
    informe: Path | None,
    abierto: bool,
    vivo: int | None,
    as_json: bool,
) -> None:
    from pregon.cli.senales import interrupted_once
    from pregon.convocatoria.perfiles import ids
    from pregon.simulacro.session import Request, carrier_named, check_carriers, run

    several = convocatoria == "todas"
    usual = "entrada" if fallas or informe else "convocatoria" if several else "ambos"
    carrier = carrier_named(transporte or usual)
    names = ids() if several else (convocatoria,)
    if carrier == "convocatoria" and noche is None:
        check_carriers(names, difusores)  # Before the first of them begins.
    results = []
    for place, name in enumerate(names, 1):
        then = names[place] if place < len(names) else None
        with interrupted_once(TERMINANDO):
            result = run(
                Request(
                    convocatoria=name,
                    noche=noche,
                    cortes=cortes,
                    difusores=difusores,
                    acelerar=acelerar,
                    semilla=semilla,
                    transporte=carrier,
                    autorizaciones=autorizaciones,
                    fallas="todas" if fallas == "todas" else None if fallas is None else Path(fallas),
                    informe=informe if informe is None or not several else informe.with_name(f"{informe.name}-{name}"),
                    vivo=vivo,
                    siguen=then is not None,
                ),
                say=lambda line: typer.echo(line, err=True),
                ready=lambda url: typer.echo(f"LISTO {url}", err=as_json),
                hold=partial(espera, then) if abierto else None,
            )
        results.append(result)
        if not as_json:  # At once: what comes after may end otherwise.
            cuenta(result)
    concluye(results, as_json=as_json, varias=several)


def cuenta(result: NightResult) -> None:
    """Show a finished night to a person."""
    _table(result)
    if result.notas is not None:
        tabla_de_notas(result)


def concluye(results: list[NightResult], *, as_json: bool, varias: bool = False) -> None:
    """Exit status 70 unless all held; as JSON, show them first. ``varias``: a list also for one."""
    if as_json:
        objects = [result.to_json() for result in results]
        salida.show_json(objects if varias else objects[0])
    if not all(result.ok for result in results):
        raise typer.Exit(70)


def espera(sigue: str | None = None) -> None:
    """Keep serving until the person at the keyboard says otherwise. ``sigue``: the call whose night comes then."""
    import threading

    what = "terminar" if sigue is None else f"pasar a la noche de {sigue}"
    typer.echo(f"Sirviendo. Ctrl+C para {what}.", err=True)
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()


def _table(result: NightResult) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    package = "" if result.paquete is None else f" · {result.paquete}"
    table = Table(title=f"Segundos de la firma a la vista · {result.convocatoria}{package}")
    table.add_column("Corte")
    table.add_column("Hora")
    for difusor in result.difusores:
        table.add_column(f"{difusor.id}\n{difusor.transporte}", justify="right")
    for row, cut in enumerate(result.cortes):
        cells = []
        for difusor in result.difusores:
            at = difusor.cortes[row]
            failed = [check.codigo for check in at.comprobaciones if not check.ok]
            seconds = "no se vio" if at.segundos_a_visible is None else f"{at.segundos_a_visible:.2f}"
            cells.append(seconds + "".join(f"\n✗ {code}" for code in failed))
        table.add_row(f"{cut.numero:04d}", f"{cut.hora_corte:%d/%m %H:%M}", *cells)
    table.add_section()
    table.add_row("Nota", "", *(str(difusor.nota) for difusor in result.difusores))
    console.print(table)
    for difusor in result.difusores:
        for check in difusor.checks:
            if not check.ok:
                console.print(f"✗ {difusor.id} {check.codigo}: {check.detalle}", markup=False)
    held = sum(check.ok for difusor in result.difusores for check in difusor.checks)
    total = sum(len(difusor.checks) for difusor in result.difusores)
    verdict = "Todo se cumplió" if result.ok else "Algo no se cumplió"
    console.print(f"{verdict}: {held} de {total} comprobaciones.")
