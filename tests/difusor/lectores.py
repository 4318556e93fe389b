"""Readers of a portal, in a process of their own: ask until told to stop, and judge every answer.

Run as ``python -m tests.difusor.lectores PLAN``. PLAN is a JSON file: host, port, ``rutas`` (address to the SHA-256
that some cut's manifest lists for it), ``pausa_s`` (between two pages of one reader), ``alto`` (stop when this file
exists), ``salida`` (where to write the result).
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import json
import re
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import brotli

if TYPE_CHECKING:
    from collections.abc import Callable

_CORTE = re.compile(rb'data-corte="(\d{4})"')
_DECODE: dict[str, Callable[[bytes], bytes]] = {"identity": bytes, "gzip": gzip.decompress, "br": brotli.decompress}
_DATE = "Fri, 01 Jan 2100 00:00:00 GMT"


@dataclass
class Tally:
    """What the readers found. ``etags`` maps encoding, address and ETag to the bodies seen under it."""

    answers: int = 0
    not_modified: int = 0
    errors: list[str] = field(default_factory=list)
    etags: dict[str, set[str]] = field(default_factory=dict)
    bodies: dict[str, set[str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def wrong(self, text: str) -> None:
        with self.lock:
            if len(self.errors) < 50:
                self.errors.append(text)


class Reader(threading.Thread):
    """One client with one connection that it keeps."""

    def __init__(self, plan: dict[str, Any], tally: Tally, *, encoding: str, conditional: bool) -> None:
        super().__init__(daemon=True)
        self._plan = plan
        self._tally = tally
        self._encoding = encoding
        self._conditional = conditional
        self._seen: dict[str, str] = {}
        self._asked = 0
        self._connection = http.client.HTTPConnection(plan["host"], plan["port"], timeout=10)

    def run(self) -> None:
        stop = Path(self._plan["alto"])
        while not stop.exists():
            for ruta in self._plan["paginas"]:
                try:
                    body = self._ask(ruta)
                    if body is not None and (found := _one_cut(body)):
                        self._follow(found)
                except (OSError, http.client.HTTPException) as exc:
                    self._tally.wrong(f"{ruta}: {exc!r}")
                    self._connection.close()
                time.sleep(self._plan["pausa_s"])

    def _follow(self, corte: str) -> None:
        """A page names its data folder: it must answer, with the data of that cut, whatever is public by now."""
        ruta = f"datos/{corte}/gub/entidad.json"
        if self._ask(ruta) is None and not self._conditional:
            self._tally.wrong(f"{ruta}: the page's own data are not reachable")

    def _ask(self, ruta: str) -> bytes | None:
        headers = {"Accept-Encoding": self._encoding}
        known = self._seen.get(ruta) if self._conditional else None
        self._asked += 1
        if known is None or self._asked % 2:  # nginx answers 200 where a date comes too; the others, by the ETag
            headers["If-Modified-Since"] = _DATE
        if known is not None:
            headers["If-None-Match"] = known
        self._connection.request("GET", "/" + ruta, headers=headers)
        answer = self._connection.getresponse()
        body = answer.read()
        etag = answer.getheader("ETag") or ""
        encoding = answer.getheader("Content-Encoding") or "identity"
        self._tally.answers += 1
        if answer.status == 304:
            self._tally.not_modified += 1
            if known is None or etag != known:
                self._tally.wrong(f"{ruta}: 304 for {known} with {etag}")
            return None
        return self._judge(ruta, answer, body, etag, encoding)

    def _judge(
        self, ruta: str, answer: http.client.HTTPResponse, body: bytes, etag: str, encoding: str
    ) -> bytes | None:
        wrong = self._tally.wrong
        if answer.status != 200:
            wrong(f"{ruta}: status {answer.status}")
            return None
        if int(answer.getheader("Content-Length") or -1) != len(body):
            wrong(f"{ruta}: Content-Length {answer.getheader('Content-Length')}, body {len(body)}")
        if encoding not in (self._encoding, "identity") or answer.getheader("Last-Modified") is not None:
            wrong(f"{ruta}: encoding {encoding}, Last-Modified {answer.getheader('Last-Modified')}")
        if not etag.startswith('"'):
            wrong(f"{ruta}: no strong ETag: {etag}")
        try:
            content = _DECODE[encoding](body)
        except (OSError, EOFError, brotli.error) as exc:
            wrong(f"{ruta}: {exc!r}")
            return None
        sha256 = hashlib.sha256(content).hexdigest()
        if sha256 not in self._plan["rutas"][ruta]:
            wrong(f"{ruta}: a body that no manifest lists")
        with self._tally.lock:
            self._tally.etags.setdefault(f"{ruta} {etag}", set()).add(f"{encoding} {sha256}")
            self._tally.bodies.setdefault(f"{ruta} {encoding} {sha256}", set()).add(etag)
        self._seen[ruta] = etag
        return content


def _one_cut(body: bytes) -> str | None:
    found = set(_CORTE.findall(body))
    return found.pop().decode() if len(found) == 1 else None


def main() -> None:
    """Read until the stop file appears; write the tally."""
    plan = json.loads(Path(sys.argv[1]).read_bytes())
    tally = Tally()
    readers = [
        Reader(plan, tally, encoding=encoding, conditional=conditional)
        for encoding in _DECODE
        for conditional in (False, True)
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    result = {
        "answers": tally.answers,
        "not_modified": tally.not_modified,
        "errors": tally.errors,
        "etags": {key: sorted(value) for key, value in tally.etags.items()},
        "bodies": {key: sorted(value) for key, value in tally.bodies.items()},
    }
    Path(plan["salida"]).write_text(json.dumps(result))


if __name__ == "__main__":
    main()
