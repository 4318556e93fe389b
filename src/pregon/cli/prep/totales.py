"""``pregon prep``: what a PREP file says, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pregon.cli import salida
from pregon.cli.opciones import Json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from pregon.prep.model import Finding
    from pregon.tablas.model import ContestTotals

app = typer.Typer()

Archivos = Annotated[list[Path], typer.Argument(help="Archivos CSV por acta, como los publica el instituto.")]
Catalogos = Annotated[
    list[Path] | None,
    typer.Option(
        "--candidaturas",
        help="CSV de candidaturas. Una vez por archivo y en su mismo orden, o una sola para todos. "
        "Sin esta opción se toma el que esté junto a cada archivo, como se publican.",
    ),
]
Anteriores = Annotated[
    list[Path] | None,
    typer.Option(
        "--anterior",
        help="CSV del corte anterior: uno por archivo, en el mismo orden, o reconocidos por la elección de su nombre.",
    ),
]


@app.command("totales")
@salida.command
def totales(archivos: Archivos, candidaturas: Catalogos = None, as_json: Json = False) -> None:
    """Calcula los totales de cada archivo en todos los niveles, junto a los de su encabezado.

    Con --json, un archivo da un objeto y varios dan una lista. La repartición de votos de coalición se hace en cada
    distrito o municipio (LGIPE 311.1.c); CONTABILIZADA se toma como viene.
    """
    from pregon.cli.prep.revision import read_tables
    from pregon.tablas.totales import totals

    tables = read_tables(archivos, candidaturas or [])
    found = [totals(table, candidaturas=people, detalle=as_json) for table, people in tables]
    if as_json:
        data = [contest.to_json() for contest in found]
        salida.show_json(data[0] if len(data) == 1 else data)
        return
    from rich.console import Console

    console = Console()
    for path, contest in zip(archivos, found, strict=True):
        _show(console, path, contest)


class _Revisa(salida.SeveralFiles):
    varios = ("--anterior",)


@app.command("revisa", cls=_Revisa)
@salida.command
def revisa(
    archivos: Archivos, candidaturas: Catalogos = None, anterior: Anteriores = None, as_json: Json = False
) -> None:
    """Muestra los hallazgos de cada archivo, como se juzgan antes de firmar. Sale con 65 si algo bloquea.

    Bloquea, entre otros, un encabezado que no es el de sus renglones (ENCABEZADO_ORIGEN). Con --anterior también
    compara con el corte anterior: la hora, el catálogo, los totales que bajan y las actas corregidas.
    """
    from pregon.base.errors import FindingsError
    from pregon.cli.prep.revision import review_files

    found = review_files(archivos, candidaturas or [], anterior or [])
    if as_json:
        salida.show_json(
            [
                {"archivo": str(item.path), "hallazgos": [finding.as_dict() for finding in item.hallazgos]}
                for item in found
            ]
        )
    else:
        from rich.console import Console

        console = Console()
        for item in found:
            console.print(f"{item.path}: {item.titulo}", markup=False, highlight=False)
            _show_findings(console, item.hallazgos)
    blocked = [item for item in found if any(finding.severidad == "bloquea" for finding in item.hallazgos)]
    if blocked:
        count = sum(finding.severidad == "bloquea" for item in blocked for finding in item.hallazgos)
        raise FindingsError(
            f"Hay {count} hallazgo(s) que bloquean, en: {', '.join(str(item.path) for item in blocked)}.",
            intacto="No se escribió ni se firmó nada.",
            que_hacer="Corrija la base de datos en su origen y repita la orden; lo que no se pueda corregir se "
            "autoriza al hacer el corte («instituto corte --autorizaciones»).",
        )


def _show(console: Console, path: Path, contest: ContestTotals) -> None:
    from rich.table import Table

    hour = contest.hora_corte
    console.print(f"{contest.titulo} · corte {hour:%d/%m/%Y %H:%M} ({hour:%Z})", style="bold", markup=False)
    console.print(f"{path} · {contest.dialecto}", style="dim", markup=False, highlight=False)
    summary = Table(box=None, header_style="bold")
    summary.add_column("Campo")
    summary.add_column("Encabezado", justify="right")
    summary.add_column("Renglones", justify="right")
    for field, computed in contest.recalculado.items():
        stated = contest.encabezado.get(field)
        differs = stated != computed
        summary.add_row(field, _figure(stated), _figure(computed), style="yellow" if differs else None)
    console.print(summary)
    turnout = "con" if contest.regla_participacion == "con_especiales" else "sin"
    console.print(f"Participación {turnout} casillas especiales; inconsistencias: {contest.regla_inconsistencias}.")
    _show_votes(console, contest)
    _show_findings(console, contest.hallazgos)
    console.print()


def _show_votes(console: Console, contest: ContestTotals) -> None:
    from rich.table import Table

    from pregon.prep.percent import trunc4

    for title, votes in (("Candidatura", contest.candidaturas), ("Partido", contest.partidos)):
        table = Table(box=None, header_style="bold")
        table.add_column(title)
        table.add_column("Votos", justify="right")
        table.add_column("%", justify="right")
        for name, n in votes.items():
            table.add_row(name, f"{n:,}", trunc4(n, contest.entidad.total_votos))
        table.add_row("Total", f"{contest.entidad.total_votos:,}", "", style="bold")
        console.print(table)


def _show_findings(console: Console, findings: Sequence[Finding]) -> None:
    colours = {"bloquea": "red", "avisa": "yellow", "informa": "cyan"}
    if not findings:
        console.print("Sin hallazgos.", style="green")
    for finding in findings:
        text = f"{finding.severidad:>8}  {finding.codigo}  {finding.donde}  {finding.mensaje}"
        console.print(text, style=colours[finding.severidad], markup=False, highlight=False)


def _figure(value: int | str | None) -> str:
    if value is None:
        return "—"
    return f"{value:,}" if isinstance(value, int) else f"{value} %"
