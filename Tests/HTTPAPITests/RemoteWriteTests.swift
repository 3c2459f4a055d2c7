import ByteCoding
import HTTPAPI
import Logging
import RemoteStorage
import SelfMetrics
import SeriesModel
import StorageAPI
import Synchronization
import Testing

@Suite("POST /api/v1/write")
struct RemoteWriteTests {
    private final class CountingStore: Appendable {
        let sampleCount = Mutex(0)
        let answer: @Sendable () throws -> AppendResult

        init(_ answer: @escaping @Sendable () throws -> AppendResult = { AppendResult() }) { self.answer = answer }

        func append(_ batch: SampleBatch) async throws -> AppendResult {
            sampleCount.withLock { $0 += batch.count }
            return try answer()
        }
    }

    private static func run(
        _ store: CountingStore, configure: @escaping (inout APIServices) -> Void = { _ in },
        _ body: (LoopbackClient) async throws -> Void
    ) async throws {
        try await TestServer.run { services in
            services.writeReceiver = WriteReceiver(
                storage: store, clock: services.clock, registry: services.registry,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            configure(&services)
        } _: { server in
            try await body(server.client)
        }
    }

    /// 1000 samples of one series.
    private static let request: [UInt8] = {
        var writer = WriteRequestWriter()
        writer.beginSeries(["__name__": "up", "job": "a"])
        for step in 0..<1000 { writer.append(TestServer.now + Int64(step) * 15, Double(step)) }
        writer.endSeries()
        return Snappy.compress(writer.bytes)
    }()

    private static let headers = ["Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"]

    private func post(
        _ client: LoopbackClient, _ body: [UInt8] = RemoteWriteTests.request, _ headers: [String: String] = headers
    ) async throws -> LoopbackClient.Response {
        var head = "POST /api/v1/write HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.count)\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        let request = Array((head + "\r\n").utf8) + body
        return try await client.withConnection { descriptor in
            try LoopbackClient.write(request, to: descriptor)
            return try LoopbackClient.readResponse(from: descriptor)
        }
    }

    @Test("stores what comes and answers 204 without a body")
    func stored() async throws {
        let store = CountingStore()
        try await RemoteWriteTests.run(store) { client in
            let response = try await post(client)
            #expect(response.status == 204)
            #expect(response.headers["content-length"] == nil)
            let features = try await client.get("/api/v1/features")
            #expect(features.text.contains("\"remote_write_receiver\":true"))
        }
        #expect(store.sampleCount.withLock { $0 } == 1000)
    }

    @Test("takes requests one after the other on a connection")
    func keepAlive() async throws {
        let store = CountingStore()
        try await RemoteWriteTests.run(store) { client in
            var head = "POST /api/v1/write HTTP/1.1\r\nHost: localhost\r\n"
            head += "Content-Length: \(RemoteWriteTests.request.count)\r\n\r\n"
            let request = Array(head.utf8) + RemoteWriteTests.request
            let statuses = try await client.withConnection { descriptor in
                try LoopbackClient.write(request + request, to: descriptor)
                return try LoopbackClient.readResponses(2, from: descriptor).map(\.status)
            }
            #expect(statuses == [204, 204])
        }
        #expect(store.sampleCount.withLock { $0 } == 2000)
    }

    @Test(
        "takes requests without headers, and with those of version 1.0",
        arguments: [
            [:], ["Content-Type": "application/x-protobuf"], ["Content-Encoding": "snappy"],
            ["Content-Type": "application/x-protobuf;proto=prometheus.WriteRequest"],
            ["Content-Type": "application/x-protobuf;charset=utf-8"],
        ] as [[String: String]])
    func accepted(headers: [String: String]) async throws {
        try await RemoteWriteTests.run(CountingStore()) { client in
            let response = try await post(client, RemoteWriteTests.request, headers)
            #expect(response.status == 204)
        }
    }

    @Test("answers 415 to another encoding or message, in upstream's words")
    func unsupported() async throws {
        let store = CountingStore()
        let cases = [
            (
                ["Content-Encoding": "zstd"],
                "zstd encoding (compression) is not accepted by this server; only snappy is acceptable\n"
            ),
            (
                ["Content-Type": "text/plain"],
                "expected application/x-protobuf as the first (media) part, got text/plain content-type\n"
            ),
            (
                ["Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"],
                "io.prometheus.write.v2.Request protobuf message is not accepted by this server; "
                    + "only accepts prometheus.WriteRequest\n"
            ),
        ]
        try await RemoteWriteTests.run(store) { client in
            for (headers, text) in cases {
                let response = try await post(client, RemoteWriteTests.request, headers)
                #expect(response.status == 415)
                #expect(response.text == text)
            }
            for type in ["application/x-protobuf;proto=x", "application/x-protobuf;proto", "application/x-protobuf;"] {
                #expect(try await post(client, RemoteWriteTests.request, ["Content-Type": type]).status == 415)
            }
        }
        #expect(store.sampleCount.withLock { $0 } == 0)
    }

    @Test("answers 400 to bodies that cannot be decoded, and to those that would be too large")
    func malformed() async throws {
        try await RemoteWriteTests.run(CountingStore()) { client in
            let corrupt = try await post(client, Array("hello".utf8))
            #expect(corrupt.status == 400)
            #expect(corrupt.text == "snappy: corrupt input\n")
            #expect(corrupt.headers["content-type"] == "text/plain; charset=utf-8")
            let bomb = try await post(client, [0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0])
            #expect(bomb.status == 400)
            #expect(bomb.text == "decoded size exceeds the 33554432 bytes limit\n")
            let noMessage = try await post(client, Snappy.compress([0x0B, 0x01]))
            #expect(noMessage.status == 400)
        }
    }

    @Test("answers 413 to a body beyond the limit, announced or not, and closes")
    func tooLarge() async throws {
        try await RemoteWriteTests.run(CountingStore()) {
            $0.options.bodyBytesMax = 10_000
        } _: { client in
            let announced = try await client.exchange(
                "POST /api/v1/write HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10001\r\n\r\n")
            #expect(announced.status == 413)
            let part = "2000\r\n" + String(repeating: "x", count: 0x2000) + "\r\n"
            let chunked = try await client.exchange(
                "POST /api/v1/write HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + part + part)
            #expect(chunked.status == 413)
            #expect(chunked.headers["connection"] == "close")
        }
    }

    @Test("answers 400 with the reason where the store refuses the request, 500 where it fails")
    func refused() async throws {
        let refusing = CountingStore {
            var result = AppendResult()
            result.refusal = .init(sample: 0, reason: .outOfOrder)
            return result
        }
        try await RemoteWriteTests.run(refusing) { client in
            let response = try await post(client)
            #expect(response.status == 400)
            #expect(response.text == "out of order sample\n")
        }
        try await RemoteWriteTests.run(CountingStore { throw StorageError.closed }) { client in
            let response = try await post(client)
            #expect(response.status == 500)
            #expect(response.text == "storage is closed\n")
        }
    }

    @Test("has senders wait until the server is ready")
    func notReady() async throws {
        try await RemoteWriteTests.run(CountingStore()) {
            $0.readiness = { .starting }
        } _: { client in
            let response = try await post(client)
            #expect(response.status == 503)
        }
    }

    @Test("names its flag where it is off")
    func off() async throws {
        let response = try await post(try await TestServer.shared.client)
        #expect(response.status == 404)
        #expect(
            response.text == "remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n")
    }
}
