import SelfMetrics

/// `prometheus_http_*`. Each route has its series from the start, so that `increase()` sees the first request.
struct RequestMetrics: Sendable {
    private struct Handler: Sendable {
        var pattern: String
        var duration: Histogram
        var responseBytes: Histogram
    }

    private let registry: MetricsRegistry
    private let handlers: [Handler]

    init(_ registry: MetricsRegistry, patterns: [String]) {
        self.registry = registry
        handlers = patterns.map { pattern in
            let labels = [("handler", pattern)]
            return Handler(
                pattern: pattern,
                duration: registry.histogram(
                    "prometheus_http_request_duration_seconds", "Histogram of latencies for HTTP requests.", labels,
                    buckets: [0.1, 0.2, 0.4, 1, 3, 8, 20, 60, 120]),
                responseBytes: registry.histogram(
                    "prometheus_http_response_size_bytes", "Histogram of response size for HTTP requests.", labels,
                    buckets: [100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]))
        }
        for pattern in patterns { _ = counter(pattern, status: 200) }
    }

    private func counter(_ pattern: String, status: Int) -> Counter {
        registry.counter(
            "prometheus_http_requests_total", "Counter of HTTP requests.",
            [("code", String(status)), ("handler", pattern)])
    }

    /// - Parameter route: an index into the patterns; nil for a path without a route, which is not counted.
    func observe(route: Int?, status: Int, duration: Duration, bytes: Int) {
        guard let route, handlers.indices.contains(route) else { return }
        let handler = handlers[route]
        counter(handler.pattern, status: status).increment()
        handler.duration.observe(duration / .seconds(1))
        handler.responseBytes.observe(Double(bytes))
    }
}

/// What the server says about itself as a whole.
enum ServerMetrics {
    static func register(_ services: APIServices) {
        let build = services.build
        let architecture: String
        #if arch(arm64)
            architecture = "arm64"
        #else
            architecture = "amd64"
        #endif
        services.registry.gauge(
            "prometheus_build_info",
            "A metric with a constant '1' value labeled by version, revision, branch, goversion from which prometheus "
                + "was built, and the goos and goarch for the build.",
            [
                ("branch", build.branch), ("goarch", architecture), ("goos", "linux"), ("goversion", build.goVersion),
                ("revision", build.revision), ("tags", ""), ("version", build.version),
            ]
        ).set(1)
        services.registry.gauge(
            "hearth_build_info", "A metric with a constant '1' value labeled by the version of Hearth.",
            [("version", build.hearthVersion)]
        ).set(1)
        let ready = services.registry.gauge(
            "prometheus_ready",
            "Whether Prometheus startup was fully completed and the server is ready for normal "
                + "operation.")
        services.registry.onCollect { ready.set(services.readiness() == .ready ? 1 : 0) }
    }
}
