"""``pregon difusor``: receive, serve and report, for one workspace or several."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pregon.cli import configura, salida
from pregon.cli.opciones import Json, root_bytes

if TYPE_CHECKING:
    from threading import Event

    from pregon.difusor.receive import Outcome

app = typer.Typer(help="El difusor: recibe, verifica, publica, sirve e informa.", no_args_is_help=True)
app.add_typer(configura.app, name="configura")

PRUEBAS = {
    "firma": "firma (lo firmó el instituto)",
    "suma": "suma (llegó completo, según las sumas del instituto; nada prueba de quién es)",
    "ninguna": "ninguna (se publica como llegó)",
}
"""What each ``prueba`` proves, for the administrator."""

Carpeta = Annotated[Path, typer.Argument(help="Carpeta de trabajo del difusor.", metavar="DIR")]


@app.command("inicia")
@salida.command
def inicia(
    folder: Carpeta,
    convocatoria: Annotated[str, typer.Option(help="Id de la convocatoria, o ruta de un perfil .toml.")],
    origen: Annotated[
        str, typer.Option(help="«entrada» si el instituto deposita aquí; una carpeta; https://… o s3://…")
    ],
    raiz: Annotated[
        Path | None,
        typer.Option(help="El root.json del instituto, comprobado por otro medio. Sin ella, sólo si no firma."),
    ] = None,
    ambiente: Annotated[str, typer.Option(help="oficial o simulacro.")] = "oficial",
    ident: Annotated[str, typer.Option("--id", help="Id de este difusor: minúsculas, cifras y guiones.")] = "difusor",
    as_json: Json = False,
) -> None:
    """Crea la carpeta de trabajo de un difusor."""
    from pregon.base.durable import Disk
    from pregon.difusor.inicia import create, settings_text

    root = None
    if raiz is not None:
        root = root_bytes(
            raiz, intacto="No se creó nada.", que_hacer="Pida al instituto su root.json y dé su ruta con --raiz."
        )
    if convocatoria.endswith(".toml"):
        convocatoria = str(Path(convocatoria).absolute())
    if origen != "entrada" and "://" not in origen:
        origen = str(Path(origen).absolute())
    text = settings_text(convocatoria=convocatoria, ambiente=ambiente, ident=ident, origen=origen)
    workspace = create(folder, text, root=root, disk=Disk())
    if as_json:
        salida.show_json({"carpeta": str(workspace.folder), "convocatoria": workspace.convocatoria.id})
    else:
        typer.echo(f"Difusor creado en {workspace.folder}. Revise difusor.toml antes de la noche.")


@app.command("recibe")
@salida.command
def recibe(
    folder: Carpeta,
    una_vez: Annotated[
        bool, typer.Option("--una-vez", help="Una sola pasada; su estado de salida dice qué pasó.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Recibe, verifica y publica los cortes, hasta que se le detenga."""
    from pregon.base.durable import Disk
    from pregon.difusor.night import receive_once, receive_until
    from pregon.difusor.workspace import open_workspace

    workspace = open_workspace(folder)
    if una_vez:
        outcome = receive_once(workspace, disk=Disk())
        if outcome.error is not None:
            raise outcome.error
        _tell(outcome, as_json=as_json)
        return
    receive_until(workspace, _stop_on_signal(), disk=Disk(), tell=lambda outcome: _tell_news(outcome, as_json=as_json))


def _tell(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        salida.show_json(_outcome(outcome))
    elif outcome.novedad is None:
        typer.echo(f"Sin novedad. {outcome.decision.motivo}")
    else:
        typer.echo(f"Corte {outcome.novedad} verificado. {outcome.decision.motivo}")


def _tell_news(outcome: Outcome, *, as_json: bool) -> None:
    """One line for each pass in which something happened."""
    if outcome.novedad is None and not outcome.cambio:
        return
    if as_json:
        sys.stdout.write(json.dumps(_outcome(outcome), ensure_ascii=False) + "\n")
    else:
        what = "espera o aviso" if outcome.decision.corte is None else f"corte {outcome.decision.corte}"
        sys.stdout.write(f"Público: {what}. {outcome.decision.motivo}\n")
    sys.stdout.flush()


def _outcome(outcome: Outcome) -> dict[str, object]:
    if outcome.novedad is None and not outcome.cambio:
        return {"novedad": False}
    return {
        "novedad": outcome.novedad is not None,
        "corte": outcome.novedad,
        "publico": outcome.decision.corte,
        "estado": str(outcome.decision.estado),
    }


@app.command("sirve")
@salida.command
def sirve(
    folders: Annotated[list[Path], typer.Argument(help="Carpetas de trabajo, una por convocatoria.", metavar="DIR...")],
    puerto: Annotated[int | None, typer.Option(help="Puerto, en lugar del de difusor.toml (0: uno libre).")] = None,
) -> None:
    """Sirve al público lo publicado, con su propio servidor web, hasta que se le detenga."""
    from pregon.base.durable import Disk
    from pregon.base.errors import ComprobacionError
    from pregon.difusor.night import real_clock
    from pregon.difusor.serve import serving
    from pregon.difusor.workspace import open_workspace

    workspaces = [open_workspace(folder) for folder in folders]
    stop = _stop_on_signal()
    with serving(workspaces, disk=Disk(), clock=real_clock(), port=puerto) as server:
        for url in server.urls:
            sys.stdout.write(f"LISTO {url}\n")
        sys.stdout.flush()
        while not stop.wait(0.2):
            status = server.returncode()
            if status is not None:
                raise ComprobacionError(
                    f"El servidor web terminó por su cuenta (estado {status}).",
                    intacto="Lo publicado sigue en disco, completo; ahora nadie lo sirve.",
                    que_hacer=f"Revise {workspaces[0].servidor / 'servidor.log'} y repita la orden.",
                )


@app.command("estado")
@salida.command
def estado(folder: Carpeta, as_json: Json = False) -> None:
    """Dice qué se muestra al público, desde cuándo, y cómo fue el último intento."""
    from pregon.difusor.libro import Libro
    from pregon.difusor.report import estado as report
    from pregon.difusor.workspace import open_workspace

    workspace = open_workspace(folder)
    clock = workspace.open_clock()
    data = report(workspace, Libro(workspace.open_state(clock)), clock.now())
    if as_json:
        salida.show_json(data)
        return
    cut = data["corte"]
    typer.echo(f"{data['convocatoria']} ({data['ambiente']}): {data['estado']} desde {data['desde'] or '—'}")
    typer.echo(f"Corte: {'ninguno' if cut is None else str(cut['numero']) + ' de ' + cut['hora_corte']}")
    if cut is not None:
        typer.echo(f"Prueba: {PRUEBAS[cut['prueba']]}")
    for url in data["urls"]:
        typer.echo(f"Dirección: {url}")
    for warning in data["avisos"]:
        typer.echo(f"Aviso {warning['codigo']}: {warning['texto']}")


@app.command("cortes")
@salida.command
def cortes(folder: Carpeta, as_json: Json = False) -> None:
    """Lista los cortes aceptados."""
    from pregon.difusor.libro import Libro
    from pregon.difusor.report import cortes as report
    from pregon.difusor.workspace import open_workspace

    workspace = open_workspace(folder)
    data = report(Libro(workspace.open_state(workspace.open_clock())))
    if as_json:
        salida.show_json({"cortes": data})
        return
    for cut in data:
        mark = "  ← público" if cut["publicado"] else ""
        typer.echo(f"{cut['numero']:04d}  {cut['hora_corte']}  {cut['manifiesto_sha256']}  {cut['prueba']}{mark}")


def _stop_on_signal() -> Event:
    """An event that SIGTERM and SIGINT set: the command ends in order."""
    import signal
    import threading

    stop = threading.Event()

    def ask(*_: object) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return stop
