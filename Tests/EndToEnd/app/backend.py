"""The backend under watch: a FastAPI app instrumented as the monitoring set-up that users have today.

Besides what `prometheus-fastapi-instrumentator` and `prometheus-client` export by themselves it defines the custom
metrics (tickets, authentication, database pool, cache, WebSockets). Routes under `/do` make it do things, so that a
test knows what the numbers must be. Every scrape of `/metrics` is numbered in `scrapes_answered_total`.
"""

import asyncio

from fastapi import FastAPI, HTTPException, Response
from prometheus_client import Counter, Gauge, Histogram
from prometheus_fastapi_instrumentator import Instrumentator

app = FastAPI()

TICKETS = Counter("ticket_created", "Tickets created.", ["category", "priority", "created_by_role"])
AUTH = Counter("auth_attempts", "Attempts to log in.", ["method", "status"])
AUTH_DURATION = Histogram("auth_duration_ms", "Time to log in, ms.", ["method"])
POOL_SIZE = Gauge("db_pool_size", "Total pool size.")
POOL_OUT = Gauge("db_pool_checked_out", "Connections in use.")
POOL_OVERFLOW = Gauge("db_pool_overflow", "Overflow connections.")
QUERIES = Counter("db_queries", "Queries.", ["query_type", "status"])
CACHE_OPERATIONS = Counter("cache_operations", "Cache operations.", ["operation", "status"])
CACHE_HIT_RATIO = Gauge("cache_hit_ratio", "Hits among look-ups, 0.0 to 1.0.")
WS_ACTIVE = Gauge("websocket_active_connections", "Open connections.", ["endpoint", "client_type"])
WS_TOTAL = Counter("websocket_connections", "Connections opened.", ["endpoint", "status"])
SESSIONS = Gauge("active_user_sessions", "Sessions.", ["role"])
SCRAPES = Counter("scrapes_answered", "Scrapes that this app has answered, this one included.")

POOL_SIZE.set(20)
POOL_OUT.set(5)
POOL_OVERFLOW.set(0)
CACHE_HIT_RATIO.set(0.9)
WS_ACTIVE.labels("/chat", "requester_app").set(7)
WS_ACTIVE.labels("/ws/notifications", "agent_app").set(3)
SESSIONS.labels("agent").set(4)


@app.middleware("http")
async def number_scrapes(request, call_next):
    if request.url.path == "/metrics":
        SCRAPES.inc()
    return await call_next(request)


@app.get("/api/v1/users")
async def users():
    return {"users": []}


@app.get("/api/v1/tickets")
async def tickets(delay: float = 0.0):
    await asyncio.sleep(min(delay, 5.0))
    return {"tickets": []}


@app.get("/api/v1/broken")
async def broken():
    raise HTTPException(status_code=500, detail="as asked")


@app.post("/do/tickets/{count}")
async def make_tickets(count: int):
    TICKETS.labels("hardware", "high", "employee").inc(count)
    return {"made": count}


@app.post("/do/pool/{checked_out}")
async def set_pool(checked_out: int):
    POOL_OUT.set(checked_out)
    return {"checked_out": checked_out}


@app.post("/do/auth/{status}/{count}")
async def make_auth(status: str, count: int):
    AUTH.labels("AD", status).inc(count)
    return {"made": count}


@app.get("/health")
async def health():
    return Response("ok")


Instrumentator(excluded_handlers=["/metrics"]).instrument(app).expose(app)
