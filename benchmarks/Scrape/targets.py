#!/usr/bin/env python3
"""Synthetic targets of the scrape benchmark: one process that answers for all of them.

`/metrics?target=N` says `--series` series of an instrumented service (counters and histogram buckets by route), in turn
one of `--variants` bodies, in which a third of the values have moved on. Bodies are made and compressed before the first
request, so that answering costs next to nothing. `/count` says how many answers there were, and of how many bytes.
Prints the port that it listens on.
"""

import argparse
import asyncio
import gzip
import json
import socket

HEADERS = (
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
    "{encoding}Content-Length: {length}\r\n\r\n"
)


def body(series, variant):
    lines = []
    route = 0
    while len(lines) < series:
        labels = f'handler="/api/v1/route{route}",method="{"GET" if route % 2 else "POST"}"'
        for status in ("2xx", "4xx", "5xx"):
            moved = variant if (route + len(status)) % 3 == 0 else 0
            lines.append(f'http_requests_total{{{labels},status="{status}"}} {(route + 1) * 7919 + moved * 13}')
        for index, bound in enumerate(("0.01", "0.05", "0.1", "0.5", "1.0", "5.0", "+Inf")):
            moved = variant if index > 3 else 0
            lines.append(
                f'http_request_duration_seconds_bucket{{{labels},le="{bound}"}} {(route + 3) * (index + 1) * 31 + moved}')
        lines.append(f"http_request_duration_seconds_sum{{{labels}}} {(route + variant) * 0.12345:.6f}")
        lines.append(f"http_request_duration_seconds_count{{{labels}}} {(route + 3) * 217 + variant}")
        route += 1
    return ("\n".join(lines[:series]) + "\n").encode()


class Targets:
    def __init__(self, series, variants):
        self.bodies = []
        for variant in range(variants):
            plain = body(series, variant)
            packed = gzip.compress(plain, 6)
            self.bodies.append(
                (self.answer(plain, ""), self.answer(packed, "Content-Encoding: gzip\r\n")))
        self.answers = 0

    @staticmethod
    def answer(content, encoding):
        return HEADERS.format(encoding=encoding, length=len(content)).encode() + content

    async def serve(self, reader, writer):
        turn = 0
        try:
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                if request.startswith(b"GET /count"):
                    writer.write(self.answer(json.dumps({"answers": self.answers}).encode(), ""))
                else:
                    plain, packed = self.bodies[turn % len(self.bodies)]
                    turn += 1
                    self.answers += 1
                    writer.write(packed if b"gzip" in request.lower() else plain)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def run(arguments):
    targets = Targets(arguments.series, arguments.variants)
    listening = socket.socket()
    if arguments.all_loopback:
        # On all of 127.0.0.0/8, and nowhere else.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
    listening.bind(("" if arguments.all_loopback else "127.0.0.1", 0))
    server = await asyncio.start_server(targets.serve, sock=listening, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, required=True)
    parser.add_argument("--variants", type=int, default=4)
    parser.add_argument("--all-loopback", action="store_true", help="an address for each target")
    asyncio.run(run(parser.parse_args()))
