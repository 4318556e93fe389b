"""``pregon instituto difusor``: the state of each difusor; and ``pregon instituto lista-publica``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pregon.cli import salida
from pregon.cli.instituto.avisos import Evidencia, Ident, Motivo, Operador, difusor, show_order
from pregon.cli.opciones import Espacio, Json

if TYPE_CHECKING:
    from pregon.instituto.registro.almacen import Registro
    from pregon.instituto.registro.estados import Estado
    from pregon.instituto.registro.modelo import Inscrito

app = difusor
raiz = typer.Typer()
"""Commands of ``pregon instituto`` itself."""

Porque = Annotated[str, typer.Option("--motivo", help="Por qué; queda en la bitácora.")]


@app.command("lista")
@salida.command
def lista(carpeta: Espacio, as_json: Json = False) -> None:
    """Los difusores registrados y el estado de cada uno; nada confidencial."""
    registro = open_registry(carpeta)
    found = registro.todos()
    if as_json:
        salida.show_json({"difusores": [public_part(one) for one in found]})
        return
    if not found:
        typer.echo("No hay difusores en el registro.")
    for one in found:
        typer.echo(f"{one.id:<20} {one.estado:<11} desde {local_since(registro, one)}  {one.nombre}  {one.url}")


@app.command("admite")
@salida.command
def admite(
    carpeta: Espacio,
    ident: Ident,
    aunque_falte: Annotated[
        bool, typer.Option("--aunque-falte", help="Aunque la ficha no esté completa; pide --motivo.")
    ] = False,
    motivo: Porque = "",
    operador: Operador = "",
    as_json: Json = False,
) -> None:
    """Admite a quien solicitó ser difusor: aparece en la lista pública."""
    from pregon.instituto.registro import orden
    from pregon.instituto.registro.estados import Mandato

    done = orden.admite(
        open_registry(carpeta).workspace,
        ident,
        Mandato(quien="operador", operador=operador, motivo=motivo),
        aunque_falte=aunque_falte,
    )
    show_order(done, as_json=as_json)


@app.command("rechaza")
@salida.command
def rechaza(carpeta: Espacio, ident: Ident, motivo: Porque, operador: Operador = "", as_json: Json = False) -> None:
    """Rechaza una solicitud."""
    _order(carpeta, ident, "rechazado", motivo, operador, orden="rechaza", as_json=as_json)


@app.command("reabre")
@salida.command
def reabre(carpeta: Espacio, ident: Ident, motivo: Porque, operador: Operador = "", as_json: Json = False) -> None:
    """Vuelve a tramitar una solicitud rechazada."""
    _order(carpeta, ident, "solicitado", motivo, operador, orden="reabre", as_json=as_json)


@app.command("activa")
@salida.command
def activa(carpeta: Espacio, ident: Ident, motivo: Porque = "", operador: Operador = "", as_json: Json = False) -> None:
    """Anota que un difusor admitido ya recibe y publica."""
    _order(carpeta, ident, "activo", motivo, operador, orden="activa", as_json=as_json)


@app.command("bloquea")
@salida.command
def bloquea(
    carpeta: Espacio,
    ident: Ident,
    motivo: Motivo,
    texto: Annotated[str | None, typer.Option("--texto", help="Lo que leerá la ciudadanía en ese sitio.")] = None,
    evidencia: Evidencia = None,
    operador: Operador = "",
    as_json: Json = False,
) -> None:
    """Bloquea a un difusor cuyo sitio sufrió un ataque: firma el aviso de que ya no es válido."""
    _order(
        carpeta,
        ident,
        "bloqueado",
        motivo,
        operador,
        orden="bloquea",
        as_json=as_json,
        texto=texto,
        evidencia=evidencia,
    )


@app.command("baja")
@salida.command
def baja(
    carpeta: Espacio,
    ident: Ident,
    motivo: Motivo,
    texto: Annotated[str | None, typer.Option("--texto", help="Lo que leerá la ciudadanía en ese sitio.")] = None,
    evidencia: Evidencia = None,
    operador: Operador = "",
    as_json: Json = False,
) -> None:
    """Da de baja a un difusor. Es definitiva, salvo fuerza mayor o caso fortuito («exceptua»)."""
    _order(carpeta, ident, "baja", motivo, operador, orden="baja", as_json=as_json, texto=texto, evidencia=evidencia)


@app.command("exceptua")
@salida.command
def exceptua(
    carpeta: Espacio,
    ident: Ident,
    motivo: Motivo,
    evidencia: Evidencia = None,
    operador: Operador = "",
    as_json: Json = False,
) -> None:
    """Deja sin efecto una baja por fuerza mayor o caso fortuito que el instituto valoró: vuelve a «admitido»."""
    _order(carpeta, ident, "admitido", motivo, operador, orden="exceptua", as_json=as_json, evidencia=evidencia)


@app.command("concluye")
@salida.command
def concluye(
    carpeta: Espacio, ident: Ident, motivo: Porque = "", operador: Operador = "", as_json: Json = False
) -> None:
    """Anota que terminó la participación de un difusor, después de la permanencia."""
    _order(carpeta, ident, "concluido", motivo, operador, orden="concluye", as_json=as_json)


@raiz.command("lista-publica")
@salida.command
def lista_publica(
    carpeta: Espacio,
    salida_dir: Annotated[Path, typer.Option("--salida", help="Carpeta del sitio del instituto en que se escribe.")],
    as_json: Json = False,
) -> None:
    """Escribe la lista pública de difusores: página con logotipos que enlazan, y JSON."""
    from pregon.instituto.registro import lista as publica

    lines = publica.escribe(open_registry(carpeta).workspace, salida_dir)
    linked = sum(line.url is not None for line in lines)
    if as_json:
        shown = [{"id": line.id, "estado": line.como, "url": line.url} for line in lines]
        salida.show_json({"carpeta": str(salida_dir), "difusores": shown})
        return
    typer.echo(f"Lista pública en {salida_dir / publica.PAGINA}: {len(lines)} difusores, {linked} con enlace.")


def _order(
    carpeta: Path,
    ident: str,
    nuevo: Estado,
    motivo: str,
    operador: str,
    *,
    orden: str,
    as_json: bool,
    texto: str | None = None,
    evidencia: list[str] | None = None,
) -> None:
    from pregon.instituto.registro.estados import Mandato
    from pregon.instituto.registro.orden import ordena

    order = Mandato(quien="operador", operador=operador, motivo=motivo, evidencia=tuple(evidencia or ()))
    done = ordena(open_registry(carpeta).workspace, ident, nuevo, order, texto=texto, orden=orden)
    show_order(done, as_json=as_json)


def open_registry(carpeta: Path) -> Registro:
    """The registry of a workspace."""
    from pregon.instituto import workspace
    from pregon.instituto.registro.almacen import Registro

    return Registro(workspace.open_workspace(carpeta))


def public_part(one: Inscrito) -> dict[str, Any]:
    """What of a difusor is not confidential, for ``--json``."""
    return {
        "id": one.id,
        "nombre": one.nombre,
        "url": one.url,
        "estado": one.estado,
        "desde": one.desde.isoformat(),
        "alta": one.alta.isoformat(),
        "logo": one.logo,
    }


def local_since(registro: Registro, one: Inscrito) -> str:
    """Since when it is in its state, as people of the call read hours."""
    return f"{one.desde.astimezone(registro.workspace.convocatoria.zona):%d/%m/%Y %H:%M}"
