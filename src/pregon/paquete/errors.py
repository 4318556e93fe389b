"""The leaves of ``ArchivoError``: one code for each reason not to admit a package. Exit status 76, class EXTRACCION.

::

    ArchivoError
    ├─ what it is
    │  ├─ ManifiestoError     ARCHIVO_MANIFIESTO     the manifest is not one, or lacks or repeats something
    │  ├─ IlegibleError       ARCHIVO_ILEGIBLE       not an archive, or its directory cannot be read
    │  ├─ TruncadoError       ARCHIVO_TRUNCADO       it ends before what it declares
    │  ├─ SobranteError       ARCHIVO_SOBRANTE       bytes that belong to no member (before, between or after)
    │  ├─ CabeceraError       ARCHIVO_CABECERA       two headers of one member tell different things
    │  └─ Zip64Error          ARCHIVO_ZIP64          64-bit sizes given where they are not due, twice, or not at all
    ├─ its size
    │  ├─ MiembrosError       ARCHIVO_MIEMBROS       too many members
    │  ├─ DirectorioError     ARCHIVO_DIRECTORIO     the list of members itself is too large
    │  ├─ DiccionarioError    ARCHIVO_DICCIONARIO    asks for too much memory to be unpacked (7z)
    │  ├─ TotalError          ARCHIVO_TOTAL          too large once unpacked
    │  ├─ ArchivoGrandeError  ARCHIVO_GRANDE         one member is too large
    │  ├─ RazonError          ARCHIVO_RAZON          expands too much: a bomb
    │  ├─ TraslapeError       ARCHIVO_TRASLAPE       members that share bytes: a bomb
    │  └─ TamanoError         ARCHIVO_TAMANO         a member is not of the size it declares
    ├─ its content
    │  ├─ MetodoError         ARCHIVO_METODO         a compression method outside the allow-list
    │  ├─ CifradoError        ARCHIVO_CIFRADO        encrypted
    │  ├─ EnlaceError         ARCHIVO_ENLACE         a symbolic link
    │  ├─ EspecialError       ARCHIVO_ESPECIAL       a device, socket or anything not a regular file or folder
    │  ├─ DatosError          ARCHIVO_DATOS          the compressed data are not valid
    │  ├─ CrcError            ARCHIVO_CRC            the content does not match its CRC
    │  ├─ DiferenciaError     ARCHIVO_DIFERENCIA     a recipe that is not one, or copies what is not there
    │  ├─ BaseError           ARCHIVO_BASE           what a recipe begins from cannot be read: take the whole archive
    │  └─ DistintaError       ARCHIVO_DISTINTA       a recipe gave other bytes: take the whole archive
    └─ its names
       ├─ RutaAbsolutaError   ARCHIVO_ABSOLUTA       begins with «/»
       ├─ RutaSuperiorError   ARCHIVO_SUPERIOR       «..», «.» or an empty component
       ├─ UnidadError         ARCHIVO_UNIDAD         a drive or stream («C:», «a:b»)
       ├─ DiagonalError       ARCHIVO_DIAGONAL       a backslash
       ├─ NuloError           ARCHIVO_NULO           a NUL, where some programs end the name
       ├─ ControlError        ARCHIVO_CONTROL        control or invisible characters
       ├─ BidiError           ARCHIVO_BIDI           characters that reverse the direction of reading
       ├─ NombreError         ARCHIVO_NOMBRE         a name some system cannot hold, or in an unknown encoding
       ├─ ReservadoError      ARCHIVO_RESERVADO      a name that the difusor itself writes
       ├─ LargoError          ARCHIVO_LARGO          a name too long
       ├─ ProfundidadError    ARCHIVO_PROFUNDIDAD    too many folders deep
       ├─ DuplicadoError      ARCHIVO_DUPLICADO      the same name twice
       └─ ColisionError       ARCHIVO_COLISION       two names that some file system takes for one
"""

from __future__ import annotations

from pregon.base.errors import ArchivoError

INTACTO = "No se escribió ni se publicó nada de este paquete; lo publicado sigue como estaba."
QUE_HACER = "Pida al instituto que vuelva a generar y enviar el corte; conserve este archivo como evidencia."


class _Leaf(ArchivoError):
    """A reason not to admit a package; every one says the same about what stayed and what to do."""

    def __init__(self, que_paso: str, *, intacto: str = INTACTO, que_hacer: str = QUE_HACER) -> None:
        super().__init__(que_paso, intacto=intacto, que_hacer=que_hacer)


class ManifiestoError(_Leaf):
    """The manifest is not one; the text names the place (``archivos[3].ruta``)."""

    codigo = "ARCHIVO_MANIFIESTO"


class IlegibleError(_Leaf):
    """Not an archive, or its directory cannot be read."""

    codigo = "ARCHIVO_ILEGIBLE"


class TruncadoError(_Leaf):
    """The archive, or one member, ends before what it declares."""

    codigo = "ARCHIVO_TRUNCADO"


class SobranteError(_Leaf):
    """There are bytes that belong to no member."""

    codigo = "ARCHIVO_SOBRANTE"


class CabeceraError(_Leaf):
    """Two headers of one member, or of the archive, tell different things."""

    codigo = "ARCHIVO_CABECERA"


class Zip64Error(_Leaf):
    """A zip64 record that is not due, is there twice, lies elsewhere or says something else than the other one."""

    codigo = "ARCHIVO_ZIP64"


class MiembrosError(_Leaf):
    """Too many members."""

    codigo = "ARCHIVO_MIEMBROS"


class DirectorioError(_Leaf):
    """The directory of a zip, or the header of a 7z, is larger than is ever needed."""

    codigo = "ARCHIVO_DIRECTORIO"


class DiccionarioError(_Leaf):
    """A 7z that can only be unpacked with more memory than the limit."""

    codigo = "ARCHIVO_DICCIONARIO"


class TotalError(_Leaf):
    """Too large once unpacked."""

    codigo = "ARCHIVO_TOTAL"


class ArchivoGrandeError(_Leaf):
    """One member is too large."""

    codigo = "ARCHIVO_GRANDE"


class RazonError(_Leaf):
    """Declares an expansion that no honest package has."""

    codigo = "ARCHIVO_RAZON"


class TraslapeError(_Leaf):
    """Two members share bytes of the archive."""

    codigo = "ARCHIVO_TRASLAPE"


class TamanoError(_Leaf):
    """A member inflates to another size than the one declared."""

    codigo = "ARCHIVO_TAMANO"


class MetodoError(_Leaf):
    """A compression method outside the allow-list."""

    codigo = "ARCHIVO_METODO"


class CifradoError(_Leaf):
    """The archive, or a member, is encrypted."""

    codigo = "ARCHIVO_CIFRADO"


class EnlaceError(_Leaf):
    """A member is a symbolic link."""

    codigo = "ARCHIVO_ENLACE"


class EspecialError(_Leaf):
    """A member is neither a regular file nor a folder."""

    codigo = "ARCHIVO_ESPECIAL"


class DatosError(_Leaf):
    """The compressed data of a member are not valid."""

    codigo = "ARCHIVO_DATOS"


class CrcError(_Leaf):
    """The content of a member does not match its CRC."""

    codigo = "ARCHIVO_CRC"


class DiferenciaError(_Leaf):
    """A recipe (``paquete.diferencias``) that is not one, or that copies what is not there."""

    codigo = "ARCHIVO_DIFERENCIA"


class BaseError(_Leaf):
    """The archive that a recipe begins from cannot be read. The whole archive is to be taken."""

    codigo = "ARCHIVO_BASE"


class DistintaError(_Leaf):
    """A recipe gave other bytes than the manifest lists. The whole archive is to be taken."""

    codigo = "ARCHIVO_DISTINTA"


class RutaAbsolutaError(_Leaf):
    """A name that begins with «/»."""

    codigo = "ARCHIVO_ABSOLUTA"


class RutaSuperiorError(_Leaf):
    """A name with «..», «.» or an empty component."""

    codigo = "ARCHIVO_SUPERIOR"


class UnidadError(_Leaf):
    """A name with a colon: a drive, or an alternate stream."""

    codigo = "ARCHIVO_UNIDAD"


class DiagonalError(_Leaf):
    """A name with a backslash."""

    codigo = "ARCHIVO_DIAGONAL"


class NuloError(_Leaf):
    """A name with a NUL: programs written in C read another, shorter name."""

    codigo = "ARCHIVO_NULO"


class ControlError(_Leaf):
    """A name with control or invisible characters."""

    codigo = "ARCHIVO_CONTROL"


class BidiError(_Leaf):
    """A name with characters that reverse the direction of reading."""

    codigo = "ARCHIVO_BIDI"


class NombreError(_Leaf):
    """A name that some system cannot hold, or whose encoding is not stated."""

    codigo = "ARCHIVO_NOMBRE"


class ReservadoError(_Leaf):
    """A name that the difusor itself writes."""

    codigo = "ARCHIVO_RESERVADO"


class LargoError(_Leaf):
    """A name too long."""

    codigo = "ARCHIVO_LARGO"


class ProfundidadError(_Leaf):
    """A name too many folders deep."""

    codigo = "ARCHIVO_PROFUNDIDAD"


class DuplicadoError(_Leaf):
    """The same name twice."""

    codigo = "ARCHIVO_DUPLICADO"


class ColisionError(_Leaf):
    """Two names that some file system takes for one."""

    codigo = "ARCHIVO_COLISION"


def leaves() -> tuple[type[ArchivoError], ...]:
    """Every reason of this module, in the order of its drawing."""
    return tuple(_Leaf.__subclasses__())
