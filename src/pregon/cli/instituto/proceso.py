"""``pregon instituto proceso DIR``: the count of each difusor, its warnings, and the orders that wait for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pregon.cli import salida
from pregon.cli.opciones import Carpeta, Espacio, Json

if TYPE_CHECKING:
    from pregon.instituto.proceso.avisa import Proceso, Renglon
    from pregon.instituto.proceso.diario import Advertencia, OrdenDifusor
    from pregon.instituto.workspace import Workspace


app = typer.Typer(
    cls=Carpeta,
    help="El debido proceso: cuenta de cortes fallidos, advertencias y órdenes que esperan a una persona.",
    invoke_without_command=True,
)

Orden = Annotated[str, typer.Argument(metavar="ID", help="La orden, como O0003.", show_default=False)]
Operador = Annotated[str, typer.Option("--operador", help="Quién lo decide.", envvar="USER")]


@app.callback()
@salida.command
def tabla(ctx: typer.Context, carpeta: Espacio, as_json: Json = False) -> None:
    """Muestra cómo va cada difusor; con «confirma», «descarta», «advertencias» o «atiende» hace algo más."""
    from pregon.instituto import workspace

    ctx.obj = workspace.open_workspace(carpeta)
    if ctx.invoked_subcommand is not None:
        return
    process = _proceso(ctx)
    rows, lacking = process.tabla(), process.sin_dos_canales()
    limit = process.regla.propone_en
    if as_json:
        rule = {"limite": limit, "clausula": process.regla.clausula, "automatica": process.regla.automatica}
        salida.show_json({**rule, "sin_dos_canales": list(lacking), "difusores": [_row_json(one) for one in rows]})
        return
    if not rows:
        typer.echo("No hay difusores en el registro.")
        return
    of = "" if limit is None else f" de {limit}"
    for one in rows:
        typer.echo(f"{one.difusor} ({one.nombre}): {one.estado}; {one.cuenta.seguidas}{of} cortes fallidos seguidos.")
        if one.ultimo is not None:
            typer.echo(f"  Periodo {one.ultimo.periodo}: {one.ultimo.resultado}, {one.ultimo.porque}.")
        for warning in one.advertencias:
            typer.echo(f"  Advertencia {warning.id}: {_deliveries(warning)}.")
        if one.orden is not None:
            typer.echo(f"  {_order_line(one.orden)}")
    if lacking:
        typer.echo(f"Una advertencia no llegaría por dos canales a: {', '.join(lacking)}.")


@app.command("confirma")
@salida.command
def confirma(
    ctx: typer.Context,
    ident: Orden,
    texto: Annotated[
        str | None, typer.Option("--texto", help="Lo que leerá la ciudadanía en ese sitio, en lugar de lo usual.")
    ] = None,
    operador: Operador = "",
    as_json: Json = False,
) -> None:
    """Confirma una orden que espera: firma su aviso, cambia el estado del difusor y su liga en la lista."""
    order = _proceso(ctx).confirma(ident, operador, texto=texto)
    if as_json:
        salida.show_json(_order_json(order))
    elif order.fase == "cumplida":
        typer.echo(f"Orden {order.id} cumplida: {_doing(order)}.")
        typer.echo(
            "El aviso llega con la entrega: «pregon instituto entrega». Publique de nuevo la lista de difusores."
        )
    else:
        typer.echo(f"Orden {order.id} confirmada; otro proceso está firmando y la cumplirá «pregon instituto opera».")


@app.command("descarta")
@salida.command
def descarta(
    ctx: typer.Context,
    ident: Orden,
    motivo: Annotated[str, typer.Option("--motivo", help="Por qué no procede; queda en la bitácora.")],
    operador: Operador = "",
    as_json: Json = False,
) -> None:
    """Descarta una orden que espera; la cuenta sigue, y otro corte fallido la propone de nuevo."""
    order = _proceso(ctx).descarta(ident, operador, motivo=motivo)
    if as_json:
        salida.show_json(_order_json(order))
        return
    typer.echo(f"Orden {order.id} descartada: {order.motivo}. No se firmó ningún aviso.")


@app.command("advierte")
@salida.command
def advierte(
    ctx: typer.Context,
    difusor: Annotated[str, typer.Argument(metavar="ID", help="El difusor.", show_default=False)],
    texto: Annotated[str, typer.Option("--texto", help="Lo que leerá el difusor.")],
    motivo: Annotated[str, typer.Option("--motivo", help="Por qué; queda en la bitácora y no se envía.")],
    corte: Annotated[int | None, typer.Option("--corte", help="El corte de que habla.", min=0)] = None,
    operador: Operador = "",
    as_json: Json = False,
) -> None:
    """Advierte a un difusor con palabras de una persona, por todos sus canales. No cambia la cuenta."""
    from pregon.instituto.proceso.a_mano import advierte as written

    ident = written(ctx.obj, difusor, texto=texto, motivo=motivo, operador=operador, corte=corte)
    process = _proceso(ctx)
    process.atiende()
    made = process.diario.advertencias[ident]
    if as_json:
        salida.show_json(_warning_json(made))
        return
    typer.echo(f"Advertencia {made.id}: {_deliveries(made)}.")


@app.command("advertencias")
@salida.command
def advertencias(ctx: typer.Context, as_json: Json = False) -> None:
    """Muestra cada advertencia y aviso de orden, y qué respondió cada canal."""
    found = tuple(_proceso(ctx).diario.advertencias.values())
    if as_json:
        salida.show_json([_warning_json(one) for one in found])
        return
    for one in found:
        typer.echo(f"{one.id}, {one.hora.isoformat(timespec='seconds')}: {one.titulo}")
        for name, delivery in one.envios.items():
            why = "" if delivery.que_paso is None else f": {delivery.que_paso}"
            tries = "1 intento" if delivery.intentos == 1 else f"{delivery.intentos} intentos"
            typer.echo(f"  {name}: {_FASES[delivery.fase]} ({tries}){why}")
    if not found:
        typer.echo("No se ha enviado ninguna advertencia.")


@app.command("atiende")
@salida.command
def atiende(ctx: typer.Context, as_json: Json = False) -> None:
    """Cierra los periodos que terminaron, entrega y cumple, como «pregon instituto opera» cada minuto.

    Los cierra con las rondas guardadas de «pregon instituto vigila»: para quien sostiene la noche a mano.
    """
    import os
    from threading import Event

    from pregon.instituto.opera.turno import Turno
    from pregon.instituto.opera.vigilancia import cierra_lo_guardado

    opened: Workspace = ctx.obj
    steps = cierra_lo_guardado(opened, Turno(opened, os.environ, Event()).firmas())
    taken = _proceso(ctx).atiende()
    if as_json:
        told = [{"difusor": one.difusor, "accion": one.accion, "porque": one.porque} for one in steps]
        salida.show_json({"pasos": told, "entregadas": taken})
        return
    for one in steps:
        typer.echo(f"{one.difusor}: {_PASOS[one.accion]}; {one.porque} ({one.clausula}).")
    typer.echo(f"Entregas aceptadas: {taken}.")


_FASES = {
    "por_enviar": "por enviar",
    "enviando": "enviándose",
    "aceptada": "aceptada",
    "fallo": "falló, se intentará de nuevo",
    "en_duda": "en duda, se enviará de nuevo",
    "perdida": "no se pudo entregar",
}


_PASOS = {
    "advertir": "se le advierte",
    "proponer": "una orden espera su decisión",
    "ordenar": "se ordena",
    "proponer_regreso": "su regreso espera su decisión",
}


def _proceso(ctx: typer.Context) -> Proceso:
    from pregon.instituto.proceso.avisa import Proceso

    opened: Workspace = ctx.obj
    return Proceso(opened)


def _doing(order: OrdenDifusor) -> str:
    from pregon.instituto.proceso.textos import ACCIONES

    return f"{ACCIONES[order.accion]} a «{order.difusor}»"


def _order_line(order: OrdenDifusor) -> str:
    waits = "espera su decisión" if order.fase == "propuesta" else "confirmada, por cumplir"
    return f"Orden {order.id} ({waits}): {_doing(order)}. {order.porque} ({order.clausula})."


def _deliveries(warning: Advertencia) -> str:
    told = ", ".join(f"{name} {_FASES[one.fase]}" for name, one in warning.envios.items())
    return told or "no hay por dónde enviarla"


def _row_json(one: Renglon) -> dict[str, Any]:
    last = one.ultimo
    return {
        "difusor": one.difusor,
        "nombre": one.nombre,
        "estado": one.estado,
        "seguidas": one.cuenta.seguidas,
        "ultimo": None
        if last is None
        else {"periodo": last.periodo, "corte": last.corte, "resultado": last.resultado, "porque": last.porque},
        "advertencias": [_warning_json(each) for each in one.advertencias],
        "orden": None if one.orden is None else _order_json(one.orden),
    }


def _warning_json(one: Advertencia) -> dict[str, Any]:
    return {
        "id": one.id,
        "difusor": one.difusor,
        "hora": one.hora.isoformat(),
        "titulo": one.titulo,
        "texto": one.texto,
        "envios": {
            name: {"fase": each.fase, "intentos": each.intentos, "que_paso": each.que_paso}
            for name, each in one.envios.items()
        },
    }


def _order_json(order: OrdenDifusor) -> dict[str, Any]:
    return {
        "id": order.id,
        "difusor": order.difusor,
        "accion": order.accion,
        "fase": order.fase,
        "periodo": order.periodo,
        "cuenta": order.cuenta,
        "porque": order.porque,
        "clausula": order.clausula,
        "evidencia": list(order.evidencia),
        "operador": order.operador,
        "motivo": order.motivo,
    }
