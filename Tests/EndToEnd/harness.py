"""What every scenario needs: peers, processes that are ended by their pid, bounded waits, and small HTTP helpers."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http.client import HTTPException
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / ".e2e"

# Program -> Debian package that brings it.
PEERS = {
    "promtool": "prometheus",
    "prometheus": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "prometheus-node-exporter": "prometheus-node-exporter",
    "victoria-metrics": "victoria-metrics",
}


# Alertmanager reads a template from a fixed path below /usr/share, so its package has to be installed for real.
INSTALLED = {"prometheus-alertmanager"}


class Skip(Exception):
    """A scenario cannot run here; the text says why."""


class Absent(Skip):
    """What is no part of the repository is not there: no reason to fail anywhere."""


class Failure(Exception):
    """The system under test did something wrong."""


def check(condition, message):
    if not condition:
        raise Failure(message)


def run_as_root(*command):
    prefix = [] if os.geteuid() == 0 else ["sudo"]
    subprocess.run([*prefix, *command], check=True, stdout=subprocess.DEVNULL, timeout=300)


def find_peer(program):
    """The path of a peer. Debian packages are unpacked rather than installed, so that the services that would start
    with them (on 9090, 9093, 9100) never do; where installing cannot be helped, services are kept from starting."""
    found = shutil.which(program)
    if found:
        return found
    if program in INSTALLED:
        install_package(PEERS[program])
        found = shutil.which(program)
        if not found:
            raise Skip(f"{program} is not there and could not be installed")
        return found
    unpacked = WORK / "peers" / "usr" / "bin" / program
    if not unpacked.exists():
        unpack_package(PEERS[program])
    if not unpacked.exists():
        raise Skip(f"{program} is not there and could not be fetched")
    return str(unpacked)


def unpack_package(package):
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise Skip(f"{package} is missing, and this is no Debian")
    downloads = WORK / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    print(f"    fetching Debian's {package} (unpacked into {downloads.parent.name}/peers, not installed)", flush=True)
    try:
        for attempt in (1, 2):
            done = subprocess.run(["apt-get", "download", package], cwd=downloads, capture_output=True, timeout=300)
            if done.returncode == 0:
                break
            if attempt == 1:
                run_as_root("apt-get", "update", "-qq")
        for archive in downloads.glob(f"{package}_*.deb"):
            subprocess.run(["dpkg-deb", "-x", str(archive), str(WORK / "peers")], check=True, timeout=120)
    except (subprocess.SubprocessError, OSError) as error:
        raise Skip(f"{package} could not be fetched: {error}") from error


POLICY = "/usr/sbin/policy-rc.d"


def install_package(package):
    """Installs a package while Debian's own switch keeps its services from starting."""
    if not shutil.which("apt-get"):
        raise Skip(f"{package} is missing, and this is no Debian")
    print(f"    installing Debian's {package}, without starting its service", flush=True)
    guarded = not os.path.exists(POLICY)
    try:
        if guarded:
            run_as_root("sh", "-c", f"printf '#!/bin/sh\\nexit 101\\n' > {POLICY} && chmod 755 {POLICY}")
        run_as_root("apt-get", "update", "-qq")
        run_as_root(
            "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-qq", "--no-install-recommends", package)
        if os.path.isdir("/run/systemd/system"):
            run_as_root("systemctl", "disable", "--now", package)
    except (subprocess.SubprocessError, OSError) as error:
        raise Skip(f"{package} could not be installed: {error}") from error
    finally:
        if guarded:
            run_as_root("rm", "-f", POLICY)


def python_environment():
    """A virtual environment with the pinned packages; made once."""
    environment = WORK / "venv"
    python = environment / "bin" / "python"
    stamp = environment / "requirements.txt"
    wanted = (HERE / "requirements.txt").read_text()
    if stamp.exists() and stamp.read_text() == wanted:
        return str(python)
    print("    making a virtual environment with the pinned Python packages", flush=True)
    shutil.rmtree(environment, ignore_errors=True)
    try:
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True, timeout=300)
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", "-r", str(HERE / "requirements.txt")],
            check=True, timeout=900)
    except (subprocess.SubprocessError, OSError) as error:
        raise Skip(f"the Python environment could not be made: {error}") from error
    stamp.write_text(wanted)
    return str(python)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(what, condition, seconds=30, every=0.1):
    """Asks until the condition gives something true; a failure names what was waited for and what was seen last."""
    deadline = time.monotonic() + seconds
    last = None
    while time.monotonic() < deadline:
        try:
            last = condition()
            if last:
                return last
        except (OSError, urllib.error.URLError, KeyError, IndexError, ValueError) as error:
            last = error
        time.sleep(every)
    raise Failure(f"waited {seconds} s for {what}; last seen: {last!r}")


def http(method, url, body=None, headers=None, timeout=10):
    """Status and text of an answer, whatever the status."""
    data = body.encode() if isinstance(body, str) else body
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def get_json(url, timeout=10):
    status, text = http("GET", url, timeout=timeout)
    check(status == 200, f"GET {url}: {status} {text[:300]}")
    return json.loads(text)


class Process:
    """A child process with its output in a file."""

    def __init__(self, name, command, directory, env=None, cwd=None, preexec=None):
        self.name = name
        self.log = Path(directory) / f"{name}.log"
        self._file = open(self.log, "ab")
        self._child = subprocess.Popen(
            command, stdout=self._file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=cwd,
            env={**os.environ, **(env or {})}, preexec_fn=preexec)

    @property
    def pid(self):
        return self._child.pid

    def is_running(self):
        return self._child.poll() is None

    def signal(self, number):
        self._child.send_signal(number)

    def wait(self, seconds):
        return self._child.wait(timeout=seconds)

    def stop(self, seconds=15):
        if self.is_running():
            self._child.terminate()
            try:
                self._child.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait(timeout=10)
        self._file.close()
        return self._child.returncode

    def tail(self, lines=25):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Bench:
    """The set-up of one scenario: a directory, processes that are ended with it, and Hearth."""

    def __init__(self, name, hearth):
        self.name = name
        self.hearth_binary = str(Path(hearth).resolve())
        self.directory = Path(tempfile.mkdtemp(prefix=f"hearth-e2e-{name}-"))
        self.processes = []

    def close(self, failed):
        for process in reversed(self.processes):
            process.stop()
        if failed:
            for process in self.processes:
                print(f"    --- last lines of {process.name}\n{process.tail()}", flush=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self, name, command, **options):
        process = Process(name, command, self.directory, **options)
        self.processes.append(process)
        return process

    # Hearth

    def write_config(self, text, name="prometheus.yml"):
        path = self.directory / name
        path.write_text(text)
        return path

    def start_hearth(self, config, *flags, port=None, data="data", name="hearth", preexec=None, prefix=()):
        """`prefix`: a command that runs another."""
        port = port or free_port()
        server = self.start(name, [
            *prefix, self.hearth_binary, f"--config.file={config}", f"--storage.tsdb.path={self.directory / data}",
            f"--web.listen-address=127.0.0.1:{port}", *flags], preexec=preexec)
        server.url = f"http://127.0.0.1:{port}"
        server.port = port

        def ready():
            check(server.is_running(), f"hearth ended:\n{server.tail()}")
            return http("GET", server.url + "/-/ready")[0] == 200

        wait_until("hearth to be ready", ready, 30)
        return server

    # Peers

    def start_backend(self, port=None):
        python = python_environment()
        port = port or free_port()
        app = self.start("backend", [
            python, "-m", "uvicorn", "backend:app", "--host", "127.0.0.1", "--port", str(port), "--log-level",
            "warning"], cwd=HERE / "app")
        app.url = f"http://127.0.0.1:{port}"
        app.port = port
        wait_until("the backend to answer", lambda: http("GET", app.url + "/health")[0] == 200, 30)
        return app

    def start_alertmanager(self):
        port = free_port()
        config = self.write_config(
            "route:\n  receiver: none\n  group_wait: 0s\n  group_interval: 1s\nreceivers:\n  - name: none\n",
            "alertmanager.yml")
        process = self.start("alertmanager", [
            find_peer("prometheus-alertmanager"), f"--config.file={config}",
            f"--storage.path={self.directory / 'alertmanager'}", f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address="])
        process.url = f"http://127.0.0.1:{port}"
        process.port = port
        wait_until("Alertmanager to answer", lambda: http("GET", process.url + "/-/ready")[0] == 200, 30)
        return process

    def start_node_exporter(self):
        port = free_port()
        process = self.start("node-exporter", [
            find_peer("prometheus-node-exporter"), f"--web.listen-address=127.0.0.1:{port}"])
        process.url = f"http://127.0.0.1:{port}"
        process.port = port
        wait_until("node-exporter to answer", lambda: http("GET", process.url + "/metrics")[0] == 200, 30)
        return process


# The API

def api(server, path, **parameters):
    query = urllib.parse.urlencode(parameters, doseq=True)
    return get_json(f"{server.url}/api/v1/{path}" + (f"?{query}" if query else ""))["data"]


def query(server, expression, **parameters):
    """The vector of an instant query as {labels (tuple of pairs): value}."""
    data = api(server, "query", query=expression, **parameters)
    check(data["resultType"] == "vector", f"{expression}: {data['resultType']}")
    return {tuple(sorted(row["metric"].items())): float(row["value"][1]) for row in data["result"]}


class Load:
    """Queries over all series, one after another on some threads, until the server dies or `end` is called."""

    def __init__(self, server, threads=3):
        self.is_ended = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(server,), daemon=True) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def _run(self, server):
        while not self.is_ended.is_set():
            try:
                now = time.time()
                api(server, "query_range", query='sum by (job) ({job!=""})', start=now - 300, end=now, step=1)
            except (OSError, HTTPException, ValueError, Failure):
                # It was killed in the middle of an answer, or is busy.
                self.is_ended.wait(0.05)

    def end(self):
        self.is_ended.set()
        for thread in self.threads:
            thread.join(15)


def scalar_of(server, expression, **parameters):
    """The value of a vector with one series; None for an empty one."""
    vector = query(server, expression, **parameters)
    check(len(vector) <= 1, f"{expression} gave {len(vector)} series: {vector}")
    return next(iter(vector.values()), None)


def is_near(value, wanted, tolerance):
    return value is not None and abs(value - wanted) <= tolerance * max(abs(wanted), 1e-9)


__all__ = [name for name in dir() if not name.startswith("_")]
