"""Small per-acta files in any dialect, for tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = [
    "CLAVE_CASILLA",
    "CLAVE_ACTA",
    "ID_ESTADO",
    "ESTADO",
    "ID_DISTRITO_LOCAL",
    "DISTRITO_LOCAL",
    "SECCION",
    "ID_CASILLA",
    "TIPO_CASILLA",
    "EXT_CONTIGUA",
    "UBICACION_CASILLA",
    "TIPO_ACTA",
    "TOTAL_BOLETAS_SOBRANTES",
    "TOTAL_PERSONAS_VOTARON",
    "TOTAL_REP_PARTIDO_CI_VOTARON",
    "TOTAL_VOTOS_SACADOS",
    "PAN",
    "PRI",
    "PRD",
    "MC",
    "C_PAN_PRI_PRD",
    "C_PAN_PRI",
    "CAND_IND_1",
    "NO_REGISTRADOS",
    "NULOS",
    "TOTAL_VOTOS_ASENTADO",
    "TOTAL_VOTOS_CALCULADO",
    "LISTA_NOMINAL",
    "REPRESENTANTES_PP_CI",
    "OBSERVACIONES",
    "CONTABILIZADA",
    "MECANISMOS_TRASLADO",
    "SHA",
    "FECHA_HORA_ACOPIO",
    "FECHA_HORA_CAPTURA",
    "FECHA_HORA_VERIFICACION",
    "ORIGEN",
    "DIGITALIZACION",
    "TIPO_DOCUMENTO",
]
VOTES = COLUMNS[16:25]
SUMMARY = {
    "ACTAS_ESPERADAS": "2",
    "ACTAS_REGISTRADAS": "2",
    "ACTAS_FUERA_CATALOGO": "0",
    "ACTAS_CAPTURADAS": "2",
    "PORCENTAJE_ACTAS_CAPTURADAS": "100.0000",
    "ACTAS_CONTABILIZADAS": "2",
    "PORCENTAJE_ACTAS_CONTABILIZADAS": "100.0000",
    "PORCENTAJE_ACTAS_INCONSISTENCIAS": "0.0000",
    "ACTAS_NO_CONTABILIZADAS": "0",
    "LISTA_NOMINAL_ACTAS_CONTABILIZADAS": "800",
    "TOTAL_VOTOS_C_CS": "200",
    "TOTAL_VOTOS_S_CS": "200",
    "PORCENTAJE_PARTICIPACION_CIUDADANA": "25.0000",
}


def row(n: int = 1, **cells: str) -> dict[str, str]:
    """A counted acta of 100 votes; ``cells`` change columns by name."""
    values = dict.fromkeys(COLUMNS, "0")
    values |= dict(zip(VOTES, ["40", "30", "10", "10", "3", "2", "-", "1", "4"], strict=True))
    values |= {
        "CLAVE_CASILLA": f"04{n:04d}B0100",
        "CLAVE_ACTA": f"04{n:04d}B010003",
        "ID_ESTADO": "04",
        "ESTADO": "CAMPECHE",
        "ID_DISTRITO_LOCAL": "001",
        "DISTRITO_LOCAL": "TENABO",
        "SECCION": f"{n:04d}",
        "TIPO_CASILLA": "B",
        "TOTAL_VOTOS_ASENTADO": "100",
        "TOTAL_VOTOS_CALCULADO": "100",
        "LISTA_NOMINAL": "400",
        "REPRESENTANTES_PP_CI": "20",
        "OBSERVACIONES": "",
        "CONTABILIZADA": "1",
        "SHA": f"{n:064x}",
        "FECHA_HORA_ACOPIO": "06/06/2021 20:01:00",
        "FECHA_HORA_CAPTURA": "06/06/2021 20:10:00",
        "FECHA_HORA_VERIFICACION": "06/06/2021 20:20:00",
    }
    unknown = set(cells) - set(COLUMNS)
    assert not unknown, unknown
    return values | cells


@dataclass
class Sample:
    """A file to be: change what a test needs and ``write`` it."""

    titulo: str = "DIPUTACIONES LOCALES"
    corte: str = "06/06/2021 22:40 (UTC-5)"
    sep: str | None = None
    blank: tuple[str, ...] = ()
    after_summary: tuple[str, ...] = ()
    columns: list[str] = field(default_factory=lambda: list(COLUMNS))
    summary: dict[str, str] = field(default_factory=lambda: dict(SUMMARY))
    rows: list[dict[str, str]] = field(default_factory=lambda: [row(1), row(2)])
    delimiter: str = ","
    encoding: str = "utf-8"
    line_end: str = "\n"

    def lines(self) -> list[str]:
        """The physical lines, without ends."""
        join = self.delimiter.join
        found = [] if self.sep is None else [self.sep]
        found += [self.titulo, self.corte, *self.blank, join(self.summary), join(self.summary.values())]
        found += [*self.after_summary, join(self.columns)]
        return found + [join(values.get(c, "") for c in self.columns) for values in self.rows]

    def write(self, path: Path) -> Path:
        """Write the file and give its path back."""
        path.write_bytes((self.line_end.join(self.lines()) + self.line_end).encode(self.encoding))
        return path
