"""Seals: the head of the journal's chain, signed at each cut and kept where the machine of the night does not reach.

A seal is an envelope (``trust.sobre``) over ``pregon/sello/1``: ``{convocatoria, ambiente, numero, n, eslabon, hora,
corte, anterior}``, ``anterior`` being the SHA-256 of the seal before. Each is a row of the state database, a file of
``bitacora/sellos/`` and of every folder of ``[bitacora] copias``, and a line that goes out with the messages of the
night (``mensaje``). Whoever owns the machine owns its key too and can sign new ones: the copies that left are what he
cannot change, and ``revisa`` takes them from any place.
"""

from __future__ import annotations

import contextlib
import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pregon.base import locks
from pregon.base.errors import EscrituraError, FirmaError, FormatoError, PregonError, UsoError
from pregon.base.hashing import sha256_bytes
from pregon.instituto.bitacora.cadena import Falla, Sello, Verificacion, verifica
from pregon.notifica.mensaje import Mensaje
from pregon.trust import keys
from pregon.trust.sobre import MAX_BYTES, paper_keys, read_paper, sign_paper

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from securesystemslib.signer import Key

    from pregon.base.cadena import Apunte
    from pregon.instituto.workspace import Workspace

FORMATO = "pregon/sello/1"
CARPETA = "bitacora"
SELLOS = "sellos"
SERIE = "sellos"
"""Of the rows of the state database."""
CODIGO = "SELLO"
"""Of the message that carries one out."""
SUCESO = "sello"
"""Kind of the event that tells of one: a seal that somebody takes away is missed."""
TURNO_S = 30.0
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DADO = re.compile(r"(\d{1,9}):([0-9a-f]{64})")


def sella(workspace: Workspace, *, corte: int | None = None) -> Sello:
    """Sign the journal's head as it is now, keep it and copy it. Where a copy fails, that is an event; the seal holds.

    Raises:
        EntradaError: the key of avisos is not at hand; nothing was signed.
        DiscoError, EscrituraError: it could not be kept here.
        InstanciaError: another process is sealing.
    """
    folder = workspace.folder / CARPETA / SELLOS
    workspace.disk.make_folder(folder, mode=0o700)
    with locks.turn(folder / ".candado", seconds=TURNO_S):
        state = workspace.state()
        allowed = _allowed(workspace)
        last, before = _last(workspace)
        number, head = last + 1, state.cabeza()
        payload = {
            "convocatoria": workspace.convocatoria.id,
            "ambiente": workspace.settings.ambiente,
            "numero": number,
            "n": head.n,
            "eslabon": head.eslabon,
            "hora": workspace.clock.now().isoformat(),
            "corte": corte,
            "anterior": before,
        }
        ring = keys.load_ring(workspace.llaves, identity=workspace.identity)
        data = sign_paper(payload, FORMATO, ring=ring, allowed=allowed)
        state.put_row(SERIE, number, {"numero": number, "sobre": data.decode()})
        workspace.disk.write(folder / _name(number), data, mode=0o600)
        failed = _copy(workspace, number, data)
        state.record(SUCESO, numero=number, hasta=head.n, corte=corte, sha256=sha256_bytes(data), copias_mal=failed)
        return parse(data, allowed)


def mensaje(workspace: Workspace, sello: Sello) -> Mensaje:
    """The seal as one line that any channel carries away: with it alone the journal can be compared later."""
    text = f"{sello.n}:{sello.eslabon}"
    return Mensaje(
        CODIGO,
        "informe",
        f"sello {sello.numero:06d} {text}",
        f"La bitácora llega al suceso {sello.n}. Guarde este renglón fuera del equipo; para compararla después:\n"
        f"pregon instituto bitacora verifica CARPETA --eslabon {text}",
        sello.hora or workspace.clock.now(),
        workspace.convocatoria.id,
    )


def parse(data: bytes, allowed: Iterable[Key]) -> Sello:
    """A seal, its signature verified.

    Raises:
        FormatoError: it is no seal. FirmaError: no key of the institute signed it.
    """
    payload = read_paper(data, FORMATO, allowed)
    try:
        return _parsed(payload, sha256_bytes(data))
    except (ValueError, KeyError, TypeError) as exc:
        raise FormatoError(
            "No es un sello de la bitácora: su contenido no es el que debe.",
            intacto="No se cambió nada.",
            que_hacer="Use los archivos de la carpeta bitacora/sellos, byte por byte.",
        ) from exc


def dado(text: str) -> Sello:
    """A head that a person read in a mail or a log: «suceso:eslabón». Nobody signs it; who typed it answers for it.

    Raises:
        UsoError: it is not written so.
    """
    match = _DADO.fullmatch(text.strip())
    if match is None:
        raise UsoError(
            f"«{text}» no es un eslabón.",
            intacto="No se cambió nada.",
            que_hacer="Escriba el número del suceso, dos puntos y los 64 dígitos del eslabón, como en el mensaje.",
        )
    return Sello(numero=0, n=int(match[1]), eslabon=match[2])


def revisa(workspace: Workspace, *, fuera: Sequence[bytes] = (), dados: Sequence[Sello] = ()) -> Verificacion:
    """Compare the whole journal with every seal at hand: rows, files, copies, and those brought from outside.

    ``fuera``: bytes of seals kept elsewhere. Changes nothing.

    Raises:
        FormatoError, FirmaError: one of ``fuera`` is no seal of this institute.
    """
    allowed = _allowed(workspace)
    state = workspace.state()
    found: list[Sello] = [*dados, *(parse(data, allowed) for data in fuera)]
    wrong: list[Falla] = []
    for where, number, data in _kept(workspace):
        sello = _authentic(data, allowed)
        if sello is not None and sello.numero == number:
            found.append(sello)
        else:
            wrong.append(Falla("SELLO_DISTINTO", number, number, f"El sello {number:06d} de {where} no es auténtico."))
    told: set[int] = set()
    read = verifica(_listening(state.apuntes(), told), dados=state.dados(), sellos=found)
    lost = sorted(told - {each.numero for each in found})
    wrong += [Falla("SELLO_FALTA", n, n, f"La bitácora habla del sello {n:06d} y no está.") for n in lost]
    # The file beside is a copy that must be there: without it whoever rewrites the base rewrites every seal.
    # Of two machines with one base, each has beside it only those that it signed.
    rows = {n for where, n, _ in _kept(workspace) if where == _BASE} if workspace.compartido is None else set()
    missing = sorted(rows - _beside(workspace))
    wrong += [Falla("SELLO_FALTA", n, n, f"El sello {n:06d} no está en {CARPETA}/{SELLOS}.") for n in missing]
    return Verificacion(read.sucesos, read.encadenados, read.cabeza, read.sellos, read.sellado, (*read.fallas, *wrong))


def todos(workspace: Workspace) -> list[tuple[Sello, bytes]]:
    """Every seal of the state database that is authentic, with its bytes, by number."""
    allowed = _allowed(workspace)
    rows = ((data, parse(data, allowed)) for where, _, data in _kept(workspace) if where == _BASE)
    return [(sello, data) for data, sello in rows]


def _authentic(data: bytes, allowed: Sequence[Key]) -> Sello | None:
    try:
        return parse(data, allowed)
    except (FormatoError, FirmaError):
        return None


_BASE = "la base de estado"


def _kept(workspace: Workspace) -> Iterator[tuple[str, int, bytes]]:
    for row in workspace.state().rows(SERIE):
        yield _BASE, int(row["numero"]), row["sobre"].encode()
    for folder in (workspace.folder / CARPETA / SELLOS, *_copies(workspace)):
        for path in _files(folder):
            yield str(folder), int(path.stem), path.read_bytes()[: MAX_BYTES + 1]


def _last(workspace: Workspace) -> tuple[int, str | None]:
    """Number and SHA-256 of the last seal, in the base or beside it: no file of an earlier night is written over."""
    row = workspace.state().last_row(SERIE)
    number, data = (0, b"") if row is None else (int(row["numero"]), row["sobre"].encode())
    for path in _files(workspace.folder / CARPETA / SELLOS)[-1:]:
        if int(path.stem) > number:
            number, data = int(path.stem), path.read_bytes()
    return number, sha256_bytes(data) if number else None


def _files(folder: Path) -> list[Path]:
    """The seals in a folder; one that is not there (a memory taken out) has none."""
    return sorted(folder.glob("[0-9]*.json")) if folder.is_dir() else []


def _beside(workspace: Workspace) -> set[int]:
    return {int(path.stem) for path in _files(workspace.folder / CARPETA / SELLOS)}


def _listening(apuntes: Iterable[Apunte], told: set[int]) -> Iterator[Apunte]:
    """``apuntes``, noting in ``told`` the numbers of the seals that they tell of."""
    for apunte in apuntes:
        if apunte.tipo == SUCESO:
            # One that somebody changed is found by its link; here it only names no seal.
            with contextlib.suppress(ValueError, KeyError, TypeError):
                told.add(int(json.loads(apunte.dato)["numero"]))
        yield apunte


def _copy(workspace: Workspace, number: int, data: bytes) -> list[str]:
    failed = []
    for folder in _copies(workspace):
        path = folder / _name(number)
        try:
            if path.exists() and path.read_bytes() != data:
                raise _taken(path)
            workspace.disk.write(path, data, mode=0o600)
        except (
            PregonError,
            OSError,
        ):  # A disk taken out: the night goes on, and the journal tells of it.
            failed.append(str(folder))
    return failed


def _taken(path: Path) -> EscrituraError:
    return EscrituraError(
        f"En {path} hay otro sello con ese número.",
        intacto="El que estaba no se tocó.",
        que_hacer="Revise de qué noche es esa carpeta; cada espacio de trabajo debe tener la suya.",
    )


def _copies(workspace: Workspace) -> tuple[Path, ...]:
    return tuple(workspace.folder / each for each in workspace.settings.bitacora.copias)


def _allowed(workspace: Workspace) -> tuple[Key, ...]:
    root = workspace.repository().root_bytes()
    return paper_keys(workspace.repositorio / "metadata", root)


def _name(number: int) -> str:
    return f"{number:06d}.json"


def _parsed(payload: dict[str, Any], sha256: str) -> Sello:
    number, n, link, before, corte = (payload[key] for key in ("numero", "n", "eslabon", "anterior", "corte"))
    hora = datetime.fromisoformat(payload["hora"])
    integers = [number, n] if corte is None else [number, n, corte]
    if any(not isinstance(each, int) or isinstance(each, bool) or each < 0 for each in integers) or number == 0:
        raise ValueError("numero")
    if _SHA256.fullmatch(link) is None or not (before is None or _SHA256.fullmatch(before)) or hora.tzinfo is None:
        raise ValueError("eslabon")
    return Sello(numero=number, n=n, eslabon=link, hora=hora, corte=corte, anterior=before, sha256=sha256)
