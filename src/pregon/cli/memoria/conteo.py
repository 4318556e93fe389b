"""``pregon memoria clave``, ``entrega`` and ``destruye``: counts for the institute without an address of anybody."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pregon.cli import salida
from pregon.cli.opciones import Espacio, Json

if TYPE_CHECKING:
    from datetime import datetime

    from pregon.base.clock import Clock
    from pregon.base.durable import Disk
    from pregon.bitacoras.contado import Contado
    from pregon.bitacoras.entrega import Crudas
    from pregon.bitacoras.medidas import Medidas
    from pregon.difusor.workspace import Workspace
    from pregon.trust.noche import ClaveNoche

app = typer.Typer()


@app.command("clave")
@salida.command
def clave(
    carpeta: Espacio,
    papel: Annotated[Path, typer.Argument(help="El papel que el instituto hizo para este nodo.")],
    as_json: Json = False,
) -> None:
    """Instala la clave con que se cuentan los visitantes esta noche; nunca se muestra."""
    from pregon.base.durable import Disk
    from pregon.difusor import conteo
    from pregon.difusor.workspace import open_workspace

    opened = open_workspace(carpeta)
    name = conteo.install(opened, papel, clock=opened.open_clock(), disk=Disk())
    if as_json:
        salida.show_json({"noche": name})
        return
    typer.echo(f"Instalada la clave {name}. Después de la noche: pregon memoria entrega {carpeta}")
    typer.echo(f"Guarde el papel ({papel}) hasta entregar: ningún respaldo tiene la clave. Luego bórrelo.")


@app.command("entrega")
@salida.command
def entrega(
    carpeta: Espacio,
    con_bitacoras: Annotated[
        bool,
        typer.Option("--con-bitacoras", help="También las bitácoras, cifradas. Sólo si la convocatoria las pide."),
    ] = False,
    k: Annotated[int, typer.Option("--k", min=2, max=1000, help="Grupos de menos personas no se distinguen.")] = 10,
    as_json: Json = False,
) -> None:
    """Cuenta lo que dicen las bitácoras y deja en «salida/» la entrega firmada para el instituto."""
    from pregon.base.durable import Disk
    from pregon.bitacoras.contado import shared
    from pregon.difusor import conteo
    from pregon.difusor.workspace import open_workspace

    opened, disk = open_workspace(carpeta), Disk()
    if con_bitacoras:
        conteo.asked_days(opened)  # Refused before anything is read.
        conteo.institute_key(opened)
    key = conteo.key_of(opened, os.environ)
    clock = opened.open_clock()
    found, counted = _counted(opened, key, clock.now())
    raw = _encrypted(opened, clock, disk) if con_bitacoras else None
    path = conteo.deliver(
        opened,
        clave=key.nombre,
        medidas=shared(found, k),
        contados=counted,
        crudas=raw,
        now=clock.now(),
        clock=clock,
        disk=disk,
        k=k,
    )
    if as_json:
        told = None if raw is None else vars(raw)
        salida.show_json({"archivo": str(path), "noche": key.nombre, "bosquejos": len(counted), "crudas": told})
        return
    typer.echo(f"Entrega firmada: {path} ({path.stat().st_size:,} bytes). No lleva direcciones ni resúmenes de ellas.")
    if raw is not None:
        typer.echo(f"Bitácoras cifradas: {path.with_name(raw.archivo)} ({raw.bytes:,} bytes).")
    elif opened.convocatoria.memoria is not None and "bitacoras" in opened.convocatoria.memoria.secciones:
        typer.echo("La convocatoria pide también las bitácoras de acceso: repita con --con-bitacoras.")
    typer.echo(f"Cuando el instituto la tenga: pregon memoria destruye {carpeta}")


@app.command("destruye")
@salida.command
def destruye(
    carpeta: Espacio,
    sin_entregar: Annotated[
        bool, typer.Option("--sin-entregar", help="Aunque no haya una entrega hecha con ella.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Destruye la clave de la noche: se sobrescribe, se borra y queda dicho en la bitácora."""
    from pregon.difusor import conteo
    from pregon.difusor.workspace import open_workspace

    opened = open_workspace(carpeta)
    gone = conteo.destroy(opened, clock=opened.open_clock(), sin_entregar=sin_entregar)
    if as_json:
        salida.show_json({"noche": gone.noche, "archivo": str(gone.archivo), "bytes": gone.bytes, "destruida": True})
        return
    typer.echo(f"La clave {gone.noche} se destruyó: {gone.archivo} se sobrescribió ({gone.bytes} bytes) y ya no está.")
    typer.echo(
        "No alcanza a las copias que alguien haya hecho, ni a lo que un disco de estado sólido guarde por su cuenta."
    )


def _counted(workspace: Workspace, key: ClaveNoche, now: datetime) -> tuple[Medidas, tuple[Contado, ...]]:
    from pregon.base.errors import EntradaError
    from pregon.bitacoras.conteo import Conteo
    from pregon.cli.memoria.medicion import measuring, of_workspace

    plan, counting = of_workspace(workspace), Conteo()
    if not plan.fuentes:
        raise EntradaError(
            f"No hay ninguna bitácora de acceso en {workspace.folder}, ni en los ajustes.",
            intacto="No se entregó nada.",
            que_hacer="Nombre las de su servidor en [[bitacora]] de difusor.toml.",
        )
    with measuring(plan, now, clave=key.secreto, al_paso=counting.paso) as (run, found):
        return found, counting.sketches(run, plan.sitios)


def _encrypted(workspace: Workspace, clock: Clock, disk: Disk) -> Crudas | None:
    """The logs of the days that the call names, of both sites, encrypted to the institute."""
    from typing import IO, cast

    from pregon.bitacoras.crudas import pack
    from pregon.bitacoras.ventanas import windows
    from pregon.cli.memoria.medicion import of_workspace
    from pregon.difusor import conteo

    plan = of_workspace(workspace)
    spans = windows(len(plan.sitios), {"eleccion": conteo.asked_days(workspace)}, plan.zona)
    with conteo.encrypted(workspace, clock=clock, disk=disk) as made:
        pack(plan.fuentes, spans, cast("IO[bytes]", made.archivo))
    return made.crudas
