"""An institute with a board that is attended: two difusores, a signed cut, real mail and webhook, three people."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pregon.base.clock import ManualClock
from pregon.base.durable import Disk
from pregon.instituto.registro.almacen import Registro
from pregon.instituto.tablero.cuentas import PAPELES, cuentas_de, papeles_hasta
from pregon.instituto.tablero.sitio import Tablero
from pregon.web.servidor import corriendo
from tests.instituto.conftest import INICIO, Night, tree_digest
from tests.instituto.proceso.casa import RADIO, Casa, hecha
from tests.red.servidores.correo import Correo, Modales
from tests.red.servidores.gancho import Gancho
from tests.red.servidores.nginx import Autoridad
from tests.web.conftest import BARATO, CLAVE, Visita, visitando

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx2

    from pregon.instituto.workspace import Workspace

GENTE = {papel: f"{papel}-uno" for papel in PAPELES}
"""One account of each role."""
_FICHA = re.compile(r'name="ficha" value="([^"]+)"')
_NUMERO = re.compile(r'name="numero" value="([^"]+)"')


PROPIOS = frozenset({"tablero_entrada", "tablero_salida", "tablero_rechazo", "tablero_ajeno"})
"""Events of the door itself: who came, who was refused."""


@dataclass
class Persona:
    """Somebody signed in, as a browser would be. ``ficha``: of its forms."""

    visita: Visita
    cuenta: str

    @property
    def url(self) -> str:
        return self.visita.url

    @property
    def ficha(self) -> str:
        return str(self.lee("api/sesion")["ficha"])

    def pide(self, ruta: str, **headers: str) -> httpx2.Response:
        return self.visita.client.get(self.url + ruta, headers=headers)

    def lee(self, ruta: str) -> Any:
        answer = self.pide(ruta, accept="application/json")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def formulario(self, clave: str, **query: str) -> dict[str, str]:
        """The hidden fields of a form that was opened."""
        page = self.visita.client.get(f"{self.url}acciones/{clave}", params=query)
        assert page.status_code == 200, page.text
        token, number = _FICHA.search(page.text), _NUMERO.search(page.text)
        assert token is not None
        assert number is not None
        return {"ficha": token[1], "numero": number[1]}

    def hace(self, clave: str, fields: dict[str, str], **query: str) -> httpx2.Response:
        """Open the form and send it."""
        return self.visita.manda(f"acciones/{clave}", {**self.formulario(clave, **query), **fields})

    def logra(self, clave: str, fields: dict[str, str], **query: str) -> dict[str, Any]:
        """The same, until it ended; how."""
        answer = self.hace(clave, fields, **query)
        assert answer.status_code == 303, answer.text
        return self.sigue(answer.headers["location"].rpartition("/")[2])

    def sigue(self, numero: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for _ in range(600):
            found = self.lee(f"api/tramites/{numero}")
            if found["fase"] != "en_curso":
                return found
            self.visita.client.get(self.url + f"tramites/{numero}")
        raise AssertionError(found)


@dataclass
class Consejo:
    """The institute and its board."""

    casa: Casa
    tablero: Tablero
    url: str
    destino: Path
    _stack: ExitStack
    _gente: dict[str, Persona] = field(default_factory=dict)

    @property
    def espacio(self) -> Workspace:
        return self.casa.espacio

    def persona(self, papel: str) -> Persona:
        """The account of that role, signed in once."""
        if papel not in self._gente:
            self._gente[papel] = self.entra(papel)
        return self._gente[papel]

    def entra(self, papel: str) -> Persona:
        """A new session of the account of that role."""
        visita = self._stack.enter_context(visitando(self.url))
        assert visita.entra(GENTE[papel]).status_code == 303
        return Persona(visita, GENTE[papel])

    def nadie(self) -> Visita:
        return self._stack.enter_context(visitando(self.url))

    def huella(self) -> str:
        """Everything that an action could change: what is signed, the registry, the due process, what was delivered.

        Of the journal, all but what the board's door writes of itself.
        """
        space = self.espacio
        kinds = [one.tipo for one in space.state().events(limit=100_000) if one.tipo not in PROPIOS]
        known = [(one.id, one.estado, len(one.historia)) for one in Registro(space).todos()]
        sent = (len(self.casa.correo.recibidos), len(self.casa.gancho.recibidos))
        files = tree_digest(space.repositorio), tree_digest(self.destino)
        return hashlib.sha256(json.dumps([kinds, known, sent, files]).encode()).hexdigest()

    def alcanza(self, n: int) -> bool:
        """Whether the board came to know the event of that number, within some seconds."""
        pause = threading.Event()
        for _ in range(200):
            if any(one.n >= n for one in self.tablero.lector.bitacora().eventos):
                return True
            pause.wait(0.05)
        return False

    def sucesos(self, *tipos: str) -> list[dict[str, Any]]:
        return [one.dato for one in self.espacio.state().events(limit=100_000) if one.tipo in tipos]


@contextmanager
def reunido(folder: Path, *, fallan: int = 0, **options: Any) -> Iterator[Consejo]:
    """The institute with its board attended. ``fallan``: slots that the radio failed. ``options``: of ``Tablero``."""
    authority = Autoridad(folder / "autoridad")
    night = Night(folder, ManualClock(INICIO.replace(hour=10)), "simulacro")
    with ExitStack() as stack:
        mail = stack.enter_context(Correo(Modales()))
        hook = stack.enter_context(Gancho(authority.firma("gancho")))
        casa = hecha(night, mail, hook, authority)
        target = folder / "destino"
        target.mkdir()
        path = casa.folder / "instituto.toml"
        path.write_text(
            path.read_text() + f'[[destino]]\ndifusor = "{RADIO}"\nnodo = "principal"\nurl = "{target}"\n'
            "[tablero]\npuerto = 0\n"
        )
        if fallan:
            casa.fallan(fallan)
        night.cut(casa.espacio)
        accounts = cuentas_de(casa.espacio, BARATO)
        for papel, name in GENTE.items():
            accounts.pone(name, CLAVE, papeles_hasta(papel), ahora=night.clock.now(), disk=Disk())
        with atendido(casa.espacio, **options) as (board, url):
            yield Consejo(casa, board, url, target, stack)


@contextmanager
def atendido(espacio: Workspace, **options: Any) -> Iterator[tuple[Tablero, str]]:
    """A board of that workspace, read once and attended."""
    board = Tablero(espacio, environment={}, costo=BARATO, **options)
    board.empieza()
    try:
        with corriendo(board.app, direccion="127.0.0.1", puerto=0, al_cerrar=board.termina) as port:
            assert board.lector.listo.wait(20)
            yield board, f"http://127.0.0.1:{port}/"
    finally:
        board.termina()
