"""Hostile zips, each with a benign twin that differs in one thing."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from typing import Any

from tests.vectors.archivos.caso import Caso
from tests.vectors.archivos.comprime import deflate_stored, deflate_zeros
from tests.vectors.archivos.zipforge import REGULAR, Entry, forge, local_header, zip64_end

TEXTO = b"Acta 0118: 312 votos\n" * 3
ZEROS = 1 + 258 * 5000
FEW_ZEROS = 1 + 258 * 4000
"""Below the megabyte from which the ratio is judged."""
EMPTY = b"\0" + deflate_stored(b"")[1:]
"""A deflate block without content that is not the last."""
_DIR = 0o40755 << 16 | 0x10


def e(name: bytes | str = "a.txt", data: bytes = TEXTO, **more: Any) -> Entry:
    """An honest member; deflate only stores, so that the bytes are the same everywhere."""
    return Entry(name, data, **{"raw": deflate_stored(data), **more})


A, B = e(), e("b/c.txt", b"otro\n")


def both(**fields: int) -> dict[str, Any]:
    return {"local": fields, "central": fields}


def _described(**more: Any) -> Entry:
    entry = e("d.txt", flags=0x0808, local={"crc": 0, "packed": 0, "size": 0})
    crc = more.get("crc", zlib.crc32(entry.data))
    entry.after = struct.pack("<4sIII", b"PK\x07\x08", crc, len(entry.packed), len(entry.data))
    entry.after += more.get("extra", b"")
    return entry


def _wide(*, entries: int = 1, shift: int = 0) -> bytes:
    plain = forge(A)
    start = plain.index(b"PK\x01\x02")
    size = len(plain) - 22 - start
    return forge(A, end64=zip64_end(entries=entries, size=size, offset=start, place=start + size + shift), ceiling=True)


def _end(data: bytes, place: int, value: int, layout: str) -> bytes:
    """Change one field of the end record."""
    at = len(data) - 22 + place
    return data[:at] + struct.pack(layout, value) + data[at + struct.calcsize(layout) :]


def _wide_local(size: int) -> Entry:
    extra = struct.pack("<HHQQ", 1, 16, size, len(A.packed))
    return replace(A, local={"size": 0xFFFF_FFFF, "packed": 0xFFFF_FFFF, "extra": extra})


def _huge(name: str, size: int, *, honest: bool) -> Entry:
    """Declares ``size`` in the zip64 field of both headers."""
    real = len(TEXTO) if honest else size
    entry = e(name)
    extra = struct.pack("<HHQQ", 1, 16, real, len(entry.packed))
    fields = {"size": 0xFFFF_FFFF, "packed": 0xFFFF_FFFF, "extra": extra}
    return replace(entry, local=fields, central=fields)


def _inside() -> tuple[bytes, bytes]:
    inner = Entry("z.txt", b"x" * 50, method=0)
    outer = Entry("a.txt", local_header(inner) + inner.data, method=0)
    twin = forge(outer, inner)
    return forge(outer, replace(inner, at=len(local_header(outer)))), twin


def _aes() -> bytes:
    return struct.pack("<HHHHBH", 0x9901, 7, 2, 0x4541, 3, 8)


def _times() -> bytes:
    return struct.pack("<HHII", 0x000D, 12, 0, 0) + b"\0" * 4


def _unicode_name(kind: int) -> bytes:
    return struct.pack("<HHBI", kind, 10, 1, zlib.crc32(b"a.txt")) + b"b.txt"


def _stream_attributes(mode: int) -> bytes:
    return struct.pack("<HHBHI", 0x6C78, 7, 5, 0x0314, mode << 16)


def cases() -> list[Caso]:
    """Every hostile zip of the catalogue."""
    a, ab = forge(A), forge(A, B)
    inside, apart = _inside()
    bomb = e("a.txt", bytes(ZEROS), raw=deflate_zeros(ZEROS))
    names = [
        ("absoluta", "/pregon-absoluta.txt", "pregon-absoluta.txt", "ABSOLUTA", "nombre absoluto"),
        ("superior", "../pregon-superior.txt", "pregon-superior.txt", "SUPERIOR", "sale de su carpeta con «..»"),
        ("superior-dentro", "a/../../pregon.txt", "a/pregon.txt", "SUPERIOR", "«..» después de una carpeta"),
        ("punto", "./a.txt", "a.txt", "SUPERIOR", "componente «.»"),
        ("vacio", "a//b.txt", "a/b.txt", "SUPERIOR", "componente vacío"),
        ("unidad", "C:a.txt", "C_a.txt", "UNIDAD", "unidad de Windows"),
        ("flujo", "a.txt:b", "a.txt_b", "UNIDAD", "flujo alterno de Windows"),
        ("diagonal", "..\\a.txt", ".._a.txt", "DIAGONAL", "diagonal inversa"),
        ("nulo", "a.txt\0.html", "a.txt_.html", "NULO", "carácter nulo: en C el nombre termina ahí"),
        ("control", "a\n.txt", "a_.txt", "CONTROL", "fin de línea en el nombre"),
        ("invisible", "a\u200b.txt", "a\u00f1.txt", "CONTROL", "espacio invisible en el nombre"),
        ("bidi", "a\u202etxt.exe", "a_txt.exe", "BIDI", "carácter que invierte la lectura"),
        ("dispositivo", "datos/NUL.json", "datos/NULO.json", "NOMBRE", "dispositivo de Windows"),
        ("punto-final", "a.txt.", "a.txt", "NOMBRE", "punto al final: Windows lo quita"),
        ("reservado", "Manifiesto.json", "Manifiesta.json", "RESERVADO", "el nombre del manifiesto"),
        ("componente-largo", "a" * 256, "a" * 255, "LARGO", "componente de 256 bytes"),
        ("ruta-larga", "/".join(["a" * 102] * 5), "/".join(["a" * 101] * 5), "LARGO", "ruta de más de 512 bytes"),
        ("hondo", "/".join("abcdefghijklmnopq"), "/".join("abcdefghijklmnop"), "PROFUNDIDAD", "17 carpetas"),
    ]  # fmt: skip
    found = [Caso(f"zip-nombre-{i}", texto, code, forge(e(bad)), forge(e(good))) for i, bad, good, code, texto in names]
    pairs = [
        ("doble", "a.txt", "b.txt", "DUPLICADO", "el mismo nombre dos veces"),
        ("mayusculas", "A.TXT", "B.TXT", "COLISION", "nombres que sólo difieren en mayúsculas"),
        ("archivo-carpeta", "a.txt/b", "a/b", "COLISION", "un nombre es archivo y carpeta"),
    ]
    found += [
        Caso(f"zip-nombre-{i}", texto, code, forge(A, e(bad)), forge(A, e(good))) for i, bad, good, code, texto in pairs
    ]
    four, over = 4 << 30, (4 << 30) + 1
    twice = struct.pack("<HHQQ", 1, 16, 1, 1)
    return [
        *found,
        Caso("zip-nombre-unicode", "dos formas Unicode del mismo nombre", "COLISION",
             forge(e("ni\u00f1o"), e("nin\u0303o")), forge(e("ni\u00f1o"), e("nino"))),
        Caso("zip-nombre-carpetas", "carpetas que sólo difieren en mayúsculas", "COLISION",
             forge(B, e("B/d.txt")), forge(B, e("b/d.txt"))),
        Caso("zip-nombre-cp437", "nombre que no declara su codificación", "NOMBRE",
             forge(e(b"a\xc3\xb1o.txt", flags=0)), forge(e(b"a\xc3\xb1o.txt"))),
        Caso("zip-nombre-no-utf8", "nombre que declara UTF-8 y no lo es", "NOMBRE",
             forge(e(b"a\xff.txt")), forge(e(b"a_.txt"))),
        Caso("zip-cortado", "le falta el final", "TRUNCADO", ab[:-30], ab),
        Caso("zip-antes", "bytes antes del primer miembro", "SOBRANTE", forge(A, before=b"#!/bin/sh\n"), a),
        Caso("zip-entre", "bytes entre dos miembros", "SOBRANTE", forge(replace(A, after=b"oculto"), B), ab),
        Caso("zip-antes-directorio", "bytes antes del directorio", "SOBRANTE", forge(A, gap=b"oculto"), a),
        Caso("zip-despues", "bytes después del final", "SOBRANTE", a + b"oculto", a),
        Caso("zip-dos", "un segundo zip después del primero", "SOBRANTE", a + forge(B), a),
        Caso("zip-comentario", "comentario al final", "SOBRANTE", forge(A, comment=b"hola"), a),
        Caso("zip-relleno", "bytes después del fin de los datos comprimidos", "SOBRANTE",
             forge(replace(A, raw=A.packed + b"oculto")), a),
        Caso("zip-acolchado", "datos comprimidos mucho mayores que su contenido", "SOBRANTE",
             forge(replace(A, raw=EMPTY * 400 + A.packed)), a),
        Caso("zip-descriptor-sobra", "bytes después de un descriptor", "SOBRANTE",
             forge(_described(extra=b"oculto")), forge(_described())),
        Caso("zip-descriptor", "el descriptor dice otro CRC", "CABECERA",
             forge(_described(crc=7)), forge(_described())),
        Caso("zip-local-nombre", "la cabecera local dice otro nombre", "CABECERA",
             forge(replace(A, local={"name": b"e.txt"})), a),
        Caso("zip-local-metodo", "la cabecera local dice otro método", "CABECERA",
             forge(replace(A, local={"method": 0})), a),
        Caso("zip-local-tamano", "la cabecera local dice otro tamaño", "CABECERA",
             forge(replace(A, local={"size": 9})), a),
        Caso("zip-local-crc", "la cabecera local dice otro CRC", "CABECERA", forge(replace(A, local={"crc": 9})), a),
        Caso("zip-local-enlace", "sólo la cabecera local dice que es un enlace (la lee libarchive)", "CABECERA",
             forge(replace(A, local={"extra": _stream_attributes(0o120777)})),
             forge(replace(A, local={"extra": _stream_attributes(0o100644)}))),
        Caso("zip-cuenta", "declara más miembros de los que trae", "CABECERA", forge(A, count=2), a),
        Caso("zip-cuenta-menos", "declara menos miembros de los que trae", "CABECERA", forge(A, B, count=1), ab),
        Caso("zip-segundo-nombre", "segundo nombre en un campo adicional", "CABECERA",
             forge(replace(A, extra=_unicode_name(0x7075))), forge(replace(A, extra=_unicode_name(0x7070)))),
        Caso("zip-campo-roto", "un campo adicional más largo que su espacio", "CABECERA",
             forge(replace(A, extra=b"\x70\x70\x09\0\0\0")), forge(replace(A, extra=b"\x70\x70\x02\0\0\0"))),
        Caso("zip64-fuera", "el registro final de zip64 no está donde dice", "ZIP64", _wide(shift=-4), _wide()),
        Caso("zip64-contradice", "los dos registros finales dicen otra cosa", "ZIP64",
             _end(_wide(), 12, 1, "<I"), _wide()),
        Caso("zip64-dos-veces", "tamaños de 64 bits dos veces", "ZIP64",
             forge(replace(_wide_local(len(TEXTO)), local={**_wide_local(len(TEXTO)).local, "extra": twice * 2})),
             forge(_wide_local(len(TEXTO)))),
        Caso("zip64-falta", "anuncia tamaños de 64 bits y no los trae", "ZIP64",
             forge(replace(A, central={"size": 0xFFFF_FFFF})), a),
        Caso("zip64-sin-motivo", "trae tamaños de 64 bits que no hacen falta", "ZIP64",
             forge(replace(A, central={"extra": twice})),
             forge(replace(A, central={"extra": b"\x70" + twice[1:]}))),
        Caso("zip64-local", "el tamaño de 64 bits de la cabecera local es otro", "CABECERA",
             forge(_wide_local(9)), forge(_wide_local(len(TEXTO)))),
        Caso("zip-traslape", "dos entradas sobre un mismo miembro", "TRASLAPE",
             forge(A, replace(A, central={"name": b"z.txt"}, at=0)), forge(A, e("z.txt"))),
        Caso("zip-dentro", "un miembro dentro de otro: la bomba sin repetición", "TRASLAPE", inside, apart),
        Caso("zip-en-directorio", "un miembro se mete en el directorio", "TRASLAPE",
             forge(replace(Entry("a.txt", b"x" * 9, method=0), **both(packed=60, size=60))),
             forge(Entry("a.txt", b"x" * 9, method=0))),
        Caso("zip-miembros", "declara 100,001 miembros", "MIEMBROS", _wide(entries=100_001), _wide()),
        Caso("zip-directorio", "declara un directorio de 25 MiB", "DIRECTORIO", _end(a, 12, 25 << 20, "<I"), a),
        Caso("zip-grande", "un miembro declara más de 4 GiB", "GRANDE",
             forge(_huge("a.txt", over, honest=False)), forge(_huge("a.txt", over, honest=True))),
        Caso("zip-total", "declara más de 16 GiB en total", "TOTAL",
             forge(*(_huge(f"{n}.txt", four, honest=False) for n in range(5))),
             forge(*(_huge(f"{n}.txt", four, honest=True) for n in range(5)))),
        Caso("zip-bomba", "bomba: 1,020 a 1, y lo declara", "RAZON", forge(bomb),
             forge(replace(bomb, data=bytes(FEW_ZEROS), raw=deflate_zeros(FEW_ZEROS)))),
        Caso("zip-bomba-miente", "bomba que declara un tamaño pequeño", "TAMANO",
             forge(replace(bomb, **both(size=1033))), forge(replace(bomb, data=bytes(1033), raw=deflate_zeros(1033)))),
        Caso("zip-menor", "contiene menos de lo que declara", "TAMANO", forge(replace(A, **both(size=99))), a),
        Caso("zip-dos-tamanos", "sin comprimir y con dos tamaños", "TAMANO",
             forge(Entry("a.txt", b"x", method=0, central={"size": 9})), forge(Entry("a.txt", b"x", method=0))),
        Caso("zip-carpeta-llena", "una carpeta con contenido", "TAMANO",
             forge(Entry("a/", b"x", method=0, external=_DIR)), forge(Entry("a/", b"", method=0, external=_DIR))),
        Caso("zip-crc", "el CRC no es el del contenido", "CRC", forge(replace(A, **both(crc=1))), a),
        Caso("zip-crc-vacio", "el CRC de un archivo vacío no es cero", "CRC",
             forge(replace(e("a.txt", b""), **both(crc=1))), forge(e("a.txt", b""))),
        Caso("zip-no-deflate", "los datos no son deflate", "DATOS", forge(replace(A, raw=b"\xff" * len(A.packed))), a),
        Caso("zip-deflate-corto", "los datos comprimidos terminan antes", "TRUNCADO",
             forge(replace(A, raw=A.packed[:-3])), a),
        Caso("zip-metodo", "método de compresión LZMA", "METODO", forge(replace(A, method=14, raw=A.packed)), a),
        Caso("zip-parche", "los datos son un parche", "METODO", forge(replace(A, flags=0x0820)), a),
        Caso("zip-cifrado", "cifrado", "CIFRADO", forge(replace(A, flags=0x0801)), a),
        Caso("zip-aes", "cifrado AES en un campo adicional", "CIFRADO", forge(replace(A, extra=_aes())),
             forge(replace(A, extra=b"\x02" + _aes()[1:]))),
        Caso("zip-enlace", "enlace simbólico", "ENLACE", forge(replace(A, external=0o120777 << 16)), a),
        Caso("zip-enlace-windows", "punto de reanálisis de Windows", "ENLACE",
             forge(replace(A, external=REGULAR | 0x400)), forge(replace(A, external=REGULAR | 0x20))),
        Caso("zip-enlace-campo", "el destino de un enlace en un campo adicional", "ENLACE",
             forge(replace(A, extra=struct.pack("<HH", 0x000D, 13) + _times()[4:] + b"b")),
             forge(replace(A, extra=_times()))),
        Caso("zip-dispositivo", "dispositivo de caracteres", "ESPECIAL", forge(replace(A, external=0o020666 << 16)), a),
        Caso("zip-tuberia", "tubería con nombre", "ESPECIAL", forge(replace(A, external=0o010666 << 16)), a),
        Caso("zip-carpeta-archivo", "carpeta con nombre de archivo", "ESPECIAL",
             forge(Entry("a", b"", method=0, external=_DIR)), forge(Entry("a/", b"", method=0, external=_DIR))),
        Caso("zip-volumenes", "partido en dos volúmenes", "ILEGIBLE", _end(a, 4, 1, "<H"), a),
        Caso("zip-no-es", "la firma del directorio no es la de un zip", "ILEGIBLE",
             a.replace(b"PK\x01\x02", b"PK\x01\x03"), a),
    ]  # fmt: skip
