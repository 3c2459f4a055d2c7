import Foundation
import HTTPAPI
import Logging
import SeriesModel
import StorageAPI
import Synchronization
import Testing

#if canImport(Glibc)
    import Glibc
#endif

@Suite("The HTTP server")
struct ServerTests {
    // MARK: Methods and paths

    @Test("a path that does not exist is a plain 404, never a page")
    func unknownPaths() async throws {
        let client = try await TestServer.shared.client
        for target in [
            "/api/v1/nothing", "/api/v2/query", "/api/", "/nothing", "/api/v1/query/", "/api/v1/label//values",
        ] {
            let response = try await client.post(target, "query=up")
            #expect(response.status == 404, "\(target)")
            #expect(response.text == "404 page not found\n")
            #expect(response.headers["content-type"] == "text/plain; charset=utf-8")
        }
    }

    @Test("a method that a path does not take is a 405 that names the others")
    func wrongMethods() async throws {
        let client = try await TestServer.shared.client
        let post = try await client.post("/api/v1/metadata", "limit=1")
        #expect(post.status == 405)
        #expect(post.headers["allow"] == "GET")
        let delete = try await client.send("DELETE", "/api/v1/query")
        #expect(delete.status == 405)
        #expect(delete.headers["allow"] == "GET, POST")
        let reload = try await client.get("/-/reload")
        #expect(reload.status == 405)
        #expect(reload.text == "Only POST or PUT requests allowed")
    }

    @Test("HEAD has the length of what GET would send, and no body")
    func head() async throws {
        let client = try await TestServer.shared.client
        for target in ["/-/healthy", "/-/ready", "/api/v1/labels"] {
            let whole = try await client.get(target)
            let head = try await client.send("HEAD", target)
            #expect(head.status == 200)
            #expect(head.headers["content-length"] == String(whole.body.count))
            #expect(head.body.isEmpty)
        }
    }

    @Test("OPTIONS is a 204 with the headers that a browser asks for")
    func preflight() async throws {
        let client = try await TestServer.shared.client
        let response = try await client.send("OPTIONS", "/api/v1/query", ["Origin": "http://example.org"])
        #expect(response.status == 204)
        #expect(response.headers["access-control-allow-origin"] == "*")
        #expect(response.headers["access-control-allow-methods"] == "GET, POST, OPTIONS")
        #expect(response.headers["access-control-allow-headers"] == "Accept, Authorization, Content-Type, Origin")
        #expect(response.headers["access-control-expose-headers"] == "Date")
        #expect(response.headers["vary"]?.contains("Origin") == true)
    }

    @Test("only origins that are allowed are told so")
    func origins() async throws {
        try await TestServer.run {
            $0.options.isOriginAllowed = { $0.hasSuffix(".example.org") }
        } _: { server in
            let friend = try await server.client.get("/api/v1/labels", ["Origin": "https://a.example.org"])
            #expect(friend.headers["access-control-allow-origin"] == "https://a.example.org")
            let stranger = try await server.client.get("/api/v1/labels", ["Origin": "https://example.com"])
            #expect(stranger.headers["access-control-allow-origin"] == nil)
            let nobody = try await server.client.get("/api/v1/labels")
            #expect(nobody.headers["access-control-allow-methods"] == nil)
        }
    }

    @Test("everything lies under the route prefix, and the root leads there")
    func routePrefix() async throws {
        try await TestServer.run {
            $0.options.routePrefix = "/metrics/here"
            $0.options.externalPath = "/metrics/here"
        } _: { server in
            let client = server.client
            #expect(try await client.get("/metrics/here/-/healthy").status == 200)
            #expect(try await client.get("/metrics/here/api/v1/labels").status == 200)
            #expect(try await client.get("/api/v1/labels").status == 404)
            #expect(try await client.get("/metrics/hereabouts").status == 404)
            let root = try await client.get("/")
            #expect(root.status == 302)
            #expect(root.headers["location"] == "/metrics/here/")
            #expect(try await client.get("/metrics/here/").headers["location"] == "/metrics/here/query")
        }
    }

    @Test("old links to graphs lead to the query page with all their parameters")
    func graphRedirect() async throws {
        let response = try await TestServer.shared.client.get("/graph?g0.expr=up&g0.tab=1")
        #expect(response.status == 302)
        #expect(response.headers["location"] == "/query?g0.expr=up&g0.tab=1")
    }

    // MARK: Readiness

    @Test("a server that is not ready says so, and answers only what does not need data")
    func notReady() async throws {
        let state = Mutex(Readiness.starting)
        try await TestServer.run {
            $0.readiness = { state.withLock { $0 } }
        } _: { server in
            let client = server.client
            let response = try await client.get("/api/v1/query?query=1")
            #expect(response.status == 503)
            #expect(response.text == "Service Unavailable")
            #expect(response.headers["x-prometheus-stopping"] == "false")
            #expect(try await client.get("/-/ready").status == 503)
            #expect(try await client.get("/-/healthy").status == 200)
            #expect(try await client.get("/api/v1/status/walreplay").status == 200)
            #expect(try await client.get("/api/v1/notifications").status == 200)
            #expect(try await client.get("/metrics").text.contains("\nprometheus_ready 0\n"))
            state.withLock { $0 = .stopping }
            #expect(try await client.get("/-/ready").headers["x-prometheus-stopping"] == "true")
            state.withLock { $0 = .ready }
            let ready = try await client.get("/-/ready")
            #expect(ready.status == 200)
            #expect(ready.text == "Prometheus Server is Ready.\n")
        }
    }

    // MARK: Connections

    @Test("a connection serves one request after the other, forms and streams too")
    func keepAlive() async throws {
        let client = try await TestServer.shared.client
        let statuses = try await client.withConnection { descriptor in
            var statuses: [Int] = []
            for round in 0..<30 {
                let form = "query=1%2B1&time=\(round)"
                let request =
                    round % 2 == 0
                    ? "GET /api/v1/query_range?query=up&start=1699998200&end=1700003600&step=1 HTTP/1.1\r\n"
                        + "Host: x\r\n\r\n"
                    : "POST /api/v1/query HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                        + "Content-Length: \(form.utf8.count)\r\n\r\n" + form
                try LoopbackClient.write(Array(request.utf8), to: descriptor)
                statuses.append(try LoopbackClient.readResponse(from: descriptor).status)
            }
            return statuses
        }
        #expect(statuses == [Int](repeating: 200, count: 30))
    }

    @Test("requests sent in one go are answered in order")
    func pipelining() async throws {
        let texts = try await TestServer.shared.client.withConnection { descriptor in
            let requests = (0..<5).map { "GET /api/v1/query?query=1%2B1&time=\($0) HTTP/1.1\r\nHost: x\r\n\r\n" }
            try LoopbackClient.write(Array(requests.joined().utf8), to: descriptor)
            return try LoopbackClient.readResponses(5, from: descriptor).map(\.text)
        }
        for (index, text) in texts.enumerated() { #expect(text.contains("[\(index),\"2\"]")) }
    }

    @Test("a client that waits for permission to send its body gets it")
    func expectContinue() async throws {
        let form = "query=1%2B1&time=4"
        let response = try await TestServer.shared.client.withConnection { descriptor in
            let head =
                "POST /api/v1/query HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                + "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: \(form.utf8.count)\r\n\r\n"
            try LoopbackClient.write(Array(head.utf8), to: descriptor)
            var interim = [UInt8](repeating: 0, count: 25)
            let count = recv(descriptor, &interim, interim.count, Int32(MSG_WAITALL))
            #expect(
                String(decoding: interim.prefix(max(0, count)), as: UTF8.self).hasPrefix("HTTP/1.1 100 Continue\r\n"))
            try LoopbackClient.write(Array(form.utf8), to: descriptor)
            return try LoopbackClient.readResponse(from: descriptor)
        }
        #expect(response.text.contains(#"[4,"2"]"#))
    }

    @Test("rubbish in place of a request is refused, and others are served as before")
    func rubbish() async throws {
        let client = try await TestServer.shared.client
        for raw in [
            "\u{16}\u{03}\u{01}rubbish\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "G\u{0}T / HTTP/1.1\r\n\r\n",
        ] {
            let response = try? await client.exchange(raw)
            #expect(response == nil || response?.status ?? 0 >= 400, "\(raw)")
        }
        #expect(try await client.get("/-/healthy").status == 200)
    }

    @Test("an address that is taken is an error that names it, and leaves nothing behind")
    func addressTaken() async throws {
        let port = try await TestServer.shared.client.port
        let error = await #expect(throws: ListenError.self) {
            try await TestServer.run(addresses: [ListenAddress(host: "127.0.0.1", port: port)]) { _ in }
        }
        #expect(error?.description.hasPrefix("cannot listen on 127.0.0.1:\(port): ") == true)
    }

    // MARK: Limits

    @Test("a body above the limit is refused, with and without a length")
    func bodyLimit() async throws {
        try await TestServer.run {
            $0.options.bodyBytesMax = 1000
        } _: { server in
            let form = "query=1%2B1&pad=" + String(repeating: "x", count: 2000)
            let announced = try await server.client.post("/api/v1/query", form)
            #expect(announced.status == 413)
            #expect(announced.headers["connection"] == "close")
            let type = "Content-Type: application/x-www-form-urlencoded\r\n"
            let head = "POST /api/v1/query HTTP/1.1\r\nHost: x\r\n\(type)Transfer-Encoding: chunked\r\n\r\n"
            let size = String(form.utf8.count, radix: 16)
            let chunked = try await server.client.exchange(head + "\(size)\r\n\(form)\r\n0\r\n\r\n")
            #expect(chunked.status == 413)
            #expect(try await server.client.post("/api/v1/query", "query=1%2B1").status == 200)
        }
    }

    @Test("a head above the limit is refused")
    func headLimit() async throws {
        try await TestServer.run {
            $0.options.headBytesMax = 4096
        } _: { server in
            let response = try? await server.client.get("/-/healthy", ["X-Long": String(repeating: "x", count: 10_000)])
            #expect(response == nil || response?.status ?? 0 >= 400)
            let after = try await server.client.get("/-/healthy")
            #expect(after.status == 200)
        }
    }

    @Test("a request that does not arrive in time is given up")
    func slowRequest() async throws {
        try await TestServer.run {
            $0.options.readTimeout = 200
        } _: { server in
            let ended = try await server.client.withConnection { descriptor in
                let head =
                    "POST /api/v1/query HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                    + "Content-Length: 100\r\n\r\nquery="
                try LoopbackClient.write(Array(head.utf8), to: descriptor)
                var byte: UInt8 = 0
                while recv(descriptor, &byte, 1, 0) > 0 {}
                return true
            }
            #expect(ended)
        }
    }

    // MARK: Gone and stopping

    @Test("a client that goes away stops its query", arguments: ["/api/v1/query?query=up", "/api/v1/labels"])
    func clientGone(target: String) async throws {
        let store = WaitingStore()
        try await TestServer.run(storage: store) { server in
            _ = try await server.client.withConnection { descriptor in
                let request = "GET \(target) HTTP/1.1\r\nHost: x\r\n\r\n"
                try LoopbackClient.write(Array(request.utf8), to: descriptor)
                #expect(store.waitUntil(\.isRunning, seconds: 10))
            }
            let isCancelled = await onThread { store.waitUntil(\.isCancelled, seconds: 10) }
            #expect(isCancelled)
        }
        #expect(store.state.isCancelled)
    }

    @Test("a stop lets a request under way finish")
    func gracefulStop() async throws {
        let store = WaitingStore()
        let answer = try await TestServer.run(storage: store) { server in
            let answer = Task { try await server.client.get("/api/v1/labels") }
            let isRunning = await onThread { store.waitUntil(\.isRunning, seconds: 10) }
            #expect(isRunning)
            Thread.detachNewThread {
                Thread.sleep(forTimeInterval: 0.2)
                store.finish()
            }
            return answer
        }
        let response = try await answer.value
        #expect(response.status == 200)
        #expect(response.text == #"{"status":"success","data":["done"]}"#)
        #expect(!store.state.isCancelled)
    }

    @Test("a stop cuts off what takes longer than the time it is given", .timeLimit(.minutes(2)))
    func boundedStop() async throws {
        // The store answers only when it is told to, or cancelled: without the cut this would never end.
        let store = WaitingStore()
        try await TestServer.run(storage: store, stopWithin: .milliseconds(300)) { server in
            _ = Task { try await server.client.get("/api/v1/labels") }
            let isRunning = await onThread { store.waitUntil(\.isRunning, seconds: 10) }
            #expect(isRunning)
        }
        #expect(store.state.isCancelled)
    }
}

/// Runs what blocks on a thread of its own.
private func onThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in
        Thread.detachNewThread { continuation.resume(returning: body()) }
    }
}

/// A store whose look-ups take until they are told to end, or are cancelled.
private final class WaitingStore: Queryable, Sendable {
    struct State: Sendable {
        var isRunning = false
        var isCancelled = false
        var isFinished = false
    }

    private let box = Mutex(State())

    var state: State { box.withLock { $0 } }

    func finish() { box.withLock { $0.isFinished = true } }

    func waitUntil(_ condition: any KeyPath<State, Bool> & Sendable, seconds: Double) -> Bool {
        let end = Date.now.addingTimeInterval(seconds)
        while Date.now < end {
            if state[keyPath: condition] { return true }
            Thread.sleep(forTimeInterval: 0.005)
        }
        return false
    }

    private func wait(_ cancellation: Cancellation) throws {
        box.withLock { $0.isRunning = true }
        while !state.isFinished {
            if cancellation.isCancelled {
                box.withLock { $0.isCancelled = true }
                throw CancellationError()
            }
            Thread.sleep(forTimeInterval: 0.005)
        }
    }

    func select(_ selections: [Selection], cancellation: Cancellation) throws -> [any SeriesSet] {
        try wait(cancellation)
        return []
    }

    func labelNames(matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation) throws -> [String] {
        try wait(cancellation)
        return ["done"]
    }

    func labelValues(
        of name: String, matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation
    ) throws -> [String] {
        []
    }

    func series(matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation) throws -> [LabelSet] { [] }
}
