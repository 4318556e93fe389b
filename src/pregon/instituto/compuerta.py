"""The gate before signing: every finding of every contest, and whether a person answers for those that block.

What concerns one contest is ``tablas.compuerta``. Here: whether the contests are those of the profile and of the
previous cut (CONTIENDA_REPETIDA, CONTIENDA_AJENA, HORA_DISTINTA, CATALOGO_AJENO), and whether the package about to be
written says one thing everywhere (TOTALES_DISTINTOS: database, JSON and pages).
"""

from __future__ import annotations

import hashlib
import html
import io
import json
import re
import zipfile
from collections import Counter
from typing import TYPE_CHECKING

from pregon.base.errors import FindingsError
from pregon.instituto.portal.vistas import INDICE, file_id, folder_of_unit
from pregon.prep.archivos import zip_name
from pregon.prep.model import Finding
from pregon.tablas.compuerta import foreign_entity, review

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from pregon.convocatoria.model import Convocatoria
    from pregon.instituto.armado import Contienda
    from pregon.instituto.fuentes import Fuente
    from pregon.instituto.previo import Previo
    from pregon.paquete.manifest import Autorizacion, ManifestHead
    from pregon.paquete.tree import PackageTree
    from pregon.tablas.model import ContestTotals, UnitTotals

ENCABEZADO_ORIGEN = "ENCABEZADO_ORIGEN"
SIN_AUTORIZACION = frozenset({"CONTIENDA_REPETIDA", "TOTALES_DISTINTOS"})
"""What nobody can answer for: two files of one election, and a package that contradicts itself."""
_SHOWN = 10
_TABLES = ("candidaturas", "partidos")
_ROW = re.compile(r'<tr role="row"[^>]* data-clave="([^"]*)".*?data-votos="(\d+)"', re.DOTALL)
_COUNTED = re.compile(r'<b data-cifra="contabilizadas">([\d,]+)</b>')


def found(
    profile: Convocatoria, contests: Sequence[Contienda], hora: datetime, previo: Previo | None
) -> tuple[tuple[str, Finding], ...]:
    """Every finding, with the id of its contest: of each by itself, of all together and over the previous cut.

    Raises:
        DiscoError: the package of the previous cut is damaged.
    """
    published = profile.paquete.encabezado == "fuente"
    findings: list[tuple[str, Finding]] = []
    repeated = Counter(contest.fuente.eleccion.id for contest in contests)
    for contest in contests:
        source = contest.fuente
        own = [*_place(profile, source, hora), *review(contest.totals, publica_encabezado=published)]
        if profile.entidad.numero:
            own += foreign_entity(source.tabla.entidades, f"{profile.entidad.numero:02d}")
        if repeated[source.eleccion.id] > 1:
            own.append(_blocks("CONTIENDA_REPETIDA", source, "hay dos archivos de esta elección"))
        elif previo is not None:
            own += previo.review(contest)
        findings += [(source.eleccion.id, finding) for finding in own]
    if previo is not None:
        for identifier in sorted(previo.contiendas ^ repeated.keys()):
            told = (
                "estaba en el corte anterior y falta"
                if identifier in previo.contiendas
                else "no estaba en el corte anterior"
            )
            findings.append((identifier, Finding("CATALOGO_AJENO", "bloquea", "elecciones", f"Esta elección {told}.")))
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
        raise FindingsError(
            f"Hay {len(blocking)} hallazgo(s) que impiden el corte:\n  "
            + "\n  ".join(shown)
            + (f"\n  y {rest} más" if rest else ""),
            intacto="No se firmó nada; el repositorio sigue como estaba y el corte anterior sigue publicado.",
            que_hacer="Corrija los archivos, o autorice cada código con nombre y motivo (--autorizaciones).",
        )
    return tuple(item for index, item in enumerate(autorizaciones) if index in used)


def coherent(
    profile: Convocatoria, head: ManifestHead, tree: PackageTree, contests: Sequence[Contienda]
) -> tuple[tuple[str, Finding], ...]:
    """TOTALES_DISTINTOS where the package in ``tree`` does not say what its actas add up to, everywhere alike.

    Read back from the bytes about to be written: the database that travels verbatim is the file that was read (in
    another form it was read back when written); the JSON and the page of the contest and of each unit have its
    totals, and their lines add up.
    """
    verbatim = profile.paquete.dialecto is None and profile.paquete.encabezado == "fuente"
    found: list[tuple[str, Finding]] = []
    for contest in contests:
        source = contest.fuente
        different = list(_different(tree, contest, head.corte))
        route = f"base-de-datos/{zip_name(head.hora_corte, source.token, profile.entidad.clave)}"
        if verbatim and not _same_database(b"".join(tree.chunks(route)), source):
            different.append((route, f"{source.tabla.origen} cambió después de leerse."))
        found += [(source.eleccion.id, Finding("TOTALES_DISTINTOS", "bloquea", *told)) for told in different]
    return tuple(found)


def _different(tree: PackageTree, contest: Contienda, corte: int) -> Iterator[tuple[str, str]]:
    totals = contest.totals
    base = f"datos/{corte:04d}/{totals.eleccion}"
    whole = json.loads(b"".join(tree.chunks(f"{base}/entidad.json")))
    votes = sum((Counter(unit["contendientes"]) for unit in whole["niveles"][totals.nivel]), Counter[str]())
    if whole["recalculado"] != dict(totals.recalculado) or +votes != +Counter(totals.contendientes):
        yield f"{base}/entidad.json", "los totales no son los de las actas, o no son la suma de sus unidades."
    yield from _page(tree, f"{totals.eleccion}/{INDICE}", totals, totals.entidad)
    for unit in totals.unidades:
        route = f"{base}/{totals.nivel}/{file_id(unit.id)}.json"
        data = json.loads(b"".join(tree.chunks(route)))
        if any(data[key] != value for key, value in unit.as_dict().items()):
            yield route, "los totales no son los de las actas."
        yield from _page(tree, f"{totals.eleccion}/{folder_of_unit(totals.nivel, unit.id)}/{INDICE}", unit, unit)


def _page(
    tree: PackageTree, route: str, scope: ContestTotals | UnitTotals, level: UnitTotals
) -> Iterator[tuple[str, str]]:
    text = b"".join(tree.chunks(route)).decode()
    counted = _COUNTED.search(text)
    if counted is None or int(counted[1].replace(",", "")) != level.actas.contabilizadas:
        yield route, "las actas contabilizadas no son las de la base de datos."
    for table in _TABLES:
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


def _same_database(data: bytes, source: Fuente) -> bool:
    """Whether the zip holds, byte for byte, the file that was read."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        digest = hashlib.sha256()
        with archive.open(source.origen.actas.name) as member:
            while chunk := member.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest() == source.sha256


def _place(profile: Convocatoria, source: Fuente, hora: datetime) -> Iterator[Finding]:
    if source.eleccion.id not in profile.contiendas:
        text = f"la convocatoria «{profile.id}» no tiene esta elección ({', '.join(profile.elecciones)})"
        yield _blocks("CONTIENDA_AJENA", source, text)
    stated = source.tabla.hora_corte
    if stated != hora:
        said, asked = stated.isoformat(timespec="minutes"), hora.isoformat(timespec="minutes")
        yield _blocks("HORA_DISTINTA", source, f"el archivo dice corte de las {said} y se pide el de las {asked}")


def _blocks(code: str, source: Fuente, text: str) -> Finding:
    return Finding(code, "bloquea", source.tabla.origen, text)
