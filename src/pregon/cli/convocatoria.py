"""``pregon convocatoria``: list, show and check the profiles of calls."""

from __future__ import annotations

from typing import Annotated

import typer

from pregon.cli import salida
from pregon.cli.opciones import Json

app = typer.Typer(help="Perfiles de convocatorias: lista, muestra y valida.", no_args_is_help=True)


@app.command("lista")
@salida.command
def lista(*, as_json: Json = False) -> None:
    """Enumera las convocatorias incluidas."""
    from pregon.convocatoria.perfiles import ids, load

    profiles = [load(name) for name in ids()]
    if as_json:
        salida.show_json(
            [
                {
                    "id": profile.id,
                    "nombre": profile.nombre,
                    "instituto": profile.instituto,
                    "elecciones": list(profile.elecciones),
                    "inicio": profile.inicio.isoformat(),
                    "intervalo_min": profile.intervalo_min,
                }
                for profile in profiles
            ]
        )
        return
    for profile in profiles:
        typer.echo(
            f"{profile.id:<10} {profile.inicio:%d/%m/%Y %H:%M}  cada {profile.intervalo_min:>2} min  "
            f"{profile.transporte.protocolo:<6} {profile.nombre} ({', '.join(profile.nombres_elecciones)})"
        )


@app.command("muestra")
@salida.command
def muestra(
    convocatoria: Annotated[str, typer.Argument(metavar="ID", help="Id, o ruta de un perfil .toml.")],
    *,
    as_json: Json = False,
) -> None:
    """Muestra una convocatoria como se lee, con sus fechas, reglas y mínimos."""
    from pregon.convocatoria.lectura import describe
    from pregon.convocatoria.perfiles import load

    profile = load(convocatoria)
    if as_json:
        salida.show_json(profile.model_dump(mode="json"))
        return
    typer.echo(f"{profile.nombre} ({profile.id})")
    for block in describe(profile):
        typer.echo(f"\n{block.titulo}")
        for label, text in block.lineas:
            typer.echo(f"  {label}: {text}")


@app.command("valida")
@salida.command
def valida(
    rutas: Annotated[list[str], typer.Argument(metavar="RUTA…", help="Perfiles .toml, o ids de los incluidos.")],
    *,
    as_json: Json = False,
) -> None:
    """Comprueba perfiles y dice todos sus problemas; termina con 78 si hay alguno."""
    from pregon.base.errors import AjustesError
    from pregon.convocatoria.perfiles import problems

    found = {ruta: problems(ruta) for ruta in rutas}
    if as_json:
        salida.show_json([{"perfil": ruta, "ok": not texts, "problemas": list(texts)} for ruta, texts in found.items()])
    else:
        for ruta, texts in found.items():
            if not texts:
                typer.echo(f"{ruta}: correcto")
    wrong = {ruta: texts for ruta, texts in found.items() if texts}
    if wrong:
        listing = "".join(f"\n{ruta}:" + "".join(f"\n  {text}" for text in texts) for ruta, texts in wrong.items())
        raise AjustesError(
            f"Hay {sum(map(len, wrong.values()))} problema(s) en {len(wrong)} perfil(es).{listing}",
            intacto="No se cambió nada.",
            que_hacer="Corrija las claves señaladas y repita la orden.",
        )
