"""An institute whose night a real service holds, and difusores that really receive; both on a clock that is told."""

from __future__ import annotations

import json
import shutil
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pregon.base.clock import ManualClock
from pregon.base.durable import Disk
from pregon.difusor.inicia import create
from pregon.difusor.libro import Libro
from pregon.difusor.night import open_receiver
from pregon.instituto.opera.servicio import Servicio
from pregon.instituto.workspace import RAIZ, open_workspace
from tests.instituto.conftest import INICIO, Night

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from pregon.difusor.receive import Receiver
    from pregon.difusor.workspace import Workspace as EspacioDifusor
    from pregon.instituto.workspace import Workspace
    from pregon.notifica.mensaje import Mensaje

FIN_S = 60.0
"""For everything in hand to end; a cut takes about one."""
INTERVALO = timedelta(minutes=20)


@dataclass
class Difusor:
    """One difusor's workspace, and what the institute's table says of it."""

    espacio: EspacioDifusor
    mesa: Mesa
    tabla: dict[str, Any]
    _receptor: Receiver | None = None

    @property
    def entrada(self) -> Path:
        return self.espacio.folder / "entrada"

    @property
    def libro(self) -> Libro:
        return Libro(self.espacio.open_state(self.mesa.clock))

    def recibe(self) -> int | None:
        """One pass; the cut accepted."""
        if self._receptor is None:
            clock, disk = self.mesa.clock, self.mesa.night.disk
            state = self.espacio.open_state(clock)
            self._receptor = open_receiver(self.espacio, clock=clock, state=state, disk=disk)
        return self._receptor.run_once().novedad

    def close(self) -> None:
        """Let go of its connections."""
        if self._receptor is not None:
            self._receptor.close()
            self._receptor = None

    @property
    def retrasos(self) -> list[str]:
        """What its portal says of delays."""
        return [aviso.texto for aviso in self.libro.dicho.retrasos]


@dataclass
class Mesa:
    """The institute. ``opera``: keys of ``[opera]`` besides those of the tests."""

    night: Night
    opera: dict[str, Any] = field(default_factory=dict)
    extra: str = ""
    difusores: list[Difusor] = field(default_factory=list)
    mensajes: list[Mensaje] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    _space: Workspace | None = None

    @property
    def clock(self) -> Any:
        return self.night.clock

    @property
    def carpeta(self) -> Path:
        return self.night.folder / "espacio"

    @property
    def llegadas(self) -> Path:
        return self.carpeta / "llegadas"

    def funda(self) -> Mesa:
        self.night.create()
        self.llegadas.mkdir()
        self.ajusta()
        return self

    def difusor(self, ident: str, *, acceso: str = "", **tabla: Any) -> Difusor:
        """A new difusor, registered; by folder unless ``tabla`` says otherwise (``url`` may name ``{entrada}``)."""
        toml = (
            f'convocatoria = "{self.carpeta / "convocatoria.toml"}"\nambiente = "{self.night.ambiente}"\n'
            f'id = "{ident}"\norigen = "{tabla.pop("origen", "entrada")}"\nsondeo_s = 0.1\n'
            f'[reloj]\nfuente = "ninguna"\n[servidor]\npuerto = 0\n{acceso}'
        )
        root = (self.carpeta / RAIZ).read_bytes()
        space = create(self.night.folder / ident, toml, root=root, disk=Disk())
        made = {
            "difusor": ident,
            "url": str(space.folder / "entrada"),
            "acuses": str(space.acuses),
            "clave_acuses": str(space.llave.with_suffix(".pub.pem")),
            **tabla,
        }
        made["url"] = made["url"].replace("{entrada}", str(space.folder / "entrada"))
        made["acuses"] = made["acuses"].replace("{acuses}", str(space.acuses))
        self.difusores.append(Difusor(space, self, made))
        self.ajusta()
        return self.difusores[-1]

    def ajusta(self, **opera: Any) -> None:
        """Write ``instituto.toml`` again with those keys of ``[opera]``."""
        self.opera.update(opera)
        path = self.carpeta / "instituto.toml"
        first = path.read_text().partition("[opera]")[0].rstrip()
        pace = {"actas": "llegadas", "reintenta_s": 0.0, "quieto_s": 0.0, "acuses_s": 3600.0, "vigila": False}
        lines = [first, "[opera]", *_keys({**pace, **self.opera}), self.extra]
        for one in self.difusores:
            lines += ["[[destino]]", *_keys({key: value for key, value in one.tabla.items() if value != ""})]
        path.write_text("\n".join(lines) + "\n")
        self._space = None

    @property
    def espacio(self) -> Workspace:
        if self._space is None:
            self._space = open_workspace(self.carpeta, clock=self.clock, disk=self.night.disk)
        return self._space

    def servicio(self) -> Servicio:
        """The service as if it had just started."""
        self.stop = threading.Event()
        return Servicio(self.espacio, environment={}, stop=self.stop, manda=self.mensajes.append)

    def llegan(self, hora: datetime, *, votes: str = "40", carpeta: str = "") -> None:
        """The files of a cut arrive, as the institute's own system leaves them."""
        target = self.llegadas / carpeta
        target.mkdir(exist_ok=True)
        for one, eleccion in zip(self.night.sources(hora, votes=votes), ("GUB", "DIP"), strict=True):
            if eleccion in self.night.elecciones:
                shutil.copy(one.actas, target / one.actas.name)

    def a_las(self, hora: datetime) -> None:
        self.clock.instant = hora

    def corre(self, servicio: Servicio, vueltas: int = 4) -> None:
        """Passes until what each one began has ended, and what followed from it too."""
        for _ in range(vueltas):
            servicio.pasada()
            assert servicio.quieta(FIN_S)

    def sucesos(self, *kinds: str) -> list[dict[str, Any]]:
        return [event.dato for event in self.espacio.state().events(limit=100_000) if event.tipo in kinds]

    def codigos(self, severidad: str) -> list[str]:
        return [one.codigo for one in self.mensajes if one.severidad == severidad]

    @property
    def firmados(self) -> list[int]:
        return [cut.corte for cut in self.espacio.repository().cuts()]


def _keys(table: dict[str, Any]) -> list[str]:
    return [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in table.items() if value is not None]


def mesa_de(folder: Path, *elecciones: str) -> Mesa:
    """An official institute an hour before its start; of one election, a cut takes half as long."""
    clock = ManualClock(INICIO - timedelta(hours=1), simulado=False)
    return Mesa(Night(folder, clock, elecciones=elecciones or ("GUB",))).funda()


def hora(periodo: int, segundos: float = 0.0) -> datetime:
    """An instant of the night: ``segundos`` after the slot ``periodo`` begins."""
    return INICIO + periodo * INTERVALO + timedelta(seconds=segundos)
