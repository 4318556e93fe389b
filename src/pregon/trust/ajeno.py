"""The verifier of packages that nobody signs: the checks of ``docs/verificacion.md``, «Institutos sin Pregón».

A1. The package that is offered: the newest stamp; not older than the last accepted; only one with that stamp.
A2. It is complete, as the profile says that this is known (``recepcion``); until then there is no novelty.
A3. It is copied, hashed, compared with its sums (``verificacion = suma``) and admitted whole (``trust.copia``).
A4. It has the page that «/» answers with, where the profile publishes HTML.
A5. Its hour is of the election's night: not of an earlier day where this is official, not in the future.
A6. It is news: other contents than the last accepted, of a later hour.

Only here is its ``VerifiedManifest`` made. The manifest is ours, of what was copied: number, chain and SHA-256 of each
file, what proves it («suma» or «ninguna») and where the hour was read. There is no signature, so there is no witness
either: the embargo opens by a measured clock only.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from pregon.base.errors import (
    AmbienteError,
    ArchivoError,
    AusenteError,
    CadenaError,
    EquivocoError,
    PortadaError,
    PregonError,
    RedError,
    RetrocesoError,
    TrustError,
)
from pregon.base.hashing import sha256_bytes
from pregon.paquete.errors import INTACTO, QUE_HACER
from pregon.paquete.manifest import Manifest, parse_manifest
from pregon.trust import orden
from pregon.trust.copia import Copista
from pregon.trust.recepcion import ESTABLE_S, PORTADA, Paciencia, check_only, find_offers
from pregon.trust.verified import Firmado, Identity, Novelty, TargetRef, certify

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.base.durable import Disk
    from pregon.convocatoria.model import Convocatoria
    from pregon.paquete.manifest import Ambiente, FileEntry
    from pregon.trust.copia import Contenido
    from pregon.trust.origen import ForeignSource
    from pregon.trust.recepcion import Oferta
    from pregon.trust.verified import CutRef, Memory, Prueba, VerifiedManifest

_logger = logging.getLogger(__name__)

FUTURO_MAX = timedelta(minutes=10)
"""How far ahead of our clock the hour of a package may be. One of next year would shut out the whole night."""
REINTENTO_S = 60.0
"""A refused package that did not change is looked into again after so long: what was early may be due by then."""
PASO = timedelta(seconds=1)
"""What the hours of two cuts differ by at least: the web server tells two contents apart by it (docs/adr/0003)."""


@dataclass(frozen=True)
class _Refusal:
    """Why a package was refused, what it was like, and when (monotonic)."""

    huella: object
    error: PregonError
    at: float


class ForeignClient:
    """Looks at one folder for one profile, and remembers what it took and what it refused.

    One process at a time per staging folder (the caller holds the workspace's lock).
    """

    def __init__(
        self,
        folder: Path,
        source: ForeignSource,
        *,
        call: Convocatoria,
        ambiente: Ambiente,
        clock: Clock,
        memory: Memory,
        previous: Manifest | None,
        disk: Disk,
        require_space: Callable[[int], None],
    ) -> None:
        """``folder`` is our staging; ``previous`` the manifest of the last accepted cut, None where there is none or it
        cannot be read; ``require_space`` raises ``DiscoError`` where so many bytes do not fit.

        Raises:
            AjustesError: a simulated clock in the ambiente «oficial».
        """
        identity = Identity(call.id, call.instituto, ambiente)
        orden.check_clock(identity, clock)
        self._identity = identity
        self._prueba: Prueba = "suma" if call.verificacion == "suma" else "ninguna"
        self._source = source
        self._call = call
        self._clock = clock
        self._memory = memory
        self._previous = previous
        self._disk = disk
        self._copies = Copista(folder, source, zone=call.zona, disk=disk, require_space=require_space)
        told = _told(previous).get("marcador")
        self._patience = Paciencia(call.recepcion, clock, tomado=None if told is None else tuple(told))
        self._settled: dict[str, object] = {}
        self._refused: dict[str, _Refusal] = {}
        self._pending: tuple[VerifiedManifest, Oferta, Contenido] | None = None

    def check(self) -> Novelty:
        """Look at the folder once. A cut stays news until ``accept``.

        Raises:
            TrustError, ArchivoError: the package offered is refused; what was accepted stays.
            RedError: the folder cannot be read, or changes while it is.
            DiscoError, EscrituraError: staging cannot be written.
        """
        if self._pending is not None and self._pending[0].sha256 == self._memory.manifiesto_sha256:
            self._pending = None
            self._copies.clear()
        seen = self._source.entries()
        offers = self._in_order(find_offers(seen, self._call, sin=self._patience.marcador))  # A1
        self._patience.look(seen, offers)
        first: PregonError | None = None
        for offer in offers:
            try:
                verified = self._consider(offer, offers)
            except (TrustError, ArchivoError, RedError) as exc:
                # A package that came before it, and was not taken yet, is better than none.
                first = first or exc
                continue
            if verified is not None:
                return Novelty(verified=verified, firmado=None, expira=None)
        if first is not None:
            raise first
        return Novelty(verified=None, firmado=None, expira=None)

    @property
    def firmado(self) -> Firmado:
        """Nobody signs, so nobody gives notice."""
        return Firmado()

    def read_notice(self, target: TargetRef) -> NoReturn:
        """There is none to read."""
        raise ValueError(target.ruta)

    def accept(self, verified: VerifiedManifest) -> None:
        """Remember ``verified`` as accepted."""
        self._memory = self._memory.after(verified)
        self._previous = verified.manifest
        if self._pending is not None and self._pending[0] is verified:
            self._settle(self._pending[1])

    def download(self, target: TargetRef, destination: Path) -> None:
        """Move the copy that was verified to ``destination``.

        Raises:
            RedError: it was taken already, or is not the one that was verified last.
        """
        if self._pending is None or target not in self._pending[0].archives or not self._pending[2].archivo.is_file():
            raise RedError(
                f"El archivo del corte «{target.nombre}» ya no está en la recepción.",
                intacto=orden.INTACTO,
                que_hacer="Se copiará de nuevo si el instituto lo vuelve a dejar.",
            )
        self._disk.replace(self._pending[2].archivo, destination)

    def close(self) -> None:
        """Nothing is held open."""

    def download_link(self, cut: CutRef, anterior: str, destination: Path) -> None:
        """No novelty of this client has cuts in between.

        Raises:
            AusenteError: always.
        """
        del anterior, destination
        raise AusenteError(
            f"Sin lista firmada no hay manifiesto del corte {cut.corte}.",
            intacto=orden.INTACTO,
            que_hacer="Se tomará el paquete completo.",
        )

    def _in_order(self, offers: Sequence[Oferta]) -> tuple[Oferta, ...]:
        """The offers that may be news: those whose name does not say that they are older than the last accepted."""
        last = self._last
        newest = offers[0].sello if offers else None
        if last is not None and newest is not None and newest < last:
            _older(offers[0].nombre, newest, last)
        known = {offer.nombre for offer in offers}
        self._settled = {name: mark for name, mark in self._settled.items() if name in known}
        self._refused = {name: kept for name, kept in self._refused.items() if name in known}
        return tuple(offer for offer in offers if offer.sello is None or last is None or offer.sello >= last)

    @property
    def _last(self) -> datetime | None:
        """The hour of the last accepted, as its package stated it."""
        told = _told(self._previous).get("instante")
        return self._memory.hora_corte if told is None else datetime.fromisoformat(told)

    def _consider(self, offer: Oferta, offers: Sequence[Oferta]) -> VerifiedManifest | None:
        if self._settled.get(offer.nombre) == offer.huella:
            return None
        check_only(offer, offers)
        refused = self._refused.get(offer.nombre)
        again = refused is not None and refused.huella == offer.huella
        if refused is not None and again and self._clock.monotonic() - refused.at < REINTENTO_S:
            self._refuse(offer, refused.error)
            return None
        if not again and not self._patience.ready(offer):  # A2
            return None
        self._pending = None
        try:
            verified = self._verify(offer)
        except PregonError as exc:
            self._copies.clear()
            self._not_now(offer, exc)
            return None
        if verified is None:
            self._copies.clear()
            self._settle(offer)
        return verified

    def _not_now(self, offer: Oferta, exc: PregonError) -> None:
        """Remember a refusal of the package itself and tell it; what may pass by itself is told at once, or waited for.

        Raises:
            PregonError: ``exc``.
        """
        if isinstance(exc, TrustError | ArchivoError):
            self._patience.take()
            self._refused[offer.nombre] = _Refusal(offer.huella, exc, self._clock.monotonic())
            self._refuse(offer, exc)
        elif not (isinstance(exc, RedError) and self._patience.por_suma):
            raise exc

    def _settle(self, offer: Oferta) -> None:
        self._patience.take()
        self._settled[offer.nombre] = offer.huella

    def _refuse(self, offer: Oferta, error: PregonError) -> None:
        """Tell the refusal; where completeness is known by the sums, only once nothing moves any more."""
        if self._patience.por_suma and self._patience.quieta_s(offer) < ESTABLE_S:
            return
        # The same error is told at each look: without this its traceback would grow all night.
        raise error.with_traceback(None)

    def _verify(self, offer: Oferta) -> VerifiedManifest | None:
        """Checks A3 to A6; None where it holds what was accepted last."""
        content = self._copies.take(offer, con_sumas=self._prueba == "suma")  # A3
        self._check_marker()
        if "html" in self._call.paquete.formatos:  # A4
            _check_cover(content.archivos, offer.nombre)
        hora = content.hora.replace(microsecond=0)
        self._check_hour(hora, offer.nombre)  # A5
        hora_corte = self._news(content.archivos, hora, offer)  # A6
        if hora_corte is None:
            return None
        raw = self._manifest(content, offer, hora, hora_corte).to_bytes()
        manifest = parse_manifest(raw)
        ref = TargetRef(f"{orden.cut_folder(manifest.corte)}/{content.archivo.name}", content.bytes, content.sha256)
        verified = certify(manifest, raw, sha256_bytes(raw), prueba=self._prueba, archives=(ref,), firmado=None)
        self._pending = (verified, offer, content)
        _logger.info("corte %04d de «%s», prueba %s: %s", manifest.corte, offer.nombre, self._prueba, verified.sha256)
        return verified

    def _check_marker(self) -> None:
        patience = self._patience
        if patience.marcador is not None and patience.marker_in(self._source.entries()) != patience.estado_marcador:
            raise RedError(
                f"«{self._patience.marcador}» cambió mientras se copiaba el paquete: ya empezó el siguiente envío.",
                intacto=orden.INTACTO,
                que_hacer="Se intentará de nuevo en el siguiente ciclo.",
            )

    def _check_hour(self, hora: datetime, nombre: str) -> None:
        now = self._clock.now()
        if hora > now + FUTURO_MAX:
            raise CadenaError(
                f"«{nombre}» dice ser de las {hora.isoformat()} y aquí son las {now.astimezone(hora.tzinfo):%H:%M:%S} "
                f"del {now.astimezone(hora.tzinfo):%d/%m/%Y}: todavía no es esa hora.",
                intacto=orden.INTACTO,
                que_hacer="Compruebe el reloj de este equipo y, con el instituto, la hora y el huso con que nombra.",
            )
        first = self._call.inicio.astimezone(self._call.zona).date()
        if self._identity.ambiente == "oficial" and hora.date() < first:
            raise AmbienteError(
                f"«{nombre}» es de las {hora.isoformat()}, antes del día de la jornada ({first:%d/%m/%Y}): parece de "
                "un simulacro.",
                intacto=orden.INTACTO,
                que_hacer="Quite de la carpeta de recepción los paquetes de las pruebas.",
            )

    def _news(self, entries: Sequence[FileEntry], hora: datetime, offer: Oferta) -> datetime | None:
        """The hour of the new cut, or None where nothing is new."""
        memory, last = self._memory, self._last
        if memory.hora_corte is None or last is None:
            return hora
        if self._previous is not None and tuple(entries) == self._previous.archivos:
            return None
        if hora < last:
            _older(offer.nombre, hora, last)
        after = (memory.hora_corte + PASO).astimezone(self._call.zona)
        if hora > last:
            return max(hora, after)
        if self._previous is None:
            return None  # Nobody can tell any more whether it is the same: what is public stays.
        if offer.sello is not None:
            raise EquivocoError(
                f"«{offer.nombre}» trae otro contenido que el que ya se aceptó con esa misma hora, "
                f"{last.isoformat()} (corte {memory.corte}).",
                intacto=orden.INTACTO,
                que_hacer="Pregunte al instituto cuál es el bueno. Una corrección lleva su propia hora en el nombre.",
            )
        return after

    def _manifest(self, content: Contenido, offer: Oferta, hora: datetime, hora_corte: datetime) -> Manifest:
        call, memory = self._call, self._memory
        following = hora_corte + timedelta(minutes=call.intervalo_min)
        return Manifest(
            convocatoria=call.id,
            instituto=call.instituto,
            ambiente=self._identity.ambiente,
            elecciones=call.elecciones,
            corte=1 if memory.corte is None else memory.corte + 1,
            hora_corte=hora_corte,
            generado=self._clock.now().astimezone(call.zona),
            proximo=following if following <= call.fin_actualizacion else None,
            anterior=memory.manifiesto_sha256,
            archivos=content.archivos,
            otros={
                "prueba": self._prueba,
                "ajeno": {
                    "paquete": offer.nombre,
                    "hora": "contenido" if offer.sello is None else "nombre",
                    "instante": hora.isoformat(),
                    "marcador": None if self._patience.marcador is None else list(self._patience.estado_marcador or ()),
                    "sumas": [
                        {"lista": suma.lista, "algoritmo": suma.algoritmo, "valor": suma.valor}
                        for suma in content.sumas
                    ],
                },
            },
        )


def _told(manifest: Manifest | None) -> dict[str, Any]:
    """What a manifest of ours says of the package that it was made of."""
    told = {} if manifest is None else manifest.otros.get("ajeno", {})
    return told if isinstance(told, dict) else {}


def _check_cover(entries: Sequence[FileEntry], nombre: str) -> None:
    if any(entry.ruta == PORTADA for entry in entries):
        return
    inside = sorted(entry.ruta for entry in entries if entry.ruta.endswith(f"/{PORTADA}"))
    where = f"; la más cercana es «{min(inside, key=len)}»" if inside else ""
    raise PortadaError(
        f"«{nombre}» no trae la portada «{PORTADA}»{where}: el sitio quedaría en blanco.",
        intacto=INTACTO,
        que_hacer=f"{QUE_HACER} Si nunca trae páginas, el perfil no debe decir «html» en sus formatos.",
    )


def _older(nombre: str, hora: datetime, last: datetime) -> NoReturn:
    raise RetrocesoError(
        f"«{nombre}» es de las {hora.isoformat()} y ya se aceptó uno de las {last.isoformat()}.",
        intacto=orden.INTACTO,
        que_hacer="Compruebe que la carpeta sea la que llena el instituto: lo más nuevo que hay en ella es viejo.",
    )
