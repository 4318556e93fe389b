"""What the call's carrier needs on this side, and the public cloud where a call asks for it.

GRO-2.1a MEX-I-7 MEX-II-2c4 MEX-II-3b MOR-I-7 INE-II-a-ii-1 INE-II-a INE-II-a-i-1 INE-II-a-i-2 INE-II-a-ii.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Generator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pregon.base.errors import PregonError
from pregon.convocatoria.comprobacion import Comprobacion, clausula_de
from pregon.difusor.preflight.limite import espera
from pregon.difusor.settings import ENTRADA

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pregon.base.clock import Clock
    from pregon.convocatoria.comprobacion import Estado
    from pregon.difusor.nube.ajustes import AjustesNube
    from pregon.difusor.preflight.red import Escucha
    from pregon.difusor.workspace import Workspace
    from pregon.trust.origen import RepositorySource

ORIGEN_S = 6.0
"""For the origin, or a store, to give its first bytes."""
CONECTA_S = 3.0
MARCA = "metadata/timestamp.json"
PROGRAMAS: Mapping[str, tuple[str, ...]] = {"scp": ("scp", "sshd"), "sftp": ("sshd",), "rsync": ("rsync",)}
"""What the institute runs here, or speaks to, when it delivers."""
_SERVIDORES = os.pathsep.join(("/usr/local/sbin", "/usr/sbin", "/sbin"))
_ORDEN = {"scp": "sshd", "sftp": "sshd", "rsync": "rsyncd"}


def portador(workspace: Workspace, escuchas: Sequence[Escucha], clock: Clock) -> Comprobacion:
    """PORTADOR: for a call that pushes, the program, the port and the folder; for one that is read, that it answers."""
    carrier = workspace.convocatoria.transporte
    wrong: list[tuple[Estado, str, str]] = []
    if carrier.modo == "push":
        wrong += _pushed(workspace, escuchas)
        told = f"{carrier.protocolo.upper()}: programa, puerto y carpeta «{ENTRADA}» listos"
        least = (
            f"{carrier.protocolo.upper()} por {' o '.join(map(str, carrier.puertos)) or 'su puerto'}, hacia «entrada»"
        )
    else:
        wrong += _read(workspace, clock)
        told = f"{workspace.settings.origen} responde"
        least = f"un origen {carrier.protocolo} que responda"
    state: Estado = "falla" if any(one[0] == "falla" for one in wrong) else "aviso" if wrong else "bien"
    return Comprobacion(
        "PORTADOR",
        clausula_de(workspace.convocatoria.id, "PORTADOR"),
        "Este equipo puede recibir como la convocatoria entrega",
        "; ".join(text for _, text, _ in wrong) or told,
        least,
        state,
        " ".join(dict.fromkeys(mend for _, _, mend in wrong)) or None,
    )


@contextlib.contextmanager
def leyendo(workspace: Workspace, clock: Clock) -> Iterator[RepositorySource]:
    """The network origin of a workspace, for as long as the block lasts; no connection is left. Raises its errors."""
    from pregon.transport.abre import open_source

    settings = workspace.settings
    source = open_source(settings.lugar_origen, folder=workspace.folder, clock=clock, environment=os.environ)
    try:
        yield source
    finally:
        close = getattr(source, "close", None)  # those over HTTP keep a connection
        if close is not None:
            close()


def pedazos(source: RepositorySource, ruta: str) -> Generator[bytes]:
    """The pieces of a file of the origin, none where it is not there; what is not asked for is not read."""
    pieces = source.stream(ruta)
    try:
        yield from pieces or ()
    finally:
        if isinstance(pieces, Generator):
            pieces.close()


def _pushed(workspace: Workspace, escuchas: Sequence[Escucha]) -> Iterator[tuple[Estado, str, str]]:
    carrier, settings = workspace.convocatoria.transporte, workspace.settings
    if settings.origen != ENTRADA:
        text = f"el origen es «{settings.origen}», y la convocatoria deposita en «{ENTRADA}»"
        yield "aviso", text, f'Si el instituto deposita en este equipo, escriba origen = "{ENTRADA}".'
        return
    order = f"«pregon difusor configura {_ORDEN.get(carrier.protocolo, 'sshd')}» escribe lo que falta."
    for name in PROGRAMAS.get(carrier.protocolo, ()):
        if shutil.which(name) is None and shutil.which(name, path=_SERVIDORES) is None:
            yield "falla", f"falta el programa {name}", "Instálelo con los paquetes del sistema."
    open_here = {one.puerto for one in escuchas if not one.local}
    if carrier.puertos and not open_here.intersection(carrier.puertos):
        yield "falla", f"nadie escucha en {' ni '.join(map(str, carrier.puertos))}", order
    folder = workspace.entrada
    if not folder.is_dir():
        yield "falla", f"no está la carpeta {folder}", order
    elif not os.access(folder, os.R_OK | os.X_OK):
        yield "falla", f"esta cuenta no puede leer {folder}", order


def _read(workspace: Workspace, clock: Clock) -> Iterator[tuple[Estado, str, str]]:
    settings = workspace.settings
    if not settings.en_red:
        text = f"el origen es «{settings.origen}», y la convocatoria se lee por la red"
        yield "aviso", text, "Escriba en «origen» la dirección https://… o s3://… que le dé el instituto."
        return

    def ask() -> bool:
        with leyendo(workspace, clock) as source, contextlib.closing(pedazos(source, MARCA)) as pieces:
            return any(pieces)

    try:
        there = espera(ask, segundos=ORIGEN_S)
    except PregonError as error:
        yield "falla", error.que_paso, error.que_hacer
        return
    host = urlsplit(settings.origen).netloc
    if there is None:
        yield "falla", f"{host} no respondió en {ORIGEN_S:g} s", "Revise la red de este equipo y [acceso]."
    elif not there:
        yield "falla", f"{host} responde, y ahí no hay un repositorio", "Pida al instituto la dirección exacta."


def nube(workspace: Workspace) -> Iterator[Comprobacion]:
    """NUBE: for a call that asks for a cloud, an edge or its purge, and for a difusor that has one."""
    call, targets = workspace.convocatoria, workspace.settings.nube
    required = "requerida" if call.minimos.nube == "requerida" else None
    if required is None and call.cdn != "requerido" and call.purga != "requerido" and not targets:
        return
    parts: list[str] = []
    states: list[Estado] = []
    mend: list[str] = []
    if not targets:
        parts.append("ningún destino [[nube]]")
        states.append("falla")
        mend.append("Agregue el almacén y su CDN en [[nube]] («pregon difusor configura s3» escribe la política).")
    for target in targets:
        state, text, how = _target(workspace, target)
        parts.append(f"{target.nombre}: {text}")
        states.append(state)
        mend.append(how)
        if call.purga == "requerido" and target.purga.tipo == "ninguna":
            parts.append(f"{target.nombre}: sin purga")
            states.append("falla")
            mend.append("Escriba [nube.purga] con el tipo de su CDN: la convocatoria pide limpiar su caché.")
        if call.cdn == "requerido" and target.publica is None:
            parts.append(f"{target.nombre}: sin la dirección de su CDN")
            states.append("falla")
            mend.append("Escriba «publica» en [[nube]], la dirección con que responde la CDN.")
    yield Comprobacion(
        "NUBE",
        clausula_de(call.id, "NUBE"),
        "La nube responde y su caché puede limpiarse",
        "; ".join(parts),
        "un almacén que responda, con CDN y purga",
        max(states, key=("bien", "aviso", "falla").index),
        " ".join(dict.fromkeys(one for one in mend if one)) or None,
    )


def _target(workspace: Workspace, target: AjustesNube) -> tuple[Estado, str, str]:
    from pregon.difusor.nube.cubo import Cubo, Paciencia

    def ask() -> bool:
        Cubo(
            target,
            folder=workspace.folder,
            environment=os.environ,
            parar=threading.Event(),
            paciencia=Paciencia(connect_s=CONECTA_S, stall_s=CONECTA_S, pausas_s=()),
        ).mira("corte.json")
        return True

    try:
        there = espera(ask, segundos=ORIGEN_S)
    except PregonError as error:
        return "falla", error.que_paso, error.que_hacer
    if there is None:
        return "falla", f"no respondió en {ORIGEN_S:g} s", "Revise la red de este equipo y la dirección del almacén."
    return "bien", "responde", ""
