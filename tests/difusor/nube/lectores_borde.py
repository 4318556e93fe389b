"""Readers of an edge, in a process of their own: ask without rest until told to stop, and judge every answer.

Run as ``python -m tests.difusor.nube.lectores_borde PLAN``. PLAN is a JSON file: ``url`` of the edge with its final
slash, ``rutas`` (public path, "" for the cover, to the SHA-256 that some cut's manifest lists for it), ``paginas``
(those of them to begin from), ``pausa_s`` (between two of them, of each reader), ``origen`` (address of what the edge
reads, with its final slash), ``visibles`` (cuts whose data are there), ``alto`` (stop when this file exists),
``salida`` (where to write the result). It makes the file ``PLAN.lee`` once each page was answered.

A page must be byte by byte one that the institute signed, name one cut, and have of that same cut each file of
``datos/`` that it names; what those answer is asked at once, and must be of that cut too, by its path, by its hash and
by what it says inside. A reader that a busy machine held between a page and its data may find these gone: no fault
where the origin shows by then a cut that has them no more. It shares no code with what it judges.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.client
import json
import re
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import brotli

if TYPE_CHECKING:
    from collections.abc import Callable

CODIFICACIONES: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.decompress,
    "br": brotli.decompress,
}
ERRORES = 50
"""Errors that are kept: more say nothing new."""
ESPERA_S = 20.0
CORTE = "corte.json"
_CUT = re.compile(rb'data-corte="(\d{4})"')
_DATA = re.compile(rb'"(datos/[^"]+)"')
_OWN = re.compile(r"datos/(\d{4})/")


@dataclass
class Tally:
    """What all readers found together.

    ``etags``: encoding, path and ETag to the contents seen under it. ``vistos``: encoding and path to the cuts seen.
    ``atras``: answers of an older cut than the same reader had from the same path, or than ``corte.json`` told it.
    ``tarde``: data that were asked for when they had to be gone, and were.
    """

    respuestas: int = 0
    sin_cambio: int = 0
    paginas: int = 0
    datos: int = 0
    tarde: int = 0
    errores: list[str] = field(default_factory=list)
    atras: list[str] = field(default_factory=list)
    etags: dict[str, set[str]] = field(default_factory=dict)
    vistos: dict[str, set[int]] = field(default_factory=dict)
    estados: Counter[int] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def mal(self, text: str, where: list[str] | None = None) -> None:
        kept = self.errores if where is None else where
        with self.lock:
            if len(kept) < ERRORES:
                kept.append(text)

    def suma(self, *, estado: int, pagina: bool, datos: bool) -> None:
        with self.lock:
            self.respuestas += 1
            self.estados[estado] += 1
            self.sin_cambio += estado == 304
            self.paginas += pagina
            self.datos += datos

    def to_json(self) -> dict[str, Any]:
        return {
            "respuestas": self.respuestas,
            "sin_cambio": self.sin_cambio,
            "paginas": self.paginas,
            "datos": self.datos,
            "tarde": self.tarde,
            "errores": self.errores,
            "atras": self.atras,
            "etags": {key: sorted(value) for key, value in self.etags.items()},
            "vistos": {key: sorted(value) for key, value in self.vistos.items()},
            "estados": dict(self.estados),
        }


class NoEstaError(Exception):
    """Data that are not there."""


class Lector(threading.Thread):
    """One client with one connection that it keeps; ``condicional``: it sends back the ETag of what it holds."""

    def __init__(self, plan: dict[str, Any], tally: Tally, *, codificacion: str, condicional: bool) -> None:
        super().__init__(daemon=True)
        parts = urlsplit(plan["url"])
        self._base = parts.path
        self._plan = plan
        self._tally = tally
        self._encoding = codificacion
        self._conditional = condicional
        self._held: dict[str, tuple[str, bytes]] = {}
        """Path to ETag and content."""
        self._newest: dict[str, int] = {}
        self._told = 0
        """The newest cut that ``corte.json`` told this reader."""
        self.leyo = threading.Event()
        """Every page was asked for once."""
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=ESPERA_S)

    def run(self) -> None:
        stop, pause = Path(self._plan["alto"]), self._plan["pausa_s"]
        while not stop.exists():
            for ruta in self._plan["paginas"]:
                try:
                    self.visita(ruta)
                except (OSError, http.client.HTTPException) as exc:
                    self._tally.mal(f"{ruta}: {exc!r}")
                    self._connection.close()
                time.sleep(pause)
            self.leyo.set()
        self.cierra()

    def cierra(self) -> None:
        """Close its connection."""
        self._connection.close()

    def visita(self, ruta: str) -> None:
        """Ask for one page and for all that it names, and judge the answers."""
        told = self._told
        body = self._ask(ruta)
        if body is None:
            return
        if ruta == CORTE:
            self._told = number = int(json.loads(body)["corte"])
            self._saw(ruta, number, told)
            return
        cuts = {int(found) for found in _CUT.findall(body)}
        if len(cuts) != 1:
            if cuts or ruta == "" or ruta.endswith("/"):
                self._tally.mal(f"{ruta}: names the cuts {sorted(cuts)}")
            return
        number = cuts.pop()
        self._saw(ruta, number, told)
        links = [link.decode() for link in _DATA.findall(body)]
        if not links:
            self._tally.mal(f"{ruta}: names no data")
        for link in links:
            self._follow(ruta, number, link)

    def _follow(self, page: str, corte: int, link: str) -> None:
        """A page's own data must answer, whatever is public by now, and be of the page's cut."""
        own = _OWN.match(link)
        if own is None or int(own[1]) != corte:
            self._tally.mal(f"{page} of cut {corte} names {link}")
            return
        try:
            body = self._ask(link)
        except NoEstaError:
            if (shown := self._at_the_origin()) < corte + self._plan["visibles"]:
                self._tally.mal(f"{page} of cut {corte}: {link} is gone when the origin shows {shown}")
            else:
                with self._tally.lock:
                    self._tally.tarde += 1
            return
        if body is None:
            self._tally.mal(f"{page} of cut {corte}: {link} is not reachable")
        elif int(json.loads(body)["corte"]) != corte:
            self._tally.mal(f"{page} of cut {corte}: {link} says {body[:60]!r}")

    def _at_the_origin(self) -> int:
        """The cut that the origin shows now: an edge goes on with the one before until it is purged."""
        parts = urlsplit(self._plan["origen"])
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=ESPERA_S)
        with contextlib.closing(connection):
            connection.request("GET", parts.path + CORTE)
            answer = connection.getresponse()
            encoding = answer.getheader("Content-Encoding") or "identity"
            return int(json.loads(CODIFICACIONES[encoding](answer.read()))["corte"])

    def _saw(self, ruta: str, corte: int, told: int) -> None:
        if corte < max(self._newest.get(ruta, 0), told):
            self._tally.mal(f"{ruta}: {corte} after {self._newest.get(ruta)}, told {told}", self._tally.atras)
        self._newest[ruta] = max(corte, self._newest.get(ruta, 0))
        with self._tally.lock:
            self._tally.vistos.setdefault(f"{self._encoding} {ruta}", set()).add(corte)

    def _ask(self, ruta: str) -> bytes | None:
        headers = {"Accept-Encoding": self._encoding}
        held = self._held.get(ruta) if self._conditional else None
        if held is not None:
            headers["If-None-Match"] = held[0]
        self._connection.request("GET", self._base + ruta, headers=headers)
        answer = self._connection.getresponse()
        body = answer.read()
        data = ruta.startswith("datos/")
        self._tally.suma(estado=answer.status, pagina=not data, datos=data)
        if answer.status == 304:
            if held is None or _opaque(answer.getheader("ETag") or "") != _opaque(held[0]):
                self._tally.mal(f"{ruta}: 304 for {held and held[0]} with {answer.getheader('ETag')}")
            return None if held is None else held[1]
        if answer.status == 404 and data:
            raise NoEstaError
        return self._judge(ruta, answer, body)

    def _judge(self, ruta: str, answer: http.client.HTTPResponse, body: bytes) -> bytes | None:
        wrong = self._tally.mal
        if answer.status != 200:
            wrong(f"{ruta}: status {answer.status}")
            return None
        length = answer.getheader("Content-Length")
        if length is not None and int(length) != len(body):
            wrong(f"{ruta}: Content-Length {length}, body {len(body)}")
        encoding = answer.getheader("Content-Encoding") or "identity"
        if encoding not in (self._encoding, "identity"):
            wrong(f"{ruta}: asked for {self._encoding}, got {encoding}")
        try:
            content = CODIFICACIONES[encoding](body)
        except (OSError, EOFError, KeyError, brotli.error) as exc:
            wrong(f"{ruta}: {exc!r}")
            return None
        sha256 = hashlib.sha256(content).hexdigest()
        if sha256 not in self._plan["rutas"][ruta]:
            wrong(f"{ruta}: a body that no manifest lists")
            return None
        etag = answer.getheader("ETag") or ""
        if not etag:
            wrong(f"{ruta}: no ETag")
        with self._tally.lock:
            self._tally.etags.setdefault(f"{encoding} {ruta} {etag}", set()).add(sha256)
        self._held[ruta] = (etag, content)
        return content


def _opaque(etag: str) -> str:
    """What two ETags are compared by: an edge that inflates says weak of the one that it was given."""
    return etag.removeprefix("W/")


def main() -> None:
    """Read until the stop file appears; write the tally."""
    plan = json.loads(Path(sys.argv[1]).read_bytes())
    tally = Tally()
    readers = [
        Lector(plan, tally, codificacion=codificacion, condicional=condicional)
        for codificacion in CODIFICACIONES
        for condicional in (False, True)
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.leyo.wait(ESPERA_S)
    Path(f"{sys.argv[1]}.lee").touch()
    for reader in readers:
        reader.join()
    Path(plan["salida"]).write_text(json.dumps(tally.to_json()))


if __name__ == "__main__":
    main()
