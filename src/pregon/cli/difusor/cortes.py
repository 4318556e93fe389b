"""``pregon difusor cortes``: the history of a difusor, looked at, verified, taken out or shown again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pregon.cli import salida
from pregon.cli.difusor.comun import Carpeta
from pregon.cli.opciones import Json
from pregon.cli.senales import stop_on_signal

if TYPE_CHECKING:
    from pregon.difusor.historia.auditoria import Auditoria
    from pregon.difusor.libro import Libro
    from pregon.difusor.workspace import Workspace

app = typer.Typer()


@app.command("cortes")
@salida.command
def cortes(
    folder: Carpeta,
    numeros: Annotated[
        list[int] | None, typer.Argument(metavar="[N]...", help="Con --verifica: solo esos cortes.")
    ] = None,
    verifica: Annotated[
        bool, typer.Option("--verifica", help="Vuelve a comprobar los originales y que todo se pueda rehacer.")
    ] = False,
    exporta: Annotated[
        int | None, typer.Option(metavar="N", help="Escribe en --salida el corte N, como se publicó.")
    ] = None,
    destino: Annotated[
        Path | None, typer.Option("--salida", metavar="RUTA", help="Carpeta nueva, o archivo .zip nuevo.")
    ] = None,
    sirve: Annotated[int | None, typer.Option(metavar="N", help="Muestra el corte N en otro puerto.")] = None,
    puerto: Annotated[int, typer.Option(help="Puerto de --sirve (0: uno libre).")] = 0,
    direccion: Annotated[
        str, typer.Option(help="Dirección de --sirve; si no se dice, solo este equipo.")
    ] = "127.0.0.1",
    as_json: Json = False,
) -> None:
    """Lista los cortes aceptados; los verifica, exporta uno o lo muestra para auditoría."""
    from pregon.base.durable import Disk
    from pregon.base.errors import UsoError
    from pregon.difusor.historia.auditoria import Auditoria
    from pregon.difusor.libro import Libro
    from pregon.difusor.workspace import open_workspace

    asked = [verifica, exporta is not None, sirve is not None]
    if sum(asked) > 1 or (exporta is None) != (destino is None) or (numeros and not verifica):
        raise UsoError(
            "No se entiende qué hacer con los cortes.",
            intacto="No se cambió nada.",
            que_hacer="Use una de: --verifica [N]…, --exporta N --salida RUTA, --sirve N.",
        )
    workspace = open_workspace(folder)
    libro = Libro(workspace.open_state(workspace.open_clock()))
    audit = Auditoria(workspace, libro, Disk())
    if verifica:
        _verify(audit, numeros or [], as_json=as_json)
    elif exporta is not None and destino is not None:
        files = audit.exporta(exporta, destino)
        if as_json:
            salida.show_json({"corte": exporta, "salida": str(destino), "archivos": files})
        else:
            typer.echo(f"Corte {exporta}: {files} archivos en {destino}, comprobados al escribirlos.")
    elif sirve is not None:
        _serve(workspace, audit, sirve, direccion, puerto)
    else:
        _list(workspace, libro, audit, as_json=as_json)


def _list(workspace: Workspace, libro: Libro, audit: Auditoria, *, as_json: bool) -> None:
    from pregon.difusor.historia.auditoria import permanencia
    from pregon.difusor.historia.pronostico import forecast

    now = workspace.open_clock().now()
    cuts, disk, stay = audit.lista(), forecast(workspace, libro, now), permanencia(workspace, now)
    if as_json:
        salida.show_json({"cortes": cuts, "pronostico": disk.as_dict(), "permanencia": stay})
        return
    for cut in cuts:
        mark = "  ← público" if cut["publicado"] else ""
        kept = f"{cut['bytes']:>13,} B{' completo' if cut['completo'] else ''}"
        head = f"{cut['numero']:04d}  {cut['hora_corte']}  {cut['manifiesto_sha256']}"
        typer.echo(f"{head}  {kept}  {cut['prueba']}{mark}")
    typer.echo(f"Disco: {disk.texto}")
    typer.echo(f"Permanencia: {stay['texto']}")


def _verify(audit: Auditoria, numbers: list[int], *, as_json: bool) -> None:
    from pregon.base.errors import ComprobacionError

    found, wrong = [], []
    for exam in audit.verifica(numbers):
        found.append(exam.as_dict())
        if not exam.sano:
            wrong.append(exam.corte)
        if not as_json:
            how = f"{exam.originales} originales, {exam.rutas} direcciones"
            typer.echo(f"{exam.corte:04d}  {'sano' if exam.sano else 'DAÑADO'}  {how}")
            for problem in exam.problemas:
                typer.echo(f"      {problem}")
    if as_json:
        salida.show_json({"cortes": found, "sanos": not wrong})
    if wrong:
        raise ComprobacionError(
            f"No están como se aceptaron: corte {', '.join(map(str, wrong))}.",
            intacto="Lo publicado sigue como estaba; el histórico no se tocó.",
            que_hacer="Revise el disco y reponga en historico/ el original, copiado del instituto o de otro difusor.",
        )


def _serve(workspace: Workspace, audit: Auditoria, number: int, direccion: str, puerto: int) -> None:
    from pregon.base.durable import Disk
    from pregon.base.errors import ComprobacionError
    from pregon.difusor.historia.pasado import BITACORA, sirviendo
    from pregon.difusor.night import real_clock

    stop = stop_on_signal()
    with sirviendo(
        workspace, audit, number, disk=Disk(), clock=real_clock(), direccion=direccion, puerto=puerto
    ) as server:
        sys.stdout.write(f"LISTO {server.url}\n")
        sys.stdout.flush()
        while not stop.wait(0.2):
            status = server.proceso.returncode()
            if status is not None:
                raise ComprobacionError(
                    f"El servidor de la auditoría terminó por su cuenta (estado {status}).",
                    intacto="Lo público no se tocó.",
                    que_hacer=f"Revise {workspace.servidor / BITACORA} y repita la orden.",
                )
