"""Hostile 7z archives, each with a benign twin that differs in one thing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.vectors.archivos.caso import Caso
from tests.vectors.archivos.comprime import lzma2_stored, lzma_zeros
from tests.vectors.archivos.sieteforge import FOLDER, REGULAR, Siete, coder, num, part

TEXTO = b"Acta 0118: 312 votos\n" * 3
_LZMA, _LZMA2, _DELTA, _AES, _PPMD = b"\3\1\1", b"\x21", b"\3", b"\6\xf1\7\1", b"\3\4\1"
ZEROS = 1 + 273 * 4000
FEW_ZEROS = 1 + 273 * 3800
_PAIR = num(0) + num(1)


def s(*items: tuple[str, bytes | None], **more: Any) -> Siete:
    return Siete(list(items) or [("a.txt", TEXTO)], **more)


def lzma2(setting: int = 18, data: bytes = TEXTO, **more: Any) -> Siete:
    return s(("a.txt", data), method=num(1) + coder(_LZMA2, bytes([setting])), packed=lzma2_stored(data), **more)


def lzma(size: int, dictionary: int = 1 << 20, **more: Any) -> Siete:
    properties = b"\0" + dictionary.to_bytes(4, "little")
    return s(("a.txt", bytes(size)), method=num(1) + coder(_LZMA, properties), packed=lzma_zeros(size), **more)


def delta(inner: bytes, packed: bytes, size: int) -> Siete:
    """A Delta filter over another method; zeros are the same with and without it."""
    method = num(2) + coder(_DELTA, b"\0") + inner + _PAIR
    return s(("a.txt", bytes(size)), method=method, packed=packed, coder_sizes=[size, size])


def cases() -> list[Caso]:
    """Every hostile 7z of the catalogue."""
    one, two = s(), s(("a.txt", TEXTO), ("b.txt", b"otro\n"))
    empty = s(("a.txt", TEXTO), ("vacio", b""))
    good = one.build()
    small = 1 + 273
    inner1, inner2 = coder(_LZMA, b"\0" + (1 << 20).to_bytes(4, "little")), coder(_LZMA2, b"\x12")
    names = [
        ("absoluta", "/pregon-absoluta.txt", "pregon-absoluta.txt", "ABSOLUTA", "nombre absoluto"),
        ("superior", "../pregon-superior.txt", "pregon-superior.txt", "SUPERIOR", "sale de su carpeta con «..»"),
        ("unidad", "C:/a.txt", "C/a.txt", "UNIDAD", "unidad de Windows"),
        ("diagonal", "..\\a.txt", ".._a.txt", "DIAGONAL", "diagonal inversa"),
        ("control", "a\x1b.txt", "a_.txt", "CONTROL", "carácter de escape en el nombre"),
        ("bidi", "a\u202etxt.exe", "a_txt.exe", "BIDI", "carácter que invierte la lectura"),
        ("sustituto", "a\ud800.txt", "a\u00f1.txt", "NOMBRE", "medio carácter UTF-16"),
        ("largo", "a" * 600, "a" * 200, "LARGO", "nombre de 600 caracteres"),
        ("hondo", "/".join("abcdefghijklmnopq"), "/".join("abcdefghijklmnop"), "PROFUNDIDAD", "17 carpetas"),
        ("reservado", "manifiesto.json", "manifiesta.json", "RESERVADO", "el nombre del manifiesto"),
    ]
    found = [
        Caso(f"7z-nombre-{i}", texto, code, s((bad, TEXTO)).build(), s((fine, TEXTO)).build())
        for i, bad, fine, code, texto in names
    ]
    pairs = [
        ("doble", "a.txt", "DUPLICADO", "el mismo nombre dos veces"),
        ("mayusculas", "A.TXT", "COLISION", "nombres que sólo difieren en mayúsculas"),
        ("archivo-carpeta", "a.txt/b", "COLISION", "un nombre es archivo y carpeta"),
    ]
    found += [
        Caso(f"7z-nombre-{i}", texto, code, s(("a.txt", TEXTO), (bad, b"otro\n")).build(), two.build())
        for i, bad, code, texto in pairs
    ]

    def change(name: str, que: str, razon: str, base: Siete, **fields: Any) -> Caso:
        return Caso(f"7z-{name}", que, razon, replace(base, **fields).build(), base.build())

    packed = lzma2_stored(TEXTO)
    return [
        *found,
        change("version", "versión mayor 1", "ILEGIBLE", one, version=b"\1\4"),
        change("principio-crc", "el CRC del principio es otro", "CRC", one, start_crc=7),
        change("cabecera-crc", "el CRC de la cabecera es otro", "CRC", one, header_crc=7),
        Caso("7z-cortado", "le falta el final", "TRUNCADO", good[:-3], good),
        change("despues", "bytes después del final", "SOBRANTE", one, after=b"oculto"),
        change("antes", "bytes antes del primer bloque", "SOBRANTE", one, before=b"oculto", position=6),
        change("entre", "bytes entre los datos y la cabecera", "SOBRANTE", one, gap=b"oculto"),
        change("cabecera-sobra", "bytes después del fin de la cabecera", "SOBRANTE", one, after_header=b"oculto"),
        Caso("7z-relleno", "bytes escondidos en el relleno de la cabecera", "SOBRANTE",
             s(extra=part(0x19, b"oculto")).build(), s(extra=part(0x19, bytes(6))).build()),
        Caso("7z-mas-nombres", "más nombres que miembros", "SOBRANTE",
             s(names="a.txt\0b\0".encode("utf-16-le")).build(), good),
        Caso("7z-datos-sobran", "bytes después del fin de los datos comprimidos", "SOBRANTE",
             replace(lzma2(), packed=packed + b"oculto").build(), lzma2().build()),
        Caso("7z-lzma-sobra", "bytes después del fin de los datos LZMA", "SOBRANTE",
             replace(lzma(small), packed=lzma_zeros(small) + b"oculto").build(), lzma(small).build()),
        Caso("7z-acolchado", "datos comprimidos mucho mayores que su contenido", "SOBRANTE",
             replace(lzma2(), packed=packed[:-1] + b"\2\0\0\0" * 400 + b"\0").build(), lzma2().build()),
        change("traslape", "los datos se meten en la cabecera", "TRASLAPE", lzma2(), packed_size=len(packed) + 9),
        Caso("7z-cabecera-doble", "cabecera comprimida dos veces", "CABECERA",
             s(encoded=2).build(), s(encoded=1).build()),
        change("cabecera-grande", "la cabecera comprimida declara 9 MiB", "DIRECTORIO", s(encoded=1),
               encoded_size=9 << 20),
        change("cabecera-enorme", "declara una cabecera de 9 MiB", "DIRECTORIO", one, header_size=9 << 20),
        change("cabecera-corta", "la cabecera comprimida declara menos de lo que mide", "TAMANO", s(encoded=1),
               encoded_size=20),
        change("miembros", "declara 100,001 miembros", "MIEMBROS", one, count=100_001),
        change("flujos", "declara 2³² miembros en un bloque", "MIEMBROS", one, streams=1 << 32),
        change("cuenta", "más contenidos que miembros", "CABECERA", two, count=1),
        change("sin-miembros", "un bloque sin miembros", "CABECERA", one, streams=0),
        change("dos-nombres", "los nombres dos veces", "CABECERA", one, extra=part(0x11, "\0b\0".encode("utf-16-le"))),
        change("desconocido", "una propiedad que no existe", "CABECERA", one, extra=part(0x1D, b"x")),
        change("fuera", "los nombres están fuera de la cabecera", "CABECERA", one, external=b"\1"),
        change("grande", "un miembro declara más de 4 GiB", "GRANDE", lzma2(), sizes=[(4 << 30) + 1]),
        Caso("7z-total", "declara más de 16 GiB en total", "TOTAL",
             replace(_five(), sizes=[4 << 30] * 5).build(), _five().build()),
        Caso("7z-bomba", "bomba: 3,900 a 1, y lo declara", "RAZON", lzma(ZEROS).build(), lzma(FEW_ZEROS).build()),
        change("mayor", "contiene más de lo que declara", "TAMANO",
               lzma2(data=bytes(60_000)), sizes=[48_000]),
        change("menor", "contiene menos de lo que declara", "TAMANO", lzma2(), sizes=[99]),
        change("copia-tamano", "sin comprimir y con dos tamaños", "TAMANO", one, sizes=[99]),
        Caso("7z-suma", "los miembros miden más que su bloque", "TAMANO",
             replace(two, sizes=[len(TEXTO) + 9, 5], coder_sizes=[len(TEXTO) + 5]).build(), two.build()),
        Caso("7z-dos-tamanos", "el filtro y el compresor declaran dos tamaños", "CABECERA",
             replace(delta(inner2, lzma2_stored(bytes(small)), small), coder_sizes=[small, small + 1]).build(),
             delta(inner2, lzma2_stored(bytes(small)), small).build()),
        change("diccionario", "pide un diccionario de 96 MiB", "DICCIONARIO", lzma2(setting=28),
               method=num(1) + coder(_LZMA2, b"\x1d")),
        Caso("7z-diccionario-lzma", "pide un diccionario de 4 GiB", "DICCIONARIO",
             lzma(small, 0xFFFF_FFFF).build(), lzma(small, 64 << 20).build()),
        change("lzma2-propiedad", "propiedad de LZMA2 fuera de rango", "METODO", lzma2(),
               method=num(1) + coder(_LZMA2, b"\x29")),
        change("ppmd", "método PPMd", "METODO", one, method=num(1) + coder(_PPMD, b"\6\0\0\0\1")),
        change("bcj2", "un método con cuatro entradas", "METODO", one,
               method=num(1) + coder(b"\3\3\1\x1b", flags=0x10).replace(b"\x1b", b"\x1b\4\1")),
        Caso("7z-filtro-lzma", "filtro sobre LZMA, que no marca su final", "METODO",
             delta(inner1, lzma_zeros(small), small).build(),
             delta(inner2, lzma2_stored(bytes(small)), small).build()),
        change("muchos-metodos", "33 métodos en un bloque", "ILEGIBLE", one, method=num(33) + coder(b"\0") * 33),
        change("cifrado", "cifrado AES", "CIFRADO", one, method=num(1) + coder(_AES, b"\x13\0")),
        change("cabecera-cifrada", "cabecera cifrada", "CIFRADO", s(encoded=1),
               encoded_method=num(1) + coder(_AES, b"\x13\0")),
        change("crc", "el CRC no es el del contenido", "CRC", one, crcs={0: 1}),
        change("crc-segundo", "el CRC del segundo miembro no es el suyo", "CRC", two, crcs={1: 1}),
        change("sin-crc", "los miembros no traen su CRC", "CRC", one, with_crcs=False),
        Caso("7z-no-lzma", "los datos no son LZMA2", "DATOS",
             replace(lzma2(), packed=b"\x03" + packed[1:]).build(), lzma2().build()),
        Caso("7z-lzma-corto", "los datos comprimidos terminan antes", "TRUNCADO",
             replace(lzma2(), packed=packed[:-4]).build(), lzma2().build()),
        change("enlace", "enlace simbólico", "ENLACE", one, attributes={0: 0o120777 << 16 | 0x8020}),
        change("enlace-windows", "punto de reanálisis de Windows", "ENLACE", one, attributes={0: 0x420}),
        change("dispositivo", "dispositivo de bloques", "ESPECIAL", one, attributes={0: 0o060666 << 16 | 0x8020}),
        change("enchufe", "enchufe (socket)", "ESPECIAL", one, attributes={0: 0o140666 << 16 | 0x8020}),
        change("carpeta-archivo", "archivo que dice ser carpeta", "ESPECIAL", one, attributes={0: FOLDER}),
        Caso("7z-archivo-carpeta", "carpeta que dice ser archivo", "ESPECIAL",
             s(("a.txt", TEXTO), ("b", None), attributes={1: REGULAR}).build(),
             s(("a.txt", TEXTO), ("b", None)).build()),
        change("borra", "pide borrar archivos", "ESPECIAL", empty, anti=True),
    ]  # fmt: skip


def _five() -> Siete:
    items: list[tuple[str, bytes | None]] = [(f"{n}.txt", TEXTO) for n in range(5)]
    return replace(lzma2(data=TEXTO * 5), items=items)
