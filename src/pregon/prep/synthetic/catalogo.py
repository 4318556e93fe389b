"""The catalogue of a made-up election: entidades, districts or municipalities, secciones and their casillas."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from pregon.prep import nombres

# Number, name, federal districts (distritación federal of 2023: 300). General knowledge, only for made-up data.
ENTIDADES: tuple[tuple[int, str, int], ...] = tuple(
    (number, name, districts)
    for number, (name, districts) in enumerate(
        (
            ("AGUASCALIENTES", 3),
            ("BAJA CALIFORNIA", 9),
            ("BAJA CALIFORNIA SUR", 2),
            ("CAMPECHE", 2),
            ("COAHUILA", 8),
            ("COLIMA", 2),
            ("CHIAPAS", 13),
            ("CHIHUAHUA", 9),
            ("CIUDAD DE MÉXICO", 22),
            ("DURANGO", 4),
            ("GUANAJUATO", 15),
            ("GUERRERO", 8),
            ("HIDALGO", 7),
            ("JALISCO", 20),
            ("MÉXICO", 40),
            ("MICHOACÁN", 11),
            ("MORELOS", 5),
            ("NAYARIT", 3),
            ("NUEVO LEÓN", 14),
            ("OAXACA", 10),
            ("PUEBLA", 16),
            ("QUERÉTARO", 6),
            ("QUINTANA ROO", 4),
            ("SAN LUIS POTOSÍ", 7),
            ("SINALOA", 7),
            ("SONORA", 7),
            ("TABASCO", 6),
            ("TAMAULIPAS", 8),
            ("TLAXCALA", 3),
            ("VERACRUZ", 19),
            ("YUCATÁN", 6),
            ("ZACATECAS", 4),
        ),
        start=1,
    )
)
DISTRITOS_FEDERALES = 300
_CONTIGUAS = (0, 0, 0, 1, 1, 1, 2, 2, 3, 5)  # 2.6 casillas a sección; Puebla 2.9, Campeche 2.2, Quintana Roo 2.3
_EXTRAORDINARIA, _ESPECIAL = 0.13, 0.024  # a sección: 5 % and 0.9 % of casillas, as in Puebla and Campeche


class Unidad(NamedTuple):
    """A district or municipality; districts are numbered within their entidad."""

    entidad: int
    entidad_nombre: str
    numero: int
    nombre: str


class Casilla(NamedTuple):
    """A polling place: the same in every election of one seed, size and units. ``unidad`` is a place in the list."""

    seccion: int
    tipo: str
    numero: int
    unidad: int
    urbana: bool
    lista: int


def local_units(entidad: tuple[int, str], unidades: int, semilla: int, *, municipios: bool) -> tuple[Unidad, ...]:
    """The districts or municipalities of one entidad."""
    names = nombres.unidades(unidades, municipios=municipios, semilla=semilla)
    return tuple(Unidad(*entidad, number, name) for number, name in enumerate(names, start=1))


def national_units(unidades: int, semilla: int) -> tuple[Unidad, ...]:
    """``unidades`` federal districts in the 32 entidades, in the proportion of the real 300, one at least in each.

    Raises:
        ValueError: fewer districts than entidades.
    """
    if unidades < len(ENTIDADES):
        raise ValueError("there must be at least one unit in each entidad")
    rest = unidades - len(ENTIDADES)
    extra = DISTRITOS_FEDERALES - len(ENTIDADES)
    shares = [1 + rest * (districts - 1) // extra for _, _, districts in ENTIDADES]
    # What the divisions left goes one by one to the largest remainders.
    order = sorted(range(len(shares)), key=lambda i: (-(rest * (ENTIDADES[i][2] - 1) % extra), i))
    for i in order[: unidades - sum(shares)]:
        shares[i] += 1
    names = iter(nombres.unidades(unidades, municipios=False, semilla=semilla))
    return tuple(
        Unidad(number, name, district, next(names))
        for (number, name, _), share in zip(ENTIDADES, shares, strict=True)
        for district in range(1, share + 1)
    )


def catalogue(casillas: int, units: tuple[Unidad, ...], semilla: int) -> list[Casilla]:
    """``casillas`` in order of unit and sección; secciones are numbered within each entidad, units are runs of them."""
    rng = Random(f"{semilla}/casillas/{casillas}")  # noqa: S311 - made-up data, not a secret
    found: list[Casilla] = []
    seccion, unit = 0, -1
    while len(found) < casillas:
        urban = rng.random() < 0.7
        lista = rng.randint(280, 750)
        kinds = [("B", 1), *(("C", n) for n in range(1, rng.choice(_CONTIGUAS) + 1))]
        kinds += [("E", 1)] if rng.random() < _EXTRAORDINARIA else []
        kinds += [("S", 1)] if rng.random() < _ESPECIAL else []
        # Units are runs of whole secciones; none is left without casillas.
        following = min(unit + 1, len(found) * len(units) // casillas)
        new_state = unit < 0 or units[following].entidad != units[unit].entidad
        seccion = 1 if new_state else seccion + 1
        unit = following
        for tipo, numero in kinds[: casillas - len(found) - (len(units) - unit - 1)]:
            size = 0 if tipo == "S" else lista + rng.randint(-1, 1)
            found.append(Casilla(seccion, tipo, numero, unit, urban, size))
    return found
