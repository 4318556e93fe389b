"""One election two ways: as the official CSV of each contest, and as rows of a database with its mapping."""

from __future__ import annotations

import random
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, DateTime, Integer, MetaData, SmallInteger, String, Table

from pregon.instituto.sql.fuentes import contest_sources
from pregon.prep.model import CAMPOS
from pregon.prep.reader import read_actas
from pregon.tablas.totales import totals
from tests.instituto.conftest import HORA
from tests.prep.muestras import COLUMNS, VOTES, Sample, row

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pregon.instituto.fuentes import ContestSource
    from pregon.instituto.workspace import Workspace
    from tests.instituto_sql.servidores import Base

CONTESTS = {"GUB": "GUBERNATURA", "DIP_LOC": "DIPUTACIONES LOCALES"}
MARKS = {"ILEGIBLE": -1, "SIN DATO": -2, "SIN ACTA": -3, "-": -4}
APART = {"ILEGIBLE": "I", "SIN DATO": "S"}
_NUMBERS = {"ID_DISTRITO_LOCAL": 3, "SECCION": 4}
_COUNTS = {*VOTES, *COLUMNS[12:16], "TOTAL_VOTOS_ASENTADO", "TOTAL_VOTOS_CALCULADO", "LISTA_NOMINAL"}
_DATES = [name for name in COLUMNS if name.startswith("FECHA")]
PEOPLE = [("PAN", "ANA PÉREZ"), ("PRI", "LUIS Ñ"), ("PRD", "ANA PÉREZ"), ("MC", "EVA"), ("C_PAN_PRD", "ANA PÉREZ")]


def rows(seed: int = 7, n: int = 60) -> list[dict[str, str]]:
    """Actas of three districts with every kind of cell, the ones fuera de catálogo last."""
    rng = random.Random(seed)
    found = []
    for i in range(1, n + 1):
        district = i % 3 + 1
        cells = {vote: str(rng.randrange(90)) for vote in VOTES}
        cells["CAND_IND_1"] = "-"
        if i % 11 == 0:
            cells["PRI"], cells["MC"] = "ILEGIBLE", "SIN DATO"
        notes = "ILEGIBLE, SIN DATO" if i % 11 == 0 else ""
        total = str(sum(int(v) for v in cells.values() if v.isdecimal()))
        cells |= {"TOTAL_VOTOS_CALCULADO": total, "TOTAL_VOTOS_ASENTADO": total, "OBSERVACIONES": notes}
        cells |= {
            "ID_DISTRITO_LOCAL": f"{district:03d}",
            "DISTRITO_LOCAL": f"ÑU, «{district}»",
            "SECCION": f"{i // 2:04d}",
        }
        if i % 13 == 0:
            cells |= {"TIPO_CASILLA": "S", "LISTA_NOMINAL": "0"}
        if i % 17 == 0:
            blank = dict.fromkeys((*VOTES, "TOTAL_VOTOS_CALCULADO", "TOTAL_VOTOS_ASENTADO", "CONTABILIZADA"), "")
            cells |= blank | {"SHA": "", **dict.fromkeys(_DATES, "")}
        if i % 19 == 0:
            cells |= dict.fromkeys(VOTES, "SIN ACTA") | {"CONTABILIZADA": "0", "TOTAL_VOTOS_CALCULADO": "0"}
            cells |= {"OBSERVACIONES": "SIN ACTA POR PAQUETE NO ENTREGADO"}
        if i == n:
            cells |= {"CONTABILIZADA": "2", "OBSERVACIONES": "FUERA DE CATÁLOGO"}
        found.append(row(i, **cells))
    return found


def write_csv(folder: Path, name: str, actas: list[dict[str, str]]) -> Path:
    """The official file, with the header that its rows give."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"CAMP_{name}_2021.csv"
    sample = Sample(titulo=CONTESTS[name], corte=f"{HORA:%d/%m/%Y %H:%M} (UTC-5)", rows=actas)
    sample = replace(sample, after_summary=("",), summary=dict.fromkeys(CAMPOS, ""), line_end="\n")
    sample.rows = [{k: f'"{v}"' if "," in v else v for k, v in acta.items()} for acta in actas]
    computed = totals(read_actas(sample.write(path))).recalculado
    sample.summary = {name: str(computed[name]) for name in CAMPOS}
    return sample.write(path)


def write_people(folder: Path, name: str) -> Path:
    """The catalogue, the same people in every district."""
    path = folder / f"CAMP_{name}_CANDIDATURAS_2021.csv"
    lines = ["ID_ESTADO,ID_DISTRITO_LOCAL,PARTIDO_CI,CANDIDATURA_PROPIETARIA"]
    lines += [f"04,{d:03d},{party},{person}" for d in (1, 2, 3) for party, person in PEOPLE]
    path.write_text("\n".join(lines) + "\n")
    return path


def tables() -> MetaData:
    """The institute's own tables: numbers where the official file has padded text, markers as negative numbers."""
    metadata = MetaData()
    for name in CONTESTS:
        columns: list[Column[Any]] = [Column("renglon", Integer, primary_key=True)]
        for column in COLUMNS:
            kind: Any = String(200)
            if column in _COUNTS or column in _NUMBERS:
                kind = Integer()
            elif column == "CONTABILIZADA":
                kind = SmallInteger()
            elif column in _DATES:
                kind = DateTime()
            columns.append(Column(column.lower(), kind))
        Table(f"actas_{name.lower()}", metadata, *columns, Column("mc_marca", String(1)))
    Table(
        "personas",
        metadata,
        Column("n", Integer, primary_key=True),
        *(Column(name, String(80)) for name in ("distrito", "partido", "nombre")),
    )
    return metadata


def db_row(number: int, acta: Mapping[str, str]) -> dict[str, Any]:
    """An acta as its row of the database."""
    values: dict[str, Any] = {"renglon": number, "mc_marca": None}
    for name, cell in acta.items():
        key = name.lower()
        if name == "MC" and cell in APART:
            values |= {"mc_marca": APART[cell], key: 0}
        elif name in _COUNTS or name in _NUMBERS or name == "CONTABILIZADA":
            values[key] = None if not cell else MARKS.get(cell) or int(cell)
        elif name in _DATES:
            values[key] = datetime.strptime(cell, "%d/%m/%Y %H:%M:%S") if cell else None  # noqa: DTZ007
        else:
            values[key] = cell or None
    return values


def load(base: Base, contests: Mapping[str, list[dict[str, str]]], *, seed: int | None = None) -> None:
    """Make the tables again and fill them, in another order than the file's when ``seed`` is given."""
    metadata = tables()
    engine = base.engine()
    with engine.begin() as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)
        for name, actas in contests.items():
            values = [db_row(i, acta) for i, acta in enumerate(actas, start=1)]
            if seed is not None:
                random.Random(seed).shuffle(values)
            connection.execute(metadata.tables[f"actas_{name.lower()}"].insert(), values)
        people = [(f"{d:03d}", party, person) for d in (1, 2, 3) for party, person in PEOPLE]
        names = ("n", "distrito", "partido", "nombre")
        records = [dict(zip(names, (i, *person), strict=True)) for i, person in enumerate(people, start=1)]
        connection.execute(metadata.tables["personas"].insert(), records)
    engine.dispose()


@dataclass
class Fuente:
    """One ``[[fuente]]`` as text; a test changes what it needs."""

    eleccion: str
    origen: str = ""
    url: str = 'url_archivo = "secretos/base.url"'
    orden: str | None = "renglon"
    columnas: dict[str, str] = field(default_factory=dict)
    votos: dict[str, str] = field(default_factory=dict)
    extra: str = ""
    personas: bool = False

    def text(self) -> str:
        columns = {name: f'"{name.lower()}"' for name in COLUMNS if name not in VOTES}
        columns |= {n: f'{{ columna = "{n.lower()}", digitos = {d} }}' for n, d in _NUMBERS.items()}
        columns["ESTADO"] = '{ valor = "CAMPECHE" }'
        columns |= self.columnas
        votes = {name: f'{{ nombre = "{name}", columna = "{name.lower()}" }}' for name in VOTES}
        votes["MC"] = '{ nombre = "MC", columna = "mc", marca = "mc_marca" }'
        votes |= self.votos
        lines = [
            "[[fuente]]",
            f'eleccion = "{self.eleccion}"',
            self.url,
            self.origen or f'tabla = "actas_{self.eleccion.lower()}"',
            f'titulo = "{CONTESTS[self.eleccion]}"',
            f"votos = [{', '.join(votes.values())}]",
            *([] if self.orden is None else [f'orden = ["{self.orden}"]']),
            self.extra,
            "[fuente.columnas]",
            *(f"{name} = {value}" for name, value in columns.items()),
            "[fuente.marcas]",
            *(f'"{value}" = "{mark.replace(" ", "_").replace("-", "NO_CONTIENDE")}"' for mark, value in MARKS.items()),
            "[fuente.marcas_aparte]",
            *(f'{value} = "{mark.replace(" ", "_")}"' for mark, value in APART.items()),
        ]
        if self.personas:
            lines += [
                "[fuente.candidaturas]",
                'tabla = "personas"',
                'orden = ["n"]',
                "[fuente.candidaturas.columnas]",
                'ID_ESTADO = { valor = "04" }',
                'ID_DISTRITO_LOCAL = "distrito"',
                'PARTIDO_CI = "partido"',
                'CANDIDATURA_PROPIETARIA = "nombre"',
            ]
        return "\n".join(lines) + "\n"


def configure(space: Workspace, base: Base, *sources: Fuente, direccion: str | None = None) -> Path:
    """Write the secret and the mapping into the workspace; the path of the secret."""
    secret = space.folder / "secretos" / "base.url"
    secret.parent.mkdir(mode=0o700, exist_ok=True)
    secret.write_text((direccion or base.direccion) + "\n")
    secret.chmod(0o600)
    path = space.folder / "instituto.toml"
    kept = path.read_text().split("[[fuente]]")[0]
    path.write_text(kept + "".join(source.text() for source in sources))
    return secret


def both(**changes: Any) -> tuple[Fuente, ...]:
    """The mapping of the two contests."""
    return tuple(Fuente(name, **changes) for name in CONTESTS)


def first_source(space: Workspace, *, ultimo: bool = False) -> ContestSource:
    """The files of the first contest that the workspace configures; its transaction is over."""
    with closing(contest_sources(space, hora=HORA, ultimo=ultimo, entorno={})) as reading:
        return next(reading)
