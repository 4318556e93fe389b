"""The registry kept: one row of the state database for each difusor, what is confidential in it sealed.

The row is in the state database, so two machines that share one PostgreSQL share the registry. The journal is written
first and the row after: nothing changes that the journal does not tell. Who was stopped in between finds the difusor as
it was and repeats the order; the journal then has the line twice, with the same ``paso``.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pregon.base import locks
from pregon.base.errors import DanadoError, EntradaError, FormatoError, UsoError, VersionError
from pregon.convocatoria.solicitud import contactos
from pregon.convocatoria.solicitud.modelo import Ficha
from pregon.instituto.registro import estados, sello
from pregon.instituto.registro.estados import INICIAL, VIGILADOS, Mandato
from pregon.instituto.registro.modelo import Inscrito, Paso
from pregon.instituto.registro.renglon import inscrito, paso_json, row_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from pregon.convocatoria.solicitud.logo import Logo
    from pregon.convocatoria.solicitud.modelo import Contacto
    from pregon.instituto.registro.estados import Estado
    from pregon.instituto.registro.sello import Llavero
    from pregon.instituto.workspace import Workspace

SERIE = "difusor"
SERIE_LOGO = "difusor_logo"
CANDADO = "registro.lock"
TURNO_S = 10.0
"""How long a change waits for another one: each takes a moment."""
DIFUSORES_MAX = 1000
"""As many as one signed notice names."""
INTACTO = "El registro sigue como estaba."
_ID = re.compile(r"[a-z0-9-]{2,32}")


class Registro:
    """The registry of one workspace. Only what reads or writes a form needs the key; ``entorno`` is where it may be."""

    def __init__(self, workspace: Workspace, *, entorno: Mapping[str, str] | None = None) -> None:
        """Nothing is read yet. ``entorno`` None: the environment of the process."""
        self.workspace = workspace
        self._environment = os.environ if entorno is None else entorno
        self._state = workspace.state()

    def todos(self) -> tuple[Inscrito, ...]:
        """Every difusor, in the order in which they were registered."""
        return tuple(inscrito(row) for row in self._state.rows(SERIE))

    def busca(self, ident: str) -> Inscrito | None:
        """The difusor ``ident``, None where it has no form here."""
        row = self._find(ident)
        return None if row is None else inscrito(row)

    def uno(self, ident: str) -> Inscrito:
        """The difusor ``ident``. Raises ``EntradaError`` where it is not registered."""
        return inscrito(self._row(ident))

    def vigilables(self) -> tuple[Inscrito, ...]:
        """Those whose portal is looked at, from admission to permanence (INE-IV-a)."""
        return tuple(one for one in self.todos() if one.estado in VIGILADOS)

    def ficha(self, ident: str) -> Ficha:
        """The whole form.

        Raises:
            EntradaError: it is not registered, or the key is not at hand.
            DanadoError: it is not as it was sealed. VersionError: another Pregón wrote it.
        """
        return self._opened(self._row(ident))

    def contactos(self, ident: str, hora: datetime) -> tuple[Contacto, ...]:
        """Whom to call at ``hora``, first who answers then (``contactos.para``). Raises as ``ficha``."""
        return contactos.para(self.ficha(ident), self.workspace.convocatoria, hora)

    def logos(self) -> dict[str, bytes]:
        """The bytes of the logo of each difusor that has one that a browser draws, by id."""
        return {
            row["difusor"]: base64.b64decode(row["publicado"])
            for row in self._state.rows(SERIE_LOGO)
            if row["publicado"] is not None
        }

    def logo_original(self, ident: str) -> bytes | None:
        """The original of a logo that no browser draws (``.ai``), which is kept sealed. Raises as ``ficha``."""
        row = self._row(ident)
        found = self._logo_row(row["n"])
        if found is None or found["sello"] is None:
            return None
        return base64.b64decode(self.llavero().abre(found["sello"], self.contexto(SERIE_LOGO, row["n"], ident)))

    def alta(self, ident: str, ficha: Ficha, mandato: Mandato) -> Inscrito:
        """Register a difusor: its state is ``solicitado``.

        Raises:
            UsoError: it is registered already, its address is another one's, or nobody says who orders it.
            FormatoError: the id or the address is not admitted in this ambiente.
            EntradaError: the key is not at hand.
        """
        if not _ID.fullmatch(ident):
            raise FormatoError(
                f"«{ident}» no sirve de identificador.",
                intacto=INTACTO,
                que_hacer="Use de 2 a 32 letras minúsculas sin acento, cifras o guiones, el mismo de [[destino]].",
            )
        with self.turno():
            rows = list(self._state.rows(SERIE))
            self._check_new(ident, rows)
            self._check_address(ident, ficha, rows)
            n = 1 + max((row["n"] for row in rows), default=0)
            now = self.workspace.clock.now()
            step = Paso(
                de=None, a=INICIAL, hora=now, quien=mandato.quien, operador=mandato.operador, motivo=mandato.motivo
            )
            made = Inscrito(n=n, id=ident, nombre=ficha.nombre, url=ficha.url, estado=INICIAL, historia=(step,))
            seal = self._sealed(n, ident, ficha)
            self._state.record(
                "alta",
                difusor=ident,
                n=n,
                nombre=ficha.nombre,
                url=ficha.url,
                en_plazo=self.en_plazo(now),
                operador=mandato.operador,
                motivo=mandato.motivo,
                sello_sha256=_digest(seal),
            )
            self._state.put_row(SERIE, n, row_of(made, seal))
        return made

    def cambia(self, ident: str, ficha: Ficha, mandato: Mandato) -> Inscrito:
        """Put another form in place of the one that was; its state and its logo stay. Raises as ``alta``."""
        with self.turno():
            rows = list(self._state.rows(SERIE))
            old = inscrito(self._row(ident))
            self._check_address(ident, ficha, rows)
            seal = self._sealed(old.n, ident, ficha)
            made = replace(old, nombre=ficha.nombre, url=ficha.url)
            self._state.record(
                "nota",
                que="ficha",
                difusor=ident,
                nombre=ficha.nombre,
                url=ficha.url,
                operador=mandato.operador,
                motivo=mandato.motivo,
                sello_sha256=_digest(seal),
            )
            self._state.put_row(SERIE, made.n, row_of(made, seal))
        return made

    def pone_logo(self, ident: str, data: bytes, logo: Logo, mandato: Mandato) -> Inscrito:
        """Keep a logo that ``logo.admite`` admitted, ``data`` its bytes as they came.

        Raises:
            EntradaError: the difusor is not registered, or (``.ai`` alone) the key is not at hand.
        """
        with self.turno():
            row = self._row(ident)
            shown = None if logo.publicado is None else base64.b64encode(logo.publicado).decode()
            context = self.contexto(SERIE_LOGO, row["n"], ident)
            seal = None if shown else self.llavero().sella(base64.b64encode(data).decode(), context)
            made = replace(inscrito(row), logo=logo.archivo(ident))
            self._state.record(
                "nota",
                que="logo",
                difusor=ident,
                formato=logo.formato,
                sha256=logo.original_sha256,
                archivo=made.logo,
                operador=mandato.operador,
            )
            self._state.put_row(SERIE_LOGO, made.n, {"n": made.n, "difusor": ident, "publicado": shown, "sello": seal})
            self._state.put_row(SERIE, made.n, row_of(made, row["sello"]))
        return made

    def pasa(self, ident: str, nuevo: Estado, mandato: Mandato, *, aviso: int | None = None) -> Inscrito:
        """Change the state by the table (``estados``); ``aviso`` is the number of the notice that was signed with it.

        Raises:
            EntradaError: it is not registered.
            UsoError: there is no such transition, or it lacks what it asks for; nothing changed.
        """
        with self.turno():
            row = self._row(ident)
            old = inscrito(row)
            arrow = estados.exige(ident, old.estado, nuevo, mandato)
            step = Paso(
                de=old.estado,
                a=nuevo,
                hora=self.workspace.clock.now(),
                quien=mandato.quien,
                operador=mandato.operador,
                motivo=mandato.motivo,
                evidencia=mandato.evidencia,
                aviso=aviso,
            )
            made = replace(old, estado=nuevo, historia=(*old.historia, step))
            self._state.record(
                "baja" if nuevo == "baja" else "estado_difusor",
                difusor=ident,
                paso=len(made.historia),
                orden=arrow.orden,
                clausula=arrow.clausula,
                **{key: value for key, value in paso_json(step).items() if key != "hora"},
            )
            self._state.put_row(SERIE, made.n, row_of(made, row["sello"]))
        return made

    def en_plazo(self, hora: datetime) -> bool:
        """Whether an application of that instant is in time (GRO-1.4, MOR-I-1, INE-I-g-1); without a deadline it is."""
        deadline = self.workspace.convocatoria.plazos.solicitud
        return deadline is None or hora <= self.workspace.convocatoria.vence(deadline)

    def llavero(self) -> Llavero:
        """The keys at hand. Raises ``EntradaError`` or ``AjustesError`` where there are none that serve."""
        path = self.archivo_clave
        if path is not None:
            return sello.de_archivo(path)
        name = self._variable
        text = self._environment.get(name, "")
        if not text:
            raise EntradaError(
                f"La variable de entorno {name} no tiene la clave del registro.",
                intacto=INTACTO,
                que_hacer="Póngala en la unidad de servicio o en la terminal, y repita la orden.",
            )
        return sello.de_texto(text, f"la variable {name}")

    @property
    def archivo_clave(self) -> Path | None:
        """The key file of this workspace, None where the key is in a variable of the environment."""
        where = self.workspace.settings.clave_registro
        if where is None:
            return None if self._environment.get(sello.VARIABLE) else self.workspace.folder / sello.ARCHIVO
        kind, _, name = where.partition(":")
        return None if kind == "env" else self.workspace.folder / name

    @property
    def _variable(self) -> str:
        where = self.workspace.settings.clave_registro
        return sello.VARIABLE if where is None else where.partition(":")[2]

    def turno(self) -> AbstractContextManager[None]:
        """Held by who changes rows of the registry or of support; others wait for a moment."""
        return locks.turn(self.workspace.folder / CANDADO, seconds=TURNO_S)

    def contexto(self, serie: str, n: int, ident: str) -> str:
        """What a seal is tied to: its call, its series, its row and its difusor."""
        return f"{self.workspace.convocatoria.id}|{serie}|{n}|{ident}"

    def _find(self, ident: str) -> Any:
        return next((row for row in self._state.rows(SERIE) if row["id"] == ident), None)

    def _row(self, ident: str) -> Any:
        row = self._find(ident)
        if row is None:
            raise EntradaError(
                f"No está en el registro el difusor «{ident}».",
                intacto=INTACTO,
                que_hacer="Vea los que hay con «pregon instituto difusor lista DIR», o regístrelo con «difusor alta».",
            )
        return row

    def _logo_row(self, n: int) -> Any:
        return next((row for row in self._state.rows(SERIE_LOGO) if row["n"] == n), None)

    def _sealed(self, n: int, ident: str, ficha: Ficha) -> dict[str, str]:
        value = ficha.model_dump(mode="json", exclude_defaults=True)
        return self.llavero().sella(value, self.contexto(SERIE, n, ident))

    def _opened(self, row: Any) -> Ficha:
        value = self.llavero().abre(row["sello"], self.contexto(SERIE, row["n"], row["id"]))
        try:
            ficha = Ficha.model_validate(value)
        except ValidationError:
            # Without its cause: pydantic repeats the values, and a traceback is no place for them.
            raise VersionError(
                f"La ficha de «{row['id']}» la escribió otra versión de Pregón y ésta no la entiende.",
                intacto=INTACTO,
                que_hacer="Léala con la versión que la escribió, o póngala de nuevo con «difusor cambia».",
            ) from None
        if (ficha.nombre, ficha.url) != (row["nombre"], row["url"]):
            raise DanadoError(
                f"El nombre o la dirección de «{row['id']}» no son los que se sellaron con su ficha.",
                intacto=INTACTO,
                que_hacer="Alguien cambió la base de estado: compárela con un respaldo, y registre de nuevo la ficha "
                "con «pregon instituto difusor cambia».",
            )
        return ficha

    def _check_new(self, ident: str, rows: list[Any]) -> None:
        if any(row["id"] == ident for row in rows):
            raise UsoError(
                f"El difusor «{ident}» ya está en el registro.",
                intacto=INTACTO,
                que_hacer="Para cambiar su ficha use «pregon instituto difusor cambia DIR ID --ficha ARCHIVO».",
            )
        if len(rows) >= DIFUSORES_MAX:
            raise UsoError(
                f"El registro tiene ya {DIFUSORES_MAX} difusores, el máximo.",
                intacto=INTACTO,
                que_hacer="Use otro espacio de trabajo para los demás.",
            )

    def _check_address(self, ident: str, ficha: Ficha, rows: list[Any]) -> None:
        same = next((row["id"] for row in rows if row["id"] != ident and row["url"] == ficha.url), None)
        if same is not None:
            raise UsoError(
                f"La dirección {ficha.url} es ya la del difusor «{same}».",
                intacto=INTACTO,
                que_hacer="Pida a uno de los dos su propia dirección: se vigila y se enlaza por ella.",
            )
        if self.workspace.settings.ambiente == "oficial" and not ficha.url.startswith("https://"):
            raise FormatoError(
                f"La dirección {ficha.url} no es https.",
                intacto=INTACTO,
                que_hacer="La dirección pública de un difusor oficial es https (INE-II-a-iv-2, MEX-II-2c2).",
            )


def _digest(seal: Mapping[str, str]) -> str:
    return hashlib.sha256(seal["cifrado"].encode()).hexdigest()
