"""``pregon instituto llaves``: the key ceremony, and what may be needed of the keys afterwards."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pregon.cli import salida

if TYPE_CHECKING:
    from pregon.instituto.acto import Tipo
    from pregon.instituto.inventario import Inventario
    from pregon.instituto.obra_llaves import Hecho, Mesa

app = typer.Typer(help="La ceremonia de llaves: crear, mostrar, rotar, revocar.", no_args_is_help=True)

Carpeta = Annotated[Path, typer.Argument(help="Carpeta del espacio de trabajo.", show_default=False)]
Medios = Annotated[
    list[Path] | None, typer.Option("--medios", help="Carpetas de los medios presentes, con sus llaves.")
]
Nuevos = Annotated[list[Path] | None, typer.Option("--nuevo", help="Medio para la llave nueva: raíz, o de reserva.")]
Archivos = Annotated[
    list[Path] | None,
    typer.Option(
        "--frase-archivo",
        help="Archivo con la frase de paso: uno para todos los medios, o uno por medio (primero los de --medios).",
    ),
]
MismoDisco = Annotated[
    bool, typer.Option("--permitir-mismo-disco", help="Sólo para ensayar: medios en el mismo disco. Queda registrado.")
]
Operador = Annotated[str, typer.Option("--operador", help="Quién ordena el acto.", envvar="USER")]
Json = Annotated[bool, typer.Option("--json", help="Escribe el resultado en JSON.")]
Pide = Annotated[
    Path | None,
    typer.Option("--pide", help="No firma: escribe aquí la solicitud, para firmarla donde estén los medios."),
]
Llaves = Annotated[
    list[str] | None, typer.Argument(metavar="[LLAVE]...", help="Nombre, o las primeras 8 cifras de su huella o más.")
]
Equipo = Annotated[bool, typer.Option("--equipo", help="Todas las llaves en línea que están en este equipo.")]


class _Varios(salida.SeveralFiles):
    varios = ("--medios", "--nuevo", "--frase-archivo", "--presentes")


@app.command("genera", cls=_Varios)
@salida.command
def genera(
    carpeta: Carpeta,
    convocatoria: Annotated[str, typer.Option("--convocatoria", help="Id de una convocatoria, o ruta de su TOML.")],
    medios: Medios = None,
    reserva: Annotated[
        Path | None, typer.Option("--reserva", help="Medio de las llaves de reserva. Sin él, el primero de --medios.")
    ] = None,
    ambiente: Annotated[
        str, typer.Option("--ambiente", help="«oficial» o «simulacro»; no cambia después.")
    ] = "oficial",
    frase_archivo: Archivos = None,
    permitir_mismo_disco: MismoDisco = False,
    operador: Operador = "",
    motivo: Annotated[str, typer.Option("--motivo", help="Queda en el registro.")] = "inicio del proceso",
    as_json: Json = False,
) -> None:
    """Crea el espacio de trabajo por ceremonia: cada llave raíz nace en su medio y nunca está en este equipo."""
    from pregon.base.clock import SystemClock
    from pregon.base.errors import UsoError
    from pregon.instituto import llaves, workspace

    if ambiente not in ("oficial", "simulacro"):
        raise UsoError(
            f"No existe el ambiente «{ambiente}».",
            intacto="No se creó nada.",
            que_hacer="Use --ambiente oficial o --ambiente simulacro.",
        )
    made = llaves.generate(
        carpeta,
        convocatoria,
        _mesa(medios, [] if reserva is None else [reserva], frase_archivo, permitir_mismo_disco),
        ambiente="simulacro" if ambiente == "simulacro" else "oficial",
        operador=operador,
        motivo=motivo,
        clock=SystemClock(),
    )
    if as_json:
        salida.show_json(
            {
                "carpeta": str(carpeta),
                "convocatoria": made.workspace.convocatoria.id,
                "instituto": made.workspace.convocatoria.instituto,
                "ambiente": ambiente,
                "archivo_raiz": str(carpeta / workspace.RAIZ),
                "mismo_disco": made.mismo_disco,
                **made.inventario.as_dict(),
            }
        )
        return
    typer.echo(f"Ceremonia terminada: {made.workspace.convocatoria.nombre} ({ambiente}), en {carpeta}.")
    _show(made.inventario)
    typer.echo(f"Dé a cada difusor {carpeta / workspace.RAIZ} y léale la huella en voz alta, por otro medio.")
    typer.echo(f"Imprima la hoja: pregon instituto llaves hoja {carpeta} --salida hoja.pdf")
    if made.mismo_disco:
        typer.echo("aviso: los medios comparten disco (--permitir-mismo-disco): sirve para ensayar.", err=True)


@app.command("muestra")
@salida.command
def muestra(carpeta: Carpeta, as_json: Json = False) -> None:
    """Muestra papeles, umbrales, llaves con su huella, vigencias y dónde debe estar cada llave."""
    from pregon.instituto import llaves, workspace

    inventory = llaves.show(workspace.open_workspace(carpeta))
    if as_json:
        salida.show_json(inventory.as_dict())
        return
    _show(inventory)


@app.command("hoja", cls=_Varios)
@salida.command
def hoja(
    carpeta: Carpeta,
    salida_: Annotated[Path, typer.Option("--salida", help="Archivo PDF que se escribe.")],
    url: Annotated[str | None, typer.Option("--url", help="Dirección donde se publica la raíz.")] = None,
    presentes: Annotated[
        list[str] | None, typer.Option("--presentes", help="Nombres y cargos, entre comillas, para las firmas.")
    ] = None,
    papel: Annotated[str, typer.Option("--papel", help="«carta» o «a4».")] = "carta",
    as_json: Json = False,
) -> None:
    """Escribe la hoja de huellas para imprimir (PDF de una página)."""
    from pregon.base.errors import UsoError
    from pregon.instituto import hoja_llaves, llaves, workspace

    if papel not in ("carta", "a4"):
        raise UsoError(f"No existe el papel «{papel}».", intacto="No se escribió nada.", que_hacer="Use carta o a4.")
    opened = workspace.open_workspace(carpeta)
    inventory = llaves.show(opened)
    data = hoja_llaves.render(
        opened, inventory, url=url, presentes=presentes or (), papel="a4" if papel == "a4" else "carta"
    )
    opened.disk.write(salida_, data)
    if as_json:
        salida.show_json({"hoja": str(salida_), "bytes": len(data), "raiz_sha256": inventory.raiz_sha256})
        return
    typer.echo(f"Hoja de huellas en {salida_}: raíz versión {inventory.raiz_version}.")


@app.command("rota", cls=_Varios)
@salida.command
def rota(
    carpeta: Carpeta,
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
    from pregon.base.errors import UsoError
    from pregon.trust.keys import ONLINE_ROLES, RAIZ

    if rol not in (RAIZ, *ONLINE_ROLES):
        raise UsoError(
            f"No existe el papel «{rol}».",
            intacto="No se cambió nada.",
            que_hacer=f"Use uno de: {', '.join((RAIZ, *ONLINE_ROLES))}.",
        )
    mesa = _mesa(medios, nuevo, frase_archivo, permitir_mismo_disco)
    keys = () if llave is None else (llave,)
    _act(carpeta, mesa, "rota", keys, pide, operador, "rotacion", motivo, rol=rol, as_json=as_json)


@app.command("revoca", cls=_Varios)
@salida.command
def revoca(
    carpeta: Carpeta,
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
    """Retira llaves en las que ya no se confía; la reserva toma su lugar, o una llave nueva."""
    mesa = _mesa(medios, nuevo, frase_archivo, permitir_mismo_disco)
    words = tuple(llaves or ())
    _act(carpeta, mesa, "revoca", words, pide, operador, "sospecha", motivo, equipo=equipo, as_json=as_json)


@app.command("perdida", cls=_Varios)
@salida.command
def perdida(
    carpeta: Carpeta,
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
    """Como «revoca», para una llave que ya no se encuentra o no abre."""
    mesa = _mesa(medios, nuevo, frase_archivo, permitir_mismo_disco)
    words = tuple(llaves or ())
    _act(carpeta, mesa, "revoca", words, pide, operador, "perdida", motivo, equipo=equipo, as_json=as_json)


@app.command("robada", cls=_Varios)
@salida.command
def robada(
    carpeta: Carpeta,
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
    """Como «revoca», para una llave que otro puede tener; dice además qué revisar."""
    mesa = _mesa(medios, nuevo, frase_archivo, permitir_mismo_disco)
    words = tuple(llaves or ())
    _act(carpeta, mesa, "revoca", words, pide, operador, "robo", motivo, equipo=equipo, as_json=as_json)


@app.command("renueva", cls=_Varios)
@salida.command
def renueva(
    carpeta: Carpeta,
    medios: Medios = None,
    frase_archivo: Archivos = None,
    permitir_mismo_disco: MismoDisco = False,
    pide: Pide = None,
    operador: Operador = "",
    motivo: Annotated[str, typer.Option("--motivo", help="Queda en el registro.")] = "renovación de vigencia",
    as_json: Json = False,
) -> None:
    """Vuelve a firmar raíz y targets con las mismas llaves y otra vigencia (400 días, o la del cierre)."""
    mesa = _mesa(medios, None, frase_archivo, permitir_mismo_disco)
    _act(carpeta, mesa, "renueva", (), pide, operador, "vigencia", motivo, as_json=as_json)


@app.command("firma", cls=_Varios)
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
    from pregon.instituto import llaves

    read = llaves.read_request(solicitud)
    _tell_request(read)
    if not si and not typer.confirm("¿Es la huella que le leyeron y quiere firmar?", err=True):
        raise UsoError("No se confirmó la solicitud.", intacto="No se firmó nada.", que_hacer="Compare la huella.")
    names = llaves.sign_request(read, medio, Frases(frase_archivo or [], [medio], os.environ), salida_, Disk())
    if as_json:
        salida.show_json({"firmas": str(salida_), "llaves": list(names), "solicitud": read.pendiente.digest})
        return
    typer.echo(f"Firmado con {', '.join(names)}. Lleve {salida_} al equipo del instituto («llaves importa»).")


@app.command("importa", cls=_Varios)
@salida.command
def importa(
    carpeta: Carpeta,
    firmas: Annotated[list[Path], typer.Argument(help="Archivos de firmas.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Pone en vigor la solicitud pendiente con las firmas traídas de otros equipos."""
    from pregon.instituto import relevo_llaves, workspace

    _tell(relevo_llaves.import_signatures(workspace.open_workspace(carpeta), firmas), as_json=as_json)


@app.command("cancela")
@salida.command
def cancela(
    carpeta: Carpeta,
    motivo: Annotated[str, typer.Option("--motivo", help="Queda en el registro.")],
    operador: Operador = "",
    as_json: Json = False,
) -> None:
    """Descarta un acto que aún no está en vigor."""
    from pregon.instituto import relevo_llaves, workspace

    acto, left = relevo_llaves.cancel(workspace.open_workspace(carpeta), operador=operador, motivo=motivo)
    if as_json:
        salida.show_json({"acto": acto.as_dict(), "sobran_en_medios": list(left)})
        return
    typer.echo(f"Descartado: {' '.join(acto.orden)}. Nada cambió de lo que está en vigor.")
    for name in left:
        typer.echo(f"  en un medio queda «{name}.pem», que nunca firmó: bórrela.")


@app.command("comprueba", cls=_Varios)
@salida.command
def comprueba(
    carpeta: Carpeta,
    medios: Medios = None,
    frase_archivo: Archivos = None,
    operador: Operador = "",
    as_json: Json = False,
) -> None:
    """Comprueba que cada medio se lee, que su frase lo abre y que sus llaves firman y están vigentes."""
    from pregon.base.errors import ComprobacionError
    from pregon.cli.frases import Frases
    from pregon.instituto import llaves, workspace

    found = llaves.check_media(
        workspace.open_workspace(carpeta),
        medios or [],
        Frases(frase_archivo or [], medios or [], os.environ),
        operador=operador,
    )
    if as_json:
        salida.show_json([one.as_dict() for one in found])
    else:
        for one in found:
            typer.echo(f"{'bien' if one.bien else 'MAL '}  {one.medio}  {one.problema or ''}".rstrip())
            for name, keyid, valid in one.llaves:
                typer.echo(f"      {name:<12} {keyid[:4]} {keyid[4:8]}…  {'vigente' if valid else 'no está en vigor'}")
            if one.raiz is False:
                typer.echo("      su root.json no es el de este repositorio ni lo respalda")
    if not found or not all(one.bien for one in found):
        raise ComprobacionError(
            f"No sirven {sum(not one.bien for one in found)} de {len(found)} medios.",
            intacto="Las llaves y el repositorio siguen como estaban.",
            que_hacer="Si un medio ya no se lee o su frase se olvidó: «pregon instituto llaves perdida».",
        )


def _mesa(
    medios: list[Path] | None, nuevos: list[Path] | None, archivos: list[Path] | None, permitir_mismo_disco: bool
) -> Mesa:
    from pregon.cli.frases import Frases
    from pregon.instituto.obra_llaves import Mesa

    here, new = medios or [], nuevos or []
    return Mesa(tuple(here), Frases(archivos or [], [*here, *new], os.environ), tuple(new), permitir_mismo_disco)


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
    from pregon.instituto import relevo_llaves, workspace
    from pregon.instituto.obra_llaves import Pedido

    pedido = Pedido(tipo, causa, motivo, operador, llaves, rol, equipo)
    _tell(relevo_llaves.replace_keys(workspace.open_workspace(carpeta), pedido, mesa, pide=pide), as_json=as_json)


def _tell(done: Hecho, *, as_json: bool) -> None:
    from pregon.instituto.inventario import renglones

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
    from pregon.instituto.inventario import renglones

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


def _show(inventory: Inventario) -> None:
    from pregon.instituto.inventario import renglones

    typer.echo(f"Raíz versión {inventory.raiz_version}. Huella de root.json (SHA-256):")
    for line in renglones(inventory.raiz_sha256):
        typer.echo(f"  {line}")
    for papel in inventory.papeles:
        typer.echo(
            f"{papel.nombre:<10} versión {papel.version}; hacen falta {papel.umbral} de {len(papel.llaves)}; "
            f"vence el {papel.vence:%d/%m/%Y a las %H:%M} UTC"
        )
    for llave in inventory.llaves:
        place = "este equipo" if llave.en_equipo else f"medio {llave.lugar}" if llave.lugar else "fuera de este equipo"
        typer.echo(f"{llave.nombre or 'sin nombre'} ({llave.rol}): {place}")
        for line in renglones(llave.keyid):
            typer.echo(f"  {line}")
    for text in inventory.avisos:
        typer.echo(f"aviso: {text}", err=True)
