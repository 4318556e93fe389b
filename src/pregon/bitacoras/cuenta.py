"""One run: logs through the engine, piece by piece, to the measures.

Of each piece: 1. its lines are split into fields (``crudos``); 2. what repeats is understood once: requests
(``pedidos``), hours (``horas``), agents (``agentes``); 3. hits (``golpes``) are added to the tables that last:
``tramos`` (what each visitor did in each half hour), ``cuentas`` (by minute and kind), ``rutas``, ``referentes``,
``tiempos``, ``robots``, ``extremos``. A piece's own tables are dropped, addresses with them. What is kept grows with
visitors and minutes, not with hits. The order of lines and files does not matter.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pregon.bitacoras import consultas, preparativos
from pregon.bitacoras.lectura import MAX_EJEMPLOS, PIEZA, SEPARA, blank_lines, read
from pregon.bitacoras.medidas import Ejemplo
from pregon.bitacoras.robots import Registro
from pregon.motor.duck import Volcado, engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pregon.bitacoras.lectura import Fuente, Leida, Pieza, Tramo
    from pregon.bitacoras.ventanas import Ventana
    from pregon.motor.cualquiera import Cualquiera
    from pregon.motor.duck import Motor

MEMORIA = "512MiB"
CONTIENDAS = ("gub", "dip", "ayu", "ayun", "alc", "juntas", "pres", "sen", "dip_fed")
"""Contests whose pages are told apart in any package (design §7); those of a package come from its call."""
SUMADAS: Mapping[str, tuple[str, ...]] = {
    "cuentas": ("hits", "bytes"),
    "rutas": ("hits", "bytes"),
    "referentes": ("hits",),
    "tiempos": ("hits",),
    "robots": ("hits", "bytes"),
}
_PROPIAS = ("crudos", "pedidos", "horas", "agentes", "golpes", "lugares")
_FORMA = 120
_LLENA = 500_000
"""Rows added to a table of sums before it is summed again."""


@dataclass(frozen=True, slots=True)
class Corrida:
    """What a run needs to know.

    ``ventanas``: numbered by their place, from 1; those of one site do not overlap. ``clave``: key of the visitors'
    hashes; None: one that is forgotten at the end. ``lugar_de``: the place of an address (``lugares``).
    ``al_paso``: told of each piece, while its hits are there.
    """

    ventanas: Sequence[Ventana]
    contiendas: Sequence[str] = CONTIENDAS
    clave: bytes | None = None
    lugar_de: Callable[[Sequence[str]], list[str]] | None = None
    al_paso: Callable[[Cualquiera], None] | None = None
    pieza: int = PIEZA
    memoria: str = MEMORIA
    hilos: int | None = None


@dataclass(slots=True)
class Estado:
    """What a run knows besides the engine's tables."""

    leidas: list[Leida] = field(default_factory=list)
    ejemplos: list[Ejemplo] = field(default_factory=list)
    registro: Registro = field(default_factory=Registro)


class EnCurso(Protocol):
    """A run whose tables are there, on any engine: what ``resumen`` and ``conteo`` need of it."""

    @property
    def motor(self) -> Cualquiera: ...

    @property
    def corrida(self) -> Corrida: ...

    @property
    def estado(self) -> Estado: ...

    @property
    def contada(self) -> bool: ...


class Cuenta:
    """The tables of a run, open until its measures are read (``resumen``). ``contada``: there are any."""

    def __init__(self, motor: Motor, corrida: Corrida) -> None:
        self.motor = motor
        self.corrida = corrida
        self.estado = Estado()
        self.contada = False
        self._sizes: dict[str, int] = {}
        preparativos.begin(motor, corrida, palabras="motor_duckdb")

    def take(self, fuentes: Sequence[Fuente]) -> None:
        """Read and count ``fuentes``; more may follow.

        Raises:
            EntradaError, FormatoError: as ``lectura.read``.
            ComprobacionError: the engine failed.
        """
        for pieza in read(fuentes, self.estado.leidas, pieza=self.corrida.pieza):
            self._take(pieza)

    def _take(self, pieza: Pieza) -> None:
        motor = self.motor
        self._fields(pieza, pieza.partes)
        given = motor.rows("select count(*) from crudos")[0][0]
        if given != sum(tramo.lineas for tramo in pieza.tramos):
            _take_off_blank(pieza)
        preparativos.dictionaries(motor, self.corrida, self.estado.registro, sitio=pieza.sitio)
        numbers = {"sitio": pieza.sitio, "milisegundos": pieza.formato.milisegundos}
        motor.rows(f"create table golpes as {consultas.query('golpes', **numbers)}")
        preparativos.places(motor, self.corrida, de="golpes where not robot")
        for name in ("tramos", "extremos", *SUMADAS):
            verb = f"insert into {name}" if self.contada else f"create table {name} as"
            motor.rows(f"{verb} {consultas.query(name)}")
        if self.corrida.al_paso is not None:
            self.corrida.al_paso(motor)
        self.contada = True
        taken = motor.rows("select count(*) from golpes")[0][0]
        for name in _PROPIAS:
            motor.rows(f"drop table {name}")
        for name, sums in SUMADAS.items():
            self._compact(name, sums)
        if given != taken:
            self._blame(pieza, given - taken)

    def _fields(self, pieza: Pieza, parts: Sequence[bytes]) -> None:
        """Make ``crudos`` of lines."""
        motor, formato, forwarded = self.motor, pieza.formato, pieza.reenvio
        motor.open_lines("lineas", Volcado(parts, 0), delimiter=SEPARA, width=1, columns={"linea": 0})
        try:
            if formato.patron:
                motor.set_text("patron", formato.patron)
            if formato.clase == "comillas" and not forwarded:
                self._between_quotes(pieza)
            else:
                motor.rows(f"create table crudos as {consultas.fields(formato, reenvio=forwarded)}")
        finally:
            motor.forget_lines("lineas")

    def _between_quotes(self, pieza: Pieza) -> None:
        """``crudos`` of «combined»: what its places tell, then the few lines that only the pattern does."""
        motor = self.motor
        motor.rows(f"create table partidas as {consultas.query('partidas')}")
        motor.rows(f"create table crudos as {consultas.query('combinado')}")
        motor.rows("create table sobrantes as select linea from partidas where not llana")
        motor.rows("insert into sobrantes select linea from crudos where linea is not null")
        motor.rows("delete from crudos where linea is not null")
        motor.rows(f"insert into crudos by name {consultas.rest(pieza.formato)}")
        motor.rows("drop table partidas; drop table sobrantes")

    def _compact(self, name: str, sums: Sequence[str]) -> None:
        """Sum a table again once it has grown by much: equal kinds come in every piece."""
        size = self.motor.rows(f"select count(*) from {name}")[0][0]  # noqa: S608 - our own names
        if size < 2 * self._sizes.get(name, 0) + _LLENA:
            return
        total = ", ".join(f"cast(sum({column}) as bigint) as {column}" for column in sums)
        kinds = f"* exclude ({', '.join(sums)})"
        self.motor.rows(
            f"create table juntas as select {kinds}, {total} from {name} group by all;"  # noqa: S608
            f" drop table {name}; alter table juntas rename to {name}"
        )
        self._sizes[name] = self.motor.rows(f"select count(*) from {name}")[0][0]  # noqa: S608

    def _blame(self, pieza: Pieza, bad: int) -> None:
        """Of a piece with lines that are no hits: how many each file has, and where the first of them are."""
        joined = b"".join(pieza.partes)
        alone = len({id(tramo.leida) for tramo in pieza.tramos}) == 1
        if alone:
            pieza.tramos[0].leida.malas += bad
        at = 0
        for tramo in pieza.tramos:
            part = joined[at : at + tramo.tamano]
            at += tramo.tamano
            wanted = len(self.estado.ejemplos) < MAX_EJEMPLOS
            if not alone or wanted:
                found = self._bad(pieza, part)
                tramo.leida.malas += 0 if alone else found
                if found and wanted:
                    self._examples(pieza, tramo, part, found)

    def _examples(self, pieza: Pieza, tramo: Tramo, part: bytes, bad: int) -> None:
        """The first malformed lines of some, by halves."""
        lines = part.split(b"\n")[:-1]
        left = [(0, len(lines), bad)]
        while left and len(self.estado.ejemplos) < MAX_EJEMPLOS:
            begin, end, bad = left.pop()
            if end - begin == 1:
                shape = _shape(lines[begin].decode(errors="replace"))
                self.estado.ejemplos.append(Ejemplo(str(tramo.leida.ruta), tramo.renglon + begin, shape))
                continue
            middle = (begin + end) // 2
            first = self._bad(pieza, b"".join(line + b"\n" for line in lines[begin:middle]))
            left += [half for half in ((middle, end, bad - first), (begin, middle, first)) if half[2]]

    def _bad(self, pieza: Pieza, part: bytes) -> int:
        """How many of some lines are no hit."""
        self._fields(pieza, [part])
        given = self.motor.rows("select count(*) from crudos")[0][0]
        self.motor.rows(f"create table horas as {consultas.query('horas', sitio=pieza.sitio)}")
        good: int = self.motor.rows(consultas.query("sanas"))[0][0]
        self.motor.rows("drop table crudos; drop table horas")
        return int(given) - good


@contextmanager
def open_run(corrida: Corrida) -> Iterator[Cuenta]:
    """The tables of a run, in an engine that leaves nothing behind."""
    with engine(memory_limit=corrida.memoria, threads=corrida.hilos) as motor:
        yield Cuenta(motor, corrida)


def _take_off_blank(pieza: Pieza) -> None:
    """The engine skips empty lines: they are none of their files' either."""
    joined = b"".join(pieza.partes)
    at = 0
    for tramo in pieza.tramos:
        tramo.leida.lineas -= blank_lines(joined[at : at + tramo.tamano])
        at += tramo.tamano


def _shape(line: str) -> str:
    """What a line looks like, without saying anything: letters as «a», figures as «0», and what prints as it is."""
    text = re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "0", line[:_FORMA]))
    return "".join(char if char.isprintable() else "·" for char in text)
