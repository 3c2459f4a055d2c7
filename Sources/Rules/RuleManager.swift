import Logging
import SeriesModel

/// All running rule groups.
package actor RuleManager {
    private var context: RuleContext
    /// By `path;name`.
    private var groups: [String: RuleGroup] = [:]
    private var cleanups: [Task<Void, Never>] = []
    private var hasApplied = false
    private var isStopped = false

    package init(context: RuleContext) {
        self.context = context
    }

    /// Makes the running groups those of the files. Groups that did not change go on untouched, with their state and
    /// their rhythm; changed ones take over state by rule name and labels; series of groups that are gone end two
    /// intervals later. Files are read and checked before (`RuleFile.init`), so nothing in here can fail: a reload is
    /// all or nothing.
    package func apply(_ files: [RuleFile], settings: RuleSettings) async {
        guard !isStopped else { return }
        let settingsChanged = settings != context.settings
        context.settings = settings
        var old = groups
        var next: [String: RuleGroup] = [:]
        var changed: [(new: RuleGroup, old: RuleGroup?)] = []
        for file in files {
            for definition in file.groups {
                let key = file.path + ";" + definition.name
                guard next[key] == nil else { continue }
                let running = old.removeValue(forKey: key)
                if let running, !settingsChanged, running.definition == definition {
                    next[key] = running
                    continue
                }
                let group = RuleGroup(file: file.path, definition, context: context)
                next[key] = group
                changed.append((group, running))
            }
        }
        groups = next
        for (new, running) in changed {
            if let running {
                await running.stop()
                await new.take(over: running.state)
            }
            await new.start(restores: !hasApplied)
        }
        for group in old.values { await retire(group) }
        hasApplied = true
    }

    /// What the groups look like now, sorted by file and name.
    package func status() async -> [RuleGroupStatus] {
        var all: [RuleGroupStatus] = []
        for group in groups.values { all.append(await group.status) }
        return all.sorted { a, b in
            a.file.hasSameBytes(as: b.file) ? a.name.precedesByBytes(b.name) : a.file.precedesByBytes(b.file)
        }
    }

    /// Ends all evaluations; returns when the running ones are through. Series and alert states stay as they are.
    package func stop() async {
        isStopped = true
        for task in cleanups { task.cancel() }
        for group in groups.values { await group.stop() }
        for task in cleanups { await task.value }
        cleanups = []
    }

    private func retire(_ group: RuleGroup) async {
        await group.stop()
        context.metrics.remove(group.key)
        do {
            try await context.states?.remove(group: group.key)
        } catch {
            context.logger.warning("Removing alert states failed", metadata: ["err": "\(error)"])
        }
        let series = await group.series
        guard !series.isEmpty else { return }
        let context = self.context
        let stoppedAt = context.clock.now()
        let wait = group.interval.multipliedReportingOverflow(by: 2).partialValue
        // A rule that only moved to another group has by then written newer samples, which the markers, dated back,
        // do not end.
        cleanups.append(
            Task {
                do {
                    try await context.clock.sleep(until: stoppedAt.addingClamped(wait))
                    try await RuleSeriesWriter.end(series, at: stoppedAt, in: context.storage)
                } catch is CancellationError {
                    return
                } catch {
                    context.logger.warning("Ending series of a removed group failed", metadata: ["err": "\(error)"])
                }
            })
    }
}
