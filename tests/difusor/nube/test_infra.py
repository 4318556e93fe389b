"""What ``configura`` prints for a cloud, judged by each thing's own linter, and put in a real store and looked at.

AWS itself is not here. CloudFormation's linter has AWS's own schemas; the Terraform module is held to the schema of its
provider (``esquema_aws.json``) because the provider cannot be installed without its registry.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hcl2
import playwright
import pytest
from typer.testing import CliRunner

from pregon.cli.difusor import app
from pregon.difusor.configura.cdn import SIN_BITACORA, TERRAFORM
from pregon.difusor.workspace import open_workspace
from tests.difusor.maquina import huella
from tests.difusor.test_configura import workspace
from tests.red.servidores.enmarcha import programa
from tests.red.servidores.nginx import NginxCon

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

pytestmark = pytest.mark.xdist_group("infra")

ESQUEMA = Path(__file__).with_name("esquema_aws.json")
RAIZ = Path(__file__).resolve().parents[3]
CERTIFICADO = "arn:aws:acm:us-east-1:123456789012:certificate/0123abcd-0123-0123-0123-0123456789ab"
IMAGEN = "123456789012.dkr.ecr.us-east-1.amazonaws.com/pregon@sha256:" + "0" * 64
SERVICIO = "com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0"
DISTRIBUCION = "arn:aws:cloudfront::123456789012:distribution/E1ABCDEFGHIJKL"
TODO = ("--certificado", CERTIFICADO, "--imagen", IMAGEN, "--privado", SERVICIO)
NUBE = """
[[nube]]
nombre = "aws"
url = "s3://prep-diario/prep2027"
region = "us-east-1"
publica = "https://prep.example.mx"
historial = true

[[nube]]
nombre = "raiz"
url = "s3://prep-otro"
region = "mx-central-1"
publica = "https://otro.example.mx"
codificacion = "identidad"

[[nube]]
nombre = "cerca"
url = "s3://urna/sitio"
extremo = "http://127.0.0.1:8333"
clave_acceso = "x"
secreto = "env:S3_ESCRIBE"
"""


def con_nube(folder: Path, call: str = "ine-2021", more: str = NUBE) -> Path:
    made = workspace(folder, call).folder
    settings = made / "difusor.toml"
    settings.write_text(settings.read_text() + more)
    return made


@pytest.fixture(scope="module")
def difusor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with three targets. Printing changes nothing of it, so that all may have the same one."""
    return con_nube(tmp_path_factory.mktemp("infra") / "difusor")


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["configura", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


def answer(*words: object) -> Any:
    status, out, err = run(*words, "--json")
    assert status == 0, err
    return json.loads(out)


def textos(*words: object) -> dict[str, str]:
    return {one["nombre"]: one["texto"] for one in answer(*words)["archivos"]}


def refused(folder: Path, *words: object) -> dict[str, str]:
    before = huella(folder)
    status, out, err = run(*words, "--json")
    assert status != 0
    assert out == ""
    assert huella(folder) == before, "a refusal changes nothing"
    said: dict[str, str] = json.loads(err)
    return said


# --- CloudFormation


def juzga(text: str) -> list[str]:
    from cfnlint.api import lint  # type: ignore[import-untyped]  # here: it takes an eighth of the whole collection

    return [f"{found.rule.id} {found.message}" for found in lint(text, None, None)]


@pytest.fixture(scope="module")
def cfn(difusor: Path) -> Mapping[str, str]:
    return textos("cloudformation", difusor, "--nube", "aws", *TODO)


MAL = """
Resources:
  Cdn:
    Type: AWS::CloudFront::Distribution
    Properties:
      DistributionConfig:
        Enabled: true
        HttpVersion: http4
        Origins: [{Id: d, DomainName: a.example, OriginPath: !Ref Caminos}]
        DefaultCacheBehavior: {TargetOriginId: d, ViewerProtocolPolicy: https-only}
  Acceso:
    Type: AWS::CloudFront::OriginAccessControl
    Properties:
      OriginAccessControlConfig: {Name: x, OriginAccessControlOriginType: s3, SigningConduct: always}
"""
"""Two of our resources, with a value, a name and a key that do not exist; ours take the linter twice as long."""


def test_the_template_passes_the_linter_of_cloudformation_and_the_linter_bites(cfn: Mapping[str, str]) -> None:
    assert juzga(cfn["cloudformation.yaml"]) == []
    told = "\n".join(juzga(MAL))
    for wrong in ("http4", "SigningConduct", "Caminos"):
        assert wrong in told


def test_every_parameter_is_one_that_the_template_takes(difusor: Path, cfn: Mapping[str, str]) -> None:
    declared = plantilla_cfn(cfn["cloudformation.yaml"])["Parameters"]
    for target in ("aws", "raiz"):
        values = json.loads(textos("cloudformation", difusor, "--nube", target, *TODO)["parametros.json"])
        given = {one["ParameterKey"]: one["ParameterValue"] for one in values}
        assert given.keys() <= declared.keys()
        assert {name for name, about in declared.items() if "Default" not in about} <= given.keys()
        for name, value in given.items():
            about = declared[name]
            assert re.fullmatch(about.get("AllowedPattern", ".*"), value), name
            assert value in about.get("AllowedValues", [value]), name
            assert float(about.get("MinValue", "-inf")) <= float(value if about["Type"] == "Number" else 0), name
        if target == "aws":
            assert given["Camino"], given["Prefijo"] == ("/prep2027", "prep2027/")
            assert given["HstsSegundos"] == "31536000"
            assert given["HistorialFrioDesde"] == "2021-07-10T00:00:00Z"  # the permanence, and thirty days
            assert given["Comprime"] == "no"
            assert given["ServicioPrivado"] == SERVICIO  # INE-II-a-iii-2b
        else:
            assert (given["Camino"], given["Prefijo"]) == ("", "")
            assert given["Comprime"] == "si"
            assert given["BitacoraCdn"] == "no"
            assert "mx-central-1" in SIN_BITACORA


def plantilla_cfn(text: str) -> Any:
    from cfnlint.decode.cfn_yaml import load as load_cfn  # type: ignore[import-untyped]

    path = Path("/dev/shm") / f"pregon-plantilla-{hash(text)}.yaml"
    path.write_text(text)
    try:
        return load_cfn(str(path))
    finally:
        path.unlink()


def test_what_the_template_makes_is_private_encrypted_and_has_no_function(cfn: Mapping[str, str]) -> None:
    """INE-II-a-i-1, INE-II-a-iii-1, INE-II-a-iv-2."""
    made = plantilla_cfn(cfn["cloudformation.yaml"])["Resources"]
    kinds = [one["Type"] for one in made.values()]
    assert not [kind for kind in kinds if "Lambda" in kind]
    for bucket in ("DepositoPublicado", "DepositoBitacoras"):
        assert set(made[bucket]["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
        assert made[bucket]["DeletionPolicy"] == "Retain"
    cdn = made["Cdn"]["Properties"]["DistributionConfig"]
    assert cdn["HttpVersion"] == "http2and3"
    behaviours = [cdn["DefaultCacheBehavior"], *cdn["CacheBehaviors"]]
    assert {one["ViewerProtocolPolicy"] for one in behaviours} == {"redirect-to-https"}
    assert {one["ErrorCode"] for one in cdn["CustomErrorResponses"]} == {403, 404, 500, 502, 503, 504}
    assert max(one["ErrorCachingMinTTL"] for one in cdn["CustomErrorResponses"]) <= 5
    rules = made["DepositoPublicado"]["Properties"]["LifecycleConfiguration"]["Rules"]
    whole = json.dumps(rules)
    assert "ExpirationInDays" not in whole, "nothing current ends by a rule (INE-II-a-ii-3a)"
    assert "ExpirationDate" not in whole
    assert "SecurityGroupIngress" not in made["GrupoEquipo"]["Properties"], "nobody enters"
    enlace = made["EnlacePrivado"]
    assert (enlace["Condition"], enlace["Properties"]["VpcEndpointType"]) == ("ConPrivado", "Interface")


def test_what_is_missing_is_said_and_left_out(difusor: Path) -> None:
    said = answer("cloudformation", difusor, "--nube", "raiz")
    told = " ".join(said["avisos"])
    assert "--certificado" in told
    assert "--imagen" in told
    assert "capas 3, 4 y 7" in told  # INE-II-a-iv-1
    assert "historial = true" in told  # INE-II-a-ii-3a
    assert "50 Mbps" in " ".join(said["notas"])  # INE-II-a-iii-2a
    keys = {one["ParameterKey"] for one in json.loads(said["archivos"][1]["texto"])}
    assert not keys & {"CertificadoArn", "Imagen", "ServicioPrivado"}


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("cloudformation", "--nube", "cerca"), "no está en Amazon"),
        (("terraform", "--nube", "nadie"), "no hay destino «nadie»"),
        (("terraform",), "hay varios destinos"),
        (("cloudformation", "--nube", "aws", "--certificado", "arn:aws:acm:us-west-2:1:x/0"), "--certificado"),
        (("terraform", "--nube", "aws", "--privado", "https://ine.mx"), "--privado"),
        (("s3", "--nube", "aws"), "quién lee"),
        (("s3", "--nube", "aws", "--publico"), "las demás cuentas"),
        (("s3", "--nube", "aws", "--publico", "--cuenta", "12"), "no es el número de una cuenta"),
        (("s3", "--nube", "aws", "--distribucion", "E1ABC"), "no es el ARN"),
        (("s3", "--nube", "cerca", "--distribucion", DISTRIBUCION), "sólo firma ante un depósito de Amazon"),
        (("varnish", "--nube", "aws"), "sólo habla sin TLS"),
        (("nginx-cache", "--nube", "raiz"), "sólo habla sin TLS"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_words(difusor: Path, words: tuple[str, ...], problem: str) -> None:
    said = refused(difusor, words[0], difusor, *words[1:])
    assert problem in said["que_paso"] + said["que_hacer"]
    assert said["codigo"] in ("USO", "AJUSTES")


# --- Terraform


@pytest.fixture(scope="module")
def tf(difusor: Path) -> Mapping[str, str]:
    return textos("terraform", difusor, "--nube", "aws", *TODO)


def plano(value: Any) -> Any:
    """What hcl2 read, without its marks and quotes."""
    if isinstance(value, dict):
        return {plano(key): plano(one) for key, one in value.items() if not key.startswith("__")}
    if isinstance(value, list):
        return [plano(one) for one in value]
    return value[1:-1] if isinstance(value, str) and value[:1] == value[-1:] == '"' else value


def modulo(tf: Mapping[str, str]) -> dict[str, list[Any]]:
    whole: dict[str, list[Any]] = {}
    for name, text in tf.items():
        if name.endswith(".tf"):
            for kind, blocks in plano(hcl2.loads(text)).items():
                whole.setdefault(kind, []).extend(blocks)
    return whole


def recursos(whole: Mapping[str, list[Any]]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    for kind in ("resource", "data"):
        for block in whole[kind]:
            for tipo, named in block.items():
                for name, body in named.items():
                    yield kind, tipo, name, body


META = {"count", "for_each", "depends_on", "lifecycle"}


def faltas(body: Mapping[str, Any], schema: Mapping[str, Any], where: str) -> Iterator[str]:
    """Where one block does not go with the provider's schema."""
    given = {key: value for key, value in body.items() if key not in META}
    for block in given.pop("dynamic", []):
        for name, inside in block.items():
            given.setdefault(name, []).extend(inside["content"])
    for name, value in given.items():
        if name not in schema:
            yield f"{where}: {name} no existe"
        elif isinstance(schema[name], list) and isinstance(value, list):
            for one in value:
                if isinstance(one, dict):
                    yield from faltas(one, schema[name][1], f"{where}.{name}")
    for name, about in schema.items():
        needed = about[0] if isinstance(about, list) else about
        if needed and name not in given:
            yield f"{where}: falta {name}"


def test_the_module_goes_with_the_schema_of_its_provider_and_the_schema_bites(tf: Mapping[str, str]) -> None:
    known = json.loads(ESQUEMA.read_text())["recursos"]
    whole = modulo(tf)
    found = [
        problem
        for kind, tipo, name, body in recursos(whole)
        for problem in faltas(body, known[f"{kind}.{tipo}"]["argumentos"], f"{tipo}.{name}")
    ]
    assert found == []
    cdn = next(body for _, tipo, _, body in recursos(whole) if tipo == "aws_cloudfront_distribution")
    schema = known["resource.aws_cloudfront_distribution"]["argumentos"]
    spoilt = {**cdn, "http_versions": "http3", "default_cache_behavior": [{"target_origin_id": "deposito"}]}
    assert "cdn: http_versions no existe" in list(faltas(spoilt, schema, "cdn"))
    assert "cdn.default_cache_behavior: falta viewer_protocol_policy" in list(faltas(spoilt, schema, "cdn"))


def test_every_name_in_the_module_is_of_something_that_is_there(tf: Mapping[str, str]) -> None:
    known = json.loads(ESQUEMA.read_text())["recursos"]
    whole = modulo(tf)
    text = "\n".join(re.sub(r"(?m)#.*$", "", body) for name, body in tf.items() if name.endswith(".tf"))
    variables = {name for block in whole["variable"] for name in block}
    assert set(re.findall(r"\bvar\.(\w+)", text)) == variables
    things = {(kind, tipo, name) for kind, tipo, name, _ in recursos(whole)}
    used = {
        ("data" if data else "resource", tipo, name, attribute)
        for data, tipo, name, attribute in re.findall(r"\b(data\.)?(aws_\w+)\.(\w+)(?:\[[0*]\])?(?:\.(\w+))?", text)
        if f"{tipo}." in text
    }
    assert {one[:3] for one in used} <= things
    for kind, tipo, _, attribute in used:
        about = known[f"{kind}.{tipo}"]
        assert not attribute or attribute in {*about["atributos"], *about["argumentos"]}, (tipo, attribute)
    for name, default in ((name, body) for block in whole["variable"] for name, body in block.items()):
        assert default["description"], name


def test_the_values_are_of_variables_of_the_module(difusor: Path, tf: Mapping[str, str]) -> None:
    values = json.loads(tf["pregon.auto.tfvars.json"])
    declared = {name: body for block in modulo(tf)["variable"] for name, body in block.items()}
    assert values.keys() <= declared.keys()
    assert {name for name, body in declared.items() if "default" not in body} <= values.keys()
    kinds = {"string": str, "number": int, "bool": bool, "list(string)": list}
    for name, value in values.items():
        kind = declared[name]["type"].strip("${}")
        assert type(value) is kinds[kind], name
    assert values["region"] == "us-east-1"
    assert values["tls_minimo"] == "TLSv1.2_2021"
    assert values["disco_gb"] >= 20  # INE-II-a-ii-3b
    assert set(TERRAFORM) < tf.keys()


def test_both_make_the_same_rules_code_and_machine(cfn: Mapping[str, str], tf: Mapping[str, str]) -> None:
    made = plantilla_cfn(cfn["cloudformation.yaml"])["Resources"]
    said = [
        (one.get("Sid"), one["Effect"], one["Action"])
        for policy in ("ReglasDelDeposito", "ReglasDeBitacoras")
        for one in made[policy]["Properties"]["PolicyDocument"]["Statement"]
    ]
    documents = {name: body for _, tipo, name, body in recursos(modulo(tf)) if tipo == "aws_iam_policy_document"}
    ours = [
        (one["sid"], one.get("effect", "Allow"), one["actions"][0])
        for name in ("publicado", "bitacoras")
        for one in documents[name]["statement"]
    ]
    assert said == ours
    assert made["Indices"]["Properties"]["FunctionCode"].strip() == tf["indices.js"].strip()
    script = made["Equipo"]["Properties"]["UserData"]["Fn::Base64"]["Fn::Sub"]
    assert script.strip() == tf["arranque.sh.tftpl"].replace("${imagen}", "${Imagen}").strip()
    assert set(re.findall(r"\$\{(\w+)\}", script)) == {"Imagen"}
    done = subprocess.run(["bash", "-n"], input=script.replace("${Imagen}", "x"), text=True, check=False)
    assert done.returncode == 0


FUNCION = """
%s
const ask = (uri) => handler({ request: { uri } });
console.log(JSON.stringify(["/", "/gub/", "/corte.json", "/gub/001/", "/historico/0001/x.zip",
  "/%%68istorico/copia.json", "//historico/x", "/historico", "/a/../historico/x", "/%%", "/historicos/",
  "/estado/"].map((uri) => {
  const said = ask(uri); return said.statusCode ?? said.uri; })));
"""


def test_the_function_of_the_edge_gives_covers_and_hides_what_is_private(tf: Mapping[str, str]) -> None:
    """By a real engine of JavaScript: the one that the browser of the tests brings."""
    node = Path(playwright.__file__).parent / "driver" / "node"
    code = FUNCION % tf["indices.js"]
    done = subprocess.run([str(node), "-e", code], capture_output=True, text=True, timeout=20, check=True)
    assert json.loads(done.stdout) == [
        "/index.html", "/gub/index.html", "/corte.json", "/gub/001/index.html", 404, 404, 404, 404, 404, 400,
        "/historicos/index.html", "/estado/index.html",
    ]  # fmt: skip


# --- Caches of one's own


def servido(difusor: Path, tmp_path: Path) -> Path:
    """A workspace whose own web server a cache can ask."""
    made = tmp_path / "difusor"
    shutil.copytree(difusor, made)
    settings = made / "difusor.toml"
    settings.write_text(re.sub(r"(?m)^#?\s*puerto = .*$", "", settings.read_text()))
    text = settings.read_text()
    if "[servidor]" in text:
        text = text.replace("[servidor]", '[servidor]\npuerto = 8080\nnombres = ["prep.example.mx"]', 1)
    else:
        text += '\n[servidor]\npuerto = 8080\nnombres = ["prep.example.mx"]\n'
    settings.write_text(text)
    assert open_workspace(made).settings.servidor.puerto == 8080
    return made


def test_what_is_printed_for_varnish_compiles_and_its_script_is_one(difusor: Path, tmp_path: Path) -> None:
    folder = servido(difusor, tmp_path)
    for words in ((folder,), (folder, "--nube", "cerca", "--purga-desde", "10.1.0.0/16")):
        out = tmp_path / f"varnish{len(words)}"
        status, _, err = run("varnish", *words, "--salida", out)
        assert status == 0, err
        # The one of the container and the one before a store: the third is as the first.
        for text in sorted(out.glob("*.vcl"))[:1]:
            order = [programa("varnishd"), "-j", "none", "-C", "-n", str(tmp_path / "n"), "-f", str(text)]
            done = subprocess.run(order, capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 0, done.stderr[-2000:]
        assert subprocess.run(["sh", "-n", str(out / "pasos.sh")], check=False).returncode == 0
    inside = (tmp_path / "varnish1" / "contenedor.vcl").read_text()
    assert '.host = "10.74.0.10"' in inside
    store = (tmp_path / "varnish5" / "pregon.vcl").read_text()
    assert "/urna/sitio" in store
    assert "Content-Security-Policy" in store
    assert '"10.1.0.0"/16' in store
    assert not (tmp_path / "varnish5" / "compose.varnish.yaml").exists()


def test_what_is_printed_for_nginx_is_one_that_nginx_takes(difusor: Path, tmp_path: Path) -> None:
    folder = servido(difusor, tmp_path)
    secret = tmp_path / "purga.secreto"
    secret.write_text('"una-palabra-larga-de-prueba" 1;\n')
    for number, words in enumerate(((folder,), (folder, "--nube", "cerca"))):
        text = textos("nginx-cache", *words, "--escucha", "8081")["pregon-cache.conf"]
        text = text.replace("/etc/nginx/pregon/purga.secreto", str(secret))
        text = text.replace("/var/cache/nginx/pregon", str(tmp_path / "copias"))
        settings = NginxCon(tmp_path / f"nginx{number}", text, [8081]).ajustes
        order = [programa("nginx"), "-t", "-c", str(settings), "-p", str(tmp_path)]
        done = subprocess.run(order, capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 0, done.stderr
        assert "[warn]" not in done.stderr


def test_the_compose_of_origin_and_varnish(difusor: Path, tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml")

    class Lector(yaml.SafeLoader):  # type: ignore[name-defined,misc]
        pass

    Lector.add_constructor("!override", lambda loader, node: loader.construct_sequence(node))
    folder = servido(difusor, tmp_path)
    given = textos("varnish", folder)
    read = yaml.load(given["compose.varnish.yaml"], Lector)
    assert given["compose.varnish.yaml"] == (RAIZ / "compose.varnish.yaml").read_text(), "make it again"
    services = read["services"]
    assert services["sirve"]["ports"] == [], "who visits does not reach the origin"
    assert "ports" not in services["varnish"]
    assert {port.rpartition(":")[0] for port in services["cifra"]["ports"]} == {"80", "443"}
    for one in ("varnish", "cifra"):
        assert services[one]["read_only"] is True
        assert services[one]["cap_drop"] == ["ALL"]
        assert not services[one]["user"].startswith("0")
        assert services[one]["pids_limit"] > 0
    caddy = tmp_path / "Caddyfile"
    caddy.write_text(given["Caddyfile"])
    order = [str(Path(sys.executable).with_name("caddy")), "adapt", "--config", str(caddy), "--adapter", "caddyfile"]
    done = subprocess.run(order, capture_output=True, text=True, timeout=30, check=True)
    server = next(iter(json.loads(done.stdout)["apps"]["http"]["servers"].values()))
    assert {one.get("protocol_min") for one in server["tls_connection_policies"]} >= {"tls1.2"}  # INE-II-a-iii-1
    assert "prep.example.mx" in done.stdout
    assert "varnish:8080" in done.stdout
