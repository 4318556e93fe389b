"""``pregon simulacro graba`` and ``repite``: a night becomes a file, and the file a night again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pregon.cli import salida
from pregon.cli.opciones import Json

if TYPE_CHECKING:
    from pregon.simulacro.grabacion import Grabacion
    from pregon.simulacro.remoto import Repetido


@salida.command
def graba(
    origen: Annotated[
        Path,
        typer.Argument(help="Un espacio de trabajo del instituto, o una carpeta de cortes AAAAMMDD_HHMM_*."),
    ],
    en: Annotated[Path, typer.Option("--en", help="Archivo que se escribe.", show_default=False)],
    convocatoria: Annotated[
        str | None, typer.Option(help="Perfil de una carpeta de cortes. Sin él, el que se deduzca de ella.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Guarda una noche en un archivo: el perfil, las actas de cada corte y a qué hora salió."""
    import tempfile

    from pregon.base.durable import Disk
    from pregon.base.errors import UsoError
    from pregon.simulacro.grabacion import escribe

    if os.path.lexists(en):
        raise UsoError(
            f"{en} ya existe.", intacto="No se escribió nada.", que_hacer="Dé otro nombre, o quite ese archivo."
        )
    with tempfile.TemporaryDirectory(prefix="pregon-graba-") as folder:
        recorded = _recorded(origen, Path(folder), convocatoria)
        size = escribe(en, recorded, disk=Disk())
    call, cuts = recorded.convocatoria, recorded.plan.cortes
    if as_json:
        salida.show_json({"archivo": str(en), "bytes": size, "convocatoria": call.id, "cortes": len(cuts)})
        return
    typer.echo(f"{en}: {call.nombre}, {len(cuts)} cortes, {size:,} bytes.")


def _recorded(origen: Path, folder: Path, convocatoria: str | None) -> Grabacion:
    from pregon.base.durable import Disk
    from pregon.base.errors import UsoError
    from pregon.instituto.settings import ARCHIVO
    from pregon.instituto.workspace import open_workspace
    from pregon.simulacro.grabacion import Grabacion, de_instituto
    from pregon.simulacro.prepare import real_night

    if not os.path.isfile(origen / ARCHIVO):  # noqa: PTH113 - as a Path it fails where this user may not even look
        return Grabacion(*real_night(origen, convocatoria=convocatoria))
    if convocatoria is not None:
        raise UsoError(
            "Un espacio de trabajo ya tiene su convocatoria.",
            intacto="No se escribió nada.",
            que_hacer="Quite --convocatoria.",
        )
    return de_instituto(open_workspace(origen), folder, disk=Disk())


@salida.command
def repite(
    archivo: Annotated[Path, typer.Argument(help="El que escribió «simulacro graba».", show_default=False)],
    instituto: Annotated[
        Path | None,
        typer.Option(
            "--instituto",
            help="Espacio de trabajo (simulacro) que la firma y la entrega a sus difusores. Sin él, todo ocurre aquí.",
        ),
    ] = None,
    inicio: Annotated[
        str | None, typer.Option("--inicio", help="Cuándo empieza ahora (ISO 8601). Sin ella, cuando empezó.")
    ] = None,
    cortes: Annotated[int | None, typer.Option(min=1, help="Cuántos cortes. Sin él, todos.")] = None,
    difusores: Annotated[int, typer.Option(min=1, max=20, help="Cuántos difusores, aquí.")] = 2,
    transporte: Annotated[
        str | None,
        typer.Option(help="carpeta, entrada o ambos, aquí.", show_default="ambos, o entrada con --informe"),
    ] = None,
    acelerar: Annotated[
        float | None,
        typer.Option(min=1, max=5000, help="Cuántas veces más rápido. Sin él: 600 aquí, 1 con --instituto."),
    ] = None,
    autorizaciones: Annotated[
        Path | None, typer.Option(help="JSON con los hallazgos que se autorizan. Sin ella, los de la grabación.")
    ] = None,
    informe: Annotated[
        Path | None,
        typer.Option(help="Carpeta nueva para el informe firmado, con notas y asistencia (aquí).", show_default=False),
    ] = None,
    vivo: Annotated[
        int | None,
        typer.Option(
            "--vivo",
            metavar="PUERTO",
            min=0,
            max=65535,
            help="Muestra la noche mientras ocurre en http://127.0.0.1:PUERTO/ (0: uno libre), aquí.",
            show_default=False,
        ),
    ] = None,
    abierto: Annotated[bool, typer.Option("--abierto", help="Al terminar sigue sirviendo hasta Ctrl+C, aquí.")] = False,
    as_json: Json = False,
) -> None:
    """Publica otra vez una noche grabada, con el calendario de ahora y a otra velocidad."""
    from pregon.base.errors import UsoError

    if instituto is None:
        carrier = transporte or ("ambos" if informe is None else "entrada")
        _here(
            archivo,
            inicio,
            cortes,
            difusores,
            carrier,
            acelerar or 600.0,
            autorizaciones,
            informe,
            vivo=vivo,
            abierto=abierto,
            as_json=as_json,
        )
        return
    if informe is not None:
        raise UsoError(
            "El informe con notas es de una noche que ocurre aquí.",
            intacto="No se firmó nada.",
            que_hacer="Quite --informe, o --instituto.",
        )
    if vivo is not None or abierto:
        raise UsoError(
            "La vista en vivo es de una noche que ocurre aquí.",
            intacto="No se firmó nada.",
            que_hacer="Quite --vivo y --abierto, o --instituto; para una noche de verdad está «instituto tablero».",
        )
    if inicio is not None:
        raise UsoError(
            "Con --instituto, el inicio es el de su convocatoria.",
            intacto="No se firmó nada.",
            que_hacer="Quite --inicio, o cambie «inicio» en convocatoria.toml de ese espacio.",
        )
    _there(instituto, archivo, cortes, acelerar or 1.0, autorizaciones, as_json=as_json)


def _here(
    archivo: Path,
    inicio: str | None,
    cortes: int | None,
    difusores: int,
    transporte: str,
    acelerar: float,
    autorizaciones: Path | None,
    informe: Path | None,
    *,
    vivo: int | None,
    abierto: bool,
    as_json: bool,
) -> None:
    from zoneinfo import ZoneInfo

    from pregon.cli.opciones import instant_of
    from pregon.cli.senales import interrupted_once
    from pregon.cli.simulacro.noche import TERMINANDO, concluye, cuenta, espera
    from pregon.convocatoria.noche import MEXICO
    from pregon.simulacro.session import Request, carrier_named, run

    request = Request(
        convocatoria=None,
        noche=None,
        cortes=cortes,
        difusores=difusores,
        acelerar=acelerar,
        semilla=7,
        transporte=carrier_named(transporte),
        autorizaciones=autorizaciones,
        grabada=archivo,
        inicio=None if inicio is None else instant_of(inicio, ZoneInfo(MEXICO), intacto="No se empezó nada."),
        informe=informe,
        vivo=vivo,
    )
    with interrupted_once(TERMINANDO):
        result = run(
            request,
            say=lambda line: typer.echo(line, err=True),
            ready=lambda url: typer.echo(f"LISTO {url}", err=as_json),
            hold=espera if abierto else None,
        )
    if not as_json:
        cuenta(result)
    concluye([result], as_json=as_json)


def _there(
    folder: Path, archivo: Path, cortes: int | None, acelerar: float, autorizaciones: Path | None, *, as_json: bool
) -> None:
    import tempfile

    from pregon.base.durable import Disk
    from pregon.cli.senales import stop_on_signal
    from pregon.instituto.autorizaciones import load
    from pregon.instituto.workspace import open_workspace
    from pregon.simulacro.grabacion import de_otra_fecha, lee
    from pregon.simulacro.remoto import repite as replay

    stop = stop_on_signal()
    with tempfile.TemporaryDirectory(prefix="pregon-repite-") as place:
        recorded = lee(archivo, Path(place), disk=Disk()).primeros(cortes)
        opened = open_workspace(folder)
        given = recorded.autorizaciones if autorizaciones is None else autorizaciones.read_bytes()
        passed = Path(place) / "autorizaciones.json"
        passed.write_bytes(de_otra_fecha(given, opened.clock.now()))
        done = replay(
            opened,
            recorded,
            acelerar=acelerar,
            stop=stop,
            entorno=os.environ,
            autorizaciones=load(passed),
            dice=lambda one: None if as_json else typer.echo(_line(one)),
        )
    if as_json:
        salida.show_json(
            [
                {
                    "corte": one.numero,
                    "hora": one.hora.isoformat(),
                    "manifiesto_sha256": one.manifiesto_sha256,
                    "entregas": [
                        {"difusor": line.difusor, "nodo": line.nodo, "resultado": line.codigo} for line in one.entregas
                    ],
                }
                for one in done
            ]
        )


def _line(one: Repetido) -> str:
    told = ", ".join(f"{line.difusor}/{line.nodo} {line.codigo.lower()}" for line in one.entregas)
    return f"Corte {one.numero:04d} de las {one.hora:%H:%M}, firmado. {told or 'Sin destinos.'}"
