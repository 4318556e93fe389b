"""``pregon instituto``: make the workspace, make and sign a cut, deliver it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from pregon.cli import (
    avisos,
    bitacora,
    difusores,
    fichas,
    llaves,
    memorias,
    opera_instituto,
    proceso,
    publico,
    recupera,
    salida,
    sondeo,
    soporte,
    tablero,
    vigila,
)
from pregon.cli import entrega as entregas
from pregon.cli.opciones import Ambiente, Espacio, Json, ambiente_of, instant_of, one_of, root_bytes

app = typer.Typer(help="El instituto: hace, firma y entrega cada corte.", no_args_is_help=True)
app.add_typer(llaves.app, name="llaves")
app.add_typer(entregas.app, name="acuses")
app.add_typer(fichas.app, name="difusor")
app.add_typer(difusores.raiz)
app.add_typer(soporte.app, name="soporte")
app.add_typer(avisos.aviso, name="aviso")
app.add_typer(proceso.app, name="proceso")
app.add_typer(tablero.app, name="tablero")
app.add_typer(memorias.app, name="memorias")
app.add_typer(publico.app)
app.add_typer(sondeo.app)
app.add_typer(opera_instituto.app)
app.add_typer(vigila.app)
app.add_typer(recupera.app)
app.add_typer(bitacora.app, name="bitacora")
app.add_typer(bitacora.papeles)

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
            typer.echo(f"  {finding.severidad}: {contest}: {finding.codigo}: {finding.mensaje}", err=True)
    for role in built.roles_por_firmar:
        typer.echo(f"  aviso: falta firmar «{role}» hasta el fin de la permanencia: requiere ceremonia.", err=True)


@app.command("entrega")
@salida.command
def entrega(
    carpeta: Espacio,
    destino: Annotated[
        Path | None, typer.Option("--destino", help="Carpeta o memoria a la que se copia el repositorio entero.")
    ] = None,
    difusor: entregas.Difusor = None,
    completo: Annotated[
        bool, typer.Option("--completo", help="Envía el archivo completo aunque basten los cambios.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Entrega el último corte a cada destino de instituto.toml, o copia el repositorio a una carpeta (--destino).

    Primero los contenidos, luego los metadatos y, al final, la marca de corte completo.
    """
    from pregon.base.errors import UsoError
    from pregon.instituto import workspace
    from pregon.transport.local import deliver

    if destino is not None and (difusor or completo):
        raise UsoError(
            "--destino no va con --difusor ni con --completo.",
            intacto="No se entregó nada.",
            que_hacer="Use --destino para copiar a una carpeta, o --difusor para entregar a los de instituto.toml.",
        )
    opened = workspace.open_workspace(carpeta)
    if destino is None:
        entregas.deliver_all(opened, difusor or (), completo=completo, as_json=as_json)
        return
    start = opened.clock.monotonic()
    with opened.held() as repository:
        cuts = repository.cuts()
        files = deliver(opened.repositorio, destino, opened.disk)
        seconds = round(opened.clock.monotonic() - start, 3)
        last = cuts[-1].corte if cuts else None
        opened.state().record("entrega", destino=str(destino), archivos=files, corte=last, segundos=seconds)
    if as_json:
        salida.show_json({"destino": str(destino), "archivos": files, "corte": last, "segundos": seconds})
        return
    what = "el repositorio, aún sin cortes," if last is None else f"el repositorio hasta el corte {last:04d}"
    typer.echo(f"Entregado {what} en {destino}: {files:,} archivos nuevos o cambiados en {seconds:.1f} s.")


@app.command("verificador")
@salida.command
def verificador(
    salida_dir: Annotated[Path, typer.Option("--salida", help="Carpeta en la que se escribe la página.")],
    raiz: Annotated[Path, typer.Option("--raiz", help="El root.json publicado, en que la página confiará.")],
    repositorio: Annotated[
        str | None,
        typer.Option("--repositorio", help="Dirección del repositorio firmado. Sin ella, junto a la página."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Escribe la página «Compruebe un sitio», para el servidor del instituto."""
    from pregon.base.durable import Disk
    from pregon.instituto import verificador as pagina

    root = root_bytes(
        raiz,
        intacto="No se escribió nada.",
        que_hacer="Dé con --raiz el root.json del espacio de trabajo del instituto.",
    )
    identity = pagina.write(salida_dir, root, repositorio=repositorio, disk=Disk())
    if as_json:
        salida.show_json(
            {
                "carpeta": str(salida_dir),
                "convocatoria": identity.convocatoria,
                "instituto": identity.instituto,
                "ambiente": identity.ambiente,
                "politica": pagina.POLITICA,
            }
        )
        return
    typer.echo(f"Página escrita en {salida_dir}, para {identity.convocatoria} ({identity.ambiente}).")
    typer.echo(
        "Publique después del inicio, y nunca antes, la carpeta metadata/ del repositorio donde la página la busca."
    )
    typer.echo(f"Sírvala con https y con esta cabecera:\n  Content-Security-Policy: {pagina.POLITICA}")


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
