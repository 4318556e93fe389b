"""What the page of a rehearsal shows, out of what was read of its folder. Pure.

How far a cut got at a difusor is decided in this order:

1. There is none in that period, or nobody signed it yet.
2. The difusor said, signed, that it is public (and that it saw it at its own address).
3. It showed a later one: this one is lost there.
4. It told a code since the cut was signed and before the next one was: it refused it, or could not take it.
5. It said, signed, that it came; or nothing yet.

Instants that are compared are the machine's: in a rehearsal each clock may be another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pregon.simulacro.fallas.plan import INSTITUTO
from pregon.simulacro.notas.espera import esperado
from pregon.simulacro.notas.notas import GRADOS
from pregon.simulacro.vivo import palabras
from pregon.simulacro.vivo.modelo import Celda, Columna, Conclusion, Momento, Renglon, Tramo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pregon.base.clock import SimulatedClock
    from pregon.simulacro.fallas.diario import Ocurrida
    from pregon.simulacro.fallas.plan import Falla
    from pregon.simulacro.notas.espera import Esperado
    from pregon.simulacro.vivo.modelo import AcuseLeido, DifusorLeido, EstadoCelda, Fase, Leido

MAX_INCUMPLIDAS: Final = 6
"""Marks that were not met, told on the page; the report has all of them."""


def momento(leido: Leido, reloj: SimulatedClock | None = None) -> Momento:
    """What is shown of ``leido``; ``reloj``: the clock of the rehearsal, that the page goes on with."""
    plan = leido.encargo
    columns = _columnas(leido)
    ended = _ended(leido.resultado)
    under_way = {one.falla.n for one in leido.ocurridas if one.hasta is None and not ended}
    expected = esperado(plan.fallas, difusores=plan.difusores, periodos=len(plan.periodos))
    rows = tuple(_renglon(one, leido, columns, under_way, expected) for one in leido.difusores)
    happened = {one.falla.n: one for one in leido.ocurridas}
    return Momento(
        encargo=plan,
        fase=_fase(leido),
        periodo=max((one.indice for one in columns if one.llego), default=0),
        columnas=columns,
        renglones=rows,
        tramos=tuple(_tramo(one, happened.get(one.n), leido, expected) for one in plan.fallas),
        conclusion=_conclusion(leido),
        faltan=leido.faltan,
        reloj=reloj,
    )


def _fase(leido: Leido) -> Fase:
    if leido.resultado is not None:
        return "terminada"
    if leido.ahora is None:
        return "prepara"
    return "antes" if leido.ahora < leido.encargo.inicio else "noche"


def _columnas(leido: Leido) -> tuple[Columna, ...]:
    signed = {one.numero: one.firmado for one in leido.firmados}
    return tuple(
        Columna(
            indice=one.indice,
            hora=one.hora,
            numero=one.numero,
            firmado=None if one.numero is None else signed.get(one.numero),
            llego=(leido.ahora is not None and leido.ahora >= one.hora) or one.numero in signed,
            fallas=_faults_of(leido.encargo.fallas, INSTITUTO, one.indice),
        )
        for one in leido.encargo.periodos
    )


def _faults_of(fallas: Sequence[Falla], objetivo: str, periodo: int) -> tuple[int, ...]:
    return tuple(one.n for one in fallas if one.objetivo == objetivo and one.activa(periodo))


def _asked(one: Esperado | None) -> frozenset[str]:
    return frozenset() if one is None else one.codigos


def _renglon(
    one: DifusorLeido,
    leido: Leido,
    columns: Sequence[Columna],
    under_way: set[int],
    expected: Mapping[tuple[str, int], Esperado],
) -> Renglon:
    shown = int(one.muestra) if one.muestra is not None and one.muestra.isdecimal() else 0
    newest = max((cut.numero for cut in leido.firmados), default=0)
    cells = tuple(
        _celda(one, place, columns, leido.encargo.fallas, _asked(expected.get((one.id, column.indice))))
        for place, column in enumerate(columns)
    )
    last = one.dichos[-1] if one.dichos else None
    own = tuple(fault.n for fault in leido.encargo.fallas if fault.objetivo == one.id and fault.n in under_way)
    grade, points = _grado(one.id, leido.resultado)
    return Renglon(
        id=one.id,
        url=one.url,
        muestra=one.muestra,
        atras=max(0, newest - shown),
        celdas=cells,
        en_falla=own,
        codigo=last.codigo if last is not None and own and newest > shown else None,
        grado=grade,
        puntos=points,
    )


def _celda(
    one: DifusorLeido, place: int, columns: Sequence[Columna], fallas: Sequence[Falla], asked: frozenset[str]
) -> Celda:
    """``asked``: the codes that the plan expects it to tell in that period."""
    column = columns[place]
    faults = _faults_of(fallas, one.id, column.indice)
    # 1
    if column.numero is None:
        return Celda("sin_corte" if column.llego else "previsto", fallas=faults)
    if column.firmado is None:
        return Celda("previsto", fallas=faults)
    said = {acuse.evento: acuse.real for acuse in reversed(one.acuses) if acuse.corte == column.numero}
    until = next((other.firmado for other in columns[place + 1 :] if other.firmado is not None), None)
    public = said.get("publicado", said.get("visible"))
    # What is said once the cut is public is about something else, unless it is what a fault must make it say.
    code = _code(one, column.firmado, until if public is None else public, frozenset())
    if code is None and asked:
        code = _code(one, column.firmado, until, asked)
    # 2
    if public is not None:
        state: EstadoCelda = "visible" if "visible" in said else "publicado"
        return Celda(state, max(0.0, (public - column.firmado).total_seconds()), code, faults)
    # 3
    if any(acuse.evento == "publicado" and (acuse.corte or 0) > column.numero for acuse in one.acuses):
        return Celda("perdido", codigo=code, fallas=faults)
    # 4, 5
    came = "recibido" in said or "verificado" in said
    if code is not None and not came:
        return Celda("rechazado", codigo=code, fallas=faults)
    return Celda("recibido" if came else "espera", fallas=faults)


def _code(one: DifusorLeido, since: datetime, until: datetime | None, asked: frozenset[str]) -> str | None:
    """What it told in that time: one of ``asked`` that it was telling, or where it has none, one that it began to."""
    return next(
        (
            told.codigo
            for told in one.dichos
            if told.entre(since, until) and (told.codigo in asked if asked else told.desde >= since)
        ),
        None,
    )


# The faults.


def _tramo(
    falla: Falla, happened: Ocurrida | None, leido: Leido, expected: Mapping[tuple[str, int], Esperado]
) -> Tramo:
    name = palabras.nombre(falla.clase)
    wanted = palabras.lo_esperado(falla, expected, leido.encargo.difusores)
    if happened is None:
        return Tramo(falla, name, "prevista", wanted)
    over = happened.hasta_real
    return Tramo(
        falla,
        name,
        "en_curso" if happened.hasta is None and not _ended(leido.resultado) else "terminada",
        wanted,
        _visto(falla, happened, leido, expected.get((falla.objetivo, falla.ultimo))),
        happened.desde,
        happened.hasta,
        happened.desde_real,
        None if over is None else (over - happened.desde_real).total_seconds(),
        _cumplio(falla, happened, leido.resultado),
    )


def _visto(falla: Falla, happened: Ocurrida, leido: Leido, wanted: Esperado | None) -> str:
    over, going = happened.hasta_real, happened.hasta_real is None
    if falla.objetivo == INSTITUTO:
        after = {one.id: _shown(one, over) for one in leido.difusores}
        cut = next((one.numero for one in leido.encargo.periodos if one.indice == falla.ultimo), None)
        signed = next((one.firmado for one in leido.firmados if one.numero == cut), None)
        if going or signed is None:
            return palabras.lo_visto_de_todos(after, en_curso=going)
        before = {one.id: _shown(one, signed) for one in leido.difusores}
        return palabras.lo_visto_de_todos(after, en_curso=False, mientras=before)
    one = next((each for each in leido.difusores if each.id == falla.objetivo), None)
    if one is None:
        return ""
    asked = _asked(wanted)
    codes = sorted(
        {
            told.codigo
            for told in one.dichos
            if told.entre(happened.desde_real, over) and (told.desde >= happened.desde_real or told.codigo in asked)
        }
    )
    back = None
    if over is not None and wanted is not None and wanted.vuelve is not None:
        event = "visible" if wanted.sigue else "publicado"
        when = next((a.real for a in one.acuses if a.evento == event and a.corte == wanted.vuelve), None)
        if when is not None:
            back = (wanted.vuelve, max(0.0, (when - over).total_seconds()))
    return palabras.lo_visto(muestra=_shown(one, over), codigos=codes, vuelve=back, en_curso=going)


def _shown(one: DifusorLeido, at: datetime | None) -> int:
    """The cut that it showed at that instant of the machine; now where None; 0: none yet."""
    public = (acuse for acuse in one.acuses if acuse.evento == "publicado" and (at is None or acuse.real <= at))
    return max((_number(acuse) for acuse in public), default=0)


def _number(acuse: AcuseLeido) -> int:
    return acuse.corte or 0


def _cumplio(falla: Falla, happened: Ocurrida, resultado: Mapping[str, Any] | None) -> bool | None:
    marks = None if resultado is None else resultado.get("notas")
    if not marks:
        return None
    notes = [one for one in marks["notas"] if one["falla"] == falla.n]
    if falla.objetivo == INSTITUTO:
        notes = [one for one in marks["notas"] if one["falla"] is None and _within(one["periodo"], falla)]
    return happened.aplicada and bool(notes) and all(one["cumplio"] for one in notes)


def _within(periodo: int | None, falla: Falla) -> bool:
    return periodo is not None and falla.activa(periodo)


# The end.


def _ended(resultado: Mapping[str, Any] | None) -> bool:
    return resultado is not None


def _grado(ident: str, resultado: Mapping[str, Any] | None) -> tuple[str | None, int | None]:
    if resultado is None:
        return None, None
    if resultado.get("notas"):
        for one in resultado["notas"]["difusores"]:
            if one["id"] == ident:
                return GRADOS.get(one["grado"], str(one["grado"])), int(one["puntos"])
    for one in resultado["difusores"]:
        if one["id"] == ident:
            return None, int(one["nota"])
    return None, None


def _conclusion(leido: Leido) -> Conclusion | None:
    result = leido.resultado
    if result is None:
        return None
    marks = result.get("notas")
    applied = sum(bool(one["aplicada"]) for one in result["fallas"])
    report = None if leido.encargo.informe is None else leido.encargo.informe.name
    if marks:
        notes = marks["notas"]
        missed = [
            *(f"La falla {n} no consta como aplicada: nada prueba." for n in marks["fallas_sin_aplicar"]),
            *(
                f"{one['difusor']}: se esperaba «{one['esperado']}» y «{one['ocurrido']}»."
                for one in notes
                if not one["cumplio"]
            ),
        ]
    else:
        notes = [
            {"cumplio": check["ok"], "texto": f"{one['id']}: {check['codigo']}, {check['detalle']}."}
            for one in result["difusores"]
            for cut in one["cortes"]
            for check in cut["comprobaciones"]
        ]
        missed = [str(one["texto"]) for one in notes if not one["cumplio"]]
    return Conclusion(
        ok=bool(result["ok"]),
        notas=len(notes),
        cumplidas=sum(bool(one["cumplio"]) for one in notes),
        con_notas=bool(marks),
        fallas=len(result["fallas"]),
        aplicadas=applied,
        informe=report,
        incumplidas=tuple(missed[:MAX_INCUMPLIDAS]),
    )
