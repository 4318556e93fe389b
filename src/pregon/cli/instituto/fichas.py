"""``pregon instituto difusor``: what each difusor declared, sealed; its key, its logo, its contacts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pregon.base.razones import razon
from pregon.cli import salida
from pregon.cli.instituto.avisos import Ident, Operador, difusor
from pregon.cli.instituto.difusores import Porque, local_since, open_registry, public_part
from pregon.cli.opciones import Espacio, Json, instant_of

if TYPE_CHECKING:
    from pregon.convocatoria.solicitud.modelo import Contacto, Ficha
    from pregon.instituto.registro.almacen import Registro

app = difusor

ArchivoFicha = Annotated[Path, typer.Option("--ficha", help="La ficha, en TOML («difusor plantilla» da una vacía).")]
ArchivoLogo = Annotated[Path | None, typer.Option("--logo", help="El logotipo, que será la liga en la lista pública.")]
SIN_CAMBIO = "El registro sigue como estaba."


@app.command("plantilla")
@salida.command
def plantilla(carpeta: Espacio) -> None:
    """Escribe una ficha vacía con lo que pide el formulario de esta convocatoria."""
    from pregon.convocatoria.solicitud import formulario
    from pregon.instituto import workspace

    sys.stdout.write(formulario.plantilla(workspace.open_workspace(carpeta).convocatoria))


@app.command("clave")
@salida.command
def clave(
    carpeta: Espacio,
    rota: Annotated[bool, typer.Option("--rota", help="Cambia la clave por otra y cifra todo de nuevo.")] = False,
    resella: Annotated[
        bool, typer.Option("--resella", help="Cifra todo de nuevo con la primera clave de la variable.")
    ] = False,
    imprime: Annotated[
        bool, typer.Option("--imprime", help="Sólo escribe una clave nueva, para ponerla en la variable.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Crea la clave con que se cifran los datos confidenciales de los difusores, o la cambia."""
    from pregon.base.errors import UsoError
    from pregon.instituto.registro import rotacion, sello

    if rota + resella + imprime > 1:
        raise UsoError("Elija una sola de --rota, --resella e --imprime.", intacto=SIN_CAMBIO, que_hacer="Repita.")
    if imprime:
        sys.stdout.write(sello.nueva().linea())
        return
    registro = open_registry(carpeta)
    path: Path | None = None
    count = 0
    if rota:
        path, key, count = rotacion.rota(registro)
    elif resella:
        key, count = rotacion.resella(registro)
    else:
        path, key = rotacion.crea(registro)
    if as_json:
        salida.show_json({"archivo": None if path is None else str(path), "clave": key.nombre, "sellos": count})
        return
    if path is not None:
        typer.echo(f"Clave {key.nombre} en {path}. Sin ella nadie lee las fichas: guarde una copia en otro lugar,")
        typer.echo("y no la respalde junto con la base de estado.")
    if count:
        typer.echo(f"Se cifraron de nuevo {count} datos con la clave {key.nombre}; la anterior ya no hace falta.")


@app.command("alta")
@salida.command
def alta(
    carpeta: Espacio,
    ident: Ident,
    ficha: ArchivoFicha,
    logo: ArchivoLogo = None,
    motivo: Porque = "",
    operador: Operador = "",
    as_json: Json = False,
) -> None:
    """Registra a un difusor con su ficha: queda «solicitado»."""
    from pregon.convocatoria.solicitud import formulario
    from pregon.instituto.registro.estados import Mandato

    registro = open_registry(carpeta)
    form, image = _form(ficha), _logo(registro, logo)
    order = Mandato(quien="operador", operador=operador, motivo=motivo)
    made = registro.alta(ident, form, order)
    if image is not None:
        made = registro.pone_logo(ident, *image, order)
    missing = formulario.faltantes(form, registro.workspace.convocatoria)
    in_time = registro.en_plazo(made.alta)
    if as_json:
        salida.show_json(public_part(made) | {"en_plazo": in_time, "faltantes": list(missing)})
        return
    typer.echo(f"Registrado «{ident}»: {made.nombre}, {made.estado}.")
    if not in_time:
        typer.echo("aviso: llegó después del plazo de la convocatoria.", err=True)
    _show_missing(missing)


@app.command("cambia")
@salida.command
def cambia(
    carpeta: Espacio,
    ident: Ident,
    ficha: Annotated[Path | None, typer.Option("--ficha", help="La ficha nueva, en TOML.")] = None,
    logo: ArchivoLogo = None,
    motivo: Porque = "",
    operador: Operador = "",
    as_json: Json = False,
) -> None:
    """Pone otra ficha u otro logotipo en lugar de los que había; el estado no cambia."""
    from pregon.base.errors import UsoError
    from pregon.convocatoria.solicitud import formulario
    from pregon.instituto.registro.estados import Mandato

    if ficha is None and logo is None:
        raise UsoError("Falta qué cambiar.", intacto=SIN_CAMBIO, que_hacer="Agregue --ficha, --logo o los dos.")
    registro = open_registry(carpeta)
    form = None if ficha is None else _form(ficha)
    image = _logo(registro, logo)
    order = Mandato(quien="operador", operador=operador, motivo=motivo)
    made = registro.uno(ident) if form is None else registro.cambia(ident, form, order)
    if image is not None:
        made = registro.pone_logo(ident, *image, order)
    missing = () if form is None else formulario.faltantes(form, registro.workspace.convocatoria)
    if as_json:
        salida.show_json(public_part(made) | {"faltantes": list(missing)})
        return
    typer.echo(f"Cambiado «{ident}»: {made.nombre}, {made.estado}.")
    _show_missing(missing)


@app.command("ficha")
@salida.command
def ficha(
    carpeta: Espacio,
    ident: Ident,
    logo_original: Annotated[
        Path | None, typer.Option("--logo-original", help="Además escribe aquí el «.ai» de su logotipo.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Muestra la ficha entera de un difusor. Es confidencial."""
    from pregon.convocatoria.solicitud import formulario
    from pregon.instituto.registro import nodos

    registro = open_registry(carpeta)
    if logo_original is not None:
        _write_original(registro, ident, logo_original)
    one, form = registro.uno(ident), registro.ficha(ident)
    answers = formulario.respuestas(form, registro.workspace.convocatoria)
    missing = formulario.faltantes(form, registro.workspace.convocatoria)
    nodes = [node.nombre for node in nodos.de(registro.workspace, ident)]
    wrong = nodos.desacuerdos(registro.workspace, ident, form)
    if as_json:
        salida.show_json(
            public_part(one)
            | {
                "confidencial": True,
                "historia": [{**vars(step), "hora": step.hora.isoformat()} for step in one.historia],
                "ficha": form.model_dump(mode="json"),
                "formulario": answers,
                "faltantes": list(missing),
                "nodos": nodes,
                "desacuerdos": list(wrong),
            }
        )
        return
    typer.echo(
        f"CONFIDENCIAL (no la comparta)\n{one.id}: {one.nombre}, {one.estado} desde {local_since(registro, one)}"
    )
    typer.echo(f"  {one.url}")
    for question, answer in answers.items():
        typer.echo(f"  {question}: {answer or 'falta'}")
    for person in form.contacto:
        typer.echo(f"  contacto {person.papel}: {_person(person)}")
    typer.echo(f"  nodos: {', '.join(nodes) or 'ninguno'}")
    for problem in wrong:
        typer.echo(f"  aviso: {problem}", err=True)
    _show_missing(missing)


@app.command("contactos")
@salida.command
def contactos(
    carpeta: Espacio,
    ident: Annotated[
        str | None, typer.Argument(help="Un difusor; sin él, todos.", metavar="ID", show_default=False)
    ] = None,
    hora: Annotated[
        str | None, typer.Option("--hora", help="A qué hora se llamaría (ISO 8601). Ahora, sin ella.")
    ] = None,
    as_json: Json = False,
) -> None:
    """A quién llamar de cada difusor a esa hora, primero quien atiende entonces. Es confidencial."""
    from pregon.convocatoria.solicitud import contactos as reglas

    registro = open_registry(carpeta)
    profile = registro.workspace.convocatoria
    when = registro.workspace.clock.now() if hora is None else instant_of(hora, profile.zona, intacto=SIN_CAMBIO)
    wanted = registro.vigilables() if ident is None else (registro.uno(ident),)
    stage = reglas.etapa_en(profile, when).nombre
    people = {one.id: reglas.para(registro.ficha(one.id), profile, when) for one in wanted}
    if as_json:
        dumped = {key: [person.model_dump(mode="json") for person in value] for key, value in people.items()}
        salida.show_json({"confidencial": True, "etapa": stage, "hora": when.isoformat(), "contactos": dumped})
        return
    typer.echo(f"CONFIDENCIAL. Etapa: {stage}")
    for key, value in people.items():
        for person in value:
            typer.echo(f"{key}: {_person(person)}")
        if not value:
            typer.echo(f"{key}: sin contactos")


@app.command("anexo")
@salida.command
def anexo(
    carpeta: Espacio,
    salida_csv: Annotated[Path, typer.Option("--salida", help="CSV que se escribe; sólo lo podrá leer esta cuenta.")],
    columna: Annotated[
        list[str] | None,
        typer.Option("--columna", help="Una pregunta del formulario; puede repetirse. Sin ella, todas."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Escribe las fichas en una hoja de cálculo, una fila por difusor (DGO-II-f). Es confidencial."""
    from pregon.instituto.registro import anexo as hoja

    registro = open_registry(carpeta)
    columns, count = hoja.escribe(registro, salida_csv, tuple(columna or ()))
    if as_json:
        salida.show_json({"archivo": str(salida_csv), "columnas": list(columns), "difusores": count})
        return
    typer.echo(f"{count} difusores en {salida_csv}, con {len(columns)} columnas. Es confidencial.")


def _form(path: Path) -> Ficha:
    from pregon.base.settings import load_toml
    from pregon.convocatoria.solicitud.modelo import Ficha

    return load_toml(path, Ficha)


def _logo(registro: Registro, path: Path | None) -> tuple[bytes, Any] | None:
    """The bytes of a logo and what was admitted of them; looked at before anything is written."""
    from pregon.base.errors import EntradaError
    from pregon.convocatoria.solicitud import logo

    if path is None:
        return None
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise EntradaError(
            f"No se pudo leer {path}: {razon(exc)}.", intacto=SIN_CAMBIO, que_hacer="Revise la ruta del logotipo."
        ) from exc
    return data, logo.admite(data, registro.workspace.convocatoria.logo.formatos)


def _write_original(registro: Registro, ident: str, path: Path) -> None:
    """Take out the original of a logo that no browser draws, readable by this account alone."""
    from pregon.base.errors import EntradaError

    data = registro.logo_original(ident)
    if data is None:
        raise EntradaError(
            f"El difusor «{ident}» no tiene un original «.ai».",
            intacto="No se escribió nada.",
            que_hacer="El logotipo que se dibuja está en la lista: «pregon instituto lista-publica».",
        )
    registro.workspace.disk.write(path, data, mode=0o600)


def _person(person: Contacto) -> str:
    ways = [way for way in (person.telefono, person.celular, person.correo) if way]
    title = f" ({person.cargo})" if person.cargo else ""
    return f"{person.nombre}{title}; {', '.join(ways)}; {person.horario_texto}"


def _show_missing(missing: tuple[str, ...]) -> None:
    for one in missing:
        typer.echo(f"  falta: {one}", err=True)
