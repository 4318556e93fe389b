"""From the tables of a run to its measures: what each site had in each window, in order."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from pregon.bitacoras import consultas
from pregon.bitacoras.medidas import (
    Archivo,
    Cuenta,
    DeContienda,
    DeCorte,
    Dia,
    MediaHora,
    Medida,
    Medidas,
    Minuto,
    Tiempos,
)
from pregon.bitacoras.robots import browser_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from pregon.bitacoras.cuenta import EnCurso as Corrida

PRIMERAS = 50
"""How many of each list of names are told; totals are of all."""
MAX_NAVEGADORES = 2_000
"""Agents whose browser is asked, by their visits; those of the rest are «Otro»."""
_Clave = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Tablas:
    """The answers of the engine, each by (site, window)."""

    totales: Mapping[_Clave, Mapping[str, int]]
    visitas: Mapping[_Clave, Mapping[str, int]]
    clases: Mapping[str, Mapping[_Clave, tuple[Cuenta, ...]]]
    minutos: Mapping[_Clave, tuple[Minuto, ...]]
    medias_horas: Mapping[_Clave, tuple[MediaHora, ...]]
    dias: Mapping[_Clave, tuple[Dia, ...]]
    cortes: Mapping[_Clave, tuple[DeCorte, ...]]
    contiendas: Mapping[_Clave, tuple[DeContienda, ...]]
    tiempos: Mapping[_Clave, Tiempos]
    extremos: Mapping[_Clave, tuple[int, int]]


def summarise(cuenta: Corrida, *, sitios: Sequence[str], zona: ZoneInfo, now: datetime) -> Medidas:
    """The measures of all that ``cuenta`` has read. ``sitios``: names by number; ``zona``: where a day begins.

    Raises:
        ComprobacionError: the engine failed.
    """
    state = cuenta.estado
    medidas: tuple[Medida, ...] = ()
    outside: tuple[Cuenta, ...] = ()
    if cuenta.contada:
        edges = cuenta.motor.run(
            "select sitio, ventana, min(desde) as desde, max(hasta) as hasta, cast(sum(hits) as bigint) as hits,"
            " cast(sum(bytes) as bigint) as bytes from extremos group by sitio, ventana order by sitio, ventana"
        )
        outside = tuple(Cuenta(sitios[row["sitio"]], row["hits"], row["bytes"]) for row in edges if not row["ventana"])
        inside = {(row["sitio"], row["ventana"]): (row["desde"], row["hasta"]) for row in edges if row["ventana"]}
        tables = _tables(cuenta, inside, zona)
        names = [one.nombre for one in cuenta.corrida.ventanas]
        medidas = tuple(_measure(tables, key, sitios[key[0]], names[key[1] - 1]) for key in sorted(inside))
    return Medidas(
        generado=now,
        zona=zona.key,
        lineas=sum(one.lineas for one in state.leidas),
        malos=sum(one.largas + one.malas for one in state.leidas),
        fuera=outside,
        archivos=tuple(
            Archivo(
                one.ruta.name,
                one.formato.nombre if one.formato is not None else "",
                one.lineas,
                one.largas + one.malas,
                one.incompleta,
            )
            for one in state.leidas
        ),
        ejemplos=tuple(state.ejemplos),
        medidas=medidas,
    )


def _tables(cuenta: Corrida, inside: Mapping[_Clave, tuple[int, int]], zona: ZoneInfo) -> _Tablas:
    motor = cuenta.motor
    motor.rows(f"create table visitas as {consultas.query('visitas')}")
    minutes = _minutes(cuenta)
    classes = {
        word: _grouped(motor.run(consultas.query("por_clase", clase=word)))
        for word in ("estado", "metodo", "protocolo", "tipo", "cache")
    }
    for word, table, column, size, where in (
        ("rutas", "rutas", "ruta", "bytes", "clase = 'servida' and tipo = 'pagina'"),
        ("perdidas", "rutas", "ruta", "bytes", "clase = 'perdida'"),
        ("referentes", "referentes", "anfitrion", "0", "anfitrion <> ''"),
        ("robots", "robots", "nombre", "bytes", "true"),
    ):
        text = consultas.query("primeras", clase=column, tabla=table, bytes=size, donde=where, cuantas=PRIMERAS)
        classes[word] = _grouped(motor.run(text))
    classes["lugares"] = _grouped(motor.run(consultas.query("visitas_lugar")))
    classes["navegadores"], classes["sistemas"] = _browsers(cuenta)
    return _Tablas(
        totales={_key(row): row for row in motor.run(consultas.query("totales"))},
        visitas={_key(row): row for row in motor.run(consultas.query("visitas_total"))},
        clases=classes,
        minutos=minutes,
        medias_horas=_each(
            motor.run(consultas.query("medias_horas")),
            lambda row: MediaHora(row["media_hora"] * 1800, row["visitantes"]),
        ),
        dias=_days(cuenta, minutes, zona),
        cortes=_each(
            motor.run(consultas.query("por_corte")),
            lambda row: DeCorte(row["corte"], row["contienda"], row["hits"], row["bytes"]),
        ),
        contiendas=_each(
            motor.run(consultas.query("por_contienda")),
            lambda row: DeContienda(row["contienda"], row["paginas"], row["hits"], row["bytes"]),
        ),
        tiempos=_times(motor.run(consultas.query("tiempos_total"))),
        extremos=inside,
    )


def _measure(tables: _Tablas, key: _Clave, sitio: str, ventana: str) -> Medida:
    total = tables.totales[key]
    visits = tables.visitas.get(key, {"visitas": 0, "visitantes": 0, "paginas": 0, "segundos": 0})
    begun = visits["visitas"]
    kinds = {word: found.get(key, ()) for word, found in tables.clases.items()}
    return Medida(
        sitio=sitio,
        ventana=ventana,
        desde=tables.extremos[key][0],
        hasta=tables.extremos[key][1],
        hits=total["hits"],
        paginas=total["paginas"],
        visitas=begun,
        visitantes=visits["visitantes"],
        bytes=total["bytes"],
        hits_robots=total["hits_robots"],
        paginas_por_visita=round(visits["paginas"] / begun, 2) if begun else 0.0,
        segundos_por_visita=round(visits["segundos"] / begun, 1) if begun else 0.0,
        estados=tuple(sorted(kinds["estado"], key=lambda one: int(one.nombre))),
        metodos=kinds["metodo"],
        protocolos=kinds["protocolo"],
        tipos=kinds["tipo"],
        cache=kinds["cache"],
        robots=kinds["robots"],
        rutas=kinds["rutas"],
        perdidas=kinds["perdidas"],
        referentes=kinds["referentes"],
        navegadores=kinds["navegadores"],
        sistemas=kinds["sistemas"],
        lugares=kinds["lugares"],
        por_minuto=tables.minutos.get(key, ()),
        por_media_hora=tables.medias_horas.get(key, ()),
        por_dia=tables.dias.get(key, ()),
        por_corte=tables.cortes.get(key, ()),
        por_contienda=tables.contiendas.get(key, ()),
        tiempos=tables.tiempos.get(key),
    )


def _minutes(cuenta: Corrida) -> dict[_Clave, tuple[Minuto, ...]]:
    under_way: dict[_Clave, dict[int, int]] = defaultdict(dict)
    changes = _each(
        cuenta.motor.run(consultas.query("visitas_minuto")), lambda row: (int(row["minuto"]), int(row["cambio"]))
    )
    for key, some in changes.items():
        now = accumulate(change for _, change in some)
        # What holds until the next change: minutes without a hit between are not told, and need not be.
        under_way[key] = dict(zip((minute for minute, _ in some), now, strict=True))
    found: dict[_Clave, tuple[Minuto, ...]] = {}
    asked = _each(cuenta.motor.run(consultas.query("por_minuto")), lambda row: row)
    for key, rows in asked.items():
        steps = sorted(under_way[key].items())
        place, visits, minutes = 0, 0, []
        for row in rows:
            while place < len(steps) and steps[place][0] <= row["minuto"]:
                visits = steps[place][1]
                place += 1
            minutes.append(
                Minuto(row["minuto"] * 60, row["hits"], row["paginas"], row["bytes"], visits, row["errores"])
            )
        found[key] = tuple(minutes)
    return found


def _days(
    cuenta: Corrida, minutes: Mapping[_Clave, tuple[Minuto, ...]], zona: ZoneInfo
) -> dict[_Clave, tuple[Dia, ...]]:
    sums: dict[_Clave, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for key, some in minutes.items():
        for one in some:
            day = datetime.fromtimestamp(one.desde, zona).date().isoformat()
            sums[key][day].update(hits=one.hits, paginas=one.paginas, bytes=one.bytes)
    days = sorted({day for some in sums.values() for day in some})
    cuenta.motor.load_values(
        "dias", {"dia": "varchar", "desde": "bigint", "hasta": "bigint"}, [(day, *_bounds(day, zona)) for day in days]
    )
    for row in cuenta.motor.run(consultas.query("dias_visitas")):
        sums[_key(row)][row["dia"]].update(visitas=row["visitas"], visitantes=row["visitantes"])
    return {
        key: tuple(
            Dia(day, one["hits"], one["paginas"], one["bytes"], one["visitas"], one["visitantes"])
            for day, one in sorted(some.items())
        )
        for key, some in sums.items()
    }


def _bounds(day: str, zona: ZoneInfo) -> tuple[int, int]:
    begin = datetime.fromisoformat(day)
    return tuple(int((begin + timedelta(days=n)).replace(tzinfo=zona).astimezone(UTC).timestamp()) for n in (0, 1))  # type: ignore[return-value]


def _browsers(cuenta: Corrida) -> tuple[dict[_Clave, tuple[Cuenta, ...]], dict[_Clave, tuple[Cuenta, ...]]]:
    rows = cuenta.motor.run(consultas.query("visitas_agente"))
    visits: Counter[int] = Counter()
    for row in rows:
        visits[row["agente"]] += row["visitas"]
    asked = [number for number, _ in visits.most_common(MAX_NAVEGADORES) if number]
    known = {number: browser_of(text) for number, text in cuenta.estado.registro.texts(asked).items()}
    browsers: dict[_Clave, Counter[str]] = defaultdict(Counter)
    systems: dict[_Clave, Counter[str]] = defaultdict(Counter)
    for row in rows:
        one = known.get(row["agente"])
        browsers[_key(row)][one.navegador if one is not None else "Otro"] += row["visitas"]
        systems[_key(row)][one.sistema if one is not None else "Otro"] += row["visitas"]
    return _ranked(browsers), _ranked(systems)


def _ranked(found: Mapping[_Clave, Counter[str]]) -> dict[_Clave, tuple[Cuenta, ...]]:
    return {
        key: tuple(Cuenta(name, n) for name, n in sorted(some.items(), key=lambda one: (-one[1], one[0]))[:PRIMERAS])
        for key, some in found.items()
    }


def _times(rows: Iterable[Mapping[str, int]]) -> dict[_Clave, Tiempos]:
    found: dict[_Clave, Tiempos] = {}
    for key, some in _each(rows, lambda row: (row["ms"], row["hits"])).items():
        n = sum(hits for _, hits in some)
        found[key] = Tiempos(n, _at(some, n, 50), _at(some, n, 95), _at(some, n, 99), some[-1][0])
    return found


def _at(times: Sequence[tuple[int, int]], n: int, share: int) -> int:
    """The least time that ``share`` per cent of the hits do not pass."""
    seen = 0
    for ms, hits in times:
        seen += hits
        if seen * 100 >= n * share:
            return ms
    return times[-1][0]


def _grouped(rows: Iterable[Mapping[str, Any]]) -> dict[_Clave, tuple[Cuenta, ...]]:
    found = _each(rows, lambda row: Cuenta(str(row["clase"]), row["hits"], row["bytes"]))
    return {
        key: tuple(sorted((one for one in some if one.nombre), key=lambda one: (-one.hits, one.nombre)))
        for key, some in found.items()
    }


def _each(rows: Iterable[Mapping[str, Any]], make: Any) -> dict[_Clave, tuple[Any, ...]]:
    found: dict[_Clave, list[Any]] = defaultdict(list)
    for row in rows:
        found[_key(row)].append(make(row))
    return {key: tuple(some) for key, some in found.items()}


def _key(row: Mapping[str, Any]) -> _Clave:
    return row["sitio"], row["ventana"]
