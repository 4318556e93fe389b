"""Takes out of any text what nobody outside should read: secrets, addresses, names of machines and of people.

What is taken out leaves a label, the same for the same thing in the whole bundle (``direccion-1``, ``correo-2``), so
that it can be followed. The number is the order in which it was met: nothing of the thing itself is in it.

Two ways, both always: what we know to be secret here (``conocidos``), wherever it is and however it is written; and
what looks like one. In doubt it is taken out: a word too few is better than an address too many.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from pregon.difusor.diagnostico import patrones

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MIN_SECRETO = 4
"""Characters of a known secret from which it is looked for: a shorter one would be found in every word."""
QUITADO = "[quitado]"
_PROFUNDIDAD = 40


class Redactor:
    """Redacts texts and JSON values with one set of labels. Idempotent: what it gave, it gives again."""

    def __init__(
        self, *, secretos: Iterable[str] = (), nombres: Iterable[str] = (), cuentas: Iterable[str] = ()
    ) -> None:
        """``secretos``: exact; ``nombres``: of machines; ``cuentas``: of users; both of these as whole words."""
        self._labels: dict[tuple[str, str], str] = {}
        self._counts: Counter[str] = Counter()
        self._secret = _alternatives(variant for secret in secretos for variant in _spellings(secret))
        self._names = _words(nombres)
        self._accounts = _words(cuentas)

    @property
    def quitados(self) -> dict[str, int]:
        """How many different things of each kind were taken out."""
        return dict(sorted(self._counts.items()))

    def json(self, value: Any, depth: int = 0) -> Any:
        """``value`` (JSON types) with every text of it redacted, names of keys too; numbers stay.

        What hangs from a key that names a secret is taken out whole.
        """
        if isinstance(value, str):
            return self.texto(value)
        if depth > _PROFUNDIDAD:
            return QUITADO
        if isinstance(value, dict):
            return {
                self.texto(str(key)): QUITADO
                if patrones.CLAVE_SENSIBLE.search(str(key)) and isinstance(each, str) and each
                else self.json(each, depth + 1)
                for key, each in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.json(each, depth + 1) for each in value]
        return value

    def texto(self, text: str) -> str:
        """``text`` redacted."""
        if self._secret is not None:
            text = self._secret.sub(lambda found: self._label("secreto", found[0]), text)
        text = patrones.PEM.sub(lambda found: self._label("secreto", found[0]), text)
        text = self._ends(text)
        text = patrones.URL.sub(self._url, text)
        text = patrones.CABECERA.sub(lambda found: f"{found[1]}: {QUITADO}", text)
        text = patrones.AUTORIZACION.sub(lambda found: f"{found[1]} {self._label('secreto', found[2])}", text)
        text = patrones.ASIGNACION.sub(self._assigned, text)
        for pattern in (patrones.CORREO, patrones.CORREO_RARO):
            text = pattern.sub(lambda found: self._label("correo", found[0].lower()), text)
        for pattern in patrones.FICHAS:
            text = pattern.sub(lambda found: self._label("secreto", found[0]), text)
        text = patrones.LARGO.sub(self._random, text)
        text = patrones.IPV6.sub(self._ipv6, text)
        text = patrones.MAC.sub(lambda found: self._label("direccion", found[0].lower()), text)
        text = patrones.IPV4.sub(self._ipv4, text)
        if self._names is not None:
            text = self._names.sub(lambda found: self._label("direccion", found[0].lower()), text)
        text = patrones.NOMBRE.sub(self._host, text)
        if self._accounts is not None:
            text = self._accounts.sub(lambda found: self._label("cuenta", found[0].lower()), text)
        return patrones.TELEFONO.sub(lambda found: self._label("telefono", re.sub(r"\D", "", found[0])), text)

    def _label(self, kind: str, value: str) -> str:
        found = self._labels.get((kind, value))
        if found is None:
            self._counts[kind] += 1
            found = self._labels[kind, value] = f"{kind}-{self._counts[kind]}"
        return found

    def _ends(self, text: str) -> str:
        """What is left of a PEM block whose beginning was cut away."""
        parts = patrones.PEM_FIN.split(text)
        if len(parts) == 1:
            return text
        kept = [part[-patrones.MAX_PEM :].rstrip(patrones.PEM_COLA) for part in parts[:-1]]
        heads = [part[: -patrones.MAX_PEM] for part in parts[:-1]]
        joined = "".join(f"{head}{tail} {QUITADO} " for head, tail in zip(heads, kept, strict=True))
        return joined + parts[-1]

    def _url(self, found: re.Match[str]) -> str:
        scheme, authority, rest = found[1], found[2], found[3] or ""
        host = authority.rpartition("@")[2]
        port = patrones.PUERTO.search(host)
        name = host[: port.start()] if port else host
        if patrones.PROPIO.fullmatch(name) or patrones.ETIQUETA.fullmatch(name):
            shown = name
        else:
            shown = self._label("direccion", _canonical(name.strip("[]"))) if name else ""
        path, mark, _ = rest.partition("?")
        parts = [QUITADO if patrones.TROZO_SECRETO.fullmatch(part) else part for part in path.split("/")]
        query = f"?{QUITADO}" if mark else ""
        return f"{scheme}://{shown}{port[0] if port else ''}{'/'.join(parts)}{query}"

    def _assigned(self, found: re.Match[str]) -> str:
        value = found[3]
        label = patrones.ETIQUETA.search(found[1])
        if label is not None and label[0] in self._labels.values():
            return found[0]  # a port after what was an address, say
        if value.strip("\"'") in ("", QUITADO, "null", "true", "false", "none", "None"):
            return found[0]
        quote_mark = value[0] if value[0] in "\"'" else ""
        return f"{found[1]}{found[2]}{quote_mark}{QUITADO}{quote_mark}"

    def _random(self, found: re.Match[str]) -> str:
        text = found[0]
        kinds = sum(any(test(char) for char in text) for test in (str.isupper, str.islower, str.isdigit))
        if kinds < 3 or ("/" in text and max(len(part) for part in text.split("/")) < patrones.MAX_TROZO):
            return text
        return self._label("secreto", text)

    def _ipv6(self, found: re.Match[str]) -> str:
        text = patrones.DOS_PUNTOS.sub(":", found[0])
        if "::" not in text and text.count(":") < 7 and not (text.count(":") >= 6 and "." in text):
            return found[0]
        if text.strip("%") in ("::", "::1"):
            return found[0]
        return self._label("direccion", _canonical(text))

    def _ipv4(self, found: re.Match[str]) -> str:
        text = patrones.PUNTO.sub(".", found[0])
        if patrones.PROPIO.fullmatch(text):
            return found[0]
        return self._label("direccion", _canonical(text))

    def _host(self, found: re.Match[str]) -> str:
        ending = found[1].lower()
        country = len(ending) == 2 and ending not in patrones.EXTENSIONES
        if not (country or ending in patrones.DOMINIOS or ending.startswith("xn--")):
            return found[0]
        return self._label("direccion", found[0].lower())


def _canonical(text: str) -> str:
    """One spelling for each address, so that its label is one."""
    for candidate in (text, text.partition("%")[0], text.strip(":"), text.partition("%")[0].rpartition(":")[0]):
        try:
            address = ipaddress.ip_address(candidate)
        except ValueError:
            continue
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return str(mapped or address)
    return text.lower()


def _spellings(secret: str) -> Iterable[str]:
    """The ways in which a secret is found in settings, logs, addresses and the texts of errors."""
    ways: tuple[Callable[[str], str], ...] = (
        str,
        quote,
        quote_plus,
        lambda text: quote(text, safe=""),
        lambda text: json.dumps(text)[1:-1],
        lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
        lambda text: repr(text)[1:-1],
        lambda text: base64.b64encode(text.encode(errors="replace")).decode().rstrip("="),
        lambda text: base64.urlsafe_b64encode(text.encode(errors="replace")).decode().rstrip("="),
        lambda text: text.encode(errors="replace").hex(),
    )
    if len(secret) >= MIN_SECRETO:
        yield from (way(secret) for way in ways)
    if "\n" in secret:
        for line in secret.splitlines():
            if len(line.strip()) >= 2 * MIN_SECRETO and not line.startswith("-----"):
                yield from _spellings(line.strip())


def _alternatives(texts: Iterable[str]) -> re.Pattern[str] | None:
    ordered = sorted({text for text in texts if text}, key=lambda text: (-len(text), text))
    return re.compile("|".join(re.escape(text) for text in ordered)) if ordered else None


def _words(texts: Iterable[str]) -> re.Pattern[str] | None:
    ordered = sorted({text for text in texts if len(text) > 1}, key=lambda text: (-len(text), text))
    if not ordered:
        return None
    body = "|".join(re.escape(text) for text in ordered)
    return re.compile(rf"(?<![A-Za-z0-9_-])(?:{body})(?![A-Za-z0-9_-])", re.IGNORECASE)
