"""``python -m bench.pares.totales_pandas ACTAS.csv [--huella]``: totals of a federal per-acta file, with pandas.

The script of an analyst who knows the file and the tool: only the columns that are needed, a type for each, categories
for the few repeated texts, the C reader, whole columns at a time, and each level added up from the one below it. It
knows less than Pregón: one dialect, no split of coalition votes, no check of what it reads but that the cells of counts
hold a count or a known marker.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd

from bench.pares.huella import Renglon, huella
from bench.procesos import listo

ABOVE = 5  # title, cut, blank line, names of the header, its values
MARKERS = ["", "-", "ILEGIBLE", "SIN DATO", "SIN ACTA"]
PLACES = ["ID_ENTIDAD", "ID_DISTRITO_FEDERAL", "SECCION"]
COUNTS = ["TOTAL_VOTOS_CALCULADO", "LISTA_NOMINAL"]
TEXTS = [*PLACES, "TIPO_CASILLA", "OBSERVACIONES"]
PENDING, NOT_COUNTED, COUNTED, OUTSIDE = STATES = ["-", "0", "1", "2"]


def percent(part: int, whole: int) -> str:
    """Four decimals, the fourth truncated."""
    if whole == 0:
        return "0.0000"
    units, rest = divmod(part * 1_000_000 // whole, 10_000)
    return f"{units}.{rest:04d}"


def read(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """The needed columns, and the names of those of votes: after the votes taken out, up to the null ones."""
    with path.open(encoding="utf-8") as file:
        names = [file.readline() for _ in range(ABOVE + 1)][-1].rstrip("\n").split(",")
    votes = names[names.index("TOTAL_VOTOS_SACADOS") + 1 : names.index("NULOS") + 1]
    numbers = [*votes, *COUNTS]
    table = pd.read_csv(
        path,
        skiprows=ABOVE,
        usecols=[*numbers, *TEXTS, "CONTABILIZADA"],
        # A number that may be missing is a float in numpy; counts are far below 2**53, so sums are exact.
        dtype={
            **dict.fromkeys(numbers, "float64"),
            **dict.fromkeys(TEXTS, "category"),
            "CONTABILIZADA": pd.CategoricalDtype(STATES),
        },
        na_values=dict.fromkeys(numbers, MARKERS),
        keep_default_na=False,
        engine="c",
    )
    return table, votes


def told(level: str, frame: pd.DataFrame, added: int) -> list[Renglon]:
    """A level as rows of the digest: ids, then counted actas and votes."""
    rows = frame.reset_index().itertuples(index=False)
    return [(level, row[:-added], row[-added], row[1 - added :]) for row in rows]


def main() -> None:
    """Add up, and print the 13 official fields that come from the rows."""
    path = Path(sys.argv[1])
    listo()
    table, votes = read(path)
    state = table["CONTABILIZADA"]
    outside = int((state == OUTSIDE).sum())
    table = table[state != OUTSIDE]
    expected = len(table)
    not_counted = int((table["CONTABILIZADA"] == NOT_COUNTED).sum())
    notes = table["OBSERVACIONES"].cat.categories
    wrong = notes[notes.str.contains("ILEGIBLE|SIN DATO|EXCEDE")]
    inconsistent = int(table["OBSERVACIONES"].isin(wrong).sum())

    counted = table[table["CONTABILIZADA"] == COUNTED].assign(actas=1)
    captured = len(counted) + not_counted
    special = counted["TIPO_CASILLA"] == "S"
    all_votes = int(counted["TOTAL_VOTOS_CALCULADO"].sum())
    without = all_votes - int(counted.loc[special, "TOTAL_VOTOS_CALCULADO"].sum())
    electors = int(counted["LISTA_NOMINAL"].sum())
    fields: dict[str, int | str] = {
        "ACTAS_ESPERADAS": expected,
        "ACTAS_REGISTRADAS": captured + outside,
        "ACTAS_FUERA_CATALOGO": outside,
        "ACTAS_CAPTURADAS": captured,
        "PORCENTAJE_ACTAS_CAPTURADAS": percent(captured, expected),
        "ACTAS_CONTABILIZADAS": len(counted),
        "PORCENTAJE_ACTAS_CONTABILIZADAS": percent(len(counted), expected),
        "PORCENTAJE_ACTAS_INCONSISTENCIAS": percent(inconsistent, expected),
        "ACTAS_NO_CONTABILIZADAS": not_counted,
        "LISTA_NOMINAL_ACTAS_CONTABILIZADAS": electors,
        "TOTAL_VOTOS_C_CS": all_votes,
        "TOTAL_VOTOS_S_CS": without,
        # Before the closing cut turnout leaves out the casillas especiales.
        "PORCENTAJE_PARTICIPACION_CIUDADANA": percent(without, electors),
    }

    added = ["actas", *votes]
    every = table.groupby(PLACES, sort=False, observed=True).size().index
    sections = counted.groupby(PLACES, sort=False, observed=True)[added].sum()
    sections = sections.reindex(every, fill_value=0).astype("int64")  # without counted actas: a row of zeros
    units = sections.groupby(level=[0, 1], sort=False, observed=True).sum()
    entities = units.groupby(level=0, sort=False, observed=True).sum()
    whole = entities.sum()
    result: dict[str, object] = {"campos": fields, "votos": int(whole[votes].sum()), "secciones": len(sections)}

    if "--huella" in sys.argv:
        rows = [("total", (), int(whole["actas"]), whole[votes].tolist())]
        rows += [*told("entidad", entities, len(added)), *told("distrito", units, len(added))]
        result["huella_distritos"] = huella(fields, votes, rows)
        result["huella"] = huella(fields, votes, [*rows, *told("seccion", sections, len(added))])
    print(json.dumps(result))


if __name__ == "__main__":
    main()
