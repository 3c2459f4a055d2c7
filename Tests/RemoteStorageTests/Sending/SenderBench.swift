import ConfigTree
import Logging
import NIOPosix
import OutboundHTTP
import OwnThreads
import SelfMetrics
import SeriesModel
import StorageAPI
import TestSupport

@testable import RemoteStorage

/// A sender over a log in memory.
final class SenderBench: Sendable {
    let log: MemoryLog
    let registry = MetricsRegistry()
    let lines = RecordingLog()
    let sender: RemoteWriteSender
    private let transport: HTTPClientTransport

    init(
        log: MemoryLog = MemoryLog(), clock: any WallClock = SystemClock(),
        _ change: (inout RemoteWriteOptions) -> Void = { _ in }
    ) {
        self.log = log
        var options = RemoteWriteOptions()
        options.flushDeadline = 20_000
        change(&options)
        transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        sender = RemoteWriteSender(
            log: log, transport: transport, clock: clock, registry: registry, options: options, logger: lines.logger)
    }

    /// An entry: the URL, and further keys in flow style (`name: a, queue_config: {…}`).
    static func section(_ url: String, _ keys: String = "") throws -> RemoteWriteSection {
        let node = try ConfigNode.parse("{url: '\(url)'\(keys.isEmpty ? "" : ", " + keys)}", file: "t.yml")
        return try RemoteWriteSection.list([node], baseDirectory: ".")[0]
    }

    /// Small batches that go out at once.
    static let quick =
        "queue_config: {max_samples_per_send: 5, capacity: 20, batch_send_deadline: 40ms, max_backoff: 50ms}"

    /// - Parameter external: of all entries.
    func apply(_ sections: [RemoteWriteSection], external: LabelSet = .empty) async {
        await sender.apply(sections, externalLabels: external)
        // A new consumer begins behind the newest record: what a test writes comes after that.
        _ = await eventually { log.state.withState { $0.openConsumers.count == sections.count } }
    }

    func metric(_ text: String) -> Double? {
        let prefix = text + " "
        for line in registry.exposition().split(separator: "\n") where line.hasPrefix(prefix) {
            return Double(line.dropFirst(prefix.count))
        }
        return nil
    }

    /// The sum over a family's children.
    func total(_ name: String) -> Double {
        registry.exposition().split(separator: "\n").filter { $0.hasPrefix(name + "{") }
            .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
    }

    func stop() async {
        await sender.stop()
        await transport.shutdown()
    }
}
