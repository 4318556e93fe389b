"""``pregon instituto inicia`` and ``corte``: make the workspace, make and sign a cut."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from pregon.cli import salida
from pregon.cli.opciones import Ambiente, Espacio, Json, ambiente_of, instant_of, one_of

app = typer.Typer()

SIN_CORTE = "No se hizo ningún corte; el repositorio sigue como estaba."


@app.command("inicia")
@salida.command
def inicia(
    carpeta: Espacio,
    convocatoria: Annotated[str, typer.Option("--convocatoria", help="Id de una convocatoria, o ruta de su TOML.")],
    ambiente: Ambiente = "oficial",
    as_json: Json = False,
) -> None:
    """Crea el espacio de trabajo: llaves, repositorio firmado y vacío, ajustes."""
    from pregon.base.clock import SystemClock
    from pregon.instituto import workspace

    made = workspace.create(
        carpeta,
        convocatoria,
        ambiente=ambiente_of(ambiente),
        clock=SystemClock(),
    )
    offline = workspace.offline_keys()
    if as_json:
        salida.show_json(
            {
                "carpeta": str(carpeta),
                "convocatoria": made.convocatoria.id,
                "instituto": made.convocatoria.instituto,
                "ambiente": made.settings.ambiente,
                "raiz": str(carpeta / workspace.RAIZ),
                "llaves_a_resguardo": [f"{name}.pem" for name in offline],
            }
        )
        return
    typer.echo(f"Espacio de trabajo listo en {carpeta}: {made.convocatoria.nombre} ({made.settings.ambiente}).")
    typer.echo(f"Dé a cada difusor el archivo {carpeta / workspace.RAIZ}, por un medio en que ambos confíen.")
    typer.echo("Saque de esta máquina y ponga a resguardo, en lugares distintos, las llaves que no firman cada corte:")
    for name in offline:
        typer.echo(f"  {made.llaves / name}.pem")
    if made.settings.ambiente == "oficial":
        typer.echo("Para un proceso oficial es mejor la ceremonia, en que esas llaves nunca están en esta máquina:")
        typer.echo("  pregon instituto llaves genera --help")


class _Corte(salida.SeveralFiles):
    varios = ("--actas", "--candidaturas")


@app.command("corte", cls=_Corte)
@salida.command
def corte(
    carpeta: Espacio,
    actas: Annotated[
        list[Path] | None,
        typer.Option(
            "--actas",
            help="Base de datos de actas (CSV); una por elección. Sin ella se leen las fuentes de instituto.toml.",
        ),
    ] = None,
    candidaturas: Annotated[
        list[Path] | None,
        typer.Option(
            "--candidaturas", help="Candidaturas (CSV). Sin esta opción se toman las que estén junto a las actas."
        ),
    ] = None,
    hora: Annotated[
        str | None, typer.Option("--hora", help="Hora del corte (ISO 8601). Sin ella, la que digan los archivos.")
    ] = None,
    numero: Annotated[int | None, typer.Option("--corte", help="Número del corte. Sin él, el que sigue.")] = None,
    ultimo: Annotated[bool, typer.Option("--ultimo", help="Es el último corte de la publicación.")] = False,
    cierre: Annotated[str | None, typer.Option("--cierre", help="Con --ultimo: «horario» o «anticipado».")] = None,
    motivo: Annotated[str | None, typer.Option("--motivo", help="Por qué el cierre es anticipado.")] = None,
    operador: Annotated[str, typer.Option("--operador", help="Quién ordena el corte.", envvar="USER")] = "",
    autorizaciones: Annotated[
        Path | None, typer.Option("--autorizaciones", help="JSON con los hallazgos que se autorizan y por qué.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Hace el corte que sigue: suma, arma el paquete, lo firma y lo deja en el repositorio."""
    from pregon.instituto import build, fuentes, workspace
    from pregon.instituto.autorizaciones import load as load_authorisations
    from pregon.instituto.sql import fuentes as fuentes_sql

    opened = workspace.open_workspace(carpeta)
    instant = None if hora is None else instant_of(hora, opened.convocatoria.zona, intacto=SIN_CORTE)
    built = build.build_cut(
        opened,
        fuentes.sources(actas or (), candidaturas or ())
        if actas or candidaturas
        else fuentes_sql.configured(opened, hora=instant, ultimo=ultimo, entorno=os.environ),
        hora=instant,
        corte=numero,
        ultimo=ultimo,
        cierre=_closing(cierre),
        motivo=motivo,
        operador=operador,
        autorizaciones=() if autorizaciones is None else load_authorisations(autorizaciones),
        seguro=_sure,
    )
    if as_json:
        salida.show_json(_as_dict(built))
        return
    typer.echo(f"Corte {built.corte:04d} de las {built.hora_corte:%H:%M} h del {built.hora_corte:%d/%m/%Y}, firmado.")
    typer.echo(f"  manifiesto  {built.manifiesto_sha256}")
    for file in (built.paquete, built.cambios):
        if file is not None:
            typer.echo(f"  {file.sha256}  {file.nombre} ({file.bytes:,} bytes)")
    typer.echo(f"  {len(built.manifest.archivos):,} archivos en {built.segundos:.1f} s")
    for contest, finding in built.hallazgos:
        if finding.severidad != "informa":
            # It is signed: what blocks has somebody who answers for it.
            weight = "autorizado" if finding.severidad == "bloquea" else finding.severidad
            typer.echo(f"  {weight}: {contest}: {finding.codigo}: {finding.mensaje}", err=True)
    for role in built.roles_por_firmar:
        typer.echo(f"  aviso: falta firmar «{role}» hasta el fin de la permanencia: requiere ceremonia.", err=True)


def _sure(what: str) -> bool:
    """Whether to go on: a person at the terminal is asked, and who runs a script or ``cron`` is told."""
    typer.echo(f"Aviso: {what}", err=True)
    return not sys.stdin.isatty() or typer.confirm("¿Firmar de todos modos?", err=True)


def _as_dict(built: Any) -> dict[str, Any]:
    def file(item: Any) -> dict[str, Any] | None:
        return None if item is None else {"nombre": item.nombre, "bytes": item.bytes, "sha256": item.sha256}

    return {
        "corte": built.corte,
        "hora_corte": built.hora_corte.isoformat(),
        "carpeta": str(built.carpeta),
        "manifiesto_sha256": built.manifiesto_sha256,
        "paquete": file(built.paquete),
        "cambios": file(built.cambios),
        "archivos": len(built.manifest.archivos),
        "ultimo": built.manifest.ultimo,
        "proximo": None if built.manifest.proximo is None else built.manifest.proximo.isoformat(),
        "hallazgos": [{"contienda": contest, **finding.as_dict()} for contest, finding in built.hallazgos],
        "roles_por_firmar": list(built.roles_por_firmar),
        "segundos": built.segundos,
    }


def _closing(text: str | None) -> Any:
    if text is not None:
        one_of(
            text,
            ("horario", "anticipado"),
            que="el cierre",
            intacto=SIN_CORTE,
        )
    return text
