"""``pregon instituto bitacora``, ``expediente`` and ``informe``: the evidence of the night."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pregon.cli import salida
from pregon.cli.opciones import Espacio, Json, root_bytes

if TYPE_CHECKING:
    from pregon.instituto.bitacora.carpeta import Escrita
    from pregon.instituto.bitacora.hechos import Suceso

app = typer.Typer(help="La bitácora encadenada: se comprueba, se muestra y se sella.", no_args_is_help=True)
papeles = typer.Typer()

Operador = Annotated[str, typer.Option("--operador", help="Quién lo pide.", envvar="USER")]
Salida = Annotated[Path, typer.Option("--salida", help="Carpeta nueva en que se escribe.")]
SinPdf = Annotated[bool, typer.Option("--sin-pdf", help="Sólo HTML y JSON.")]
INTACTO = "No se cambió nada."


@app.command("verifica")
@salida.command
def verifica(
    carpeta: Espacio,
    sello: Annotated[
        list[Path] | None,
        typer.Option("--sello", help="Sello guardado fuera de este equipo, o carpeta con ellos. Puede repetirse."),
    ] = None,
    eslabon: Annotated[
        list[str] | None,
        typer.Option("--eslabon", help="«suceso:eslabón», como lo trae un mensaje de sello. Puede repetirse."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Comprueba que nadie cambió, quitó, agregó, recortó ni reordenó la bitácora, y dice dónde."""
    from pregon.instituto.bitacora import sellos
    from pregon.instituto.bitacora.integridad import cuantos_sellos
    from pregon.instituto.workspace import open_workspace

    kept = [path for one in sello or () for path in (sorted(one.glob("[0-9]*.json")) if one.is_dir() else [one])]
    read = sellos.revisa(
        open_workspace(carpeta),
        fuera=[root_bytes(path, intacto=INTACTO, que_hacer="Revise la ruta del sello.") for path in kept],
        dados=[sellos.dado(text) for text in eslabon or ()],
    )
    if as_json:
        salida.show_json(read.as_dict())
    else:
        typer.echo(f"{read.sucesos:,} sucesos; {cuantos_sellos(read)}, el último hasta el suceso {read.sellado}.")
        if read.encadenados not in (None, 1):
            typer.echo(f"Los anteriores al {read.encadenados} son de antes de la cadena; aquél los ata.")
        typer.echo(f"Último eslabón: {read.cabeza.n}:{read.cabeza.eslabon}")
        for fault in read.fallas:
            typer.echo(f"{fault.codigo}: {fault.que}", err=True)
        typer.echo("La bitácora está como se escribió." if read.ok else "La bitácora no está como se escribió.")
    if not read.ok:
        raise typer.Exit(70)


@app.command("muestra")
@salida.command
def muestra(
    carpeta: Espacio,
    difusor: Annotated[str | None, typer.Option("--difusor", help="Sólo los sucesos de ese difusor.")] = None,
    tipo: Annotated[list[str] | None, typer.Option("--tipo", help="Sólo los de ese tipo. Puede repetirse.")] = None,
    desde: Annotated[int, typer.Option("--desde", min=0, help="A partir del suceso de ese número.")] = 0,
    ultimos: Annotated[int, typer.Option("--ultimos", min=1, help="Cuántos, los últimos.")] = 50,
    as_json: Json = False,
) -> None:
    """Muestra los últimos sucesos de la bitácora, en palabras."""
    from collections import deque

    from pregon.instituto.bitacora import frases, hechos
    from pregon.instituto.workspace import open_workspace

    opened = open_workspace(carpeta)
    found = deque(
        (
            one
            for one in map(hechos.suceso, opened.state().apuntes(after=max(desde - 1, 0)))
            if (difusor is None or hechos.de_difusor(one, difusor)) and (not tipo or one.tipo in tipo)
        ),
        maxlen=ultimos,
    )
    if as_json:
        salida.show_json([_event(one) for one in found])
        return
    for one in found:
        when = frases.corta(one.hora, opened.convocatoria.zona)
        typer.echo(f"{one.n:>7}  {when}  {frases.suceso(one.tipo, one.dato)}")


def _event(one: Suceso) -> dict[str, Any]:
    return {
        "n": one.n,
        "hora": one.hora.isoformat(),
        "tipo": one.tipo,
        "dato": dict(one.dato),
        "eslabon": one.apunte.eslabon,
    }


@app.command("sella")
@salida.command
def sella(carpeta: Espacio, as_json: Json = False) -> None:
    """Firma la cabeza de la bitácora como está ahora. «opera» lo hace en cada corte."""
    from pregon.instituto.bitacora import sellos
    from pregon.instituto.workspace import open_workspace

    opened = open_workspace(carpeta)
    made = sellos.sella(opened)
    if as_json:
        salida.show_json({"numero": made.numero, "n": made.n, "eslabon": made.eslabon, "sha256": made.sha256})
        return
    typer.echo(f"Sello {made.numero:06d}: la bitácora hasta el suceso {made.n}.")
    typer.echo("Guarde este renglón fuera de este equipo:")
    typer.echo(f"{made.n}:{made.eslabon}")


@app.command("comprueba")
@salida.command
def comprueba(
    carpeta: Annotated[Path, typer.Argument(help="Carpeta de un expediente o de un informe.", show_default=False)],
    raiz: Annotated[Path, typer.Option("--raiz", help="El root.json que publicó el instituto.")],
    repositorio: Annotated[
        Path | None, typer.Option("--repositorio", help="Repositorio firmado; hace falta para un informe.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Comprueba un expediente o un informe: firma, sumas, cadena, sellos, acuses y avisos. No necesita el espacio."""
    from pregon.instituto.bitacora import revisa

    found = revisa.examina(
        carpeta,
        root_bytes(raiz, intacto=INTACTO, que_hacer="Dé con --raiz el root.json que publicó el instituto."),
        None if repositorio is None else repositorio / "metadata",
    )
    if as_json:
        salida.show_json(found.as_dict())
    else:
        typer.echo(f"{found.archivos:,} archivos, {found.sucesos:,} sucesos encadenados, {found.acuses:,} acuses.")
        for problem in found.problemas:
            typer.echo(problem, err=True)
        typer.echo("Todo es lo que el instituto firmó." if found.ok else "No todo es lo que el instituto firmó.")
    if not found.ok:
        raise typer.Exit(70)


@papeles.command("expediente")
@salida.command
def expediente(
    carpeta: Espacio,
    salida_dir: Salida,
    difusor: Annotated[str | None, typer.Option("--difusor", help="De qué difusor.")] = None,
    corte: Annotated[int | None, typer.Option("--corte", min=0, help="De qué corte.")] = None,
    sin_pdf: SinPdf = False,
    operador: Operador = "",
    as_json: Json = False,
) -> None:
    """Reúne y firma las pruebas de un difusor o de un corte: HTML, PDF, JSON, observaciones, acuses y avisos."""
    from pregon.base.errors import UsoError
    from pregon.instituto.bitacora import expediente as expedientes
    from pregon.instituto.bitacora.asunto import Asunto
    from pregon.instituto.workspace import open_workspace

    if (difusor is None) == (corte is None):
        raise UsoError(
            "El expediente es de un difusor o de un corte.",
            intacto="No se escribió nada.",
            que_hacer="Dé --difusor ID o --corte N, uno de los dos.",
        )
    made = expedientes.escribe(
        open_workspace(carpeta), salida_dir, Asunto(difusor, corte), operador=operador, con_pdf=not sin_pdf
    )
    _show(made, "Expediente", as_json=as_json)


@papeles.command("informe")
@salida.command
def informe(
    carpeta: Espacio, salida_dir: Salida, sin_pdf: SinPdf = False, operador: Operador = "", as_json: Json = False
) -> None:
    """Escribe y firma el informe de la noche: cortes, difusores, incidentes, advertencias, órdenes y soporte."""
    from pregon.instituto.bitacora import informe as informes
    from pregon.instituto.workspace import open_workspace

    made = informes.escribe(open_workspace(carpeta), salida_dir, operador=operador, con_pdf=not sin_pdf)
    _show(made, "Informe", as_json=as_json)


def _show(made: Escrita, what: str, *, as_json: bool) -> None:
    if as_json:
        salida.show_json(made.as_dict())
        return
    typer.echo(f"{what} en {made.carpeta}: {made.archivos:,} archivos. SHA-256 de sus sumas: {made.sha256}")
    if not made.integra:
        typer.echo("La bitácora no está como se escribió: el documento dice dónde.", err=True)
