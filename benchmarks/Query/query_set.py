"""The queries of the comparison, and what Hearth is to reach on each."""

from dataclasses import dataclass

RANGES = {"1h/15s": (3600, 15), "6h/30s": (6 * 3600, 30), "24h/60s": (24 * 3600, 60)}
SERIES_PER_INSTANCE = 500
# Queries end beside the full minute: on it a subquery's oldest step falls on the boundary of its range, which
# Prometheus 2 includes and 3 does not.
BESIDE_MINUTE = 7
# An instant query over that many series counts as a large one.
LARGE = 1000

RATES = "rate(http_requests_total[5m])"
ABSENT = 'absent(http_requests_total{handler="/nowhere"})'
REGEX = (
    'sum by (handler) (rate({__name__=~"http_request.*_(bucket|count)",handler=~".*(ticket|user|asset).*",'
    'method!~"DELETE|PATCH"}[5m]))')


@dataclass(frozen=True)
class Query:
    name: str
    text: str
    # Series that it selects of each instance.
    selects: int
    # What its time goes into: the evaluation, or the text of the answer.
    dominated_by: str = "evaluation"
    instant: bool = True
    ranges: tuple = tuple(RANGES)


QUERIES = [
    # The examples of the backend's monitoring set-up.
    Query("rate by handler", f"sum by (handler) ({RATES})", 60),
    Query("error percentage", f'sum(rate(http_requests_total{{status=~"5.."}}[5m])) / sum({RATES}) * 100', 60),
    Query(
        "P95 by handler",
        "histogram_quantile(0.95, sum(rate(http_request_duration_seconds_bucket[5m])) by (le, handler))", 240),
    Query("WebSocket by endpoint", "sum by (endpoint) (websocket_active_connections)", 10),
    Query("tickets per hour", "sum(rate(ticket_created_total[1h])) * 3600", 12),
    Query("pool utilisation", "(db_pool_checked_out / db_pool_size) * 100", 2),
    # Beyond them.
    Query("topk", "topk(10, rate(http_request_duration_seconds_sum[5m]))", 20),
    Query("quantile by handler", f"quantile by (handler) (0.95, {RATES})", 60),
    Query("count by name", 'count by (__name__) ({__name__=~".+"})', 500),
    Query("count everything", 'count({__name__=~".+"})', 500, ranges=("1h/15s",)),
    Query("regex-heavy selector", REGEX, 104),
    Query("CPU by mode", "sum by (mode) (rate(node_cpu_seconds_total[5m]))", 32),
    Query(
        "many-to-one join",
        f"sum by (version) ({RATES} * on (instance) group_left (version) app_info)", 61),
    Query("subquery", f"max_over_time(sum by (handler) ({RATES})[30m:1m])", 60),
    Query("max_over_time 1h", "max by (instance) (max_over_time(app_gauge[1h]))", 80),
    Query("max_over_time 1h, raw", "max_over_time(process_resident_memory_bytes[1h])", 1),
    Query("absent", ABSENT, 0, dominated_by="output"),
    Query("raw gauges", 'app_gauge{component=~"c0."}', 10, dominated_by="output"),
    Query("raw buckets", 'http_request_duration_seconds_bucket{handler="/api/v1/users"}', 24, dominated_by="output"),
]


@dataclass(frozen=True)
class Request:
    """One line of the table: a path with parameters and the goal that it falls under."""

    name: str
    form: str
    path: str
    parameters: tuple
    # Key of GOALS; None where only the value is shown.
    goal: str | None


@dataclass(frozen=True)
class Goal:
    text: str
    peer: str
    ratio: float


GOALS = {
    "range": Goal("range, evaluation dominates: 5 times faster than prometheus", "prometheus", 5),
    "output": Goal("range, output dominates: 2 times faster than prometheus", "prometheus", 2),
    "large instant": Goal("instant over 1,000 series and more: 4 times faster than prometheus", "prometheus", 4),
    "small instant": Goal("small instant: no slower than prometheus", "prometheus", 1),
    "look-up": Goal("look-up: no slower than prometheus", "prometheus", 1),
}
# Two prometheus of the same binary differ by a tenth: no slower is what lies within it.
NO_SLOWER = 0.9
# Over all ranges, by the geometric mean.
VICTORIA_RATIO = 2
# Hearth's growth of RSS as a share of prometheus'.
RSS_SHARE = 1 / 3


def requests(instances, hours, end):
    """All requests for data of so many hours that end at `end` (Unix seconds)."""
    end += BESIDE_MINUTE
    forms = [form for form, (seconds, _) in RANGES.items() if seconds <= hours * 3600]
    lines = []
    for query in QUERIES:
        if query.instant:
            is_large = query.selects * instances >= LARGE
            lines.append(Request(
                query.name, "instant", "/api/v1/query", (("query", query.text), ("time", str(end))),
                "large instant" if is_large else "small instant"))
    for form in forms:
        seconds, step = RANGES[form]
        for query in QUERIES:
            if form in query.ranges:
                parameters = (
                    ("query", query.text), ("start", str(end - seconds)), ("end", str(end)), ("step", str(step)))
                goal = "range" if query.dominated_by == "evaluation" else "output"
                lines.append(Request(query.name, form, "/api/v1/query_range", parameters, goal))
    span = (("start", str(end - int(hours * 3600))), ("end", str(end)))
    for name, path, match in [
        ("label names", "/api/v1/labels", None),
        ("values of handler", "/api/v1/label/handler/values", None),
        ("values of __name__", "/api/v1/label/__name__/values", None),
        ("values with a matcher", "/api/v1/label/instance/values", 'http_requests_total{status="5xx"}'),
        ("series of a metric", "/api/v1/series", "http_requests_total"),
        ("series of an instance", "/api/v1/series", '{instance="backend-03:8000"}'),
        ("series, all", "/api/v1/series", '{__name__=~".+"}'),
    ]:
        parameters = span + ((("match[]", match),) if match else ())
        lines.append(Request(name, "look-up", path, parameters, "look-up"))
    return lines
