"""``pregon difusor configura``: prints what an administrator puts in place; it changes nothing of the system."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pregon.cli import salida
from pregon.cli.opciones import Json
from pregon.difusor.configura.model import CUENTA

if TYPE_CHECKING:
    from collections.abc import Callable

    from pregon.difusor.configura.cdn import Pedido
    from pregon.difusor.configura.model import Configuracion
    from pregon.difusor.configura.nube import Destino
    from pregon.difusor.configura.web import Programa

app = typer.Typer(
    help="Lo que el administrador pone en su equipo para que el instituto pueda entregar. Lo escribe; no lo aplica.",
    no_args_is_help=True,
)

Carpeta = Annotated[Path, typer.Argument(help="Carpeta de trabajo del difusor.", metavar="DIR")]
Desde = Annotated[
    list[str] | None, typer.Option("--desde", help="Dirección o red del instituto; puede repetirse.", metavar="IP")
]
Cuenta = Annotated[str, typer.Option("--cuenta", help="Cuenta por la que entra el instituto.")]
Salida = Annotated[
    Path | None, typer.Option("--salida", help="Escribe los archivos y pasos.sh en esta carpeta.", metavar="CARPETA")
]

Carpetas = Annotated[list[Path], typer.Argument(help="Carpetas de trabajo, una por convocatoria.", metavar="DIR...")]
Nube = Annotated[
    str | None, typer.Option("--nube", help="Cuál tabla «nube» de difusor.toml, si hay varias.", metavar="NOMBRE")
]
Certificado = Annotated[
    str | None, typer.Option(help="Certificado de ACM (us-east-1) de los nombres del portal.", metavar="ARN")
]
Imagen = Annotated[str | None, typer.Option(help="Imagen del difusor en ECR.", metavar="IMAGEN")]
Privado = Annotated[
    str | None, typer.Option(help="Servicio de PrivateLink del instituto (INE-II-a-iii-2b).", metavar="SERVICIO")
]
Waf = Annotated[str | None, typer.Option(help="WAF de CloudFront que ya tenga.", metavar="ARN")]
Escudo = Annotated[
    str | None, typer.Option(help="Región de Origin Shield: una sola copia ante el depósito.", metavar="REGION")
]
Escucha = Annotated[int, typer.Option(min=1, max=65535, help="Puerto de la caché.", metavar="PUERTO")]
Purgan = Annotated[
    list[str] | None,
    typer.Option("--purga-desde", help="Dirección o red desde la que se purga, además de este equipo.", metavar="IP"),
]
Sistema = Annotated[str, typer.Option("--sistema", help="debian (y Ubuntu) o rhel (y sus parientes).")]


@app.command("sshd")
@salida.command
def sshd(
    folder: Carpeta,
    llave: Annotated[Path, typer.Option(help="Llave pública (.pub) con la que el instituto entrega.")],
    desde: Desde = None,
    llave_acuses: Annotated[
        Path | None, typer.Option(help="Otra llave pública, para leer acuses (scp y rsync).")
    ] = None,
    protocolo: Annotated[
        str | None, typer.Option(help="sftp, scp o rsync; si no se dice, el de la convocatoria.")
    ] = None,
    cuenta: Cuenta = CUENTA,
    carpeta: Salida = None,
    as_json: Json = False,
) -> None:
    """Una cuenta de SSH que sólo puede depositar cortes y leer acuses."""
    from pregon.difusor.configura.llave import lee_llave
    from pregon.difusor.configura.sshd import configura
    from pregon.difusor.workspace import open_workspace

    workspace = open_workspace(folder)
    answer = configura(
        workspace,
        protocolo=protocolo,
        desde=desde or (),
        llave=lee_llave(llave, opcion="--llave"),
        llave_acuses=None if llave_acuses is None else lee_llave(llave_acuses, opcion="--llave-acuses"),
        nombre=cuenta,
    )
    _show(answer, carpeta, as_json=as_json)


@app.command("rsyncd")
@salida.command
def rsyncd(
    folder: Carpeta,
    desde: Desde = None,
    cuenta: Cuenta = CUENTA,
    carpeta: Salida = None,
    as_json: Json = False,
) -> None:
    """Un servicio de rsync: un módulo que sólo recibe y otro que sólo entrega acuses."""
    from pregon.difusor.configura.rsyncd import configura
    from pregon.difusor.workspace import open_workspace

    _show(configura(open_workspace(folder), desde=desde or (), nombre=cuenta), carpeta, as_json=as_json)


@app.command("firewall")
@salida.command
def firewall(
    folder: Carpeta,
    desde: Desde = None,
    administra: Annotated[
        list[str] | None,
        typer.Option(help="Dirección o red desde la que usted administra por SSH; puede repetirse.", metavar="IP"),
    ] = None,
    sin_administracion: Annotated[
        bool, typer.Option("--sin-administracion", help="Nadie administra por SSH: sólo por consola.")
    ] = False,
    restringe_salida: Annotated[
        bool, typer.Option("--restringe-salida", help="También cierra lo que este equipo pide hacia fuera.")
    ] = False,
    http3: Annotated[
        bool,
        typer.Option("--http3", help="Abre además el 443 de UDP, por donde va HTTP/3; ninguna convocatoria lo nombra."),
    ] = False,
    carpeta: Salida = None,
    as_json: Json = False,
) -> None:
    """Reglas de nftables con los puertos de la convocatoria."""
    from pregon.difusor.configura.cortafuegos import configura
    from pregon.difusor.workspace import open_workspace

    answer = configura(
        open_workspace(folder),
        desde=desde or (),
        administra=administra or (),
        sin_administracion=sin_administracion,
        restringe_salida=restringe_salida,
        http3=http3,
    )
    _show(answer, carpeta, as_json=as_json)


@app.command("systemd")
@salida.command
def systemd(
    folders: Annotated[list[Path], typer.Argument(help="Carpetas de trabajo, una por convocatoria.", metavar="DIR...")],
    programa: Annotated[
        Path | None, typer.Option(help="El programa pregon que correrán las unidades; si no se dice, éste mismo.")
    ] = None,
    carpeta: Salida = None,
    as_json: Json = False,
) -> None:
    """Las unidades de systemd: una que recibe por convocatoria y otra que sirve a todas."""
    from pregon.difusor.configura.systemd import configura
    from pregon.difusor.workspace import open_workspace

    answer = configura([open_workspace(folder) for folder in folders], programa=programa)
    _show(answer, carpeta, as_json=as_json)


@app.command("nginx")
@salida.command
def nginx(folders: Carpetas, sistema: Sistema = "debian", carpeta: Salida = None, as_json: Json = False) -> None:
    """Un sitio de nginx con las mismas cabeceras y los mismos bytes que el servidor incluido."""
    _web("nginx", folders, sistema, carpeta, as_json=as_json)


@app.command("apache")
@salida.command
def apache(folders: Carpetas, sistema: Sistema = "debian", carpeta: Salida = None, as_json: Json = False) -> None:
    """Un sitio de Apache 2.4 con las mismas cabeceras y los mismos bytes que el servidor incluido."""
    _web("apache", folders, sistema, carpeta, as_json=as_json)


@app.command("caddy")
@salida.command
def caddy(folders: Carpetas, sistema: Sistema = "debian", carpeta: Salida = None, as_json: Json = False) -> None:
    """Un sitio para un Caddy que administra usted, con el mismo texto que el servidor incluido."""
    _web("caddy", folders, sistema, carpeta, as_json=as_json)


def _web(programa: Programa, folders: list[Path], system: str, folder: Path | None, *, as_json: bool) -> None:
    from pregon.base.errors import UsoError
    from pregon.difusor.configura.web import configura
    from pregon.difusor.workspace import open_workspace

    if system not in ("debian", "rhel"):
        raise UsoError(
            f"--sistema «{system}» no se conoce.",
            intacto="No se escribió ni se cambió nada.",
            que_hacer="Use debian (también Ubuntu) o rhel (también CentOS, Rocky y AlmaLinux).",
        )
    answer = configura(
        [open_workspace(one) for one in folders], programa, sistema="rhel" if system == "rhel" else "debian"
    )
    _show(answer, folder, as_json=as_json)


@app.command("docker")
@salida.command
def docker(folder: Carpeta, carpeta: Salida = None, as_json: Json = False) -> None:
    """El compose.yaml de un difusor en contenedores: uno que recibe y otro que sirve."""
    from pregon.difusor.configura.docker import configura
    from pregon.difusor.workspace import open_workspace

    _show(configura(open_workspace(folder)), carpeta, as_json=as_json)


@app.command("s3")
@salida.command
def s3(
    folder: Carpeta,
    nube: Nube = None,
    distribucion: Annotated[
        str | None, typer.Option(help="Distribución de CloudFront, la única que lee el depósito.", metavar="ARN")
    ] = None,
    publico: Annotated[
        bool, typer.Option("--publico", help="Lo publicado lo lee cualquiera: para otras CDN y otros almacenes.")
    ] = False,
    cuenta: Annotated[str | None, typer.Option(help="Su cuenta de Amazon, con --publico.", metavar="NUMERO")] = None,
    aplica: Annotated[
        bool, typer.Option("--aplica", help="Pone las reglas en el depósito y las comprueba desde fuera.")
    ] = False,
    carpeta: Salida = None,
    as_json: Json = False,
) -> None:
    """Quién lee el depósito y cuánto guarda: lo publicado, la CDN o todos; el historial y el estado, nadie."""
    from pregon.base.errors import UsoError
    from pregon.difusor.configura.aplica import aplica as put
    from pregon.difusor.configura.nube import elige
    from pregon.difusor.configura.s3 import configura
    from pregon.difusor.workspace import open_workspace

    workspace = open_workspace(folder)
    if publico == (distribucion is not None):
        raise UsoError(
            "Hay que decir quién lee el depósito.",
            intacto="No se escribió ni se cambió nada.",
            que_hacer="Use --distribucion con el ARN de su CloudFront, o --publico: una de las dos.",
        )
    target = elige(workspace, nube)
    answer = configura(target, distribucion=distribucion, cuenta=cuenta)
    if not aplica:
        _show(answer, carpeta, as_json=as_json)
        return
    done = put(target, distribucion=distribucion, cuenta=cuenta, clock=workspace.open_clock())
    if as_json:
        salida.show_json(answer.as_dict() | {"aplicado": done.as_dict()})
        return
    typer.echo(f"En el depósito {target.deposito} quedaron: {', '.join(done.hecho)}.")
    for name in done.sin_eso:
        typer.echo(f"Aviso: ese almacén no tiene «{name}»; lo demás vale sin eso.", err=True)
    for what, status in done.visto.items():
        typer.echo(f"Alguien de fuera {what}: {'sí' if status < 400 else 'no'} ({status}).")


@app.command("cloudformation")
@salida.command
def cloudformation(
    folder: Carpeta, nube: Nube = None, certificado: Certificado = None, imagen: Imagen = None, privado: Privado = None,
    waf: Waf = None, escudo: Escudo = None, carpeta: Salida = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Plantilla de CloudFormation: depósito privado, CloudFront y el equipo que recibe."""
    from pregon.difusor.configura.cdn import Pedido
    from pregon.difusor.configura.cdn import cloudformation as make

    _de_nube(make, folder, nube, Pedido(certificado, imagen, privado, waf, escudo), carpeta, as_json=as_json)


@app.command("terraform")
@salida.command
def terraform(
    folder: Carpeta, nube: Nube = None, certificado: Certificado = None, imagen: Imagen = None, privado: Privado = None,
    waf: Waf = None, escudo: Escudo = None, carpeta: Salida = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Módulo de Terraform u OpenTofu: depósito privado, CloudFront y el equipo que recibe."""
    from pregon.difusor.configura.cdn import Pedido
    from pregon.difusor.configura.cdn import terraform as make

    _de_nube(make, folder, nube, Pedido(certificado, imagen, privado, waf, escudo), carpeta, as_json=as_json)


def _de_nube(
    make: Callable[[Destino, Pedido], Configuracion], folder: Path, nube: str | None, asked: Pedido,
    carpeta: Path | None, *, as_json: bool,
) -> None:  # fmt: skip
    from pregon.difusor.configura.nube import elige
    from pregon.difusor.workspace import open_workspace

    _show(make(elige(open_workspace(folder), nube), asked), carpeta, as_json=as_json)


@app.command("varnish")
@salida.command
def varnish(
    folder: Carpeta,
    nube: Nube = None,
    escucha: Escucha = 80,
    memoria: Annotated[int, typer.Option(min=64, help="Megabytes de lo que guarda.", metavar="MB")] = 1024,
    purga_desde: Purgan = None,
    carpeta: Salida = None,
    as_json: Json = False,
) -> None:
    """Un Varnish delante del servidor web de este difusor o, con --nube, de un almacén en la red privada."""
    from pregon.difusor.configura.nube import elige
    from pregon.difusor.configura.varnish import varnish as make
    from pregon.difusor.workspace import open_workspace

    workspace = open_workspace(folder)
    target = None if nube is None else elige(workspace, nube)
    answer = make(workspace, target, escucha=escucha, memoria_mb=memoria, quienes=purga_desde or ())
    _show(answer, carpeta, as_json=as_json)


@app.command("nginx-cache")
@salida.command
def nginx_cache(
    folder: Carpeta,
    nube: Nube = None,
    escucha: Escucha = 80,
    purga_desde: Purgan = None,
    carpeta: Salida = None,
    as_json: Json = False,
) -> None:
    """nginx como caché, en los mismos lugares que «varnish»."""
    from pregon.difusor.configura.nube import elige
    from pregon.difusor.configura.varnish import nginx as make
    from pregon.difusor.workspace import open_workspace

    workspace = open_workspace(folder)
    target = None if nube is None else elige(workspace, nube)
    _show(make(workspace, target, escucha=escucha, quienes=purga_desde or ()), carpeta, as_json=as_json)


def _show(answer: Configuracion, folder: Path | None, *, as_json: bool) -> None:
    from pregon.base.durable import Disk

    written = () if folder is None else answer.write(folder, Disk())
    if as_json:
        salida.show_json(answer.as_dict() | {"escritos": [str(path) for path in written]})
        return
    if written:
        typer.echo("Escrito, y nada más cambió en este equipo:")
        for path in written:
            typer.echo(f"  {path}")
        typer.echo(f"Léalos; después, como {answer.quien}: sh {written[-1]}")
    else:
        for archivo in answer.archivos:
            typer.echo(f"--- {archivo.nombre} (va en {archivo.destino}, {archivo.modo:04o})\n{archivo.texto}")
        typer.echo(f"--- Pasos, como {answer.quien}, en la carpeta de esos archivos (con --salida se escriben)")
        typer.echo(answer.script())
    for one in answer.concesiones:
        typer.echo(f"Concesión: {one.clausula} pide {one.pide}. Se da {one.se_da}, porque {one.motivo}.")
    for note in answer.notas:
        typer.echo(note)
    for warning in answer.avisos:
        typer.echo(f"Aviso: {warning}", err=True)
