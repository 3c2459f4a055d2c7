"""A prometheus that writes to Hearth by remote write 1.0, and senders who send what is wrong."""

import struct
import time

from harness import check, find_peer, free_port, http, query, scalar_of, wait_until

SENDER = """
global:
  scrape_interval: 1s
  external_labels:
    region: here
scrape_configs:
  - job_name: self
    static_configs:
      - targets: ["127.0.0.1:{port}"]
remote_write:
  - url: {url}/api/v1/write
    queue_config:
      batch_send_deadline: 1s
    metadata_config:
      send_interval: 1s
"""


def start_sender(bench, hearth):
    port = free_port()
    config = bench.write_config(SENDER.format(port=port, url=hearth.url), "sender.yml")
    server = bench.start("prometheus", [
        find_peer("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={bench.directory / 'sender'}",
        f"--web.listen-address=127.0.0.1:{port}"])
    server.url = f"http://127.0.0.1:{port}"
    wait_until("prometheus to be ready", lambda: http("GET", server.url + "/-/ready")[0] == 200, 30)
    return server


def sized(field, content):
    return bytes([field << 3 | 2, len(content)]) + content


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def series(name, *samples):
    """A series of one label; everything short enough for lengths of one byte."""
    label = sized(1, sized(1, b"__name__") + sized(2, name.encode()))
    return sized(1, label + b"".join(
        sized(2, b"\x09" + struct.pack("<d", value) + b"\x10" + varint(at)) for at, value in samples))


def push_body(server, body):
    return http("POST", server.url + "/api/v1/write", body, {
        "Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"})


def push(server, message):
    """The status and text for a message, sent as a snappy block that is one literal."""
    length = len(message) - 1
    return push_body(server, varint(len(message)) + bytes([61 << 2]) + struct.pack("<H", length) + message)


def check_refusals(hearth):
    now = int(time.time() * 1000)
    check(push(hearth, series("pushed", (now - 2000, 1), (now - 1000, 2)))[0] == 204, "two samples were not taken")
    cases = [
        ((now - 1500, 3), "out of order sample\n"),
        ((now - 1000, 3),
         f"duplicate sample for timestamp {now - 1000}; overrides not allowed: existing 2, new value 3\n"),
        ((now + 3_600_000, 3), "out of bounds: timestamp is too far in the future\n"),
    ]
    for sample, text in cases:
        answer = push(hearth, series("fresh", (now, 1)) + series("pushed", sample))
        check(answer == (400, text), f"{sample} was answered {answer}")
    check(query(hearth, "fresh") == {}, "a refused request left a sample behind")
    check(push(hearth, series("pushed", (now - 1000, 2), (now, 4)))[0] == 204, "a repeated sample was not taken")
    check(scalar_of(hearth, "count_over_time(pushed[1m])") == 3, "pushed has not three samples")
    answer = push_body(hearth, b"no snappy block")
    check(answer == (400, "snappy: corrupt input\n"), f"no snappy block: {answer}")


def run(bench):
    hearth = bench.start_hearth(bench.write_config("global: {}\n"), "--web.enable-remote-write-receiver")
    sender = start_sender(bench, hearth)
    up = 'up{job="self", region="here"}'
    wait_until("samples to arrive", lambda: (scalar_of(hearth, f"count_over_time({up}[1m])") or 0) >= 5, 30)
    everything = 'count({job="self"})'
    sent = scalar_of(sender, everything)
    wait_until(f"all {sent} series to arrive", lambda: (scalar_of(hearth, everything) or 0) >= sent, 15)
    # The sender's own view: nothing failed, nothing is sent again and again.
    for name in ("samples_failed", "samples_retried", "metadata_failed"):
        failed = scalar_of(hearth, f'prometheus_remote_storage_{name}_total{{job="self"}}')
        check(failed == 0, f"{name}: {failed}")
    sender.stop()
    check_refusals(hearth)
