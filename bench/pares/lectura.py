"""What the scripts with pandas share: reading a federal per-acta file.

By an analyst who knows the file and the tool: only the columns that are needed, a type for each, categories for the few
repeated texts, the C reader. One dialect, and no check of what is read but that cells of counts hold a count or a known
marker. pandas with pyarrow reads faster and starts later: the whole script takes the same (docs/rendimiento.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

ABOVE = 5  # title, cut, blank line, names of the header, its values
MARKERS = ["", "-", "ILEGIBLE", "SIN DATO", "SIN ACTA"]
PLACES = ["ID_ENTIDAD", "ID_DISTRITO_FEDERAL", "SECCION"]
COUNTS = ["TOTAL_VOTOS_CALCULADO", "LISTA_NOMINAL"]
BLANK = ["", "-", "--", "N/A", "n/a"]
UNIQUE = ["CLAVE_ACTA", "CODIGO_INTEGRIDAD"]
DATES = ["FECHA_HORA_ACOPIO", "FECHA_HORA_CAPTURA", "FECHA_HORA_VERIFICACION"]
PENDING, NOT_COUNTED, COUNTED, OUTSIDE = STATES = ["-", "0", "1", "2"]


def percent(part: int, whole: int) -> str:
    """Four decimals, the fourth truncated."""
    if whole == 0:
        return "0.0000"
    units, rest = divmod(part * 1_000_000 // whole, 10_000)
    return f"{units}.{rest:04d}"


def read(
    path: Path, *, sections: bool = False, representatives: bool = False, every_finding: bool = False
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """The columns asked for; the names of those of votes (from the votes taken out to the null ones) and of counts."""
    with path.open(encoding="utf-8") as file:
        names = [file.readline() for _ in range(ABOVE + 1)][-1].rstrip("\n").split(",")
    votes = names[names.index("TOTAL_VOTOS_SACADOS") + 1 : names.index("NULOS") + 1]
    numbers = [*votes, *COUNTS, *(["REPRESENTANTES_PP_CI"] if representatives else [])]
    plain = [*UNIQUE, *DATES] if every_finding else []  # more different texts than a category is quick with
    texts = [*(PLACES if sections else PLACES[:2]), "TIPO_CASILLA", "OBSERVACIONES"]
    table = pd.read_csv(
        path,
        skiprows=ABOVE,
        usecols=[*numbers, *texts, *plain, "CONTABILIZADA"],
        # A number that may be missing is a float in numpy; counts are far below 2**53, so sums are exact.
        dtype={
            **dict.fromkeys(numbers, "float64"),
            **dict.fromkeys(texts, "category"),
            **dict.fromkeys(plain, "str"),
            "CONTABILIZADA": pd.CategoricalDtype(STATES),
        },
        na_values=dict.fromkeys(numbers, MARKERS),
        keep_default_na=False,
        engine="c",
    )
    return table, votes, numbers
