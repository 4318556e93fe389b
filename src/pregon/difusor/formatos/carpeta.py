"""The papers on disk: made whole before the first is written, readable by this account alone, told in one list."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pregon.base.errors import EntradaError, EscrituraError, FindingsError, FormatoError, UsoError
from pregon.base.hashing import sha256_bytes
from pregon.base.razones import razon
from pregon.convocatoria.solicitud import formulario, logo
from pregon.difusor.formatos import solicitud as archivo
from pregon.difusor.formatos.encargo import Blanco, Encargo
from pregon.difusor.formatos.papeles import clausulas, papeles, por_otros, sin_ajustes
from pregon.documentos.formas import FORMAS, escribe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date
    from pathlib import Path

    from pregon.base.durable import Disk
    from pregon.convocatoria.model import Convocatoria
    from pregon.convocatoria.solicitud.logo import Logo
    from pregon.difusor.formatos.encargo import Papel
    from pregon.difusor.formatos.solicitud import Leida
    from pregon.difusor.settings import DifusorSettings
    from pregon.documentos.formas import Forma

FORMATO = "pregon/formatos/1"
INDICE = "formatos.json"
FICHA = "ficha.toml"
_LOGO_MAX = 4 << 20
"""Most bytes read of a logo; what a call admits is less."""


@dataclass(frozen=True, kw_only=True)
class Hecho:
    """What was made. ``archivos``: name and bytes. ``blancos``: each with the papers that have room for it; of none,
    a key that is there and empty. ``logo_mal``: why the logo is not admitted. ``impide``: what goes against the call.
    """

    encargo: Encargo
    papeles: tuple[Papel, ...]
    archivos: dict[str, bytes]
    blancos: tuple[tuple[Blanco, tuple[str, ...]], ...]
    logo_mal: str | None
    impide: tuple[str, ...]

    @property
    def completo(self) -> bool:
        """Whether nothing is left to write by hand or to put right."""
        return not self.blancos and self.logo_mal is None and not self.impide

    def as_dict(self) -> dict[str, Any]:
        """The list that goes with the papers, and the object of ``--json``."""
        order, call = self.encargo, self.encargo.convocatoria
        logo_file = next((name for name in self.archivos if name.startswith("logotipo.")), None)
        return {
            "formato": FORMATO,
            "convocatoria": call.id,
            "difusor": order.solicitud.nombre,
            "fecha": order.fecha.isoformat(),
            "papeles": [
                {
                    "clave": one.clave,
                    "titulo": one.titulo,
                    "clausulas": list(clausulas(order, one.clave)),
                    "destino": one.destino,
                    "vence": None if one.vence is None else call.vence(one.vence).isoformat(),
                    "archivos": [name for name in self.archivos if name.startswith(f"{one.clave}.")],
                }
                for one in self.papeles
            ],
            "logo": {
                "archivo": logo_file,
                "motivo": self.logo_mal,
                "clausulas": list(clausulas(order, "logotipo")),
                "vence": None if call.plazos.logo is None else call.vence(call.plazos.logo).isoformat(),
            },
            "ficha": FICHA if FICHA in self.archivos else None,
            "blancos": [{"ruta": one.ruta, "que": one.que, "papeles": list(where)} for one, where in self.blancos],
            "impide": list(self.impide),
            "por_su_cuenta": list(por_otros(order)),
            "archivos": [
                {"ruta": name, "bytes": len(data), "sha256": sha256_bytes(data)}
                for name, data in sorted(self.archivos.items())
            ],
        }


def prepara(
    leida: Leida,
    convocatoria: Convocatoria,
    *,
    hoy: date,
    ajustes: DifusorSettings | None,
    formas: Sequence[Forma] = FORMAS,
) -> Hecho:
    """Make every paper, and write nothing. ``hoy``: the day that they bear where the file says none.

    Raises:
        EntradaError: the logo that the file names is not there.
        AjustesError: a library is not installed, or the profile names a letter that there is none of.
    """
    asked = leida.solicitud
    mark, data, wrong = _logo(leida, convocatoria)
    order = Encargo(solicitud=asked, convocatoria=convocatoria, fecha=asked.fecha or hoy, ajustes=ajustes, logo=mark)
    made = papeles(order)
    files: dict[str, bytes] = {}
    for one in made:
        for form, document in one.documentos.items():
            if form in formas:
                files[f"{one.clave}.{form}"] = escribe(document, form)
        files |= one.otros
    if mark is not None:
        # What a browser draws goes clean; of the original of a drawing program there is nothing to clean.
        files[f"logotipo.{mark.formato}"] = data if mark.publicado is None else mark.publicado
    form_or_blanks = archivo.ficha(asked)
    lacking: tuple[str, ...] = ()
    if isinstance(form_or_blanks, tuple):
        lacking = form_or_blanks
    else:
        files[FICHA] = archivo.ficha_toml(form_or_blanks).encode()
    blanks = _blancos(made, leida, lacking, sin_logo=asked.logo is None, sin_diagrama=sin_ajustes(order))
    against = formulario.impedimentos(asked, convocatoria)
    return Hecho(encargo=order, papeles=made, archivos=files, blancos=blanks, logo_mal=wrong, impide=against)


def exige_completo(hecho: Hecho) -> None:
    """Refuse papers that are not whole.

    Raises:
        FindingsError: something is blank, against the call, or the logo is not admitted; all of it is told.
    """
    if hecho.completo:
        return
    found = [f"{one.ruta}: {one.que}" for one, _ in hecho.blancos]
    found += [*hecho.impide, *([hecho.logo_mal] if hecho.logo_mal else [])]
    raise FindingsError(
        f"Falta o no procede lo siguiente ({len(found)}):\n  " + "\n  ".join(found),
        intacto="No se escribió nada.",
        que_hacer="Complete la solicitud, o repita sin --completo para tener los papeles con esos espacios en blanco.",
    )


def guarda(hecho: Hecho, carpeta: Path, disk: Disk) -> None:
    """Write the papers and, last, their list. What an earlier list has and this one has not is removed.

    Raises:
        UsoError: the folder has other things, or the papers of another call; nothing was written.
        DiscoError, EscrituraError: could not write.
    """
    before = _antes(carpeta, hecho.encargo.convocatoria.id)
    try:
        carpeta.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, data in hecho.archivos.items():
            disk.write(carpeta / name, data, mode=0o600)
        for name in before - set(hecho.archivos):
            (carpeta / name).unlink(missing_ok=True)
    except OSError as exc:
        raise EscrituraError(
            f"No se pudo escribir en {carpeta}: {razon(exc)}.",
            intacto="La lista de papeles sigue como estaba.",
            que_hacer="Revise permisos y espacio, y repita la orden.",
        ) from exc
    text = json.dumps(hecho.as_dict(), ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    disk.write(carpeta / INDICE, text.encode(), mode=0o600)


def _antes(carpeta: Path, call: str) -> set[str]:
    """The names of the files that an earlier list says are ours."""
    try:
        present = {one.name for one in carpeta.iterdir()}
    except FileNotFoundError:
        return set()
    except OSError as exc:
        raise _ajena(carpeta, f"no se puede leer ({razon(exc)})") from exc
    if not present:
        return set()
    try:
        told = json.loads((carpeta / INDICE).read_bytes())
        names = {str(one["ruta"]) for one in told["archivos"]}
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise _ajena(carpeta, "tiene otras cosas") from exc
    if told.get("formato") != FORMATO or told.get("convocatoria") != call:
        raise _ajena(carpeta, "tiene los papeles de otra convocatoria")
    return {name for name in names if "/" not in name and name not in (".", "..", INDICE)}


def _ajena(carpeta: Path, why: str) -> UsoError:
    return UsoError(
        f"La carpeta {carpeta} {why}.",
        intacto="No se escribió nada.",
        que_hacer="Diga en --en una carpeta nueva o vacía.",
    )


def _logo(leida: Leida, convocatoria: Convocatoria) -> tuple[Logo | None, bytes, str | None]:
    """The logo, its bytes as they are, and why it is not admitted: the rule with which the institute looks at it."""
    if leida.solicitud.logo is None:
        return None, b"", None
    path = leida.carpeta / leida.solicitud.logo
    try:
        with path.open("rb") as file:
            data = file.read(_LOGO_MAX + 1)
    except OSError as exc:
        raise EntradaError(
            f"No se pudo leer el logotipo {path}: {razon(exc)}.",
            intacto="No se escribió nada.",
            que_hacer="Corrija «logo» en la solicitud: es una ruta junto a ese archivo.",
        ) from exc
    try:
        return logo.admite(data, convocatoria.logo.formatos), data, None
    except FormatoError as exc:
        return None, data, exc.que_paso


def _blancos(
    made: Iterable[Papel], leida: Leida, lacking: Iterable[str], *, sin_logo: bool, sin_diagrama: bool
) -> tuple[tuple[Blanco, tuple[str, ...]], ...]:
    """Each path once, with the papers that leave room for it; then what the file has empty and no paper asks for."""
    found: dict[str, tuple[Blanco, list[str]]] = {}
    for paper in made:
        for one in paper.blancos:
            found.setdefault(one.ruta, (one, []))[1].append(paper.clave)
    for path in lacking:
        found.setdefault(path, (Blanco(ruta=path, que="Lo pide el registro del instituto"), []))[1].append(FICHA)
    if sin_diagrama:
        drawn = Blanco(ruta="difusor.toml", que="El diagrama del servicio sale de él: diga la carpeta del difusor")
        found.setdefault(drawn.ruta, (drawn, ["diagrama"]))
    if sin_logo:
        found.setdefault("logo", (Blanco(ruta="logo", que="Logotipo, que será la liga en la lista pública"), []))
    for path in leida.vacias:
        found.setdefault(path, (Blanco(ruta=path, que="Está vacía"), []))
    return tuple((one, tuple(dict.fromkeys(where))) for one, where in found.values())
