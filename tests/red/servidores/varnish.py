"""A real Varnish on loopback with the VCL that «configura varnish» prints, in front of an origin."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

from pregon.base.procesos import capture
from pregon.base.red import free_port
from pregon.difusor.nube.purga.textos import LENTA_S, Origen, vcl
from tests.red.servidores.enmarcha import HOST, EnMarcha, programa

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Varnish(EnMarcha):
    """``with Varnish(folder, "http://127.0.0.1:8333/urna/sitio", almacen=True) as edge: edge.url``.

    ``url`` has a final slash. ``secreto`` is what purges, ``archivo_secreto`` its file. ``almacen``: the origin is an
    object store. ``encabezados`` are set on every answer. ``memoria_mb``: room for what it keeps.
    ``lenta_s``: as in ``vcl``.
    """

    def __init__(
        self,
        carpeta: Path,
        origen: str,
        *,
        almacen: bool = False,
        encabezados: Sequence[tuple[str, str]] = (),
        quienes: Sequence[str] = ("127.0.0.1",),
        memoria_mb: int = 256,
        lenta_s: float = LENTA_S,
    ) -> None:
        carpeta.mkdir(parents=True, exist_ok=True)
        self.carpeta = carpeta
        self.puerto = free_port(HOST)
        self.url = f"http://{HOST}:{self.puerto}/"
        self.secreto = secrets.token_urlsafe(24)
        self.archivo_secreto = carpeta / "secreto"
        self.archivo_secreto.write_text(self.secreto + "\n", encoding="utf-8")
        self.vcl = carpeta / "pregon.vcl"
        text = vcl(
            Origen(origen, almacen=almacen),
            secreto=self.archivo_secreto,
            quienes=quienes,
            encabezados=encabezados,
            lenta_s=lenta_s,
        )
        self.vcl.write_text(text, encoding="utf-8")
        command: list[str | Path] = [
            programa("varnishd"),
            "-F",
            *("-j", "none"),
            *("-n", carpeta / "n"),
            *("-f", self.vcl),
            *("-a", f"{HOST}:{self.puerto}"),
            *("-T", "none"),
            *("-s", f"malloc,{memoria_mb}m"),
            *("-p", "thread_pools=1"),
            *("-p", "thread_pool_min=20"),
            *("-p", "vsl_space=2M"),
        ]
        # It compiles its VCL with a C compiler before it listens: about a second of a core.
        super().__init__(command, puertos=[self.puerto], salida=carpeta / "varnishd.log")

    def cuenta(self, nombre: str) -> int:
        """One of its counters: ``MAIN.cache_hit``, ``MAIN.backend_req``…"""
        text = capture(
            [programa("varnishstat"), "-n", self.carpeta / "n", "-1", "-j", "-f", nombre], timeout=10, limit=1 << 20
        )
        assert text is not None
        table: dict[str, Any] = json.loads(text)
        counters: dict[str, Any] = table.get("counters", table)
        return int(counters[nombre]["value"])
