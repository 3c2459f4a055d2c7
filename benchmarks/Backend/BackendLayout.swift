package import SeriesModel

/// What one instance of the backend exports: 500 series in a fixed order, most of them in groups whose values belong
/// together. Half of them are histogram buckets, as with the FastAPI instrumentator.
package enum BackendLayout {
    package static let seriesPerInstance = 500
    static let bounds = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "+Inf"]
    static let statuses = ["2xx", "4xx", "5xx"]
    static let modes = ["idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user"]
    static let cpuTotal = 4
    static let workerTotal = 2

    static let handlers: [(path: String, method: String)] = {
        let paths = [
            "/api/v1/tickets", "/api/v1/tickets/{id}", "/api/v1/requests", "/api/v1/requests/{id}", "/api/v1/users",
            "/api/v1/users/{id}", "/api/v1/auth/login", "/api/v1/auth/refresh", "/api/v1/assets", "/api/v1/reports",
        ]
        return paths.flatMap { path in [(path, "GET"), (path, path.hasSuffix("{id}") ? "PATCH" : "POST")] }
    }()

    /// A run of series with one kind of values.
    package enum Group {
        /// For a handler: requests by status, buckets by bound, sum, count.
        case requests(handler: Int)
        /// Seconds of one CPU by mode; they add up to the time that went by.
        case cpu
        /// A counter of whole numbers with `mean` per step.
        case counter(mean: Double)
        /// A walk over whole numbers in 0...`most`.
        case level(most: Double)
        /// Bytes, in pages.
        case bytes
        /// A walk with full precision.
        case measurement
        case constant(Double)
        /// A counter whose series is replaced by another one from time to time.
        case worker(slot: Int)

        package var seriesTotal: Int {
            switch self {
            case .requests: statuses.count + bounds.count + 2
            case .cpu: modes.count
            case .counter, .level, .bytes, .measurement, .constant, .worker: 1
            }
        }
    }

    /// The groups of an instance with their series; the order of the series is that of their values.
    package static func groups(instance: Int) -> [(group: Group, series: [LabelSet])] {
        var all: [(group: Group, series: [LabelSet])] = []
        func add(_ group: Group, _ name: String, _ labels: [(String, String)] = []) {
            all.append((group, [series(name, instance: instance, labels)]))
        }
        for handler in handlers.indices { all.append((.requests(handler: handler), requests(handler, instance))) }
        for cpu in 0..<cpuTotal { all.append((.cpu, self.cpu(cpu, instance))) }
        for endpoint in ["/chat", "/ws/notifications", "/ws/tickets", "/ws/agents", "/ws/status"] {
            for client in ["requester_app", "agent_app"] {
                let labels = [("endpoint", endpoint), ("client_type", client)]
                add(.level(most: 400), "websocket_active_connections", labels)
            }
        }
        for category in ["hardware", "software", "network", "access"] {
            for priority in ["low", "medium", "high"] {
                let labels = [("category", category), ("priority", priority), ("created_by_role", "employee")]
                add(.counter(mean: 0.2), "ticket_created_total", labels)
            }
        }
        add(.constant(20), "db_pool_size")
        add(.level(most: 20), "db_pool_checked_out")
        add(.level(most: 5), "db_pool_overflow")
        for type in ["SELECT", "INSERT", "UPDATE", "DELETE"] {
            add(.counter(mean: 60), "db_queries_total", [("query_type", type), ("status", "success")])
        }
        for operation in ["get", "set", "delete"] {
            for status in ["hit", "miss"] {
                add(.counter(mean: 25), "cache_operations_total", [("operation", operation), ("status", status)])
            }
        }
        for method in ["AD", "password"] {
            for status in ["success", "failure"] {
                add(.counter(mean: 0.6), "auth_attempts_total", [("method", method), ("status", status)])
            }
        }
        add(.counter(mean: 3), "process_cpu_seconds_total")
        add(.bytes, "process_resident_memory_bytes")
        add(.bytes, "process_virtual_memory_bytes")
        add(.level(most: 90), "process_open_fds")
        add(.constant(1_763_900_000.25), "process_start_time_seconds")
        add(.constant(1), "up")
        let version = instance.isMultiple(of: 3) ? "2.4.1" : "2.4.0"
        add(.constant(1), "app_info", [("version", version), ("region", instance.isMultiple(of: 2) ? "eu" : "us")])
        for slot in 0..<workerTotal { all.append((.worker(slot: slot), [worker(slot, generation: 0, instance)])) }
        let rest = seriesPerInstance - all.reduce(0) { $0 + $1.series.count }
        for component in 0..<max(0, rest) {
            add(.measurement, "app_gauge", [("component", component < 10 ? "c0\(component)" : "c\(component)")])
        }
        return all
    }

    private static func series(_ name: String, instance: Int, _ labels: [(String, String)]) -> LabelSet {
        let number = instance < 10 ? "0\(instance)" : "\(instance)"
        let common = [(Label.metricName, name), (Label.instance, "backend-\(number):8000"), (Label.job, "backend")]
        return LabelSet((common + labels).map { Label($0.0, $0.1) })
    }

    package static func worker(_ slot: Int, generation: Int, _ instance: Int) -> LabelSet {
        series("worker_jobs_total", instance: instance, [("worker", "w\(slot)-\(generation)")])
    }

    private static func requests(_ handler: Int, _ instance: Int) -> [LabelSet] {
        let (path, method) = handlers[handler]
        let labels = [("handler", path), ("method", method)]
        let duration = "http_request_duration_seconds"
        return statuses.map { series("http_requests_total", instance: instance, labels + [("status", $0)]) }
            + bounds.map { series(duration + "_bucket", instance: instance, labels + [("le", $0)]) }
            + [
                series(duration + "_sum", instance: instance, labels),
                series(duration + "_count", instance: instance, labels),
            ]
    }

    private static func cpu(_ cpu: Int, _ instance: Int) -> [LabelSet] {
        modes.map { series("node_cpu_seconds_total", instance: instance, [("cpu", "\(cpu)"), ("mode", $0)]) }
    }
}
