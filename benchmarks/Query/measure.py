"""Sends requests, measures them, and compares answers."""

import json
import math
import socket
import time
import urllib.parse

TOLERANCE = 1e-9


class Client:
    """A kept-alive connection that costs little beside what it measures: the request is made beforehand, the answer is
    taken in large pieces and looked at only after the clock has stopped."""

    def __init__(self, port):
        self.port = port
        self.socket = None

    def prepare(self, request, extra):
        query = urllib.parse.urlencode(list(request.parameters) + list(extra))
        return (f"GET {request.path}?{query} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
                "Accept: application/json\r\n\r\n").encode()

    def close(self):
        if self.socket:
            self.socket.close()
            self.socket = None

    def measure(self, message):
        """Milliseconds until the last byte, status, and body."""
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=180)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        began = time.perf_counter()
        self.socket.sendall(message)
        pieces, head, need, tail = [], b"", None, b""
        while True:
            piece = self.socket.recv(1 << 20)
            if not piece:
                self.close()
                raise ConnectionError("the server closed the connection")
            if need is None:
                head += piece
                end = head.find(b"\r\n\r\n")
                if end < 0:
                    continue
                head, piece = head[:end], head[end + 4:]
                length = header(head, b"content-length")
                need = int(length) if length is not None else -1
                have = 0
            pieces.append(piece)
            have += len(piece)
            if need >= 0:
                if have >= need:
                    break
            else:
                tail = (tail + piece)[-7:]
                if tail.endswith(b"\r\n0\r\n\r\n") or tail == b"0\r\n\r\n":
                    break
        taken = (time.perf_counter() - began) * 1000
        status = int(head.split(b" ", 2)[1])
        if (header(head, b"connection") or b"").lower() == b"close":
            self.close()
        body = b"".join(pieces)
        return taken, status, body if need >= 0 else unchunked(body)


def header(head, name):
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == name:
            return value.strip()
    return None


def unchunked(body):
    pieces, at = [], 0
    while True:
        end = body.index(b"\r\n", at)
        size = int(body[at:end].split(b";")[0], 16)
        if size == 0:
            return b"".join(pieces)
        pieces.append(body[end + 2:end + 2 + size])
        at = end + 2 + size + 2


class Answer:
    """What an answer holds, in a form that can be compared: series by labels with points, or a sorted list."""

    def __init__(self, body):
        data = json.loads(body)["data"]
        self.series, self.items = {}, None
        if isinstance(data, list):
            self.items = sorted(json.dumps(item, sort_keys=True) for item in data)
            self.points = 0
            return
        for row in data["result"]:
            points = row.get("values") or ([row["value"]] if "value" in row else [])
            self.series[tuple(sorted(row["metric"].items()))] = [(at, float(value)) for at, value in points]
        self.points = sum(len(points) for points in self.series.values())

    @property
    def size(self):
        return len(self.series) if self.items is None else len(self.items)

    def total(self):
        return sum(value for points in self.series.values() for _, value in points if math.isfinite(value))


def difference(one, other):
    """None where two answers agree, else what differs first."""
    if one.items is not None or other.items is not None:
        if one.items == other.items:
            return None
        left, right = set(one.items or ()), set(other.items or ())
        return f"{len(left - right)} more, {len(right - left)} fewer items"
    if one.series.keys() != other.series.keys():
        more, fewer = one.series.keys() - other.series.keys(), other.series.keys() - one.series.keys()
        example = next(iter(more or fewer))
        return f"{len(more)} more, {len(fewer)} fewer series, such as {dict(example)}"
    for labels, points in one.series.items():
        wanted = other.series[labels]
        if len(points) != len(wanted):
            return f"{len(points)} points instead of {len(wanted)} in {dict(labels)}"
        for (at, value), (wanted_at, wanted_value) in zip(points, wanted):
            if at != wanted_at:
                return f"time {at} instead of {wanted_at} in {dict(labels)}"
            if not is_near(value, wanted_value):
                return f"{value!r} instead of {wanted_value!r} at {at} in {dict(labels)}"
    if not is_near(one.total(), other.total()):
        return f"sum {one.total()!r} instead of {other.total()!r}"
    return None


def is_near(one, other):
    if one == other or (math.isnan(one) and math.isnan(other)):
        return True
    return abs(one - other) <= TOLERANCE * max(abs(one), abs(other), 1e-6)


def run(request, servers, clients, repetitions, budget):
    """One line of the table. After one round to warm up the servers answer in turns, in a turning order; a server whose
    answers took more than `budget` seconds in all is asked no more, from two repetitions on."""
    messages = {server.name: clients[server.name].prepare(request, server.extra) for server in servers}
    answers, line = {}, {"name": request.name, "form": request.form, "goal": request.goal, "servers": {}}
    for server in servers:
        entry = line["servers"][server.name] = {"times": []}
        try:
            _, status, body = clients[server.name].measure(messages[server.name])
            entry["bytes"] = len(body)
            if status != 200:
                entry["error"] = f"{status}: {body[:200].decode(errors='replace')}"
                continue
            answer = answers[server.name] = Answer(body)
            entry["size"], entry["points"] = answer.size, answer.points
        except (OSError, ValueError, KeyError, TypeError) as error:
            clients[server.name].close()
            entry["error"] = repr(error)
    if "hearth" in answers and "prometheus" in answers:
        line["difference"] = difference(answers["hearth"], answers["prometheus"])
    answers.clear()
    cpu = {server.name: server.cpu_seconds() for server in servers}
    for repetition in range(repetitions):
        turn = repetition % len(servers)
        for server in servers[turn:] + servers[:turn]:
            entry = line["servers"][server.name]
            if "error" in entry or (repetition >= 2 and sum(entry["times"]) > budget * 1000):
                continue
            try:
                taken, status, _ = clients[server.name].measure(messages[server.name])
            except (OSError, ValueError) as error:
                clients[server.name].close()
                entry["error"] = repr(error)
                continue
            if status != 200:
                entry["error"] = f"status {status} when repeated"
                continue
            entry["times"].append(round(taken, 3))
    for server in servers:
        entry = line["servers"][server.name]
        times = sorted(entry["times"])
        if times:
            entry["min"], entry["p50"] = times[0], times[len(times) // 2]
            entry["cpu"] = round((server.cpu_seconds() - cpu[server.name]) * 1000 / len(times), 2)
    return line
