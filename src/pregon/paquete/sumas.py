"""Lists of sums that institutes without Pregón send beside or inside a package, and whether the files are those.

What is read (MEX-II-3a names «HASH» files and no form of them; these are the forms of the programs in use):

* lines of GNU coreutils, ``HASH  name`` and ``HASH *name``, and those that begin with a backslash because the name is
  escaped; with one blank only, as BSD's ``-r``;
* lines of BSD and of openssl, ``SHA256 (name) = HASH``;
* one bare digest: of the file whose name the list's own name says (``x.zip.sha256``, ``x.hash``).

The algorithm is the one that the line names, and always the one of the digest's length. Names are relative to the
folder of the list and obey ``paquete.names``: nothing is repaired but a leading ``./``, which ``find`` writes. A sum
says that a file is whole, never whose it is: who changes a file can change its sum.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pregon.base.errors import HashError, SumaError
from pregon.paquete.errors import INTACTO
from pregon.paquete.names import check_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

LISTA_MAX_BYTES = 32 << 20
"""Largest list read: some 150,000 lines."""

_LENGTHS = {32: "md5", 40: "sha1", 56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}
_TAGS = {"MD5": "md5", "SHA1": "sha1"} | {
    f"{family}{bits}": f"sha{bits}" for family in ("SHA", "SHA2-") for bits in (224, 256, 384, 512)
}
_ALGORITHM = r"(?P<algoritmo>md5|sha-?(?:1|224|256|384|512))(?:sums?)?"
_NAME = re.compile(rf"(?:(?P<base>.+)(?P<une>[._-]))?(?:{_ALGORITHM}|hash(?:es)?|checksums?)(?:\.txt)?", re.IGNORECASE)
_BARE = re.compile(r"[0-9A-Fa-f]+")
_TAGGED = re.compile(
    r"(?P<escape>\\?)(?P<marca>[A-Za-z][A-Za-z0-9/-]*) ?\((?P<nombre>.+)\) ?= ?(?P<valor>[0-9A-Fa-f]+)"
)
_PLAIN = re.compile(r"(?P<escape>\\?)(?P<valor>[0-9A-Fa-f]{32,128})(?:  | \*|[ \t])(?P<nombre>.+)")
_ESCAPED = re.compile(r"\\(.?)", re.DOTALL)
_QUE_HACER = "Pida al instituto que vuelva a generar las sumas y a enviar el corte; conserve lo recibido."


@dataclass(frozen=True)
class Suma:
    """What the list ``lista`` says of the file ``ruta``: ``valor`` in lower-case hexadecimal."""

    ruta: str
    algoritmo: str
    valor: str
    lista: str


def is_list(ruta: str) -> bool:
    """Whether the name of a file says that it holds sums: ``SHA256SUMS``, ``HASH.txt``, ``x.zip.md5``, ``x.hash``."""
    return _NAME.fullmatch(ruta.rpartition("/")[2]) is not None


def subject(ruta: str) -> str | None:
    """The file that a bare digest in ``ruta`` is of, with its folder: ``a/x.zip.md5`` -> ``a/x.zip``; None: unnamed."""
    folder, slash, name = ruta.rpartition("/")
    match = _NAME.fullmatch(name)
    base = None if match is None or match["une"] != "." else match["base"]
    return None if base is None else f"{folder}{slash}{base}"


def read_list(ruta: str, data: bytes, there: Collection[str]) -> tuple[Suma, ...]:
    """What the list ``ruta`` says; ``there`` are the files of the package, to know whose a bare digest is.

    A line about the list itself is left out: ``sha256sum * > SHA256SUMS`` writes one, and it is never right.

    Raises:
        SumaError: it is empty, a line cannot be read, or its digests are not of the algorithm that it names.
        ArchivoError: a name is not admitted.
    """
    try:
        lines = [line.rstrip("\r") for line in data.decode("utf-8-sig").split("\n")]
    except UnicodeDecodeError as exc:
        raise _unreadable(ruta, "no es un texto en UTF-8") from exc
    lines = [line for line in lines if line.strip() and not line.startswith("#")]
    if len(lines) == 1 and _BARE.fullmatch(lines[0].strip()):
        return (Suma(_only(ruta, there), _algorithm(ruta, None, lines[0].strip()), lines[0].strip().lower(), ruta),)
    if not lines:
        raise _unreadable(ruta, "está vacía")
    return tuple(suma for suma in (_line(ruta, line) for line in lines) if suma.ruta != ruta)


def _only(ruta: str, there: Collection[str]) -> str:
    """The one file that a bare digest can be of: the one named, or the only one that is so named but for its ending."""
    named = subject(ruta)
    if named is None:
        raise _unreadable(ruta, "trae una suma sola y su nombre no dice de qué archivo es")
    if named in there:
        return named
    found = [other for other in there if other.rpartition(".")[0] == named and not is_list(other)]
    if len(found) > 1:
        raise _unreadable(ruta, f"trae una suma sola que puede ser de {' o de '.join(sorted(found)[:3])}")
    return found[0] if found else named


def _line(ruta: str, line: str) -> Suma:
    match = _TAGGED.fullmatch(line) or _PLAIN.fullmatch(line)
    if match is None:
        raise _unreadable(ruta, f"no se entiende la línea {line[:100]!a}")
    name = _unescaped(ruta, match["nombre"]) if match["escape"] else match["nombre"]
    while name.startswith("./"):
        name = name[2:]
    folder, slash, _ = ruta.rpartition("/")
    tag = match.groupdict().get("marca")
    algorithm = _algorithm(ruta, tag, match["valor"])
    return Suma(check_path(f"{folder}{slash}{name}"), algorithm, match["valor"].lower(), ruta)


def _unescaped(ruta: str, name: str) -> str:
    """The name of a line that coreutils escapes; what it stands for is judged afterwards as any other name."""

    def plain(match: re.Match[str]) -> str:
        try:
            return {"\\": "\\", "n": "\n", "r": "\r"}[match[1]]
        except KeyError as exc:
            raise _unreadable(ruta, f"no se entiende el nombre {name[:100]!a}") from exc

    return _ESCAPED.sub(plain, name)


def _algorithm(ruta: str, tag: str | None, digest: str) -> str:
    """The algorithm of the digest's length, which what the line and the list's name say must not contradict."""
    found = _LENGTHS.get(len(digest))
    if found is None:
        raise _unreadable(ruta, f"trae una suma de {len(digest)} cifras, que no es de ningún algoritmo admitido")
    if tag is not None and _TAGS.get(tag.upper()) != found:
        raise _unreadable(ruta, f"dice «{tag[:20]}» y la suma es de {found}, o no se admite ese algoritmo")
    match = _NAME.fullmatch(ruta.rpartition("/")[2])
    named = None if match is None or match["algoritmo"] is None else match["algoritmo"].lower().replace("-", "")
    if named is not None and named != found:
        raise _unreadable(ruta, f"su nombre dice {named} y trae una suma de {found}")
    return found


class Sumas:
    """Everything that the lists of one package say, by file and algorithm."""

    def __init__(self, sumas: Iterable[Suma]) -> None:
        """Gather them.

        Raises:
            SumaError: two of them say different things of one file.
        """
        self._known: dict[str, dict[str, Suma]] = {}
        for suma in sumas:
            other = self._known.setdefault(suma.ruta, {}).setdefault(suma.algoritmo, suma)
            if other.valor != suma.valor:
                raise SumaError(
                    f"«{other.lista}» y «{suma.lista}» dan dos sumas {suma.algoritmo} distintas de «{suma.ruta}».",
                    intacto=INTACTO,
                    que_hacer=_QUE_HACER,
                )

    def __bool__(self) -> bool:
        return bool(self._known)

    def __iter__(self) -> Iterator[Suma]:
        return (suma for each in self._known.values() for suma in each.values())

    def algorithms(self, ruta: str) -> tuple[str, ...]:
        """The algorithms in which something is said of the file."""
        return tuple(self._known.get(ruta, ()))

    def check(self, ruta: str, digests: Mapping[str, str]) -> None:
        """Compare the digests of a file, by algorithm, with everything that is said of it.

        Raises:
            HashError: one differs.
        """
        for algorithm, suma in self._known.get(ruta, {}).items():
            if digests[algorithm] != suma.valor:
                raise HashError(
                    f"«{ruta}» no es el de la lista «{suma.lista}»: su {algorithm} es {digests[algorithm]} y se lista "
                    f"{suma.valor}.",
                    intacto=INTACTO,
                    que_hacer="Si el envío no ha terminado, se intentará de nuevo. Si se repite, pida al instituto que "
                    "vuelva a enviar el corte y conserve lo recibido.",
                )

    def check_whole(self, there: Collection[str]) -> None:
        """That every file listed is there, and that every file there, but the lists, is listed.

        Raises:
            SumaError: one is missing, or is not listed.
        """
        missing = sorted(self._known.keys() - set(there))
        extra = sorted(ruta for ruta in there if ruta not in self._known and not is_list(ruta))
        for what, names in (("se lista y no está", missing), ("está y ninguna lista lo nombra", extra)):
            if names:
                others = f" (y {len(names) - 1} más)" if len(names) > 1 else ""
                raise SumaError(
                    f"«{names[0]}»{others} {what}.",
                    intacto=INTACTO,
                    que_hacer=_QUE_HACER,
                )


class Digester:
    """Several digests of one content, in one pass; SHA-256 is always among them."""

    def __init__(self, algorithms: Iterable[str] = ()) -> None:
        wanted = {"sha256", *algorithms}
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in wanted}
        self.bytes = 0

    def update(self, piece: bytes) -> None:
        """Take the next piece."""
        self.bytes += len(piece)
        for each in self._hashes.values():
            each.update(piece)

    def digests(self) -> dict[str, str]:
        """Algorithm to digest in lower-case hexadecimal."""
        return {name: each.hexdigest() for name, each in self._hashes.items()}


def no_sums(what: str) -> SumaError:
    """The refusal of a package that came without any sum, where the profile says that the institute sends them."""
    return SumaError(
        f"{what} llegó sin ninguna suma, y esta convocatoria dice que el instituto las envía.",
        intacto=INTACTO,
        que_hacer="Pida al instituto la lista de sumas. Si no las envía, el perfil debe decir que no hay ninguna.",
    )


def too_long(ruta: str, size: int) -> SumaError:
    """The refusal of a list that is not read for its size."""
    return _unreadable(ruta, f"mide {size:,} bytes; el límite es {LISTA_MAX_BYTES:,}")


def _unreadable(ruta: str, problem: str) -> SumaError:
    return SumaError(f"La lista de sumas «{ruta}» {problem}.", intacto=INTACTO, que_hacer=_QUE_HACER)
