"""``pregon instituto vigila``, ``observa`` and ``disponibilidad``: what each difusor shows, seen from outside."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pregon.cli import salida
from pregon.cli.opciones import Ambiente, Espacio, Json, ambiente_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pregon.base.clock import Clock
    from pregon.instituto.entrega.recibidos import Recibidos
    from pregon.instituto.monitor.disponibilidad import Mes
    from pregon.instituto.monitor.modelo import Dictamen
    from pregon.instituto.monitor.observa import Barrida
    from pregon.instituto.monitor.ronda import Ronda, Vigilado
    from pregon.instituto.opera.turno import Turno
    from pregon.instituto.registro.almacen import Registro
    from pregon.instituto.workspace import Workspace

app = typer.Typer()

SIMULADO_S = 0.1
"""How often the hour of a simulated clock is looked at."""

UnaVez = Annotated[bool, typer.Option("--una-vez", help="Da una ronda y termina.")]


@app.command("vigila")
@salida.command
def vigila(carpeta: Espacio, una_vez: UnaVez = False, as_json: Json = False) -> None:
    """Mira los portales de los difusores y dice qué muestra cada uno. «opera» ya lo hace; esto es para verlo aparte.

    Con --una-vez termina con 70 si alguno falla por su causa.
    """
    import threading

    from pregon.instituto import workspace
    from pregon.instituto.entrega.recibidos import Recibidos
    from pregon.instituto.monitor.ronda import Vigia
    from pregon.instituto.opera.turno import Turno
    from pregon.instituto.registro.almacen import Registro

    opened = workspace.open_workspace(carpeta)
    around = Registro(opened), Recibidos(opened), Turno(opened, os.environ, threading.Event())
    with Vigia(opened, environment=os.environ) as vigia:
        failing: list[bool] = []

        def one() -> None:
            made = vigia.ronda(_watched(opened, *around))
            failing[:] = [any(each.falla for each in made.dictamenes)]
            _show(made, opened, as_json=as_json)

        _repeat(one, opened.settings.monitor.cada_s, opened.clock, una_vez=una_vez)
    if una_vez and any(failing):
        raise typer.Exit(70)


@app.command("observa")
@salida.command
def observa(
    carpeta: Annotated[Path, typer.Argument(help="Carpeta del punto de observación.", show_default=False)],
    inicia: Annotated[bool, typer.Option("--inicia", help="Crea la carpeta, su llave y sus ajustes.")] = False,
    punto: Annotated[str | None, typer.Option("--punto", help="Nombre del punto, con --inicia.")] = None,
    convocatoria: Annotated[
        str | None, typer.Option("--convocatoria", help="Id de la convocatoria, con --inicia.")
    ] = None,
    instituto: Annotated[str | None, typer.Option("--instituto", help="Id del instituto, con --inicia.")] = None,
    ambiente: Ambiente = "oficial",
    una_vez: UnaVez = False,
    as_json: Json = False,
) -> None:
    """Mira los portales desde otro equipo y deja lo que vio, firmado, en la carpeta «salida» para el instituto."""
    from pregon.base.clock import SystemClock
    from pregon.base.durable import Disk
    from pregon.base.errors import UsoError
    from pregon.instituto.monitor import puesto

    if inicia:
        if punto is None or convocatoria is None or instituto is None:
            raise UsoError(
                "Para crear un punto de observación hacen falta su nombre, la convocatoria y el instituto.",
                intacto="No se creó nada.",
                que_hacer="Agregue --punto, --convocatoria y --instituto.",
            )
        public = puesto.inicia(
            carpeta,
            punto=punto,
            convocatoria=convocatoria,
            instituto=instituto,
            ambiente=ambiente_of(ambiente),
            disk=Disk(),
        )
        if as_json:
            salida.show_json({"carpeta": str(carpeta), "llave_publica": str(public)})
            return
        typer.echo(f"Punto de observación «{punto}» creado en {carpeta}.")
        typer.echo(f"Escriba sus portales en {carpeta / puesto.ARCHIVO} y envíe {public} al instituto.")
        return
    post = puesto.Puesto(carpeta, disk=Disk())
    try:

        def one() -> None:
            seen, files = post.ronda()
            _show_seen(seen, [path.name for path in files], as_json=as_json)

        _repeat(one, post.settings.cada_s, SystemClock(), una_vez=una_vez)
    finally:
        post.close()


@app.command("disponibilidad")
@salida.command
def disponibilidad(
    carpeta: Espacio,
    mes: Annotated[str, typer.Option("--mes", help="Mes, como 2021-06.", metavar="AAAA-MM")],
    as_json: Json = False,
) -> None:
    """Dice cuánto del mes contestó cada portal, desde su registro hasta la permanencia (INE-IV-a)."""
    from pregon.instituto import workspace
    from pregon.instituto.monitor import disponibilidad as meses
    from pregon.instituto.registro.almacen import Registro

    opened = workspace.open_workspace(carpeta)
    call = opened.convocatoria
    bounds = meses.limites(mes, call.zona)
    since: dict[str, Any] = {one.difusor: None for one in opened.settings.monitor.portal}
    since.update((one.id, one.alta) for one in Registro(opened).todos() if one.estado != "rechazado")
    found = meses.mes(
        opened.state().rows(meses.SERIE), since, mes=bounds, hasta=call.permanencia_hasta, exigida=call.disponibilidad
    )
    if as_json:
        asked = None if call.disponibilidad is None else str(call.disponibilidad)
        salida.show_json({"mes": mes, "exigida": asked, "difusores": [_month(one) for one in found]})
        return
    if not found:
        typer.echo("No hay difusores en el registro ni en [[monitor.portal]].")
    for one in found:
        known = "nada se sabe" if one.porcentaje is None else f"contestó {one.porcentaje} % de lo que se observó"
        typer.echo(
            f"{one.difusor}: {known}; {_time(one.segundos.abajo)} sin contestar, {_time(one.pendiente)} pendientes de "
            f"{_time(one.total)}. {_JUICIOS[one.juicio]}"
        )


_JUICIOS = {
    "cumple": "Cumple.",
    "no_cumple": "No cumple.",
    "pendiente": "Pendiente.",
    "no_pide": "La convocatoria no pide un porcentaje.",
}


def _watched(opened: Workspace, registro: Registro, recibidos: Recibidos, turno: Turno) -> list[Vigilado]:
    """Whom the night's service would watch now."""
    from pregon.base.errors import EntradaError
    from pregon.instituto.opera.vigilancia import vigilados_de

    found = vigilados_de(opened, registro, recibidos, turno.firmas())
    if not found:
        raise EntradaError(
            "No hay ningún portal que vigilar.",
            intacto="No se preguntó nada a nadie.",
            que_hacer="Registre a los difusores («pregon instituto difusor alta») o escriba tablas [[monitor.portal]].",
        )
    return found


def _repeat(one: Callable[[], None], every: float, clock: Clock, *, una_vez: bool) -> None:
    """One round, or one each ``every`` seconds of ``clock`` until the process is told to end."""
    if una_vez:
        one()
        return
    from datetime import timedelta

    from pregon.cli.senales import stop_on_signal

    stop = stop_on_signal()
    while not stop.is_set():
        due = clock.now() + timedelta(seconds=every)
        one()
        while (left := (due - clock.now()).total_seconds()) > 0 and not stop.is_set():
            # A simulated clock may go faster than ours, and change its pace.
            stop.wait(min(left, SIMULADO_S) if clock.simulado else left)


def _show(made: Ronda, opened: Workspace, *, as_json: bool) -> None:
    from pregon.instituto.monitor import formas

    if as_json:
        salida.show_json(
            {
                "ronda": made.numero,
                "hora": made.hora.isoformat(),
                "puntos": [formas.de_vista(one) for one in made.vistas],
                "difusores": [formas.de_dictamen(one) for one in made.dictamenes],
                "cambios": [one.difusor for one in made.cambios],
                "errores": {name: error.as_dict() for name, error in made.errores.items()},
                "sha256": made.sha256,
            }
        )
        return
    zone = opened.convocatoria.zona
    typer.echo(f"Ronda {made.numero}, {made.hora.astimezone(zone):%d/%m/%Y %H:%M:%S}.")
    for view in made.vistas:
        if not view.con_red:
            typer.echo(f"El punto «{view.punto}» está sin red: lo que vio no cuenta.")
    for name, error in made.errores.items():
        typer.echo(f"Del punto «{name}» no se recogió todo: {error.que_paso}")
    for one in made.dictamenes:
        typer.echo(_line(one))


def _line(one: Dictamen) -> str:
    cut = "" if one.corte is None else f", corte {one.corte:04d}"
    why = "" if not one.motivos else f" ({', '.join(one.motivos)})"
    cause = {
        "difusor": "; causa: el difusor",
        "red": "; causa: la red",
        "instituto": "; causa: el instituto",
        "sin_determinar": "; causa sin determinar",
    }.get(one.causa, "")
    late = "" if one.atraso_s is None else f"; lleva {one.atraso_s / 60:.0f} min de atraso"
    said = {
        "al_dia": "al día",
        "atrasado": "ATRASADO",
        "alterado": "ALTERADO",
        "inaccesible": "INACCESIBLE",
        "sin_determinar": "sin determinar",
    }[one.veredicto]
    return f"{one.difusor}: {said}{cut}{why}{cause}{late}."


def _show_seen(seen: Barrida, files: Sequence[str], *, as_json: bool) -> None:
    from pregon.instituto.monitor import formas

    if as_json:
        salida.show_json(
            {
                "punto": formas.de_vista(seen.vista),
                "observaciones": [formas.de_observacion(one) for one in seen.observaciones],
                "archivos": list(files),
            }
        )
        return
    reached = sum(one.alcanzable for one in seen.observaciones)
    network = "" if seen.vista.con_red else " Este punto está sin red: el instituto no lo tomará en cuenta."
    typer.echo(f"Se alcanzaron {reached} de {len(seen.observaciones)} portales; {', '.join(files)}.{network}")


def _month(one: Mes) -> dict[str, Any]:
    return {
        "difusor": one.difusor,
        "desde": one.desde.isoformat(),
        "hasta": one.hasta.isoformat(),
        "total_s": one.total,
        "arriba_s": one.segundos.arriba,
        "abajo_s": one.segundos.abajo,
        "pendiente_s": one.pendiente,
        "al_dia_s": one.segundos.al_dia,
        "porcentaje": one.porcentaje,
        "juicio": one.juicio,
    }


def _time(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{hours:,} h {rest // 60:02d} min"
