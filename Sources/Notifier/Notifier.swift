import Discovery
package import Logging
package import OutboundHTTP
import Relabeling
package import Rules
package import SelfMetrics
package import SeriesModel

/// Tells alerts to the configured Alertmanagers: external labels and relabelling first, then into the outbox, then into
/// a queue for each Alertmanager, which are emptied side by side.
package actor Notifier: AlertSink {
    private let environment: NotifierEnvironment
    private let discovery: DiscoveryManager
    private var section = AlertingSection()
    private var externalLabels = LabelSet.empty
    private var sets: [AlertmanagerSet] = []

    package init(
        transport: any HTTPTransport, outbox: any NotificationOutbox, clock: any WallClock, registry: MetricsRegistry,
        options: NotifierOptions = NotifierOptions(), logger: Logger
    ) {
        let metrics = NotifierMetrics(registry, capacity: options.queueCapacity)
        environment = NotifierEnvironment(
            transport: transport, outbox: outbox, clock: clock, options: options, metrics: metrics, logger: logger)
        discovery = DiscoveryManager(name: "notify", transport: transport, clock: clock, registry: registry)
    }

    /// Makes the section the one in force. Entries that did not change go on untouched; new ones take up what
    /// the outbox still holds for them.
    package func apply(_ section: AlertingSection, externalLabels: LabelSet) async {
        self.section = section
        self.externalLabels = externalLabels
        var old = sets
        var next: [AlertmanagerSet] = []
        var new: [AlertmanagerSet] = []
        discovery.apply(section.alertmanagers.enumerated().map { ("config-\($0.offset)", $0.element.discovery) })
        for (number, entry) in section.alertmanagers.enumerated() {
            if let index = old.firstIndex(where: { $0.section == entry }) {
                next.append(old.remove(at: index))
            } else {
                let set = AlertmanagerSet(
                    entry, name: "config-\(number)", environment: environment, discovery: discovery)
                next.append(set)
                new.append(set)
            }
        }
        // The old ones first: an entry that only changed has the same URLs, and so the same metrics.
        sets = next
        for set in old { await set.stop(forgettingMetrics: true) }
        guard !new.isEmpty else { return }
        let waiting = await outboxContents()
        for set in new { await set.start(waiting: waiting) }
    }

    package func send(_ alerts: [Alert]) async {
        let prepared = alerts.map(withExternalLabels).relabelled(section.alertRelabelRules)
        guard !prepared.isEmpty else { return }
        let current = sets
        var entries: [NotificationOutboxEntry] = []
        for set in current { entries += await set.outboxEntries(prepared) }
        if !entries.isEmpty {
            do {
                try await environment.outbox.save(entries)
            } catch {
                environment.logger.error("Error saving to the notification outbox", metadata: ["err": "\(error)"])
            }
        }
        for set in current { await set.send(prepared) }
    }

    /// Which Alertmanagers there are.
    package func alertmanagers() async -> AlertmanagerStatus {
        var status = AlertmanagerStatus()
        for set in sets {
            let part = await set.status()
            status.active += part.active
            status.dropped += part.dropped
        }
        return status
    }

    /// Delivers what waits, as far as options and time allow, then ends. What is left stays in the outbox.
    package func stop() async {
        let current = sets
        if environment.options.drainsOnStop {
            let environment = self.environment
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await withTaskGroup(of: Void.self) { drains in
                        for set in current { drains.addTask { await set.drain() } }
                    }
                }
                group.addTask {
                    do {
                        try await environment.clock.sleep(milliseconds: environment.options.drainTimeout)
                    } catch {
                        return
                    }
                    // Ending the loops ends the drains too.
                    for set in current { await set.stop() }
                }
                await group.next()
                group.cancelAll()
            }
        }
        for set in current { await set.stop() }
        sets = []
        await discovery.stop()
    }

    private func withExternalLabels(_ alert: Alert) -> Alert {
        guard !externalLabels.isEmpty else { return alert }
        var builder = LabelSetBuilder(alert.labels)
        for label in externalLabels where (builder[label.name] ?? "").isEmpty { builder.set(label.name, label.value) }
        var labelled = alert
        labelled.labels = builder.build()
        return labelled
    }

    /// Older words are of no use to anybody: firing alerts have ended for want of news long ago. ms
    private static let outboxAgeMax: Int64 = 86_400_000

    /// The alerts of the outbox by URL; entries that do not decode, or are too old, are removed.
    private func outboxContents() async -> [String: [Alert]] {
        do {
            var contents: [String: [Alert]] = [:]
            var useless: [NotificationOutboxEntry] = []
            let oldest = environment.clock.now().subtractingClamped(Notifier.outboxAgeMax)
            for entry in try await environment.outbox.load() {
                if let alert = Alert(decoding: entry.payload), alert.endsAt >= oldest {
                    contents[entry.alertmanager, default: []].append(alert)
                } else {
                    useless.append(entry)
                }
            }
            if !useless.isEmpty { try await environment.outbox.remove(useless) }
            return contents
        } catch {
            environment.logger.error("Error loading the notification outbox", metadata: ["err": "\(error)"])
            return [:]
        }
    }
}
