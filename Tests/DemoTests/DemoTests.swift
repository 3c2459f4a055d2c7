import Testing

@testable import Demo

@Suite struct DemoTests {
    @Test("the fast copy of rules has one unit less of time, and a label that tells it apart")
    func fastRules() {
        let copy = FastRules.copy(
            of: """
                groups:
                  - name: backend
                    interval: 1m
                    rules:
                      - alert: A
                        expr: rate(x_total[5m]) > 1 and y offset 1h
                        for: 10m
                """)
        #expect(
            copy == """
                groups:
                  - name: backend
                    labels:
                      pace: demo
                    interval: 5s
                    rules:
                      - alert: A
                        expr: rate(x_total[5s]) > 1 and y offset 1m
                        for: 10s

                """)
    }

    @Test("every kind of incident happens within a cycle, and each moment of calm comes back")
    func incidents() {
        let seen = (0..<Int(Incident.cycle)).map { Incident.active(at: Double($0)) }
        #expect(seen.reduce(into: Set<Incident.Kind>()) { $0.formUnion($1) } == Set(Incident.Kind.allCases))
        #expect(seen[5].isEmpty)
    }

    @Test("the simulated backend exports the metrics of the set-up, counters growing")
    func exposition() throws {
        var backend = SimulatedBackend()
        for _ in 0..<10 { backend.tick() }
        let early = backend.exposition(process: ProcessFigures())
        for _ in 0..<50 { backend.tick() }
        let late = backend.exposition(process: ProcessFigures())
        for name in [
            "http_requests_total{", "http_request_duration_seconds_bucket{",
            "http_request_duration_highr_seconds_bucket{",
            "ticket_created_total{", "auth_attempts_total{", "db_pool_size 20", "db_pool_checked_out ",
            "cache_hit_ratio ",
            "websocket_active_connections{", "websocket_connections_total{", "process_resident_memory_bytes ",
        ] { #expect(late.contains(name), "\(name)") }
        func count(_ text: String) throws -> Double {
            let line = try #require(
                text.split(separator: "\n").first { $0.hasPrefix("http_request_duration_highr_seconds_count") })
            return try #require(Double(line.split(separator: " ")[1]))
        }
        #expect(try count(late) > count(early))
    }
}
