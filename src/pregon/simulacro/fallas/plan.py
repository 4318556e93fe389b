"""Which faults a rehearsed night has: read from ``plan.toml``, or one of each kind, placed by a seed. Values only.

The unit of time is the update period of the call, as its clauses count: a fault begins just before the cut ``corte`` is
due and ends ``periodos`` cuts later, once it was seen how things stood. ``corte`` 0 is the time before the start.
"""

from __future__ import annotations

import os.path
import random
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, get_args

from pydantic import BeforeValidator, Field, field_validator

from pregon.base.errors import EntradaError, UsoError
from pregon.base.settings import Settings, load_toml
from pregon.convocatoria.tipos import Lista

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.simulacro.plan import Plan, PlannedCut

DelInstituto: TypeAlias = Literal[
    "corte_tarde", "corte_omitido", "instituto_perdido", "instituto_relevado", "instituto_recuperado"
]
DelEnlace: TypeAlias = Literal[
    "corrompido", "truncado", "corte_viejo", "llave_ajena", "enlace_cortado", "enlace_lento", "enlace_con_perdidas"
]
DelEquipo: TypeAlias = Literal["disco_lleno", "reloj", "proceso_muerto", "servidor_muerto"]
DelPublico: TypeAlias = Literal["avalancha", "purga_negada"]
DeUnDifusor: TypeAlias = DelEnlace | DelEquipo | DelPublico
Clase: TypeAlias = DelInstituto | DeUnDifusor
Mata: TypeAlias = Literal["web", "sirve", "todo"]
"""What goes wrong.

Of the institute: ``corte_tarde``: the cut is signed ``minutos`` late. ``corte_omitido``: there is none that period.
``instituto_perdido``: its process is killed before the cut, and another one goes on from what is on disk.
``instituto_relevado``: its machine is lost, and the one that waits takes the night over (``releva``).
``instituto_recuperado``: its machine and the shared database are lost, and a new one rebuilds the repository from what
the difusores show (``recupera``).

Of one difusor: ``corrompido``: one byte of each archive of the newest cut is another. ``truncado``: they end half way.
``corte_viejo``: the repository of two cuts ago is offered again. ``llave_ajena``: what arrives is signed with another
key. ``enlace_cortado``: nothing arrives. ``enlace_lento``: it arrives at ``bytes_s``. ``enlace_con_perdidas``:
transfers break off and begin again. ``disco_lleno``: nothing more can be written. ``reloj``: its clock is
``desfase_min`` off. ``proceso_muerto``: what receives is killed (SIGKILL) and started again at the end.
``servidor_muerto``: what serves is killed (``mata``: its web server, the ``sirve`` that cares for it, or both) and
comes back by its own means.
``avalancha``: ``lectores`` ask for the portal at once and without a pause. ``purga_negada``: the cache before the
difusor's object store refuses to forget.
"""

INSTITUTO = "instituto"
DEL_INSTITUTO: tuple[DelInstituto, ...] = get_args(DelInstituto)
DE_UN_DIFUSOR: tuple[DeUnDifusor, ...] = (*get_args(DelEnlace), *get_args(DelEquipo), *get_args(DelPublico))
DE_UN_INSTANTE = frozenset({"servidor_muerto", "instituto_relevado", "instituto_recuperado"})
"""They happen once and are over within their period."""
_INTACTO = "No se creó nada."


@dataclass(frozen=True, kw_only=True)
class Falla:
    """One fault: ``n`` its number, ``objetivo`` «instituto» or a difusor. The other keys as in ``plan.toml``."""

    n: int
    clase: Clase
    objetivo: str
    corte: int
    periodos: int = 1
    minutos: int = 0
    desfase_min: int = 0
    bytes_s: int = 0
    lectores: int = 0
    mata: Mata | None = None

    @property
    def ultimo(self) -> int:
        """The last period in which it is under way."""
        return self.corte + self.periodos - 1

    def activa(self, corte: int) -> bool:
        """Whether it is under way in that period."""
        return self.corte <= corte <= self.ultimo


@dataclass(frozen=True)
class Periodo:
    """One period of the night: its place from 1, and the cut that is made in it; None where there is none."""

    indice: int
    previsto: PlannedCut
    corte: PlannedCut | None


def _known(clase: object) -> object:
    """Said once; the several kinds of kinds would each say it in turn."""
    if clase not in (*DEL_INSTITUTO, *DE_UN_DIFUSOR):
        raise ValueError(f"no hay esa clase de falla; son {', '.join((*DEL_INSTITUTO, *DE_UN_DIFUSOR))}")
    return clase


class _Entrada(Settings):
    """One ``[[falla]]``. Without ``difusor`` the seed chooses among those that are free then."""

    clase: Annotated[Clase, BeforeValidator(_known)]
    corte: Annotated[int, Field(ge=0, le=500)]
    periodos: Annotated[int, Field(ge=1, le=20)] = 1
    difusor: Annotated[str, Field(pattern=r"^[a-z0-9-]{2,32}$")] | None = None
    minutos: Annotated[int, Field(ge=1, le=120)] | None = None
    desfase_min: Annotated[int, Field(ge=-2880, le=2880)] | None = None
    bytes_s: Annotated[int, Field(ge=10_000, le=1_000_000_000)] | None = None
    lectores: Annotated[int, Field(ge=1, le=64)] | None = None
    mata: Mata | None = None


class PlanFallas(Settings):
    """``plan.toml``."""

    falla: Lista[_Entrada]

    @field_validator("falla")
    @classmethod
    def _some(cls, falla: tuple[_Entrada, ...]) -> tuple[_Entrada, ...]:
        if not falla:  # Not as a least length: that is said too of a list whose only entry is wrong.
            raise ValueError("la lista no puede estar vacía")
        return falla


def lee(path: Path) -> PlanFallas:
    """The plan that a person wrote.

    Raises:
        EntradaError: there is no such file. AjustesError: it is wrong; every problem with its key.
    """
    if not os.path.isfile(path):  # noqa: PTH113 - as a Path it fails where this user may not even look
        raise EntradaError(
            f"No hay ningún plan de fallas en {path}, o este usuario no puede verlo.",
            intacto=_INTACTO,
            que_hacer="Dé con --fallas su archivo TOML, o «todas» (docs/operacion/simulacro.md).",
        )
    return load_toml(path, PlanFallas)


def resuelve(plan: PlanFallas, *, difusores: int, cortes: int, semilla: int, intervalo_min: int) -> tuple[Falla, ...]:
    """The faults of a night of ``cortes`` cuts, each with its target; the same seed chooses the same.

    Raises:
        UsoError: they cannot be done in that night, or two of them would hide one another.
    """
    choose = random.Random(semilla)  # noqa: S311 - chooses who is put to the test
    names = [f"difusor-{n}" for n in range(1, difusores + 1)]
    found: list[Falla] = []
    # Those with a name first: who was not named must not take a place that somebody asked for.
    for n, entry in sorted(enumerate(plan.falla, 1), key=lambda one: one[1].difusor is None):
        fault = _filled(n, entry, intervalo_min)
        if entry.clase in DEL_INSTITUTO:
            if entry.difusor is not None:
                raise _wrong(fault, "es del instituto y no lleva «difusor»")
            target = INSTITUTO
        elif entry.difusor is not None:
            target = entry.difusor
        else:
            free = [name for name in names if not any(_meet(replace(fault, objetivo=name), one) for one in found)]
            if not free:
                raise _wrong(fault, "no queda ningún difusor libre en ese corte")
            target = choose.choice(free)
        found.append(replace(fault, objetivo=target))
    ordered = tuple(sorted(found, key=lambda one: one.n))
    _check(ordered, names, cortes, intervalo_min)
    return ordered


def cortes_para_todas(difusores: int) -> int:
    """How many cuts a night needs for one fault of each kind: the first and the last have none."""
    alone = len(DEL_INSTITUTO)
    shared = -(-(len(DE_UN_DIFUSOR) - 1) // difusores)
    return alone + shared + 2


def todas(*, difusores: int, cortes: int, semilla: int, intervalo_min: int) -> tuple[Falla, ...]:
    """One fault of each kind, placed by the seed: those of the institute alone in their period, the others shared out.

    Raises:
        UsoError: the night has too few cuts.
    """
    needed = cortes_para_todas(difusores)
    if cortes < needed:
        raise UsoError(
            f"Para todas las fallas con {difusores} difusores hacen falta {needed} cortes, y son {cortes}.",
            intacto=_INTACTO,
            que_hacer=f"Use --cortes {needed} o más, o más difusores.",
        )
    choose = random.Random(semilla)  # noqa: S311 - chooses who is put to the test
    slots = list(range(2, cortes))
    choose.shuffle(slots)
    alone, shared = slots[: len(DEL_INSTITUTO)], sorted(slots[len(DEL_INSTITUTO) :])
    entries = [_Entrada(clase=kind, corte=slot) for kind, slot in zip(DEL_INSTITUTO, alone, strict=True)]
    names = [f"difusor-{n}" for n in range(1, difusores + 1)]
    choose.shuffle(names)
    places = [(slot, name) for slot in shared for name in names]
    kinds = [kind for kind in DE_UN_DIFUSOR if kind != "reloj"]
    chosen = places[: len(kinds)] if len(shared) == 1 else choose.sample(places, len(kinds))
    entries += [
        _Entrada(clase=kind, corte=slot, difusor=name) for kind, (slot, name) in zip(kinds, chosen, strict=True)
    ]
    entries.append(_Entrada(clase="reloj", corte=0, difusor=names[-1]))
    plan = PlanFallas(falla=tuple(sorted(entries, key=lambda one: (one.corte, one.clase))))
    return resuelve(plan, difusores=difusores, cortes=cortes, semilla=semilla, intervalo_min=intervalo_min)


def con_fallas(plan: Plan, fallas: Sequence[Falla]) -> tuple[Periodo, ...]:
    """The periods of a night under faults: a late cut has its delay, an omitted one takes no number."""
    periods: list[Periodo] = []
    number = 0
    for index, cut in enumerate(plan.cortes, 1):
        own = [fault for fault in fallas if fault.objetivo == INSTITUTO and fault.activa(index)]
        if any(fault.clase == "corte_omitido" for fault in own):
            periods.append(Periodo(index, cut, None))
            continue
        number += 1
        late = sum(fault.minutos for fault in own)
        made = replace(cut, numero=number, retraso=cut.retraso + timedelta(minutes=late))
        periods.append(Periodo(index, cut, made))
    return tuple(periods)


def previo_a(fault: Falla, fallas: Sequence[Falla]) -> int:
    """The period at whose end the repository lacked the cut that is the newest when ``fault`` begins; <0: none."""
    omitted = {period for one in fallas if one.clase == "corte_omitido" for period in range(one.corte, one.ultimo + 1)}
    newest = fault.corte - 1
    while newest in omitted:
        newest -= 1
    return newest - 1


def _filled(n: int, entry: _Entrada, intervalo_min: int) -> Falla:
    given: dict[str, Any] = {
        key: value
        for key in ("minutos", "desfase_min", "bytes_s", "lectores", "mata")
        if (value := getattr(entry, key)) is not None
    }
    usual: dict[Clase, dict[str, Any]] = {
        "corte_tarde": {"minutos": max(1, intervalo_min // 2)},
        "reloj": {"desfase_min": intervalo_min if entry.corte == 0 else 12 * intervalo_min},
        "enlace_lento": {"bytes_s": 400_000},
        "avalancha": {"lectores": 8},
        "servidor_muerto": {"mata": "todo"},
    }
    wanted = usual.get(entry.clase, {})
    fault = Falla(n=n, clase=entry.clase, objetivo=INSTITUTO, corte=entry.corte, periodos=entry.periodos)
    strange = set(given) - set(wanted)
    if strange:
        raise _wrong(fault, f"no lleva «{min(strange)}»")
    return replace(fault, **{**wanted, **given})


def _check(fallas: tuple[Falla, ...], names: list[str], cortes: int, intervalo_min: int) -> None:
    for fault in fallas:
        if fault.objetivo not in (INSTITUTO, *names):
            raise _wrong(fault, f"es de «{fault.objetivo}», que no está: son {names[0]} … {names[-1]}")
        if fault.ultimo >= cortes:
            raise _wrong(fault, f"debe terminar antes del corte {cortes}, el de cierre, en el que todos se recuperan")
        if (fault.corte == 0) != (fault.clase == "reloj" and fault.corte == 0):
            raise _wrong(fault, "antes del inicio (corte 0) sólo puede fallar el reloj")
        if fault.corte == 0 and fault.periodos != 1:
            raise _wrong(fault, "la falla del corte 0 termina con el inicio: «periodos» es 1")
        if fault.clase == "corte_viejo" and previo_a(fault, fallas) < 0:
            raise _wrong(fault, "antes no hay dos cortes, de los que ofrecer el más viejo")
        if fault.clase in DE_UN_INSTANTE and fault.periodos != 1:
            raise _wrong(fault, "ocurre una vez y termina en su periodo: «periodos» es 1")
        # The package before the start is nowhere to be seen.
        if fault.clase == "instituto_recuperado" and previo_a(fault, fallas) < 0:
            raise _wrong(fault, "antes no hay ningún corte a la vista, del que rehacer el repositorio")
        _check_clock(fault, intervalo_min)
    for one in fallas:
        for other in fallas:
            if one.n < other.n and _meet(one, other):
                raise _wrong(other, f"coincide con la {one.n} ({one.clase}): una ocultaría a la otra")


def _check_clock(fault: Falla, intervalo_min: int) -> None:
    if fault.clase != "reloj":
        return
    most = 2 * intervalo_min
    if fault.corte == 0 and not 5 <= fault.desfase_min <= most:
        raise _wrong(fault, f"antes del inicio el reloj se adelanta de 5 a {most} minutos («desfase_min»)")
    if fault.corte > 0 and 0 <= fault.desfase_min < 2 * most:
        raise _wrong(fault, f"«desfase_min» es negativo o de al menos {2 * most}: menos no se distingue")


def _meet(one: Falla, other: Falla) -> bool:
    """Whether two faults are under way at once where one could hide the other: one target, or the institute's own."""
    together = one.corte <= other.ultimo and other.corte <= one.ultimo
    return together and (one.objetivo == other.objetivo or INSTITUTO in (one.objetivo, other.objetivo))


def _wrong(fault: Falla, problem: str) -> UsoError:
    return UsoError(
        f"La falla {fault.n} ({fault.clase}, corte {fault.corte}) {problem}.",
        intacto=_INTACTO,
        que_hacer="Corrija el plan de fallas (docs/operacion/simulacro.md).",
    )
