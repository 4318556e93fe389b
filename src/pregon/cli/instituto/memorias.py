"""``pregon instituto memorias DIR``: what all difusores had in the night, added up, and who has not delivered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pregon.cli import salida
from pregon.cli.opciones import Carpeta, Espacio, Json

if TYPE_CHECKING:
    from pregon.instituto.workspace import Workspace

app = typer.Typer(
    cls=Carpeta,
    help="Los conteos que entregan los difusores: su clave, su recepción y su suma.",
    invoke_without_command=True,
)


@app.callback()
@salida.command
def suma(ctx: typer.Context, carpeta: Espacio, as_json: Json = False) -> None:
    """Suma lo que entregaron y dice quién falta; con «clave», «recibe», «abre» o «destruye» hace eso en su lugar."""
    from pregon.instituto import workspace

    opened = ctx.obj = workspace.open_workspace(carpeta)
    if ctx.invoked_subcommand is not None:
        return
    from pregon.instituto.memorias import recibo, union

    told = union.add_up(
        recibo.delivered(opened),
        _expected(opened),
        convocatoria=opened.convocatoria.id,
        ambiente=opened.settings.ambiente,
        now=opened.clock.now(),
    )
    if as_json:
        salida.show_json(told)
        return
    _tell(told)


@app.command("clave")
@salida.command
def clave(ctx: typer.Context, as_json: Json = False) -> None:
    """Hace la clave de la noche, si no la hay, y un papel sellado y firmado con ella para cada nodo."""
    from pregon.instituto.memorias import claves

    made = claves.give_out(_opened(ctx))
    night = claves.known(_opened(ctx))
    if as_json:
        rows = [{"nodo": one.nodo, "archivo": None if one.archivo is None else str(one.archivo)} for one in made]
        salida.show_json({"noche": None if night is None else night.nombre, "papeles": rows})
        return
    for one in made:
        typer.echo(f"{one.nodo}: {one.archivo or 'sin «clave_acuses» no hay para quién sellarla'}")
    typer.echo("Dé a cada nodo el suyo; nadie más puede abrirlo. Él lo instala con «pregon memoria clave DIR PAPEL».")


@app.command("recibe")
@salida.command
def recibe(
    ctx: typer.Context,
    archivos: Annotated[list[Path], typer.Argument(help="Entregas de difusores.", metavar="ARCHIVO…")],
    as_json: Json = False,
) -> None:
    """Admite entregas; la que se rechaza no cambia nada de las demás."""
    from pregon.base.errors import PregonError
    from pregon.instituto.memorias import recibo

    rows: list[dict[str, Any]] = []
    first: PregonError | None = None
    for path in archivos:
        try:
            taken = recibo.admit_file(_opened(ctx), path)
            rows.append({"archivo": str(path), "nodo": taken.entrega.emisor.nombre, "nueva": taken.nueva})
        except PregonError as exc:
            first = first or exc
            rows.append({"archivo": str(path), **exc.as_dict()})
            if not as_json:
                salida.show_error(exc, as_json=False)
    if as_json:
        salida.show_json({"entregas": rows})
    for row in rows:
        if not as_json and "nodo" in row:
            typer.echo(f"{row['archivo']}: de {row['nodo']}{'' if row['nueva'] else ', que ya se tenía'}.")
    if first is not None:
        raise typer.Exit(first.salida)


@app.command("abre")
@salida.command
def abre(
    ctx: typer.Context,
    nodo: Annotated[str, typer.Argument(help="De quién: «difusor/nodo».")],
    archivo: Annotated[Path, typer.Argument(help="Sus bitácoras cifradas.")],
    en: Annotated[Path, typer.Option("--en", help="El zip que se escribe. Tiene direcciones de personas.")],
    as_json: Json = False,
) -> None:
    """Abre las bitácoras cifradas de un difusor; queda dicho en la bitácora del instituto."""
    from pregon.base.errors import EntradaError
    from pregon.instituto.memorias import crudas, recibo

    delivery = recibo.delivered(_opened(ctx)).get(nodo)
    if delivery is None:
        raise EntradaError(
            f"No hay ninguna entrega de «{nodo}».", intacto="No se abrió nada.", que_hacer="Admítala antes: «recibe»."
        )
    size = crudas.open_logs(_opened(ctx), delivery, archivo, en)
    if as_json:
        salida.show_json({"archivo": str(en), "bytes": size})
    else:
        typer.echo(f"{en}: {size:,} bytes. Bórrelo cuando termine: tiene las direcciones de quienes consultaron.")


@app.command("destruye")
@salida.command
def destruye(ctx: typer.Context, as_json: Json = False) -> None:
    """Destruye la clave de la noche: se sobrescribe, se borra y queda dicho en la bitácora. La suma no la necesita."""
    from pregon.instituto.memorias import claves

    gone = claves.destroy(_opened(ctx))
    if as_json:
        salida.show_json({"noche": gone.nombre, "hecha": gone.hecha, "destruida": gone.destruida})
        return
    typer.echo(f"La clave {gone.nombre} se destruyó; ya no se puede dar a nadie más. Las entregas se siguen sumando.")


def _opened(ctx: typer.Context) -> Workspace:
    opened: Workspace = ctx.obj
    return opened


def _expected(workspace: Workspace) -> list[str]:
    """The nodes that must deliver: those of the settings, and who is registered and has none there."""
    from pregon.instituto.registro.almacen import Registro

    nodes = [one.nombre for one in workspace.settings.destino]
    known = {one.difusor for one in workspace.settings.destino}
    gone = {one.id for one in Registro(workspace).todos() if one.estado in ("baja", "rechazado", "solicitado")}
    others = [one.id for one in Registro(workspace).todos() if one.id not in known and one.id not in gone]
    return [name for name in nodes if name.split("/")[0] not in gone] + others


def _tell(told: dict[str, Any]) -> None:
    typer.echo(f"Entregaron {len(told['entregaron'])}: {', '.join(told['entregaron']) or 'nadie'}.")
    if told["faltan"]:
        typer.echo(f"Faltan {len(told['faltan'])}: {', '.join(told['faltan'])}.")
    for one in told["medidas"]:
        typer.echo(f"\n{one['sitio']}, {one['ventana']}: {one['difusores']} nodos")
        for name in ("visitas", "paginas", "hits", "bytes"):
            typer.echo(f"  {name.replace('paginas', 'páginas'):<12} {one[name]:,}")
        for row in one["visitantes"]:
            what = {"ventana": "visitantes", "dia": row["cual"], "contienda": row["cual"].upper()}[row["clase"]]
            band = f"entre {row['desde']:,} y {row['hasta']:,}"
            typer.echo(f"  {what:<12} {row['estimado']:,} distintos ({band}); por separado sumarían {row['sumados']:,}")
        if one["callados"]:
            typer.echo(f"  Sin contar grupos de menos de {told['k']} personas que los difusores no distinguen.")
