"""Debian's promtool and the prometheus-api-client package work against Hearth unchanged."""

import subprocess
import time

from harness import check, find_peer, python_environment, query, wait_until

CONFIG = """
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: backend
    static_configs:
      - targets: ["127.0.0.1:{app}"]
"""

CLIENT = """
import datetime, sys
from prometheus_api_client import PrometheusConnect
client = PrometheusConnect(url=sys.argv[1], disable_ssl=True)
assert client.check_prometheus_connection()
names = client.all_metrics()
assert "db_pool_size" in names and "up" in names, names
[row] = client.custom_query("db_pool_size")
assert row["value"][1] == "20", row
now = datetime.datetime.now()
rows = client.custom_query_range("db_pool_size", now - datetime.timedelta(seconds=10), now, "1")
assert rows and all(value == "20" for _, value in rows[0]["values"]), rows
assert client.get_label_values("job") == ["backend"]
current = client.get_current_metric_value("up", label_config={"job": "backend"})
assert current[0]["value"][1] == "1", current
"""


def promtool(*arguments):
    done = subprocess.run(
        [find_peer("promtool"), "query", *arguments], capture_output=True, text=True, timeout=30)
    check(done.returncode == 0, f"promtool query {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout


def run(bench):
    app = bench.start_backend()
    server = bench.start_hearth(bench.write_config(CONFIG.format(app=app.port)))
    wait_until("a few scrapes", lambda: query(server, "count_over_time(up[1m]) > 3"), 20)
    instance = f"127.0.0.1:{app.port}"

    text = promtool("instant", server.url, "db_pool_size")
    check(text.startswith("db_pool_size{") and " => 20 @[" in text, f"instant: {text}")
    now = int(time.time())
    text = promtool("range", "--step=1s", f"--start={now - 5}", f"--end={now}", server.url, "sum(up)")
    check("{} =>\n1 @[" in text, f"range: {text}")
    text = promtool("series", "--match=up", server.url)
    check(f'instance="{instance}"' in text and 'job="backend"' in text, f"series: {text}")
    text = promtool("labels", server.url, "job")
    check(text.split() == ["backend"], f"labels: {text}")

    done = subprocess.run(
        [python_environment(), "-c", CLIENT, server.url], capture_output=True, text=True, timeout=60)
    check(done.returncode == 0, f"prometheus-api-client: {done.stderr}")
