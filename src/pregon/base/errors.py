"""One tree of failures. Every leaf has a stable code, an exit status and, where it applies, the INE's support class.

::

    PregonError
    ├─ TrustError            77  INTEGRIDAD     signature, order or origin of what arrived is not acceptable
    │  ├─ FirmaError             FIRMA          a signature does not verify, or the metadata is not metadata
    │  ├─ UmbralError            UMBRAL         fewer valid signatures than the role's threshold
    │  ├─ ExpiradoError          EXPIRADO       signed metadata past its date
    │  ├─ RetrocesoError         RETROCESO      an older version, or an older cut, offered again
    │  ├─ EquivocoError          EQUIVOCO       two different contents signed under one cut number
    │  ├─ CadenaError            CADENA         the cut does not follow the one before it
    │  ├─ AmbienteError          AMBIENTE       a simulacro offered to an official difusor, or the reverse
    │  ├─ ConvocatoriaError      CONVOCATORIA   a package of another call
    │  ├─ SumaError              SUMA           sums that are not there, cannot be read, disagree or leave files out
    │  └─ HashError              HASH           bytes that are not the ones the manifest or the metadata lists
    ├─ ArchivoError          76  EXTRACCION     ARCHIVO_*: an archive that is not admitted (leaves in paquete.errors)
    │  ├─ GemeloError            ARCHIVO_GEMELO a package's own x.gz that is not x compressed
    │  └─ PortadaError           ARCHIVO_PORTADA a package without the page that «/» answers with
    ├─ TransportError        69  TRANSFERENCIA
    │  ├─ RedError               RED            the link or the other side failed
    │  │  └─ AusenteError        RED            the other side answers that it has no such file
    │  ├─ DestinoError           DESTINO        the destination does not take what we send
    │  └─ PurgaError             PURGA          a cache before the portal refuses to forget, or asks to wait
    ├─ FindingsError         65                 HALLAZGOS: findings of severity «bloquea»
    ├─ FormatoError          65                 FORMATO: a file that cannot be read as what it should be
    ├─ EntradaError          66                 ENTRADA: an input that is not there
    ├─ EscrituraError        73                 ESCRITURA: cannot write where it was asked
    ├─ DiscoError            74                 DISCO: no space, or the store is damaged
    │  └─ DanadoError            DISCO          a state database that is none, or whose content is damaged
    ├─ InstanciaError        75                 INSTANCIA: another process is doing this
    ├─ AjustesError          78                 AJUSTES: the settings file is wrong
    ├─ VersionError          78                 VERSION: what is on disk was written by a newer Pregón
    ├─ UsoError               2                 USO: the command line is wrong
    └─ ComprobacionError     70                 COMPROBACION: a check failed, or a bug

Source: design §5. The operator's text says what happened, what was left untouched and what to do next.
"""

from __future__ import annotations

from typing import Any, ClassVar


class PregonError(Exception):
    """A failure told to a person in three sentences: what happened, what stayed as it was, what to do.

    The texts are Spanish, for the operator. ``codigo`` is stable: outside programs read it.
    """

    codigo: ClassVar[str] = "INTERNO"
    salida: ClassVar[int] = 70
    clase: ClassVar[str | None] = None

    def __init__(self, que_paso: str, *, intacto: str, que_hacer: str) -> None:
        super().__init__(que_paso)
        self.que_paso = que_paso
        self.intacto = intacto
        self.que_hacer = que_hacer

    def __reduce__(self) -> tuple[Any, ...]:
        # Leaves have their own arguments: what travels between processes is the state, not the call that made it.
        return _revived, (type(self), self.args, self.__dict__)

    def as_dict(self) -> dict[str, str]:
        """The four keys of ``--json`` errors (design §5), and ``clase`` where support asks for one (INE-VI-a-i)."""
        told = {
            "codigo": self.codigo,
            "que_paso": self.que_paso,
            "intacto": self.intacto,
            "que_hacer": self.que_hacer,
        }
        return told if self.clase is None else {**told, "clase": self.clase}


def _revived(kind: type[PregonError], args: tuple[Any, ...], state: dict[str, Any]) -> PregonError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class TrustError(PregonError):
    """What arrived must not be published: it is not provably the institute's next cut."""

    codigo = "CONFIANZA"
    salida = 77
    clase = "INTEGRIDAD"


class FirmaError(TrustError):
    """A signature does not verify, or signed metadata cannot be read at all."""

    codigo = "FIRMA"


class UmbralError(TrustError):
    """Fewer valid signatures than the role's threshold."""

    codigo = "UMBRAL"


class ExpiradoError(TrustError):
    """Signed metadata is past its expiry.

    ``conocido``: it is, byte by byte, what was verified before its date; so it says nothing that is not known.
    """

    codigo = "EXPIRADO"
    conocido = False


class RetrocesoError(TrustError):
    """An older version of the metadata, or an older cut, was offered again."""

    codigo = "RETROCESO"


class EquivocoError(TrustError):
    """The institute's keys signed two different contents for one cut number."""

    codigo = "EQUIVOCO"


class CadenaError(TrustError):
    """The cut does not follow, by number, hour or hash, the one accepted before."""

    codigo = "CADENA"


class AmbienteError(TrustError):
    """A simulacro was offered to an official difusor, or an official cut to a simulacro."""

    codigo = "AMBIENTE"


class ConvocatoriaError(TrustError):
    """The package belongs to another convocatoria or another institute."""

    codigo = "CONVOCATORIA"


class SumaError(TrustError):
    """The sums of a package that nobody signs are not there, cannot be read, disagree or leave files out."""

    codigo = "SUMA"


class HashError(TrustError):
    """Bytes that are not the ones the manifest or the signed metadata lists."""

    codigo = "HASH"


class ArchivoError(PregonError):
    """An archive that is not admitted. Subclasses name the reason: ``ARCHIVO_*``."""

    codigo = "ARCHIVO"
    salida = 76
    clase = "EXTRACCION"


class GemeloError(ArchivoError):
    """The package's own ``x.gz``, ``x.br`` or ``x.zst`` is not ``x`` compressed; it would go out in its place."""

    codigo = "ARCHIVO_GEMELO"


class PortadaError(ArchivoError):
    """A package without the page that «/» answers with: publishing it would blank the site."""

    codigo = "ARCHIVO_PORTADA"


class TransportError(PregonError):
    """Bytes did not travel."""

    codigo = "TRANSPORTE"
    salida = 69
    clase = "TRANSFERENCIA"


class RedError(TransportError):
    """The link, or the side we read from, failed or gave less than it should."""

    codigo = "RED"


class AusenteError(RedError):
    """The side we read from answers, and has no such file: another way to the same content may serve."""


class DestinoError(TransportError):
    """The destination does not take what we send."""

    codigo = "DESTINO"


class PurgaError(TransportError):
    """A cache before the portal answers, and does not forget what it was told to.

    ``espera_s``: seconds that it asks us to wait, 0 where it will say the same until somebody changes something.
    """

    codigo = "PURGA"

    def __init__(self, que_paso: str, *, intacto: str, que_hacer: str, espera_s: float = 0.0) -> None:
        super().__init__(que_paso, intacto=intacto, que_hacer=que_hacer)
        self.espera_s = espera_s


class FindingsError(PregonError):
    """Findings that block."""

    codigo = "HALLAZGOS"
    salida = 65


class FormatoError(PregonError):
    """A file that cannot be read as what it should be; the text names file, line and column."""

    codigo = "FORMATO"
    salida = 65


class EntradaError(PregonError):
    """An input that is not there."""

    codigo = "ENTRADA"
    salida = 66


class EscrituraError(PregonError):
    """A place that cannot be written."""

    codigo = "ESCRITURA"
    salida = 73


class DiscoError(PregonError):
    """No space left, or the store is damaged."""

    codigo = "DISCO"
    salida = 74


class DanadoError(DiscoError):
    """The state database is none any more, or holds what nobody wrote: who may sets it aside and begins anew."""


class InstanciaError(PregonError):
    """Another process holds the workspace."""

    codigo = "INSTANCIA"
    salida = 75


class AjustesError(PregonError):
    """The settings file is wrong; the text lists every problem with its path."""

    codigo = "AJUSTES"
    salida = 78


class VersionError(PregonError):
    """What is on disk was written by a newer program: this one neither reads nor changes it."""

    codigo = "VERSION"
    salida = 78


class UsoError(PregonError):
    """The command line is wrong."""

    codigo = "USO"
    salida = 2


class ComprobacionError(PregonError):
    """A check did not hold."""

    codigo = "COMPROBACION"
    salida = 70
