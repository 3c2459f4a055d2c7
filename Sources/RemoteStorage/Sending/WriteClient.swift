import ConfigTree
import OutboundHTTP
import SeriesModel
import Synchronization

/// Sends one request to a receiver and says what its answer means.
final class WriteClient: Sendable {
    /// What the receiver says that it has stored, in the headers of remote write 2.0.
    typealias Written = SampleRows.Counts

    struct Refusal: Sendable, Equatable {
        var reason: String
        var written = Written()
        /// Whether it is about what the request holds, and not about who asks, where and how.
        var blamesContent = false
    }

    enum Outcome: Sendable, Equatable {
        case accepted(Written)
        /// It will not take the request another time either.
        case refused(Refusal)
        /// It may take it later. Milliseconds, where it says when.
        case failed(String, retryAfter: Int64?)
        case cancelled
    }

    private let transport: any HTTPTransport
    private let clock: any WallClock
    private let userAgent: String
    /// Secrets in it may change while the queue runs.
    private let section: Mutex<RemoteWriteSection>

    /// As much of an answer's body is shown. Bytes
    private static let complaintMax = 1024
    /// Answers have no more to say. Bytes
    private static let bodyMax = 1 << 20

    init(_ section: RemoteWriteSection, transport: any HTTPTransport, clock: any WallClock, userAgent: String) {
        self.section = Mutex(section)
        self.transport = transport
        self.clock = clock
        self.userAgent = userAgent
    }

    func use(_ section: RemoteWriteSection) { self.section.withLock { $0 = section } }

    /// - Parameters:
    ///   - body: compressed.
    ///   - attempt: 0 for the first.
    func send(_ body: [UInt8], attempt: Int) async -> Outcome {
        let section = section.withLock { $0 }
        var request = OutboundRequest(
            .post, section.url.text, headers: headers(section, attempt), body: body, client: section.client,
            timeout: section.timeout, bodyBytesMax: WriteClient.bodyMax)
        request.shufflesAddresses = section.usesRoundRobinDNS
        // A decision is one however awkward the body beside it.
        request.statusSuffices = true
        do throws(OutboundError) {
            return outcome(of: try await transport.send(request), section)
        } catch {
            return error.kind == .cancelled && Task.isCancelled ? .cancelled : .failed(error.message, retryAfter: nil)
        }
    }

    private func headers(_ section: RemoteWriteSection, _ attempt: Int) -> [(name: String, value: String)] {
        let isFirst = section.message == .version1
        var headers = section.headers.map { (name: $0.name, value: $0.value) }
        headers.append(("Content-Encoding", "snappy"))
        headers.append(
            (
                "Content-Type",
                isFirst ? "application/x-protobuf" : "application/x-protobuf;proto=\(section.message.rawValue)"
            )
        )
        headers.append(("User-Agent", userAgent))
        headers.append(("X-Prometheus-Remote-Write-Version", isFirst ? "0.1.0" : "2.0.0"))
        if attempt > 0 { headers.append(("Retry-Attempt", String(attempt))) }
        return headers
    }

    private func outcome(of response: OutboundResponse, _ section: RemoteWriteSection) -> Outcome {
        let written = WriteClient.written(response)
        if (200..<300).contains(response.status) { return .accepted(written) }
        let complaint = response.statusError + WriteClient.firstLine(response.body)
        if response.status >= 500 || (response.status == 429 && section.queue.retriesOnRateLimit) {
            let wait = response.header("retry-after").flatMap {
                RetryAfter.milliseconds($0, now: clock.now())
            }
            return .failed(complaint, retryAfter: wait)
        }
        if response.status == 415 {
            return .refused(
                Refusal(
                    reason: "the receiver does not take \(section.message.rawValue): \(complaint)", written: written))
        }
        return .refused(
            Refusal(
                reason: complaint, written: written, blamesContent: [400, 409, 422].contains(response.status)))
    }

    /// What is no number counts as nothing.
    private static func written(_ response: OutboundResponse) -> Written {
        func number(_ kind: String) -> Int {
            max(0, response.header("x-prometheus-remote-write-\(kind)-written").flatMap { Int($0) } ?? 0)
        }
        return Written(
            samples: number("samples"), histograms: number("histograms"), exemplars: number("exemplars"))
    }

    /// The beginning of an answer's text, as far as its first line goes.
    private static func firstLine(_ body: [UInt8]) -> String {
        let line = body.prefix(complaintMax).prefix { $0 != 0x0A && $0 != 0x0D }
        return line.isEmpty ? "" : ": " + String(decoding: line, as: UTF8.self)
    }
}
