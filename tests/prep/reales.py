"""The real per-acta files and catalogues, by path below the folder of real data."""

from __future__ import annotations

from typing import Any

import pytest

CAMPECHE = [
    f"campeche-2021/{cut}_PREP_{name}_CAMP/CAMP_{name}_2021.csv"
    for cut in (
        "20210601_1852",
        "20210606_2240",
        "20210606_2320",
        "20210606_2340",
        "20210607_1320",
        "20210607_1440",
        "20210607_2000",
    )
    for name in ("AYUN", "DIP_LOC", "GOB", "JUNTAS")
]
PUEBLA = [
    f"puebla-2024/{cut}/PUE_{name}_2024.csv"
    for cut in (
        "20240512_1956_simulacro",
        "20240517_1500_simulacro",
        "20240517_2100_simulacro",
        "20240519_1210_simulacro",
        "20240519_1430_simulacro",
        "20240526_1120_simulacro",
        "20240526_1740_simulacro",
        "20240526_1800_simulacro",
        "20240603_1800_noche",
        "20240603_2000_noche",
    )
    for name in ("AYUN", "DIP_LOC", "GUB")
    if cut != "20240517_2100_simulacro" or name == "AYUN"
]
QROO = "quintana-roo-2019/QROO_DIP_LOC_2019.csv"
REALES = [*CAMPECHE, *PUEBLA, QROO]
ENSAYOS = [name for name in PUEBLA if "simulacro" in name]
DE_MUESTRA = (ENSAYOS[0], ENSAYOS[11], ENSAYOS[-1])
"""One file of each contest, of three of the eight rehearsals of Puebla: all are of one form, and long."""
CATALOGOS = [
    *(name.replace("_2021.csv", "_CANDIDATURA_2021.csv") for name in CAMPECHE),
    *(f"puebla-2024/candidaturas/PUE_{name}_Candidaturas_2024.csv" for name in ("AYUN", "DIP_LOC", "GUB")),
    "quintana-roo-2019/QROO_DIP_CANDIDATURAS_2019.csv",
    "candidaturas-federal/Cat_Candidatos_Diputado.csv",
    "candidaturas-federal/Diputaciones_candidatura_2021.csv",
    "candidaturas-federal/diputaciones_candidaturas_2018.csv",
]


def every() -> list[Any]:
    """``REALES`` as parameters. Of the rehearsals, all but ``DE_MUESTRA`` wait for ``make aguante``."""
    late = [name for name in ENSAYOS if name not in DE_MUESTRA]
    return [pytest.param(name, marks=pytest.mark.aguante if name in late else ()) for name in REALES]
