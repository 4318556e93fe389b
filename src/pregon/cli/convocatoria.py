"""``pregon convocatoria``: list, show and check the profiles of calls, their calendar, and who complies with them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pregon.cli import salida
from pregon.cli.opciones import Json

app = typer.Typer(
    help="Perfiles de convocatorias: lista, muestra, valida, calendario, plantilla y cumplimiento.",
    no_args_is_help=True,
)


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


@app.command("calendario")
@salida.command
def calendario(
    convocatoria: Annotated[str, typer.Argument(metavar="ID", help="Id, o ruta de un perfil .toml.")],
    *,
    archivo: Annotated[
        Path | None, typer.Option("--ics", help="Escribe además un archivo de iCalendar, con avisos.", metavar="F")
    ] = None,
    as_json: Json = False,
) -> None:
    """Dice cada plazo, simulacro, ventana y etapa, en orden, y a quién le toca."""
    from pregon.base.clock import SystemClock
    from pregon.base.durable import Disk
    from pregon.convocatoria.calendario import fechas, ics
    from pregon.convocatoria.perfiles import load

    profile = load(convocatoria)
    dates = fechas(profile)
    if archivo is not None:
        Disk().write(archivo, ics(profile, hecho=SystemClock().now()))
    if as_json:
        salida.show_json([one.as_dict() for one in dates])
        return
    typer.echo(f"{profile.nombre} ({profile.id})")
    for one in dates:
        typer.echo(f"  {one.quien:<9}  {one.que}{' (obligatorio)' if one.obligatorio else ''}: {one.cuando()}")
    if archivo is not None:
        typer.echo(f"Escrito: {archivo}")


@app.command("plantilla")
@salida.command
def plantilla() -> None:
    """Escribe el perfil de una convocatoria nueva, con cada clave explicada, para copiarlo y llenarlo."""
    from pregon.convocatoria.perfiles import template

    typer.echo(template(), nl=False)


@app.command("cumplimiento")
@salida.command
def cumplimiento(
    convocatoria: Annotated[str, typer.Argument(metavar="ID", help="Id de la convocatoria.")],
    *,
    difusor: Annotated[
        Path | None,
        typer.Option("--difusor", help="Carpeta del difusor; sin ella, lo que pedirá la convocatoria.", metavar="DIR"),
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Escribe el informe como HTML.", metavar="F")] = None,
    pdf: Annotated[Path | None, typer.Option("--pdf", help="Escribe el informe como PDF.", metavar="F")] = None,
    as_json: Json = False,
) -> None:
    """Dice de cada cláusula si se cumple, cómo se comprobó y con qué evidencia."""
    from pregon.base.clock import SystemClock
    from pregon.base.durable import Disk
    from pregon.base.errors import UsoError
    from pregon.convocatoria.perfiles import load
    from pregon.difusor.cumplimiento import informe
    from pregon.difusor.cumplimiento.evidencia import ESTADOS
    from pregon.difusor.workspace import open_workspace

    disk = Disk()
    if difusor is None:
        report = informe.de_convocatoria(load(convocatoria), hora=SystemClock().now())
    else:
        workspace = open_workspace(difusor)
        if workspace.convocatoria.id != load(convocatoria).id:
            raise UsoError(
                f"El difusor de {difusor} es de la convocatoria {workspace.convocatoria.id}, no de {convocatoria}.",
                intacto="No se escribió nada.",
                que_hacer=f"Ejecute: pregon convocatoria cumplimiento {workspace.convocatoria.id} --difusor {difusor}",
            )
        report = informe.de_difusor(workspace, clock=workspace.open_clock(), disk=disk)
    made = [(path, make) for path, make in ((html, informe.html), (pdf, informe.pdf)) if path is not None]
    for path, data in [(path, make(report)) for path, make in made]:
        disk.write(path, data)
    if as_json:
        salida.show_json(report.as_dict())
        return
    typer.echo(f"{report.convocatoria.nombre} ({report.convocatoria.id})")
    for one in report.dictamenes:
        typer.echo(f"  {ESTADOS[one.estado]:<16}  {one.clausula.id:<16}  {one.clausula.titulo}")
    typer.echo("; ".join(f"{ESTADOS[state].lower()}: {n}" for state, n in report.resumen.items()))
    for path, _ in made:
        typer.echo(f"Escrito: {path}")
