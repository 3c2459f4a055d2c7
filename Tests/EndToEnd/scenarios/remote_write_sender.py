"""Hearth sends by remote write: a receiver goes away, the sender is killed, and all ends have the same samples."""

import re
import signal
import time

from harness import api, check, find_peer, free_port, http, query, wait_until

SENDER = """
global:
  scrape_interval: 200ms
  scrape_timeout: 200ms
  external_labels:
    region: here
scrape_configs:
  - job_name: backend
    static_configs:
      - targets: ["127.0.0.1:{app}"]
remote_write:
"""

QUEUE = """
  - url: {url}/api/v1/write
    name: {name}
    protobuf_message: {message}
    headers:
      X-Sent-By: hearth
    write_relabel_configs:
      - source_labels: [__name__]
        regex: scrape_.*
        action: drop
    queue_config:
      batch_send_deadline: 500ms
      max_backoff: 500ms
    metadata_config:
      send_interval: 1s
"""

VERSION_1 = "prometheus.WriteRequest"
VERSION_2 = "io.prometheus.write.v2.Request"
SERIES = '{job="backend",__name__!~"scrape_.*"}'


def start_prometheus(bench, port):
    config = bench.write_config("global: {}\n", "receiver.yml")
    server = bench.start("receiver", [
        find_peer("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={bench.directory / 'receiver'}",
        f"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver"])
    server.url = f"http://127.0.0.1:{port}"
    wait_until("prometheus to be ready", lambda: http("GET", server.url + "/-/ready")[0] == 200, 30)
    return server


def takes_version_2(hearth):
    """Whether Hearth's receiver knows version 2: an empty request is answered by whoever does."""
    status, _ = http("POST", hearth.url + "/api/v1/write", b"\x00", {
        "Content-Type": f"application/x-protobuf;proto={VERSION_2}", "Content-Encoding": "snappy",
        "X-Prometheus-Remote-Write-Version": "2.0.0"})
    return status != 415


def own_metric(server, name, queue):
    """A metric of one queue, of the server about itself, summed up over its other labels."""
    text = http("GET", server.url + "/metrics")[1]
    pattern = rf'^{name}\{{[^}}]*remote_name="{queue}"[^}}]*\}} (\S+)$'
    return sum(float(value) for value in re.findall(pattern, text, re.MULTILINE))


def samples(server, start, end, extra=""):
    """All samples of the job between two times: labels without those of the receiver's side -> [(time, value)]."""
    selector = SERIES[:-1] + extra + "}"
    data = api(server, "query", query=f"{selector}[{int((end - start) * 1000)}ms]", time=f"{end:.3f}")
    rows = {}
    for row in data["result"]:
        labels = tuple(sorted((name, value) for name, value in row["metric"].items() if name not in ("region", "to")))
        # Whether a range holds its beginning is answered differently by versions 2 and 3.
        rows[labels] = [sample for sample in row["values"] if start + 0.01 < sample[0]]
    return rows


def compare(sender, receiver, name, start, end, extra):
    wanted = samples(sender, start, end)
    check(len(wanted) > 5, f"only {len(wanted)} series at the sender")
    found = samples(receiver, start, end, extra)
    check(set(found) == set(wanted), f"{name} has other series: {sorted(set(found) ^ set(wanted))[:5]}")
    for labels, values in wanted.items():
        missing = [value for value in values if value not in found[labels]]
        spare = [value for value in found[labels] if value not in values]
        check(
            not missing and not spare and len(values) == len(found[labels]),
            f"{name}: {dict(labels)}: {len(missing)} of {len(values)} are missing, {len(spare)} too many; "
            f"first missing {missing[:3]}, first spare {spare[:3]}")


def run(bench):
    app = bench.start_backend()
    port = free_port()
    prometheus = start_prometheus(bench, port)
    hearth = bench.start_hearth(
        bench.write_config("global: {}\n", "second.yml"), "--web.enable-remote-write-receiver",
        "--web.remote-write-receiver.accepted-protobuf-messages=" + VERSION_1,
        "--web.remote-write-receiver.accepted-protobuf-messages=" + VERSION_2, data="second", name="second")
    ends = {"prometheus": (prometheus.url, VERSION_1), "hearth": (hearth.url, VERSION_1)}
    if takes_version_2(hearth):
        ends["hearth2"] = (hearth.url, VERSION_2)
    else:
        print("    Hearth's receiver does not take version 2: sent with version 1 only", flush=True)
    text = SENDER.format(app=app.port)
    for name, (url, message) in ends.items():
        queue = QUEUE.format(url=url, name=name, message=message)
        # Two queues to one receiver are told apart by a label.
        text += queue.replace("    queue_config", f"      - target_label: to\n        replacement: {name}\n    queue_config")
    config = bench.write_config(text, "sender.yml")

    def servers():
        return {"prometheus": prometheus, "hearth": hearth, "hearth2": hearth}

    def newest(name):
        vector = query(servers()[name], f'max(timestamp(up{{job="backend",to="{name}"}}))')
        return next(iter(vector.values()), 0)

    sender = bench.start_hearth(config, name="sender-1")
    for name in ends:
        wait_until(f"samples at {name}", lambda name=name: newest(name), 30)
    start = time.time()
    for name in ends:
        wait_until(f"more samples at {name}", lambda name=name: newest(name) > start + 2, 30)
        failed = own_metric(sender, "prometheus_remote_storage_samples_failed_total", name)
        check(failed == 0, f"{name} has refused {failed} samples")

    # A receiver away, and the sender killed while it is.
    prometheus.stop()
    wait_until(
        "failures to be noticed",
        lambda: own_metric(sender, "prometheus_remote_storage_samples_retried_total", "prometheus") > 0, 30)
    away = time.time()
    wait_until("the other end to go on", lambda: newest("hearth") > away + 1, 30)
    sender.signal(signal.SIGKILL)
    sender.wait(10)
    sender = bench.start_hearth(config, name="sender-2")
    back = time.time()
    wait_until("the other end to go on", lambda: newest("hearth") > back + 1, 30)
    prometheus = start_prometheus(bench, port)
    end = time.time()
    for name in ends:
        wait_until(f"{name} to have caught up", lambda name=name: newest(name) > end + 1, 60)

    # And one that is killed while all is well.
    sender.signal(signal.SIGKILL)
    sender.wait(10)
    sender = bench.start_hearth(config, name="sender-3")
    end = time.time()
    for name in ends:
        wait_until(f"{name} to have caught up", lambda name=name: newest(name) > end + 1, 60)
        compare(sender, servers()[name], name, start, end, f',to="{name}"')

    # What is stopped leaves nothing behind.
    sender.stop(30)
    last = bench.start_hearth(bench.write_config("global: {}\n", "quiet.yml"), name="reader")
    end = time.time()
    for name in ends:
        compare(last, servers()[name], name, start, end, f',to="{name}"')
