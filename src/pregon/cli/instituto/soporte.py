"""``pregon instituto soporte``: what each difusor asked for, by stage and class, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pregon.cli import salida
from pregon.cli.instituto.avisos import Ident, Operador
from pregon.cli.opciones import Espacio, Json, one_of

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.instituto.registro.soporte import Caso, Clase, Soporte

app = typer.Typer(help="Soporte a los difusores, por etapa y clase de problema.", no_args_is_help=True)

Numero = Annotated[int, typer.Argument(metavar="N", help="Número del caso.", show_default=False)]
Texto = Annotated[str, typer.Option("--texto", help="Lo que se respondió.")]


@app.command("abre")
@salida.command
def abre(
    carpeta: Espacio,
    ident: Ident,
    clase: Annotated[
        str, typer.Option("--clase", help="TRANSFERENCIA, INTEGRIDAD, EXTRACCION, REVISION o DESPLIEGUE.")
    ],
    asunto: Annotated[str, typer.Option("--asunto", help="Qué pasa.")],
    quien: Annotated[str, typer.Option("--quien", help="Quién lo pide, del difusor.")],
    codigo: Annotated[str | None, typer.Option("--codigo", help="Código del error que vio el difusor.")] = None,
    etapa: Annotated[
        str | None, typer.Option("--etapa", help="Etapa de la convocatoria. Sin ella, la de ahora.")
    ] = None,
    operador: Operador = "",
    as_json: Json = False,
) -> None:
    """Anota que un difusor pidió apoyo."""
    made = _open(carpeta).abre(
        ident, _class(clase), asunto=asunto, quien=quien, codigo=codigo, etapa=etapa, operador=operador
    )
    _show(made, f"Abierto el caso {made.n} de «{ident}», {made.clase}: {made.etapa}.", as_json=as_json)


@app.command("responde")
@salida.command
def responde(carpeta: Espacio, numero: Numero, texto: Texto, operador: Operador = "", as_json: Json = False) -> None:
    """Anota lo que se le respondió."""
    made = _open(carpeta).responde(numero, texto, operador=operador)
    _show(made, f"Anotado en el caso {made.n}.", as_json=as_json)


@app.command("cierra")
@salida.command
def cierra(carpeta: Espacio, numero: Numero, texto: Texto, operador: Operador = "", as_json: Json = False) -> None:
    """Cierra un caso con su última respuesta."""
    made = _open(carpeta).cierra(numero, texto, operador=operador)
    _show(made, f"Cerrado el caso {made.n}.", as_json=as_json)


@app.command("lista")
@salida.command
def lista(
    carpeta: Espacio,
    textos: Annotated[
        bool, typer.Option("--textos", help="También lo que se escribió y quién. Es confidencial y pide la clave.")
    ] = False,
    abiertos: Annotated[bool, typer.Option("--abiertos", help="Sólo los que no se han cerrado.")] = False,
    as_json: Json = False,
) -> None:
    """Los casos de soporte y cuántos hay de cada etapa y clase."""
    from pregon.instituto.registro.soporte import resumen

    found = tuple(case for case in _open(carpeta).todos(con_textos=textos) if not (abiertos and case.cerrado))
    if as_json:
        salida.show_json({"casos": [_dump(case) for case in found], "resumen": resumen(found)})
        return
    for case in found:
        state = "abierto" if case.cerrado is None else "cerrado"
        typer.echo(f"{case.n:>4}  {state}  {case.difusor}  {case.clase}  {case.etapa}  {case.asunto or ''}".rstrip())
        for answer in case.respuestas:
            typer.echo(f"      {answer.operador}: {answer.texto}")
    for line in resumen(found):
        typer.echo(f"{line['etapa']}: {line['clase']}, {line['casos']} ({line['abiertos']} abiertos)")
    if not found:
        typer.echo("No hay casos de soporte.")


def _open(carpeta: Path) -> Soporte:
    from pregon.instituto import workspace
    from pregon.instituto.registro.soporte import Soporte

    return Soporte(workspace.open_workspace(carpeta))


def _class(word: str) -> Clase:
    from pregon.instituto.registro.soporte import CLASES, INTACTO

    one_of(word, CLASES, que="la clase", intacto=INTACTO)
    return next(one for one in CLASES if one == word)


def _dump(case: Caso) -> dict[str, Any]:
    return {
        **vars(case),
        "abierto": case.abierto.isoformat(),
        "cerrado": None if case.cerrado is None else case.cerrado.isoformat(),
        "respuestas": [{**vars(one), "hora": one.hora.isoformat()} for one in case.respuestas],
    }


def _show(made: Caso, words: str, *, as_json: bool) -> None:
    if as_json:
        salida.show_json(_dump(made))
        return
    typer.echo(words)
