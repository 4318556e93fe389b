"""What each column of a per-acta file is: roles by name in every vocabulary seen, vote columns by position.

Names change by year and institute (real-data.md §3, prep.md §2.3). Only the vote columns have free names, so they are
taken by position: after TOTAL_VOTOS_SACADOS, up to and including NULOS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from pregon.prep.text import fold

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from pregon.prep.marcas import Nivel

Clase: TypeAlias = Literal["partido", "coalicion", "comun", "independiente", "no_registradas", "nulos"]

# Every name a role has had, folded, in order of preference.
_ROLES: dict[str, tuple[str, ...]] = {
    "clave_casilla": ("CLAVE_CASILLA",),
    "entidad_id": ("ID_ESTADO", "ID_ENTIDAD"),
    "entidad_nombre": ("ESTADO", "ENTIDAD", "NOMBRE_ESTADO", "NOMBRE_ENTIDAD"),
    "clave_acta": ("CLAVE_ACTA",),
    "seccion": ("SECCION",),
    "id_casilla": ("ID_CASILLA",),
    "tipo": ("TIPO_CASILLA",),
    "ubicacion": ("UBICACION_CASILLA",),
    "ext_contigua": ("EXT_CONTIGUA",),
    "sacados": ("TOTAL_VOTOS_SACADOS", "VOTOS_SACADOS", "NUM_VOTOS_SACADOS"),
    "nulos": ("NULOS", "VOTOS_NULOS", "VOTOS NULOS", "NUM_VOTOS_NULOS", "VN"),
    "asentado": ("TOTAL_VOTOS_ASENTADO", "TOTAL_VOTOS_ASENTADOS", "VOTOS_ASENTADOS"),
    "calculado": ("TOTAL_VOTOS_CALCULADO", "TOTAL_VOTOS_CALCULADOS", "TOTAL_VOTOS"),
    "lista_nominal": ("LISTA_NOMINAL", "LISTA_NOMINAL_CASILLA"),
    "representantes": ("REPRESENTANTES_PP_CI",),
    "observaciones": ("OBSERVACIONES",),
    "contabilizada": ("CONTABILIZADA",),
    "sha": ("SHA", "CODIGO_INTEGRIDAD"),
    "acopio": ("FECHA_HORA_ACOPIO",),
    "captura": ("FECHA_HORA_CAPTURA",),
    "verificacion": ("FECHA_HORA_VERIFICACION",),
}
# Counts of the acta that totals do not need; the writer renames them and writes their markers.
_COUNTS: dict[str, tuple[str, ...]] = {
    "sobrantes": ("TOTAL_BOLETAS_SOBRANTES", "NUM_BOLETAS_SOBRANTES", "BOLETAS_SOBRANTES"),
    "personas": ("TOTAL_PERSONAS_VOTARON", "TOTAL_CIUDADANOS_VOTARON", "PERSONAS_VOTARON"),
    "representantes_votaron": ("TOTAL_REP_PARTIDO_CI_VOTARON", "REPRESENTANTES_P_VOTARON"),
    "sacados": _ROLES["sacados"],
}
_OPTIONAL = frozenset(
    {
        "entidad_id",
        "entidad_nombre",
        "clave_acta",
        "id_casilla",
        "ubicacion",
        "ext_contigua",
        "asentado",
        "representantes",
        "sha",
        "acopio",
        "captura",
        "verificacion",
    }
)
_UNITS: dict[Nivel, tuple[tuple[str, str], ...]] = {
    "distrito": (
        ("ID_DISTRITO", "DISTRITO"),
        ("ID_DISTRITO_LOCAL", "DISTRITO_LOCAL"),
        ("ID_DISTRITO_FEDERAL", "DISTRITO_FEDERAL"),
        ("ID_DISTRITO", "NOMBRE_DISTRITO"),
        ("ID_JUNTA", "JUNTA"),
    ),
    "municipio": (
        ("ID_MUNICIPIO", "MUNICIPIO"),
        ("ID_MUNICIPIO_LOCAL", "MUNICIPIO_LOCAL"),
        ("ID_ALCALDIA", "ALCALDIA"),
        ("ID_ALCALDIA", "NOMBRE_ALCALDIA"),
        ("ID_MUNICIPIO", "NOMBRE_MUNICIPIO"),
    ),
}
# Counts that federal files of 2021 put between the ballots taken out and the votes (LEEME 2021).
_AFTER_SACADOS = ("CODIGOS_ENTREGADOS", "CODIGOS_SOBRANTES", "CODIGOS_UTILIZADOS")
_MUNICIPAL_TITLES = ("AYUNTAMIENTO", "ALCALD", "PRESIDENCIAS MUNICIPALES", "PRESIDENCIA MUNICIPAL")
_NOT_REGISTERED = ("NO_REGISTRAD", "NO REGISTRAD", "CNR", "CANDIDATO/A NO REGISTRAD", "CANDIDATURAS NO REGISTRAD")
_INDEPENDENT = (
    "CAND_IND",
    "CI_",
    "CANDIDATO/A INDEPENDIENTE",
    "CANDIDATURA INDEPENDIENTE",
    "CANDIDATURA_INDEPENDIENTE",
)
# One party, several spellings, in files and catalogues of the same election.
_PARTY_NAMES = {"MOR": "MORENA", "M": "MORENA", "PV": "PVEM", "FM": "FXM", "ENCUENTRO SOCIAL": "PES"}


class ColumnsError(ValueError):
    """The column names are not those of a per-acta file; the text, in Spanish, says which is missing.

    ``place`` is the index of the wrong column, None when it is missing.
    """

    def __init__(self, text: str, place: int | None = None) -> None:
        super().__init__(text)
        self.place = place


@dataclass(frozen=True, slots=True)
class Contender:
    """A vote column: its class and, for combinations and common candidacies, the party columns it is made of."""

    columna: str
    clase: Clase
    miembros: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """Positions of the roles in a row (None: the file has no such column) and the meaning of the vote columns."""

    clave_casilla: int
    clave_acta: int | None
    entidad_id: int | None
    entidad_nombre: int | None
    unidad_id: int
    unidad_nombre: int | None
    seccion: int
    id_casilla: int | None
    tipo: int
    ubicacion: int | None
    ext_contigua: int | None
    votos: slice
    asentado: int | None
    calculado: int
    lista_nominal: int
    representantes: int | None
    observaciones: int
    contabilizada: int
    sha: int | None
    acopio: int | None
    captura: int | None
    verificacion: int | None
    nivel: Nivel
    contendientes: tuple[Contender, ...]
    desconocidas: tuple[str, ...]


def read_columns(names: Sequence[str], titulo: str) -> Columns:
    """Find every role among the column ``names``; ``titulo`` decides the unit where a file has both kinds.

    Raises:
        ColumnsError: a column that totals need is missing, or a name comes twice.
    """
    folded = [fold(name) for name in names]
    where = {name: place for place, name in enumerate(folded)}
    if len(where) != len(folded):
        twice = sorted({name for name in folded if folded.count(name) > 1})
        again = next(i for i, name in enumerate(folded) if name in folded[:i])
        raise ColumnsError(f"columnas repetidas: {', '.join(name or '(sin nombre)' for name in twice)}", again)
    found: dict[str, int | None] = {}
    for role, spellings in _ROLES.items():
        place = next((where[name] for name in spellings if name in where), None)
        if place is None and role not in _OPTIONAL:
            raise ColumnsError(f"falta la columna {spellings[0]}")
        found[role] = place
    first, last = _need(found, "sacados") + 1, _need(found, "nulos") + 1
    while first < last and folded[first].startswith(_AFTER_SACADOS):
        first += 1
    if first >= last:
        text = "NULOS no está después de TOTAL_VOTOS_SACADOS: no hay columnas de votos"
        raise ColumnsError(text, _need(found, "nulos"))
    nivel, unit_id, unit_name = _unit(where, fold(titulo))
    contenders, unknown = classify(names[first:last])
    return Columns(
        clave_casilla=_need(found, "clave_casilla"),
        clave_acta=found["clave_acta"],
        entidad_id=found["entidad_id"],
        entidad_nombre=found["entidad_nombre"],
        unidad_id=unit_id,
        unidad_nombre=unit_name,
        seccion=_need(found, "seccion"),
        id_casilla=found["id_casilla"],
        tipo=_need(found, "tipo"),
        ubicacion=found["ubicacion"],
        ext_contigua=found["ext_contigua"],
        votos=slice(first, last),
        asentado=found["asentado"],
        calculado=_need(found, "calculado"),
        lista_nominal=_need(found, "lista_nominal"),
        representantes=found["representantes"],
        observaciones=_need(found, "observaciones"),
        contabilizada=_need(found, "contabilizada"),
        sha=found["sha"],
        acopio=found["acopio"],
        captura=found["captura"],
        verificacion=found["verificacion"],
        nivel=nivel,
        contendientes=contenders,
        desconocidas=unknown,
    )


def count_roles(names: Sequence[str]) -> dict[int, str]:
    """The columns of counts other than votes (boletas sobrantes, personas…), by place."""
    known = {spelling: role for role, spellings in _COUNTS.items() for spelling in spellings}
    return {place: known[fold(name)] for place, name in enumerate(names) if fold(name) in known}


def classify(columns: Sequence[str]) -> tuple[tuple[Contender, ...], tuple[str, ...]]:
    """What each vote column is, in order; and the columns that look like a coalition of parties not in the file.

    A combination is known by its name: ``C_PAN_PRI``, ``CC_PAN_PRI`` (common candidacy: never split), ``PAN_PRD_MC``
    or ``PAN-PRI-PRD``; its members must be party columns of the same file. The last column is NULOS.
    """
    parties = {
        name: None
        for name in columns[:-1]
        if not name.startswith(("C_", "CC_")) and not _starts(name, _NOT_REGISTERED) and not _independent(name)
    }
    for name in list(parties):
        if len(members_of(name, [p for p in parties if p != name])) > 1:
            del parties[name]
    contenders: list[Contender] = []
    unknown: list[str] = []
    for name in columns[:-1]:
        clase, members = _class_of(name, parties)
        contenders.append(Contender(columna=name, clase=clase, miembros=members))
        if clase == "coalicion" and not members:
            unknown.append(name)
    contenders.append(Contender(columna=columns[-1], clase="nulos", miembros=()))
    return tuple(contenders), tuple(unknown)


def members_of(name: str, parties: Collection[str]) -> tuple[str, ...]:
    """The party columns that a combination's name is made of, or an empty tuple when it is not made of them.

    ``-`` and ``_`` separate; party names may hold ``_`` themselves; ``MOR`` and ``MORENA`` are one party, in whatever
    spelling ``parties`` has it. Prefixes ``C_``, ``CC_`` and ``SUM-`` (Campeche's catalogue) do not count.
    """
    text = name
    for prefix in ("CC_", "C_", "SUM-", "SUM_", "COA_"):
        if name.startswith(prefix):
            text = name[len(prefix) :]
            break
    tokens = text.replace("-", "_").split("_")
    known = {party_key(party): party for party in parties}
    found = next(_segment(tokens, known), ())
    return found if len(set(found)) == len(found) else ()


def party_key(name: str) -> str:
    """A party's name in one spelling, to match catalogues with columns."""
    folded = fold(name).replace("-", "_")
    return _PARTY_NAMES.get(folded, folded)


def _segment(tokens: list[str], known: dict[str, str]) -> Iterator[tuple[str, ...]]:
    if not tokens:
        yield ()
        return
    for size in range(1, len(tokens) + 1):
        party = known.get(party_key("_".join(tokens[:size])))
        if party is not None:
            for rest in _segment(tokens[size:], known):
                yield (party, *rest)


def _class_of(name: str, parties: Collection[str]) -> tuple[Clase, tuple[str, ...]]:
    if name in parties:
        return "partido", ()
    if _starts(name, _NOT_REGISTERED):
        return "no_registradas", ()
    if _independent(name):
        return "independiente", ()
    return "comun" if name.startswith("CC_") else "coalicion", members_of(name, parties)


def _starts(name: str, prefixes: tuple[str, ...]) -> bool:
    return fold(name).startswith(prefixes)


def _independent(name: str) -> bool:
    return fold(name) == "CI" or _starts(name, _INDEPENDENT)


def _need(found: dict[str, int | None], role: str) -> int:
    place = found[role]
    if place is None:
        raise ColumnsError(f"falta la columna {_ROLES[role][0]}")
    return place


def _unit(where: dict[str, int], titulo: str) -> tuple[Nivel, int, int | None]:
    municipal = titulo.startswith(_MUNICIPAL_TITLES)
    order: tuple[Nivel, Nivel] = ("municipio", "distrito") if municipal else ("distrito", "municipio")
    for nivel in order:
        for unit_id, unit_name in _UNITS[nivel]:
            if unit_id in where and unit_name in where:
                return nivel, where[unit_id], where[unit_name]
    for nivel in order:
        for unit_id, _ in _UNITS[nivel]:
            if unit_id in where:
                return nivel, where[unit_id], None
    raise ColumnsError("falta la columna del distrito o del municipio (ID_DISTRITO… o ID_MUNICIPIO…)")


def entity_wide(titulo: str) -> bool:
    """True where the whole entity votes for the same people (gubernatura, jefatura, presidencia, senado)."""
    name = fold(titulo)
    if name.startswith(_MUNICIPAL_TITLES):
        return False
    return name.startswith(
        ("GUBERNATURA", "GOBERNATURA", "GOBERNADOR", "JEFATURA", "PRESIDENCIA", "PRESIDENTE", "SENADUR")
    )
