"""``pregon memoria DIR``: the memoria técnica of a difusor, as paper and as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pregon.cli import salida
from pregon.cli.memoria.medicion import measured, of_workspace
from pregon.cli.opciones import Json, one_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.cli.memoria.medicion import Plan
    from pregon.difusor.memoria.memoria import Memoria

INTACTO = "No se escribió ninguna memoria."


@salida.command
def documento(
    carpeta: Annotated[Path, typer.Argument(help="La carpeta de un difusor.", show_default=False, metavar="CARPETA")],
    bitacora: Annotated[
        list[Path] | None,
        typer.Option(help="Otra bitácora del sitio con los resultados: archivo o carpeta. Puede repetirse."),
    ] = None,
    bitacora_portal: Annotated[
        list[Path] | None, typer.Option("--bitacora-portal", help="La misma, del portal principal del difusor.")
    ] = None,
    en: Annotated[Path | None, typer.Option(help="Dónde se escribe. Sin ella, memoria/ de la carpeta.")] = None,
    forma: Annotated[list[str] | None, typer.Option(help="pdf, docx o xlsx; puede repetirse. Sin ella, todas.")] = None,
    completa: Annotated[bool, typer.Option("--completa", help="No escribe nada mientras algo falte.")] = False,
    as_json: Json = False,
) -> None:
    """Hace la memoria técnica (GRO-6, DGO-IV, INE-VII): visitas, cortes, incidencias y notas, en cuatro formas."""
    from pregon.base.durable import Disk
    from pregon.difusor.cumplimiento.registros import reune as records_of
    from pregon.difusor.memoria import carpeta as papeles
    from pregon.difusor.memoria import notas
    from pregon.difusor.memoria.memoria import reune
    from pregon.difusor.memoria.noche import dias_pedidos
    from pregon.difusor.workspace import open_workspace
    from pregon.documentos.formas import FORMAS

    for word in forma or ():
        one_of(word, FORMAS, que="la forma", intacto=INTACTO)
    workspace = open_workspace(carpeta)
    settings, call = workspace.settings, workspace.convocatoria
    path = workspace.folder / notas.ARCHIVO
    written, before = notas.lee(path)
    plan = _with(of_workspace(workspace), prep=bitacora or (), portal=bitacora_portal or ())
    days = plan.eleccion or dias_pedidos(call)
    rehearsed = settings.reloj.simulado is not None and settings.memoria.eleccion_desde is None
    if rehearsed:
        # The logs have the machine's hours and the rehearsal its own: no day of the call is in them.
        plan = plan._replace(eleccion=None, base=None)
    clock, disk = workspace.open_clock(), Disk()
    found = measured(plan, clock.now()) if plan.fuentes else None
    made = reune(
        records_of(workspace, clock=clock, disk=disk),
        found,
        written,
        difusor=settings.id,
        nodo=settings.nodo,
        eleccion=days,
        base=plan.base,
        simulado=rehearsed,
    )
    added = papeles.anota(made, path, before, disk)
    if completa:
        papeles.exige_completa(made)
    files = papeles.archivos(made, [one for one in FORMAS if not forma or one in forma])
    folder = en or workspace.folder / "memoria"
    papeles.guarda(files, folder, disk)
    if as_json:
        salida.show_json({"carpeta": str(folder), "por_explicar": added} | made.as_dict())
        return
    _tell(made, sorted(files), folder, path, added)


def _with(plan: Plan, *, prep: Sequence[Path], portal: Sequence[Path]) -> Plan:
    """The same with more logs; one that is named twice is read once."""
    from pregon.bitacoras.ajustes import SITIOS, files_of
    from pregon.bitacoras.lectura import Fuente

    known = {one.ruta.resolve() for one in plan.fuentes}
    more: list[Fuente] = []
    for site, given in (("prep", prep), ("portal", portal)):
        for path in files_of([str(one.absolute()) for one in given], Path()):
            if path.resolve() not in known:
                known.add(path.resolve())
                more.append(Fuente(path, SITIOS.index(site)))
    return plan._replace(fuentes=(*plan.fuentes, *more))


def _tell(made: Memoria, files: Sequence[str], folder: Path, notes: Path, added: int) -> None:
    from pregon.difusor.memoria.memoria import blancos

    typer.echo(f"Memoria en {folder}: {' '.join(files)}")
    night = made.noche
    typer.echo(
        f"  {night.publicados} de {len(night.cortes)} cortes publicados; {len(made.incidencias)} incidencias; "
        + ("sin bitácoras" if made.medidas is None else f"{made.medidas.lineas:,} renglones de bitácora")
    )
    due = made.convocatoria.plazos.memoria_entrega
    if due is not None:
        typer.echo(f"  Se entrega a más tardar el {made.convocatoria.vence(due):%d/%m/%Y}.")
    if added:
        typer.echo(f"  Hay {added} incidencias nuevas en {notes}: explíquelas y repita la orden.")
    for one in blancos(made):
        typer.echo(f"falta: {one.ruta}: {one.que}", err=True)
