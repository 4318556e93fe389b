"""A whole night of an institute as its own rooms write it: signed cuts, the registry, rounds of the watch, the journal.

``haz`` makes it on a clock that is told, of any size, always the same; what each difusor does is in ``guion``. The
journal of so many cuts is written by ``_Apunta`` in few transactions: the same rows, with the same chain.
"""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from pregon.base import cadena
from pregon.base.clock import ManualClock
from pregon.base.durable import Disk
from pregon.convocatoria.solicitud.modelo import Ficha
from pregon.instituto import workspace as espacios
from pregon.instituto.monitor import formas
from pregon.instituto.monitor.almacen import Almacen, Guardada
from pregon.instituto.monitor.modelo import Dictamen, Muestra, Observacion, Vista
from pregon.instituto.proceso.diario import evento_de
from pregon.instituto.proceso.modelo import Cierre
from pregon.instituto.registro import rotacion
from pregon.instituto.registro.almacen import Registro
from pregon.instituto.registro.estados import Mandato
from pregon.paquete.cut import stamped_name, write_cut
from pregon.paquete.manifest import ManifestHead
from pregon.paquete.tree import PackageTree

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pregon.instituto.monitor.modelo import Causa, Veredicto
    from pregon.instituto.tablero.modelo import Letra
    from pregon.instituto.workspace import Workspace

ZONA = ZoneInfo("America/Mexico_City")
INICIO = datetime(2027, 6, 6, 20, 0, tzinfo=ZONA)
PASO = timedelta(minutes=10)
FIRMA_S = 20
"""Seconds after its hour at which each cut is signed."""
TOLERANCIA_S = 300
OPERADORA = Mandato(quien="operador", operador="Irene Soto", motivo="solicitud completa", evidencia=("oficio 12",))
PUNTOS = ("instituto", "universidad")
PERFIL = """
id = "tablero-2027"
nombre = "Proceso Electoral de Ensayo 2027"
instituto = "iedemo"
instituto_nombre = "Instituto de Ensayo"
elecciones = ["GUB"]
zona_horaria = "America/Mexico_City"
inicio = 2027-06-06T20:00:00
fin_actualizacion = 2027-06-07T20:00:00
permanencia_hasta = 2027-06-30T23:59:00
intervalo_min = 10
[entidad]
numero = 4
clave = "CAMP"
nombre = "Campeche"
[transporte]
modo = "push"
protocolo = "scp"
puertos = [22]
[fallo]
periodos = 3
accion = "interrumpir"
causas = ["periodos"]
"""
_VEREDICTOS: dict[str, tuple[Veredicto, Causa]] = {
    "D": ("al_dia", "ninguna"),
    "A": ("al_dia", "ninguna"),
    "R": ("atrasado", "difusor"),
    "X": ("alterado", "difusor"),
    "S": ("inaccesible", "difusor"),
    "N": ("atrasado", "red"),
    "Q": ("sin_determinar", "sin_determinar"),
}


def nombre(place: int) -> str:
    """The id of a difusor by its place."""
    return f"difusor-{place:03d}"


def segundos(place: int, slot: int) -> int:
    """Since the signature of a slot's cut until a difusor says that it shows it; always before the first round."""
    return random.Random(1000 * place + slot).randint(3, 39)


@dataclass
class Noche:
    """A night that was made, and what it must look like: ``letras[(difusor, slot)]`` and ``perdidos``."""

    workspace: Workspace
    clock: ManualClock
    difusores: int
    slots: int
    perdidos: frozenset[int]
    cada_s: int
    letras: dict[tuple[str, int], Letra] = field(default_factory=dict)
    ronda: int = 0

    def corte(self, slot: int) -> int | None:
        """The number of the cut of a slot."""
        return None if slot in self.perdidos else slot + 1 - sum(one < slot for one in self.perdidos)

    def firmado(self, slot: int) -> datetime:
        """When the cut of a slot was signed."""
        return INICIO + PASO * slot + timedelta(seconds=FIRMA_S)

    def manda(self, slot: int) -> None:
        """Sign the cut of a slot, and write so in the journal."""
        self.clock.instant = self.firmado(slot)
        firma(self.workspace, self.corte(slot) or 0, INICIO + PASO * slot)

    def mira(self, hora: datetime, slot: int, letras: dict[int, Letra]) -> Guardada:
        """One round, kept as the watch keeps it; ``letras`` of the difusores that do not show the slot's cut."""
        store = Almacen(self.workspace)
        self.clock.instant = hora
        with store.turno():
            self.ronda = store.ronda + 1
            seen, told = [], []
            for place in range(self.difusores):
                letter = letras.get(place, "D")
                looks = [_seen(punto, place, hora, self._shown(letter, slot), letter) for punto in PUNTOS]
                seen += looks
            numbered = store.numera(seen)
            for place in range(self.difusores):
                letter = letras.get(place, "D")
                mine = numbered[place * len(PUNTOS) : (place + 1) * len(PUNTOS)]
                told.append(self._told(place, hora, slot, letter, tuple(one.n for one in mine)))
            views = tuple(Vista(punto, hora, con_red=True) for punto in PUNTOS)
            made = Guardada(self.ronda, hora, views, numbered, tuple(told))
            store.guarda(made)
        return made

    def _shown(self, letter: Letra, slot: int) -> int | None:
        newest = next((one for index in range(slot, -1, -1) if (one := self.corte(index)) is not None), 1)
        if letter in "SQA":
            return None
        return max(0, newest - 2) if letter in "RN" else newest

    def _told(self, place: int, hora: datetime, slot: int, letter: Letra, cited: tuple[int, ...]) -> Dictamen:
        veredicto, causa = _VEREDICTOS[letter]
        late = self.corte(slot) is None and letter == "D" and hora >= INICIO + PASO * slot + timedelta(seconds=120)
        return Dictamen(
            difusor=nombre(place),
            hora=hora,
            veredicto="atrasado" if late else veredicto,
            causa="instituto" if late else causa,
            motivos={"R": ("CORTE_VIEJO",), "X": ("CONTENIDO",), "S": ("SIN_RESPUESTA",)}.get(letter, ()),  # type: ignore[arg-type]
            corte=self._shown(letter, slot),
            atraso_s=(hora - self.firmado(slot)).total_seconds() if letter in "RN" else None,
            evidencia=cited,
        )


def guion(place: int, slot: int, slots: int) -> Letra:
    """What a difusor does in a slot: most of them well; some fail one, and a few fail at the end."""
    bad: dict[int, Letra] = {1: "X", 2: "S", 3: "R", 4: "N", 5: "Q"}
    if slot >= slots - 3 and place in bad:
        return bad[place]
    return "R" if place % 10 == 6 and slot % 24 == place % 24 else "D"


def haz(folder: Path, *, difusores: int = 100, slots: int = 144, cada_s: int = 200, cierra: bool = True) -> Noche:
    """The night up to five minutes after the cut of its last slot; two slots were lost, where there are so many.

    ``cada_s``: between two rounds. ``cierra``: close the slots that ended, as the due process does.
    """
    clock = ManualClock(INICIO - timedelta(days=1))
    profile = folder / "perfil.toml"
    profile.write_text(PERFIL)
    space = espacios.create(folder / "espacio", profile, ambiente="simulacro", clock=clock, disk=Disk())
    _settings(space.folder, difusores)
    space = espacios.open_workspace(space.folder, clock=clock)
    lost = frozenset({slots // 3, slots // 2}) if slots >= 6 else frozenset()
    night = Noche(space, clock, difusores, slots, lost, cada_s)
    _register(space, difusores)
    lines: list[tuple[datetime, str, dict[str, Any]]] = []
    end = INICIO + PASO * (slots - 1) + timedelta(minutes=5)
    for slot in range(slots):
        due = INICIO + PASO * slot
        number = night.corte(slot)
        if number is not None:
            clock.instant = night.firmado(slot)
            sha256 = _sign(space, number, due)
            lines.append((clock.instant, "corte", _cut_event(number, due, sha256)))
        letters = {place: guion(place, slot, slots) for place in range(difusores)}
        for place, letter in letters.items():
            night.letras[nombre(place), slot] = "I" if number is None else letter
        hora = due + timedelta(seconds=FIRMA_S + 40)
        while hora < min(due + PASO, end):
            made = night.mira(hora, slot, letters)
            if number is None or hora == due + timedelta(seconds=FIRMA_S + 40):
                lines += [
                    (hora, "dictamen", {**formas.de_dictamen(one), "ronda_sha256": "0" * 64}) for one in _news(made)
                ]
            hora += timedelta(seconds=cada_s)
        lines += _said(night, slot, letters)
        if number is None:
            lines.append((due + PASO, "corte_perdido", {"periodo": slot, "vence": due.isoformat()}))
        if cierra and slot < slots - 1:
            lines += [(due + PASO + timedelta(seconds=5), "periodo", one) for one in _closed(night, slot, letters)]
    clock.instant = end
    _Apunta(space.folder / "estado.sqlite").todo(sorted(lines, key=lambda one: one[0]))
    return night


def firma(space: Workspace, number: int, due: datetime) -> None:
    """Sign one more cut and write so in the journal, as ``build_cut`` does."""
    sha256 = _sign(space, number, due)
    space.state().record("corte", **_cut_event(number, due, sha256))


def _cut_event(number: int, due: datetime, sha256: str) -> dict[str, Any]:
    return {
        "corte": number,
        "hora_corte": due.isoformat(),
        "manifiesto_sha256": sha256,
        "operador": "pregon opera",
        "segundos": 3.1,
    }


def _sign(space: Workspace, number: int, due: datetime) -> str:
    stamp = {
        "formato": "pregon/corte/1",
        "corte": number,
        "hora_corte": due.isoformat(),
        "ambiente": "simulacro",
        "ultimo": False,
        "proximo": None,
        "datos": f"datos/{number:04d}/",
        "base_de_datos": [],
        "contiendas": [],
    }
    tree = PackageTree()
    tree.add("index.html", f"<!doctype html><title>Corte {number}</title>".encode())
    tree.add("corte.json", json.dumps(stamp).encode())
    with space.signing() as repository:
        write_cut(
            repository.cut_folder(number),
            tree,
            ManifestHead(
                convocatoria=space.identity.convocatoria,
                instituto=space.identity.instituto,
                ambiente="simulacro",
                elecciones=("GUB",),
                corte=number,
                hora_corte=due,
                generado=due,
                proximo=due + PASO,
            ),
            repository.last_manifest(),
            stamped_name(due, "PREP_GUB_DEMO"),
        )
        now = space.clock.now()
        made = repository.publish_cut(
            number, now=now, expira=space.online_until(now), siguiente=due + PASO, intervalo=PASO
        )
    return made.manifiesto.sha256


def _settings(folder: Path, difusores: int) -> None:
    path = folder / "instituto.toml"
    path.write_text(
        path.read_text()
        + f'[monitor]\npunto = "{PUNTOS[0]}"\ncada_s = 60\n[tablero]\npuerto = 0\n'
        + "".join(
            f'[[destino]]\ndifusor = "{nombre(place)}"\nnodo = "a"\nurl = "{folder}/entradas/{place}"\n'
            f'acuses = "{folder}/salidas/{place}"\nclave_acuses = "{folder}/a.pem"\n'
            for place in range(difusores)
        )
    )


def _register(space: Workspace, difusores: int) -> None:
    registro = Registro(space)
    rotacion.crea(registro)
    for place in range(difusores):
        ident = nombre(place)
        form = Ficha(nombre=f"Difusora {place:03d}", tipo="medios", url=f"https://{ident}.ejemplo.mx/")
        registro.alta(ident, form, OPERADORA)
        for state in ("admitido", "activo"):
            registro.pasa(ident, state, OPERADORA)


def _seen(punto: str, place: int, hora: datetime, shown: int | None, letter: Letra) -> Observacion:
    answers = letter not in "SQ"
    wrong = (Muestra("index.html", "a" * 64, "b" * 64),) if letter == "X" else ()
    return Observacion(
        punto=punto,
        difusor=nombre(place),
        url=f"https://{nombre(place)}.ejemplo.mx/",
        hora=hora,
        alcanzable=answers,
        codigo=None if answers else "RED",
        estado=200 if answers else None,
        forma="resultados" if shown else "otra",
        corte=shown,
        manifiesto_sha256=None if shown is None else f"{shown:064d}",
        muestras=wrong,
        segundos=0.4,
        leidas=8 if answers else 0,
        porque=None if answers else "no respondió",
    )


def _news(made: Guardada) -> list[Dictamen]:
    return [one for one in made.dictamenes if one.veredicto != "al_dia"]


def _said(night: Noche, slot: int, letters: dict[int, Letra]) -> list[tuple[datetime, str, dict[str, Any]]]:
    number = night.corte(slot)
    if number is None:
        return []
    return [
        (
            night.firmado(slot) + timedelta(seconds=segundos(place, slot)),
            "acuse",
            {"difusor": nombre(place), "nodo": "a", "corte": number, "evento": "visible", "n": number},
        )
        for place, letter in letters.items()
        if letter == "D"
    ]


def _closed(night: Noche, slot: int, letters: dict[int, Letra]) -> Iterable[dict[str, Any]]:
    number = night.corte(slot)
    for place, letter in letters.items():
        veredicto, causa = _VEREDICTOS[letter]
        failed = causa == "difusor"
        counts = number is not None and letter in "DRXS"
        one = Cierre(
            difusor=nombre(place),
            periodo=slot,
            corte=number,
            hora=INICIO + PASO * (slot + 1),
            resultado="no_cuenta" if not counts else "fallo" if failed else "cumplio",
            porque=f"terminó el periodo {veredicto}",
            evidencia=(),
            veredicto=veredicto if number is not None else None,
        )
        yield {**evento_de(one), "seguidas": 0, "clausula": "GRO-3.3a"}


class _Apunta:
    """Writes many events at once, each linked to the one before as ``StateDatabase.record`` links it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def todo(self, lines: Iterable[tuple[datetime, str, dict[str, Any]]]) -> None:
        with closing(sqlite3.connect(self._path)) as connection, connection:
            n, link = connection.execute("SELECT n, eslabon FROM evento ORDER BY n DESC LIMIT 1").fetchone()
            rows = []
            for hora, tipo, data in lines:
                n += 1
                text, at = json.dumps(data, ensure_ascii=False, sort_keys=True), hora.isoformat()
                link = cadena.eslabon(link, n, at, tipo, text)
                rows.append((n, at, tipo, text, link))
            connection.executemany("INSERT INTO evento (n, hora, tipo, dato, eslabon) VALUES (?, ?, ?, ?, ?)", rows)
