import SeriesModel

/// The numbers of a make-believe backend: traffic by handler and status, latencies, a connection pool, a cache,
/// WebSockets, tickets and log-ins, moved on second by second. A value: the server around it holds the clock.
struct SimulatedBackend {
    private struct Handler {
        let path: String
        let method: String
        /// Requests a second at midday.
        let rate: Double
        /// Seconds.
        let medianLatency: Double
    }

    private struct Traffic {
        var total: [String: Double] = ["2xx": 0, "4xx": 0, "5xx": 0]
        var latency = ClassicHistogram(bounds: [0.1, 0.5, 1])
    }

    private static let handlers = [
        Handler(path: "/api/v1/requests", method: "GET", rate: 9, medianLatency: 0.05),
        Handler(path: "/api/v1/requests", method: "POST", rate: 2, medianLatency: 0.12),
        Handler(path: "/api/v1/tickets", method: "GET", rate: 6, medianLatency: 0.04),
        Handler(path: "/api/v1/users", method: "GET", rate: 4, medianLatency: 0.03),
        Handler(path: "/api/v1/auth/login", method: "POST", rate: 1, medianLatency: 0.2),
    ]
    /// The resolution of the instrumentator's high-resolution histogram.
    private static let highResolution: [Double] = [
        0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 7.5, 10, 30, 60,
    ]
    private static let categories = ["hardware", "software", "network"]

    private var random = DemoRandom(seed: 42)
    private var seconds = 0.0
    private var traffic = [Traffic](repeating: Traffic(), count: handlers.count)
    private var highr = ClassicHistogram(bounds: highResolution)
    private var tickets = [Double](repeating: 0, count: categories.count)
    private var logins: [String: Double] = ["success": 0, "failure": 0]
    private var sockets: [String: Double] = ["success": 0, "error": 0]
    private var cache: [String: Double] = ["hit": 0, "miss": 0]
    private var checkouts = 0.0
    private var poolOut = 5.0
    private var activeSockets = 40.0
    private var queries = ClassicHistogram(bounds: [1, 5, 10, 50, 100, 500, 1000])

    static let poolSize = 20.0

    /// Moves on by one second.
    mutating func tick() {
        seconds += 1
        let incidents = Incident.active(at: seconds)
        let load = 1 + 0.3 * DemoRandom.wave(seconds, period: 90)
        for index in Self.handlers.indices { serve(index, load: load, incidents) }
        let usesPool = incidents.contains(.exhaustedPool) ? 19.4 : 6 + 2 * DemoRandom.wave(seconds, period: 60)
        poolOut += (usesPool - poolOut) * 0.5
        activeSockets += (random.unit() - 0.5) * 3
        activeSockets = min(max(activeSockets, 10), 80)
        sockets["success", default: 0] += Double(random.events(mean: 3))
        sockets["error", default: 0] += Double(random.events(mean: incidents.contains(.brokenSockets) ? 25 : 0.05))
        if !incidents.contains(.noTickets) {
            for index in tickets.indices { tickets[index] += Double(random.events(mean: 0.4)) }
        }
    }

    private mutating func serve(_ index: Int, load: Double, _ incidents: Set<Incident.Kind>) {
        let handler = Self.handlers[index]
        let slowness = incidents.contains(.latencySpike) ? 120.0 : 1
        for _ in 0..<random.events(mean: handler.rate * load) {
            let latency = min(random.latency(median: handler.medianLatency) * slowness, 40)
            traffic[index].latency.observe(latency)
            highr.observe(latency)
            let dice = random.unit()
            let errors = incidents.contains(.errorBurst) ? 0.25 : 0.002
            let status = dice < errors ? "5xx" : dice < errors + 0.03 ? "4xx" : "2xx"
            traffic[index].total[status, default: 0] += 1
            touch(incidents)
            if handler.path.hasSuffix("login") {
                let fails = random.unit() < (incidents.contains(.failedLogins) ? 0.6 : 0.05)
                logins[fails ? "failure" : "success", default: 0] += 1
            }
        }
    }

    /// What every request does to the cache and the database.
    private mutating func touch(_ incidents: Set<Incident.Kind>) {
        let hits = random.unit() < (incidents.contains(.coldCache) ? 0.4 : 0.92)
        cache[hits ? "hit" : "miss", default: 0] += 1
        if !hits {
            checkouts += 1
            queries.observe(random.latency(median: 6))
        }
    }
}

// MARK: - Exposition

extension SimulatedBackend {
    /// The body of `/metrics`.
    func exposition(process: ProcessFigures) -> String {
        var text = MetricText()
        writeHTTP(to: &text)
        writeBusiness(to: &text)
        writeDatabase(to: &text)
        writeCacheAndSockets(to: &text)
        process.write(to: &text)
        return text.finish()
    }

    private func writeHTTP(to text: inout MetricText) {
        text.family("http_requests_total", "counter", "Total number of requests by method, status and handler.")
        for (handler, traffic) in zip(Self.handlers, traffic) {
            for (status, count) in traffic.total.sorted(by: { $0.key < $1.key }) {
                let labels = [("handler", handler.path), ("method", handler.method), ("status", status)]
                text.sample("http_requests_total", labels, count)
            }
        }
        text.family("http_request_duration_seconds", "histogram", "Latency with only few buckets by handler.")
        for (handler, traffic) in zip(Self.handlers, traffic) {
            let labels = [("handler", handler.path), ("method", handler.method)]
            traffic.latency.write("http_request_duration_seconds", labels, to: &text)
        }
        text.family("http_request_duration_highr_seconds", "histogram", "Latency with many buckets, no labels.")
        highr.write("http_request_duration_highr_seconds", [], to: &text)
    }

    private func writeBusiness(to text: inout MetricText) {
        text.family("ticket_created_total", "counter", "Tickets created.")
        for (category, count) in zip(Self.categories, tickets) {
            let labels = [("category", category), ("priority", "high"), ("created_by_role", "employee")]
            text.sample("ticket_created_total", labels, count)
        }
        text.family("auth_attempts_total", "counter", "Attempts to log in.")
        for (status, count) in logins.sorted(by: { $0.key < $1.key }) {
            text.sample("auth_attempts_total", [("method", "AD"), ("status", status)], count)
        }
    }

    private func writeDatabase(to text: inout MetricText) {
        text.single("db_pool_size", "gauge", "Total pool size.", Self.poolSize)
        text.single("db_pool_checked_out", "gauge", "Connections in use.", poolOut.rounded())
        text.single("db_pool_overflow", "gauge", "Overflow connections.", max(0, poolOut.rounded() - Self.poolSize))
        text.single("db_pool_checkouts_total", "counter", "Total checkouts.", checkouts)
        text.family("db_query_duration_ms", "histogram", "Query time, ms.")
        queries.write("db_query_duration_ms", [("query_type", "SELECT"), ("table", "requests")], to: &text)
    }

    private func writeCacheAndSockets(to text: inout MetricText) {
        text.family("cache_operations_total", "counter", "Cache operations.")
        for (status, count) in cache.sorted(by: { $0.key < $1.key }) {
            text.sample("cache_operations_total", [("operation", "get"), ("status", status)], count)
        }
        let coldness = Incident.active(at: seconds).contains(.coldCache) ? 0.4 : 0.92
        text.single("cache_hit_ratio", "gauge", "Hits among the newest look-ups.", coldness)
        text.family("websocket_active_connections", "gauge", "Open connections.")
        let labels = [("endpoint", "/chat"), ("client_type", "requester_app")]
        text.sample("websocket_active_connections", labels, activeSockets.rounded())
        text.family("websocket_connections_total", "counter", "Connections opened.")
        for (status, count) in sockets.sorted(by: { $0.key < $1.key }) {
            text.sample("websocket_connections_total", [("endpoint", "/ws/notifications"), ("status", status)], count)
        }
    }
}
