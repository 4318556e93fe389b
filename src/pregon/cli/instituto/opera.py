"""``pregon instituto opera``, ``cierra``, ``revisa`` and ``unidad``: the night as a service, its end, and before it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from pregon.cli import salida
from pregon.cli.opciones import Espacio, Json

app = typer.Typer()

Operador = Annotated[str, typer.Option("--operador", help="Quién lo ordena.", envvar="USER")]


@app.command("opera")
@salida.command
def opera(carpeta: Espacio, as_json: Json = False) -> None:
    """Sostiene la noche: hace, firma, entrega y vigila cada corte a su hora, hasta que se le detenga.

    SIGTERM termina el corte en curso. SIGHUP vuelve a leer instituto.toml; si los ajustes nuevos no valen, siguen los
    anteriores.
    """
    import faulthandler
    import json
    import signal
    import sys

    from pregon.base.servicio import Supervisor, return_large_blocks
    from pregon.cli.registro import log_as_service
    from pregon.cli.senales import event_on, stop_on_signal
    from pregon.instituto import workspace
    from pregon.instituto.opera import noche

    stop, relee = stop_on_signal(), event_on(signal.SIGHUP)
    faulthandler.enable()  # What WatchdogSignal=SIGABRT ends says where it was.
    return_large_blocks()
    opened = workspace.open_workspace(carpeta)
    noche.con_fuente(opened)
    log_as_service()

    def tell(text: str) -> None:
        sys.stdout.write((json.dumps({"situacion": text}, ensure_ascii=False) if as_json else text) + "\n")
        sys.stdout.flush()

    noche.opera(
        opened, stop=stop, relee=relee, environment=os.environ, supervisor=Supervisor.of_environment(), tell=tell
    )


@app.command("cierra")
@salida.command
def cierra(
    carpeta: Espacio,
    operador: Operador = "",
    anticipado: Annotated[
        bool, typer.Option("--anticipado", help="Cierra con el corte que sigue, antes de la hora.")
    ] = False,
    motivo: Annotated[str | None, typer.Option("--motivo", help="Por qué el cierre es anticipado.")] = None,
    confirma: Annotated[
        str | None, typer.Option("--confirma", help="El id de la convocatoria, otra vez: el cierre es definitivo.")
    ] = None,
    retira: Annotated[bool, typer.Option("--retira", help="Retira la orden, si su corte aún no se firma.")] = False,
    as_json: Json = False,
) -> None:
    """Ordena el cierre a quien sostiene la noche: confirma el de la hora, o pide el anticipado."""
    from pregon.base.errors import UsoError
    from pregon.instituto import workspace
    from pregon.instituto.opera import cierre

    opened = workspace.open_workspace(carpeta)
    if retira:
        there = cierre.retira(opened, operador=operador)
        if as_json:
            salida.show_json({"retirada": there})
        else:
            typer.echo("Se retiró la orden de cierre." if there else "No había orden de cierre pendiente.")
        return
    if anticipado != (motivo is not None):
        raise UsoError(
            "--anticipado y --motivo van juntos.",
            intacto=cierre.INTACTO,
            que_hacer="Dé los dos para un cierre anticipado; ninguno para confirmar el de la hora.",
        )
    if confirma != opened.convocatoria.id:
        raise UsoError(
            "El cierre es definitivo: después de él no hay más cortes.",
            intacto=cierre.INTACTO,
            que_hacer=f"Si es lo que quiere, repita la orden con --confirma {opened.convocatoria.id}",
        )
    order = cierre.pide(opened, motivo=motivo, operador=operador)
    if as_json:
        salida.show_json(order)
        return
    when = "con el corte que sigue" if anticipado else "con el corte de la hora de cierre"
    typer.echo(f"Ordenado el cierre {order['cierre']}, {when}. «--retira» lo deshace mientras no se firme.")


class _Revisa(salida.SeveralFiles):
    varios = ("--ayer", "--en-seco")


@app.command("revisa", cls=_Revisa)
@salida.command
def revisa(
    carpeta: Espacio,
    ayer: Annotated[
        list[Path] | None,
        typer.Option("--ayer", help="Actas (CSV) de un simulacro: se ensaya con ellas un corte, que no se publica."),
    ] = None,
    en_seco: Annotated[
        list[Path] | None,
        typer.Option("--en-seco", help="Actas (CSV) de la puesta en ceros: se firman como corte 0000 y se entregan."),
    ] = None,
    espera: Annotated[float, typer.Option("--espera", help="Segundos que se esperan los acuses.", min=0)] = 60.0,
    as_json: Json = False,
) -> None:
    """Revisa todo antes de la noche y lo prueba de verdad. Termina con 0 si está lista, con 70 si algo falla."""
    from pregon.cli.comprobaciones import show_checks
    from pregon.instituto import workspace
    from pregon.instituto.opera.revisa import Encargo
    from pregon.instituto.opera.revisa import revisa as check

    opened = workspace.open_workspace(carpeta)
    order = Encargo(tuple(ayer or ()), tuple(en_seco or ()), espera)
    found = check(opened, order, os.environ)
    ready = all(one.estado != "falla" for one in found)
    show_checks(found, as_json=as_json, nota="La noche puede comenzar." if ready else "")


@app.command("unidad")
@salida.command
def unidad(
    carpeta: Espacio,
    salida_dir: Annotated[
        Path | None, typer.Option("--salida", help="Escribe la unidad y pasos.sh en esta carpeta.", metavar="CARPETA")
    ] = None,
    programa: Annotated[Path | None, typer.Option("--programa", help="El pregon que la unidad ejecuta.")] = None,
    as_json: Json = False,
) -> None:
    """La unidad de systemd que sostiene la noche, y los pasos para ponerla. No cambia nada del sistema."""
    from pregon.base.durable import Disk
    from pregon.instituto import workspace
    from pregon.instituto.opera.unidad import unidad as made_for

    made = made_for(workspace.open_workspace(carpeta), programa=programa)
    written = () if salida_dir is None else made.write(salida_dir, Disk())
    if as_json:
        salida.show_json(
            {
                "servicio": made.servicio,
                "archivo": made.archivo.nombre,
                "texto": made.archivo.texto,
                "tablero": None if made.tablero is None else made.tablero.texto,
                "pasos": made.script(),
                "avisos": list(made.avisos),
            }
        )
        return
    for path in written:
        typer.echo(f"Escrito: {path}")
    if not written:
        for one in made.archivos:
            typer.echo(one.texto)
        typer.echo(made.script())
    typer.echo(f"Servicio: {made.servicio}")
    for told in made.avisos:
        typer.echo(f"aviso: {told}", err=True)
