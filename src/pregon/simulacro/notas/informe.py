"""The signed report of a rehearsed night, as JSON, HTML and PDF, in a folder of its own::

    informe.json  informe.html  informe.pdf
    firma.json     envelope (``trust.sobre``) over ``pregon/simulacro/1``: SHA-256 of each file, the call, the grades
    raiz.json      the root of the institute that signed; metadata/: what leads from it to the key

The three say the same. Who holds the institute's root from elsewhere checks with that one, and not with the copy here:
the keys of a night rehearsed on one machine are made with it and end with it.
"""

from __future__ import annotations

import json
import os.path
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pregon.base.durable import PARCIAL, Disk
from pregon.base.errors import EntradaError, EscrituraError, FirmaError, HashError
from pregon.base.hashing import sha256_bytes
from pregon.base.razones import razon
from pregon.documentos.bloques import Columna, Documento, Lista, Nota, Parrafo, Tabla, Titulo
from pregon.documentos.formas import escribe as en_forma
from pregon.instituto.workspace import RAIZ, open_workspace
from pregon.simulacro.notas.notas import GRADOS
from pregon.simulacro.notas.pagina import pagina
from pregon.trust import keys
from pregon.trust.sobre import MAX_BYTES, paper_keys, read_paper, sign_paper

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.convocatoria.model import Convocatoria
    from pregon.documentos.bloques import Bloque
    from pregon.simulacro.fallas.diario import Ocurrida
    from pregon.simulacro.notas.notas import Calificacion
    from pregon.simulacro.result import NightResult

TIPO = "application/vnd.pregon.simulacro+json"
FORMATO = "pregon/simulacro/1"
JSON, HTML, PDF = "informe.json", "informe.html", "informe.pdf"
FIRMA, RAIZ_COPIADA, METADATOS = "firma.json", "raiz.json", "metadata"
_MAX_FILE = 64 << 20


def exige(salida: Path) -> None:
    """Check, before a night begins, that its report can be written.

    Raises:
        EscrituraError: something is there already, or it cannot be made there. AjustesError: what makes the PDF is not
            installed.
    """
    if os.path.lexists(salida):
        raise EscrituraError(
            f"Ya hay algo en {salida}.",
            intacto="No se escribió nada.",
            que_hacer="Dé con --informe una carpeta que no exista.",
        )
    en_forma(
        Documento(titulo="Prueba", autor="Pregón", fecha=datetime(2000, 1, 1, tzinfo=UTC).date(), bloques=()), "pdf"
    )
    # An hour of rehearsal is not lost for a folder where nobody may write.
    there = next(one for one in salida.absolute().parents if os.path.lexists(one))
    disk, probe = Disk(), there / (salida.name + PARCIAL)
    disk.make_folder(probe)
    disk.remove_tree(probe)


def documento(result: NightResult, call: Convocatoria, hecho: datetime) -> Documento:
    """The report as blocks; ``hecho``: when the night was rehearsed."""
    marks = _marks(result)
    missed = [one for one in marks.notas if not one.cumplio]
    blocks: list[Bloque] = [
        Nota(
            texto="Ensayo en una sola máquina, con datos sintéticos o repetidos: no contiene resultados de ninguna "
            "elección en curso.",
        ),
        Titulo(texto="Conclusión"),
        Parrafo(texto=_conclusion(result, marks), negrita=True),
        Tabla(
            titulo="Preparación de cada difusor",
            columnas=(
                Columna(nombre="Difusor", ancho=2),
                Columna(nombre="Grado", ancho=2.5),
                Columna(nombre="Puntos", clase="numero"),
                Columna(nombre="Notas cumplidas", ancho=1.6),
            ),
            filas=tuple(
                (
                    name,
                    GRADOS[marks.grado(name)],
                    marks.puntos(name),
                    f"{sum(one.cumplio for one in marks.de(name))} de {len(marks.de(name))}",
                )
                for name in marks.difusores
            ),
            nota="Listo: todas sus notas. Con observaciones: al menos 90 de cada 100, y ninguna que falte es de "
            "publicar antes de hora, de continuidad o de integridad.",
        ),
        Titulo(texto="Fallas que se provocaron"),
        _faults(result.fallas, call) if result.fallas else Parrafo(texto="Ninguna: una noche sin fallas."),
        Titulo(texto="Lo que no se cumplió"),
    ]
    if missed or marks.por_aplicar:
        blocks.append(
            Lista(
                elementos=(
                    *(f"La falla {n} no consta como aplicada: nada prueba." for n in marks.por_aplicar),
                    *(
                        f"{one.difusor}: se esperaba «{one.esperado}» y «{one.ocurrido}». {one.evidencia}"
                        for one in missed
                    ),
                )
            )
        )
    else:
        blocks.append(Parrafo(texto="Nada: todas las notas se cumplieron y todas las fallas se aplicaron."))
    if marks.asistencia:
        blocks += [Titulo(texto="Asistencia a los simulacros oficiales"), _attendance(marks)]
    blocks.append(Titulo(texto="Notas"))
    blocks += [_table(marks, name) for name in marks.difusores]
    return Documento(
        titulo=f"Simulacro de {call.nombre}",
        autor=call.instituto_nombre or call.instituto,
        fecha=hecho.astimezone(call.zona).date(),
        bloques=tuple(blocks),
        pie=f"Simulacro · {call.nombre} · semilla {result.semilla}",
        horizontal=True,
        simulacro=True,
    )


def _conclusion(result: NightResult, marks: Calificacion) -> str:
    ready = sum(marks.grado(name) == "listo" for name in marks.difusores)
    met = sum(one.cumplio for one in marks.notas)
    applied = sum(one.aplicada for one in result.fallas)
    faults = f" Se aplicaron {applied} de {len(result.fallas)} fallas." if result.fallas else ""
    return (
        f"{ready} de {len(marks.difusores)} difusores están listos; se cumplieron {met} de {len(marks.notas)} notas en "
        f"{len(result.cortes)} cortes.{faults}"
    )


def _faults(happened: tuple[Ocurrida, ...], call: Convocatoria) -> Tabla:
    zone = call.zona
    return Tabla(
        titulo="Diario de fallas",
        columnas=(
            Columna(nombre="N.º", clase="numero", ancho=0.5),
            Columna(nombre="Falla", ancho=1.8),
            Columna(nombre="A quién", ancho=1.4),
            Columna(nombre="Corte", clase="numero", ancho=0.7),
            Columna(nombre="Desde", ancho=1.3),
            Columna(nombre="Hasta", ancho=1.3),
            Columna(nombre="Qué hizo", ancho=4),
        ),
        filas=tuple(
            (
                one.falla.n,
                one.falla.clase.replace("_", " "),
                one.falla.objetivo,
                one.falla.corte,
                f"{one.desde.astimezone(zone):%d/%m %H:%M:%S}",
                "—" if one.hasta is None else f"{one.hasta.astimezone(zone):%d/%m %H:%M:%S}",
                one.detalle if one.aplicada else f"No consta que se aplicara. {one.detalle}",
            )
            for one in happened
        ),
        nota="Las horas son las del reloj del ensayo. «Corte» cuenta los periodos previstos; el 0 es antes del inicio.",
    )


def _attendance(marks: Calificacion) -> Tabla:
    words = {True: "Sí", False: "No", None: "No es de este ensayo"}
    return Tabla(
        titulo="Asistencia por simulacro oficial",
        columnas=(
            Columna(nombre="Fecha"),
            Columna(nombre="Simulacro", ancho=2),
            Columna(nombre="Obligatorio"),
            Columna(nombre="Difusor", ancho=1.5),
            Columna(nombre="Asistió", ancho=1.5),
            Columna(nombre="Periodos con corte"),
        ),
        filas=tuple(
            (
                row["fecha"],
                row["simulacro"],
                words[row["obligatorio"]],
                row["difusor"],
                words[row["asistio"]],
                row["cortes"] or "—",
            )
            for row in marks.asistencia
        ),
    )


def _table(marks: Calificacion, name: str) -> Tabla:
    return Tabla(
        titulo=f"Notas de {name}",
        hoja=name,
        columnas=(
            Columna(nombre="Cláusula", ancho=1.6),
            Columna(nombre="Corte", clase="numero", ancho=0.7),
            Columna(nombre="Falla", clase="numero", ancho=0.6),
            Columna(nombre="Se esperaba", ancho=3),
            Columna(nombre="Ocurrió", ancho=3),
            Columna(nombre="Evidencia", ancho=2.6),
            Columna(nombre="¿Cumple?", ancho=0.9),
        ),
        filas=tuple(
            (
                ", ".join(one.clausulas) or one.asunto.replace("_", " ").lower(),
                one.periodo,
                one.falla,
                one.esperado,
                one.ocurrido,
                one.evidencia,
                "Sí" if one.cumplio else "No",
            )
            for one in marks.de(name)
        ),
    )


def escribe(
    result: NightResult, call: Convocatoria, instituto: Path, salida: Path, *, hecho: datetime, disk: Disk
) -> str:
    """Write the report into the new folder ``salida``, signed by the institute of the workspace ``instituto``.

    Gives the SHA-256 of ``informe.json``.

    Raises:
        EntradaError: the key of avisos is not at hand. AjustesError: the PDF cannot be made.
        DiscoError, EscrituraError: it could not be written. Nothing is left there.
    """
    paper = documento(result, call, hecho)
    told = {"formato": FORMATO, "hecho": hecho.isoformat(), **result.to_json()}
    files = {
        JSON: (json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode(),
        HTML: pagina(paper).encode(),
        PDF: en_forma(paper, "pdf"),
    }
    workspace = open_workspace(instituto)
    metadata = workspace.repositorio / "metadata"
    root = (instituto / RAIZ).read_bytes()
    marks = _marks(result)
    claim = {
        "formato": FORMATO,
        "convocatoria": result.convocatoria,
        "ambiente": result.ambiente,
        "semilla": result.semilla,
        "hecho": hecho.isoformat(),
        "ok": result.ok,
        "grados": {name: marks.grado(name) for name in marks.difusores},
        "archivos": {name: sha256_bytes(data) for name, data in files.items()},
    }
    ring = keys.load_ring(workspace.llaves, identity=workspace.identity)
    signed = sign_paper(claim, TIPO, ring=ring, allowed=paper_keys(metadata, root))
    proof = {
        f"{METADATOS}/{path.name}": path.read_bytes()
        for path in sorted(metadata.iterdir())
        if path.name.endswith((".root.json", ".targets.json"))
    }
    temporary = salida.with_name(salida.name + PARCIAL)
    disk.remove_tree(temporary)
    try:
        disk.make_folder(temporary / METADATOS)
        for name, data in {**files, FIRMA: signed, RAIZ_COPIADA: root, **proof}.items():
            disk.create(temporary / name, data)
        disk.sync_filesystem(temporary)
        disk.replace(temporary, salida)
    except BaseException:
        disk.remove_tree(temporary)
        raise
    return str(claim["archivos"][JSON])  # type: ignore[index]


def revisa(carpeta: Path, root: bytes | None = None) -> dict[str, Any]:
    """What the signature of a report says, once it and every file were checked. ``root`` None: the copy beside it.

    Raises:
        EntradaError: a file is not there. FirmaError, FormatoError: nobody of that institute signed it.
        HashError: a file is not the one that was signed.
    """
    trusted = _read(carpeta / RAIZ_COPIADA, MAX_BYTES) if root is None else root
    claim = read_paper(_read(carpeta / FIRMA, MAX_BYTES), TIPO, paper_keys(carpeta / METADATOS, trusted))
    listed = claim.get("archivos")
    if claim.get("formato") != FORMATO or not isinstance(listed, dict) or set(listed) != {JSON, HTML, PDF}:
        raise FirmaError(
            "Lo firmado no es un informe de simulacro.",
            intacto="No se cambió nada.",
            que_hacer="Pida el informe a quien lo hizo.",
        )
    for name, digest in listed.items():
        if sha256_bytes(_read(carpeta / name, _MAX_FILE)) != digest:
            raise HashError(
                f"{name} no es el que se firmó.",
                intacto="No se cambió nada.",
                que_hacer="Pida el informe a quien lo hizo; no use éste.",
            )
    return claim


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except OSError as exc:
        raise EntradaError(
            f"No se puede leer {path}: {razon(exc)}.",
            intacto="No se cambió nada.",
            que_hacer="Revise la carpeta del informe.",
        ) from exc


def _marks(result: NightResult) -> Calificacion:
    if result.notas is None:
        raise ValueError("a night without marks has no report")
    return result.notas
