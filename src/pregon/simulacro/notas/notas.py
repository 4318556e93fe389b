"""The marks of a night: each says what was asked of whom, by which clause, what was seen, and whether it is met. Pure.

The same night under the same plan gives the same marks; only their evidence (hours, seconds) is another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pregon.convocatoria.clausulas import clausulas_de, con_clausulas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pregon.simulacro.fallas.diario import Ocurrida
    from pregon.simulacro.fallas.plan import Falla
    from pregon.simulacro.notas.caida import Caida
    from pregon.simulacro.notas.espera import Esperado
    from pregon.simulacro.result import Check

Asunto: TypeAlias = Literal[
    "NADA_ANTES",
    "CORTES_PUBLICADOS",
    "CONTINUIDAD",
    "DISPONIBILIDAD",
    "INTEGRIDAD",
    "TRANSFERENCIA",
    "ULTIMO_CORTE",
    "PURGA",
]
"""What a mark is about: the codes by which the clauses of a call say how they are measured."""
Grado: TypeAlias = Literal["listo", "con_observaciones", "no_listo"]
GRAVES: frozenset[str] = frozenset({"NADA_ANTES", "CONTINUIDAD", "INTEGRIDAD"})
"""One mark of these that is not met, and nobody is ready."""
SUFICIENTE = 90
"""Marks met, of a hundred, from which somebody is ready but for what is told."""
GRADOS: Mapping[Grado, str] = {
    "listo": "Listo",
    "con_observaciones": "Listo, con observaciones",
    "no_listo": "No está listo",
}


@dataclass(frozen=True)
class Visto:
    """What was seen of a difusor in one period. Numbers of cuts: 0 nothing of a package, None no whole signed cut.

    ``segundos``: real ones from the signing to the sight. ``vuelve_s``: from the end of the fault to the newest cut.
    ``silencio_s``: those in which its portal did not answer, where its server was killed on purpose.
    """

    difusor: str
    periodo: int
    muestra: int | None
    mientras: int | None = None
    codigos: tuple[str, ...] = ()
    vuelve: int | None = None
    segundos: float | None = None
    vuelve_s: float | None = None
    silencio_s: float | None = None
    evidencia: str = ""


@dataclass(frozen=True)
class Nota:
    """One mark. ``clausulas``: the ids of the call that ask for it; none where its clauses are not written."""

    difusor: str
    asunto: Asunto
    clausulas: tuple[str, ...]
    periodo: int | None
    falla: int | None
    esperado: str
    ocurrido: str
    evidencia: str
    cumplio: bool

    def to_json(self) -> dict[str, Any]:
        """For ``simulacro --json`` and the report."""
        return {**vars(self), "clausulas": list(self.clausulas)}


@dataclass(frozen=True)
class Calificacion:
    """The marks of a night. ``por_aplicar``: faults that the journal does not show as applied; they prove nothing."""

    difusores: tuple[str, ...]
    notas: tuple[Nota, ...]
    por_aplicar: tuple[int, ...] = ()
    asistencia: tuple[dict[str, Any], ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Every mark is met and every fault was applied."""
        return not self.por_aplicar and bool(self.notas) and all(one.cumplio for one in self.notas)

    def de(self, difusor: str) -> tuple[Nota, ...]:
        """The marks of one."""
        return tuple(one for one in self.notas if one.difusor == difusor)

    def puntos(self, difusor: str) -> int:
        """Marks met, of a hundred, rounded down."""
        own = self.de(difusor)
        return 100 * sum(one.cumplio for one in own) // len(own) if own else 0

    def grado(self, difusor: str) -> Grado:
        """How ready it is."""
        missed = [one for one in self.de(difusor) if not one.cumplio]
        if not missed and self.de(difusor):
            return "listo"
        if self.puntos(difusor) < SUFICIENTE or any(one.asunto in GRAVES for one in missed):
            return "no_listo"
        return "con_observaciones"

    def to_json(self) -> dict[str, Any]:
        """The key ``notas`` of ``simulacro --json``."""
        return {
            "ok": self.ok,
            "fallas_sin_aplicar": list(self.por_aplicar),
            "difusores": [
                {"id": name, "puntos": self.puntos(name), "grado": self.grado(name)} for name in self.difusores
            ],
            "notas": [one.to_json() for one in self.notas],
            "asistencia": list(self.asistencia),
        }


def clausulas_por_asunto(convocatoria: str) -> dict[str, tuple[str, ...]]:
    """The clauses of a call that are measured by each code; empty where nobody wrote them."""
    found: dict[str, list[str]] = {}
    if convocatoria in con_clausulas():
        for clause in clausulas_de(convocatoria):
            for way in clause.como:
                if way.modo == "medicion":
                    found.setdefault(way.dato, []).append(clause.id)
    return {code: tuple(ids) for code, ids in found.items()}


def califica(
    convocatoria: str,
    difusores: Sequence[str],
    *,
    fallas: Sequence[Falla],
    esperados: Mapping[tuple[str, int], Esperado],
    vistos: Mapping[tuple[str, int], Visto],
    antes: Mapping[str, Check],
    mezclas: Mapping[str, Check],
    ultimos: Mapping[str, Check],
    ocurridas: Sequence[Ocurrida],
    transferencia_max_s: float | None,
    caida: Caida,
) -> Calificacion:
    """The marks of the night: what was ``esperado`` beside what was seen.

    ``antes``, ``mezclas`` and ``ultimos``: by difusor, what the questions before the start and its reader found, and
    what it shows at the end. ``transferencia_max_s``: the limit of the profile, from the signing to the sight.
    ``caida``: for how long a portal may be silent.
    """
    judge = _Juez(clausulas_por_asunto(convocatoria), transferencia_max_s, caida)
    notes: list[Nota] = []
    for name in difusores:
        early = next((one for one in fallas if one.corte == 0 and one.objetivo == name), None)
        notes.append(judge.check(name, "NADA_ANTES", antes[name], "nada del paquete antes del inicio", falla=early))
        for period in sorted(period for owner, period in esperados if owner == name):
            notes += judge.period(esperados[name, period], vistos.get((name, period)))
        text = "siempre un corte firmado, entero, y nunca uno anterior"
        notes.append(judge.check(name, "CONTINUIDAD", mezclas[name], text))
        notes.append(judge.check(name, "ULTIMO_CORTE", ultimos[name], "muestra y declara el último corte"))
    applied = {one.falla.n for one in ocurridas if one.aplicada}
    missing = tuple(one.n for one in fallas if one.n not in applied)
    return Calificacion(tuple(difusores), tuple(notes), missing)


class _Juez:
    def __init__(
        self, clausulas: Mapping[str, tuple[str, ...]], transferencia_max_s: float | None, caida: Caida
    ) -> None:
        self._clausulas = clausulas
        self._limit = transferencia_max_s
        self._caida = caida
        self._silencios: dict[str, float] = {}

    def check(self, name: str, asunto: Asunto, found: Check, text: str, *, falla: Falla | None = None) -> Nota:
        seen = text if found.ok else "no se cumplió"
        number = None if falla is None else falla.n
        return Nota(name, asunto, self._of(asunto), None, number, text, seen, found.detalle, found.ok)

    def period(self, wanted: Esperado, seen: Visto | None) -> list[Nota]:
        if seen is None:
            seen = Visto(wanted.difusor, wanted.periodo, None, evidencia="no se miró")
        notes = []
        if wanted.mientras is not None:
            text = f"mientras no llega el corte, {_shows(wanted.mientras)}"
            notes.append(
                self._note(wanted, "CONTINUIDAD", text, f"mientras no llega el corte, {_shows(seen.mientras)}", seen)
            )
        notes.append(self._note(wanted, "CORTES_PUBLICADOS", _shows(wanted.muestra), _shows(seen.muestra), seen))
        if wanted.codigos:
            said = sorted(wanted.codigos.intersection(seen.codigos))
            asked = " o ".join(sorted(wanted.codigos))
            text = f"sigue, y lo dice ({asked})" if wanted.sigue else f"no lo acepta, y lo dice ({asked})"
            told = text if said else f"no lo dijo ({', '.join(seen.codigos) or 'ningún código'})"
            notes.append(self._note(wanted, "PURGA" if wanted.sigue else "INTEGRIDAD", text, told, seen))
        if wanted.vuelve is not None:
            back = "" if seen.vuelve_s is None else f"{seen.vuelve_s:.1f} s después de terminar la falla"
            text = f"al terminar la falla, por sí mismo {_shows(wanted.vuelve)}"
            told = f"al terminar la falla, por sí mismo {_shows(seen.vuelve)}"
            notes.append(self._note(wanted, "PURGA" if wanted.sigue else "CORTES_PUBLICADOS", text, told, seen, back))
        if wanted.silencio is not None:
            notes.append(self._silence(wanted, seen))
        if self._limit is not None and wanted.falla is None and seen.segundos is not None:
            text = f"a la vista en {self._limit:g} s o menos"
            held = seen.segundos <= self._limit
            notes.append(
                self._note(wanted, "TRANSFERENCIA", text, text if held else "tardó más", seen, f"{seen.segundos:.1f} s")
            )
        return notes

    def _silence(self, wanted: Esperado, seen: Visto) -> Nota:
        if wanted.silencio == "ninguno":
            limit, text = 0.0, "su portal no deja de contestar"
        else:
            limit = self._caida.segundos
            text = f"en toda la noche, su portal calla {limit:g} s o menos"
        if seen.silencio_s is None:
            return self._note(wanted, self._caida.asunto, text, "nadie le preguntó", seen, "no se midió")
        whole = self._silencios[wanted.difusor] = self._silencios.get(wanted.difusor, 0.0) + seen.silencio_s
        held = (seen.silencio_s if wanted.silencio == "ninguno" else whole) <= limit
        proof = f"{seen.silencio_s:.1f} s sin contestar; {whole:.1f} s en la noche"
        return self._note(wanted, self._caida.asunto, text, text if held else "calló más tiempo", seen, proof)

    def _note(
        self, wanted: Esperado, asunto: Asunto, text: str, told: str, seen: Visto, evidencia: str | None = None
    ) -> Nota:
        number = None if wanted.falla is None else wanted.falla.n
        proof = seen.evidencia if evidencia is None else evidencia
        return Nota(
            wanted.difusor, asunto, self._of(asunto), wanted.periodo, number, text, told, proof, cumplio=text == told
        )

    def _of(self, asunto: Asunto) -> tuple[str, ...]:
        return self._clausulas.get(asunto, ())


def _shows(number: int | None) -> str:
    if number is None:
        return "no muestra ningún corte firmado"
    return "muestra la página de espera" if number == 0 else f"muestra el corte {number:04d}"
