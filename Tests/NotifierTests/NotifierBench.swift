import ConfigTree
import Logging
import Notifier
import OutboundHTTP
import Rules
import SelfMetrics
import SeriesModel
import Synchronization
import Testing

/// An HTTP client that answers as told and keeps what it was asked to send.
final class ScriptedTransport: HTTPTransport {
    struct Request: Sendable {
        var url: String
        var body: String
        var headers: [String]
    }

    private struct State {
        var requests: [Request] = []
        var statuses: [String: Int] = [:]
    }

    private let state = Mutex(State())

    /// The status for a URL from now on; 0 for a connection that fails.
    func answer(_ url: String, _ status: Int) { state.withLock { $0.statuses[url] = status } }

    var requests: [Request] { state.withLock { $0.requests } }

    func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundResponse {
        let status = state.withLock { state in
            state.requests.append(
                Request(
                    url: request.url, body: String(decoding: request.body, as: UTF8.self),
                    headers: request.headers.map { $0.name + ": " + $0.value }))
            return state.statuses[request.url] ?? 200
        }
        if status == 0 { throw OutboundError(.connection, "connection refused") }
        return OutboundResponse(status: status, reason: "R", headers: [], body: [])
    }
}

struct NotifierBench {
    let transport = ScriptedTransport()
    let clock = ManualClock(now: 0)
    let registry = MetricsRegistry()
    let outbox: MemoryOutbox
    let notifier: Notifier

    init(outbox: MemoryOutbox = MemoryOutbox(), options: NotifierOptions = NotifierOptions()) {
        self.outbox = outbox
        notifier = Notifier(
            transport: transport, outbox: outbox, clock: clock, registry: registry, options: options,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    func metric(_ name: String) -> Double? {
        let line = registry.exposition().split(separator: "\n").first { $0.hasPrefix(name + " ") }
        return line.flatMap { NumberText.parse(String($0.split(separator: " ").last ?? "")) }
    }

    static func section(_ yaml: String) throws -> AlertingSection {
        try AlertingSection(ConfigNode.parse(yaml, file: "c.yml"), baseDirectory: "/etc")
    }

    static func alert(_ name: String, endsAt: Timestamp = 240_000, isResolved: Bool = false) -> Alert {
        Alert(
            labels: ["alertname": name, "job": "a"], annotations: ["summary": "s"], startsAt: 1500, endsAt: endsAt,
            isResolved: isResolved, generatorURL: "http://h/graph?g0.expr=x&g0.tab=1")
    }
}
