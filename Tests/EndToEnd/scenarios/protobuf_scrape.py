"""node-exporter and prometheus are scraped as text and as protobuf: the same series, metadata and values."""

from harness import api, check, find_peer, free_port, http, query, wait_until

JOB = """
  - job_name: {peer}-{form}
    scrape_protocols: [{protocol}]
    static_configs:
      - targets: ["127.0.0.1:{port}"]
"""
FORMS = {"text": "PrometheusText0.0.4", "protobuf": "PrometheusProto"}
# Of how a scrape went, and not of the target.
REPORT = ("up", "scrape_")


def start_prometheus(bench):
    port = free_port()
    config = bench.write_config(
        "scrape_configs:\n  - job_name: self\n    scrape_interval: 1s\n    static_configs:\n"
        f"      - targets: ['127.0.0.1:{port}']\n", "peer.yml")
    process = bench.start("prometheus", [
        find_peer("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={bench.directory / 'peer'}",
        f"--web.listen-address=127.0.0.1:{port}"])
    process.port = port
    wait_until("prometheus to be ready", lambda: http("GET", f"http://127.0.0.1:{port}/-/ready")[0] == 200, 30)
    return process


def series(server, job):
    """The newest value of each series, by its labels without those of the target."""
    found = {}
    for labels, value in query(server, f'{{job="{job}"}}').items():
        own = tuple(pair for pair in labels if pair[0] not in ("job", "instance"))
        if not dict(own)["__name__"].startswith(REPORT):
            found[own] = value
    return found


def check_same(server, peer):
    text, protobuf = (series(server, f"{peer}-{form}") for form in FORMS)
    check(len(text) > 200, f"{peer}: only {len(text)} series")
    only = set(text) ^ set(protobuf)
    check(not only, f"{peer}: {len(only)} series are in one form only: {sorted(only)[:3]}")
    # Most values stand still between two scrapes.
    equal = sum(text[labels] == protobuf[labels] or text[labels] != text[labels] for labels in text)
    check(equal > len(text) / 2, f"{peer}: {equal} of {len(text)} values are equal")
    metadata = [
        {row["metric"]: (row["type"], row["help"]) for row in api(
            server, "targets/metadata", match_target=f'{{job="{peer}-{form}"}}')}
        for form in FORMS]
    wrong = [name for name in {**metadata[0], **metadata[1]} if metadata[0].get(name) != metadata[1].get(name)]
    check(not wrong, f"{peer}: metadata differ: {[(name, [m.get(name) for m in metadata]) for name in wrong[:3]]}")


def run(bench):
    peers = {"node": bench.start_node_exporter(), "prometheus": start_prometheus(bench)}
    jobs = "".join(
        JOB.format(peer=peer, form=form, protocol=protocol, port=process.port)
        for peer, process in peers.items() for form, protocol in FORMS.items())
    # Hearth itself speaks it, too.
    port = free_port()
    jobs += "".join(
        JOB.format(peer="hearth", form=form, protocol=protocol, port=port) for form, protocol in FORMS.items())
    config = bench.write_config(f"global:\n  scrape_interval: 1s\nscrape_configs:{jobs}")
    server = bench.start_hearth(config, port=port)

    def scraped():
        return all(
            query(server, f'count_over_time(up{{job="{peer}-{form}"}}[1m]) > 3') and
            query(server, f'up{{job="{peer}-{form}"}} == 1')
            for peer in [*peers, "hearth"] for form in FORMS)

    wait_until("all targets to be scraped", scraped, 30)
    for peer in [*peers, "hearth"]:
        # A series that has just begun is in one scrape and not yet in the other.
        wait_until(f"the forms of {peer} to agree", lambda peer=peer: agrees(server, peer), 20)
        check_same(server, peer)


def agrees(server, peer):
    text, protobuf = (set(series(server, f"{peer}-{form}")) for form in FORMS)
    return text == protobuf
