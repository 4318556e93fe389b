"""``pregon instituto recupera`` and ``releva``: the institute's machine is lost, or another one takes its place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pregon.cli import salida
from pregon.cli.opciones import Espacio, Json, root_bytes

app = typer.Typer()

Operador = Annotated[str, typer.Option("--operador", help="Quién lo ordena.", envvar="USER")]


@app.command("recupera")
@salida.command
def recupera(
    carpeta: Espacio,
    desde: Annotated[
        list[str],
        typer.Option(
            "--desde",
            help="Dónde buscar: la dirección pública de un difusor, su carpeta, lo que se le entregó, o una copia del "
            "repositorio. Se repite; conviene dar todos los difusores.",
            metavar="URL|CARPETA",
        ),
    ],
    raiz: Annotated[Path, typer.Option("--raiz", help="El root.json más nuevo en que el instituto confía.")],
    convocatoria: Annotated[
        str | None,
        typer.Option("--convocatoria", help="Si tampoco hay ajustes: id de una convocatoria, o ruta de su TOML."),
    ] = None,
    operador: Operador = "",
    as_json: Json = False,
) -> None:
    """Rehace el repositorio firmado con lo que tienen los difusores, y sigue con los números que llevaba."""
    from pregon.instituto import workspace
    from pregon.instituto.relevo import recupera as recuperacion

    root = root_bytes(
        raiz, intacto=recuperacion.INTACTO, que_hacer="Dé con --raiz el root.json que se dio a los difusores."
    )
    if convocatoria is not None:
        recuperacion.settle(carpeta, convocatoria, root)
    done = recuperacion.recupera(workspace.open_workspace(carpeta), desde, root, operador=operador)
    if as_json:
        salida.show_json(
            {
                "corte": done.corte,
                "cortes": done.cortes,
                "avisos": done.avisos,
                "origen": done.origen,
                "faltan": list(done.faltan),
                "rehecho": done.rehecho,
                "rechazados": [{"origen": name, **error.as_dict()} for name, error in done.rechazados],
            }
        )
        return
    last = "aún sin cortes" if done.corte is None else f"hasta el corte {done.corte:04d}"
    typer.echo(f"Repositorio recuperado {last}, con las firmas de {done.origen}: {done.avisos:,} avisos.")
    if done.rehecho:
        typer.echo("  El archivo del último corte se armó de nuevo con las páginas que muestra un difusor.")
    if done.faltan:
        typer.echo(
            f"  {len(done.faltan):,} archivos de cortes anteriores no están en ningún origen: salieron de la lista."
        )
    for name, error in done.rechazados:
        typer.echo(f"  {name}: sin firmas que sirvan: {error.que_paso}", err=True)
    typer.echo("Antes de firmar otro corte, compare el número de éste con lo que muestran los demás difusores.")


@app.command("releva")
@salida.command
def releva(
    carpeta: Espacio,
    motivo: Annotated[str | None, typer.Option("--motivo", help="Por qué cambia de máquina; va a la bitácora.")] = None,
    operador: Operador = "",
    sigue: Annotated[
        bool, typer.Option("--sigue", help="Sólo trae la copia de lo firmado; no toma la noche. Para repetirla.")
    ] = False,
    aunque_viva: Annotated[
        bool, typer.Option("--aunque-viva", help="Toma la noche aunque la otra máquina haya dado señales de vida.")
    ] = False,
    siembra: Annotated[
        bool,
        typer.Option("--siembra", help="Vuelve a dar a la base lo publicado: la base se restauró de una copia vieja."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Pasa la noche a esta máquina: firma ella y la otra no. Requiere la tabla «estado» de instituto.toml."""
    from pregon.base.errors import UsoError
    from pregon.instituto import workspace

    if sigue and (motivo or aunque_viva or siembra):
        raise UsoError(
            "--sigue no va con --motivo, --aunque-viva ni --siembra.",
            intacto="No se cambió nada.",
            que_hacer="Use --sigue para copiar, o --motivo para tomar la noche.",
        )
    if not sigue and not (motivo or "").strip():
        raise UsoError(
            "Falta --motivo: la bitácora dice por qué pasó la noche a otra máquina.",
            intacto="No se cambió nada.",
            que_hacer="Repita la orden con --motivo «…».",
        )
    from pregon.instituto.relevo import releva as relevos

    opened = workspace.open_workspace(carpeta)
    if sigue:
        files = relevos.sigue(opened)
        if as_json:
            salida.show_json({"traidos": files})
        else:
            typer.echo(f"Copia al corriente: {files:,} archivos nuevos.")
        return
    done = relevos.releva(
        opened, operador=operador, motivo=(motivo or "").strip(), aunque_viva=aunque_viva, siembra_de_nuevo=siembra
    )
    if as_json:
        salida.show_json(
            {
                "antes": None if done.antes is None else done.antes.maquina,
                "ahora": done.ahora.maquina,
                "epoca": done.ahora.epoca,
                "traidos": done.traidos,
                "terminados": [{"clase": one.clase, "n": one.n} for one in done.terminados],
                "corte": done.corte,
            }
        )
        return
    before = "ninguna" if done.antes is None else f"«{done.antes.maquina}»"
    last = "aún sin cortes" if done.corte is None else f"el último corte firmado es el {done.corte:04d}"
    typer.echo(f"La noche la lleva «{done.ahora.maquina}» (antes, {before}): {last}.")
    typer.echo(f"  {done.traidos:,} archivos traídos de la base de estado.")
    for one in done.terminados:
        typer.echo(f"  Se terminó de firmar el {one.clase} {one.n}, que la otra máquina había empezado.")
    typer.echo("Entregue ahora («entrega» u «opera»); si los difusores leen de usted, lleve aquí el nombre que leen.")
