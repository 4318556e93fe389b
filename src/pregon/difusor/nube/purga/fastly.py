"""Fastly: each address on its own, or everything that changes by its surrogate key.

Its purges are «soft» where nothing is withdrawn: what was there is marked as old, and may still be answered where the
origin fails. Limits: 100,000 purges an hour for a customer; who goes over them is told when to come back.
Source: fastly.com/documentation/reference/api/purging (docs/operacion/nube.md).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pregon.difusor.nube.purga.llamada import Llamador, Turno

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.base.errors import PurgaError
    from pregon.difusor.nube.purga.ajustes import AjustesPurga
    from pregon.difusor.nube.purga.llamada import Dicho

EXTREMO = "https://api.fastly.com"
POCAS = 40
"""Addresses that are purged one by one where the key could purge them all: some seconds of orders in a row."""
CLAVE = "pregon-mutable"
"""The surrogate key of everything that a cut may change. The service gives it at the edge to what is not immutable."""


class Fastly:
    """One service."""

    def __init__(self, ajustes: AjustesPurga, token: str, publica: str, *, folder: Path, clock: Clock) -> None:
        """``publica``: the portal's public address, without a final slash."""
        self._llamador = Llamador(ajustes, folder=folder, clock=clock, quien="Fastly")
        self._extremo = (ajustes.extremo or EXTREMO).rstrip("/")
        self._servicio = ajustes.servicio
        self._headers = {"fastly-key": token, "accept": "application/json"}
        parts = urlsplit(publica)
        self._publica = parts.netloc + parts.path

    def purga(self, rutas: Sequence[str], *, olvida: bool) -> None:
        turno = Turno()
        headers = self._headers if olvida else {**self._headers, "fastly-soft-purge": "1"}
        if self._servicio is not None and len(rutas) > POCAS:
            body = json.dumps({"surrogate_keys": [CLAVE]}).encode()
            self._post(f"/service/{self._servicio}/purge", headers, turno, body)
            return
        for ruta in rutas:
            self._post(f"/purge/{self._publica}{ruta}", headers, turno)

    def close(self) -> None:
        self._llamador.close()

    def _post(self, ruta: str, headers: Mapping[str, str], turno: Turno, body: bytes | None = None) -> None:
        if body is not None:
            headers = {**headers, "content-type": "application/json"}
        said = self._llamador.pide("POST", self._extremo + ruta, headers=headers, turno=turno, body=body)
        if said.estado != 200:
            raise self._refused(said)

    def _refused(self, said: Dicho) -> PurgaError:
        told = said.objeto.get("msg")
        more = f": «{told[:300]}»" if isinstance(told, str) and told else ""
        if said.estado in (401, 403):
            return self._llamador.negado(
                said,
                f"no acepta la llave de «secreto»{more}",
                "Cree una con el alcance «purge_select» sobre ese servicio.",
            )
        if said.estado == 404:
            return self._llamador.negado(
                said,
                f"no conoce el servicio o el nombre de «publica»{more}",
                "Revise «servicio», y que el nombre de «publica» sea un dominio de ese servicio.",
            )
        return self._llamador.negado(said, f"rechazó la orden{more}", "Revise «publica», «servicio» y la llave.")
