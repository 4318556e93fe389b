"""The gate before signing: every finding of every contest, and whether a person answers for those that block.

What concerns one contest is ``tablas.compuerta``. Here: whether the contests are those of the profile and of the
previous cut (CONTIENDA_REPETIDA, CONTIENDA_AJENA, HORA_DISTINTA, CATALOGO_AJENO), and whether the package about to be
written says one thing everywhere (TOTALES_DISTINTOS: database, JSON and pages).
"""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from typing import TYPE_CHECKING

from pregon.base.errors import FindingsError
from pregon.instituto.datos import base_of
from pregon.instituto.portal.vista_unidad import INDICE, file_id, folder_of_entity, folder_of_unit
from pregon.prep.model import Finding
from pregon.tablas.compuerta import corrected, follows, foreign_entity, review

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from pregon.convocatoria.model import Convocatoria
    from pregon.instituto.base_de_datos import BaseDeDatos
    from pregon.instituto.fuentes import Fuente
    from pregon.instituto.obra import Cuenta
    from pregon.paquete.manifest import Autorizacion
    from pregon.prep.cambios import Cambios
    from pregon.tablas.compuerta import Referencia
    from pregon.tablas.model import ContestTotals, UnitTotals

ENCABEZADO_ORIGEN = "ENCABEZADO_ORIGEN"
HORA_DISTINTA = "HORA_DISTINTA"
SIN_AUTORIZACION = frozenset({"CONTIENDA_REPETIDA", "TOTALES_DISTINTOS"})
"""What nobody can answer for: two files of one election, and a package that contradicts itself."""
_SHOWN = 10
_ALWAYS = "candidaturas"
_TABLES = (_ALWAYS, "partidos")
"""The tables of votes of a page: the first on every one, the other where the call publishes that view."""
_ROW = re.compile(r'<tr role="row"[^>]* data-clave="([^"]*)".*?data-votos="(\d+)"', re.DOTALL)
_COUNTED = re.compile(r'<b data-cifra="contabilizadas">([\d,]+)</b>')


def own(profile: Convocatoria, totals: ContestTotals, entidades: Sequence[str]) -> tuple[Finding, ...]:
    """What a contest shows by itself; ``entidades``: those of its casillas."""
    findings = review(totals, publica_encabezado=profile.paquete.encabezado == "fuente")
    if profile.entidad.numero:
        findings += foreign_entity(entidades, f"{profile.entidad.numero:02d}")
    return findings


def after(totals: ContestTotals, antes: Referencia, cambios: Cambios | None) -> tuple[Finding, ...]:
    """What a contest shows over its previous cut; ``cambios`` None: its table cannot be had."""
    return (*follows(totals, antes), *(() if cambios is None else corrected(cambios)))


def found(
    profile: Convocatoria, contests: Sequence[Cuenta], hora: datetime, antes: frozenset[str] | None
) -> tuple[tuple[str, Finding], ...]:
    """Every finding, with the id of its contest: of each by itself, of all together and over the previous cut.

    ``antes``: ids of the contests of the previous cut, None where there is none.
    """
    findings: list[tuple[str, Finding]] = []
    repeated = Counter(contest.eleccion.id for contest in contests)
    for contest in contests:
        told = [*_place(profile, contest, hora), *contest.propios]
        if repeated[contest.eleccion.id] > 1:
            told.append(_blocks("CONTIENDA_REPETIDA", contest, "hay dos archivos de esta elección"))
        else:
            told += contest.sobre_anterior
        findings += [(contest.eleccion.id, finding) for finding in told]
    for identifier in sorted((antes or frozenset(repeated)) ^ repeated.keys()):
        said = "no estaba en el corte anterior"
        if identifier in (antes or ()):
            said = "estaba en el corte anterior y falta"
        findings.append((identifier, Finding("CATALOGO_AJENO", "bloquea", "elecciones", f"Esta elección {said}.")))
    return tuple(findings)


def decide(findings: Sequence[tuple[str, Finding]], autorizaciones: Sequence[Autorizacion]) -> tuple[Autorizacion, ...]:
    """The authorisations that let something pass, in the order given: those travel in the manifest.

    An authorisation is for its code, in its contest or in all; one for a contest goes before one for all.

    Raises:
        FindingsError: something blocks and nobody answers for it, or nobody can.
    """
    used: set[int] = set()
    blocking: list[tuple[str, Finding]] = []
    for contest, finding in findings:
        if finding.severidad != "bloquea":
            continue
        fitting = [
            index
            for index, item in enumerate(autorizaciones)
            if item.codigo == finding.codigo and item.contienda in (None, contest)
        ]
        if not fitting or finding.codigo in SIN_AUTORIZACION:
            blocking.append((contest, finding))
        else:
            used.add(min(fitting, key=lambda index: autorizaciones[index].contienda is None))
    if blocking:
        shown = [f"{contest}: {f.codigo} en {f.donde}: {f.mensaje}" for contest, f in blocking[:_SHOWN]]
        rest = len(blocking) - len(shown)
        given = (item for index, item in enumerate(autorizaciones) if index not in used)
        spare = sorted({f"{item.codigo} ({item.contienda or 'todas'})" for item in given})
        raise FindingsError(
            f"Hay {len(blocking)} hallazgo(s) que impiden el corte:\n  "
            + "\n  ".join(shown)
            + (f"\n  y {rest} más" if rest else ""),
            intacto="No se firmó nada; el repositorio sigue como estaba y el corte anterior sigue publicado.",
            que_hacer="Corrija los archivos, o autorice cada código con nombre y motivo (--autorizaciones)."
            + (f" De las que dio, no sirven para esto: {', '.join(spare)}." if spare else ""),
        )
    return tuple(item for index, item in enumerate(autorizaciones) if index in used)


def coherent(
    totals: ContestTotals,
    contents: Mapping[str, bytes],
    corte: int,
    base: BaseDeDatos,
    source: Fuente,
    vistas: Collection[str],
) -> Iterator[Finding]:
    """TOTALES_DISTINTOS where the package does not say of a contest what its actas add up to, everywhere alike.

    Read back from the bytes about to be written (``contents``: data files and pages, by route): the database that
    travels verbatim is the file that was read (in another form it was read back when written); the JSON and the page of
    the contest and of each unit have its totals, and their lines add up. ``vistas``: those that the call publishes.
    """
    for route, text in _different(contents, totals, corte, [table for table in _TABLES if table in (_ALWAYS, *vistas)]):
        yield Finding("TOTALES_DISTINTOS", "bloquea", route, text)
    if base.verbatim and base.miembros[source.origen.actas.name] != source.sha256:
        text = f"{source.tabla.origen} cambió después de leerse."
        yield Finding("TOTALES_DISTINTOS", "bloquea", base.descarga.ruta, text)


def _different(
    contents: Mapping[str, bytes], totals: ContestTotals, corte: int, tables: Sequence[str]
) -> Iterator[tuple[str, str]]:
    base = base_of(totals.eleccion, corte)
    whole = json.loads(contents[f"{base}/entidad.json"])
    votes = sum((Counter(unit["contendientes"]) for unit in whole["niveles"][totals.nivel]), Counter[str]())
    if whole["recalculado"] != dict(totals.recalculado) or +votes != +Counter(totals.contendientes):
        yield f"{base}/entidad.json", "los totales no son los de las actas, o no son la suma de sus unidades."
    yield from _page(contents, f"{totals.eleccion}/{INDICE}", totals, totals.entidad, tables)
    for unit in totals.unidades:
        route = f"{base}/{totals.nivel}/{file_id(unit.id)}.json"
        data = json.loads(contents[route])
        if any(data[key] != value for key, value in unit.as_dict().items()):
            yield route, "los totales no son los de las actas."
        yield from _page(
            contents, f"{totals.eleccion}/{folder_of_unit(totals.nivel, unit.id)}/{INDICE}", unit, unit, tables
        )
    for entity in totals.entidades:
        yield from _page(contents, f"{totals.eleccion}/{folder_of_entity(entity.id)}/{INDICE}", entity, entity, tables)


def _page(
    contents: Mapping[str, bytes],
    route: str,
    scope: ContestTotals | UnitTotals,
    level: UnitTotals,
    tables: Sequence[str],
) -> Iterator[tuple[str, str]]:
    text = contents[route].decode()
    counted = _COUNTED.search(text)
    if counted is None or int(counted[1].replace(",", "")) != level.actas.contabilizadas:
        yield route, "las actas contabilizadas no son las de la base de datos."
    for table in tables:
        expected: Mapping[str, int] = getattr(scope, table)
        shown = _table(text, table)
        total = shown.pop("total", None)
        if total != level.total_votos or sum(shown.values()) != total:
            yield route, f"la tabla de {table} no suma los {level.total_votos:,} votos de las actas."
        elif any(expected[key] != votes for key, votes in shown.items() if key in expected):
            yield route, f"la tabla de {table} no tiene los votos de las actas."


def _table(text: str, identifier: str) -> dict[str, int]:
    _, _, rest = text.partition(f'<table class="votos" role="table" id="{identifier}">')
    return {html.unescape(key): int(votes) for key, votes in _ROW.findall(rest.partition("</table>")[0])}


def _place(profile: Convocatoria, contest: Cuenta, hora: datetime) -> Iterator[Finding]:
    if contest.eleccion.id not in profile.contiendas:
        text = f"la convocatoria «{profile.id}» no tiene esta elección ({', '.join(profile.elecciones)})"
        yield _blocks("CONTIENDA_AJENA", contest, text)
    stated = contest.totals.hora_corte
    if stated != hora:
        said, asked = stated.isoformat(timespec="minutes"), hora.isoformat(timespec="minutes")
        yield _blocks(HORA_DISTINTA, contest, f"el archivo dice corte de las {said} y se pide el de las {asked}")


def _blocks(code: str, contest: Cuenta, text: str) -> Finding:
    return Finding(code, "bloquea", contest.origen, text)
