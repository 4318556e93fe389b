"""Other vantage points: what they see travels signed and chained, by the ways of the acuses.

``NNNNNN------mirada.json`` in a folder of the point: a DSSE envelope over ``pregon/observaciones/1``, with the point's
own key. ``anterior`` is the SHA-256 of the envelope before, so that none can be taken out or changed unseen. The
institute collects them (``transport``, as it does acuses), and takes from each only what it saw: what that means, the
institute judges with its own list.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import Error as SecurityError

from pregon.base.errors import CadenaError, FirmaError, FormatoError, PregonError
from pregon.base.hashing import sha256_bytes
from pregon.base.jsonio import canonical_json, compact_json
from pregon.instituto.monitor import formas
from pregon.instituto.monitor.observa import Barrida
from pregon.transport.abre import open_acuses
from pregon.trust import keys
from pregon.trust.acuse import load_public_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from securesystemslib.signer import Key

    from pregon.base.durable import Disk
    from pregon.instituto.monitor.ajustes import PuntoRemoto
    from pregon.instituto.workspace import Workspace
    from pregon.trust.verified import Identity

FORMATO = "pregon/observaciones/1"
EVENTO = "mirada"
POR_SOBRE = 60
"""Observations of one envelope: it stays below what the carriers of acuses admit."""
RONDAS_MAX = 240
"""Envelopes taken in one collection: hours of a point that was cut off."""
ADELANTO_S = 120.0
"""How far ahead of ours the clock of a point may be."""
_NAME = re.compile(r"([0-9]{6})------mirada\.json")
_INTACTO = "Lo que ya se había observado sigue como estaba."


def crea_llave(path: Path, disk: Disk) -> None:
    """Make the key of a point (ECDSA P-256, mode 0600) and beside it its public part, ``<name>.pub.pem``.

    Raises:
        AjustesError: there is one already.
    """
    key = keys.generate(path.stem)
    keys.save(key, path.parent, disk=disk)
    disk.write(path.with_suffix(".pub.pem"), key.public.keyval["public"].encode())


class Cuaderno:
    """Where a point writes what it saw: one envelope or more each round."""

    def __init__(self, folder: Path, llave: Path, *, punto: str, identity: Identity, disk: Disk) -> None:
        """Raises ``EntradaError`` or ``AjustesError`` where the key cannot be read."""
        self._folder = folder
        self._key = keys.load(llave)
        self._punto = punto
        self._identity = identity
        self._disk = disk
        disk.make_folder(folder)

    @property
    def ronda(self) -> int:
        """The number of the last envelope: rounds are counted on from it."""
        last = max((path.name for path in self._folder.iterdir() if _NAME.fullmatch(path.name)), default=None)
        return 0 if last is None else int(last[:6])

    def anota(self, ronda: int, seen: Barrida) -> tuple[Path, ...]:
        """Write one round; the files."""
        written = []
        for start in range(0, max(1, len(seen.observaciones)), POR_SOBRE):
            known = sorted(path for path in self._folder.iterdir() if _NAME.fullmatch(path.name))
            last = known[-1] if known else None
            payload = compact_json(
                {
                    "convocatoria": self._identity.convocatoria,
                    "ambiente": self._identity.ambiente,
                    "punto": self._punto,
                    "ronda": ronda,
                    "anterior": None if last is None else sha256_bytes(last.read_bytes()),
                    "vista": formas.de_vista(seen.vista),
                    "observaciones": [
                        formas.de_observacion(one) for one in seen.observaciones[start : start + POR_SOBRE]
                    ],
                }
            )
            envelope = Envelope(payload, FORMATO, {})
            envelope.sign(self._key.signer)
            number = 1 if last is None else int(last.name[:6]) + 1
            path = self._folder / f"{number:06d}------{EVENTO}.json"
            self._disk.write(path, canonical_json(envelope.to_dict()))
            written.append(path)
        return tuple(written)


@dataclass(frozen=True)
class Sobre:
    """One envelope received: its bytes, as evidence, and what it says."""

    nombre: str
    data: bytes
    barrida: Barrida


@dataclass(frozen=True)
class Recogida:
    """What one collection of one point brought, what stopped it, and how far it is taken (``Remotos.anota``)."""

    punto: str
    sobres: tuple[Sobre, ...]
    hasta: Mapping[str, Any] | None = None
    error: PregonError | None = None


class Remotos:
    """The other points of one workspace, with the last envelope taken of each in the state database."""

    def __init__(self, workspace: Workspace, environment: Mapping[str, str]) -> None:
        self._workspace = workspace
        self._environment = environment

    def recoge(self, difusores: Collection[str]) -> tuple[Recogida, ...]:
        """Take what is new of each point. ``difusores``: those that are watched; of others nothing is taken.

        What a point did wrong, or that it cannot be reached, is in its line and never raised.
        """
        return tuple(self._of(one, difusores) for one in self._workspace.settings.monitor.remoto)

    def anota(self, brought: Iterable[Recogida]) -> None:
        """What was brought is kept: it is not taken again. Until then, who dies takes it again."""
        done = {_clave(one.punto): dict(one.hasta) for one in brought if one.hasta is not None}
        if done:
            self._workspace.state().put(**done)

    def _of(self, punto: PuntoRemoto, difusores: Collection[str]) -> Recogida:
        taken: list[Sobre] = []
        known: dict[str, Any] = {}
        try:
            key = load_public_key(self._workspace.folder / punto.clave)
            known = self._workspace.state().get(_clave(punto.punto)) or {}
            if known.get("llave") != key.keyid:
                known = {"llave": key.keyid, "n": 0, "sha256": None}  # Another key: another chain.
            box = open_acuses(
                punto, folder=self._workspace.folder, clock=self._workspace.clock, environment=self._environment
            )
            for file, data in box.collect(_Hasta(known["n"])):
                if _NAME.fullmatch(file) is None or len(taken) >= RONDAS_MAX:
                    continue
                taken.append(self._sobre(punto, key, file, data, known["sha256"], difusores))
                known = {"llave": key.keyid, "n": int(file[:6]), "sha256": sha256_bytes(data)}
        except PregonError as exc:
            return Recogida(punto.punto, tuple(taken), known if taken else None, exc)
        return Recogida(punto.punto, tuple(taken), known if taken else None)

    def _sobre(
        self, punto: PuntoRemoto, key: Key, file: str, data: bytes, before: str | None, difusores: Collection[str]
    ) -> Sobre:
        table = abre(data, key)
        identity = self._workspace.identity
        said = (table.get("convocatoria"), table.get("ambiente"), table.get("punto"))
        if said != (identity.convocatoria, identity.ambiente, punto.punto):
            raise FirmaError(
                f"Lo que envía el punto «{punto.punto}» dice ser de {said}.",
                intacto=_INTACTO,
                que_hacer="Revise con qué llave se registró a cada punto de observación.",
            )
        if table.get("anterior") != before:
            raise CadenaError(
                f"{file} del punto «{punto.punto}» no sigue a lo último que se recogió de él.",
                intacto=_INTACTO,
                que_hacer="Si el punto se reinstaló, registre su llave nueva en [[monitor.remoto]]; si no, alguien "
                "quitó o cambió observaciones: guárdelas aparte.",
            )
        try:
            view = formas.a_vista(table["vista"])
            seen = [formas.a_observacion(one) for one in table["observaciones"]]
        except (KeyError, TypeError, ValueError) as exc:
            raise _malformed(f"{file} no contiene observaciones") from exc
        limit = self._workspace.clock.now().timestamp() + ADELANTO_S
        if view.punto != punto.punto or any(
            hour.timestamp() > limit for hour in (view.hora, *(one.hora for one in seen))
        ):
            raise _malformed(f"{file} es de otro punto, o su reloj va adelantado")
        mine = tuple(replace(one, punto=punto.punto) for one in seen if one.difusor in difusores)
        return Sobre(file, data, Barrida(view, mine))


class _Hasta:
    """Every name up to a number: what was taken already, without listing it."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name[:6].isdigit() and int(name[:6]) <= self._number

    def __iter__(self) -> Iterator[str]:
        return (f"{number:06d}------{EVENTO}.json" for number in range(1, self._number + 1))

    def __len__(self) -> int:
        return self._number


def abre(data: bytes, key: Key) -> dict[str, Any]:
    """What an envelope says, its signature verified with ``key``.

    Raises:
        FormatoError: it is no envelope of observations, or not in its only spelling.
        FirmaError: ``key`` did not sign it.
    """
    try:
        envelope = Envelope.from_dict(json.loads(data))
        canonical = canonical_json(envelope.to_dict()) == data and len(envelope.signatures) == 1
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, SecurityError) as exc:
        raise _malformed("no es un sobre DSSE") from exc
    if not canonical or envelope.payload_type != FORMATO:
        raise _malformed("no es un sobre de observaciones, o no está escrito en su única forma")
    try:
        envelope.verify([key], 1)
    except SecurityError as exc:
        raise FirmaError(
            "Las observaciones no las firmó la llave que está registrada para ese punto.",
            intacto=_INTACTO,
            que_hacer="Revise «clave» en [[monitor.remoto]]; si es la correcta, alguien envía en su nombre.",
        ) from exc
    try:
        table = json.loads(envelope.payload)
    except (ValueError, RecursionError) as exc:
        raise _malformed("su contenido no es JSON") from exc
    if not isinstance(table, dict):
        raise _malformed("su contenido no es un objeto")
    return table


def _clave(punto: str) -> str:
    return f"monitor_remoto/{punto}"


def _malformed(problem: str) -> FormatoError:
    return FormatoError(
        f"Una observación remota no sirve: {problem}.",
        intacto=_INTACTO,
        que_hacer="Revise la versión de Pregón y el reloj de ese punto de observación.",
    )
