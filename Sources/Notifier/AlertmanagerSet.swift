import Discovery
import Logging
import Relabeling
import Rules
import SelfMetrics
import SeriesModel

/// The Alertmanagers of one configured entry: found by discovery, each with a loop of its own.
actor AlertmanagerSet {
    nonisolated let section: AlertmanagerSection
    private let environment: NotifierEnvironment
    private let name: String
    private let discovery: DiscoveryManager
    private var listener: Task<Void, Never>?
    private var groups: [TargetGroup] = []
    private var loops: [String: AlertmanagerLoop] = [:]
    private var dropped: [String] = []
    /// What the outbox held at the start, for Alertmanagers not found yet.
    private var waiting: [String: [Alert]] = [:]
    private var isStopped = false

    /// - Parameter name: under which its targets are counted.
    init(
        _ section: AlertmanagerSection, name: String, environment: NotifierEnvironment, discovery: DiscoveryManager
    ) {
        self.section = section
        self.name = name
        self.environment = environment
        self.discovery = discovery
    }

    /// Begins to look; those that the configuration itself names are there when this returns.
    /// - Parameter waiting: what is still to be told, by URL.
    func start(waiting: [String: [Alert]]) async {
        self.waiting = waiting
        if !section.discovery.staticGroups.isEmpty {
            groups = section.discovery.staticGroups
            await update()
        }
        listener = Task { [self] in
            await discovery.run(section.discovery, config: name) { groups in await self.found(groups) }
        }
    }

    private func found(_ found: [TargetGroup]) async {
        groups = found
        await update()
    }

    private func update() async {
        guard !isStopped else { return }
        var urls: Set<String> = []
        dropped = []
        for group in groups {
            for labels in group.targets {
                switch AlertmanagerTarget.make(labels, group: group.labels, section) {
                case .url(let url): urls.insert(url)
                case .dropped(let url): dropped.append(url)
                case .invalid(let reason):
                    environment.logger.error(
                        "Creating Alertmanager failed", metadata: ["labels": "\(labels)", "err": "\(reason)"])
                }
            }
        }
        let gone = loops.filter { !urls.contains($0.key) }
        var started: [AlertmanagerLoop] = []
        for url in urls where loops[url] == nil {
            let loop = AlertmanagerLoop(url: url, section: section, environment: environment)
            loops[url] = loop
            started.append(loop)
        }
        for url in gone.keys { loops[url] = nil }
        environment.metrics.discovered.increment(by: Double(started.count - gone.count))
        for loop in started {
            if let alerts = waiting.removeValue(forKey: loop.url) { await loop.add(alerts) }
            await loop.start()
        }
        for (url, loop) in gone {
            await loop.stop()
            environment.metrics.remove(url)
        }
    }

    /// The entries of the outbox that sending these alerts needs.
    func outboxEntries(_ alerts: [Alert]) -> [NotificationOutboxEntry] {
        let alerts = relabelled(alerts)
        return loops.keys.flatMap { url in alerts.map { $0.outboxEntry(for: url) } }
    }

    func send(_ alerts: [Alert]) async {
        let alerts = relabelled(alerts)
        guard !alerts.isEmpty else { return }
        for loop in loops.values { await loop.add(alerts) }
    }

    private func relabelled(_ alerts: [Alert]) -> [Alert] {
        section.alertRelabelRules.isEmpty ? alerts : alerts.relabelled(section.alertRelabelRules)
    }

    func status() -> AlertmanagerStatus {
        var status = AlertmanagerStatus()
        status.active = loops.keys.sorted()
        status.dropped = dropped.sorted()
        return status
    }

    func drain() async {
        let current = Array(loops.values)
        await withTaskGroup(of: Void.self) { group in
            for loop in current { group.addTask { await loop.drain() } }
        }
    }

    /// - Parameter forgettingMetrics: where the configuration does not know these Alertmanagers any more.
    func stop(forgettingMetrics: Bool = false) async {
        guard !isStopped else { return }
        isStopped = true
        environment.metrics.discovered.decrement(by: Double(loops.count))
        listener?.cancel()
        for (url, loop) in loops {
            await loop.stop()
            if forgettingMetrics { environment.metrics.remove(url) }
        }
        await listener?.value
    }
}

extension [Alert] {
    /// The alerts with relabelled labels, without those that the rules drop.
    func relabelled(_ rules: [RelabelRule]) -> [Alert] {
        compactMap { alert in
            guard let labels = rules.apply(to: alert.labels) else { return nil }
            var alert = alert
            alert.labels = labels
            return alert
        }
    }
}
