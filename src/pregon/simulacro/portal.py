"""What a citizen's browser would see of one difusor, asked over HTTP and judged against the signed manifests."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2

from pregon.base.errors import ArchivoError
from pregon.base.hashing import sha256_bytes
from pregon.paquete.manifest import parse_manifest

if TYPE_CHECKING:
    from pathlib import Path

    from pregon.paquete.manifest import Manifest

_ASSET = re.compile(r'href="([^":]*assets/[^"]+)"')
_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Answer:
    """One response: status, body as served without encoding, and its SHA-256."""

    status: int
    body: bytes
    no_store: bool

    @property
    def sha256(self) -> str:
        return sha256_bytes(self.body)


class Portal:
    """The public URL of one difusor. Connections are kept; one instance per thread."""

    def __init__(self, url: str) -> None:
        self.url = url if url.endswith("/") else url + "/"
        self._client = httpx2.Client(timeout=_TIMEOUT_S, trust_env=False, headers={"accept-encoding": "identity"})

    def get(self, ruta: str) -> Answer | None:
        """GET ``ruta`` under the portal; None where nobody answers."""
        try:
            response = self._client.get(self.url + ruta)
        except httpx2.HTTPError:
            return None
        return Answer(response.status_code, response.content, "no-store" in response.headers.get("cache-control", ""))

    def close(self) -> None:
        self._client.close()


class SignedManifests:
    """The manifests of the institute's repository by cut number, read as they appear.

    These files are the reference that every served byte is compared with. Thread safe.
    """

    def __init__(self, repositorio: Path) -> None:
        self._folder = repositorio / "targets" / "cortes"
        self._known: dict[int, Manifest] = {}
        self._lock = threading.Lock()

    def get(self, numero: int) -> Manifest | None:
        """The manifest of cut ``numero``, or None where it is not signed yet."""
        with self._lock:
            if numero not in self._known:
                try:
                    data = (self._folder / f"{numero:04d}" / "manifiesto.json").read_bytes()
                    self._known[numero] = parse_manifest(data)
                except (OSError, ArchivoError):
                    return None
            return self._known[numero]

    def cuts_of(self, ruta: str, sha256: str, *, until: int) -> list[int]:
        """The cuts, up to ``until``, whose manifest lists ``ruta`` with that hash."""
        return [
            numero
            for numero in range(until + 1)
            if (manifest := self.get(numero)) is not None and hashes(manifest).get(ruta) == sha256
        ]


def hashes(manifest: Manifest) -> dict[str, str]:
    """Path to SHA-256 of every file of the package."""
    return {entry.ruta: entry.sha256 for entry in manifest.archivos}


class Reader(threading.Thread):
    """A reader who reloads the portal all night and notes whatever does not belong to one whole cut.

    Each round: the cover and an asset it names; ``corte.json`` and the data it names. Anything read must belong to a
    signed manifest, the data to the very cut that named it, and the cuts seen never go back.
    """

    def __init__(self, url: str, manifests: SignedManifests, last: int, *, pause: float = 0.15) -> None:
        super().__init__(name=f"lector {url}", daemon=True)
        self._portal = Portal(url)
        self._manifests = manifests
        self._last = last
        self._pause = pause
        self._end = threading.Event()
        self.perdona = threading.Event()
        """While it is set, silence is no problem: the server was killed on purpose, and somebody else measures it."""
        self._seen = -1
        self.lecturas = 0
        self._problems: list[str] = []

    def run(self) -> None:
        while not self._end.wait(self._pause):
            self._cover()
            self._data()

    def finish(self) -> list[str]:
        """Stop reading; what was found wrong, at most twenty lines."""
        self._end.set()
        if self.ident is not None:
            self.join(_TIMEOUT_S * 2)
        self._portal.close()
        return self._problems

    def problems(self) -> list[str]:
        """What was found wrong so far."""
        return list(self._problems)

    def _note(self, text: str) -> None:
        if len(self._problems) < 20:
            self._problems.append(text)

    def _cover(self) -> None:
        answer = self._ask("")
        if answer is None:
            return
        cuts = self._manifests.cuts_of("index.html", answer.sha256, until=self._last)
        if not cuts:
            if self._seen >= 0:
                self._note(f"portada que no es de ningún corte (estado {answer.status}) después del corte {self._seen}")
            elif not (answer.status == httpx2.codes.OK and answer.no_store):
                self._note(f"antes del primer corte la portada contestó {answer.status} sin no-store")
            return
        self._forward(cuts[-1], "la portada")
        manifest = self._manifests.get(cuts[-1])
        if (match := _ASSET.search(answer.body.decode(errors="replace"))) and manifest is not None:
            asset = self._ask(match.group(1))
            if asset is not None and hashes(manifest).get(match.group(1)) != asset.sha256:
                self._note(f"{match.group(1)} no es el del corte {cuts[-1]}")

    def _data(self) -> None:
        answer = self._ask("corte.json")
        if answer is None:
            return
        if answer.status != httpx2.codes.OK:
            if self._seen >= 0:
                self._note(f"corte.json contestó {answer.status} después del corte {self._seen}")
            return
        cuts = self._manifests.cuts_of("corte.json", answer.sha256, until=self._last)
        if not cuts:
            self._note("corte.json no es de ningún corte firmado")
            return
        self._forward(cuts[-1], "corte.json")
        manifest = self._manifests.get(cuts[-1])
        stamp: dict[str, Any] = json.loads(answer.body)
        for contienda in stamp["contiendas"][:1]:
            ruta = f"{stamp['datos']}{contienda['id']}/entidad.json"
            data = self._ask(ruta)
            if data is not None and manifest is not None and hashes(manifest).get(ruta) != data.sha256:
                self._note(f"{ruta} no es el del corte {cuts[-1]} (estado {data.status})")

    def _ask(self, ruta: str) -> Answer | None:
        forgiven = self.perdona.is_set()
        answer = self._portal.get(ruta)
        self.lecturas += 1
        if answer is None and not (forgiven or self.perdona.is_set()):
            self._note(f"sin respuesta en /{ruta}")
        return answer

    def _forward(self, cut: int, what: str) -> None:
        if cut < self._seen:
            self._note(f"{what} volvió al corte {cut} después del {self._seen}")
        self._seen = max(self._seen, cut)
