"""Whether what answers at the public address gives the headers that our own server would."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from pregon.base.errors import PregonError
from pregon.convocatoria.comprobacion import Comprobacion, clausula_de
from pregon.difusor.servidor.direccion import public_url
from pregon.difusor.servidor.sitio import security_headers, site_of
from pregon.sonda.probe import Limits, probe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pregon.base.clock import Clock
    from pregon.difusor.workspace import Workspace
    from pregon.sonda.probe import Probe

SEGUNDOS = 5.0
"""For each answer of the public address."""
_NADIE = "pregon-revisa-no-existe"


def direccion(workspace: Workspace, clock: Clock) -> Iterator[Comprobacion]:
    """That whatever answers at the public address gives the headers that it must."""
    url = public_url(workspace)
    clause = clausula_de(workspace.convocatoria.id, "DIRECCION")
    what = "La dirección pública responde con las cabeceras debidas"
    if url is None:
        yield Comprobacion(
            "DIRECCION",
            clause,
            what,
            "no se conoce la dirección pública",
            "una dirección que responda",
            "aviso",
            "Escriba «url» en [servidor], o inicie el servidor web y repita la orden.",
        )
        return
    answers: list[Probe] = []
    try:
        for ruta in ("", "corte.json", _NADIE):
            answers.append(probe(url + ruta, clock=clock, limits=Limits(segundos=SEGUNDOS)))  # noqa: PERF401 (keeps those before a failure)
    except PregonError as error:
        yield Comprobacion("DIRECCION", clause, what, error.que_paso, "que responda", "falla", error.que_hacer)
        return
    wrong = list(_wrong_headers(workspace, answers))
    yield Comprobacion(
        "DIRECCION",
        clause,
        what,
        f"{url}: " + ("; ".join(wrong) or "todas"),
        "las mismas que el servidor incluido",
        "falla" if wrong else "bien",
        "Vuelva a poner lo que escribe «pregon difusor configura nginx|apache|caddy»; si hay un equipo o una CDN "
        "delante, que no quite ni agregue cabeceras."
        if wrong
        else None,
    )


def _wrong_headers(workspace: Workspace, answers: Iterable[Probe]) -> Iterator[str]:
    cover, stamp, nobody = answers
    site = site_of(workspace, workspace.settings.servidor.puerto)
    if workspace.settings.servidor.acceso.vacio and cover.status != HTTPStatus.OK:
        yield f"la portada responde {cover.status}"
    if nobody.status not in (HTTPStatus.NOT_FOUND, HTTPStatus.UNAUTHORIZED):
        yield f"lo que no existe responde {nobody.status}, no 404"
    for answer, name in ((cover, "la portada"), (stamp, "corte.json"), (nobody, "lo que no existe")):
        for header, value in security_headers(site):
            if header != "Strict-Transport-Security" and answer.headers.get(header.lower()) != value:
                yield f"{name}: {header} falta o es otra"
        if "last-modified" in answer.headers:
            yield f"{name}: lleva Last-Modified, y una fecha podría decidir"
        if re.search(r"\d", answer.headers.get("server", "")):
            yield f"{name}: Server dice la versión"
    if stamp.status == HTTPStatus.OK and not stamp.headers.get("etag", "").startswith('"'):
        yield "corte.json: sin ETag fuerte"
    if "no-store" not in nobody.headers.get("cache-control", ""):
        yield "lo que no existe: Cache-Control no es no-store"
    if "no-cache" not in stamp.headers.get("cache-control", "") and stamp.status == HTTPStatus.OK:
        yield "corte.json: Cache-Control no es no-cache"
