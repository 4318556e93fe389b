"""The register of support: what each difusor asked for, in which stage and of which class, and how it ended.

INE-VI-a names the stages and the classes; GRO-5.0 and DGO-III-0 give support by stage too. What people wrote, and who
they are, is confidential and sealed as the forms are; numbers, hours, stage and class are not, and go to the journal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from pregon.base.errors import EntradaError, UsoError
from pregon.convocatoria.solicitud import contactos
from pregon.instituto.registro.almacen import Registro

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pregon.instituto.workspace import Workspace

Clase: TypeAlias = Literal["TRANSFERENCIA", "INTEGRIDAD", "EXTRACCION", "REVISION", "DESPLIEGUE"]
CLASES: tuple[Clase, ...] = get_args(Clase)
"""Failures of transfer, of verification of integrity, of extraction (INE-VI-a-i), as the errors of Pregón name them
(``PregonError.clase``); and of election day, preparatory review and correct display of results (INE-VI-a-ii)."""
SERIE = "soporte"
INTACTO = "El registro de soporte sigue como estaba."


@dataclass(frozen=True, kw_only=True)
class Respuesta:
    """Something that was answered: when, by whom of the institute, and what."""

    hora: datetime
    operador: str
    texto: str


@dataclass(frozen=True, kw_only=True)
class Caso:
    """One request. ``cerrado`` None: open. ``quien`` asked, ``asunto`` for what; None where the seal was not opened."""

    n: int
    difusor: str
    etapa: str
    clase: Clase
    abierto: datetime
    operador: str
    cerrado: datetime | None = None
    codigo: str | None = None
    quien: str | None = None
    asunto: str | None = None
    respuestas: tuple[Respuesta, ...] = ()


class Soporte:
    """The register of support of one workspace."""

    def __init__(self, workspace: Workspace, *, registro: Registro | None = None) -> None:
        """``registro`` None: that of the workspace, whose key seals here too."""
        self._workspace = workspace
        self._registro = registro or Registro(workspace)
        self._state = workspace.state()

    def abre(
        self,
        difusor: str,
        clase: Clase,
        *,
        asunto: str,
        quien: str,
        operador: str,
        codigo: str | None = None,
        etapa: str | None = None,
    ) -> Caso:
        """Open a case. ``etapa`` None: that of now; ``codigo``: of the error that the difusor saw.

        Raises:
            EntradaError: the difusor is not registered, or the key is not at hand.
            UsoError: the call has no such stage.
        """
        self._registro.uno(difusor)
        stages = [one.nombre for one in contactos.etapas(self._workspace.convocatoria)]
        now = self._workspace.clock.now()
        stage = etapa or contactos.etapa_en(self._workspace.convocatoria, now).nombre
        if stage not in stages:
            raise UsoError(
                f"La convocatoria no tiene la etapa «{stage}».",
                intacto=INTACTO,
                que_hacer=f"Las etapas son: {'; '.join(stages)}.",
            )
        with self._registro.turno():
            last = self._state.last_row(SERIE)
            made = Caso(
                n=1 if last is None else last["n"] + 1,
                difusor=difusor,
                etapa=stage,
                clase=clase,
                abierto=now,
                operador=operador,
                codigo=codigo,
                quien=quien,
                asunto=asunto,
            )
            self._keep(made, "abierto", operador)
        return made

    def responde(self, n: int, texto: str, *, operador: str) -> Caso:
        """Add an answer. Raises ``EntradaError`` or ``UsoError`` where there is no such case or it is closed."""
        return self._answer(n, texto, operador, "respondido")

    def cierra(self, n: int, texto: str, *, operador: str) -> Caso:
        """Add the last answer and close it. Raises as ``responde``."""
        return self._answer(n, texto, operador, "cerrado")

    def todos(self, *, con_textos: bool) -> tuple[Caso, ...]:
        """Every case, oldest first; with what people wrote only where asked for, since it takes the key."""
        return tuple(self._case(row, con_textos=con_textos) for row in self._state.rows(SERIE))

    def _answer(self, n: int, texto: str, operador: str, que: Literal["respondido", "cerrado"]) -> Caso:
        with self._registro.turno():
            row = next((row for row in self._state.rows(SERIE) if row["n"] == n), None)
            if row is None:
                raise EntradaError(
                    f"No hay caso de soporte número {n}.",
                    intacto=INTACTO,
                    que_hacer="Vea los que hay con «pregon instituto soporte lista DIR».",
                )
            old = self._case(row, con_textos=True)
            if old.cerrado is not None:
                raise UsoError(
                    f"El caso de soporte {n} ya está cerrado.",
                    intacto=INTACTO,
                    que_hacer="Si el problema volvió, abra otro caso.",
                )
            now = self._workspace.clock.now()
            answers = (*old.respuestas, Respuesta(hora=now, operador=operador, texto=texto))
            made = Caso(
                **{**vars(old), "respuestas": answers, "cerrado": now if que == "cerrado" else None},
            )
            self._keep(made, que, operador)
        return made

    def _keep(self, case: Caso, que: str, operador: str) -> None:
        hidden = {
            "quien": case.quien,
            "asunto": case.asunto,
            "respuestas": [
                {"hora": one.hora.isoformat(), "operador": one.operador, "texto": one.texto} for one in case.respuestas
            ],
        }
        row = {
            "n": case.n,
            "difusor": case.difusor,
            "etapa": case.etapa,
            "clase": case.clase,
            "abierto": case.abierto.isoformat(),
            "operador": case.operador,
            "cerrado": None if case.cerrado is None else case.cerrado.isoformat(),
            "codigo": case.codigo,
            "sello": self._registro.llavero().sella(hidden, self._registro.contexto(SERIE, case.n, case.difusor)),
        }
        self._state.record(
            "soporte",
            n=case.n,
            que=que,
            difusor=case.difusor,
            etapa=case.etapa,
            clase=case.clase,
            codigo=case.codigo,
            operador=operador,
        )
        self._state.put_row(SERIE, case.n, row)

    def _case(self, row: Any, *, con_textos: bool) -> Caso:
        hidden: Any = {"quien": None, "asunto": None, "respuestas": []}
        if con_textos:
            context = self._registro.contexto(SERIE, row["n"], row["difusor"])
            hidden = self._registro.llavero().abre(row["sello"], context)
        return Caso(
            n=row["n"],
            difusor=row["difusor"],
            etapa=row["etapa"],
            clase=row["clase"],
            abierto=datetime.fromisoformat(row["abierto"]),
            operador=row["operador"],
            cerrado=None if row["cerrado"] is None else datetime.fromisoformat(row["cerrado"]),
            codigo=row["codigo"],
            quien=hidden["quien"],
            asunto=hidden["asunto"],
            respuestas=tuple(
                Respuesta(**{**one, "hora": datetime.fromisoformat(one["hora"])}) for one in hidden["respuestas"]
            ),
        )


def resumen(casos: Sequence[Caso]) -> list[dict[str, Any]]:
    """How many cases there are of each stage and class, and how many are open; in the order in which they came."""
    counted: dict[tuple[str, Clase], list[int]] = {}
    for case in casos:
        count = counted.setdefault((case.etapa, case.clase), [0, 0])
        count[0] += 1
        count[1] += case.cerrado is None
    return [
        {"etapa": stage, "clase": kind, "casos": count, "abiertos": open_}
        for (stage, kind), (count, open_) in counted.items()
    ]
