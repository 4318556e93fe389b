"""``pregon instituto sondea``: a difusor as it is seen from outside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from pregon.cli import salida
from pregon.cli.opciones import Json

app = typer.Typer()


@app.command("sondea")
@salida.command
def sondea(
    objetivo: Annotated[
        str, typer.Argument(help="Nombre o dirección del equipo, o URL de su portal.", metavar="HOST|URL")
    ],
    convocatoria: Annotated[str, typer.Option("--convocatoria", help="Id de una convocatoria, o ruta de su TOML.")],
    autorizado: Annotated[
        bool,
        typer.Option(
            "--autorizado", help="Este equipo es de los que el difusor deja entrar: los restringidos deben abrir."
        ),
    ] = False,
    ancho: Annotated[
        bool, typer.Option("--ancho", help="Mide a qué paso envía, leyendo hasta 40 MB de lo que publica.")
    ] = False,
    destino: Annotated[
        Path | None,
        typer.Option("--salida", help="Archivo que el difusor da a «pregon difusor revisa --sondeo».", metavar="F"),
    ] = None,
    ca: Annotated[
        Path | None, typer.Option("--ca", help="Autoridad en la que se cree, en lugar de las del sistema (PEM).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Mira a un difusor desde fuera: puertos, TLS, cabeceras y primera página. Termina con 70 si algo no está bien."""
    from pregon.base.clock import SystemClock
    from pregon.base.durable import Disk
    from pregon.convocatoria import perfiles
    from pregon.instituto import sondeo
    from pregon.sonda.tls import autoridad

    call = perfiles.load(convocatoria)
    seen = sondeo.sondea(
        objetivo,
        call,
        clock=SystemClock(),
        autorizado=autorizado,
        ancho=ancho,
        tls=None if ca is None else autoridad(ca),
    )
    wrong = sondeo.fallas(seen, call)
    data = seen.to_json()
    if destino is not None:
        Disk().write(destino, (json.dumps(data, ensure_ascii=False, indent=2) + "\n").encode())
    if as_json:
        salida.show_json({"ok": not wrong, "fallas": list(wrong), "sondeo": data})
    else:
        typer.echo(f"{seen.anfitrion} ({', '.join(seen.direcciones)}), para {call.id}:")
        for one in seen.puertos:
            mark = "bien " if one.bien else "FALLA"
            typer.echo(f"{mark} puerto {one.puerto}: {one.esta}; debe estar {one.debe}")
        if seen.tls is not None:
            end = f"; certificado hasta el {seen.tls.vence:%Y-%m-%d}" if seen.tls.vence is not None else ""
            typer.echo(f"TLS {', '.join(seen.tls.versiones) or 'ninguno'}{end}")
        if seen.pagina is not None:
            typer.echo(
                f"Primera página: {seen.pagina.segundos:.2f} s, {seen.pagina.bytes:,} bytes, "
                f"{seen.pagina.peticiones} peticiones"
            )
        if seen.subida is not None:
            typer.echo(f"Envía a {seen.subida.mbps:,.1f} Mbit/s ({seen.subida.bytes:,} bytes)")
        for text in wrong:
            typer.echo(f"FALLA {text}")
        typer.echo("Todo está como debe." if not wrong else f"Fallas: {len(wrong)}.")
    if wrong:
        raise typer.Exit(70)
