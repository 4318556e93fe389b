"""The key ceremony: the first keys of an institute, each in its place from the start, and what is asked of them later.

The root keys are born on their media and are never written anywhere else; the night's machine gets the first key of
each online role, and the reserves go to a medium under a passphrase. Changing keys is ``relevo``.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pregon.base import locks
from pregon.base.errors import AjustesError, EntradaError, PregonError, UsoError
from pregon.base.hashing import sha256_bytes
from pregon.base.settings import load_toml
from pregon.instituto import settings as ajustes
from pregon.instituto import workspace
from pregon.instituto.ceremonia import acto as actos
from pregon.instituto.ceremonia import inventario, medios
from pregon.instituto.ceremonia.acto import EQUIPO, Acto, Nueva, Pendiente
from pregon.instituto.ceremonia.mesa import EVENTO, Mesa, Obra, make_key, record_act, remember
from pregon.trust import keys
from pregon.trust import propuesta as tratos
from pregon.trust.ceremonia import Ceremonia
from pregon.trust.keys import OFFLINE_KEYS, ONLINE_ROLES, RAIZ, KeyRing
from pregon.trust.propuesta import INTACTO

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.base.durable import Disk
    from pregon.instituto.ceremonia.inventario import Inventario
    from pregon.instituto.ceremonia.medios import Frases
    from pregon.instituto.workspace import Workspace
    from pregon.paquete.manifest import Ambiente
    from pregon.trust.keys import NamedKey
    from pregon.trust.propuesta import Diferencia

_ID_BYTES = 8
_RETO = b"pregon/comprueba"


@dataclass(frozen=True)
class Fundacion:
    """A workspace that a ceremony made, and its keys."""

    workspace: Workspace
    inventario: Inventario
    mismo_disco: bool


def generate(
    carpeta: Path,
    convocatoria: str | Path,
    mesa: Mesa,
    *,
    ambiente: Ambiente,
    operador: str,
    motivo: str,
    clock: Clock,
    disk: Disk | None = None,
) -> Fundacion:
    """Make a workspace by ceremony: three root keys on ``mesa.medios``, the reserves on ``mesa.nuevos`` or the first.

    The root and targets are signed with the keys read back from the media. A stopped attempt goes on when the command
    is repeated with the same media.

    Raises:
        UsoError: not three media, or no operator.
        AjustesError: there is a workspace or a key already, a medium is readable by others or on a disk already in use.
        PregonError: any other; a refusal wrote nothing.
    """
    espacio, profile = _begin(carpeta, convocatoria, ambiente=ambiente, clock=clock, disk=disk)
    pendiente = actos.read(espacio.llaves)
    if pendiente is None and (any(espacio.llaves.glob("*.pem")) or espacio.repositorio.exists()):
        raise AjustesError(
            f"En {carpeta} ya hay llaves o un repositorio.",
            intacto=INTACTO,
            que_hacer="Use una carpeta nueva para la ceremonia.",
        )
    obra = Obra(espacio, mesa)
    if pendiente is None:
        acto = _plan(obra, operador=operador, motivo=motivo)
        espacio.disk.make_folder(espacio.llaves, mode=0o700)
    else:
        acto = pendiente.acto
        _same_media(acto, mesa)
    with locks.exclusive(carpeta / workspace.CANDADO):
        try:
            actos.write(espacio.llaves, Pendiente(acto, "llaves"), espacio.disk)
            made = [(nueva, make_key(obra, acto, nueva)) for nueva in acto.nuevas]
        except PregonError:
            if pendiente is None:
                for path in obra.hechas:
                    espacio.disk.remove_tree(path)
                espacio.disk.remove_tree(espacio.llaves)
            raise
        ring = KeyRing(tuple(key for _, key in made))
        if not (carpeta / ajustes.ARCHIVO).exists():
            workspace.found(espacio, profile, ring, reanuda=pendiente is not None)
        remember(espacio, made)
        ceremonia = Ceremonia(espacio.repositorio, ring, disk=espacio.disk)
        for medio in mesa.medios:
            espacio.disk.write(medio / medios.RAIZ, ceremonia.root_bytes())
        record_act(espacio, acto, "genera", convocatoria=espacio.convocatoria.id, ambiente=ambiente)
        espacio.disk.remove_tree(espacio.llaves / actos.PENDIENTE)
        here = KeyRing(tuple(key for nueva, key in made if nueva.lugar == EQUIPO))
        return Fundacion(espacio, inventario.look(espacio, ceremonia, here), acto.mismo_disco)


def show(espacio: Workspace) -> Inventario:
    """The roles and keys of a workspace, as they are now. Reads only."""
    ring = keys.load_ring(espacio.llaves, identity=espacio.identity)
    return inventario.look(espacio, Ceremonia(espacio.repositorio, ring, disk=espacio.disk), ring)


@dataclass(frozen=True)
class Comprobada:
    """What was found of one medium. ``llaves``: name, id and whether some role of the workspace authorises it."""

    medio: Path
    llaves: tuple[tuple[str, str, bool], ...]
    problema: str | None
    raiz: bool | None

    @property
    def bien(self) -> bool:
        """Whether everything of it works: it opens, and some key of it counts."""
        return self.problema is None and self.raiz is not False and any(valid for _, _, valid in self.llaves)

    def as_dict(self) -> dict[str, Any]:
        """JSON types."""
        return {
            "medio": str(self.medio),
            "bien": self.bien,
            "problema": self.problema,
            "raiz_coincide": self.raiz,
            "llaves": [{"nombre": name, "llave": keyid, "vigente": valid} for name, keyid, valid in self.llaves],
        }


def check_media(
    espacio: Workspace, carpetas: Sequence[Path], frases: Frases, *, operador: str
) -> tuple[Comprobada, ...]:
    """Read each medium, open each key with its passphrase and make it sign; nothing changes but the journal."""
    valid = {llave.keyid for llave in show(espacio).llaves}
    standing = Ceremonia(espacio.repositorio, KeyRing(()), disk=espacio.disk).standing()
    found = []
    for carpeta in carpetas:
        try:
            medio = medios.open_medium(carpeta, espacio.identity, frases)
            names = tuple((key.nombre, key.keyid, key.keyid in valid and _signs(key)) for key in medio.ring.keys)
            found.append(Comprobada(carpeta, names, None, _follows(carpeta, standing)))
        except PregonError as exc:
            found.append(Comprobada(carpeta, (), str(exc.que_paso), None))
    espacio.state().record(
        EVENTO, acto="comprueba", operador=operador, medios=[{"medio": str(f.medio), "bien": f.bien} for f in found]
    )
    return tuple(found)


@dataclass(frozen=True)
class Solicitud:
    """A request as the holder of a key reads it, on a machine apart: only what the documents themselves say."""

    pendiente: Pendiente
    diferencias: tuple[Diferencia, ...]
    raiz_version: int
    raiz_sha256: str


def read_request(path: Path) -> Solicitud:
    """Read a request; what it says of itself is not believed: the differences come from the documents.

    Raises:
        EntradaError: it is not there.
        AjustesError, FirmaError: it is not a request.
    """
    pendiente = actos.read_request(path)
    propuesta = pendiente.propuesta
    assert propuesta is not None  # noqa: S101 # read_request refuses one without
    root = propuesta.documents.get("root", propuesta.current("root")).signed
    return Solicitud(
        pendiente,
        tratos.differences(propuesta),
        int(root.version),
        sha256_bytes(propuesta.actual["root"]),
    )


def sign_request(solicitud: Solicitud, carpeta: Path, frases: Frases, salida: Path, disk: Disk) -> tuple[str, ...]:
    """Sign a request with the root keys of a medium and write the signatures to ``salida``; the names that signed.

    Needs no workspace: it runs on the machine where the medium may be plugged in.

    Raises:
        FirmaError: the root it follows is not the one this medium knows, nor signed by its keys.
        EntradaError: the medium has no key that counts.
        AjustesError: ``salida`` exists.
    """
    propuesta = solicitud.pendiente.propuesta
    assert propuesta is not None  # noqa: S101 # read_request refuses one without
    if salida.exists():
        raise AjustesError(f"Ya existe {salida}.", intacto=INTACTO, que_hacer="Indique otro nombre con --salida.")
    medio = medios.open_medium(carpeta, propuesta.identity, frases)
    pinned = medios.pinned_root(carpeta)
    if pinned is None:
        raise EntradaError(
            f"El medio {carpeta} no trae {medios.RAIZ}: no puede saber si la solicitud es de su instituto.",
            intacto="No se firmó nada.",
            que_hacer=f"Copie al medio el {medios.RAIZ} vigente, comparando su huella con la hoja impresa.",
        )
    tratos.check_follows(pinned, propuesta)
    firmas = tratos.sign_proposal(propuesta, (key.signer for key in medio.ring.keys))
    signed = {keyid for values in firmas.values() for keyid in values}
    if not signed:
        raise EntradaError(
            f"Ninguna llave del medio {carpeta} cuenta para esta solicitud.",
            intacto="No se firmó nada.",
            que_hacer="Use el medio de una llave raíz vigente.",
        )
    disk.write(salida, actos.signature_file(solicitud.pendiente, firmas))
    return tuple(key.nombre for key in medio.ring.keys if key.keyid in signed)


def _begin(
    carpeta: Path, convocatoria: str | Path, *, ambiente: Ambiente, clock: Clock, disk: Disk | None
) -> tuple[Workspace, bytes]:
    """As ``workspace.begin``; a ceremony stopped after the settings were written is still to be finished."""
    if (carpeta / ajustes.ARCHIVO).exists() and (carpeta / "llaves" / actos.PENDIENTE).exists():
        pendiente = actos.read(carpeta / "llaves")
        made = load_toml(carpeta / ajustes.ARCHIVO, ajustes.AjustesInstituto)
        if pendiente is not None and pendiente.acto.tipo == "genera" and made.ambiente == ambiente:
            return workspace.open_workspace(carpeta, clock=clock, disk=disk), b""
    return workspace.begin(carpeta, convocatoria, ambiente=ambiente, clock=clock, disk=disk)


def _plan(obra: Obra, *, operador: str, motivo: str) -> Acto:
    mesa, espacio = obra.mesa, obra.workspace
    if not operador.strip():
        raise UsoError("Falta decir quién dirige la ceremonia.", intacto=INTACTO, que_hacer="Use --operador.")
    if len(mesa.medios) != len(OFFLINE_KEYS) or len(mesa.nuevos) > 1:
        raise UsoError(
            f"Hacen falta {len(OFFLINE_KEYS)} medios, uno por llave raíz (y, si se quiere, uno de reserva).",
            intacto=INTACTO,
            que_hacer="Indique --medios con tres carpetas, cada una de una persona distinta.",
        )
    used = (*mesa.medios, *mesa.nuevos)
    for carpeta in used:
        medios.check_place(carpeta)
    together = medios.check_apart(used, espacio.folder, permitir_mismo_disco=mesa.permitir_mismo_disco)
    shelf = used[-1] if mesa.nuevos else used[0]
    nuevas = [Nueva(name, RAIZ, str(place)) for name, place in zip(OFFLINE_KEYS, mesa.medios, strict=True)]
    nuevas += [Nueva(f"{rol}-1", rol, EQUIPO) for rol in ONLINE_ROLES]
    nuevas += [Nueva(f"{rol}-2", rol, str(shelf)) for rol in ONLINE_ROLES]
    for carpeta in used:
        found = medios.names_in(carpeta)
        medios.check_room(carpeta, found or [nueva.nombre for nueva in nuevas if nueva.lugar == str(carpeta)])
        obra.passphrase(str(carpeta))
    return Acto(
        id=secrets.token_hex(_ID_BYTES),
        tipo="genera",
        orden=("genera",),
        causa="inicio",
        motivo=motivo,
        operador=operador,
        hora=espacio.clock.now(),
        nuevas=tuple(nuevas),
        mismo_disco=together,
    )


def _same_media(acto: Acto, mesa: Mesa) -> None:
    places = {nueva.lugar for nueva in acto.nuevas} - {EQUIPO}
    if acto.tipo != "genera" or places != {str(path) for path in (*mesa.medios, *mesa.nuevos)}:
        raise AjustesError(
            "La ceremonia que quedó a medias usaba otros medios: " + ", ".join(sorted(places)) + ".",
            intacto=INTACTO,
            que_hacer="Repítala con los mismos medios en las mismas rutas, o empiece otra en carpeta y medios nuevos.",
        )


def _signs(key: NamedKey) -> bool:
    """Whether the private part makes a signature that the public part accepts."""
    try:
        key.public.verify_signature(key.signer.sign(_RETO), _RETO)
    except Exception:  # noqa: BLE001 # the library's border: whatever it raises, the key does not sign
        return False
    return True


def _follows(carpeta: Path, standing: tratos.Propuesta) -> bool | None:
    pinned = medios.pinned_root(carpeta)
    if pinned is None:
        return None
    try:
        tratos.check_follows(pinned, standing)
    except PregonError:
        return False
    return True
