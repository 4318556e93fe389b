"""``python -m bench.pares.columnas_pandas ACTAS.csv [--huella]``: sums of the columns of a federal file, with pandas.

Less than ``totales_pandas``: votes by column down to the sección and the 13 fields; no split, no kinds of casilla, no
findings.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.hijos.listo import listo
from bench.pares.lectura import COUNTED, NOT_COUNTED, OUTSIDE, PLACES, percent, read

if TYPE_CHECKING:
    import pandas as pd

    from bench.pares.huella import Renglon


def told(level: str, frame: pd.DataFrame, added: list[str]) -> list[Renglon]:
    """A level as rows of the digest: ids, then counted actas and votes."""
    size = len(added)
    rows = frame.reset_index().itertuples(index=False)
    return [(level, row[:-size], list(zip(added, row[-size:], strict=True))) for row in rows]


def main() -> None:
    """Add up, and print the 13 official fields that come from the rows."""
    path = Path(sys.argv[1])
    listo()
    table, votes, _ = read(path, sections=True)
    state = table["CONTABILIZADA"]
    outside = int((state == OUTSIDE).sum())
    table = table[state != OUTSIDE]
    expected = len(table)
    not_counted = int((table["CONTABILIZADA"] == NOT_COUNTED).sum())
    notes = table["OBSERVACIONES"].cat.categories
    wrong = notes[notes.str.contains("ILEGIBLE|SIN DATO|EXCEDE")]
    inconsistent = int(table["OBSERVACIONES"].isin(wrong).sum())

    counted = table[table["CONTABILIZADA"] == COUNTED].assign(contabilizadas=1)
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

    added = ["contabilizadas", *votes]
    every = table.groupby(PLACES, sort=False, observed=True).size().index
    sections = counted.groupby(PLACES, sort=False, observed=True)[added].sum()
    sections = sections.reindex(every, fill_value=0).astype("int64")  # without counted actas: a row of zeros
    units = sections.groupby(level=[0, 1], sort=False, observed=True).sum()
    entities = units.groupby(level=0, sort=False, observed=True).sum()
    whole = entities.sum()
    result: dict[str, object] = {"campos": fields, "votos": int(whole[votes].sum())}
    if "--huella" in sys.argv:
        from bench.pares.huella import huella

        rows: list[Renglon] = [("total", (), list(zip(added, whole[added].tolist(), strict=True)))]
        rows += [*told("entidad", entities, added), *told("distrito", units, added)]
        result["huella_columnas"] = huella(fields, [*rows, *told("seccion", sections, added)])
    print(json.dumps(result))


if __name__ == "__main__":
    main()
