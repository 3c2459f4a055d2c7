import Foundation
import HTTPAPI
import PromQLEngine
import SelfMetrics
import SeriesModel
import StorageAPI
import TestSupport
import Testing

/// What keeps one query from harming the others, seen from outside: each guard answers its error, and a second query
/// is answered meanwhile.
@Suite("Guards of queries")
struct QueryGuardTests {
    /// A server over a slow store. - Parameter configure: the engine.
    private static func run(
        _ configure: (inout EngineOptions) -> Void = { _ in },
        _ body: (_ server: TestServer, _ store: SlowStore) async throws -> Void
    ) async throws {
        let store = SlowStore()
        var options = EngineOptions()
        configure(&options)
        try await TestServer.run(
            storage: store,
            { services in
                services.engine = QueryEngine(storage: store, options: options, metrics: services.registry)
            }
        ) { try await body($0, store) }
    }

    /// The server still answers others.
    private static func expectAnswer(
        of client: LoopbackClient, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let quick = try await client.get("/api/v1/query?query=sum(quick)")
        #expect(quick.status == 200, sourceLocation: sourceLocation)
        #expect(quick.text.contains(#""value":[1700000000,"1"]"#), "\(quick.text)", sourceLocation: sourceLocation)
    }

    private static func expectError(
        _ response: LoopbackClient.Response, _ status: Int, _ type: String, _ message: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(response.status == status, sourceLocation: sourceLocation)
        #expect(response.headers["content-type"] == "application/json", sourceLocation: sourceLocation)
        let start = #"{"status":"error","errorType":""# + type + #"","error":""# + message
        #expect(response.text.hasPrefix(start), "\(response.text)", sourceLocation: sourceLocation)
    }

    // MARK: Time

    @Test("a query that runs longer than its timeout ends with 503")
    func timeoutOfTheQuery() async throws {
        try await Self.run { server, store in
            async let slow = server.client.get("/api/v1/query?query=sum(slow)&timeout=400ms")
            await store.hasBegun()
            try await Self.expectAnswer(of: server.client)
            Self.expectError(try await slow, 503, "timeout", "query timed out in expression evaluation")
            #expect(store.readCount < 100_000)
            try await server.expectNoQuery()
        }
    }

    @Test("--query.timeout holds for every query, and caps what the query asks for")
    func timeoutOfTheServer() async throws {
        try await Self.run({ $0.timeout = 400 }) { server, store in
            async let slow = server.client.get(
                "/api/v1/query_range?query=slow&start=1699999000&end=1700000000&step=10&timeout=1h")
            await store.hasBegun()
            try await Self.expectAnswer(of: server.client)
            Self.expectError(try await slow, 503, "timeout", "query timed out in expression evaluation")
            try await server.expectNoQuery()
        }
    }

    @Test("a client that goes away has its query stopped within a second, counted as 499")
    func clientGone() async throws {
        // Other tests share the processors: the first of several clients may wait for them, not for us.
        var taken = Duration.seconds(60)
        for _ in 0..<3 where taken >= .seconds(1) { taken = try await timeToStop() }
        #expect(taken < .seconds(1))
    }

    /// A client asks for something that takes for ever, and goes away. - Returns: how long its query goes on.
    private func timeToStop() async throws -> Duration {
        var taken = Duration.seconds(60)
        try await Self.run { server, store in
            let client = server.client
            let leave = DispatchSemaphore(value: 0)
            let left = Task {
                try await client.withConnection { descriptor in
                    let head = "GET /api/v1/query?query=sum(slow) HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    try LoopbackClient.write(Array(head.utf8), to: descriptor)
                    _ = leave.wait(timeout: .now() + 20)
                }
            }
            await store.hasBegun()
            #expect(server.metric("prometheus_engine_queries") == 1)
            try await Self.expectAnswer(of: client)
            let closed = ContinuousClock.now
            leave.signal()
            try await left.value
            try await server.expectNoQuery()
            taken = ContinuousClock.now - closed
            #expect(store.readCount < 100_000)
            let name = #"prometheus_http_requests_total{code="499",handler="/api/v1/query"}"#
            #expect(await eventually { server.metric(name) == 1 })
        }
        return taken
    }

    // MARK: Size

    @Test("a query that holds more than --query.max-samples ends with 422")
    func maxSamples() async throws {
        try await Self.run({ $0.maxSamples = 500 }) { server, store in
            async let slow = server.client.get("/api/v1/query?query=slow")
            await store.hasBegun()
            try await Self.expectAnswer(of: server.client)
            Self.expectError(
                try await slow, 422, "execution",
                "query processing would load too many samples into memory in query execution")
            #expect(store.readCount < 5000)
            try await server.expectNoQuery()
            try await Self.expectAnswer(of: server.client)
        }
    }

    @Test("a query that holds more than --query.max-memory ends with 422")
    func maxMemory() async throws {
        try await Self.run({ $0.maxMemory = 4 << 20 }) { server, store in
            async let slow = server.client.get(
                "/api/v1/query_range?query=slow&start=1699999000&end=1700000000&step=1")
            await store.hasBegun()
            try await Self.expectAnswer(of: server.client)
            Self.expectError(
                try await slow, 422, "execution",
                "query processing would use more than 4194304 bytes of memory in query execution")
            #expect(store.readCount < 5000)
            try await server.expectNoQuery()
            try await Self.expectAnswer(of: server.client)
        }
    }

    @Test("a text that is longer than allowed, or nested too deeply, is a 400")
    func textLimits() async throws {
        try await Self.run({ $0.maxQueryBytes = 5000 }) { server, store in
            async let slow = server.client.get("/api/v1/query?query=sum(slow)&timeout=1s")
            await store.hasBegun()
            let long = "query=" + String(repeating: "1%2B", count: 2500) + "1"
            Self.expectError(
                try await server.client.post("/api/v1/query", long), 400, "bad_data",
                #"invalid parameter \"query\": "#)
            let deep = String(repeating: "(", count: 600) + "1" + String(repeating: ")", count: 600)
            for endpoint in ["query", "format_query", "parse_query", "query_exemplars"] {
                let response = try await server.client.post(
                    "/api/v1/\(endpoint)?start=1&end=2", "query=" + deep)
                #expect(response.status == 400, "\(endpoint)")
                #expect(response.text.contains("expression is nested more than 500 levels deep"))
            }
            let chain = "query=" + String(repeating: "1%2B", count: 2000) + "1"
            let chained = try await server.client.post("/api/v1/query", chain)
            #expect(chained.text.contains("expression is nested more than 500 levels deep"))
            try await Self.expectAnswer(of: server.client)
            #expect(try await slow.status == 503)
        }
    }

    @Test("the deepest query that is allowed is answered, formatted and shown as a tree")
    func deepest() async throws {
        let client = try await TestServer.shared.client
        let deep = String(repeating: "(", count: 490) + "1" + String(repeating: ")", count: 490)
        for endpoint in ["query", "format_query", "parse_query"] {
            #expect(try await client.post("/api/v1/\(endpoint)", "query=" + deep).status == 200, "\(endpoint)")
        }
    }

    // MARK: Number

    @Test("queries beyond --query.max-concurrency wait for their turn, and time out waiting")
    func maxConcurrency() async throws {
        try await Self.run({ $0.maxConcurrency = 1 }) { server, store in
            let client = server.client
            // Runs until its client leaves.
            let leave = DispatchSemaphore(value: 0)
            let running = Task {
                try await client.withConnection { descriptor in
                    let head = "GET /api/v1/query?query=sum(slow) HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    try LoopbackClient.write(Array(head.utf8), to: descriptor)
                    _ = leave.wait(timeout: .now() + 60)
                }
            }
            await store.hasBegun()
            let waiting = Task { try await client.get("/api/v1/query?query=sum(quick)&stats=true") }
            let impatient = try await client.get("/api/v1/query?query=sum(quick)&timeout=100ms")
            Self.expectError(impatient, 503, "timeout", "query timed out in query queue")
            // What is no query does not wait.
            #expect(try await client.get("/api/v1/labels").text == #"{"status":"success","data":["n"]}"#)
            leave.signal()
            try await running.value
            let answer = try await waiting.value
            #expect(answer.status == 200)
            let queued = answer.text.firstMatch(of: #/"execQueueTime":([0-9.]+)/#).flatMap { Double($0.1) }
            #expect(try #require(queued) > 0.01)
            try await server.expectNoQuery()
        }
    }
}

extension TestServer {
    /// A value out of the server's own metrics; 0 where there is none.
    fileprivate func metric(_ name: String) -> Double {
        let line = registry.exposition().split(separator: "\n").first { $0.hasPrefix(name + " ") }
        return line.flatMap { $0.split(separator: " ").last }.flatMap { Double($0) } ?? 0
    }

    /// All queries are over, and have given back what they had.
    fileprivate func expectNoQuery(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let isOver = await eventually { metric("prometheus_engine_queries") == 0 }
        #expect(isOver, sourceLocation: sourceLocation)
    }
}
