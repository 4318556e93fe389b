"""One vantage point: it looks at every portal, side by side, and says what it saw and whether it had a network.

The order of a round:

1. Every portal is looked at, ``a_la_vez`` at once. What was not reached is looked at once more, after 2.
2. Where somebody was not reached, the witnesses are asked. If none answers, this point has no network.
3. The witnesses are asked again after the second look: a network that was lost meanwhile accuses nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base import hilos
from pregon.base.errors import RedError
from pregon.instituto.monitor.modelo import Observacion, Vista
from pregon.instituto.monitor.veredicto import mirada as vista_de
from pregon.sonda.portal import Limites, Portal
from pregon.sonda.probe import Limits, probe

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

    from pregon.base.clock import Clock
    from pregon.instituto.monitor.ajustes import AjustesMonitor, PortalVigilado
    from pregon.instituto.monitor.referencia import Referencia

TESTIGO_S = 5.0
TESTIGO_MAX = 1 << 20
"""Bytes of a witness' answer: that it answers is enough."""


@dataclass(frozen=True)
class Barrida:
    """What one point saw in one round."""

    vista: Vista
    observaciones: tuple[Observacion, ...]


class Punto:
    """One vantage point, with a kept connection to each portal. ``close`` at the end; one round at a time."""

    def __init__(
        self,
        nombre: str,
        portales: Sequence[PortalVigilado],
        referencia: Referencia,
        *,
        ajustes: AjustesMonitor,
        clock: Clock,
        real: Clock,
        tls: ssl.SSLContext | None = None,
        acceso: tuple[str, str] | None = None,
        oficial: bool = True,
    ) -> None:
        """``clock`` is the night's, ``real`` the machine's own. ``tls``: who is believed, in place of the system's.

        ``oficial``: not a rehearsal, whose portals bind no name to TLS.
        """
        self.nombre = nombre
        self._reference = referencia
        self._settings = ajustes
        self._clock = clock
        self._real = real
        self._tls = tls
        self._access = acceso
        self._official = oficial
        self._portals: dict[tuple[str, int], Portal] = {}
        self._suspects: dict[tuple[str, int], frozenset[str]] = {}
        self.vigila(portales)

    def vigila(self, portales: Sequence[PortalVigilado]) -> None:
        """Watch these from now on; the connections of those that stay are kept."""
        wanted = {(one.difusor, n): url for one in portales for n, url in enumerate(one.urls)}
        for key in [key for key, portal in self._portals.items() if _folder(wanted.get(key)) != portal.url]:
            self._portals.pop(key).close()
            self._suspects.pop(key, None)
        limits = Limites(
            respuesta_s=self._settings.respuesta_s,
            conexion_s=self._settings.conexion_s,
            mirada_s=self._settings.mirada_s,
        )
        for key, url in wanted.items():
            if key not in self._portals:
                self._portals[key] = Portal(
                    url,
                    clock=self._clock,
                    real=self._real,
                    limites=limits,
                    tls=self._tls,
                    acceso=self._access,
                    hsts=self._official,
                )

    def close(self) -> None:
        """Close every connection."""
        for portal in self._portals.values():
            portal.close()
        self._portals.clear()

    def ronda(self, numero: int) -> Barrida:
        """Look at everybody once."""
        seen = self._look(list(self._portals), numero)  # 1
        lost = [key for key, one in seen.items() if not one.alcanzable]
        answers: tuple[bool, ...] = ()
        if lost:
            answers = self._witnesses()  # 2
            if len(lost) < len(seen) or any(answers):
                seen.update(self._look(lost, numero))
                if any(answers) and any(not seen[key].alcanzable for key in lost):
                    answers = self._witnesses()  # 3
        view = vista_de(
            self.nombre,
            self._clock.now(),
            testigos=answers or (True,) * bool(self._settings.testigos),
            alcanzados=[one.alcanzable for one in seen.values()],
        )
        return Barrida(view, tuple(seen[key] for key in sorted(seen)))

    def _look(self, keys: Sequence[tuple[str, int]], numero: int) -> dict[tuple[str, int], Observacion]:
        found: dict[tuple[str, int], Observacion] = {}

        def one(key: tuple[str, int]) -> None:
            found[key] = self._observe(key, numero)

        hilos.each(one, keys, hilos=self._settings.a_la_vez, pocos=1)
        return found

    def _observe(self, key: tuple[str, int], numero: int) -> Observacion:
        difusor, place = key
        portal, suspects = self._portals[key], self._suspects.get(key, frozenset())
        seen = portal.mira(
            lambda stamp, cover: self._reference.archivos(portal, difusor, numero, suspects, stamp, cover)
        )
        base = Observacion(
            punto=self.nombre,
            difusor=difusor,
            url=portal.url,
            hora=seen.hora,
            alcanzable=seen.alcanzable,
            codigo=seen.codigo,
            porque=seen.porque,
            estado=seen.estado,
            forma=seen.forma,
            cabeceras=seen.cabeceras,
            segundos=round(seen.segundos, 3),
            desfase_s=None if seen.desfase_s is None else round(seen.desfase_s, 1),
            direccion=place,
            leidas=len(seen.lecturas),
            vence=seen.vence,
        )
        made = self._reference.observacion(seen, base) if seen.alcanzable else base
        if made.alcanzable:
            self._suspects[key] = frozenset(
                one.ruta for one in made.muestras if one.sha256 is not None and not one.igual
            )
        return made

    def _witnesses(self) -> tuple[bool, ...]:
        places = self._settings.testigos
        answers = [False] * len(places)

        def ask(number: int) -> None:
            try:
                probe(
                    places[number],
                    clock=self._real,
                    limits=Limits(segundos=min(TESTIGO_S, self._settings.respuesta_s), bytes=TESTIGO_MAX),
                    tls=self._tls,
                )
            except RedError:
                return
            answers[number] = True

        hilos.each(ask, range(len(places)), hilos=self._settings.a_la_vez, pocos=1)
        return tuple(answers)


def _folder(url: str | None) -> str | None:
    return url if url is None or url.endswith("/") else url + "/"
