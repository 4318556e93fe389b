"""What secrets and addresses look like. Each pattern is linear in the text: a log is not ours, and may be hostile."""

from __future__ import annotations

import re

PEM = re.compile(r"-----BEGIN [A-Z0-9 ]{1,64}-----.*?(?:-----END [A-Z0-9 ]{1,64}-----|\Z)", re.DOTALL)
"""A block of PEM, to its end or to that of the text."""
PEM_FIN = re.compile(r"-----END [A-Z0-9 ]{1,64}-----")
PEM_COLA = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\\ \t\r\n"
"""What a block is made of, its line ends written as text too."""
MAX_PEM = 16 << 10
"""Characters before the end of a block that may be its own."""

URL = re.compile(r"(?a)\b([A-Za-z][A-Za-z0-9+.-]{1,20})://([^\s/?#\"'<>«»`]*)([/?#][^\s\"'<>«»`]*)?")
PUERTO = re.compile(r":\d{1,5}\Z")
PROPIO = re.compile(r"127(?:\.\d{1,3}){3}|0\.0\.0\.0|\[?::1?\]?|localhost")
"""This machine to itself: it says nothing of anybody."""
ETIQUETA = re.compile(r"(?:direccion|secreto|correo|cuenta|telefono)-\d+")
TROZO_SECRETO = re.compile(r"(?=[^/]*[A-Z])(?=[^/]*[0-9])[A-Za-z0-9_~+=.-]{8,}")
"""A part of a path with capitals and digits: the token of a webhook."""

CABECERA = re.compile(
    r"(?ai)\b((?:proxy-)?authorization|(?:set-)?cookie|x-api-key|x-amz-[a-z-]+)\b[\"']?\s*[:=]\s*(?!\[quitado)[^\r\n]+"
)
AUTORIZACION = re.compile(r"(?ai)\b(bearer|basic|negotiate|digest)\s+(?!secreto-\d)([A-Za-z0-9._~+/=:-]{4,})")

_SENSIBLE = (
    r"contrase(?:ñ|n)a|password|passwd|passphrase|\bpwd|frase|clave|secret|token|api[_-]?key|access[_-]?key|"
    r"private|credencial|credential|\bpsk\b|llave_privada|sesion|session|firma_secreta"
)
CLAVE_SENSIBLE = re.compile(rf"(?ai)(?:{_SENSIBLE})")
ASIGNACION = re.compile(
    rf"(?ai)(\b[\w.-]{{0,40}}(?:{_SENSIBLE})[\w.-]{{0,40}}[\"']?)(\s{{0,3}}[:=]\s{{0,3}})(?![\"']?\[quitado)"
    r"(\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^\s,;&}\]\"']+)"
)

CORREO = re.compile(r"[^\s@<>\"'«»(),;:=\[\]{}/\\|]{1,128}(?:@|%40)[^\s@<>\"'«»(),;:=\[\]{}/\\|]{1,255}")
"""A mail address, and the «account@machine» of SSH and rsync."""
CORREO_RARO = re.compile(r"[^\s@<>\"«»]{1,128}(?:@|%40)[^\s@<>\"«»]{1,255}")
"""What mail also admits: its name may have almost any sign."""

FICHAS = (
    re.compile(r"(?a)\b(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA|ANVA|A3T[A-Z0-9])[A-Z0-9]{12,}"),
    re.compile(
        r"(?<![A-Za-z0-9/+=])(?=[A-Za-z0-9/+]*[A-Z])(?=[A-Za-z0-9/+]*[a-z])(?=[A-Za-z0-9/+]*[0-9])"
        r"[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"
    ),
    re.compile(r"(?a)\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?"),
    re.compile(r"(?a)\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk-|AIza)[A-Za-z0-9_-]{10,}"),
    re.compile(r"(?a)\bscrypt\$[^\s\"']+"),
    re.compile(r"\$(?:2[aby]|5|6|y|argon2id?)\$[^\s\"']+"),
)
LARGO = re.compile(r"(?<![A-Za-z0-9_+/=-])[A-Za-z0-9_+/=-]{32,}")
"""Long enough to be a random number; what is hexadecimal alone is a hash of ours, and stays."""
MAX_TROZO = 24

DOS_PUNTOS = re.compile(r"%3[Aa]")
PUNTO = re.compile(r"%2[Ee]")
IPV6 = re.compile(
    r"(?:[0-9A-Fa-f]{0,4}(?::|%3[Aa])){2,}[0-9A-Fa-f]{0,4}(?:(?:\.\d{1,3}){3})?(?:(?:%25|%)[0-9A-Za-z._~-]+)?"
)
MAC = re.compile(r"(?a)\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b")
_PARTE = r"(?:0[xX][0-9A-Fa-f]{1,2}|\d{1,4})"
IPV4 = re.compile(rf"(?a){_PARTE}(?:(?:\.|%2[Ee]){_PARTE}){{3,}}|\bip-\d{{1,3}}(?:-\d{{1,3}}){{3}}\b")

NOMBRE = re.compile(
    r"(?<![A-Za-z0-9_%])(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.){1,12}([A-Za-z]{2,24}|xn--[A-Za-z0-9-]{2,59})"
    r"(?![A-Za-z0-9_])"
)
EXTENSIONES = frozenset({"py", "gz", "br", "md", "so", "sh", "js", "db", "rs", "ts", "cc"})
"""Two letters that end our files before they end anybody's machine."""
_DOMINIOS = """
com org net edu gob gov mil int info biz name mobi pro app dev cloud online site tech local lan internal intranet corp
home localdomain arpa test example invalid onion media news press lat digital host page web
"""
DOMINIOS = frozenset(_DOMINIOS.split())

TELEFONO = re.compile(
    r"(?a)(?<![\w.,:/+-])(?:"
    r"\+\d(?:[ .-]?\d){7,14}"
    r"|\(\d{2,3}\)[ .-]?\d{3,4}[ .-]?\d{3,4}(?:[ .-]?\d{2,4})?"
    r"|\d{2,3}[ .-]\d{3,4}[ .-]\d{4}"
    r"|[2-9]\d{9}"
    r")(?![\w.-]*\d)"
)
"""With its country, with its code in parentheses, in groups, or the ten digits of Mexico."""
