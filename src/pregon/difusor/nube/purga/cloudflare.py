"""Cloudflare: up to a hundred addresses in each order, not more each second than its smallest plan takes.

Source: developers.cloudflare.com/cache/how-to/purge-cache (read 2026-07; docs/operacion/nube.md).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pregon.difusor.nube.purga.llamada import Llamador, Turno
from pregon.difusor.nube.purga.rutas import lotes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.difusor.nube.purga.ajustes import AjustesPurga
    from pregon.difusor.nube.purga.llamada import Dicho

EXTREMO = "https://api.cloudflare.com/client/v4"
LOTE = 100
"""Addresses in one order: «max operations per request» of every plan but the largest."""
URLS_S = 600.0
"""Addresses a second. The free plan takes 800 (the others more), counted as a moving average: whoever goes at exactly
that is now and then told to wait."""


class Cloudflare:
    """One zone, by the purge of single files: the only one that costs none of the few purges by prefix or tag."""

    def __init__(self, ajustes: AjustesPurga, token: str, publica: str, *, folder: Path, clock: Clock) -> None:
        """``publica``: the portal's public address, without a final slash."""
        self._llamador = Llamador(ajustes, folder=folder, clock=clock, quien="Cloudflare")
        self._url = f"{(ajustes.extremo or EXTREMO).rstrip('/')}/zones/{ajustes.zona}/purge_cache"
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        self._publica = publica

    def purga(self, rutas: Sequence[str], *, olvida: bool) -> None:
        turno = Turno()
        for group in lotes(rutas, LOTE):
            before = turno.queda
            body = json.dumps({"files": [self._publica + ruta for ruta in group]}).encode()
            said = self._llamador.pide("POST", self._url, headers=self._headers, turno=turno, body=body)
            if said.estado != 200 or said.objeto.get("success") is not True:
                raise self._llamador.negado(said, *_reason(said))
            if group[-1] != rutas[-1]:
                turno.duerme(max(0.0, len(group) / URLS_S - (before - turno.queda)))

    def close(self) -> None:
        self._llamador.close()


def _reason(said: Dicho) -> tuple[str, str]:
    errors = said.objeto.get("errors")
    first: Mapping[str, object] = errors[0] if isinstance(errors, list) and errors and _is_table(errors[0]) else {}
    told = f"{first.get('code', '')} {first.get('message', '')}".strip()[:300]
    more = f": «{told}»" if told else ""
    if said.estado in (401, 403):
        return (
            f"no acepta la llave de «secreto»{more}",
            "Cree una con el permiso «Zone → Cache Purge» sobre esa zona, y ponga en «zona» su identificador.",
        )
    if said.estado == 404:
        return f"no conoce esa zona{more}", "Ponga en «zona» el identificador de 32 letras y cifras de la zona."
    return (
        f"rechazó la orden{more}",
        "Revise que «publica» sea una dirección de esa zona y que la llave pueda purgarla.",
    )


def _is_table(value: object) -> bool:
    return isinstance(value, dict)
