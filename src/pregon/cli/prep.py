"""``pregon prep``: what a PREP file says, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pregon.cli import salida

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from pregon.prep.model import Finding
    from pregon.tablas.model import ContestTotals

app = typer.Typer(
    name="prep", help="Lee la base de datos por acta del PREP: totales y hallazgos.", no_args_is_help=True
)

Archivos = Annotated[list[Path], typer.Argument(help="Archivos CSV por acta, como los publica el instituto.")]
Catalogos = Annotated[
    list[Path] | None,
    typer.Option(
        "--candidaturas",
        help="CSV de candidaturas. Una vez por archivo y en su mismo orden, o una sola para todos. "
        "Sin esta opción se toma el que esté junto a cada archivo, como se publican.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Escribe el resultado como JSON.")]


@app.command("totales")
@salida.command
def totales(archivos: Archivos, candidaturas: Catalogos = None, as_json: Json = False) -> None:
    """Calcula los totales de cada archivo en todos los niveles, junto a los de su encabezado.

    Con --json, un archivo da un objeto y varios dan una lista. La repartición de votos de coalición se hace en cada
    distrito o municipio (LGIPE 311.1.c); CONTABILIZADA se toma como viene.
    """
    found = _totals(archivos, candidaturas or [])
    if as_json:
        data = [contest.to_json() for contest in found]
        salida.show_json(data[0] if len(data) == 1 else data)
        return
    from rich.console import Console

    console = Console()
    for path, contest in zip(archivos, found, strict=True):
        _show(console, path, contest)


@app.command("revisa")
@salida.command
def revisa(archivos: Archivos, candidaturas: Catalogos = None, as_json: Json = False) -> None:
    """Muestra los hallazgos de cada archivo. Termina con estado 65 si alguno bloquea."""
    from pregon.base.errors import FindingsError

    found = _totals(archivos, candidaturas or [])
    if as_json:
        salida.show_json(
            [
                {"archivo": str(path), "hallazgos": [finding.as_dict() for finding in contest.hallazgos]}
                for path, contest in zip(archivos, found, strict=True)
            ]
        )
    else:
        from rich.console import Console

        console = Console()
        for path, contest in zip(archivos, found, strict=True):
            console.print(f"{path}: {contest.titulo}", markup=False, highlight=False)
            _show_findings(console, contest.hallazgos)
    blocking = sum(finding.severidad == "bloquea" for contest in found for finding in contest.hallazgos)
    if blocking:
        raise FindingsError(
            f"Hay {blocking} hallazgo(s) que bloquean.",
            intacto="No se escribió ni se firmó nada.",
            que_hacer="Corrija la base de datos en su origen y repita la orden.",
        )


def _totals(paths: Sequence[Path], catalogues: Sequence[Path]) -> list[ContestTotals]:
    from pregon.base.errors import UsoError
    from pregon.prep.candidaturas import catalogue_beside, read_candidaturas
    from pregon.prep.reader import read_actas
    from pregon.tablas.totales import totals

    if len(catalogues) not in (0, 1, len(paths)):
        raise UsoError(
            f"Hay {len(paths)} archivos de actas y {len(catalogues)} de candidaturas.",
            intacto="No se leyó ningún archivo.",
            que_hacer="Dé --candidaturas una sola vez, o una vez por cada archivo de actas y en su mismo orden.",
        )
    chosen: list[Path | None] = [catalogue_beside(path) for path in paths]
    if catalogues:
        chosen = [*catalogues] * (len(paths) if len(catalogues) == 1 else 1)
    return [
        totals(read_actas(path), candidaturas=() if catalogue is None else read_candidaturas(catalogue))
        for path, catalogue in zip(paths, chosen, strict=True)
    ]


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
