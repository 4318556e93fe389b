"""A profile that is possible, to be broken one key at a time."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any


def local(text: str) -> datetime:
    """A local time as TOML gives it: without a zone."""
    return datetime.fromisoformat(text)


def possible() -> dict[str, Any]:
    """The table of a small profile that loads; a new one each time."""
    return {
        "id": "prueba-2024",
        "nombre": "Prueba",
        "instituto": "instituto-de-prueba",
        "entidad": {"numero": 17, "clave": "MOR", "nombre": "Morelos"},
        "elecciones": ["GUB", "DIP"],
        "zona_horaria": "America/Mexico_City",
        "inicio": local("2024-06-02T20:00"),
        "fin_actualizacion": local("2024-06-03T20:00"),
        "permanencia_hasta": local("2024-06-09T23:59"),
        "intervalo_min": 10,
        "transporte": {"modo": "push", "protocolo": "sftp", "puertos": [22]},
        "puertos_publicos": [80, 443],
        "puertos_restringidos": [22],
        "fallo": {"accion": "interrumpir", "causas": ["periodos"], "periodos": 3},
        "plazos": {"solicitud": date(2024, 5, 18), "memoria_entrega": date(2024, 6, 20)},
        "simulacros": [{"fecha": date(2024, 5, 19)}],
        "ventanas_prueba": [{"nombre": "Pruebas", "desde": date(2024, 5, 13), "hasta": date(2024, 5, 15)}],
        "memoria": {
            "bitacoras_desde": date(2024, 6, 2),
            "bitacoras_hasta": date(2024, 6, 9),
            "secciones": ["bitacoras"],
        },
    }
