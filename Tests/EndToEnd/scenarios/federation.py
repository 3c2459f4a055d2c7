"""Prometheus and a second Hearth scrape /federate: they get the samples that are there, with labels, times and values."""

from harness import api, check, find_peer, free_port, http, wait_until

LOWER = """
global: {{scrape_interval: 1s, scrape_timeout: 1s, external_labels: {{dc: "west"}}}}
scrape_configs:
  - job_name: backend
    static_configs:
      - targets: ["127.0.0.1:{port}"]
"""

UPPER = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: federate
    honor_labels: true
    metrics_path: /federate
    params: {{"match[]": ['{{job="backend"}}', 'up']}}
    static_configs:
      - targets: ["127.0.0.1:{port}"]
"""

SERIES = '{job="backend",__name__=~"process_.+|http_.+"}[1m]'


def samples(server):
    """{series (without the lower server's own label): {time: value}}"""
    found = {}
    for row in api(server, "query", query=SERIES)["result"]:
        metric = {name: value for name, value in row["metric"].items() if name != "dc"}
        found[tuple(sorted(metric.items()))] = dict(map(tuple, row["values"]))
    return found


def compare(lower, upper, name):
    above, below = samples(upper), samples(lower)
    check(len(above) > 5, f"{name} has {len(above)} series")
    for series, values in above.items():
        check(series in below, f"{name} has a series that is not there: {series}")
        for time, value in values.items():
            # What has left the window between the two queries is not compared.
            known = below[series].get(time)
            if known is None and time < min(below[series]):
                continue
            check(known == value, f"{name}: {series} at {time}: {value}, and {known} where it comes from")


def run(bench):
    app = bench.start_backend()
    lower = bench.start_hearth(bench.write_config(LOWER.format(port=app.port)), data="lower", name="lower")
    wait_until("samples", lambda: len(samples(lower)) > 5, 20)

    config = bench.write_config(UPPER.format(port=lower.port), "upper.yml")
    upper = bench.start_hearth(config, data="upper", name="upper")
    port = free_port()
    peer = bench.start("prometheus", [
        find_peer("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={bench.directory / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}"])
    peer.url = f"http://127.0.0.1:{port}"
    wait_until("prometheus", lambda: http("GET", peer.url + "/-/ready")[0] == 200, 30)
    for name, server in (("hearth", upper), ("prometheus", peer)):
        def times(server=server):
            return max((len(values) for values in samples(server).values()), default=0)

        wait_until(f"{name} to have federated", lambda times=times: times() >= 5, 30)
        compare(lower, server, name)
        labels = api(server, "query", query='up{job="backend"}')["result"][0]["metric"]
        check(labels["dc"] == "west" and labels["instance"] == f"127.0.0.1:{app.port}", f"{name}: {labels}")
