"""Watches the running Caddy: starts it again when it dies, and gives it what changed without ending what it answers.

* **It dies**: started again at once, then with longer and longer waits; after ``MAX_DEATHS`` in a row the supervisor
  gives up and says so, for whoever watches it in turn (systemd).
* **Something changed** (a ``difusor.toml``, a profile, a certificate, the list of folders) or somebody asked: the new
  configuration is given to the same process. Refused by us or by Caddy, what is being served goes on as it was. Caddy
  opens its port again for it (SO_REUSEPORT): a connection that was being opened at that very instant may be closed.
* **A Caddy is left** of a supervisor that was killed: adopted. It keeps its process and its connections, and is given
  our configuration.

What happened last stays in ``SUPERVISION`` of each workspace, for the reports.
"""

from __future__ import annotations

import contextlib
import json
import logging
from functools import partial
from typing import TYPE_CHECKING, Protocol

from pregon.base import procesos
from pregon.base.errors import ComprobacionError, DiscoError, PregonError
from pregon.base.locks import exclusive
from pregon.base.red import answers_tcp, free_port
from pregon.difusor import pages
from pregon.difusor.servidor.administra import Admin
from pregon.difusor.servidor.caddy import ADMIN_SOCKET, ENTORNO, SERVIDOR_LOG, render
from pregon.difusor.servidor.deseado import complaints, marks
from pregon.difusor.servidor.direccion import DIRECCION
from pregon.difusor.servidor.sitio import site_of
from pregon.difusor.workspace import open_workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pregon.base.clock import Clock
    from pregon.base.durable import Disk
    from pregon.difusor.servidor.sitio import Site
    from pregon.difusor.workspace import Workspace

_logger = logging.getLogger(__name__)

CADDYFILE = "Caddyfile"
CANDADO = "sirve.lock"
SUPERVISION = "supervision.json"
"""In the server's folder of each workspace: what the supervisor last did."""

START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 15.0
LOOK_S = 2.0
"""How often the files are looked at. A change is applied once it has stayed the same for one look."""
STEADY_S = 60.0
"""Who lived so long did not die «in a row»."""
MAX_DEATHS = 8
FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 8.0


class _Watched(Protocol):
    """What a child and an adopted process have in common."""

    @property
    def pid(self) -> int: ...
    def returncode(self) -> int | None: ...
    def ends_within(self, seconds: float) -> bool: ...
    def stop(self, *, grace: float = ...) -> int: ...


class Supervisor:
    """The web server of some workspaces. ``urls``: the portals' addresses, in the order of the workspaces."""

    def __init__(
        self,
        workspaces: Sequence[Workspace],
        *,
        program: Path,
        disk: Disk,
        clock: Clock,
        port: int | None,
        folders: Callable[[], Sequence[Path]] | None = None,
        tells: Callable[[str], None] = _logger.warning,
    ) -> None:
        """``port`` replaces that of every workspace (0: a free one). ``folders``: which are to be served now."""
        self._workspaces = list(workspaces)
        self._home = workspaces[0].servidor
        self._program = program
        self._disk = disk
        self._clock = clock
        self._port = port
        self._folders = folders or (lambda: [workspace.folder for workspace in self._workspaces])
        self._tells = tells
        self._admin = Admin(self._home)
        self._locks: dict[Path, contextlib.ExitStack] = {}
        self._free: dict[str, int] = {}
        self._text = ""
        self._process: _Watched | None = None
        self._started = 0.0
        self._deaths = 0
        self._again_at = 0.0
        self._restarts = 0
        self._marks: Mapping[Path, object] = {}
        self._pending: Mapping[Path, object] | None = None
        self._looked = 0.0
        self.urls: tuple[str, ...] = ()

    @property
    def pid(self) -> int:
        """Process of the web server now."""
        return 0 if self._process is None else self._process.pid

    def returncode(self) -> int | None:
        """Exit status of the web server, or None while it runs."""
        return None if self._process is None else self._process.returncode()

    def start(self) -> None:
        """Serve, by a Caddy that is adopted or started.

        Raises:
            InstanciaError: another supervisor serves one of the workspaces.
            AjustesError: their settings do not fit together, or ask for what may not be.
            ComprobacionError: the web server did not start, or the one adopted refused; the text has what it said.
        """
        for workspace in self._workspaces:
            self._lock(workspace)
        self._marks = self._now()
        sites = self._sites(self._workspaces)
        self._text = render(sites)
        for workspace in self._workspaces:
            pages.ensure(workspace, self._disk)
        for workspace in self._workspaces[1:]:
            self._end_left_behind(workspace.servidor)  # Of one that had them in another order.
        if not self._adopt(sites):
            self._end_left_behind(self._home)
            self._launch()
        self._write(self._home / CADDYFILE, self._text)
        self._wait_ready(sites)
        self._looked = self._clock.monotonic()
        self._tell_addresses(sites)
        if isinstance(self._process, procesos.Process):
            self._keep("inicio", f"El servidor web se inició (proceso {self.pid}).")

    def watch(self, seconds: float) -> None:
        """Wait up to ``seconds``, doing meanwhile what has to be done.

        Raises:
            ComprobacionError: the web server died ``MAX_DEATHS`` times in a row.
        """
        if self._process is None:
            left = self._again_at - self._clock.monotonic()
            if left > 0:
                self._clock.sleep(min(left, seconds))
                return
            self._launch()
            self._restarts += 1
            self._note("reinicio", f"El servidor web se inició otra vez (proceso {self.pid}).")
        elif self._process.ends_within(seconds):
            self._died(self._process)
        elif self._clock.monotonic() - self._looked >= LOOK_S:
            self._looked = self._clock.monotonic()
            self._look()

    def reload(self) -> bool:
        """Read every file again and give the web server what they say now; whether it took it."""
        self._marks = self._now()
        self._pending = None
        try:
            return self._reload()
        except PregonError as exc:
            self._note("rechazado", f"No se aplicaron los ajustes nuevos; se sirve como antes. {exc.que_paso}")
            return False

    def close(self, *, leave: bool = False) -> None:
        """End the web server, or ``leave`` it to whoever supervises next; what is public stays on disk."""
        if self._process is not None:
            if leave and self._process.returncode() is None:
                self._note("entregado", f"El servidor web sigue solo (proceso {self.pid}).")
            else:
                self._process.stop()
        # One that never came to serve wrote no address: the one that is there is of who does.
        if self.urls and not leave:
            for workspace in self._workspaces:
                self._disk.remove_tree(workspace.servidor / DIRECCION)
        for lock in self._locks.values():
            lock.close()
        self._locks.clear()

    # What is wanted

    def _sites(self, workspaces: Sequence[Workspace]) -> list[Site]:
        sites = [site_of(workspace, self._port_of(workspace)) for workspace in workspaces]
        for complaint in complaints(sites, self._clock.now()):
            self._tells(f"Aviso: {complaint}.")
        return sites

    def _port_of(self, workspace: Workspace) -> int:
        address, wanted = workspace.settings.servidor.direccion, workspace.settings.servidor.puerto
        if self._port is not None:
            wanted = self._port
        # A free one is taken once: it stays through reloads and restarts.
        return wanted or self._free.setdefault(address, self._free.get(address) or free_port(address))

    def _reload(self) -> bool:
        if self._process is None or self._process.returncode() is not None:
            return False
        workspaces = [open_workspace(folder) for folder in self._folders()]
        if not workspaces or workspaces[0].servidor != self._home:
            # The admin socket, the certificates of an authority and the Caddyfile are in the first one's folder.
            workspaces.sort(key=lambda workspace: workspace.servidor != self._home)
        if not workspaces or workspaces[0].servidor != self._home:
            raise ComprobacionError(
                f"La primera convocatoria ({self._home.parent}) ya no está en la lista.",
                intacto="Se sirve como antes.",
                que_hacer="Para dejar de servirla, detenga «sirve» y vuelva a iniciarlo con las demás.",
            )
        sites = self._sites(workspaces)
        text = render(sites)
        fresh = [workspace for workspace in workspaces if workspace.servidor not in self._locks]
        for workspace in fresh:
            self._lock(workspace)
        for workspace in workspaces:
            pages.ensure(workspace, self._disk)
        refused = self._admin.load(text, again=True)
        if refused is not None:
            for workspace in fresh:
                self._unlock(workspace.servidor)
            self._note("rechazado", f"El servidor web no admitió los ajustes nuevos; sirve como antes. {refused}")
            return False
        kept = {workspace.servidor for workspace in workspaces}
        for gone in [folder for folder in self._locks if folder not in kept]:
            self._disk.remove_tree(gone / DIRECCION)
            self._unlock(gone)
        self._workspaces, self._text = workspaces, text
        self._marks = self._now()
        self._write(self._home / CADDYFILE, text)
        self._tell_addresses(sites)
        self._note("aplicado", "Los ajustes nuevos están en servicio; lo que se descargaba sigue.")
        return True

    def _look(self) -> None:
        now = self._now()
        if now == self._marks:
            self._pending = None
        elif now != self._pending:
            self._pending = now  # Perhaps half-written, or a certificate whose key is still to come.
        else:
            self.reload()

    def _now(self) -> Mapping[Path, object]:
        folders: Sequence[Path] = ()
        with contextlib.suppress(PregonError):
            folders = self._folders()
        return marks(folders, self._workspaces)

    # The process

    def _adopt(self, sites: Sequence[Site]) -> bool:
        # Where nothing changed nothing is loaded: a new configuration closes the connections that are idle, and one of
        # them may be carrying a question. Certificates in files may have been renewed while nobody looked.
        files = any(site.tls is not None and site.tls.certificado is not None for site in sites)
        pid = self._admin.pid()
        if pid is None:
            return False
        try:
            process = procesos.Adopted(pid)
        except OSError:
            return False
        refused = self._admin.load(self._text, again=files)
        if refused is not None:
            process.release()
            raise ComprobacionError(
                f"El servidor web que ya estaba (proceso {pid}) no admitió los ajustes: {refused}",
                intacto="Sigue sirviendo lo publicado, como antes.",
                que_hacer=f"Corrija difusor.toml, o revise {self._home / SERVIDOR_LOG}; luego repita la orden.",
            )
        self._process, self._started = process, self._clock.monotonic()
        self._note("adoptado", f"Se adoptó el servidor web que ya estaba (proceso {pid}); no dejó de servir.")
        return True

    def _launch(self) -> None:
        self._write(self._home / CADDYFILE, self._text)
        home = str(self._home)
        self._process = procesos.start(
            [self._program, "run", "--adapter", "caddyfile", "--config", CADDYFILE],
            output=self._home / "caddy.out",
            # It knows systemd too; but the service is ours, and two would say when it is ready.
            environment={
                "HOME": home,
                "XDG_DATA_HOME": home,
                "XDG_CONFIG_HOME": home,
                "NOTIFY_SOCKET": "",
                **ENTORNO,
            },
            folder=self._home,
        )
        self._started = self._clock.monotonic()

    def _wait_ready(self, sites: Sequence[Site]) -> None:
        if not isinstance(self._process, procesos.Process):
            return
        process = self._process
        try:
            procesos.wait_until(self._admin.serving, process, timeout=START_TIMEOUT_S, what="El servidor web")
            for site in sites:
                answers = partial(answers_tcp, site.direccion, site.puerto)
                procesos.wait_until(answers, process, timeout=START_TIMEOUT_S, what="El servidor web")
        except BaseException:
            process.stop()
            raise

    def _died(self, process: _Watched) -> None:
        status, lived = process.returncode(), self._clock.monotonic() - self._started
        self._process = None
        self._deaths = 1 if lived >= STEADY_S else self._deaths + 1
        if self._deaths > MAX_DEATHS:
            raise ComprobacionError(
                f"El servidor web terminó {self._deaths} veces seguidas (estado {status}).",
                intacto="Lo publicado sigue en disco, completo; ahora nadie lo sirve.",
                que_hacer=f"Revise {self._home / SERVIDOR_LOG} y repita la orden.",
            )
        wait = 0.0 if self._deaths == 1 else min(FIRST_WAIT_S * 2 ** (self._deaths - 2), LONGEST_WAIT_S)
        self._again_at = self._clock.monotonic() + wait
        self._note("caida", f"El servidor web terminó por su cuenta (estado {status}); se inicia otra vez.")

    def _end_left_behind(self, home: Path) -> None:
        """End the web server of another supervisor that was killed: ask it, and wait until nobody answers there."""
        path = home / ADMIN_SOCKET
        admin = Admin(home)
        if not path.exists() or not admin.serving():
            return  # Nobody there: at most the socket's file was left.
        admin.stop()
        if not procesos.wait_gone(path, timeout=STOP_TIMEOUT_S):
            raise ComprobacionError(
                "Quedó un servidor web anterior que no termina.",
                intacto="Sigue sirviendo lo publicado.",
                que_hacer=f"Revise {home / SERVIDOR_LOG} y termínelo antes de repetir la orden.",
            )

    # What is left written

    def _tell_addresses(self, sites: Sequence[Site]) -> None:
        self.urls = tuple(site.url for site in sites)
        for workspace, url in zip(self._workspaces, self.urls, strict=True):
            try:
                self._write(workspace.servidor / DIRECCION, f"{url}\n")
            except DiscoError as exc:
                self._tells(f"Se sirve, y no se pudo anotar en qué dirección. {exc.que_paso}")

    def _write(self, path: Path, text: str) -> None:
        """Have ``text`` there; what says so already is left alone: on a full disk the web server must start too."""
        with contextlib.suppress(OSError):
            if path.read_bytes() == text.encode():
                return
        self._disk.write(path, text.encode())

    def _note(self, kind: str, text: str) -> None:
        self._tells(text)
        self._keep(kind, text)

    def _keep(self, kind: str, text: str) -> None:
        told = {
            "suceso": kind,
            "texto": text,
            "hora": self._clock.now().isoformat(timespec="seconds"),
            "proceso": self.pid,
            "reinicios": self._restarts,
        }
        for workspace in self._workspaces:
            with contextlib.suppress(PregonError, OSError):  # A full disk must not end what serves.
                self._disk.write(
                    workspace.servidor / SUPERVISION, (json.dumps(told, ensure_ascii=False) + "\n").encode()
                )

    def _lock(self, workspace: Workspace) -> None:
        self._disk.make_folder(workspace.servidor)
        with contextlib.ExitStack() as stack:
            stack.enter_context(exclusive(workspace.servidor / CANDADO))
            self._locks[workspace.servidor] = stack.pop_all()

    def _unlock(self, folder: Path) -> None:
        self._locks.pop(folder).close()
