"""What the watch would have observed in one round of a night of the record, made without sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pregon.base.hashing import sha256_bytes
from pregon.instituto.monitor.modelo import Muestra, Observacion
from pregon.instituto.monitor.veredicto import mirada
from pregon.simulacro.flota.flota import aspecto

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from pregon.instituto.monitor.modelo import Vista
    from pregon.simulacro.flota.fallas import Guion
    from pregon.simulacro.flota.flota import Aspecto

    Lee = Callable[[str, str, int, datetime], Sequence[str]]
    """Which files a point reads of a difusor: their names, the cut that it shows, and the hour of the round."""

LENTO_S = 14.0
"""What a page takes of a difusor that is ``lento``: more than the ten seconds of GRO-2.4h, less than is waited."""
LEIDAS = ("index.html", "corte.json", "datos/{corte:04d}/gub/entidad.json")
"""Files that every round reads whole, ``{corte}`` in their names."""


def manifiesto(corte: int, *, ajeno: bool = False) -> str:
    """The hash that stands for the manifest of a cut."""
    return sha256_bytes(f"manifiesto {corte}{' ajeno' * ajeno}".encode())


def huella(ruta: str, corte: int, *, alterada: bool = False) -> str:
    """The hash that stands for the bytes of a file of a cut."""
    return sha256_bytes(f"{corte} {ruta}{' otro byte' * alterada}".encode())


class Mirador:
    """Makes the observations of a night, round after round. Not shared among threads."""

    def __init__(self, guion: Guion, *, testigos: bool = True, lee: Lee | None = None) -> None:
        """``testigos``: whether the points have witnesses. ``lee``: other files than those of every round."""
        self._night = guion
        self._witnesses = testigos
        self._read = lee or (lambda _, __, corte, ___: [ruta.format(corte=corte) for ruta in LEIDAS])
        self._always = lee is None
        self._kept: dict[tuple[int, str | None], tuple[Muestra, ...]] = {}
        self._manifests: dict[tuple[int, bool], str] = {}
        self._n = 0

    def ronda(self, hora: datetime, difusores: Sequence[str]) -> tuple[dict[str, list[Observacion]], list[Vista]]:
        """What every point sees of each of ``difusores`` at ``hora``, and whether it had its own network."""
        seen: dict[str, list[Observacion]] = {name: [] for name in difusores}
        views: list[Vista] = []
        for punto in self._night.puntos:
            reached = []
            for name in difusores:
                one = self._observacion(name, punto, hora)
                reached.append(one.alcanzable)
                seen[name].append(one)
            awake = self._night.con_red(punto, hora)
            views.append(mirada(punto, hora, testigos=[awake] * self._witnesses, alcanzados=reached))
        return seen, views

    def _observacion(self, difusor: str, punto: str, hora: datetime) -> Observacion:
        self._n += 1
        shown = aspecto(self._night, difusor, punto, hora)
        url = f"https://{difusor}.example/"
        if shown.trato in ("calla", "espera", "sin_tls"):
            code = "TLS" if shown.trato == "sin_tls" else "RED"
            return Observacion(
                punto=punto, difusor=difusor, url=url, hora=hora, alcanzable=code == "TLS", codigo=code, n=self._n
            )
        return Observacion(
            punto=punto,
            difusor=difusor,
            url=url,
            hora=hora,
            alcanzable=True,
            estado=200,
            forma=shown.portada,
            corte=shown.corte,
            manifiesto_sha256=None if shown.corte is None else self._manifest(shown.corte, ajeno=shown.ajeno),
            muestras=self._samples(punto, difusor, shown, hora),
            segundos=LENTO_S if shown.trato == "tarda" else 0.2,
            n=self._n,
        )

    def _manifest(self, corte: int, *, ajeno: bool) -> str:
        key = (corte, ajeno)
        if key not in self._manifests:
            self._manifests[key] = manifiesto(corte, ajeno=ajeno)
        return self._manifests[key]

    def _samples(self, punto: str, difusor: str, shown: Aspecto, hora: datetime) -> tuple[Muestra, ...]:
        if shown.corte is None:
            return ()
        key = (shown.corte, shown.alterada)
        if self._always and key in self._kept:
            return self._kept[key]
        found = tuple(
            Muestra(ruta, huella(ruta, shown.corte), huella(ruta, shown.corte, alterada=ruta == shown.alterada))
            for ruta in self._read(punto, difusor, shown.corte, hora)
        )
        if self._always:
            self._kept[key] = found
        return found
