"""What an open workspace shares with another machine: the server, the state in it, and the numbers of this turn."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base.errors import AjustesError
from pregon.transport.lugar import read_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pregon.base.estado import Estado
    from pregon.base.postgres import Servidor
    from pregon.instituto.relevo.ajustes import AjustesEstado
    from pregon.instituto.relevo.numeros import Vale
    from pregon.instituto.workspace import Workspace
    from pregon.trust.numeros import Numeros
    from pregon.trust.repositorio import Repository


@dataclass(frozen=True)
class Compartido:
    """The server, who this machine is, and the state database that both use."""

    servidor: Servidor
    ajustes: AjustesEstado
    estado: Estado
    vale: Vale

    def numeros(self) -> Numeros:
        """The numbers of this machine's turn, its lease renewed. Raises ``InstanciaError``, ``RedError``."""
        from pregon.instituto.relevo import turno
        from pregon.instituto.relevo.numeros import NumerosDelTurno

        with self.servidor.transaccion() as cursor:
            turn = turno.asegura(cursor, self.ajustes.nombre, self.ajustes.arriendo_s)
        return NumerosDelTurno(self.servidor, turn.epoca, self.vale)

    def al_corriente(self, workspace: Workspace) -> Repository:
        """The repository as the server has it, nothing half done, ready to be signed. Within ``signing``."""
        from pregon.instituto.relevo import releva

        repository = workspace.repository(releva.al_corriente(workspace, self))
        releva.termina(workspace, repository, self.servidor)
        return repository


def open_shared(
    workspace: Workspace, ajustes: AjustesEstado, environment: Mapping[str, str] | None = None
) -> Compartido:
    """Connect to the server of ``ajustes``; where it has nothing yet, it gets what ``estado.sqlite`` has.

    Raises:
        AjustesError: its address or its account is refused, or psycopg is not installed.
        RedError: the server does not answer.
    """
    environment = os.environ if environment is None else environment
    try:
        from pregon.base.estado_postgres import PostgresState
        from pregon.base.postgres import Direccion, Servidor
        from pregon.instituto.relevo import releva, turno, vales
    except ModuleNotFoundError as exc:
        raise AjustesError(
            f"Para [estado] falta el programa «{exc.name}».",
            intacto="No se cambió nada.",
            que_hacer="Instale Pregón con él: pip install 'pregon[instituto,postgres]'.",
        ) from exc
    url = read_secret(ajustes.url, "[estado]", workspace.folder, environment)
    servidor = Servidor(Direccion(url.strip(), ajustes.esquema, turno.aplicacion(ajustes.nombre, ajustes.esquema)))
    identity = workspace.identity
    try:
        estado = PostgresState(
            servidor,
            workspace.clock,
            identidad=f"{identity.convocatoria} · {identity.instituto} · {identity.ambiente}",
            antes=workspace.folder / "estado.sqlite",
        )
        releva.prepara(servidor)
    except BaseException:
        servidor.cierra()
        raise
    return Compartido(servidor, ajustes, estado, functools.partial(vales.issue, workspace))
