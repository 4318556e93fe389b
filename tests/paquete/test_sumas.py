"""Lists of sums as the programs that institutes have write them, and each way in which one is no good."""

from __future__ import annotations

import hashlib
import subprocess
from typing import TYPE_CHECKING

import pytest

from pregon.base.errors import HashError, PregonError, SumaError
from pregon.paquete.sumas import Digester, Suma, Sumas, is_list, read_list, subject

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "index.html": b"<!doctype html><title>PREP</title>",
    "datos/acta uno.csv": b"SECCION,VOTOS\n1,2\n",
    "datos/niño.txt": "ñ".encode(),
    "vacio.txt": b"",
}
PROGRAMS = ("md5sum", "sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for ruta, data in FILES.items():
        (tmp_path / ruta).parent.mkdir(exist_ok=True)
        (tmp_path / ruta).write_bytes(data)
    return tmp_path


def output_of(tree: Path, *command: str) -> bytes:
    return subprocess.run(command, cwd=tree, check=True, capture_output=True, timeout=30).stdout


def digests_of(data: bytes) -> dict[str, str]:
    return {
        name: hashlib.new(name, data).hexdigest() for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
    }


@pytest.mark.parametrize("options", [(), ("--tag",), ("-b",)])
@pytest.mark.parametrize("program", PROGRAMS)
def test_what_coreutils_writes_is_read_and_holds(tree: Path, program: str, options: tuple[str, ...]) -> None:
    names = list(FILES)
    data = output_of(tree, program, *options, *names)
    sumas = Sumas(read_list("SUMAS.hash", data, names))
    algorithm = program.removesuffix("sum")
    for ruta, content in FILES.items():
        assert sumas.algorithms(ruta) == (algorithm,)
        digester = Digester(sumas.algorithms(ruta))
        digester.update(content)
        assert digester.digests()[algorithm] == digests_of(content)[algorithm]
        sumas.check(ruta, digester.digests())
        with pytest.raises(HashError):
            sumas.check(ruta, digests_of(content + b"."))
    sumas.check_whole([*names, "SUMAS.hash"])


@pytest.mark.parametrize(
    "command",
    [
        ("bash", "-c", "find . -type f -print0 | xargs -0 sha256sum"),
        ("openssl", "dgst", "-sha256", *FILES),
        ("openssl", "dgst", "-md5", "-r", *FILES),
        ("cksum", "-a", "sha512", *FILES),
    ],
)
def test_what_other_programs_write_is_read(tree: Path, command: tuple[str, ...]) -> None:
    found = {suma.ruta: suma for suma in read_list("HASH", output_of(tree, *command), FILES)}
    assert found.keys() == FILES.keys()
    assert all(suma.valor == digests_of(FILES[ruta])[suma.algoritmo] for ruta, suma in found.items())


def test_windows_line_ends_a_mark_at_the_start_capitals_and_remarks_are_read() -> None:
    digest = hashlib.sha256(b"x").hexdigest().upper()
    text = f"\ufeff# hecho por el instituto\r\n\r\n{digest} *index.html\r\n".encode()
    assert read_list("a/SHA256SUMS", text, []) == (Suma("a/index.html", "sha256", digest.lower(), "a/SHA256SUMS"),)


@pytest.mark.parametrize(
    ("name", "there", "expected"),
    [
        ("PREP.zip.sha256", ["PREP.zip"], "PREP.zip"),
        ("a/PREP.zip.hash", ["a/PREP.zip", "PREP.zip"], "a/PREP.zip"),
        ("PREP.sha256", ["PREP.zip", "otro.zip"], "PREP.zip"),
        ("index.html.HASH", ["index.html", "index.txt"], "index.html"),
        ("index.sha256.txt", ["index.html", "index.sha256.txt"], "index.html"),
        ("PREP.zip.sha256", [], "PREP.zip"),
    ],
)
def test_a_bare_digest_is_of_the_file_that_its_name_says(name: str, there: list[str], expected: str) -> None:
    digest = hashlib.sha256(b"x").hexdigest()
    for text in (digest, f"{digest}\n", f"  {digest.upper()} \r\n"):
        assert read_list(name, text.encode(), there) == (Suma(expected, "sha256", digest, name),)


@pytest.mark.parametrize(
    "name",
    ["SHA256SUMS", "md5sum.txt", "HASH", "hash.txt", "Checksums.txt", "20210606_2240_SHA512SUMS", "x.zip.md5", "x.hash",
     "a/b.html.sha1", "PREP_HASH.TXT", "x.zip.sha-256"],
)  # fmt: skip
def test_names_of_lists(name: str) -> None:
    assert is_list(name)


@pytest.mark.parametrize("name", ["index.html", "sumas.txt", "hash/index.html", "sha256.html", "hashes.csv", "rehash"])
def test_names_of_no_list(name: str) -> None:
    assert not is_list(name)


def test_whose_a_list_is() -> None:
    assert subject("a/x.zip.md5") == "a/x.zip"
    assert subject("x.hash.txt") == "x"
    assert subject("SHA256SUMS") is subject("20210606_2240_SHA256SUMS") is None


D256, D5 = hashlib.sha256(b"x").hexdigest(), hashlib.md5(b"x").hexdigest()  # noqa: S324


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("SHA256SUMS", "", "SUMA"),
        ("SHA256SUMS", "\n# nada\n", "SUMA"),
        ("SHA256SUMS", "hola  index.html\n", "SUMA"),
        ("SHA256SUMS", f"{D256[:-1]}  index.html\n", "SUMA"),
        ("SHA256SUMS", f"{D5}  index.html\n", "SUMA"),
        ("x.md5", D256, "SUMA"),
        ("HASH", f"MD5 (index.html) = {D256}\n", "SUMA"),
        ("HASH", f"SHA3-256 (index.html) = {D256}\n", "SUMA"),
        ("HASH", f"BLAKE2b (index.html) = {D256}{D256}\n", "SUMA"),
        ("HASH", f"{D256}\n", "SUMA"),
        ("HASH", f"\\{D256}  a\\tb\n", "SUMA"),
        ("HASH", f"{D256}  index.html\n{D256}\n", "SUMA"),
        ("x.hash", D256, "SUMA"),
        ("HASH", f"{D256}  ../index.html\n", "ARCHIVO_SUPERIOR"),
        ("a/HASH", f"{D256}  ../index.html\n", "ARCHIVO_SUPERIOR"),
        ("HASH", f"{D256}  /etc/passwd\n", "ARCHIVO_ABSOLUTA"),
        ("HASH", f"{D256} *C:/prep/x.csv\n", "ARCHIVO_UNIDAD"),
        ("HASH", f"{D256}  datos\\x.csv\n", "ARCHIVO_DIAGONAL"),
        ("HASH", f"\\{D256}  a\\nb\n", "ARCHIVO_CONTROL"),
        ("HASH", f"{D256}  a\u202eb\n", "ARCHIVO_BIDI"),
        ("HASH", f"{D256}  a\0b\n", "ARCHIVO_NULO"),
        ("HASH", f"{D256}  CON\n", "ARCHIVO_NOMBRE"),
    ],
)
def test_a_list_that_is_no_good_is_refused_with_its_code(name: str, text: str, code: str) -> None:
    with pytest.raises(PregonError) as refusal:
        read_list(name, text.encode(), ["x.html", "x.txt", "index.html"])
    assert refusal.value.codigo == code
    assert refusal.value.intacto


def test_a_list_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(SumaError, match="UTF-8"):
        read_list("HASH", f"{D256}  índice.html\n".encode("utf-16"), [])


def test_a_line_about_the_list_itself_is_left_out(tree: Path) -> None:
    output_of(tree, "bash", "-c", "touch SHA256SUMS && sha256sum index.html SHA256SUMS > SHA256SUMS")
    data = (tree / "SHA256SUMS").read_bytes()
    assert data.count(b"\n") == 2
    assert [suma.ruta for suma in read_list("SHA256SUMS", data, [])] == ["index.html"]


def test_two_lists_that_disagree_are_refused_and_two_algorithms_both_count() -> None:
    one = Suma("x", "sha256", D256, "SHA256SUMS")
    with pytest.raises(SumaError, match="dos sumas"):
        Sumas([one, Suma("x", "sha256", "0" * 64, "x.sha256")])
    both = Sumas([one, one, Suma("x", "md5", D5, "x.md5")])
    both.check("x", digests_of(b"x"))
    with pytest.raises(HashError):
        both.check("x", digests_of(b"x") | {"md5": "0" * 32})


@pytest.mark.parametrize(
    ("there", "named"), [(["index.html"], "datos.txt"), (["index.html", "datos.txt", "mas.js"], "mas.js")]
)
def test_a_file_listed_and_not_there_or_there_and_not_listed_is_refused(there: list[str], named: str) -> None:
    sumas = Sumas([Suma("index.html", "sha256", D256, "HASH"), Suma("datos.txt", "sha256", D256, "HASH")])
    sumas.check_whole(["index.html", "datos.txt", "HASH", "index.html.md5"])
    with pytest.raises(SumaError, match=named):
        sumas.check_whole(there)
