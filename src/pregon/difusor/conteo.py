"""The key of the night in a difusor's workspace, and the delivery of its counts; the counting itself is not here.

::

    noche/clave           the key of the night (0600), from ``pregon memoria clave`` until ``destruye``
    noche/instituto.pem   the institute's public key, for the logs that its call asks for
    salida/conteo-<difusor>-<nodo>.json    the delivery, signed: somebody carries it, or the institute collects it

``clave_noche`` of the profile names another place for the key: ``archivo:/path`` or ``env:NAME``; then it is the
operator's, and only a file can be destroyed from here. No backup takes ``noche/``.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pregon.base.durable import PARCIAL, disk_failure
from pregon.base.errors import EntradaError, FirmaError, UsoError
from pregon.base.hashing import sha256_bytes, sha256_file
from pregon.base.razones import razon
from pregon.bitacoras import entrega
from pregon.bitacoras.contado import K, told_apart
from pregon.bitacoras.entrega import Crudas
from pregon.difusor.workspace import NOCHE
from pregon.trust import keys, noche
from pregon.trust.acuse import Emisor
from pregon.trust.cliente import root_identity
from pregon.trust.rescate import kept_documents
from pregon.trust.sellado import Cifrador
from pregon.trust.sobre import MAX_BYTES, paper_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from securesystemslib.signer import Key

    from pregon.base.clock import Clock
    from pregon.base.durable import Disk
    from pregon.bitacoras.contado import Contado
    from pregon.difusor.workspace import Workspace
    from pregon.trust.noche import ClaveNoche

SALIDA = "salida"
_ARCHIVO = "archivo:"
_VARIABLE = "env:"
_DESTRUIDAS = "noches_destruidas"
"""Key of the state: names of the keys of the night that were destroyed here, which are not taken again."""
_INTACTO = "No se cambió nada."


@dataclass(frozen=True)
class Destruida:
    """What became of a key: its name, the file that is gone, and the place of the event that tells of it."""

    noche: str
    archivo: Path
    bytes: int


def emisor_of(workspace: Workspace) -> Emisor:
    """Who delivers."""
    settings = workspace.settings
    return Emisor(workspace.convocatoria.id, settings.ambiente, settings.id, settings.nodo)


def place(workspace: Workspace) -> Path | None:
    """Where the key's file is; None where it is in a variable of the environment."""
    told = workspace.convocatoria.clave_noche
    if told is None:
        return workspace.folder / NOCHE / "clave"
    return workspace.folder / told.removeprefix(_ARCHIVO) if told.startswith(_ARCHIVO) else None


def key_of(workspace: Workspace, environment: Mapping[str, str]) -> ClaveNoche:
    """The key of the night that this difusor has.

    Raises:
        EntradaError: it is not there. AjustesError: it cannot be used.
    """
    path = place(workspace)
    if path is not None:
        return noche.de_archivo(path)
    name = str(workspace.convocatoria.clave_noche).removeprefix(_VARIABLE)
    text = environment.get(name)
    if text is None:
        raise EntradaError(
            f"No está la variable {name}, que debe traer la clave de la noche.",
            intacto=_INTACTO,
            que_hacer="Póngala en el ambiente de esta orden, o quite «clave_noche» del perfil.",
        )
    return noche.de_texto(text, f"la variable {name}")


def install(workspace: Workspace, paper: Path, *, clock: Clock, disk: Disk) -> str:
    """Take the key out of the institute's paper and keep it; its name. The same again changes nothing.

    Raises:
        EntradaError: the paper is not there, or nothing was ever received here that says who signs it.
        FormatoError, TrustError, DanadoError: the paper is not accepted (``trust.noche.take``).
        UsoError: there is another key, or that one was destroyed here, or the profile names a variable for it.
    """
    try:
        data = paper.read_bytes()[: MAX_BYTES + 1]
    except OSError as exc:
        raise EntradaError(
            f"No se pudo leer {paper}: {razon(exc)}.", intacto=_INTACTO, que_hacer="Revise la ruta."
        ) from exc
    private = keys.load(workspace.llave).signer.private_bytes
    given = noche.take(data, emisor_of(workspace), _institute(workspace), private, _signers(workspace))
    name, path = given.clave.nombre, place(workspace)
    state = workspace.open_state(clock)
    if name in (state.get(_DESTRUIDAS) or []):
        raise _refused(f"La clave {name} ya se destruyó aquí, y no se vuelve a instalar.", "No hay nada más que hacer.")
    if path is None:
        raise _refused(
            "El perfil dice que la clave de la noche está en una variable.", "Quite «clave_noche» del perfil."
        )
    if path.exists() and noche.de_archivo(path).nombre != name:
        raise _refused(
            "Ya hay otra clave de la noche.",
            "Si el instituto la cambió, destruya antes la que hay con «pregon memoria destruye».",
        )
    if not path.exists():
        noche.escribe(path, given.clave, disk=disk)
        disk.make_folder(workspace.folder / NOCHE, mode=0o700)
        disk.write(workspace.folder / NOCHE / "instituto.pem", given.publica.encode(), mode=0o600)
        state.record("clave_noche", noche=name, firmada=given.hora)
    return name


def institute_key(workspace: Workspace) -> str:
    """The institute's public key (PEM) to which logs are encrypted. Raises ``EntradaError`` where there is none."""
    try:
        return (workspace.folder / NOCHE / "instituto.pem").read_text(encoding="ascii")
    except OSError as exc:
        raise EntradaError(
            "No está la llave pública del instituto para cifrar bitácoras.",
            intacto=_INTACTO,
            que_hacer="Instale el papel que dio el instituto con «pregon memoria clave».",
        ) from exc


def deliver(
    workspace: Workspace,
    *,
    clave: str,
    medidas: Sequence[Mapping[str, Any]],
    contados: Sequence[Contado],
    crudas: Crudas | None,
    now: datetime,
    clock: Clock,
    disk: Disk,
    k: int = K,
) -> Path:
    """Write the signed delivery into ``salida/``, in place of the one before, and tell the journal.

    ``clave``: name of the key that was counted with. Sketches of fewer than ``k`` visitors stay here.

    Raises:
        EntradaError, AjustesError: the key of the acuses cannot be used. DiscoError, EscrituraError: could not write.
    """
    data = entrega.sign(
        emisor_of(workspace),
        instituto=_institute(workspace),
        noche=clave,
        generado=now,
        zona=workspace.convocatoria.zona.key,
        k=k,
        medidas=medidas,
        contados=told_apart(contados, k),
        crudas=crudas,
        key=keys.load(workspace.llave),
    )
    path = out(workspace, "conteo", "json")
    disk.make_folder(path.parent, mode=0o700)
    disk.write(path, data, mode=0o600)
    workspace.open_state(clock).record(
        "conteo_entregado", noche=clave, archivo=path.name, sha256=sha256_bytes(data), bytes=len(data), k=k
    )
    return path


def out(workspace: Workspace, que: str, ending: str) -> Path:
    """The file of ``salida/`` for what is delivered."""
    settings = workspace.settings
    return workspace.folder / SALIDA / f"{que}-{settings.id}-{settings.nodo}.{ending}"


def asked_days(workspace: Workspace) -> tuple[Any, Any]:
    """The first and last day whose access logs the call asks for (GRO-6.2, DGO-IV-2).

    Raises:
        UsoError: it asks for none; then none leaves.
    """
    asked = workspace.convocatoria.memoria
    wanted = asked is not None and "bitacoras" in asked.secciones
    if asked is None or not wanted or asked.bitacoras_desde is None or asked.bitacoras_hasta is None:
        raise UsoError(
            f"La convocatoria {workspace.convocatoria.id} no pide las bitácoras de acceso.",
            intacto="No se leyó ni se cifró ninguna: tienen las direcciones de las personas.",
            que_hacer="Entregue los conteos, que no las tienen: pregon memoria entrega DIR.",
        )
    return asked.bitacoras_desde, asked.bitacoras_hasta


@contextlib.contextmanager
def encrypted(workspace: Workspace, *, clock: Clock, disk: Disk) -> Iterator[Cifrado]:
    """What is written into it goes, encrypted to the institute, into ``salida/``; whole or not at all.

    Raises:
        EntradaError: the institute's key is not here. DiscoError, EscrituraError: could not write.
    """
    public = institute_key(workspace)
    path = out(workspace, "bitacoras", "zip.cifrado")
    disk.make_folder(path.parent, mode=0o700)
    partial = path.with_name(path.name + PARCIAL)
    what = noche.contexto(emisor_of(workspace), _institute(workspace), "bitácoras")
    made = Cifrado(path)
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            writer = Cifrador(file, public, what)
            made.archivo = writer
            yield made
            writer.close()
            file.flush()
            os.fsync(file.fileno())
    except BaseException as exc:
        partial.unlink(missing_ok=True)
        if isinstance(exc, OSError):
            disk_failure(exc, path)
        raise
    disk.replace(partial, path)
    made.crudas = Crudas(path.name, path.stat().st_size, sha256_file(path))
    workspace.open_state(clock).record("bitacoras_cifradas", **vars(made.crudas))


@dataclass
class Cifrado:
    """``archivo``: where to write; ``crudas``: what the delivery says of the file, once it is whole."""

    ruta: Path
    archivo: Cifrador | None = None
    crudas: Crudas | None = None


def destroy(workspace: Workspace, *, clock: Clock, sin_entregar: bool = False) -> Destruida:
    """Destroy the key of the night: overwritten, removed, and told in the journal, after the counts were delivered.

    Raises:
        UsoError: no delivery with it was made (unless ``sin_entregar``), or it is in a variable.
        EntradaError: it is not there. EscrituraError: it could not be destroyed; it stays.
    """
    path = place(workspace)
    if path is None:
        name = str(workspace.convocatoria.clave_noche).removeprefix(_VARIABLE)
        raise _refused(
            f"La clave de la noche está en la variable {name}: desde aquí no se puede destruir.",
            "Quítela de donde se escribió y anote quién lo hizo.",
        )
    name = noche.de_archivo(path).nombre
    state = workspace.open_state(clock)
    delivered = out(workspace, "conteo", "json")
    if not sin_entregar and not (delivered.is_file() and entrega_noche(delivered) == name):
        raise _refused(
            "Todavía no hay una entrega hecha con esa clave.",
            "Haga antes «pregon memoria entrega DIR»; si no va a entregar, repita con --sin-entregar.",
        )
    size = noche.destruye(path)
    state.put(**{_DESTRUIDAS: [*(state.get(_DESTRUIDAS) or []), name]})
    state.record("clave_noche_destruida", noche=name, archivo=str(path), bytes=size, entregado=not sin_entregar)
    return Destruida(name, path, size)


def entrega_noche(path: Path) -> str:
    """Name of the key of the delivery in ``path``, which we made ourselves."""
    told = json.loads(base64.b64decode(json.loads(path.read_bytes())["payload"]))
    return str(told["noche"])


def _institute(workspace: Workspace) -> str:
    return (
        root_identity(workspace.raiz.read_bytes()).instituto if workspace.firmado else workspace.convocatoria.instituto
    )


def _signers(workspace: Workspace) -> tuple[Key, ...]:
    """Who may sign papers for this institute, by the metadata that were verified here last."""
    kept = workspace.confianza / "tuf"
    if not (kept / "timestamp.json").is_file():
        raise _nothing_received()
    documents, _ = kept_documents(kept)
    roots = {int(Path(name).name.split(".")[0]): data for name, data in documents.items() if "root.json" in name}
    with tempfile.TemporaryDirectory(prefix="pregon-papeles-") as folder:
        for name, data in documents.items():
            path = Path(folder) / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        return paper_keys(Path(folder) / "metadata", roots[max(roots)])


def _nothing_received() -> FirmaError:
    return FirmaError(
        "Todavía no se ha recibido nada del instituto: no se sabe con qué llaves firma sus papeles.",
        intacto=_INTACTO,
        que_hacer="Ejecute antes «pregon difusor recibe --una-vez».",
    )


def _refused(que_paso: str, que_hacer: str) -> UsoError:
    return UsoError(que_paso, intacto=_INTACTO, que_hacer=que_hacer)
