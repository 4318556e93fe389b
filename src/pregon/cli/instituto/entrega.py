"""``pregon instituto entrega`` and ``acuses``: the last cut to each destination, and what each says that it has."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pregon.cli import salida
from pregon.cli.opciones import Espacio, Json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.instituto.entrega.corrida import Linea
    from pregon.instituto.entrega.recoleccion import Recolecta
    from pregon.instituto.workspace import Workspace

app = typer.Typer(help="Los acuses de los difusores: se recogen, se reciben y dicen quién tiene qué corte.")

raiz = typer.Typer()

Difusor = Annotated[list[str] | None, typer.Option("--difusor", help="Id de un difusor; puede repetirse.")]


@raiz.command("entrega")
@salida.command
def entrega(
    carpeta: Espacio,
    destino: Annotated[
        Path | None, typer.Option("--destino", help="Carpeta o memoria a la que se copia el repositorio entero.")
    ] = None,
    difusor: Difusor = None,
    completo: Annotated[
        bool, typer.Option("--completo", help="Envía el archivo completo aunque basten los cambios.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Entrega el último corte a cada destino de instituto.toml, o copia el repositorio a una carpeta (--destino).

    Primero los contenidos, luego los metadatos y, al final, la marca de corte completo.
    """
    from pregon.base.errors import UsoError
    from pregon.instituto import workspace
    from pregon.transport.local import deliver

    if destino is not None and (difusor or completo):
        raise UsoError(
            "--destino no va con --difusor ni con --completo.",
            intacto="No se entregó nada.",
            que_hacer="Use --destino para copiar a una carpeta, o --difusor para entregar a los de instituto.toml.",
        )
    opened = workspace.open_workspace(carpeta)
    if destino is None:
        deliver_all(opened, difusor or (), completo=completo, as_json=as_json)
        return
    start = opened.clock.monotonic()
    with opened.held() as repository:
        cuts = repository.cuts()
        files = deliver(opened.repositorio, destino, opened.disk)
        seconds = round(opened.clock.monotonic() - start, 3)
        last = cuts[-1].corte if cuts else None
        opened.state().record("entrega", destino=str(destino), archivos=files, corte=last, segundos=seconds)
    if as_json:
        salida.show_json({"destino": str(destino), "archivos": files, "corte": last, "segundos": seconds})
        return
    what = "el repositorio, aún sin cortes," if last is None else f"el repositorio hasta el corte {last:04d}"
    typer.echo(f"Entregado {what} en {destino}: {files:,} archivos nuevos o cambiados en {seconds:.1f} s.")


def deliver_all(opened: Workspace, difusores: Sequence[str], *, completo: bool, as_json: bool) -> None:
    """Deliver to every ``[[destino]]``, show the table, and end with 69 where somebody did not get it."""
    from pregon.base.errors import RedError
    from pregon.instituto.entrega.corrida import Corrida
    from pregon.instituto.entrega.memoria import ENTREGADO

    lines = Corrida(opened, os.environ, completo=completo).run(difusores)
    failed = [line for line in lines if line.codigo != ENTREGADO]
    if as_json:
        salida.show_json({"destinos": [_as_dict(line) for line in lines], "fallaron": len(failed)})
    else:
        _table(
            ("difusor", "nodo", "corte", "envío", "bytes", "segundos", "resultado"),
            [
                (
                    line.difusor,
                    line.nodo,
                    _cut(line.corte),
                    line.forma or "—",
                    f"{line.bytes:,}",
                    f"{line.segundos:.1f}",
                    line.codigo.lower(),
                )
                for line in lines
            ],
        )
        _explain(failed)
    if failed:
        raise typer.Exit(RedError.salida)


@app.command("recoge")
@salida.command
def recoge(carpeta: Espacio, difusor: Difusor = None, as_json: Json = False) -> None:
    """Recoge los acuses de donde dice «acuses» en cada destino. Lo que no se cree no se guarda."""
    from pregon.base.errors import RedError
    from pregon.instituto import workspace
    from pregon.instituto.entrega import recoleccion

    opened = workspace.open_workspace(carpeta)
    lines = recoleccion.collect_all(opened, os.environ, difusor or ())
    bad = [line for line in lines if line.error is not None]
    if as_json:
        salida.show_json(
            {
                "nodos": [
                    {
                        "difusor": line.difusor,
                        "nodo": line.nodo,
                        "nuevos": line.nuevos,
                        "error": None if line.error is None else line.error.as_dict(),
                    }
                    for line in lines
                ]
            }
        )
    else:
        rows = [(o.difusor, o.nodo, str(o.nuevos), "—" if o.error is None else o.error.codigo.lower()) for o in lines]
        _table(("difusor", "nodo", "nuevos", "problema"), rows)
        _explain(bad)
    if bad:
        raise typer.Exit(RedError.salida)


@app.command("estado")
@salida.command
def estado(carpeta: Espacio, as_json: Json = False) -> None:
    """Dice qué corte tiene cada difusor: el más atrasado de sus nodos, según sus acuses verificados."""
    from pregon.instituto import workspace
    from pregon.instituto.entrega import recoleccion

    report = recoleccion.status(workspace.open_workspace(carpeta))
    if as_json:
        salida.show_json(report)
        return
    newest = report["corte"]
    typer.echo("Aún no hay cortes firmados." if newest is None else f"Último corte firmado: {newest:04d}.")
    rows = []
    for one in report["difusores"]:
        rows.append((one["difusor"], "(todos)", _cut(one["corte"]), "", "", "", "sí" if one["al_corte"] else "no"))
        rows += [
            (
                "",
                node["nodo"],
                _cut(node["corte"]),
                _cut(node["publicado"]),
                _cut(node["visible"]),
                str(node["acuses"]),
                node["problema"] or "",
            )
            for node in one["nodos"]
        ]
    _table(("difusor", "nodo", "verificado", "publicado", "visible", "acuses", "al corte"), rows)


@app.command("atiende")
@salida.command
def atiende(
    carpeta: Espacio,
    puerto: Annotated[int, typer.Option("--puerto", help="Puerto en que se reciben.", min=1, max=65535)],
    direccion: Annotated[str, typer.Option("--direccion", help="Dirección en que se atiende.")] = "127.0.0.1",
    certificado: Annotated[Path | None, typer.Option("--certificado", help="Certificado TLS (PEM).")] = None,
    clave: Annotated[Path | None, typer.Option("--clave", help="Clave privada del certificado (PEM).")] = None,
) -> None:
    """Recibe acuses por HTTPS: POST /acuses/<difusor>/<nodo>. Termina con Ctrl+C."""
    from pregon.instituto import workspace
    from pregon.instituto.entrega.buzon import Buzon
    from pregon.instituto.entrega.recibidos import Recibidos

    opened = workspace.open_workspace(carpeta)
    service = Buzon(
        Recibidos(opened), opened.clock, direccion=direccion, puerto=puerto, certificado=certificado, clave=clave
    )
    scheme = "https" if service.seguro else "http"
    typer.echo(f"LISTO {scheme}://{direccion}:{service.puerto}/acuses/")
    service.run()


def _as_dict(line: Linea) -> dict[str, Any]:
    return {
        "difusor": line.difusor,
        "nodo": line.nodo,
        "corte": line.corte,
        "forma": line.forma,
        "bytes": line.bytes,
        "segundos": round(line.segundos, 3),
        "intentos": line.intentos,
        "codigo": line.codigo,
        "error": None if line.error is None else line.error.as_dict(),
    }


def _explain(lines: Sequence[Linea] | Sequence[Recolecta]) -> None:
    for line in lines:
        if line.error is not None:
            typer.echo(f"{line.difusor}/{line.nodo}: {line.error.que_paso} {line.error.que_hacer}", err=True)


def _cut(corte: int | None) -> str:
    return "—" if corte is None else f"{corte:04d}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their widest text, on stdout."""
    widths = [max(len(row[n]) for row in (head, *rows)) for n in range(len(head))]
    for row in (head, *rows):
        typer.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
