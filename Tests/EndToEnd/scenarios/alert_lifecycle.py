"""BackendServiceDown goes pending, fires, arrives in Alertmanager, and resolves when the app is back."""

from harness import api, check, get_json, query, wait_until

CONFIG = """
global:
  scrape_interval: 1s
  scrape_timeout: 1s
  evaluation_interval: 1s
  external_labels:
    site: e2e
rule_files: [rules.yml]
alerting:
  alertmanagers:
    - static_configs:
        - targets: ["127.0.0.1:{alertmanager}"]
scrape_configs:
  - job_name: backend
    static_configs:
      - targets: ["127.0.0.1:{app}"]
"""

RULES = """
groups:
  - name: backend
    rules:
      - alert: BackendServiceDown
        expr: up{job="backend"} == 0
        for: 4s
        labels: {severity: critical}
        annotations:
          summary: "{{ $labels.instance }} is down"
"""


def states(server):
    return [alert["state"] for alert in api(server, "alerts")["alerts"]]


def delivered(alertmanager):
    alerts = get_json(alertmanager.url + "/api/v2/alerts?active=true&silenced=false&inhibited=false")
    return [alert for alert in alerts if alert["labels"]["alertname"] == "BackendServiceDown"]


def run(bench):
    app = bench.start_backend()
    alertmanager = bench.start_alertmanager()
    bench.write_config(RULES, "rules.yml")
    config = bench.write_config(CONFIG.format(app=app.port, alertmanager=alertmanager.port))
    server = bench.start_hearth(config, "--rules.alert.resend-delay=2s")
    wait_until("the app to be up", lambda: query(server, 'up{job="backend"} == 1'), 15)
    check(states(server) == [], "nothing is wrong yet")

    app.stop()
    wait_until("the alert to be pending", lambda: states(server) == ["pending"], 10)
    check(not delivered(alertmanager), "a pending alert is not sent")
    wait_until("the alert to fire", lambda: states(server) == ["firing"], 15)
    alert = wait_until("the alert in Alertmanager", lambda: delivered(alertmanager), 10)[0]
    check(alert["labels"]["severity"] == "critical" and alert["labels"]["site"] == "e2e", f"labels: {alert}")
    check(alert["annotations"]["summary"] == f"127.0.0.1:{app.port} is down", f"annotations: {alert}")
    check("/graph?g0.expr=up" in alert["generatorURL"], f"link: {alert}")
    check(query(server, 'ALERTS{alertname="BackendServiceDown",alertstate="firing"}'), "the ALERTS series")
    known = api(server, "alertmanagers")["activeAlertmanagers"]
    check(known == [{"url": f"{alertmanager.url}/api/v2/alerts"}], f"alertmanagers: {known}")

    bench.start_backend(port=app.port)
    wait_until("the alert to be gone", lambda: states(server) == [], 20)
    wait_until("Alertmanager to see it resolved", lambda: not delivered(alertmanager), 20)
