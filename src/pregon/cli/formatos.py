"""``pregon formatos``: the forms, letters and lists with which one asks to be a difusor."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pregon.cli import salida
from pregon.cli.opciones import Json, one_of

if TYPE_CHECKING:
    from pregon.base.clock import Clock
    from pregon.convocatoria.model import Convocatoria
    from pregon.difusor.formatos.carpeta import Hecho
    from pregon.difusor.settings import DifusorSettings

INTACTO = "No se escribió nada."


@salida.command
def formatos(
    carpeta: Annotated[
        Path | None,
        typer.Argument(help="La carpeta de un difusor: de su difusor.toml sale el diagrama.", show_default=False),
    ] = None,
    solicitud: Annotated[
        Path | None, typer.Option(help="La solicitud, en TOML. Sin ella, solicitud.toml de la carpeta.")
    ] = None,
    convocatoria: Annotated[str | None, typer.Option(help="Si no se dice la carpeta de un difusor.")] = None,
    en: Annotated[Path | None, typer.Option(help="Dónde se escriben. Sin ella, formatos/ de la carpeta.")] = None,
    forma: Annotated[list[str] | None, typer.Option(help="pdf, docx o xlsx; puede repetirse. Sin ella, todas.")] = None,
    completo: Annotated[
        bool, typer.Option("--completo", help="No escribe nada mientras algo falte o no proceda.")
    ] = False,
    plantilla: Annotated[
        bool, typer.Option("--plantilla", help="Sólo escribe una solicitud vacía para esta convocatoria.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Hace los papeles de una solicitud: oficio, formato de registro, carta, personal y diagrama (DOCX, XLSX, PDF)."""
    from pregon.base.durable import Disk
    from pregon.base.errors import EntradaError, UsoError
    from pregon.difusor.formatos import carpeta as papeles
    from pregon.difusor.formatos import solicitud as archivo
    from pregon.documentos.formas import FORMAS

    call, settings, clock = _call(carpeta, convocatoria)
    if plantilla:
        sys.stdout.write(archivo.plantilla(call))
        return
    for word in forma or ():
        one_of(word, FORMAS, que="la forma", intacto=INTACTO)
    path = solicitud or (None if carpeta is None else carpeta / archivo.ARCHIVO)
    folder = en or (None if carpeta is None else carpeta / "formatos")
    if path is None or folder is None:
        raise UsoError(
            "Falta la solicitud o dónde escribir los papeles.",
            intacto=INTACTO,
            que_hacer="Diga --solicitud y --en, o la carpeta de un difusor. Una solicitud vacía: --plantilla.",
        )
    if not path.exists():
        raise EntradaError(
            f"No hay una solicitud en {path}.",
            intacto=INTACTO,
            que_hacer=f"Escriba una vacía con «pregon formatos --plantilla --convocatoria {call.id} > {path}», llénela "
            "y repita la orden.",
        )
    made = papeles.prepara(
        archivo.lee(path),
        call,
        hoy=clock.now().astimezone(call.zona).date(),
        ajustes=settings,
        formas=tuple(one for one in FORMAS if not forma or one in forma),
    )
    if completo:
        papeles.exige_completo(made)
    papeles.guarda(made, folder, Disk())
    if as_json:
        salida.show_json({"carpeta": str(folder)} | made.as_dict())
        return
    _tell(made, folder, call)


def _call(carpeta: Path | None, convocatoria: str | None) -> tuple[Convocatoria, DifusorSettings | None, Clock]:
    """The call, the settings of the difusor if there is one, and the clock by which it lives."""
    from pregon.base.clock import SystemClock
    from pregon.base.errors import UsoError
    from pregon.convocatoria.perfiles import load
    from pregon.difusor.workspace import open_workspace

    if (carpeta is None) == (convocatoria is None):
        raise UsoError(
            "Hace falta la carpeta de un difusor, o --convocatoria; una de las dos.",
            intacto=INTACTO,
            que_hacer="Por ejemplo: pregon formatos --solicitud solicitud.toml --convocatoria mor-2024 --en papeles",
        )
    if carpeta is not None:
        workspace = open_workspace(carpeta)
        return workspace.convocatoria, workspace.settings, workspace.open_clock()
    return load(str(convocatoria)), None, SystemClock()


def _by(vence: str | None) -> str:
    """A deadline of ``formatos.json``, in words and with its hour: the day alone would be late in Morelos (MOR-I-1)."""
    from pregon.convocatoria.lectura import in_words

    if vence is None:
        return ""
    when = datetime.fromisoformat(vence)
    whole_day = (when.hour, when.minute, when.second) == (23, 59, 59)
    return f", a más tardar el {in_words(when.date() if whole_day else when)}"


def _tell(made: Hecho, folder: Path, call: Convocatoria) -> None:
    told = made.as_dict()
    typer.echo(f"Papeles en {folder}. Son confidenciales: llevan datos de personas.")
    for one in told["papeles"]:
        asked = f"  ({' '.join(one['clausulas'])})" if one["clausulas"] else ""
        typer.echo(f"  {one['titulo']}: {' '.join(one['archivos'])}{asked}")
        if one["destino"]:
            typer.echo(f"    para {one['destino']}{_by(one['vence'])}")
    if told["logo"]["archivo"]:
        typer.echo(f"  Logotipo: {told['logo']['archivo']}{_by(told['logo']['vence'])}")
    if call.carta is not None and call.carta.enviar_a:
        typer.echo(f"  El aviso y la carta firmada se envían a {call.carta.enviar_a}")
    if told["ficha"]:
        typer.echo(f"  Para el registro del instituto: {told['ficha']}")
    for name in told["por_su_cuenta"]:
        typer.echo(f"  Agregue usted: {name}")
    for one in told["blancos"]:
        where = f" [{', '.join(one['papeles'])}]" if one["papeles"] else ""
        typer.echo(f"en blanco: {one['ruta']}: {one['que']}{where}", err=True)
    for text in (*told["impide"], *([told["logo"]["motivo"]] if told["logo"]["motivo"] else [])):
        typer.echo(f"no procede: {text}", err=True)
