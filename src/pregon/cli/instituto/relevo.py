"""``pregon instituto llaves rota``, ``revoca``, ``firma``…: what replaces keys that were in force."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pregon.cli import salida
from pregon.cli.instituto.medios import Archivos, Medios, MismoDisco, Operador, SeveralMedia, mesa_of
from pregon.cli.opciones import Espacio, Json, one_of

if TYPE_CHECKING:
    from pregon.instituto.ceremonia.acto import Tipo
    from pregon.instituto.ceremonia.mesa import Hecho, Mesa

app = typer.Typer()

Nuevos = Annotated[list[Path] | None, typer.Option("--nuevo", help="Medio para la llave nueva: raíz, o de reserva.")]
Pide = Annotated[
    Path | None,
    typer.Option("--pide", help="No firma: escribe aquí la solicitud, para firmarla donde estén los medios."),
]
Llaves = Annotated[
    list[str] | None, typer.Argument(metavar="[LLAVE]...", help="Nombre, o las primeras 8 cifras de su huella o más.")
]
Equipo = Annotated[bool, typer.Option("--equipo", help="Todas las llaves en línea que están en este equipo.")]


@app.command("rota", cls=SeveralMedia)
@salida.command
def rota(
    carpeta: Espacio,
    rol: Annotated[str, typer.Argument(metavar="ROL", help="raiz, cortes, avisos, snapshot o timestamp.")],
    llave: Annotated[
        str | None, typer.Option("--llave", help="Cuál se retira. Sin ella, la que está en este equipo.")
    ] = None,
    medios: Medios = None,
    nuevo: Nuevos = None,
    frase_archivo: Archivos = None,
    permitir_mismo_disco: MismoDisco = False,
    pide: Pide = None,
    operador: Operador = "",
    motivo: Annotated[str, typer.Option("--motivo", help="Queda en el registro.")] = "rotación prevista",
    as_json: Json = False,
) -> None:
    """Cambia una llave por otra nueva, sin que nada haya pasado con ella."""
    from pregon.trust.keys import ONLINE_ROLES, RAIZ

    one_of(rol, (RAIZ, *ONLINE_ROLES), que="el papel", intacto="No se cambió nada.")
    mesa = mesa_of(medios, nuevo, frase_archivo, permitir_mismo_disco)
    keys = () if llave is None else (llave,)
    _act(carpeta, mesa, "rota", keys, pide, operador, "rotacion", motivo, rol=rol, as_json=as_json)


def _retira(nombre: str, causa: str, ayuda: str) -> None:
    """Add a command that takes keys away; only the cause on record, and what is said of it, differ."""

    @app.command(nombre, cls=SeveralMedia, help=ayuda)
    @salida.command
    def retira(
        carpeta: Espacio,
        llaves: Llaves = None,
        motivo: Annotated[str, typer.Option("--motivo", help="Qué pasó; queda en el registro.")] = "",
        equipo: Equipo = False,
        medios: Medios = None,
        nuevo: Nuevos = None,
        frase_archivo: Archivos = None,
        permitir_mismo_disco: MismoDisco = False,
        pide: Pide = None,
        operador: Operador = "",
        as_json: Json = False,
    ) -> None:
        mesa = mesa_of(medios, nuevo, frase_archivo, permitir_mismo_disco)
        words = tuple(llaves or ())
        _act(carpeta, mesa, "revoca", words, pide, operador, causa, motivo, equipo=equipo, as_json=as_json)


_retira("revoca", "sospecha", "Retira llaves en las que ya no se confía; la reserva toma su lugar, o una llave nueva.")
_retira("perdida", "perdida", "Como «revoca», para una llave que ya no se encuentra o no abre.")
_retira("robada", "robo", "Como «revoca», para una llave que otro puede tener; dice además qué revisar.")


@app.command("renueva", cls=SeveralMedia)
@salida.command
def renueva(
    carpeta: Espacio,
    medios: Medios = None,
    frase_archivo: Archivos = None,
    permitir_mismo_disco: MismoDisco = False,
    pide: Pide = None,
    operador: Operador = "",
    motivo: Annotated[str, typer.Option("--motivo", help="Queda en el registro.")] = "renovación de vigencia",
    as_json: Json = False,
) -> None:
    """Vuelve a firmar raíz y targets con las mismas llaves y otra vigencia (400 días, o la del cierre)."""
    mesa = mesa_of(medios, None, frase_archivo, permitir_mismo_disco)
    _act(carpeta, mesa, "renueva", (), pide, operador, "vigencia", motivo, as_json=as_json)


@app.command("firma", cls=SeveralMedia)
@salida.command
def firma(
    solicitud: Annotated[Path, typer.Argument(help="Solicitud que escribió --pide.", show_default=False)],
    medio: Annotated[Path, typer.Option("--medio", help="Carpeta del medio con la llave raíz.")],
    salida_: Annotated[Path, typer.Option("--salida", help="Archivo de firmas que se escribe.")],
    frase_archivo: Archivos = None,
    si: Annotated[bool, typer.Option("--si", help="No pregunta: ya se comparó la huella de la solicitud.")] = False,
    as_json: Json = False,
) -> None:
    """Firma una solicitud en el equipo donde está el medio; no necesita el espacio de trabajo ni red."""
    from pregon.base.durable import Disk
    from pregon.base.errors import UsoError
    from pregon.cli.frases import Frases
    from pregon.instituto.ceremonia import llaves

    read = llaves.read_request(solicitud)
    _tell_request(read)
    if not si and not typer.confirm("¿Es la huella que le leyeron y quiere firmar?", err=True):
        raise UsoError("No se confirmó la solicitud.", intacto="No se firmó nada.", que_hacer="Compare la huella.")
    names = llaves.sign_request(read, medio, Frases(frase_archivo or [], [medio], os.environ), salida_, Disk())
    if as_json:
        salida.show_json({"firmas": str(salida_), "llaves": list(names), "solicitud": read.pendiente.digest})
        return
    typer.echo(f"Firmado con {', '.join(names)}. Lleve {salida_} al equipo del instituto («llaves importa»).")


@app.command("importa", cls=SeveralMedia)
@salida.command
def importa(
    carpeta: Espacio,
    firmas: Annotated[list[Path], typer.Argument(help="Archivos de firmas.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Pone en vigor la solicitud pendiente con las firmas traídas de otros equipos."""
    from pregon.instituto import workspace
    from pregon.instituto.ceremonia import relevo

    _tell(relevo.import_signatures(workspace.open_workspace(carpeta), firmas), as_json=as_json)


@app.command("cancela")
@salida.command
def cancela(
    carpeta: Espacio,
    motivo: Annotated[str, typer.Option("--motivo", help="Queda en el registro.")],
    operador: Operador = "",
    as_json: Json = False,
) -> None:
    """Descarta un acto que aún no está en vigor."""
    from pregon.instituto import workspace
    from pregon.instituto.ceremonia import relevo

    acto, left = relevo.cancel(workspace.open_workspace(carpeta), operador=operador, motivo=motivo)
    if as_json:
        salida.show_json({"acto": acto.as_dict(), "sobran_en_medios": list(left)})
        return
    typer.echo(f"Descartado: {' '.join(acto.orden)}. Nada cambió de lo que está en vigor.")
    for name in left:
        typer.echo(f"  en un medio queda «{name}.pem», que nunca firmó: bórrela.")


def _act(
    carpeta: Path,
    mesa: Mesa,
    tipo: Tipo,
    llaves: tuple[str, ...],
    pide: Path | None,
    operador: str,
    causa: str,
    motivo: str,
    *,
    rol: str | None = None,
    equipo: bool = False,
    as_json: bool,
) -> None:
    from pregon.instituto import workspace
    from pregon.instituto.ceremonia import relevo
    from pregon.instituto.ceremonia.mesa import Pedido

    pedido = Pedido(tipo, causa, motivo, operador, llaves, rol, equipo)
    _tell(relevo.replace_keys(workspace.open_workspace(carpeta), pedido, mesa, pide=pide), as_json=as_json)


def _tell(done: Hecho, *, as_json: bool) -> None:
    from pregon.instituto.ceremonia.inventario import renglones

    if as_json:
        salida.show_json(_as_dict(done))
        return
    if done.solicitud is not None:
        typer.echo(f"Solicitud escrita en {done.solicitud}; nada está en vigor todavía. Su huella:")
        for line in renglones(done.solicitud_sha256 or ""):
            typer.echo(f"  {line}")
        typer.echo("Fírmela donde estén los medios («llaves firma») y traiga las firmas («llaves importa»).")
        return
    typer.echo(f"En vigor: raíz versión {done.raiz_version}. Huella de root.json:")
    for line in renglones(done.raiz_sha256):
        typer.echo(f"  {line}")
    for nueva in done.nuevas:
        typer.echo(f"  {nueva.nombre}: {'este equipo' if nueva.lugar == 'equipo' else nueva.lugar}")
    for name in done.retiradas:
        typer.echo(f"  {name}: retirada y borrada de este equipo")
    typer.echo("Entregue el repositorio y vuelva a imprimir la hoja («llaves hoja»).")
    if done.acto.causa == "robo":
        typer.echo("Quien la tenga pudo firmar antes de este acto: compare cada corte publicado con los del instituto")
        typer.echo("(docs/operacion/llaves.md, «Después de un robo»).")
    for text in done.avisos:
        typer.echo(f"aviso: {text}", err=True)


def _as_dict(done: Hecho) -> dict[str, Any]:
    from pregon.base.hashing import grupos

    return {
        "acto": done.acto.as_dict(),
        "en_vigor": done.solicitud is None,
        "raiz": {"version": done.raiz_version, "sha256": done.raiz_sha256, "huella": grupos(done.raiz_sha256)},
        "retiradas_de_este_equipo": list(done.retiradas),
        "solicitud": None if done.solicitud is None else str(done.solicitud),
        "solicitud_sha256": done.solicitud_sha256,
        "avisos": list(done.avisos),
    }


def _tell_request(read: Any) -> None:
    from pregon.instituto.ceremonia.inventario import renglones

    acto = read.pendiente.acto
    typer.echo(f"Solicitud de {acto.operador}: {' '.join(acto.orden)} ({acto.motivo}).", err=True)
    for change in read.diferencias:
        come = ", ".join(keyid[:8] for keyid in change.entran) or "ninguna"
        gone = ", ".join(keyid[:8] for keyid in change.salen) or "ninguna"
        typer.echo(f"  {change.papel}: entran {come}; salen {gone}; hacen falta {change.umbral}", err=True)
    typer.echo("Raíz a la que sigue (compárela con la hoja impresa):", err=True)
    for line in renglones(read.raiz_sha256):
        typer.echo(f"  {line}", err=True)
    typer.echo("Huella de esta solicitud (compárela en voz alta):", err=True)
    for line in renglones(read.pendiente.digest):
        typer.echo(f"  {line}", err=True)
