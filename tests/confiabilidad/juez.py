"""The one judge of every row of docs/confiabilidad.md. It shares no code with what it judges.

What is public must be one whole, permitted cut: on disk through the pointer, and over HTTP from the real web server.
Every file of its manifest is there with its hash; nothing else but what earlier cuts left under ``datos/`` and
``assets/`` and twins that decode to their file; never two cuts mixed, never back to an older one, nothing of the
package before the start. A judgement is a list of what is wrong, in words; the empty list is the verdict asked for.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import re
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import brotli
import httpx2

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

MANIFIESTO = "manifiesto.json"
ESPERA = "espera"
MARCA = b"data-corte"
"""In every page of a cut of the tests, and in no page of Pregón's own."""
LLEVADAS = ("datos/", "assets/")
PIDE = ("", "corte.json", MANIFIESTO, "gub/", "assets/estilo.css")
"""What the reader asks for again and again, besides the data of the newest cut."""
CODIFICACIONES = ("identity", "gzip", "br, gzip")
INTENTOS = 5
_DECODE: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".br": brotli.decompress,
    ".zst": zstd.decompress,
}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class Corte:
    """A cut as the institute signed it: path to SHA-256, the manifest included."""

    numero: int
    rutas: Mapping[str, str]


@dataclass
class Lectura:
    """What a reader that asks all the time saw. ``fallas``: what is wrong; ``sin_respuesta``: nobody answered."""

    respuestas: int = 0
    sin_respuesta: int = 0
    fallas: list[str] = field(default_factory=list)
    estados: Counter[int] = field(default_factory=Counter)
    vistos: list[int] = field(default_factory=list)
    """The cuts that ``corte.json`` was of, in order."""


class Juez:
    """Knows every cut, and which of them may be public now."""

    def __init__(self, *, espera: bool = True) -> None:
        """``espera``: whether the page before the start may be what is public."""
        self._cuts: dict[int, Corte] = {}
        self.permitidos: set[int] = set()
        self.espera = espera

    def conoce(self, folder: Path, *, permite: bool = True) -> Corte:
        """Learn a cut from its folder at the institute, and that it may be public (from now on)."""
        raw = (folder / MANIFIESTO).read_bytes()
        manifest = json.loads(raw)
        rutas = {entry["ruta"]: entry["sha256"] for entry in manifest["archivos"]} | {MANIFIESTO: sha256(raw)}
        cut = Corte(int(manifest["corte"]), rutas)
        self._cuts[cut.numero] = cut
        if permite:
            self.permitidos.add(cut.numero)
        return cut

    def permite(self, numero: int) -> None:
        """From now on that cut may be public."""
        self.permitidos.add(numero)

    # On disk.

    def en_disco(self, folder: Path) -> list[str]:
        """What is wrong with what the pointer of a workspace makes public."""
        try:
            name = (folder / "puntero").read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as exc:
            return [f"puntero: {exc}"]
        if not re.fullmatch(r"([0-9]{4}|espera)\n", name):
            return [f"puntero: {name!r}"]
        name = name.strip()
        root = folder / "cortes" / name
        if name == ESPERA:
            return self._page(root)
        cut = self._cuts.get(int(name))
        if cut is None or cut.numero not in self.permitidos:
            return [f"{name}: no está permitido"]
        found = {
            str(path.relative_to(root)): path for path in root.rglob("*") if path.is_symlink() or not path.is_dir()
        }
        wrong = [f"{name}/{ruta}: falta" for ruta in cut.rutas if ruta not in found]
        for ruta, path in sorted(found.items()):
            problem = self._file(cut, ruta, path, found)
            if problem is not None:
                wrong.append(f"{name}/{ruta}: {problem}")
        return wrong

    def publico(self, folder: Path) -> int | None:
        """The number of the cut that the pointer names; None for the page before the start."""
        name = (folder / "puntero").read_text(encoding="ascii").strip()
        return None if name == ESPERA else int(name)

    def _page(self, root: Path) -> list[str]:
        if not self.espera:
            return ["espera: ya había algo público"]
        names = sorted(path.name for path in root.rglob("*"))
        if [name for name in names if not name.startswith("index.html")] or "index.html" not in names:
            return [f"espera: {names}"]
        return ["espera: tiene datos"] if MARCA in (root / "index.html").read_bytes() else []

    def _file(self, cut: Corte, ruta: str, path: Path, found: Mapping[str, Path]) -> str | None:
        if path.is_symlink() or not path.is_file():
            return "no es un archivo"
        data = path.read_bytes()
        if ruta in cut.rutas:
            return None if sha256(data) == cut.rutas[ruta] else "otro contenido"
        plain, dot, suffix = ruta.rpartition(".")
        decode = _DECODE.get(dot + suffix)
        if decode is not None and plain in found:
            try:
                return None if decode(data) == found[plain].read_bytes() else "no es la copia comprimida del suyo"
            except Exception as exc:  # noqa: BLE001 (each of the three decoders has its own errors)
                return f"no se puede descomprimir: {exc}"
        older = {known.rutas.get(ruta) for known in self._cuts.values() if known.numero < cut.numero}
        if ruta.startswith(LLEVADAS) and sha256(data) in older:
            return None
        return "sobra"

    # Over HTTP.

    def por_http(self, url: str, *, corte: int | None = None) -> list[str]:
        """What is wrong with what the web server gives, file by file; ``corte``: it must be that one."""
        with httpx2.Client(base_url=url, trust_env=False, headers={"accept-encoding": "identity"}) as client:
            wrong = ["el corte público cambió mientras se leía, una y otra vez"]
            for _ in range(INTENTOS):
                before = client.get(MANIFIESTO)
                if before.status_code == 404:
                    return self._http_page(client) if corte is None else [f"se esperaba el corte {corte}"]
                known = [cut for cut in self._cuts.values() if cut.rutas[MANIFIESTO] == sha256(before.content)]
                if not known or known[0].numero not in self.permitidos:
                    return [f"manifiesto.json: {before.status_code}, de un corte que no está permitido"]
                if corte is not None and known[0].numero != corte:
                    return [f"se esperaba el corte {corte} y se ve el {known[0].numero}"]
                wrong = []
                for ruta, wanted in known[0].rutas.items():
                    answer = client.get(ruta.removesuffix("index.html") if ruta.endswith("index.html") else ruta)
                    if answer.status_code != 200 or sha256(answer.content) != wanted:
                        wrong.append(f"{ruta}: {answer.status_code}, {sha256(answer.content)[:8]}")
                if client.get(MANIFIESTO).content == before.content:
                    return wrong
            return wrong

    def _http_page(self, client: httpx2.Client) -> list[str]:
        if not self.espera:
            return ["se ve la página de espera y ya había algo público"]
        home = client.get("")
        if home.status_code != 200 or MARCA in home.content:
            return [f"espera: {home.status_code}"]
        return [] if home.headers["cache-control"] == "no-store" else ["espera: puede guardarse"]

    @contextlib.contextmanager
    def leyendo(self, url: str, *, pausa_s: float = 0.005) -> Iterator[Lectura]:
        """While the block lasts a reader asks all the time, in each encoding, over one connection after another."""
        reading = Lectura()
        stop = threading.Event()
        thread = threading.Thread(target=self._read, args=(url, reading, stop, pausa_s), name="lector")
        thread.start()
        try:
            yield reading
        finally:
            stop.set()
            thread.join()

    def _read(self, url: str, reading: Lectura, stop: threading.Event, pause_s: float) -> None:
        turn = 0
        while not stop.is_set():
            with httpx2.Client(base_url=url, trust_env=False, timeout=10.0) as client:
                for _ in range(50):
                    newest = max(self.permitidos, default=0)
                    asked = (*PIDE, f"datos/{newest:04d}/gub/entidad.json")
                    ruta = asked[turn % len(asked)]
                    encoding = CODIFICACIONES[turn // len(asked) % len(CODIFICACIONES)]
                    turn += 1
                    permitted, waiting = set(self.permitidos), self.espera
                    try:
                        answer = client.get(ruta, headers={"accept-encoding": encoding})
                    except httpx2.HTTPError:
                        reading.sin_respuesta += 1
                        stop.wait(0.05)
                        break
                    self._judge(ruta, answer, permitted | self.permitidos, reading, espera=waiting)
                    if stop.wait(pause_s):
                        return

    def _judge(
        self, ruta: str, answer: httpx2.Response, permitted: set[int], reading: Lectura, *, espera: bool
    ) -> None:
        """``espera``: whether there might be nothing public when it was asked."""
        reading.respuestas += 1
        reading.estados[answer.status_code] += 1
        if answer.status_code == 404:
            if MARCA in answer.content:
                reading.fallas.append(f"{ruta}: un 404 con datos")
            if not espera and ruta in PIDE:
                reading.fallas.append(f"{ruta}: 404 y ya había algo público")
            return
        if answer.status_code != 200:
            reading.fallas.append(f"{ruta}: {answer.status_code}")
            return
        if ruta == "" and espera and MARCA not in answer.content:
            return
        file = ruta + "index.html" if ruta == "" or ruta.endswith("/") else ruta
        digest = sha256(answer.content)
        if digest not in {self._cuts[number].rutas.get(file) for number in permitted}:
            reading.fallas.append(f"{ruta}: {digest[:8]} no es de ningún corte permitido")
        elif ruta == "corte.json":
            number = int(json.loads(answer.content)["corte"])
            if reading.vistos and number < reading.vistos[-1]:
                reading.fallas.append(f"del corte {reading.vistos[-1]} se volvió al {number}")
            reading.vistos.append(number)
