import ConfigTree
package import Logging
package import OutboundHTTP
import OwnThreads
package import SelfMetrics
package import SeriesModel
package import StorageAPI
import Synchronization

/// Sends what the store commits to the receivers of `remote_write`: for each entry a queue that reads the log by itself, so
/// that a receiver that is slow or away holds up nobody, and loses nothing that the log still has.
///
/// A record is released in the log when all of it has been delivered, or refused for good; after a restart a queue goes on
/// behind the last such record, so that samples may arrive twice, and none is forgotten.
package actor RemoteWriteSender {
    private let log: any CommitLog
    private let transport: any HTTPTransport
    private let clock: any WallClock
    private let registry: MetricsRegistry
    private let options: RemoteWriteOptions
    private let logger: Logger
    private let intake: Intake
    /// Started with the first queue.
    private var startedThreads: TaskThreads?
    /// As `queues`, for the metrics.
    private let shown: Shown
    private var queues: [Running] = []
    private var externalLabels = LabelSet.empty
    private var isStopped = false
    /// When the flush deadline began. ms
    private var stopBegin: Timestamp?
    /// However long a reload has taken of the deadline, queues have so long for what waits. ms
    private static let graceMin: Int64 = 3000

    private struct Running {
        var section: RemoteWriteSection
        var identity: QueueIdentity
        var queue: WriteQueue
    }

    private final class Shown: Sendable {
        let queues = Mutex<[WriteQueue]>([])
    }

    private static let nice: Int32 = 10

    package init(
        log: any CommitLog, transport: any HTTPTransport, clock: any WallClock, registry: MetricsRegistry,
        options: RemoteWriteOptions, logger: Logger
    ) {
        self.log = log
        self.transport = transport
        self.clock = clock
        self.registry = registry
        self.options = options
        self.logger = logger
        intake = Intake(registry)
        let shown = Shown()
        self.shown = shown
        registry.onCollect { [intake, options] in
            let queues = shown.queues.withLock { $0 }
            if !queues.isEmpty, let newest = options.newestTimestamp() { intake.setHighest(newest) }
            for queue in queues { queue.refreshMetrics() }
        }
    }

    /// The complaint about entries that cannot stand side by side; nil where they can.
    package static func complaint(about sections: [RemoteWriteSection]) -> String? {
        QueueIdentity.complaint(about: sections)
    }

    /// Makes these entries the ones in force. Queues whose entry and external labels did not change go on undisturbed,
    /// with new secrets where those changed; others send what waits, within the flush deadline, and end.
    package func apply(_ sections: [RemoteWriteSection], externalLabels: LabelSet) async {
        guard !isStopped else { return }
        let identities = QueueIdentity.all(of: sections)
        var old = queues
        var next: [Running?] = []
        for (section, identity) in zip(sections, identities) {
            let index = old.firstIndex { running in
                running.identity == identity && externalLabels == self.externalLabels
                    && running.section.differsInSecretsAtMost(from: section)
            }
            guard let index else {
                next.append(nil)
                continue
            }
            var running = old.remove(at: index)
            running.section = section
            running.queue.context.client.use(section)
            next.append(running)
        }
        self.externalLabels = externalLabels
        queues = next.compactMap { $0 }
        publish()
        let deadline = options.flushDeadline
        await withTaskGroup(of: Void.self) { group in
            for running in old { group.addTask { await running.queue.stop(finishing: false, within: deadline) } }
        }
        for running in old { running.queue.context.metrics.remove() }
        guard !isStopped else { return }
        queues = []
        var new: [WriteQueue] = []
        for ((section, identity), kept) in zip(zip(sections, identities), next) {
            if let kept {
                queues.append(kept)
                continue
            }
            let queue = WriteQueue(context(section, identity), log: log)
            queues.append(Running(section: section, identity: identity, queue: queue))
            new.append(queue)
        }
        log.keepTails(ofConsumers: Set(identities.map(\.consumer)))
        publish()
        for queue in new { await queue.start() }
    }

    private func publish() {
        let all = queues.map(\.queue)
        shown.queues.withLock { $0 = all }
    }

    private var threads: TaskThreads {
        if let startedThreads { return startedThreads }
        let threads = TaskThreads("remote write", count: options.threadCount, nice: RemoteWriteSender.nice)
        startedThreads = threads
        return threads
    }

    private func context(_ section: RemoteWriteSection, _ identity: QueueIdentity) -> QueueContext {
        var logger = logger
        logger[metadataKey: "remote_name"] = "\(identity.name)"
        logger[metadataKey: "url"] = "\(section.url.redacted)"
        return QueueContext(
            section: section, name: identity.name, consumer: identity.consumer,
            preparation: SeriesPreparation(
                external: ExternalLabels(externalLabels), rules: section.relabelRules, message: section.message),
            client: WriteClient(section, transport: transport, clock: clock, userAgent: options.userAgent),
            clock: clock, metrics: QueueMetrics(registry, name: identity.name, url: section.url.redacted),
            logger: logger, gate: LogGate(logger, isOpen: section.logsFailedRequests), threads: threads,
            options: options, intake: intake)
    }

    /// From now on no queue is started, and the flush deadline runs: for those that a reload is just stopping, and for all
    /// that `stop` stops later. Call before waiting for a reload.
    package func beginStop() {
        isStopped = true
        if stopBegin == nil { stopBegin = clock.now() }
    }

    /// Sends what the log has, as far as the flush deadline allows, then ends. What is left is sent after the next start.
    package func stop() async {
        beginStop()
        let deadline = options.flushDeadline
        let spent = max(0, clock.now().subtractingClamped(stopBegin ?? clock.now()))
        let left = max(deadline.subtractingClamped(spent), min(deadline, RemoteWriteSender.graceMin))
        let current = queues
        await withTaskGroup(of: Void.self) { group in
            for running in current { group.addTask { await running.queue.stop(finishing: true, within: left) } }
        }
        queues = []
        publish()
    }
}

extension RemoteWriteSection {
    /// Secrets are masked where a section is shown.
    fileprivate func differsInSecretsAtMost(from other: RemoteWriteSection) -> Bool {
        self == other || output.yaml == other.output.yaml
    }
}
