"""The rules of ``configura s3`` in a real S3 server, looked at from outside by somebody who has no keys."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import httpx2
import pytest
from botocore.config import Config
from typer.testing import CliRunner

from pregon.base.clock import ManualClock
from pregon.base.errors import AjustesError, DestinoError, RedError, UsoError
from pregon.cli.difusor import app
from pregon.difusor.configura.aplica import aplica
from pregon.difusor.configura.nube import elige
from pregon.difusor.workspace import open_workspace
from tests.difusor.nube.test_infra import con_nube
from tests.red.servidores.s3 import ESCRIBE, LEE, Seaweed, compartido
from tests.trust.conftest import INICIO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pregon.difusor.configura.nube import Destino

pytestmark = pytest.mark.xdist_group("nube")
PUBLICO = ("sitio/index.html", "sitio/datos/0001/gub/entidad.json", "sitio/gub/index.html")
PRIVADO = ("sitio/historico/0001/paquete.zip", "sitio/historico/estado/e.tar.gz", "sitio/historico/copia.json")
AJENO = "otra-cosa/notas.txt"
FALTA = (403, 404)


def cliente(server: Seaweed, quien: tuple[str, str] = ESCRIBE) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=server.extremo,
        region_name="us-east-1",
        aws_access_key_id=quien[0],
        aws_secret_access_key=quien[1],
        config=Config(s3={"addressing_style": "path"}, proxies={}),
    )


@pytest.fixture
def deposito(request: pytest.FixtureRequest) -> Iterator[tuple[Seaweed, Any, str]]:
    """A bucket of this test's own, with objects of every kind in it."""
    server = compartido()
    bucket = "reglas-" + request.node.originalname[5:30].replace("_", "-").strip("-")
    client = cliente(server)
    client.create_bucket(Bucket=bucket)
    for key in (*PUBLICO, *PRIVADO, AJENO):
        client.put_object(Bucket=bucket, Key=key, Body=key.encode())
    yield server, client, bucket
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    found = client.list_object_versions(Bucket=bucket)
    for one in [*found.get("Versions", []), *found.get("DeleteMarkers", [])]:
        client.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
    client.delete_bucket(Bucket=bucket)


def destino(folder: Path, server: Seaweed, bucket: str, *, quien: str = "ESCRIBE", **more: str) -> Destino:
    keys = {
        "url": f"s3://{bucket}/sitio",
        "extremo": server.extremo,
        "clave_acceso": {"ESCRIBE": ESCRIBE, "LEE": LEE}[quien][0],
    }
    keys |= {"secreto": f"env:S3_{quien}", "nombre": "cerca"} | more
    text = "\n[[nube]]\n" + "".join(f'{name} = "{value}"\n' for name, value in keys.items())
    return elige(open_workspace(con_nube(folder, more=text)), None)


def afuera(server: Seaweed, bucket: str, ruta: str, method: str = "GET") -> int:
    url = f"{server.extremo}/{bucket}/{ruta}"
    return httpx2.request(
        method, url, content=b"x" if method == "PUT" else None, timeout=20, trust_env=False
    ).status_code


def llaves(client: Any, bucket: str) -> set[str]:
    return {one["Key"] for one in client.list_objects_v2(Bucket=bucket)["Contents"]}


def test_anybody_reads_what_is_published_and_nothing_else(
    deposito: tuple[Seaweed, Any, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """INE-II-a-ii-3a: the history is there, and is nobody's to read, to list or to change but the difusor's."""
    server, client, bucket = deposito
    target = destino(tmp_path / "difusor", server, bucket)
    assert {afuera(server, bucket, ruta) for ruta in (*PUBLICO, *PRIVADO)} <= set(FALTA), (
        "before: nobody reads anything"
    )
    for name, value in server.entorno.items():
        monkeypatch.setenv(name, value)
    words = ["configura", "s3", str(target.workspace.folder), "--publico", "--aplica", "--json"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.stderr
    done = json.loads(result.stdout)["aplicado"]
    assert done["hecho"] == ["politica", "versiones", "ciclo"]
    assert done["visto"]["lee lo publicado"] == 200
    assert all(status >= 400 for what, status in done["visto"].items() if what != "lee lo publicado")

    for ruta in PUBLICO:
        assert afuera(server, bucket, ruta) == 200
    tricks = ("sitio//historico/0001/paquete.zip", "sitio/%68istorico/copia.json",
              "sitio/datos/../historico/copia.json",
              "sitio/historico/copia.json?versionId=null", "sitio/historico/copia.json?acl")  # fmt: skip
    for ruta in (*PRIVADO, *tricks, AJENO, "", "?list-type=2", "?versions", "?policy"):
        assert afuera(server, bucket, ruta) in (*FALTA, 400), ruta
    listed = httpx2.get(f"{server.extremo}/{bucket}/sitio/?list-type=2", timeout=20, trust_env=False)
    assert b"historico" not in listed.content, "a folder is an object without content, if it is anything"
    assert b"index.html" not in listed.content
    for ruta in (PUBLICO[0], PRIVADO[0], "sitio/nuevo.html"):
        assert afuera(server, bucket, ruta, "PUT") in FALTA
        assert afuera(server, bucket, ruta, "DELETE") in FALTA
    for who in (ESCRIBE, LEE):
        got = cliente(server, who).get_object(Bucket=bucket, Key=PRIVADO[0])["Body"].read()
        assert got == PRIVADO[0].encode(), "those that have keys read what is theirs, unchanged"
    assert llaves(client, bucket) == {*PUBLICO, *PRIVADO, AJENO}, "what it proved with went away"

    rules = {one["ID"]: one for one in client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]}
    assert rules["reemplazado"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 33}
    assert rules["envios-a-medias"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}
    assert not any("Expiration" in one for one in rules.values()), "nothing current ends"
    assert client.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    client.put_object(Bucket=bucket, Key=PRIVADO[0], Body=b"encima")
    kept = client.list_object_versions(Bucket=bucket, Prefix=PRIVADO[0])["Versions"]
    assert len(kept) == 2, "what is written over is still there"
    # Again: the same, and no error.
    aplica(target, clock=ManualClock(INICIO), environment=server.entorno)
    assert afuera(server, bucket, PUBLICO[0]) == 200


def test_who_may_not_change_the_rules_changes_none(deposito: tuple[Seaweed, Any, str], tmp_path: Path) -> None:
    server, client, bucket = deposito
    target = destino(tmp_path / "difusor", server, bucket, quien="LEE")
    with pytest.raises(DestinoError, match="no lo permitió"):
        aplica(target, clock=ManualClock(INICIO), environment=server.entorno)
    assert {afuera(server, bucket, ruta) for ruta in (*PUBLICO, *PRIVADO)} <= set(FALTA)
    assert llaves(client, bucket) == {*PUBLICO, *PRIVADO, AJENO}
    with pytest.raises(client.exceptions.ClientError, match="NoSuchBucketPolicy"):
        client.get_bucket_policy(Bucket=bucket)


def test_a_store_that_shows_more_than_the_policy_gets_its_own_back(
    deposito: tuple[Seaweed, Any, str], tmp_path: Path
) -> None:
    """A store whose access lists open what the policy does not: only who looks from outside finds out."""
    server, client, bucket = deposito
    before = {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Antes", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
             "Resource": f"arn:aws:s3:::{bucket}/otra-cosa/*"}
        ],
    }  # fmt: skip
    client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(before))
    client.put_bucket_acl(Bucket=bucket, ACL="public-read-write")  # anybody lists and writes, whatever the policy says
    target = destino(tmp_path / "difusor", server, bucket)
    clock = ManualClock(INICIO)
    with pytest.raises(DestinoError, match="alguien de fuera") as found:
        aplica(target, clock=clock, environment=server.entorno)
    assert "Se repusieron las reglas" in found.value.intacto
    assert json.loads(client.get_bucket_policy(Bucket=bucket)["Policy"]) == before
    assert llaves(client, bucket) == {*PUBLICO, *PRIVADO, AJENO}
    with pytest.raises(client.exceptions.ClientError, match="NoSuchLifecycleConfiguration"):
        client.get_bucket_lifecycle_configuration(Bucket=bucket)
    assert clock.instant > INICIO, "it was given time to obey"


def test_behind_a_cdn_nobody_reads_the_bucket(deposito: tuple[Seaweed, Any, str], tmp_path: Path) -> None:
    """As ``--distribucion`` would leave Amazon's: the policy names the distribution, and a stranger is nobody."""
    from pregon.difusor.configura import s3

    server, client, bucket = deposito
    target = destino(tmp_path / "difusor", server, bucket)
    arn = "arn:aws:cloudfront::123456789012:distribution/E1ABCDEFGHIJKL"
    with pytest.raises(UsoError, match="sólo firma ante un depósito de Amazon"):
        aplica(target, distribucion=arn, clock=ManualClock(INICIO), environment=server.entorno)
    amazon = elige(open_workspace(con_nube(tmp_path / "amazon")), "aws")
    policy = s3.politica(amazon, distribucion=arn, cuenta=None)
    assert [one["Effect"] for one in policy["Statement"]] == ["Allow", "Deny", "Deny", "Deny"]
    assert policy["Statement"][0]["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert policy["Statement"][0]["Condition"] == {"StringEquals": {"aws:SourceArn": arn}}
    # Its first two statements, in a store that knows no CloudFront: they open nothing to anybody.
    text = json.dumps(policy | {"Statement": policy["Statement"][:2]})
    text = text.replace("prep-diario/prep2027", f"{bucket}/sitio")
    client.put_bucket_policy(Bucket=bucket, Policy=text)
    assert {afuera(server, bucket, ruta) for ruta in (*PUBLICO, *PRIVADO)} <= set(FALTA)


def test_no_keys_and_no_answer_are_told(deposito: tuple[Seaweed, Any, str], tmp_path: Path) -> None:
    server, _, bucket = deposito
    target = destino(tmp_path / "difusor", server, bucket)
    with pytest.raises(AjustesError, match="S3_ESCRIBE no tiene valor"):
        aplica(target, clock=ManualClock(INICIO), environment={})
    closed = destino(tmp_path / "cerrado", server, bucket, extremo="http://127.0.0.1:9")
    with pytest.raises(RedError, match="No se pudo hablar con el almacén"):
        aplica(closed, clock=ManualClock(INICIO), environment=server.entorno)
    assert afuera(server, bucket, PUBLICO[0]) in FALTA
