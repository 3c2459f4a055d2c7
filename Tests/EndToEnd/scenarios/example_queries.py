"""The six example queries of the monitoring set-up, against a FastAPI app that was made to do known things."""

import time

from harness import check, http, is_near, query, scalar_of, wait_until

CONFIG = """
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: backend
    static_configs:
      - targets: ["127.0.0.1:{app}"]
  - job_name: node
    static_configs:
      - targets: ["127.0.0.1:{node}"]
"""


def run(bench):
    app = bench.start_backend()
    node = bench.start_node_exporter()
    server = bench.start_hearth(bench.write_config(CONFIG.format(app=app.port, node=node.port)))
    wait_until("both targets to be up", lambda: query(server, "sum(up)") == {(): 2.0}, 20)

    # Steady traffic for long enough that rates have settled: 8 good and 2 bad requests a second.
    http("POST", app.url + "/do/tickets/10")
    http("POST", app.url + "/do/pool/15")
    http("GET", app.url + "/api/v1/broken")
    http("GET", app.url + "/api/v1/users")
    first = time.monotonic()
    users, broken = 1, 1
    while time.monotonic() - first < 20:
        for _ in range(4):
            http("GET", app.url + "/api/v1/users")
        http("GET", app.url + "/api/v1/broken")
        users, broken = users + 4, broken + 1
        time.sleep(0.4)
    http("GET", app.url + "/api/v1/tickets?delay=0.7")
    http("POST", app.url + "/do/tickets/30")
    wait_until(
        "the newest tickets to be scraped",
        lambda: scalar_of(server, "sum(ticket_created_total)") == 40.0, 10)

    total = query(server, 'http_requests_total{handler="/api/v1/users"}')
    check(list(total.values()) == [float(users)], f"{users} requests were made, seen: {total}")

    # 1. Request rate per endpoint.
    rates = query(server, "sum by (handler) (rate(http_requests_total[15s]))")
    users_rate = rates.get((("handler", "/api/v1/users"),))
    broken_rate = rates.get((("handler", "/api/v1/broken"),))
    check(users_rate and 3 < users_rate < 12, f"rate of users: {rates}")
    check(broken_rate and is_near(users_rate / broken_rate, 4, 0.25), f"four users for each broken one: {rates}")

    # 2. Error percentage. (The instrumentator groups statuses as 2xx, 5xx.)
    share = scalar_of(
        server, 'sum(rate(http_requests_total{status=~"5.."}[15s])) / sum(rate(http_requests_total[15s])) * 100')
    check(is_near(share, 20, 0.3), f"a fifth of the requests fail, seen {share} %")

    # 3. P95 latency by handler.
    latency = query(
        server,
        "histogram_quantile(0.95, sum(rate(http_request_duration_seconds_bucket[30s])) by (le, handler))")
    slow = latency.get((("handler", "/api/v1/tickets"),))
    quick = latency.get((("handler", "/api/v1/users"),))
    check(quick is not None and 0 < quick <= 0.1, f"users answer in milliseconds: {latency}")
    check(slow is None or slow != slow or slow > 0.5, f"the ticket list took 0.7 s: {latency}")

    # 4. Active WebSocket connections.
    sockets = query(server, "sum by (endpoint) (websocket_active_connections)")
    check(
        sockets == {(("endpoint", "/chat"),): 7.0, (("endpoint", "/ws/notifications"),): 3.0}, f"sockets: {sockets}")

    # 5. Tickets created per hour.
    tickets = scalar_of(server, "sum(rate(ticket_created_total[1h])) * 3600")
    check(tickets is not None and 25 < tickets < 60, f"30 tickets in the window, extrapolated: {tickets}")

    # 6. Database pool utilisation.
    pool = query(server, "(db_pool_checked_out / db_pool_size) * 100")
    check(list(pool.values()) == [75.0], f"15 of 20 connections: {pool}")

    # The node exporter's metrics, with types and help.
    check(scalar_of(server, "count(node_cpu_seconds_total) > bool 0") == 1.0, "node metrics")
