"""The profile of one call: the numbers and rules of its text, read once into a frozen value.

Key names are normative (``clauses.md`` §8). A key that the text does not state is left out of the file; the defaults
below say why they are what they are. ``inicio``, ``fin_actualizacion``, ``permanencia_hasta`` and the instants of
``plazos`` are written as local time and read as aware datetimes in ``zona_horaria``.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from importlib.resources import files
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from pregon.convocatoria.imposibles import find_problems
from pregon.convocatoria.secciones import (
    Carta,
    Contacto,
    Entidad,
    Fallo,
    Formulario,
    Historial,
    Logo,
    Memoria,
    Minimos,
    Notificacion,
    Paquete,
    Plazos,
    Seccion,
    Simulacro,
    Transporte,
    Ventana,
)
from pregon.convocatoria.tipos import (
    VISTAS,
    Codigo,
    Exigencia,
    Id,
    Lista,
    Positivo,
    Puerto,
    Texto,
    Vista,
    contest_ids,
    election_name,
)

OPERATION = timedelta(hours=24)
"""How long updates last where a text does not say: the most that art. 353 of the Reglamento de Elecciones allows."""


def _kept(value: Any) -> Any:
    """``historial = "completo"`` says the same as the table with that one key."""
    return {"conservar": value} if isinstance(value, str) else value


class Convocatoria(Seccion):
    """One call to difusores. Raises ``pydantic.ValidationError`` with every problem, each at the path of its key.

    Defaults of keys that no text or not every text states:

    * ``fin_actualizacion``: ``inicio`` + 24 hours. ``permanencia_hasta`` None: the last cut stays until the institute
      says otherwise (MOR, ``clauses.md`` §7).
    * ``cierre_anticipado_permitido`` False: only DGO-I-1b foresees it.
    * ``proximo_margen_s`` 120: how late a cut may be before a difusor calls itself «atrasado».
    * ``verificacion`` «firma»: Pregón signs every cut; ``recepcion``: its completion marker (design §2). Other values
      are for institutes without Pregón.
    * ``cortes_visibles`` 4: the current cut and the three whose data an open page may still ask for (design §3).
    * ``inconsistencias`` None: the definition of «actas con inconsistencias» that reproduces the source's own header
      (the names are those of ``prep.inconsistencias``; no text fixes one, real-data.md §4).
    * ``personalizacion`` «no»: showing the data in another form needs a text that allows it.
    * ``embebido`` «no_dicho»: frames are not forbidden, so any page may embed.
    * ``lista_antes`` False: the list of difusores is public from ``plazos.lista`` on; True: by then at the latest
      (DGO-III-3, «una vez aprobada»).
    * ``imagenes_url`` None: the portal links to no image. Otherwise the address of an acta's image on the institute's
      site, with the names of ``imagenes.CAMPOS`` between braces (INE-III-a-i): ``https://…/{clave_acta}.jpg``.
    * ``verificador_url`` None: the portal links to no verifier. Otherwise the address, on the institute's own site, of
      the page that ``instituto verificador`` writes (docs/verificacion.md): a portal is no proof of itself.
    * ``vistas``: every view of the portal (``tipos.Vista`` names them); a list leaves out the others.
    """

    id: Id
    nombre: Texto
    instituto: Id
    instituto_nombre: Texto | None = None
    entidad: Entidad
    elecciones: Annotated[Lista[Codigo], Field(min_length=1)]

    zona_horaria: str
    inicio: datetime
    fin_actualizacion: datetime = Field(default_factory=lambda data: data["inicio"] + OPERATION)
    cierre_anticipado_permitido: bool = False
    permanencia_hasta: datetime | None = None
    intervalo_min: Annotated[int, Field(ge=1, le=1440)]
    intervalo_piso_min: Positivo | None = None
    retraso_max_s: Positivo | None = None
    transferencia_max_s: Positivo | None = None
    proximo_margen_s: Annotated[int, Field(ge=0, le=3600)] = 120

    transporte: Transporte
    paquete: Paquete = Paquete()
    verificacion: Literal["firma", "suma", "ninguna"] = "firma"
    recepcion: Annotated[
        str, Field(pattern=r"^(marcador:[A-Za-z0-9._/-]{1,128}|suma|renombrado|quieto:[1-9][0-9]{0,3})$")
    ] = "marcador:timestamp.json"
    historial: Annotated[Historial, BeforeValidator(_kept)] = Historial()
    inconsistencias: Literal["amplia", "estricta", "excede", "todas"] | None = None
    cortes_visibles: Annotated[int, Field(ge=1, le=1000)] = 4

    personalizacion: Literal["no", "autorizada"] = "no"
    embebido: Literal["si", "no", "no_dicho"] = "no_dicho"
    mostrar_corte: Literal[True] = True
    imagenes: Literal["solo_instituto"] = "solo_instituto"
    imagenes_url: Texto | None = None
    verificador_url: Texto | None = None
    vistas: Lista[Vista] = VISTAS
    acceso_simulacro: Literal["publico", "restringido"] = "publico"
    fallo: Fallo

    minimos: Minimos = Minimos()
    puertos_publicos: Lista[Puerto] = ()
    puertos_restringidos: Lista[Puerto] = ()
    puertos_salida: Lista[Puerto] = ()
    ntp: bool | None = None
    ntp_servidor: Texto | None = None
    syslog: bool | None = None
    docker: Exigencia | None = None
    root: bool = False
    cdn: Exigencia | None = None
    purga: Exigencia | None = None
    ddos: Exigencia | None = None
    waf: Exigencia | None = None
    intrusiones: Exigencia | None = None
    alta_disponibilidad: Exigencia | None = None
    balanceador: Exigencia | None = None
    energia_redundante: Exigencia | None = None
    tls_min: Literal["1.2", "1.3"] | None = None
    respuesta_max_s: Positivo | None = None
    disponibilidad_pct: Annotated[str, Field(pattern=r"^(100|[1-9]?[0-9](\.[0-9]{1,4})?)$")] | None = None

    simulacros: Lista[Simulacro] = ()
    ventanas_prueba: Lista[Ventana] = ()
    etapas: Lista[Ventana] = ()
    plazos: Plazos = Plazos()
    lista_antes: bool = False

    participantes: Lista[Literal["academia", "osc", "medios"]] = ()
    formulario: Formulario = Formulario()
    carta: Carta | None = None
    documentos: Lista[Texto] = ()
    logo: Logo = Logo()
    memoria: Memoria | None = None
    contactos: Lista[Contacto] = ()
    casos_no_previstos: Texto | None = None
    enlace_ejemplo: Texto | None = None
    clave_noche: Annotated[str, Field(pattern=r"^(env|archivo):\S+$")] | None = None
    notifica: Lista[Notificacion] = ()

    @property
    def zona(self) -> ZoneInfo:
        """The zone in which people read this call's hours."""
        return ZoneInfo(self.zona_horaria)

    @property
    def contiendas(self) -> tuple[str, ...]:
        """The contest ids of its elections, in order: ``("gub", "dip", "ayun")`` (design §7)."""
        return contest_ids(self.elecciones)

    @property
    def nombres_elecciones(self) -> tuple[str, ...]:
        """The elections in words, in order."""
        return tuple(election_name(code) for code in self.elecciones)

    @property
    def disponibilidad(self) -> Decimal | None:
        """``disponibilidad_pct`` as an exact number."""
        return None if self.disponibilidad_pct is None else Decimal(self.disponibilidad_pct)

    @property
    def frame_ancestors(self) -> str:
        """The value of the CSP directive: ``*`` unless the call forbids embedding (``clauses.md`` §8)."""
        return "'self'" if self.embebido == "no" else "*"

    def vence(self, plazo: date) -> datetime:
        """The last instant of a deadline: the instant itself, or the last second of its day in this call's zone."""
        if isinstance(plazo, datetime):
            return plazo
        return datetime.combine(plazo, time(23, 59, 59), self.zona)

    @field_validator("zona_horaria")
    @classmethod
    def _zone(cls, key: str) -> str:
        try:
            ZoneInfo(key)
        except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
            raise PydanticCustomError("zona", "no es una zona de la base IANA, como America/Mexico_City") from exc
        return key

    @field_validator("inicio", "fin_actualizacion", "permanencia_hasta")
    @classmethod
    def _aware(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        return None if value is None else _in_zone(value, info)

    @field_validator("plazos")
    @classmethod
    def _aware_deadlines(cls, plazos: Plazos, info: ValidationInfo) -> Plazos:
        instants = {key: _in_zone(value, info) for key, value in plazos if isinstance(value, datetime)}
        return plazos.model_copy(update=instants) if instants else plazos

    @model_validator(mode="wrap")
    @classmethod
    def _every_problem(cls, table: Any, handler: ModelWrapValidatorHandler[Convocatoria]) -> Convocatoria:
        """Add what the keys say against each other to what each key says alone, so that one reading tells all."""
        details: list[InitErrorDetails] = []
        profile: Convocatoria | None = None
        try:
            profile = handler(table)
        except ValidationError as exc:
            details = [
                _detail(error["loc"], error["type"], error["msg"], error["input"], error.get("ctx"))
                for error in exc.errors(include_url=False)
                if error["type"] != "default_factory_not_called"  # the consequence of a wrong «inicio»
            ]
        told = {detail.get("loc", ()) for detail in details}
        if isinstance(table, dict):
            details += [
                _detail(problem.path, "imposible", problem.text, problem.value)
                for problem in find_problems(table)
                if problem.path not in told
            ]
        if details or profile is None:
            raise ValidationError.from_exception_data(cls.__name__, details)
        return profile


def _detail(
    path: tuple[str | int, ...], kind: str, text: str, value: object, context: dict[str, Any] | None = None
) -> InitErrorDetails:
    # Kinds and messages are ours or pydantic's; braces in them would be taken for a template.
    error = PydanticCustomError(kind, text.replace("{", "(").replace("}", ")"), context)
    return InitErrorDetails(type=error, loc=path, input=value)


def _in_zone(value: datetime, info: ValidationInfo) -> datetime:
    """``value`` as an instant of the profile's zone.

    An hour that the zone skips or repeats that day is refused: nobody can tell which instant it is. So is a machine
    whose zone data differ from the ones Pregón brings: Mexico dropped summer time in October 2022, and an old database
    would open the embargo one hour away from the right one.
    """
    key = info.data.get("zona_horaria")
    if key is None:  # the zone itself is wrong and is reported apart
        return value.replace(tzinfo=UTC)
    zone = ZoneInfo(key)
    local = value.replace(tzinfo=zone)
    offset = local.utcoffset()
    if value.tzinfo is not None:
        if value.utcoffset() != offset:
            raise PydanticCustomError("desfase", "el desfase escrito no es el de «zona_horaria» ese día")
    elif local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != value.replace(fold=0):
        raise PydanticCustomError("hora_inexistente", "esa hora no existe ese día en «zona_horaria»")
    elif local.replace(fold=1).utcoffset() != offset:
        raise PydanticCustomError("hora_ambigua", "esa hora ocurre dos veces ese día en «zona_horaria»")
    if _pinned_zone(key) is not None and value.replace(tzinfo=_pinned_zone(key)).utcoffset() != offset:
        raise PydanticCustomError(
            "zona_atrasada",
            "los husos horarios de este equipo están atrasados: actualice el paquete tzdata del sistema",
        )
    return local


def _pinned_zone(key: str) -> ZoneInfo | None:
    """The zone as the locked tzdata package has it; None when it lacks it."""
    if not re.fullmatch(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", key):
        return None
    resource = files("tzdata").joinpath("zoneinfo", *key.split("/"))
    if not resource.is_file():
        return None
    with resource.open("rb") as stream:
        return ZoneInfo.from_file(stream, key=key)
