import ConfigTree
import Logging
import OutboundHTTP
import SelfMetrics
import SeriesModel
import Synchronization

@testable import Discovery

/// Parses YAML written in a test.
func yaml(_ text: String) throws -> ConfigNode { try ConfigNode.parse(text, file: "test.yml") }

/// A section with discovery keys only.
func section(_ text: String) throws -> DiscoverySection {
    var section = try yaml(text).section("config.ScrapeConfig")
    let discovery = try DiscoverySection(taking: &section, baseDirectory: "/etc/hearth")
    try section.finish()
    return discovery
}

/// Answers as a test says, without a network.
final class ScriptedTransport: HTTPTransport {
    private let reply: @Sendable (OutboundRequest) async throws(OutboundError) -> OutboundResponse
    private let seen = Mutex<[OutboundRequest]>([])

    init(_ reply: @escaping @Sendable (OutboundRequest) async throws(OutboundError) -> OutboundResponse) {
        self.reply = reply
    }

    func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundResponse {
        seen.withLock { $0.append(request) }
        return try await reply(request)
    }

    var requests: [OutboundRequest] { seen.withLock { $0 } }

    static func json(_ text: String, headers: [(name: String, value: String)] = []) -> OutboundResponse {
        OutboundResponse(
            status: 200, reason: "OK", headers: [("Content-Type", "application/json")] + headers,
            body: Array(text.utf8))
    }

    static func status(_ status: Int, _ reason: String = "") -> OutboundResponse {
        OutboundResponse(status: status, reason: reason, headers: [], body: [])
    }
}

/// One discoverer at work, and what it has told.
struct Bench: Sendable {
    let registry = MetricsRegistry()
    let clock: any WallClock
    let context: DiscoveryContext
    let feed: DiscoveryFeed

    init(_ transport: any HTTPTransport, clock: any WallClock = ManualClock(now: 1_700_000_000_000)) {
        self.clock = clock
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        context = DiscoveryContext(
            transport: transport, clock: clock, registry: registry, logger: logger, userAgent: "test/1")
        feed = DiscoveryFeed(
            mechanism: "test", metrics: DiscoveryMetrics(registry: registry, name: "scrape", logger: logger))
        feed.setConfigs(["j"])
    }

    /// Runs the only entry of a section until the body has ended.
    func run(_ text: String, _ body: () async throws -> Void) async throws {
        let entry = try one(section(text).entries)
        try await run(entry.kind.discoverer(context), body)
    }

    func run(_ discoverer: any Discoverer, _ body: () async throws -> Void) async rethrows {
        let feed = self.feed
        let task = Task { await discoverer.run(feed) }
        do {
            try await body()
        } catch {
            task.cancel()
            await task.value
            throw error
        }
        task.cancel()
        await task.value
    }

    var metrics: String { registry.exposition() }

    /// All targets with the labels of their groups, sorted by address.
    var targets: [LabelSet] {
        feed.groups.flatMap { group in
            group.targets.map { target in
                var builder = LabelSetBuilder(group.labels)
                for label in target { builder.set(label.name, label.value) }
                return builder.build()
            }
        }.sorted { ($0["__address__"] ?? "") < ($1["__address__"] ?? "") }
    }

    var addresses: [String] { targets.map { $0["__address__"] ?? "" } }

    var failureCount: Int {
        let line = metrics.split(separator: "\n").first {
            $0.hasPrefix("prometheus_sd_refresh_failures_total{mechanism=\"test\",config=\"j\"}")
        }
        return line.flatMap { $0.split(separator: " ").last.flatMap { Int($0) } } ?? 0
    }
}

struct NotOne: Error {}

func one<Element>(_ elements: [Element]) throws -> Element {
    guard elements.count == 1, let first = elements.first else { throw NotOne() }
    return first
}
