"""The servers of the comparison: how each is started, fed, and watched."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "Tests" / "EndToEnd"))

from harness import Failure, Process, check, free_port, http, wait_until  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """A server with a directory of data that outlives its process."""

    name = ""
    program = ""
    # Parameters that each query of this server carries.
    extra = ()

    def __init__(self, binary, directory):
        self.binary = binary
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.process = None

    def command(self):
        raise NotImplementedError

    def start(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = Process(self.name, self.command(), self.directory)

        def ready():
            if not self.process.is_running():
                raise SystemExit(f"{self.name} ended:\n{self.process.tail()}")
            return http("GET", self.url + self.ready_path)[0] == 200

        wait_until(f"{self.name} to be ready", ready, 300)

    def stop(self):
        if self.process:
            self.process.stop(60)
            self.process = None

    def version(self):
        try:
            done = subprocess.run(
                [self.binary, "--version"], capture_output=True, text=True, timeout=20, check=False)
        except OSError as error:
            return str(error)
        lines = (done.stdout + done.stderr).strip().splitlines()
        return lines[0].strip() if lines else "unknown version"

    # Data

    def fed(self):
        try:
            return json.loads((self.directory / "fed.json").read_text())
        except (OSError, ValueError):
            return None

    def feed(self, feeder, data):
        """Sends the data; remembers the figures beside them."""
        cpu = self.cpu_seconds()
        done = subprocess.run(
            [feeder, "feed", "--to", self.url, "--series", str(data["series"]), "--hours", str(data["hours"]),
             "--end", str(data["end"]), "--seed", str(data["seed"])],
            capture_output=True, text=True, timeout=3600, check=False)
        if done.returncode != 0:
            raise Failure(f"feeding {self.name}: {(done.stderr + done.stdout).strip()}")
        figures = json.loads(done.stdout)
        figures["cpu_seconds"] = round(self.cpu_seconds() - cpu, 2)
        figures["peak_rss"] = self.memory()["VmHWM"]
        figures["version"] = self.version()
        self.flush()
        (self.directory / "fed.json").write_text(json.dumps({"data": data, "figures": figures}))
        return figures

    def flush(self):
        """Makes what was sent visible to queries, where that is not so at once."""

    # Figures of the process

    def memory(self):
        """VmRSS, VmHWM, RssAnon and RssFile in bytes."""
        fields = {}
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            key, _, value = line.partition(":")
            if key in ("VmRSS", "VmHWM", "RssAnon", "RssFile"):
                fields[key] = int(value.split()[0]) * 1024
        return fields

    def reset_peak(self):
        try:
            Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        except OSError:
            pass

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


class Hearth(Server):
    name = "hearth"
    ready_path = "/-/ready"

    def command(self):
        config = self.directory / "prometheus.yml"
        config.write_text("global:\n  scrape_interval: 15s\n")
        return [
            self.binary, f"--config.file={config}", f"--storage.tsdb.path={self.directory / 'data'}",
            "--storage.tsdb.retention.time=20y", "--web.enable-remote-write-receiver", "--log.level=warn",
            f"--web.listen-address=127.0.0.1:{self.port}"]

    def version(self):
        changed = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(os.stat(self.binary).st_mtime))
        return f"{super().version()}, binary of {changed} UTC"


class Prometheus(Server):
    name = "prometheus"
    program = "prometheus"
    ready_path = "/-/ready"

    command = Hearth.command


class VictoriaMetrics(Server):
    name = "victoria-metrics"
    program = "victoria-metrics"
    ready_path = "/health"
    extra = (("nocache", "1"),)

    def command(self):
        return [
            self.binary, f"-storageDataPath={self.directory / 'data'}", f"-httpListenAddr=127.0.0.1:{self.port}",
            "-retentionPeriod=20y", "-search.latencyOffset=0s", "-search.disableCache",
            "-search.maxPointsPerTimeseries=100000", "-search.maxUniqueTimeseries=2000000",
            "-search.maxSeries=2000000", "-dedup.minScrapeInterval=0s", "-loggerLevel=WARN"]

    def flush(self):
        http("GET", self.url + "/internal/force_flush", timeout=120)

    def version(self):
        try:
            done = subprocess.run(
                ["dpkg-query", "-W", "-f", "${Version}", "victoria-metrics"], capture_output=True, text=True,
                timeout=20, check=False)
        except OSError:
            return super().version()
        return f"victoria-metrics {done.stdout.strip()}" if done.returncode == 0 else super().version()


def servers(hearth, directory, wanted):
    """The servers that are there, and a sentence for each that is not."""
    found, missing = [], []
    for kind in (Prometheus, VictoriaMetrics, Hearth):
        if kind.name not in wanted:
            continue
        binary = hearth if kind is Hearth else shutil.which(kind.program)
        if binary and os.access(binary, os.X_OK):
            found.append(kind(str(Path(binary).resolve()), Path(directory) / kind.name))
        else:
            missing.append(f"{kind.name} is not on this machine: its column is skipped")
    return found, missing


def settle(running, at_least, at_most=300):
    """Waits until no server works on anything by itself: below a twentieth of a core for ten seconds."""
    began = time.monotonic()
    idle_since = began
    last = {server: server.cpu_seconds() for server in running}
    while time.monotonic() - began < at_most:
        time.sleep(2)
        now = {server: server.cpu_seconds() for server in running}
        if any(now[server] - last[server] > 0.1 for server in running):
            idle_since = time.monotonic()
        last = now
        if time.monotonic() - idle_since >= 10 and time.monotonic() - began >= at_least:
            return
    print("    not all servers came to rest", flush=True)


class MemoryWatch:
    """The highest RSS of each server while queries run; anonymous memory (without mapped files) on its own."""

    def __init__(self, watched):
        self.watched = watched
        self.before = {}
        self.peak_anonymous = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        for server in self.watched:
            server.reset_peak()
            self.before[server.name] = server.memory()
            self.peak_anonymous[server.name] = self.before[server.name]["RssAnon"]
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _watch(self):
        while not self._stop.wait(0.05):
            for server in self.watched:
                try:
                    now = server.memory()["RssAnon"]
                except (OSError, KeyError):
                    continue
                self.peak_anonymous[server.name] = max(self.peak_anonymous[server.name], now)

    def figures(self):
        """By server, in bytes: before, after, peak, and the growth from before to peak."""
        table = {}
        for server in self.watched:
            name, after, before = server.name, server.memory(), self.before[server.name]
            peak = max(after["VmHWM"], before["VmRSS"])
            table[name] = {
                "before": before["VmRSS"], "after": after["VmRSS"], "peak": peak, "growth": peak - before["VmRSS"],
                "growth_after": after["VmRSS"] - before["VmRSS"],
                "anonymous_growth": self.peak_anonymous[name] - before["RssAnon"],
            }
        return table


__all__ = ["Failure", "MemoryWatch", "check", "servers", "settle", "wait_until"]
