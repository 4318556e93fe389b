"""``pregon instituto difusor`` and ``pregon instituto aviso``: the notices that the institute signs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pregon.cli import salida
from pregon.cli.opciones import Espacio, Json, instant_of

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from pregon.instituto.registro.estados import Estado
    from pregon.instituto.registro.orden import Hecho
    from pregon.instituto.workspace import Workspace
    from pregon.trust.aviso import Aviso

difusor = typer.Typer(
    help="El registro de difusores: ficha, contactos, logotipo y estado de cada uno.", no_args_is_help=True
)
aviso = typer.Typer(help="Avisos firmados para todos los difusores.", no_args_is_help=True)

LLEGA = "Llega con la entrega: «pregon instituto entrega». Quien lee por su cuenta lo ve en su siguiente consulta."
Ident = Annotated[str, typer.Argument(metavar="ID", help="Identificador del difusor.", show_default=False)]
Motivo = Annotated[str, typer.Option("--motivo", help="Por qué; queda en la bitácora y en el aviso, que es público.")]
Operador = Annotated[str, typer.Option("--operador", help="Quién lo ordena.", envvar="USER")]
Evidencia = Annotated[
    list[str] | None, typer.Option("--evidencia", help="Qué lo muestra; puede repetirse. Queda en la bitácora.")
]
SinRegistro = Annotated[
    bool, typer.Option("--sin-registro", help="Aunque ese difusor no sea un destino de instituto.toml.")
]
Hasta = Annotated[
    str | None, typer.Option("--hasta", help="Hora en que se prevé que termine (ISO 8601). No reactiva por sí sola.")
]


@difusor.command("suspende")
@salida.command
def suspende(
    carpeta: Espacio,
    ident: Ident,
    motivo: Motivo,
    texto: Annotated[str, typer.Option("--texto", help="Lo que leerá la ciudadanía en ese sitio.")],
    ataque: Annotated[
        bool, typer.Option("--ataque", help="El sitio sufrió un ataque y deja de ser un difusor válido.")
    ] = False,
    hasta: Hasta = None,
    evidencia: Evidencia = None,
    operador: Operador = "",
    sin_registro: SinRegistro = False,
    as_json: Json = False,
) -> None:
    """Firma el aviso que suspende a un difusor: su portal deja de mostrar resultados y lo dice."""
    from pregon.instituto import avisos

    opened = _open(carpeta)
    until = _instant(hasta, opened)
    if _registered(opened, ident):
        nuevo: Estado = "bloqueado" if ataque else "suspendido"
        _order(opened, ident, nuevo, motivo, operador, evidencia, texto=texto, hasta=until, as_json=as_json)
        return
    signed = avisos.suspend(
        opened,
        ident,
        avisos.Orden(motivo, operador),
        texto=texto,
        ataque=ataque,
        hasta=until,
        sin_registro=sin_registro,
    )
    what = "retira por un ataque" if ataque else "suspende"
    _show(signed, f"Firmado el aviso {signed.n:06d}, que {what} al difusor «{ident}».", as_json=as_json)


@difusor.command("reactiva")
@salida.command
def reactiva(
    carpeta: Espacio,
    ident: Ident,
    motivo: Motivo,
    texto: Annotated[str | None, typer.Option("--texto", help="Palabras del aviso. Sin ellas, las usuales.")] = None,
    evidencia: Evidencia = None,
    operador: Operador = "",
    sin_registro: SinRegistro = False,
    as_json: Json = False,
) -> None:
    """Firma la reinstalación de un difusor suspendido: vuelve cuando tenga el corte más reciente."""
    from pregon.instituto import avisos

    opened = _open(carpeta)
    if _registered(opened, ident):
        _order(opened, ident, "activo", motivo, operador, evidencia, texto=texto, as_json=as_json)
        return
    signed = avisos.reinstate(opened, ident, avisos.Orden(motivo, operador), texto=texto, sin_registro=sin_registro)
    _show(signed, f"Firmado el aviso {signed.n:06d}, que reactiva al difusor «{ident}».", as_json=as_json)


@aviso.command("retraso")
@salida.command
def retraso(
    carpeta: Espacio,
    texto: Annotated[str, typer.Option("--texto", help="Lo que leerá la ciudadanía en cada portal.")],
    corte: Annotated[
        int | None, typer.Option("--corte", help="Número del corte que se retrasa. Sin él, el que sigue.")
    ] = None,
    hasta: Annotated[
        str | None, typer.Option("--hasta", help="Hora en que el aviso deja de mostrarse (ISO 8601).")
    ] = None,
    motivo: Motivo = "retraso del corte",
    operador: Operador = "",
    as_json: Json = False,
) -> None:
    """Firma, para todos los difusores, que un corte se retrasa: los portales conservan el que tienen y lo dicen."""
    from pregon.instituto import avisos

    opened = _open(carpeta)
    signed = avisos.announce_delay(
        opened, avisos.Orden(motivo, operador), texto=texto, corte=corte, hasta=_instant(hasta, opened)
    )
    _show(signed, f"Firmado el aviso {signed.n:06d}: se anuncia un retraso.", as_json=as_json)


@aviso.callback()
def _several() -> None:
    """Avisos firmados para todos los difusores."""


def _registered(opened: Workspace, ident: str) -> bool:
    """Whether it has a form in the registry, and so a state; a difusor that is only a ``[[destino]]`` has none."""
    from pregon.instituto.registro.almacen import Registro

    return Registro(opened).busca(ident) is not None


def _order(
    opened: Workspace,
    ident: str,
    nuevo: Estado,
    motivo: str,
    operador: str,
    evidencia: list[str] | None,
    *,
    texto: str | None,
    hasta: datetime | None = None,
    as_json: bool,
) -> None:
    from pregon.instituto.registro import orden
    from pregon.instituto.registro.estados import Mandato

    order = Mandato(quien="operador", operador=operador, motivo=motivo, evidencia=tuple(evidencia or ()))
    show_order(orden.ordena(opened, ident, nuevo, order, texto=texto, hasta=hasta), as_json=as_json)


def show_order(done: Hecho, *, as_json: bool) -> None:
    """Show what came of an order: the notice's keys, where one was signed, and the state."""
    notice, state = done.aviso, done.inscrito.estado
    if as_json:
        told = {} if notice is None else notice.to_json()
        salida.show_json(told | {"difusor": done.inscrito.id, "estado": state})
        return
    typer.echo(f"El difusor «{done.inscrito.id}» está «{state}».")
    if notice is not None:
        typer.echo(f"Firmado el aviso {notice.n:06d}.\n{LLEGA}")
    typer.echo("La lista pública cambia con «pregon instituto lista-publica».")


def _open(carpeta: Path) -> Workspace:
    from pregon.instituto import workspace

    return workspace.open_workspace(carpeta)


def _instant(text: str | None, opened: Workspace) -> datetime | None:
    from pregon.instituto.avisos import INTACTO

    return None if text is None else instant_of(text, opened.convocatoria.zona, intacto=INTACTO)


def _show(signed: Aviso, words: str, *, as_json: bool) -> None:
    if as_json:
        salida.show_json(signed.to_json())
        return
    typer.echo(words)
    typer.echo(LLEGA)
