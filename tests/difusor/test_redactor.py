"""The redactor against every spelling that hypothesis finds: nothing secret is left, and what is ours stays."""

from __future__ import annotations

import base64
import ipaddress
import json
import re
import string
import time
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pregon.difusor.diagnostico.redactor import Redactor

AROUND = st.sampled_from(
    ["{}", "de {} a las 20:40:00", "peer={}, código RED", '{{"donde": "{}"}}', "[{}]:443", "({})", "<{}>", "error:{}:",
     "{}.", "«{}»", "\t{}\n", "x\n{}\ny", "host {}:8080 no responde", "a/{}/b", "'{}'", "ruta={}&x=1", "Ñ{}Ñ", "#{}"]
)  # fmt: skip
FORMS = (
    "Bearer {}", "bearer {}", "Authorization: Bearer {}", '"Authorization":["Bearer {}"]', "authorization=Basic {}",
    "Cookie: pregon-sesion={}; otra={}", "token={}", "password: {}", "contraseña = {}", '"secreto": "{}"', "--clave={}",
    "PREGON_FRASE={}", "X-Api-Key: {}", "api_key='{}'",
)  # fmt: skip
WORDS = st.text(string.ascii_lowercase, min_size=1, max_size=12)
TOKEN = string.ascii_letters + string.digits
quick = settings(max_examples=50, deadline=None)


def clean(text: str, **known: list[str]) -> str:
    redactor = Redactor(**known)
    found = redactor.texto(text)
    assert redactor.texto(found) == found  # nothing more to take out
    return found


def digits(text: str) -> str:
    return re.sub(r"\D", "", text)


@quick
@given(st.ip_addresses(v=4), AROUND, st.sampled_from([str, lambda a: str(a).replace(".", "%2E")]))
def test_no_ipv4_is_left(address: ipaddress.IPv4Address, around: str, spell: object) -> None:
    assume(not address.is_loopback and address != ipaddress.IPv4Address(0))
    text = spell(address)  # type: ignore[operator]
    assert text not in clean(around.format(text))


@pytest.mark.parametrize("text", ["0300.0250.0001.0002", "0xC0.0xA8.0x01.0x02", "192.168.001.002", "ip-10-20-30-40"])
def test_odd_spellings_of_ipv4(text: str) -> None:
    assert clean(f"de {text} llegó") == "de direccion-1 llegó"
    assert "3232235777" not in clean("http://3232235777/corte.json")


def spellings(address: ipaddress.IPv6Address) -> list[str]:
    found = [address.compressed, address.exploded, address.compressed.upper(), address.compressed.replace(":", "%3A"),
             address.compressed.replace(":", "%3a"), address.compressed + "%eth0",
             ":".join(f"{int(part, 16):x}" for part in address.exploded.split(":"))]  # fmt: skip
    groups = address.exploded.split(":")
    tail = ipaddress.IPv4Address(int(groups[6] + groups[7], 16))
    found.append(":".join([*groups[:6], str(tail)]))
    return found


@quick
@given(st.ip_addresses(v=6), AROUND, st.integers(0, 7))
def test_no_ipv6_is_left_in_any_spelling(address: ipaddress.IPv6Address, around: str, way: int) -> None:
    assume(int(address) > 1 << 32)
    text = spellings(address)[way]
    found = clean(around.format(text))
    assert text not in found
    groups = [group for group in address.exploded.split(":")[:6] if group.strip("0")]
    assert not all(group in found for group in groups) or not groups or len(groups) == 1


def test_one_address_has_one_label_however_it_is_written() -> None:
    redactor = Redactor()
    found = redactor.texto(
        "2001:db8::1 2001:DB8:0:0:0:0:0:1 [2001:db8::1]:443 http://[2001:db8::1]:80/x ::ffff:192.0.2.1 192.0.2.1"
    )
    assert re.findall(r"direccion-\d+", found) == ["direccion-1"] * 4 + ["direccion-2"] * 2
    assert redactor.quitados == {"direccion": 2}


@quick
@given(st.emails(), AROUND)
def test_no_mail_address_is_left(mail: str, around: str) -> None:
    found = clean(around.format(mail))
    assert mail not in found
    assert mail.rpartition("@")[2].lower() not in found.lower() or len(mail.rpartition("@")[2]) < 5
    assert mail.replace("@", "%40") not in clean(around.format(mail.replace("@", "%40")))


@quick
@given(
    st.sampled_from(["https", "postgresql", "sftp", "s3", "rsync", "smtp"]),
    st.text(TOKEN + "-._~!$&'()*+,;=", min_size=4, max_size=20),
    st.text(TOKEN + "-._~!$&()*+,;=:", min_size=6, max_size=30),
    WORDS, AROUND,
)  # fmt: skip
def test_no_userinfo_of_a_url_is_left(scheme: str, user: str, password: str, host: str, around: str) -> None:
    assume(password not in around and user not in around and password.strip(string.punctuation) != "")
    assume("'" not in user)
    found = clean(around.format(f"{scheme}://{user}:{password}@{host}.ejemplo.mx:8443/carpeta"))
    assert password not in found
    assert f"{host}.ejemplo.mx" not in found


@quick
@given(
    st.binary(min_size=60, max_size=400),
    st.sampled_from(["PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "CERTIFICATE"]),
    st.sampled_from(["\n", "\r\n", "\\n"]),
    st.integers(0, 3),
)
def test_no_pem_block_is_left_whole_or_cut(data: bytes, kind: str, end: str, cut: int) -> None:
    body = base64.b64encode(data).decode()
    lines = [body[n : n + 64] for n in range(0, len(body), 64)]
    head, tail = f"-----BEGIN {kind}-----", f"-----END {kind}-----"
    whole = end.join([head, *lines, tail])
    texts = [
        f"antes {whole} después",
        end.join([*lines, tail, "después"]),
        end.join(["antes", head, *lines]),
        whole * 2,
    ]
    found = clean(texts[cut])
    assert [line for line in lines if len(line) >= 4 and line in found] == []
    assert "antes" in found or "después" in found or cut == 3


@quick
@given(st.text(TOKEN + "-._~+/", min_size=8, max_size=80), st.sampled_from(FORMS))
def test_no_token_is_left(token: str, form: str) -> None:
    assume(token.strip("._~+/-") and token.lower() not in form.lower())
    assert token not in clean(form.replace("{}", token))


@quick
@given(
    st.text(string.ascii_uppercase + string.digits, min_size=16, max_size=16),
    st.text(TOKEN + "/+", min_size=40, max_size=40),
    AROUND,
)
def test_no_aws_key_is_left(ident: str, secret: str, around: str) -> None:
    kinds = (str.isupper, str.islower, str.isdigit)
    assume(all(any(kind(char) for char in secret) for kind in kinds) and "a/" not in around)
    assert "AKIA" + ident not in clean(around.format("AKIA" + ident))
    assert secret not in clean(around.format(secret).replace("=" + secret, " " + secret))


@quick
@given(st.text(min_size=5, max_size=40), AROUND)
def test_what_is_known_is_found_however_it_is_written(secret: str, around: str) -> None:
    assume(secret.strip() == secret and not any(secret in other for other in ("secreto-1", around)))
    for text in (
        secret,
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        base64.b64encode(secret.encode(errors="replace")).decode().rstrip("="),
    ):
        assume(text not in around and text not in "secreto-12")
        assert text not in Redactor(secretos=[secret]).texto(around.format(text))


@quick
@given(st.text(max_size=300))
def test_whatever_the_text_it_ends_and_gives_the_same_again(text: str) -> None:
    clean(text)


@pytest.mark.parametrize(
    "phone",
    [
        "+52 55 5628 4200",
        "+525556284200",
        "(55) 5628 4200",
        "(981) 816-1234",
        "55 5628 4200",
        "5556284200",
        "981-816-1234",
    ],
)
def test_no_telephone_is_left(phone: str) -> None:
    found = clean(f"Llame al {phone} por favor")
    assert digits(phone)[-7:] not in digits(found)
    assert found.endswith("por favor")


@pytest.mark.parametrize(
    "host",
    ["prep.iee.mx", "PREP.IEEDEMO.ORG.MX", "srv-01.red.local", "xn--ieed-8ya.mx", "a.b.c.d.gob.mx", "mail.ejemplo.com"],
)
def test_no_machine_is_left(host: str) -> None:
    assert host.lower() not in clean(f"No respondió {host}:443 (TLS), {host}. //{host}/x").lower()


def test_what_is_ours_stays() -> None:
    digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    kept = (
        f"2027-06-07T02:40:00.123456+00:00 corte 42: HASH manifiesto.json {digest} "
        "historico/0042/20210606_2240_PREP_CAMP.zip en http://127.0.0.1:8080/corte.json, pregon.difusor.receive, "
        "estado.sqlite, Caddy v2.11.7, nginx/1.22.1, 64,123,456 bytes, "
        "20:40:00, ::1, localhost, difusor diario-uno, SQLite 3.45.1, Linux 6.1.0-27-amd64, README.md, libc.so.6"
    )
    assert clean(kept) == kept
    numbers = {"bytes": 5556284200, "ts": 2222222222, "lista": [1, 2.5, None, True]}
    assert Redactor().json(numbers) == numbers


def test_a_json_is_redacted_key_by_key() -> None:
    given_value = {
        "secreto": "hola",
        "usuario@ejemplo.mx": 1,
        "otro": {"clave_acceso": "xyz", "n": 3, "lista": ["192.0.2.1"]},
    }
    assert Redactor().json(given_value) == {
        "secreto": "[quitado]", "correo-1": 1, "otro": {"clave_acceso": "[quitado]", "n": 3, "lista": ["direccion-1"]},
    }  # fmt: skip
    deep: object = "192.0.2.1"
    for _ in range(200):
        deep = [deep]
    assert "192" not in json.dumps(Redactor().json(deep))


@pytest.mark.parametrize(
    "piece",
    [
        "a.",
        "1.",
        "::",
        "a:",
        "x@",
        "-----BEGIN ",
        "-----END A-----",
        "A1a/",
        "token=",
        "+1 ",
        "http://",
        "a" * 50 + " ",
        "%3A",
        "0x1.",
        "\\",
    ],
)
def test_a_hostile_log_takes_no_longer_than_another(piece: str) -> None:
    text = piece * (40_000 // len(piece))
    started = time.process_time()
    Redactor(secretos=["un secreto"], nombres=["servidor"], cuentas=["ana"]).texto(text)
    assert time.process_time() - started < 2
