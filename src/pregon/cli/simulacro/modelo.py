"""``pregon simulacro modelo``: how many difusores, which uplink, which interval; and the measurement it stands on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pregon.cli import salida
from pregon.cli.opciones import Json

if TYPE_CHECKING:
    from pregon.simulacro.modelo.calibracion import Calibracion
    from pregon.simulacro.modelo.plan import Respuesta
    from pregon.simulacro.modelo.publico import Publico


@salida.command
def modelo(
    calibracion: Annotated[
        Path | None,
        typer.Option("--calibracion", help="Medida de un equipo como el suyo. Sin ella, la incluida.", metavar="F"),
    ] = None,
    calibra: Annotated[
        Path | None,
        typer.Option("--calibra", help="Mide en este equipo y escribe esa calibración; no calcula.", metavar="F"),
    ] = None,
    rondas: Annotated[int, typer.Option(min=1, max=50, help="Cortes que se miden con --calibra.")] = 5,
    difusores: Annotated[int, typer.Option(min=1, max=2000, help="A cuántos se entrega (con --calibra, 10).")] = 60,
    subida: Annotated[float, typer.Option(min=0.1, help="Enlace de salida del instituto, en Mbps.")] = 100.0,
    bajada: Annotated[float, typer.Option(min=0.1, help="Enlace de entrada de cada difusor, en Mbps.")] = 50.0,
    ms: Annotated[float, typer.Option(min=0, help="Ida y vuelta entre ellos, en milisegundos.")] = 40.0,
    paquete_mb: Annotated[
        float | None, typer.Option(min=0, help="Lo que viaja en cada corte. Sin él, lo medido.", show_default=False)
    ] = None,
    limite_s: Annotated[float, typer.Option(min=1, help="De firmado a visible, para 95 de cada 100.")] = 60.0,
    convocatoria: Annotated[str, typer.Option(help="De la que se toman las horas de la noche.")] = "ine-2021",
    paquete: Annotated[
        Path | None,
        typer.Option(help="Un corte (archivo o carpeta), para saber lo que pesa cada página.", show_default=False),
    ] = None,
    visitantes: Annotated[
        int | None,
        typer.Option(min=1, help="Personas de toda la noche, en todos los difusores.", show_default=False),
    ] = None,
    orillas: Annotated[int, typer.Option(min=1, max=1000, help="Lugares de la CDN de cada difusor.")] = 15,
    semilla: Annotated[int, typer.Option(help="De quién hace qué.")] = 7,
    as_json: Json = False,
) -> None:
    """Calcula una noche con medidas: cuántos difusores, qué enlace y qué intervalo. No pregunta a nadie."""
    if calibra is not None:
        _measure(calibra, rondas, as_json=as_json)
        return
    from pregon.simulacro.modelo.calibracion import incluida, lee
    from pregon.simulacro.modelo.plan import Pregunta, responde

    used = incluida() if calibracion is None else lee(calibracion)
    asked = Pregunta(
        difusores=difusores,
        subida_mbps=subida,
        bajada_mbps=bajada,
        ms=ms,
        bytes=None if paquete_mb is None else paquete_mb * 1e6,
        limite_s=limite_s,
    )
    public = None if visitantes is None else _public(paquete, convocatoria, visitantes, difusores, orillas, semilla)
    answer = responde(used, asked)
    if as_json:
        salida.show_json({**answer.to_json(), "publico": None if public is None else public.to_json()})
        return
    _tell(used, answer)
    if public is not None:
        typer.echo(
            f"A cada difusor, {public.visitantes:,} personas: hasta {public.peticiones_s:,.0f} peticiones por segundo, "
            f"{public.mbps:,.0f} Mbps y {public.abiertas:,} páginas abiertas.\n"
            f"Detrás de una CDN de {public.orillas} lugares le llegan {public.origen_peticiones_s:,.0f} peticiones por "
            f"segundo y {public.origen_mbps:,.1f} Mbps."
        )


def _public(
    paquete: Path | None, convocatoria: str, visitantes: int, difusores: int, orillas: int, semilla: int
) -> Publico:
    from pregon.base.errors import UsoError
    from pregon.convocatoria.perfiles import load
    from pregon.difusor.aforo import peso
    from pregon.difusor.aforo.ajustes import AjustesAforo
    from pregon.difusor.nube.costo import archivos
    from pregon.simulacro.modelo.publico import simula

    if paquete is None:
        raise UsoError(
            "Para simular visitantes hace falta saber lo que pesa cada página.",
            intacto="No se calculó nada.",
            que_hacer="Dé un corte con --paquete: un archivo .zip, o la carpeta de uno publicado.",
        )
    return simula(
        load(convocatoria),
        AjustesAforo(),
        peso.mide(archivos(paquete)),
        visitantes=visitantes,
        difusores=difusores,
        orillas=orillas,
        semilla=semilla,
    )


def _measure(path: Path, rondas: int, *, as_json: bool) -> None:
    import os.path
    import tempfile

    from pregon.base.clock import SystemClock
    from pregon.base.durable import PARCIAL, Disk
    from pregon.base.errors import UsoError
    from pregon.simulacro.modelo.calibracion import DIFUSORES, SOLAS, de_medicion
    from pregon.simulacro.modelo.medicion import mide

    if os.path.lexists(path):
        raise UsoError(
            f"{path} ya existe.", intacto="No se midió nada.", que_hacer="Dé otro nombre, o quite ese archivo."
        )
    disk, probe = Disk(), path.with_name(path.name + PARCIAL)
    disk.write(probe, b"")  # Ten minutes of measuring are not lost for a folder that is not there.
    disk.remove_tree(probe)
    with tempfile.TemporaryDirectory(prefix="pregon-modelo-") as folder:
        measured = mide(
            Path(folder),
            DIFUSORES,
            rondas=rondas,
            solas=SOLAS,
            disk=disk,
            dice=lambda line: typer.echo(line, err=True),
        )
    made = de_medicion(measured, hecha=SystemClock().now())
    disk.write(path, made.to_bytes())
    if as_json:
        salida.show_json({"archivo": str(path), "trabajo": made.trabajo.model_dump()})
        return
    work = made.trabajo
    typer.echo(
        f"{path}: cada entrega ocupa {work.instituto_s:.3f} s de procesador al instituto y {work.difusor_s:.3f} s al "
        f"difusor; viajan {work.bytes:,.0f} bytes."
    )


def _tell(used: Calibracion, answer: Respuesta) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(title=f"De firmado a visible · {answer.bytes / 1e6:,.1f} MB por corte")
    for title in ("Difusores", "Mitad", "95 de cada 100", "El último", f"Subida para {answer.limite_s:g} s"):
        table.add_column(title, justify="right")
    for line in answer.renglones:
        need = "no alcanza ninguna" if line.subida_mbps is None else f"{line.subida_mbps:,.1f} Mbps"
        table.add_row(
            f"{line.difusores:,}", f"{line.p50_s:,.1f} s", f"{line.p95_s:,.1f} s", f"{line.ultimo_s:,.1f} s", need
        )
    console.print(table)
    interval = "ninguno" if answer.intervalo_min is None else f"{answer.intervalo_min} min"
    console.print(
        f"Con este enlace caben {answer.difusores_max:,} difusores dentro de {answer.limite_s:g} s. "
        f"El menor intervalo con lo pedido: {interval}."
    )
    console.print(f"Medido el {used.hecha:%d/%m/%Y} con {used.difusores} difusores, por {used.transporte}.")
