"""The caches that a difusor runs itself: Varnish, which forgets, and nginx, which is told to ask again.

Open nginx has no purge of its own. What it has is ``proxy_cache_bypass``: a question that brings the secret goes to the
origin, and its answer takes the place of what was kept. If the origin fails, what was kept stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.base.errors import PregonError
from pregon.difusor.nube.purga.llamada import Llamador, Turno
from pregon.difusor.nube.purga.rutas import PORTADA

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.base.errors import PurgaError
    from pregon.difusor.nube.purga.ajustes import AjustesPurga
    from pregon.difusor.nube.purga.llamada import Dicho

    _Orden = Callable[[Llamador, str, str, Turno], None]

SECRETO = "x-pregon-purga"
"""The header that brings the secret; both configurations ask for it and never pass it on."""
OLVIDA = "x-pregon-olvida"
"""The header by which Varnish keeps nothing of what it had."""
POCAS = 1000
"""Paths that Varnish is told one by one, about a millisecond each; above, all that changes at once (BAN)."""
TRAIDO = "x-pregon-cache"
"""The header in which nginx says where an answer came from."""
_SIN_SECRETO = (
    "Revise que «secreto» sea la palabra del archivo que nombra su configuración, y que este equipo esté en ella."
)


class Varnish:
    """Every Varnish of ``equipos``: all must forget, and one that does not is an error after the others were told."""

    def __init__(self, ajustes: AjustesPurga, secreto: str, *, folder: Path, clock: Clock) -> None:
        self._equipos = [
            (url, Llamador(ajustes, folder=folder, clock=clock, quien=f"Varnish {url}")) for url in ajustes.equipos
        ]
        self._headers = {SECRETO: secreto}

    def purga(self, rutas: Sequence[str], *, olvida: bool) -> None:
        orders = [("PURGE", ruta) for ruta in _kept(rutas)]
        if len(orders) > POCAS:
            orders = [("BAN", "/")]
        _each(self._equipos, orders, self._forget if olvida else self._mark_old)

    def _mark_old(self, llamador: Llamador, method: str, url: str, turno: Turno) -> None:
        self._tell(llamador, method, url, self._headers, turno)

    def _forget(self, llamador: Llamador, method: str, url: str, turno: Turno) -> None:
        self._tell(llamador, method, url, {**self._headers, OLVIDA: "si"}, turno)

    def _tell(self, llamador: Llamador, method: str, url: str, headers: Mapping[str, str], turno: Turno) -> None:
        said = llamador.pide(method, url, headers=headers, turno=turno)
        if said.estado != 200:
            raise _refused(llamador, said)

    def close(self) -> None:
        for _, llamador in self._equipos:
            llamador.close()


class Nginx:
    """Every nginx of ``equipos``, each path asked anew through it."""

    def __init__(self, ajustes: AjustesPurga, secreto: str, *, folder: Path, clock: Clock) -> None:
        self._equipos = [
            (url, Llamador(ajustes, folder=folder, clock=clock, quien=f"nginx {url}")) for url in ajustes.equipos
        ]
        self._headers = {SECRETO: secreto}

    def purga(self, rutas: Sequence[str], *, olvida: bool) -> None:
        _each(self._equipos, [("HEAD", ruta) for ruta in _kept(rutas)], self._one)

    def _one(self, llamador: Llamador, method: str, url: str, turno: Turno) -> None:
        said = llamador.pide(method, url, headers=self._headers, turno=turno)
        if said.headers.get(TRAIDO) != "BYPASS":
            # It answered what it had: for it we are one reader more.
            raise _refused(llamador, said)

    def close(self) -> None:
        for _, llamador in self._equipos:
            llamador.close()


def _kept(rutas: Sequence[str]) -> list[str]:
    """The paths under which both keep what they have: the page of a folder by one of its two names."""
    return [ruta for ruta in rutas if not ruta.endswith("/" + PORTADA)]


def _each(equipos: Sequence[tuple[str, Llamador]], orders: Sequence[tuple[str, str]], one: _Orden) -> None:
    failure: PregonError | None = None
    for base, llamador in equipos:
        turno = Turno()
        try:
            for method, ruta in orders:
                one(llamador, method, base + ruta, turno)
        except PregonError as exc:
            failure = failure or exc
    if failure is not None:
        raise failure


def _refused(llamador: Llamador, said: Dicho) -> PurgaError:
    if said.estado in (401, 403) or said.estado < 400:
        return llamador.negado(said, "no acepta el secreto, o no lo acepta desde este equipo", _SIN_SECRETO)
    return llamador.negado(
        said,
        "no entiende la orden",
        "Use la configuración que escribe «pregon difusor configura», y revise que «equipos» lleve a ese equipo.",
    )
