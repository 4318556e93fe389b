"""Made-up places and people with Spanish letters, for synthetic elections."""

from __future__ import annotations

from random import Random

_FIRST = (
    "SAN JUAN",
    "SANTA MARÍA",
    "SAN ANDRÉS",
    "SANTIAGO",
    "SAN MIGUEL",
    "NUEVO",
    "VILLA",
    "PUERTO",
    "CAÑADA",
    "PEÑA",
    "RÍO",
    "LAGUNA",
    "CIÉNEGA",
    "LLANO",
)
_SECOND = (
    "DE LAS PEÑAS",
    "DEL RÍO",
    "DE LOS ÁLAMOS",
    "DE LA PAZ",
    "DE LOS REYES",
    "DEL NIÑO",
    "DE CORTÉS",
    "DE LA CAÑADA",
    "DE LAS FLORES",
    "DEL ORO",
    "DE JUÁREZ",
    "DE OCAMPO",
    "DE LA SIERRA",
    "DEL MAR",
    "DE HIDALGO",
)
_GIVEN = (
    "MARÍA FERNANDA",
    "JOSÉ LUIS",
    "ANA SOFÍA",
    "MIGUEL ÁNGEL",
    "LUZ ELENA",
    "RAÚL",
    "BEGOÑA",
    "TOMÁS",
    "XÓCHITL",
    "ÍÑIGO",
    "CLAUDIA",
    "HÉCTOR",
)
_SURNAMES = (
    "NÚÑEZ",
    "PEÑA",
    "MUÑOZ",
    "GÜEMES",
    "IBÁÑEZ",
    "LÓPEZ",
    "HERNÁNDEZ",
    "CASTAÑEDA",
    "ZÚÑIGA",
    "ORDÓÑEZ",
    "REYES",
    "CAMPOS",
    "TREJO",
    "DOMÍNGUEZ",
)


def unidades(cuantas: int, *, municipios: bool, semilla: int) -> tuple[str, ...]:
    """Names of ``cuantas`` municipalities or district seats, all different, the same for a seed."""
    rng = Random(f"{semilla}/{'municipios' if municipios else 'distritos'}")  # noqa: S311 - made-up data
    names = [f"{a} {b}" for a in _FIRST for b in _SECOND]
    rng.shuffle(names)
    return tuple(
        names[i] if i < len(names) else f"{names[i % len(names)]} {i // len(names) + 1}" for i in range(cuantas)
    )


def persona(rng: Random) -> str:
    """A made-up person's name."""
    return f"{rng.choice(_GIVEN)} {rng.choice(_SURNAMES)} {rng.choice(_SURNAMES)}"
