"""An nginx before a bucket that writes down each request that reaches it, and changes none. ``bench`` uses it too.

A real server, and not a relay of ours: what passes here is a crowd, or the twenty thousand objects of a national cut.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import httpx2

from pregon.base.red import free_port
from tests.red.servidores.enmarcha import HOST
from tests.red.servidores.nginx import NginxCon

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

_MARK = "/-testigo-"
"""Asked of the witness itself, to know that all before is written."""
_FIELDS = (
    "$request_method",
    "$uri",
    "$status",
    "$content_length",
    "$request_length",
    "$body_bytes_sent",
    "$http_if_none_match$http_if_modified_since",
)


@dataclass(frozen=True)
class Peticion:
    """One request as the bucket got it.

    ``subidos``: bytes of its body; ``enteros``: those of its line and headers too; ``bajados``: of the answer's body.
    ``condicion``: the ETag or the date that it brought, «--» for none.
    """

    metodo: str
    ruta: str
    estado: int
    subidos: int
    enteros: int
    bajados: int
    condicion: str


class Testigo:
    """``with Testigo(folder, port_of_the_bucket) as witness``: whoever is given ``witness.puerto`` is written down."""

    __test__ = False  # pytest: the name begins so by chance

    def __init__(self, carpeta: Path, deposito: int) -> None:
        self.puerto = free_port(HOST)
        self._log = carpeta / "peticiones.log"
        self._nginx = NginxCon(
            carpeta,
            f"""log_format peticiones '{chr(9).join(_FIELDS)}';
            upstream deposito {{ server {HOST}:{deposito}; keepalive 32; keepalive_requests 1000000; }}
            server {{
              listen {HOST}:{self.puerto};
              gzip off;
              client_max_body_size 0;
              keepalive_requests 1000000;
              access_log {self._log} peticiones;
              location / {{
                proxy_pass http://deposito;
                proxy_http_version 1.1;
                proxy_request_buffering off;
                proxy_set_header Connection "";
                proxy_set_header Host $http_host;
              }}
              location {_MARK} {{ return 204; }}
            }}""",
            [self.puerto],
        )

    def __enter__(self) -> Self:
        self._nginx.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._nginx.__exit__(kind, error, trace)

    def peticiones(self) -> list[Peticion]:
        """Every request that was answered until now, in order."""
        with contextlib.suppress(httpx2.HTTPError):  # nginx notes each right after its last byte
            httpx2.get(f"http://{HOST}:{self.puerto}{_MARK}", trust_env=False)
        return [found for line in self._log.read_text(encoding="utf-8").splitlines() if (found := _parsed(line))]


def _parsed(line: str) -> Peticion | None:
    method, path, status, body, whole, sent, condition = line.split("\t")
    if path in ("/", _MARK):
        return None
    return Peticion(method, path, int(status), 0 if body == "-" else int(body), int(whole), int(sent), condition)
