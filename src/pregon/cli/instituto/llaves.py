"""``pregon instituto llaves``: the key ceremony, and what there is of keys. What replaces them is ``cli.relevo``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pregon.cli import salida
from pregon.cli.instituto import relevo
from pregon.cli.instituto.medios import Archivos, Medios, MismoDisco, Operador, SeveralMedia, mesa_of
from pregon.cli.opciones import Ambiente, Espacio, Json, ambiente_of, one_of

if TYPE_CHECKING:
    from pregon.instituto.ceremonia.inventario import Inventario

app = typer.Typer(help="La ceremonia de llaves: crear, mostrar, rotar, revocar.", no_args_is_help=True)


@app.command("genera", cls=SeveralMedia)
@salida.command
def genera(
    carpeta: Espacio,
    convocatoria: Annotated[str, typer.Option("--convocatoria", help="Id de una convocatoria, o ruta de su TOML.")],
    medios: Medios = None,
    reserva: Annotated[
        Path | None, typer.Option("--reserva", help="Medio de las llaves de reserva. Sin él, el primero de --medios.")
    ] = None,
    ambiente: Ambiente = "oficial",
    frase_archivo: Archivos = None,
    permitir_mismo_disco: MismoDisco = False,
    operador: Operador = "",
    motivo: Annotated[str, typer.Option("--motivo", help="Queda en el registro.")] = "inicio del proceso",
    as_json: Json = False,
) -> None:
    """Crea el espacio de trabajo por ceremonia: cada llave raíz nace en su medio y nunca está en este equipo."""
    from pregon.base.clock import SystemClock
    from pregon.instituto import workspace
    from pregon.instituto.ceremonia import llaves

    made = llaves.generate(
        carpeta,
        convocatoria,
        mesa_of(medios, [] if reserva is None else [reserva], frase_archivo, permitir_mismo_disco),
        ambiente=ambiente_of(ambiente),
        operador=operador,
        motivo=motivo,
        clock=SystemClock(),
    )
    if as_json:
        salida.show_json(
            {
                "carpeta": str(carpeta),
                "convocatoria": made.workspace.convocatoria.id,
                "instituto": made.workspace.convocatoria.instituto,
                "ambiente": ambiente,
                "archivo_raiz": str(carpeta / workspace.RAIZ),
                "mismo_disco": made.mismo_disco,
                **made.inventario.as_dict(),
            }
        )
        return
    typer.echo(f"Ceremonia terminada: {made.workspace.convocatoria.nombre} ({ambiente}), en {carpeta}.")
    _show(made.inventario)
    typer.echo(f"Dé a cada difusor {carpeta / workspace.RAIZ} y léale la huella en voz alta, por otro medio.")
    typer.echo(f"Imprima la hoja: pregon instituto llaves hoja {carpeta} --salida hoja.pdf")
    if made.mismo_disco:
        typer.echo("aviso: los medios comparten disco (--permitir-mismo-disco): sirve para ensayar.", err=True)


@app.command("muestra")
@salida.command
def muestra(carpeta: Espacio, as_json: Json = False) -> None:
    """Muestra papeles, umbrales, llaves con su huella, vigencias y dónde debe estar cada llave."""
    from pregon.instituto import workspace
    from pregon.instituto.ceremonia import llaves

    inventory = llaves.show(workspace.open_workspace(carpeta))
    if as_json:
        salida.show_json(inventory.as_dict())
        return
    _show(inventory)


@app.command("hoja", cls=SeveralMedia)
@salida.command
def hoja(
    carpeta: Espacio,
    salida_: Annotated[Path, typer.Option("--salida", help="Archivo PDF que se escribe.")],
    url: Annotated[str | None, typer.Option("--url", help="Dirección donde se publica la raíz.")] = None,
    presentes: Annotated[
        list[str] | None, typer.Option("--presentes", help="Nombres y cargos, entre comillas, para las firmas.")
    ] = None,
    papel: Annotated[str, typer.Option("--papel", help="«carta» o «a4».")] = "carta",
    as_json: Json = False,
) -> None:
    """Escribe la hoja de huellas para imprimir (PDF de una página)."""
    from pregon.instituto import workspace
    from pregon.instituto.ceremonia import hoja, llaves

    one_of(papel, ("carta", "a4"), que="el papel", intacto="No se escribió nada.")
    opened = workspace.open_workspace(carpeta)
    inventory = llaves.show(opened)
    data = hoja.render(opened, inventory, url=url, presentes=presentes or (), papel="a4" if papel == "a4" else "carta")
    opened.disk.write(salida_, data)
    if as_json:
        salida.show_json({"hoja": str(salida_), "bytes": len(data), "raiz_sha256": inventory.raiz_sha256})
        return
    typer.echo(f"Hoja de huellas en {salida_}: raíz versión {inventory.raiz_version}.")


@app.command("comprueba", cls=SeveralMedia)
@salida.command
def comprueba(
    carpeta: Espacio,
    medios: Medios = None,
    frase_archivo: Archivos = None,
    operador: Operador = "",
    as_json: Json = False,
) -> None:
    """Comprueba que cada medio se lee, que su frase lo abre y que sus llaves firman y están vigentes."""
    from pregon.base.errors import ComprobacionError
    from pregon.cli.frases import Frases
    from pregon.instituto import workspace
    from pregon.instituto.ceremonia import llaves

    found = llaves.check_media(
        workspace.open_workspace(carpeta),
        medios or [],
        Frases(frase_archivo or [], medios or [], os.environ),
        operador=operador,
    )
    if as_json:
        salida.show_json([one.as_dict() for one in found])
    else:
        for one in found:
            typer.echo(f"{'bien' if one.bien else 'MAL '}  {one.medio}  {one.problema or ''}".rstrip())
            for name, keyid, valid in one.llaves:
                typer.echo(f"      {name:<12} {keyid[:4]} {keyid[4:8]}…  {'vigente' if valid else 'no está en vigor'}")
            if one.raiz is False:
                typer.echo("      su root.json no es el de este repositorio ni lo respalda")
    if not found or not all(one.bien for one in found):
        raise ComprobacionError(
            f"No sirven {sum(not one.bien for one in found)} de {len(found)} medios.",
            intacto="Las llaves y el repositorio siguen como estaban.",
            que_hacer="Si un medio ya no se lee o su frase se olvidó: «pregon instituto llaves perdida».",
        )


def _show(inventory: Inventario) -> None:
    from pregon.instituto.ceremonia.inventario import renglones

    typer.echo(f"Raíz versión {inventory.raiz_version}. Huella de root.json (SHA-256):")
    for line in renglones(inventory.raiz_sha256):
        typer.echo(f"  {line}")
    for papel in inventory.papeles:
        typer.echo(
            f"{papel.nombre:<10} versión {papel.version}; hacen falta {papel.umbral} de {len(papel.llaves)}; "
            f"vence el {papel.vence:%d/%m/%Y a las %H:%M} UTC"
        )
    for llave in inventory.llaves:
        place = "este equipo" if llave.en_equipo else f"medio {llave.lugar}" if llave.lugar else "fuera de este equipo"
        typer.echo(f"{llave.nombre or 'sin nombre'} ({llave.rol}): {place}")
        for line in renglones(llave.keyid):
            typer.echo(f"  {line}")
    for text in inventory.avisos:
        typer.echo(f"aviso: {text}", err=True)


app.add_typer(relevo.app)
