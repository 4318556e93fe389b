"""The checks of a simulacro on one difusor. Each asks its public URL and answers a ``Check`` with what it saw."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pregon.instituto import fuentes
from pregon.simulacro.portal import hashes
from pregon.simulacro.result import (
    BYTES_IGUALES,
    NADA_ANTES,
    SIN_MEZCLA,
    TOTALES_IGUALES,
    ULTIMO_PUBLICADO,
    Check,
    SignedCut,
)
from pregon.tablas.totales import totals

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Mapping

    from pregon.paquete.manifest import Manifest
    from pregon.simulacro.plan import PlannedCut
    from pregon.simulacro.portal import Portal, Reader

SAMPLE = 60
"""Files compared per cut and difusor; at the last cut all of them are."""
OK = 200


def content_of(manifest: Manifest | None) -> set[str]:
    """The SHA-256 of every file of a package: what nobody may see before the start."""
    return set() if manifest is None else set(hashes(manifest).values())


def paths_before_the_start(manifest: Manifest | None) -> tuple[str, ...]:
    """Every URL that must give nothing away before the start: all of the package, and the entry files of any."""
    own = () if manifest is None else tuple(hashes(manifest))
    return tuple(dict.fromkeys(("corte.json", "manifiesto.json", "SHA256SUMS", "resumen.txt", *own)))


@dataclass
class BeforeStart:
    """Asks a difusor for the package while it must not show it. ``rounds``: whole passes over every path."""

    portal: Portal
    paths: tuple[str, ...]
    forbidden: set[str]
    rounds: int = 0
    asked: int = 0
    problems: list[str] = field(default_factory=list)

    def ask_all(self, *, still: Callable[[], bool]) -> None:
        """One pass over the cover and every path, as long as ``still`` says that the start has not come."""
        if all(self.ask(ruta, still=still) for ruta in ("", *self.paths)):
            self.rounds += 1

    def ask(self, ruta: str, *, still: Callable[[], bool]) -> bool:
        """One question; False where the start came before its answer, which then is not judged."""
        answer = self.portal.get(ruta)
        if not still():
            return False
        self.asked += 1
        if answer is None:
            self._note(f"/{ruta}: sin respuesta")
        elif answer.sha256 in self.forbidden:
            self._note(f"/{ruta}: entregó contenido del paquete")
        elif ruta and answer.status == OK:
            self._note(f"/{ruta}: contestó 200")
        elif not ruta and (answer.status != OK or not answer.no_store):
            self._note(f"/: contestó {answer.status}, o sin no-store")
        return True

    def _note(self, text: str) -> None:
        if len(self.problems) < 10:
            self.problems.append(text)

    def verdict(self) -> Check:
        if self.problems:
            return Check(NADA_ANTES, ok=False, detalle="; ".join(self.problems))
        if not self.rounds:
            return Check(NADA_ANTES, ok=False, detalle="no alcanzó el tiempo para preguntar antes del inicio")
        return Check(NADA_ANTES, ok=True, detalle=f"{self.asked} preguntas antes del inicio, ningún byte del paquete")


def expected_totals(cut: PlannedCut, *, inconsistencias: str | None) -> dict[str, Any]:
    """By contest id, the object that ``prep totales`` gives for the cut's actas, without findings and lower levels.

    ``inconsistencias``: the profile's own definition, if it fixes one.
    """
    expected = {}
    for files in cut.fuentes:
        source = fuentes.read(fuentes.ContestSource(None, files.actas, files.candidaturas, files.leeme))
        election = source.eleccion.id
        computed = totals(
            source.tabla,
            eleccion=election,
            candidaturas=source.candidaturas,
            incluye_especiales=True if cut.ultimo else None,
            inconsistencias=inconsistencias,
            detalle=False,
        )
        expected[election] = computed.to_json(hasta="unidad")
    return expected


def totals_equal(portal: Portal, expected: Mapping[str, Any]) -> Check:
    """Compare the served ``entidad.json`` of each contest with the totals computed apart."""
    answer = portal.get("corte.json")
    if answer is None or answer.status != OK:
        return Check(TOTALES_IGUALES, ok=False, detalle="corte.json no respondió")
    stamp = json.loads(answer.body)
    served = {contest["id"]: f"{stamp['datos']}{contest['id']}/" for contest in stamp["contiendas"]}
    if set(served) != set(expected):
        return Check(
            TOTALES_IGUALES, ok=False, detalle=f"contiendas servidas {sorted(served)}, esperadas {sorted(expected)}"
        )
    for contest, folder in served.items():
        answer = portal.get(f"{folder}entidad.json")
        if answer is None or answer.status != OK:
            return Check(TOTALES_IGUALES, ok=False, detalle=f"{folder}entidad.json no respondió")
        if json.loads(answer.body) != expected[contest]:
            return Check(TOTALES_IGUALES, ok=False, detalle=f"{contest}: los totales servidos no son los de las actas")
    return Check(TOTALES_IGUALES, ok=True, detalle=f"{len(expected)} contiendas")


def bytes_equal(portal: Portal, manifest: Manifest, choose: random.Random, *, whole: bool) -> Check:
    """Compare served files with the manifest: all of them, or a sample that always has the cover and ``corte.json``."""
    listed = hashes(manifest)
    paths: Iterable[str] = listed
    if not whole and len(listed) > SAMPLE:
        paths = {"index.html", "corte.json", *choose.sample(sorted(listed), SAMPLE)}
    different = []
    count = 0
    for ruta in paths:
        answer = portal.get(ruta)
        count += 1
        if answer is None or answer.status != OK or answer.sha256 != listed[ruta]:
            different.append(ruta)
    if different:
        detail = f"{len(different)} de {count} distintos: {', '.join(different[:5])}"
        return Check(BYTES_IGUALES, ok=False, detalle=detail)
    return Check(BYTES_IGUALES, ok=True, detalle=f"{count} de {len(listed)} archivos comparados")


def unmixed(reader: Reader) -> Check:
    """What the reader that never stops has found so far."""
    problems = reader.problems()
    return Check(
        SIN_MEZCLA,
        ok=not problems and reader.lecturas > 0,
        detalle="; ".join(problems) or f"{reader.lecturas} lecturas",
    )


def last_published(portal: Portal, last: SignedCut, report: Mapping[str, Any]) -> Check:
    """The portal answers the last signed manifest and the difusor's own report names it."""
    answer = portal.get("manifiesto.json")
    shown = answer is not None and answer.sha256 == last.manifiesto_sha256
    cut = report.get("corte") or {}
    said = cut.get("numero") == last.numero and cut.get("manifiesto_sha256") == last.manifiesto_sha256
    return Check(
        ULTIMO_PUBLICADO,
        ok=shown and said,
        detalle=f"muestra el corte {last.numero:04d}: {'sí' if shown else 'no'}; lo declara: {'sí' if said else 'no'}",
    )
