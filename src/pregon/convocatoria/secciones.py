"""The tables of a profile: transport, package, minimums, failure rule, calendar, papers.

Key names: ``clauses.md`` §8. Where a text says nothing the key is left out: then the value is None or empty, or the
default written here with its reason. Sizes are megabytes and gigabytes of 10**6 and 10**9 bytes, as the texts use them.
"""

from datetime import date, time
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from pregon.base.settings import Settings
from pregon.convocatoria.tipos import Id, Lista, Plazo, Positivo, Puerto, Texto

Dialecto = Literal[
    "campeche-2021",
    "cdmx-2024",
    "federal-2018",
    "federal-2021",
    "federal-2024",
    "puebla-2019",
    "puebla-2024",
    "qroo-2019",
    "queretaro-2018",
    "sonora-2021",
]
"""Named dialects of the official CSV: the names of ``prep.estilos``, which this room may not import."""
Formato = Literal["html", "json", "csv", "js", "txt", "hash"]


class Seccion(Settings):
    """Base of every table: unknown keys are errors, types are not coerced, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Entidad(Seccion):
    """Where the election is: INE number (0 is the whole country), letters used in file names, name."""

    numero: Annotated[int, Field(ge=0, le=32)]
    clave: Annotated[str, Field(pattern=r"^[A-Z]{2,6}$")]
    nombre: Texto


class Transporte(Seccion):
    """How a cut travels. ``push``: the institute writes in the difusor's server; ``pull``: the difusor fetches.

    ``local`` is a folder or a USB stick: no call asks for it, the simulacro uses it. ``mbps`` is the link that the text
    asks for this transfer alone (INE-II-a-iii-2a).
    """

    modo: Literal["push", "pull"]
    protocolo: Literal["scp", "rsync", "sftp", "https", "s3", "local"]
    puertos: Lista[Puerto] = ()
    mbps: Positivo | None = None


class Paquete(Seccion):
    """What a cut is made of.

    Defaults: ``formatos`` what Pregón builds; ``archivo`` zip (the only kind a text defines, INE-IX-1); ``hash``
    SHA-256 (no text names an algorithm; ``clauses.md`` §7). ``dialecto`` None: the database goes out as its source
    wrote it, byte for byte. ``encabezado`` «fuente»: its summary too; «recalculado»: the figures counted from the rows.
    ``zip_anidado``: also one zip around those of the elections, as Campeche published.
    """

    formatos: Lista[Formato] = ("html", "json", "csv")
    archivo: Literal["zip", "7z", "dir"] = "zip"
    tam_min_mb: Positivo | None = None
    tam_max_mb: Positivo | None = None
    tam_medio_mb: Positivo | None = None
    hash: Literal["sha256"] = "sha256"
    dialecto: Dialecto | None = None
    encabezado: Literal["fuente", "recalculado"] = "fuente"
    zip_anidado: bool = False


class Historial(Seccion):
    """Which packages a difusor keeps. ``recibido``: what it needed to publish; ``completo``: every whole archive."""

    conservar: Literal["recibido", "completo"] = "recibido"
    gb: Positivo | None = None


class Minimos(Seccion):
    """Least infrastructure. ``cores`` is the total of the server; ``fisico`` None: physical or virtual."""

    cores: Positivo | None = None
    ghz: Annotated[float, Field(gt=0, le=20)] | None = None
    ram_gb: Positivo | None = None
    disco_gb: Positivo | None = None
    ssd: bool | None = None
    iops: Positivo | None = None
    mbps: Positivo | None = None
    red_gbps: Positivo | None = None
    red_redundante: bool | None = None
    ip_publicas_por_servidor: Positivo | None = None
    so: Lista[Texto] = ()
    software: Lista[Texto] = ()
    fisico: bool | None = None
    nube: Literal["requerida", "permitida"] | None = None
    ups_kva_por_servidor: Positivo | None = None
    ups_kva_comunicaciones: Positivo | None = None
    dispensa: bool = False


class Fallo(Seccion):
    """What happens to a difusor that fails.

    ``periodos``: consecutive updates missed before the action; None: the text gives no count and a person decides.
    ``accion``: ``interrumpir`` the transmission, ``bloquear`` the communication, or ``baja`` from the list.
    ``automatica``: at ``periodos`` the institute's program may interrupt without waiting for a person, where it is sure
    enough and the difusor was told.
    """

    accion: Literal["interrumpir", "bloquear", "baja"]
    causas: Lista[Literal["periodos", "incumplimiento", "ataque", "documentos", "simulacro"]]
    periodos: Positivo | None = None
    aviso_en_portal: bool = False
    retira_liga: bool = False
    aviso_publico: bool = False
    irrevocable: bool = False
    automatica: bool = False


class Simulacro(Seccion):
    """One rehearsal day."""

    fecha: date
    nombre: Texto = "Simulacro"
    obligatorio: bool = False


class Ventana(Seccion):
    """Days from ``desde`` to ``hasta``, both included; with hours, only between them each day (local time)."""

    nombre: Texto
    desde: date
    hasta: date
    hora_desde: time | None = None
    hora_hasta: time | None = None


class Plazos(Seccion):
    """Deadlines. A day counts whole; an instant is local. ``lista`` is when the list of difusores is public."""

    solicitud: Plazo | None = None
    infraestructura: Plazo | None = None
    documentos: Plazo | None = None
    logo: Plazo | None = None
    analisis_capacidad: Plazo | None = None
    procedimiento: Plazo | None = None
    calendario_pruebas: Plazo | None = None
    lista: Plazo | None = None
    memoria_formato: Plazo | None = None
    memoria_entrega: Plazo | None = None


class Formulario(Seccion):
    """The registration form: its fields, as the text names them. Empty: the text refers to an annex that it lacks."""

    campos: Lista[Texto] = ()
    anexo: Texto | None = None
    enviar_a: Texto | None = None


class Carta(Seccion):
    """The commitment letter: to whom, from where, and the name of its template (``difusor.formatos.cartas``).

    ``enviar_a``: where the notice and the signed letter are sent, where the text says so (MOR-I-1, MOR-A3-3).
    ``enterado``: whom the addressee must tell that somebody applied (DGO-I-4b).
    """

    destinatario: Texto
    enviar_a: Texto | None = None
    lugar: Texto | None = None
    plantilla: Id = "compromiso"
    enterado: Texto | None = None


class Logo(Seccion):
    """The difusor's logo, which is the link to its publication site. Empty ``formatos``: any."""

    formatos: Lista[Annotated[str, Field(pattern=r"^[a-z0-9]{2,4}$")]] = ()


class Memoria(Seccion):
    """The technical report after the night: days of access logs or statistics, and sections asked."""

    bitacoras_desde: date | None = None
    bitacoras_hasta: date | None = None
    estadisticas_desde: date | None = None
    estadisticas_hasta: date | None = None
    secciones: Lista[Literal["bitacoras", "incidencias", "comparativo", "estadisticas", "sugerencias"]]


class Contacto(Seccion):
    """An office of the institute."""

    area: Texto
    correo: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")] | None = None
    telefono: Texto | None = None
    horario: Texto | None = None
    domicilio: Texto | None = None


class Notificacion(Seccion):
    """Where warnings go: a mail address, a webhook or a syslog. Secrets never stand here."""

    canal: Literal["correo", "webhook", "syslog"]
    destino: Texto
