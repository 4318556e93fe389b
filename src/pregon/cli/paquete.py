"""``pregon paquete``: verify what somebody received, or what a portal serves, and show what a package says."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pregon.base.razones import razon
from pregon.cli import salida
from pregon.cli.opciones import Json

if TYPE_CHECKING:
    from pregon.base.clock import Clock
    from pregon.sonda.informe import Informe

app = typer.Typer(help="Un paquete: qué prueba y con qué llaves, y qué dice de sí mismo.", no_args_is_help=True)


@app.command("verifica")
@salida.command
def verifica(
    objetivo: Annotated[
        str,
        typer.Argument(
            help="Un .zip, la carpeta de un corte, un repositorio, la de un difusor, o la dirección de un portal.",
            metavar="RUTA|URL",
        ),
    ],
    raiz: Annotated[
        Path | None, typer.Option(help="El root.json que publicó el instituto, obtenido por otro medio.")
    ] = None,
    repositorio: Annotated[
        str | None, typer.Option(help="Dónde están las firmas («metadata/»): una carpeta o una dirección.")
    ] = None,
    antes: Annotated[
        str | None, typer.Option(help="Una copia anterior del repositorio: se exige que ésta la continúe.")
    ] = None,
    muestra: Annotated[
        int | None, typer.Option(min=1, help="De un portal, cuántos archivos leer, al azar. Sin ella, todos.")
    ] = None,
    hora: Annotated[
        str | None, typer.Option(help="Juzga los vencimientos a esta hora (ISO 8601, con su desfase), no a la actual.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Dice qué se probó, con qué llaves, y qué no. No escribe nada; termina en 0 sólo si nada falló."""
    from pregon.difusor.comprueba import examine_workspace, is_workspace
    from pregon.sonda.comprobacion import Pedido, examine

    clock = _clock(hora)
    pedido = Pedido(raiz=None if raiz is None else _root(raiz), repositorio=repositorio, antes=antes, muestra=muestra)
    path = Path(objetivo)
    found = (
        examine_workspace(path, pedido, clock=clock) if is_workspace(path) else examine(objetivo, pedido, clock=clock)
    )
    _tell(found, as_json=as_json)
    if found.fallo is not None:
        raise found.fallo


def _tell(found: Informe, *, as_json: bool) -> None:
    if as_json:
        salida.show_json(found.as_dict())
        return
    for line in found.lines():
        typer.echo(line)


@app.command("muestra")
@salida.command
def muestra(
    ruta: Annotated[Path, typer.Argument(help="Un manifiesto.json, o la carpeta o el .zip que lo tiene al lado.")],
    as_json: Json = False,
) -> None:
    """Muestra lo que un paquete dice de sí mismo. No comprueba nada."""
    from pregon.base.errors import EntradaError
    from pregon.base.hashing import grupos, sha256_bytes
    from pregon.paquete.manifest import MANIFEST_MAX_BYTES, parse_manifest
    from pregon.paquete.names import MANIFIESTO

    place = ruta if ruta.name == MANIFIESTO else (ruta if ruta.is_dir() else ruta.parent) / MANIFIESTO
    try:
        with place.open("rb") as file:
            raw = file.read(MANIFEST_MAX_BYTES + 1)
    except OSError as exc:
        raise EntradaError(
            f"No se pudo leer {place}: {razon(exc)}.",
            intacto="No se cambió nada.",
            que_hacer="Dé la carpeta de un corte, o el .zip que tiene al lado su manifiesto.json.",
        ) from exc
    manifest = parse_manifest(raw)
    digest = sha256_bytes(raw)
    size = sum(entry.bytes for entry in manifest.archivos)
    if as_json:
        salida.show_json(
            {
                "convocatoria": manifest.convocatoria,
                "instituto": manifest.instituto,
                "ambiente": manifest.ambiente,
                "elecciones": list(manifest.elecciones),
                "corte": manifest.corte,
                "hora_corte": manifest.hora_corte.isoformat(),
                "generado": manifest.generado.isoformat(),
                "ultimo": manifest.ultimo,
                "cierre": manifest.cierre,
                "proximo": None if manifest.proximo is None else manifest.proximo.isoformat(),
                "anterior": manifest.anterior,
                "autorizaciones": len(manifest.autorizaciones),
                "archivos": len(manifest.archivos),
                "bytes": size,
                "manifiesto_sha256": digest,
                "huella": grupos(digest),
                "comprobado": False,
            }
        )
        return
    typer.echo(f"{manifest.convocatoria} · {manifest.instituto} · {manifest.ambiente}")
    typer.echo(f"Corte {manifest.corte:04d}{' (último)' if manifest.ultimo else ''}, {manifest.hora_corte.isoformat()}")
    typer.echo(f"Elecciones: {', '.join(manifest.elecciones)}")
    typer.echo(f"Generado:   {manifest.generado.isoformat()}")
    typer.echo(f"Anterior:   {manifest.anterior or 'ninguno'}")
    typer.echo(f"Archivos:   {len(manifest.archivos):,} ({size:,} bytes)")
    typer.echo(f"Huella:     {grupos(digest)}")
    typer.echo("Esto es lo que el paquete dice de sí mismo; nada se comprobó. Use «pregon paquete verifica».")


def _root(path: Path) -> bytes:
    from pregon.base.errors import EntradaError
    from pregon.trust.metadatos import ROOT_MAX_BYTES

    try:
        with path.open("rb") as file:
            data = file.read(ROOT_MAX_BYTES + 1)
    except OSError as exc:
        raise EntradaError(
            f"No se pudo leer {path}: {razon(exc)}.",
            intacto="No se comprobó nada.",
            que_hacer="Obtenga el root.json que publicó el instituto y dé su ruta con --raiz.",
        ) from exc
    return data[:ROOT_MAX_BYTES]


def _clock(hora: str | None) -> Clock:
    from pregon.base.clock import SystemClock
    from pregon.base.errors import UsoError

    if hora is None:
        return SystemClock()
    try:
        instant = datetime.fromisoformat(hora)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise UsoError(
            f"«{hora}» no es una hora ISO 8601 con su desfase.",
            intacto="No se comprobó nada.",
            que_hacer="Escríbala como 2021-06-06T22:40:00-05:00.",
        )
    judged = instant

    class Then(SystemClock):
        """Judges expiries at that hour; what a network takes is still measured by the machine."""

        def now(self) -> datetime:
            return judged

    return Then()
