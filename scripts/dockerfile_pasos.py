#!/usr/bin/env python3
"""Runs the steps of the Dockerfile where there is no Docker, in a tree made of this machine's own Debian.

Every instruction of it is either done or refused as unknown: FROM, ARG, WORKDIR, COPY, RUN, ENV, USER, VOLUME, EXPOSE,
STOPSIGNAL, HEALTHCHECK, ENTRYPOINT, CMD. Each stage is a tree of its own: this machine's ``/usr`` and ``/etc`` under an
overlay, the rest empty. With ``--difusor DIR`` the result is then run twice, as ``compose.yaml`` does (``opera`` and
``sirve``): as its own user, with a root that is only to read, without capabilities; until both health checks pass; and
ended with SIGTERM. With ``--vacio DIR --desde NOMBRE`` an empty volume (but for its settings) is then made a difusor by
``rehace``, and ``opera`` is run over it. It prints what it did, and at the end ``LISTO``.

``--entorno SITIO`` takes what ``pip install --require-hashes`` would bring from a folder that has it installed already.

Needs root, util-linux and overlayfs; standard library alone. It changes nothing outside of its own namespaces.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

AQUI = Path(__file__).resolve().parent.parent
SALUD_S = 120
TERMINA_S = 60
ENTORNO = "/entorno"
RUTA = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CHROOT = shutil.which("chroot") or "/usr/sbin/chroot"
_FLECHA = re.compile(r"--from=(\S+)")
_PIP = re.compile(r"(\S+)/bin/pip(?: --python (\S+)/bin/python)? install [^&]*--require-hashes -r \S+")
_REUSA = f'echo {ENTORNO} > "$(echo $1/lib/python3*/site-packages)/entorno.pth" && cp /opt/caddy $1/bin/caddy\n'
_PASA = ("PIP_", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE")


@dataclass
class Etapa:
    """One stage: its tree and what its instructions have set so far."""

    raiz: Path
    entorno: dict[str, str] = field(default_factory=dict)
    carpeta: str = "/"
    usuario: str = "root"
    entrada: list[str] = field(default_factory=list)
    orden: list[str] = field(default_factory=list)
    salud: list[str] = field(default_factory=list)


def instrucciones(text: str) -> list[tuple[str, str]]:
    """The instructions in order, continued lines joined, comments left out."""
    text = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [(word.upper(), rest.strip()) for word, _, rest in (line.partition(" ") for line in lines if line.strip())]


def dice(text: str) -> None:
    print(text, flush=True)


def monta(*arguments: str | Path) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True)


class Constructor:
    """Does the instructions in a work folder; everything is mounted in this process's own namespace."""

    def __init__(self, contexto: Path, trabajo: Path, entorno: Path | None) -> None:
        self.contexto = contexto
        self.trabajo = trabajo
        self.entorno = entorno
        self.argumentos: dict[str, str] = {}
        self.etapas: dict[str, Etapa] = {}
        self.etapa: Etapa | None = None

    def hace(self, word: str, rest: str) -> None:
        """Do one instruction; one that is not known is an error, not a comment."""
        dice(f"{word} {rest}")
        if word == "ARG":
            name, _, value = rest.partition("=")
            self.argumentos[name] = value
        elif word == "FROM":
            self._from(rest)
        elif word in ("VOLUME", "EXPOSE", "STOPSIGNAL"):
            pass
        else:
            method = {"WORKDIR": self._workdir, "COPY": self._copy, "RUN": self._run, "ENV": self._env}.get(word)
            if method is not None:
                method(rest)
            elif word == "USER":
                self._now.usuario = rest
            elif word in ("ENTRYPOINT", "CMD"):
                setattr(self._now, "entrada" if word == "ENTRYPOINT" else "orden", json.loads(rest))
            elif word == "HEALTHCHECK":
                self._now.salud = json.loads(rest[rest.index("CMD") + 3 :])
            else:
                raise SystemExit(f"No se conoce la instrucción {word}.")

    @property
    def _now(self) -> Etapa:
        if self.etapa is None:
            raise SystemExit("Falta FROM.")
        return self.etapa

    def _from(self, rest: str) -> None:
        image, _, name = re.sub(r"\$\{(\w+)\}", lambda found: self.argumentos[found[1]], rest).partition(" AS ")
        if not re.fullmatch(r"[a-z]+:[\w.-]+", image) or image.endswith(":latest"):
            raise SystemExit(f"La imagen base {image} debe llevar nombre y versión, sin servidor.")
        root = self.trabajo / f"etapa-{len(self.etapas)}"
        for folder in (
            "usr",
            "etc",
            "dev/shm",
            "proc",
            "tmp",
            "opt",
            "srv",
            "run",
            "var/tmp",
            "var/lib",
            "home",
            "root",
        ):
            (root / folder).mkdir(parents=True)
        (root / "tmp").chmod(0o1777)
        for name_ in ("bin", "lib", "lib64", "sbin"):
            (root / name_).symlink_to(f"usr/{name_}")
        for folder in ("usr", "etc"):
            layers = [self.trabajo / f"{kind}-{len(self.etapas)}-{folder}" for kind in ("arriba", "obra")]
            for layer in layers:
                layer.mkdir()
            options = f"lowerdir=/{folder},upperdir={layers[0]},workdir={layers[1]}"
            monta("-t", "overlay", "capas", "-o", options, root / folder)
        for name_ in ("passwd", "group", "shadow", "gshadow"):  # This machine may have the account; the image has not.
            file = root / "etc" / name_
            lines = file.read_text().splitlines(keepends=True) if file.exists() else []
            file.write_text("".join(line for line in lines if not line.startswith("pregon")))
        for device in ("null", "zero", "random", "urandom"):
            (root / "dev" / device).touch()
            monta("--bind", f"/dev/{device}", root / "dev" / device)
        monta("-t", "proc", "proc", root / "proc")
        for place in self._indices():
            (root / str(place).lstrip("/")).mkdir(parents=True, exist_ok=True)
            monta("--bind", place, root / str(place).lstrip("/"))
        if self.entorno is not None:
            (root / ENTORNO.lstrip("/")).mkdir()
            monta("--bind", self.entorno, root / ENTORNO.lstrip("/"))
        self.etapa = self.etapas[name or str(len(self.etapas))] = Etapa(root, {"PATH": RUTA})

    @staticmethod
    def _indices() -> list[Path]:
        """Folders of this machine that pip was told to look in; none, where it asks over the network."""
        told = subprocess.run(
            [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
        )
        words = re.findall(r"(?:file://)?(/[^\s'\"]+)", told.stdout)
        tops = {Path("/", *Path(word).parts[1:3]) for word in words if Path(word).is_dir()}
        return sorted(top for top in tops if top.is_dir() and top.parts[1] not in ("etc", "usr"))

    def _env(self, rest: str) -> None:
        self._now.entorno.update(word.partition("=")[::2] for word in shlex.split(rest))

    def _workdir(self, rest: str) -> None:
        self._now.carpeta = rest
        self._inside(rest).mkdir(parents=True, exist_ok=True)

    def _inside(self, path: str, stage: Etapa | None = None) -> Path:
        stage = stage or self._now
        return stage.raiz / os.path.normpath(os.path.join(stage.carpeta, path)).lstrip("/")  # noqa: PTH118

    def _copy(self, rest: str) -> None:
        found = _FLECHA.match(rest)
        *sources, target = rest.split()[1 if found else 0 :]
        place = self._inside(target)
        for source in sources:
            if found:
                origin = self.etapas[found[1]].raiz / source.lstrip("/")
            else:
                origin = self.contexto / source
                self._admitted(source)
            if origin.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "*.pyc") if not found else None
                shutil.copytree(origin, place, symlinks=True, ignore=ignored, dirs_exist_ok=True)
            else:
                into = place / origin.name if target.endswith("/") or place.is_dir() else place
                into.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(origin, into)

    def _admitted(self, source: str) -> None:
        lines = (self.contexto / ".dockerignore").read_text(encoding="utf-8").split()
        if lines[:1] != ["*"] or f"!{source}" not in lines:
            raise SystemExit(f"COPY {source}: .dockerignore no lo deja pasar.")

    def _run(self, rest: str) -> None:
        stage = self._now
        if self.entorno is not None:
            rest = _PIP.sub(lambda found: f"/bin/sh /opt/reusa {found[2] or found[1]}", rest)
            (stage.raiz / "opt" / "reusa").write_text(_REUSA)
            shutil.copy2(self.entorno.parents[2] / "bin" / "caddy", stage.raiz / "opt" / "caddy")
        passed = {key: value for key, value in os.environ.items() if key.startswith(_PASA)}
        done = subprocess.run(
            [CHROOT, str(stage.raiz), "/bin/sh", "-ec", f"cd {shlex.quote(stage.carpeta)}\n{rest}"],
            env={"HOME": "/root", **passed, **self.argumentos, **stage.entorno},
            check=False,
        )
        if done.returncode != 0:
            raise SystemExit(f"El paso falló (estado {done.returncode}): RUN {rest}")


class Contenedor:
    """One run of the image with an order, bound as ``compose.yaml`` says."""

    def __init__(
        self, stage: Etapa, difusor: Path, order: list[str], trabajo: Path, variables: dict[str, str] | None = None
    ) -> None:
        self.nombre = order[0]
        self._stage = stage
        self._entorno = {**stage.entorno, **(variables or {})}
        users = dict(line.split(":")[0:4:2] for line in (stage.raiz / "etc/passwd").read_text().splitlines())
        self.uid = users[stage.usuario]
        self._output = (trabajo / f"{self.nombre}.txt").open("wb")
        self.salida = trabajo / f"{self.nombre}.txt"
        self._difusor = difusor
        self._process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "sh", "-c",
             self._script(order)],
            stdout=self._output, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def _script(self, order: list[str]) -> str:
        root, own = shlex.quote(str(self._stage.raiz)), shlex.quote(str(self._difusor))
        setting = " ".join(shlex.quote(f"{key}={value}") for key, value in self._entorno.items())
        program = shlex.join([*self._stage.entrada, *order])
        return (
            "set -eu\n"
            f"mount --bind {own} {root}/srv/pregon\n"
            f"mount -t tmpfs -o mode=1777,nosuid,nodev tmp {root}/tmp\n"  # noqa: S108
            f"mount -t proc proc {root}/proc\n"
            # Everything that is mounted becomes only to read, but for what compose.yaml leaves.
            f"findmnt -rno TARGET | grep -E '^{self._stage.raiz}(/|$)' | grep -vE '/(tmp|srv/pregon|proc)$' | "
            'while read -r lugar; do mount -o remount,bind,ro "$lugar"; done\n'
            f"exec {CHROOT} {root} setpriv --reuid {self.uid} --regid {self.uid} --clear-groups --no-new-privs "
            "--inh-caps=-all --ambient-caps=-all --bounding-set=-all "
            f"env -i {setting} sh -c 'cd {self._stage.carpeta} && exec \"$@\"' sh {program}\n"
        )

    def dentro(self, order: list[str]) -> subprocess.CompletedProcess[str]:
        """Run an order in the running container, as ``docker exec`` and the health check do."""
        first = self._first()
        setting = [f"{key}={value}" for key, value in self._entorno.items()]
        return subprocess.run(
            [*f"nsenter -t {first} -m -p -r -S {self.uid} -G {self.uid} env -i".split(), *setting, *order],
            capture_output=True, text=True, timeout=SALUD_S, check=False,
        )  # fmt: skip

    def _first(self) -> int:
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return int(children[0])

    def sana(self, check: list[str]) -> None:
        """Wait until its health check passes."""
        end = time.monotonic() + SALUD_S
        while True:
            if self._process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"{self.nombre} no quedó sano.\n{self.salida.read_text()[-3000:]}")
            with contextlib.suppress(IndexError, FileNotFoundError, subprocess.TimeoutExpired):
                done = self.dentro(check)
                if done.returncode == 0:
                    dice(f"{self.nombre}: sano (usuario {self.uid})")
                    return
            time.sleep(0.5)

    def acaba(self) -> None:
        """Wait until its order ends by itself, as ``docker compose run`` does."""
        status = self._process.wait(SALUD_S)
        self._output.close()
        dice(f"{self.nombre}: acabó con estado {status}")
        if status != 0:
            raise SystemExit(self.salida.read_text()[-3000:])

    def termina(self) -> None:
        """SIGTERM to its first process, as ``docker stop`` does."""
        os.kill(self._first(), signal.SIGTERM)
        status = self._process.wait(TERMINA_S)
        self._output.close()
        dice(f"{self.nombre}: terminó con estado {status}")
        if status != 0:
            raise SystemExit(self.salida.read_text()[-3000:])


SALUD_SIRVE = [
    "python3",
    "-c",
    (
        "import ssl, urllib.request as u; u.urlopen(open('/srv/pregon/servidor/direccion').read().strip(), timeout=10, "
        "context=ssl._create_unverified_context())"
    ),
]
"""As in ``compose.yaml`` (``configura.docker``): the test compares them."""


def prueba(stage: Etapa, difusor: Path, trabajo: Path) -> None:
    """Run ``opera`` and ``sirve`` over one workspace until both are well, look at their bounds, and end them."""
    opera = Contenedor(stage, difusor, stage.orden, trabajo)
    sirve = Contenedor(stage, difusor, ["sirve", "/srv/pregon"], trabajo)
    opera.sana(stage.salud)
    sirve.sana(SALUD_SIRVE)
    for one in (opera, sirve):
        for path in ("/etc/x", "/usr/x", "/opt/pregon/x", "/root/x", "/x"):
            if one.dentro(["sh", "-c", f"touch {path}"]).returncode == 0:
                raise SystemExit(f"{one.nombre} pudo escribir {path}")
        told = one.dentro(["sh", "-c", "grep -E '^(CapEff|CapBnd|NoNewPrivs|Uid)' /proc/1/status"]).stdout
        words = dict(line.split(":", 1) for line in told.splitlines())
        bound = int(words["CapEff"], 16) == int(words["CapBnd"], 16) == 0 and words["NoNewPrivs"].strip() == "1"
        if not bound or words["Uid"].split()[0] != one.uid:
            raise SystemExit(f"{one.nombre} no está acotado: {words}")
    print(opera.dentro(stage.salud).stdout, flush=True)
    opera.termina()
    sirve.sana(SALUD_SIRVE)  # Who serves goes on without who receives.
    sirve.termina()


def prueba_vacio(stage: Etapa, volumen: Path, desde: str, variables: dict[str, str], trabajo: Path) -> None:
    """An empty volume becomes the difusor that it was, and works: nothing else of a container is kept."""
    Contenedor(stage, volumen, ["rehace", "/srv/pregon", "--desde", desde], trabajo, variables).acaba()
    opera = Contenedor(stage, volumen, stage.orden, trabajo, variables)
    opera.sana(stage.salud)
    opera.termina()


def main() -> None:
    """Parse the command line; enter namespaces of our own; build; perhaps run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contexto", type=Path, default=AQUI)
    parser.add_argument("--trabajo", type=Path, required=True, help="carpeta vacía donde se hacen los árboles")
    parser.add_argument("--entorno", type=Path, help="site-packages ya instalado, en lugar de pip")
    parser.add_argument("--difusor", type=Path, help="carpeta de trabajo con la que se prueba la imagen")
    parser.add_argument("--vacio", type=Path, help="volumen vacío, sólo con sus ajustes, que se rehace de la nube")
    parser.add_argument("--desde", default="nube", help="el [[nube]] de esos ajustes")
    parser.add_argument("--variable", action="append", default=[], help="NOMBRE=VALOR, para ese contenedor")
    parser.add_argument("--dentro", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.dentro:
        command = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"]
        os.execvp("unshare", [*command, sys.executable, __file__, *sys.argv[1:], "--dentro"])  # noqa: S606
    monta("-t", "tmpfs", "-o", "mode=755", "trabajo", options.trabajo)
    builder = Constructor(options.contexto, options.trabajo, options.entorno)
    for word, rest in instrucciones((options.contexto / "Dockerfile").read_text(encoding="utf-8")):
        builder.hace(word, rest)
    stage = builder.etapa
    if stage is None or not (stage.entrada and stage.orden and stage.salud) or stage.usuario == "root":
        raise SystemExit("La última etapa debe tener USER, HEALTHCHECK, ENTRYPOINT y CMD.")
    dice("CONSTRUIDA")
    if options.difusor is not None:
        prueba(stage, options.difusor.resolve(), options.trabajo)
    if options.vacio is not None:
        variables = dict(word.split("=", 1) for word in options.variable)
        prueba_vacio(stage, options.vacio.resolve(), options.desde, variables, options.trabajo)
    dice("LISTO")


if __name__ == "__main__":
    main()
