"""``python -m bench.pares.totales_pandas ACTAS.csv [--hallazgos] [--huella]``: totals of a federal file, with pandas.

The answers of ``totals`` down to the district: votes by column, by party after the split of coalition votes in each
district (LGIPE 311.1.c) and by candidatura; actas, lista nominal and turnout; the special votes apart; the nation,
circunscripciones, entidades and districts; the 13 fields; and the findings that whole columns show: totals that are not
the sum of their votes, more votes than people, ties of the split.

As somebody who knows pandas and numpy well would write it: one reading, one group-by over all rows, and all the rest on
the thousand sums that are left, whole arrays at a time. It knows who stands together: every combination contests
everywhere, as in a presidency. Keys, images and dates, which no sum needs, are looked at only with ``--hallazgos``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench.hijos.listo import listo
from bench.pares.lectura import BLANK, COUNTED, DATES, NOT_COUNTED, OUTSIDE, PENDING, percent, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from bench.pares.huella import Renglon

CIRCUNSCRIPCIONES = np.array(
    [0, 2, 1, 1, 3, 2, 5, 3, 1, 4, 1, 2, 4, 5, 1, 5, 5, 4, 1, 2, 3, 4, 2, 3, 2, 1, 1, 3, 2, 4, 3, 3, 2]
)
"""By the number of each entidad."""
ORDINARY = ["B", "C", "E"]
KEYS = ["ID_ENTIDAD", "ID_DISTRITO_FEDERAL", "TIPO_CASILLA", "CONTABILIZADA"]


def main() -> None:
    """Add up, and print the 13 official fields that come from the rows, and how many findings there are."""
    path = Path(sys.argv[1])
    listo()
    every = "--hallazgos" in sys.argv
    table, votes, numbers = read(path, representatives=True, every_finding=every)
    state = table["CONTABILIZADA"]
    sums = table[votes].sum(axis=1).to_numpy()
    findings = {
        "SUMA_VOTOS": wrong_sums(table, state, sums),
        "EXCEDE_SIN_MARCA": too_many(table, state, sums),
    }
    if every:
        findings |= of_texts(table, state)
    notes = table["OBSERVACIONES"].cat.categories
    wrong = notes[notes.str.contains("ILEGIBLE|SIN DATO|EXCEDE")]
    inconsistent = int((table["OBSERVACIONES"].isin(wrong) & (state != OUTSIDE)).sum())

    grouped = table.groupby(KEYS, sort=False, observed=True)
    small = grouped[numbers].sum().astype("int64").assign(actas=grouped.size()).reset_index()
    outside = int(small.loc[small["CONTABILIZADA"] == OUTSIDE, "actas"].sum())
    small = small[small["CONTABILIZADA"] != OUTSIDE]
    counted = small["CONTABILIZADA"] == COUNTED
    columns = ["LISTA_NOMINAL", "TOTAL_VOTOS_CALCULADO", *votes]
    small[columns] = small[columns].where(counted, 0)
    small["esperadas"] = small["actas"]
    small["capturadas"] = small["actas"].where(small["CONTABILIZADA"] != PENDING, 0)
    small["contabilizadas"] = small["actas"].where(counted, 0)
    added = [*columns, "esperadas", "capturadas", "contabilizadas", "con_especiales", "sin_especiales"]
    small["con_especiales"] = small["TOTAL_VOTOS_CALCULADO"]
    small["sin_especiales"] = small["TOTAL_VOTOS_CALCULADO"].where(small["TIPO_CASILLA"] != "S", 0)
    entity, district = (small[name].astype("str").astype("int64").to_numpy() for name in KEYS[:2])
    values = small[added].to_numpy()
    kinds = small["TIPO_CASILLA"].astype("str").to_numpy()

    places, unit = np.unique(entity * 1_000 + district, return_inverse=True)
    units = add(values, unit, len(places))
    first = added.index(votes[0])
    own = units[:, first : first + len(votes)]
    parties, findings["EMPATE_REPARTO"] = split(own, votes)
    names, groups = together(votes)
    standing = own @ groups
    everything = np.hstack([units, parties, standing])
    of_unit = places // 1_000
    levels = {
        "total": (np.zeros(1, "int64"), np.zeros(len(places), "int64")),
        "circunscripcion": np.unique(CIRCUNSCRIPCIONES[of_unit], return_inverse=True),
        "entidad": np.unique(of_unit, return_inverse=True),
        "distrito": (places, np.arange(len(places))),
    }
    totals = {level: add(everything, where, len(ids)) for level, (ids, where) in levels.items()}
    special = ~np.isin(kinds, ORDINARY)
    specials = {
        (level, kind): add(values[chosen], where[unit[chosen]], len(ids))
        for kind in np.unique(kinds[special])
        for chosen in [kinds == kind]
        for level, (ids, where) in levels.items()
    }
    whole = dict(zip(added, totals["total"][0].tolist(), strict=False))
    expected, captured, valid = whole["esperadas"], whole["capturadas"], whole["contabilizadas"]
    fields: dict[str, int | str] = {
        "ACTAS_ESPERADAS": expected,
        "ACTAS_REGISTRADAS": captured + outside,
        "ACTAS_FUERA_CATALOGO": outside,
        "ACTAS_CAPTURADAS": captured,
        "PORCENTAJE_ACTAS_CAPTURADAS": percent(captured, expected),
        "ACTAS_CONTABILIZADAS": valid,
        "PORCENTAJE_ACTAS_CONTABILIZADAS": percent(valid, expected),
        "PORCENTAJE_ACTAS_INCONSISTENCIAS": percent(inconsistent, expected),
        "ACTAS_NO_CONTABILIZADAS": captured - valid,
        "LISTA_NOMINAL_ACTAS_CONTABILIZADAS": whole["LISTA_NOMINAL"],
        "TOTAL_VOTOS_C_CS": whole["con_especiales"],
        "TOTAL_VOTOS_S_CS": whole["sin_especiales"],
        # Before the closing cut turnout leaves out the casillas especiales.
        "PORCENTAJE_PARTICIPACION_CIUDADANA": percent(whole["sin_especiales"], whole["LISTA_NOMINAL"]),
    }
    result: dict[str, object] = {
        "campos": fields,
        "votos": sum(whole[name] for name in votes),
        "hallazgos": findings,
    }
    turnouts = {
        level: [percent(int(row[added.index("sin_especiales")]), int(row[0])) for row in rows]
        for level, rows in totals.items()
    }
    if "--huella" in sys.argv:
        from bench.pares.huella import huella

        alone = [name for name in votes if not name.startswith("C_")]
        figures = [
            *("nominal", "", *(f"columna {name}" for name in votes)),
            *("esperadas", "capturadas", "contabilizadas", "", ""),
            *(f"partido {name}" for name in alone),
            *(f"candidatura {name}" for name in names),
        ]
        apart = ["", "", *votes, "esperadas", "capturadas", "contabilizadas", "", ""]
        rows = [*told(levels, totals, figures, turnouts)]
        for (level, kind), sums_of_kind in specials.items():
            rows += told({level: levels[level]}, {level: sums_of_kind}, apart, None, f" {kind}")
        result["huella"] = huella(fields, rows)
    print(json.dumps(result))


def wrong_sums(table: pd.DataFrame, state: pd.Series, sums: NDArray[np.float64]) -> int:
    """Captured actas whose total is not the sum of their votes, markers as zero."""
    stated = table["TOTAL_VOTOS_CALCULADO"].to_numpy()
    missing = np.isnan(stated)
    counted, captured = (state == COUNTED).to_numpy(), state.isin([COUNTED, NOT_COUNTED]).to_numpy()
    return int((captured & ~missing & (stated != sums)).sum() + (counted & missing & (sums > 0)).sum())


def too_many(table: pd.DataFrame, state: pd.Series, sums: NDArray[np.float64]) -> int:
    """Counted actas with more votes than people on the list and representatives."""
    people = table["LISTA_NOMINAL"].to_numpy()
    most = people + np.nan_to_num(table["REPRESENTANTES_PP_CI"].to_numpy())
    return int(((state == COUNTED).to_numpy() & (people > 0) & (sums > most)).sum())


def of_texts(table: pd.DataFrame, state: pd.Series) -> dict[str, int]:
    """Keys and images that several actas have, images that are no SHA-256, and dates out of order."""
    captured = state.isin([COUNTED, NOT_COUNTED])
    keys = table.loc[state != OUTSIDE, "CLAVE_ACTA"]
    images = table.loc[captured, "CODIGO_INTEGRIDAD"]
    images = images[~images.isin(BLANK)]
    # Each different text is read once: the seconds of a night are few. Minutes, because seconds are not compared.
    codes, texts = pd.factorize(pd.concat([table.loc[captured, name] for name in DATES]))
    stamps = pd.to_datetime(texts, format="%d/%m/%Y %H:%M:%S", errors="coerce").floor("min")
    minutes, blank, bad = (
        values[codes].reshape(len(DATES), -1)
        for values in (stamps.to_numpy().astype("int64"), texts.isin(BLANK), stamps.isna())
    )
    wrong = np.zeros(minutes.shape[1], bool)
    last = np.full(minutes.shape[1], np.iinfo("int64").min)
    for moment, none, no_date in zip(minutes, blank, bad, strict=True):
        wrong |= ~none & (no_date | (moment < last))
        last = np.where(none, last, moment)
    return {
        "CLAVE_REPETIDA": repeated(keys[~keys.isin(BLANK)]),
        "SHA_REPETIDO": repeated(images),
        "SHA_FORMATO": int((~images.str.fullmatch("[0-9a-fA-F]{64}")).sum()),
        "FECHA_RARA": int(wrong.sum()),
    }


def repeated(texts: pd.Series) -> int:
    """How many texts come more than once."""
    return texts[texts.duplicated()].nunique()


def add(values: NDArray[np.int64], where: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """The sums of the rows of ``values`` by the place of each."""
    found = np.zeros((size, values.shape[1]), "int64")
    np.add.at(found, where, values)
    return found


def split(own: NDArray[np.int64], votes: list[str]) -> tuple[NDArray[np.int64], int]:
    """Votes by party in each unit, and how many splits are tied: equal shares; the rest, one by one, by own votes."""
    place = {name: n for n, name in enumerate(votes)}
    found = own.copy()
    ties = 0
    for name in votes:
        if not name.startswith("C_"):
            continue
        members = np.array([place[party] for party in name[2:].split("_")])
        share, left = np.divmod(own[:, place[name]], len(members))
        order = np.argsort(-own[:, members], axis=1, kind="stable")
        ranked = np.take_along_axis(own[:, members], order, axis=1)
        extra = np.empty_like(order)
        np.put_along_axis(extra, order, np.arange(len(members)) < left[:, None], axis=1)
        found[:, members] += share[:, None] + extra
        some = np.flatnonzero(left)
        ties += int((ranked[some, left[some] - 1] == ranked[some, left[some]]).sum())
    return found[:, [n for n, name in enumerate(votes) if not name.startswith("C_")]], ties


def together(votes: list[str]) -> tuple[list[str], NDArray[np.int64]]:
    """The candidaturas, and which columns add up to each: a combination within another stands for the same people."""
    of = {name: name for name in votes}
    for name in sorted((name for name in votes if name.startswith("C_")), key=len):
        for column in votes:
            if set(column.removeprefix("C_").split("_")) <= set(name[2:].split("_")):
                of[column] = name
    names = list(dict.fromkeys(of[name] for name in votes))
    groups = np.zeros((len(votes), len(names)), "int64")
    for n, name in enumerate(votes):
        groups[n, names.index(of[name])] = 1
    return names, groups


def told(
    levels: dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]],
    totals: dict[str, NDArray[np.int64]],
    figures: list[str],
    turnouts: dict[str, list[str]] | None,
    suffix: str = "",
) -> Iterator[Renglon]:
    """Levels as rows of the digest; special votes only where there are some, and an unnamed figure is left out."""
    actas = figures.index("esperadas")
    for level, rows in totals.items():
        for n, row in enumerate(rows.tolist()):
            if not row[actas]:
                continue
            number = int(levels[level][0][n])
            place = {"total": [], "distrito": [number // 1_000, number % 1_000]}.get(level, [number])
            turnout = [] if turnouts is None else [("participacion", turnouts[level][n])]
            yield level + suffix, place, [*(pair for pair in zip(figures, row, strict=True) if pair[0]), *turnout]


if __name__ == "__main__":
    main()
