"""``aforo``: what the analysis of capacity supposes of the embedded server, against a real one.

A package that an institute made, published by a difusor, served by Caddy over TLS; ``wrk`` asks for what a first visit
asks, in its order, on connections that are kept. What is compared is answers for one second of processor and the bytes
that are not content.
"""

from __future__ import annotations

import re
import subprocess
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import trustme
from tests.difusor.conftest import make_escena
from tests.difusor.test_tls import encrypt, served
from tests.instituto.conftest import INICIO as NOCHE
from tests.instituto.conftest import Night

from bench.informe import Limite
from bench.procesos import segundos_de_procesador
from pregon.base.clock import ManualClock
from pregon.difusor.aforo.ajustes import Red, Servidor
from pregon.difusor.aforo.capacidad import por_nucleo
from pregon.difusor.nube.costo import archivos
from pregon.trust.keys import KeyRing, generate, ring_names

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.difusor.conftest import Escena

    from bench.informe import Informe

CONEXIONES = 32
SEGUNDOS = 5
SUPUESTO = Limite(minimo=1.0)
CABECERAS = Limite(maximo=1.0)
_REQUESTS = re.compile(r"(\d+) requests in")
_READ = re.compile(r"pregon_bytes (\d+)")
_SUYOS = frozenset({"resumen.txt", "SHA256SUMS"})
"""Each package writes its own."""
_GUION = """\
local rutas = {{ {rutas} }}
local n = 0
request = function()
  n = n % #rutas + 1
  return wrk.format("GET", rutas[n], {{ ["Accept-Encoding"] = "gzip" }})
end
done = function(summary) io.write("pregon_bytes ", summary.bytes, "\\n") end
"""


@dataclass(frozen=True)
class Servido:
    """What came out: answers for one second of the server's processor, and bytes of each that are not content."""

    por_procesador: float
    encabezados: float


def mide(informe: Informe, folder: Path) -> None:
    """Run it and print."""
    informe.titulo("aforo", "una primera visita a un paquete de verdad, por TLS, contra lo que supone el análisis")
    found = carga(folder, SEGUNDOS)
    informe.nota(f"caddy con TLS: {found.por_procesador:,.0f} respuestas por segundo de procesador")
    informe.nota(f"encabezados de cada respuesta: {found.encabezados:,.0f} bytes")
    informe.cifra("respuestas / supuestas", found.por_procesador / por_nucleo(Servidor()), SUPUESTO)
    informe.cifra("encabezados / supuestos", found.encabezados / Red().cabeceras_bytes, CABECERAS)


def carga(folder: Path, seconds: int) -> Servido:
    """Load a real server for so many seconds."""
    escena = publicado(folder)
    weighed = archivos(escena.workspace.publico)
    visit = weighed.primera_visita()
    content = sum(weighed.enviados[ruta] for ruta in visit) / len(visit)
    secure = encrypt(escena, trustme.CA())
    with served(escena) as server:
        return _asked(folder, secure.url, visit, content, server.pid, seconds)


def publicado(folder: Path) -> Escena:
    """A difusor that published a package that an institute made."""
    folder.mkdir(exist_ok=True)
    night = Night(folder, ManualClock(NOCHE - timedelta(hours=4)))
    built = night.cut(night.create())
    with zipfile.ZipFile(built.carpeta / built.paquete.nombre) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if name not in _SUYOS}
    (folder / "difusor").mkdir()
    escena = make_escena(folder / "difusor", KeyRing(tuple(generate(name) for name in ring_names())))
    escena.cut(1, files)
    if escena.receiver().run_once().error is not None:
        raise SystemExit("el corte de la medida no se publicó")
    return escena


def _asked(folder: Path, url: str, visit: Sequence[str], content: float, pid: int, seconds: int) -> Servido:
    script = folder / "visita.lua"
    names = ["" if ruta == "index.html" else ruta for ruta in visit]
    script.write_text(_GUION.format(rutas=", ".join(f'"/{name}"' for name in names)), encoding="utf-8")
    command = ["wrk", "-t1", f"-c{CONEXIONES}", f"-d{seconds}s", "-s", str(script), url]
    before = segundos_de_procesador(pid)
    text = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    spent = segundos_de_procesador(pid) - before
    requests, read = _REQUESTS.search(text), _READ.search(text)
    if requests is None or read is None or "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"wrk no midió lo que debía en {url}:\n{text}")
    number = int(requests[1])
    return Servido(number / spent, int(read[1]) / number - content)
