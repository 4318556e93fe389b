"""The key of the night: with it each difusor counts visitors, so that the sums of all count nobody twice.

One for each convocatoria and ambiente: 256 bits that the institute makes and gives to each node sealed to the key of
its acuses, in a paper that it signs (``trust.sobre``), ``pregon/clave-noche/1``::

    {formato, convocatoria, instituto, ambiente, difusor, nodo, noche, sello, publica, hora}

``noche`` is the key's name, taken from its hash: it says which one it is and nothing else. ``sello`` is the sealed key,
``publica`` the institute's key to which access logs are encrypted, where the call asks for them. In a file the key is
one line, ``pregon-noche-1 <name> <base64url of 32 bytes>``, mode 0600. It is never logged. Whoever has it may ask of a
sketch whether a given address and agent may have been there: that is why it is destroyed once the counts are delivered.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pregon.base.errors import (
    AjustesError,
    AmbienteError,
    ConvocatoriaError,
    EntradaError,
    EscrituraError,
    FirmaError,
    FormatoError,
)
from pregon.base.razones import razon
from pregon.trust.sellado import seal, unseal
from pregon.trust.sobre import read_paper, sign_paper

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from securesystemslib.signer import Key

    from pregon.base.durable import Disk
    from pregon.trust.acuse import Emisor
    from pregon.trust.keys import KeyRing

FORMATO = "pregon/clave-noche/1"
TIPO = "application/vnd.pregon.clave-noche+json"
BYTES = 32
_FORMA = "pregon-noche-1"
_TEXTOS = ("formato", "convocatoria", "instituto", "ambiente", "difusor", "nodo", "noche", "sello", "publica", "hora")
_LINE_MAX = 4096
_INTACTO = "No se guardó ni se mostró ninguna clave."


@dataclass(frozen=True, repr=False)
class ClaveNoche:
    """The key. Its text never appears in a message: ``repr`` is its name."""

    secreto: bytes

    @property
    def nombre(self) -> str:
        """Sixteen hexadecimal digits."""
        return hashlib.sha256(_FORMA.encode() + self.secreto).hexdigest()[:16]

    def linea(self) -> bytes:
        """Its file."""
        return f"{_FORMA} {self.nombre} {base64.urlsafe_b64encode(self.secreto).decode()}\n".encode()

    def __repr__(self) -> str:
        return f"ClaveNoche({self.nombre})"


@dataclass(frozen=True)
class Entregada:
    """What a paper gives: the key of the night and the institute's key for logs (PEM). ``hora``: when it was signed."""

    clave: ClaveNoche
    publica: str
    hora: str


def nueva() -> ClaveNoche:
    """A key out of the system's randomness."""
    return ClaveNoche(os.urandom(BYTES))


def contexto(emisor: Emisor, instituto: str, que: str) -> str:
    """What something sealed is for: «gro-2021/iepcgro/oficial/diario-uno/principal: clave»."""
    return "/".join((emisor.convocatoria, instituto, emisor.ambiente, emisor.difusor, emisor.nodo)) + f": {que}"


def issue(
    clave: ClaveNoche,
    emisor: Emisor,
    instituto: str,
    *,
    para: str,
    publica: str,
    now: datetime,
    ring: KeyRing,
    allowed: Sequence[Key],
) -> bytes:
    """The paper that gives ``clave`` to a node. ``para``: the public key (PEM) of its acuses.

    Raises:
        EntradaError: no key of the role avisos is at hand. AjustesError: ``para`` is no such key.
    """
    payload = {
        "formato": FORMATO,
        "convocatoria": emisor.convocatoria,
        "instituto": instituto,
        "ambiente": emisor.ambiente,
        "difusor": emisor.difusor,
        "nodo": emisor.nodo,
        "noche": clave.nombre,
        "sello": base64.b64encode(seal(clave.secreto, para, contexto(emisor, instituto, "clave"))).decode(),
        "publica": publica,
        "hora": now.isoformat(),
    }
    return sign_paper(payload, TIPO, ring=ring, allowed=allowed)


def take(data: bytes, emisor: Emisor, instituto: str, privada: bytes, allowed: Iterable[Key]) -> Entregada:
    """The key that a paper gives to ``emisor``. In this order: 1. the institute signed it; 2. it is of this call,
    institute and ambiente; 3. it is for this node; 4. it opens with the node's key; 5. it is the key that it names.

    Raises:
        FormatoError: it is no such paper. FirmaError: the institute did not sign it, or it is for another node.
        ConvocatoriaError, AmbienteError: it is of another call or ambiente.
        DanadoError: its seal does not open.
    """
    said = read_paper(data, TIPO, allowed)
    try:
        texts = {name: _text(said, name) for name in _TEXTOS}
        sealed = base64.b64decode(texts["sello"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error) as exc:
        raise FormatoError(
            "No es el papel con la clave de la noche.", intacto=_INTACTO, que_hacer="Pídalo de nuevo al instituto."
        ) from exc
    ask = "Pida al instituto el que hizo para este nodo."
    if (texts["convocatoria"], texts["instituto"]) != (emisor.convocatoria, instituto):
        text = f"La clave es de la convocatoria «{texts['convocatoria']}», no de «{emisor.convocatoria}»."
        raise ConvocatoriaError(text, intacto=_INTACTO, que_hacer=ask)
    if texts["ambiente"] != emisor.ambiente:
        text = f"La clave es del ambiente «{texts['ambiente']}», no de «{emisor.ambiente}»."
        raise AmbienteError(text, intacto=_INTACTO, que_hacer=ask)
    if (texts["difusor"], texts["nodo"]) != (emisor.difusor, emisor.nodo):
        text = f"La clave es para {texts['difusor']}/{texts['nodo']}, no para {emisor.nombre}."
        raise FirmaError(text, intacto=_INTACTO, que_hacer=ask)
    key = ClaveNoche(unseal(sealed, privada, contexto(emisor, instituto, "clave")))
    if texts["formato"] != FORMATO or key.nombre != texts["noche"] or len(key.secreto) != BYTES:
        raise FormatoError("La clave no es la que dice su papel.", intacto=_INTACTO, que_hacer=ask)
    return Entregada(key, texts["publica"], texts["hora"])


def de_texto(text: str, donde: str) -> ClaveNoche:
    """The key of its line; ``donde`` says where it came from. Raises ``AjustesError``, without repeating it."""
    words = text.split()
    with contextlib.suppress(ValueError, IndexError, binascii.Error):
        key = ClaveNoche(base64.b64decode(words[2], altchars=b"-_", validate=True))
        if len(words) == 3 and words[:2] == [_FORMA, key.nombre] and len(key.secreto) == BYTES:
            return key
    raise AjustesError(
        f"La clave de la noche en {donde} no tiene la forma «{_FORMA} NOMBRE CLAVE», o está incompleta.",
        intacto=_INTACTO,
        que_hacer="Instale de nuevo la que dio el instituto con «pregon memoria clave».",
    )


def de_archivo(path: Path) -> ClaveNoche:
    """The key of a file.

    Raises:
        EntradaError: it is not there. AjustesError: others can read it, or it is no such file.
    """
    try:
        mode, data = path.stat().st_mode, path.read_bytes()[:_LINE_MAX]
    except OSError as exc:
        raise EntradaError(
            f"No está la clave de la noche: {path} ({razon(exc)}).",
            intacto=_INTACTO,
            que_hacer="Instale la que dio el instituto con «pregon memoria clave»; si ya se destruyó, no hay otra.",
        ) from exc
    if mode & 0o077:
        raise AjustesError(
            f"Otros usuarios pueden leer la clave de la noche {path}.",
            intacto=_INTACTO,
            que_hacer=f"Ejecute: chmod 600 {path}",
        )
    return de_texto(data.decode("ascii", "replace"), str(path))


def escribe(path: Path, clave: ClaveNoche, *, disk: Disk) -> None:
    """Write the key's file, mode 0600. Raises ``DiscoError``, ``EscrituraError``."""
    disk.make_folder(path.parent, mode=0o700)
    disk.write(path, clave.linea(), mode=0o600)


def destruye(path: Path) -> int:
    """Overwrite a key's file in its place with random bytes, then zeros, each time down to the disk, and remove it.

    Gives how many bytes there were. Copies that somebody made, and what a disk keeps by itself of what was written
    before, are out of reach.

    Raises:
        EntradaError: there is no such file. EscrituraError: it could not be overwritten; it stays.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
    except FileNotFoundError as exc:
        raise EntradaError(
            f"No hay nada que destruir: {path} no está.",
            intacto="No se cambió nada.",
            que_hacer="Revise en la bitácora si ya se destruyó.",
        ) from exc
    except OSError as exc:
        raise _kept(path, exc) from exc
    try:
        try:
            size = os.fstat(descriptor).st_size
            for filling in (os.urandom(size), bytes(size)):
                os.pwrite(descriptor, filling, 0)
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        path.unlink()
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as exc:
        raise _kept(path, exc) from exc
    return size


def _kept(path: Path, exc: OSError) -> EscrituraError:
    return EscrituraError(
        f"No se pudo destruir {path}: {razon(exc)}.",
        intacto="El archivo sigue ahí.",
        que_hacer="Revise los permisos y repita la orden: la clave no debe quedar.",
    )


def _text(said: dict[str, Any], name: str) -> str:
    value = said[name]
    if not isinstance(value, str):
        raise TypeError(name)
    return value
