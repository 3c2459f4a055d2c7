import ByteCoding
import SeriesModel
import Synchronization
import TestSupport

@testable import RemoteStorage

/// A receiver on loopback that decodes what comes, and answers as a test wishes.
final class TestReceiver: Sendable {
    struct Request: Sendable {
        var headers: [String: String]
        var decoded: DecodedRequest
    }

    /// What a test decides on: how manieth request it is, from 0, and its content.
    typealias Answer = @Sendable (Int, Request) -> LoopbackServer.Reply

    static let accepted = LoopbackServer.Reply.answer(status: "204 No Content", body: [])

    private struct State {
        /// All that came, refused ones among them.
        var requests: [Request] = []
        /// Those that were answered with a status of success.
        var stored: [Request] = []
        var malformedCount = 0
    }

    private let state = Mutex(State())
    private let answer: Answer
    private let server = Mutex<LoopbackServer?>(nil)

    private init(_ answer: @escaping Answer) { self.answer = answer }

    static func start(_ answer: @escaping Answer = { _, _ in TestReceiver.accepted }) async throws -> TestReceiver {
        let receiver = TestReceiver(answer)
        let server = try await LoopbackServer.start { [receiver] in receiver.take($0) }
        receiver.server.withLock { $0 = server }
        return receiver
    }

    private func take(_ request: LoopbackServer.Request) -> LoopbackServer.Reply {
        let isFirst = request.headers["content-type"] == "application/x-protobuf"
        guard let message = try? Snappy.decompress(request.body, sizeMax: 1 << 24),
            let decoded = try? isFirst ? DecodedRequest.version1(message) : DecodedRequest.version2(message)
        else {
            state.withLock { $0.malformedCount += 1 }
            return .answer(status: "400 Bad Request", body: Array("malformed".utf8))
        }
        let found = Request(headers: request.headers, decoded: decoded)
        let number = state.withLock { state in
            state.requests.append(found)
            return state.requests.count - 1
        }
        let reply = answer(number, found)
        if case .answer(let status, _, _) = reply, status.hasPrefix("2") { state.withLock { $0.stored.append(found) } }
        return reply
    }

    var url: String { server.withLock { $0 }?.url("/api/v1/write") ?? "" }
    var requests: [Request] { state.withLock { $0.requests } }
    var stored: [Request] { state.withLock { $0.stored } }
    var malformedCount: Int { state.withLock { $0.malformedCount } }

    /// Floats of each series in the order in which they were stored.
    var samples: [LabelSet: [(Timestamp, Double)]] {
        var samples: [LabelSet: [(Timestamp, Double)]] = [:]
        for request in stored {
            for series in request.decoded.series {
                for case .float(let time, let value) in series.samples {
                    samples[series.labels, default: []].append((time, value))
                }
            }
        }
        return samples
    }

    var sampleCount: Int { samples.values.reduce(0) { $0 + $1.count } }

    func times(of labels: LabelSet) -> [Timestamp] { samples[labels]?.map(\.0) ?? [] }

    func stop() async { await server.withLock { $0 }?.stop() }
}
