import Logging
import SelfMetrics
import SeriesModel
import StorageAPI
import Templating

/// A running group: evaluates its rules in order on its own schedule, writes what they give, tells what their alerts
/// have to say.
actor RuleGroup {
    nonisolated let file: String
    nonisolated let definition: RuleGroupDefinition
    nonisolated let key: String
    nonisolated let context: RuleContext
    private let schedule: RuleSchedule
    private let metrics: RuleGroupMetrics
    private var rules: [EvaluatedRule]
    /// Series of rules that an earlier version of the group had; they end with the next evaluation.
    private var orphans: Set<LabelSet> = []
    /// Seconds.
    private var evaluationTime = 0.0
    private var lastEvaluation: Timestamp?
    private var hasSavedState = false
    private var loop: Task<Void, Never>?

    init(file: String, _ definition: RuleGroupDefinition, context: RuleContext) {
        self.file = file
        self.definition = definition
        self.context = context.asking(asGroup: definition.name, in: file)
        key = file + ";" + definition.name
        schedule = RuleSchedule(
            key: key, interval: definition.interval ?? context.settings.evaluationInterval)
        rules = definition.rules.map(EvaluatedRule.init)
        metrics = context.metrics.group(key)
        metrics.interval.set(Double(schedule.interval) / 1000)
        metrics.rules.set(Double(definition.rules.count))
    }

    nonisolated var interval: Int64 { definition.interval ?? context.settings.evaluationInterval }
    private var queryOffset: Int64 { definition.queryOffset ?? context.settings.queryOffset }

    // MARK: Life

    /// - Parameter restores: whether alerts of before a restart are to be taken up.
    func start(restores: Bool) {
        guard loop == nil else { return }
        loop = Task { [self] in await run(restores: restores) }
    }

    /// Returns when the running evaluation has ended.
    func stop() async {
        loop?.cancel()
        await loop?.value
        loop = nil
    }

    private func run(restores: Bool) async {
        do {
            if restores { await resumeStates() }
            var due = schedule.slot(before: context.clock.now()).addingClamped(schedule.interval)
            try await wait(until: &due)
            await evaluate(at: due)
            if rules.contains(where: { !$0.isRestored }) {
                // One more evaluation first: at the very first, scrapes and recording rules may not have delivered.
                try await waitForNext(&due)
                await evaluate(at: due)
                await restoreFromSeries(at: context.clock.now())
            }
            while true {
                try await waitForNext(&due)
                await evaluate(at: due)
            }
        } catch {
            // Cancelled: the group is being stopped.
        }
    }

    private func waitForNext(_ due: inout Timestamp) async throws {
        due = due.addingClamped(schedule.interval)
        try await wait(until: &due)
    }

    /// Sleeps to the due time; what was slept through is counted and skipped.
    private func wait(until due: inout Timestamp) async throws {
        while true {
            try await context.clock.sleep(until: due)
            let now = context.clock.now()
            if now >= due { break }
            // The wall clock was set back: begin anew from where it stands.
            if due.subtractingClamped(now) > schedule.interval {
                due = schedule.slot(before: now).addingClamped(schedule.interval)
            }
        }
        let missed = schedule.missed(due: due, now: context.clock.now())
        guard missed > 0 else { return }
        metrics.iterationsMissed.increment(by: Double(missed))
        metrics.iterations.increment(by: Double(missed))
        due = due.addingClamped(missed.multipliedReportingOverflow(by: schedule.interval).partialValue)
    }

    // MARK: Evaluation

    /// Evaluates all rules once, in order; each sees what those before it wrote.
    func evaluate(at time: Timestamp) async {
        metrics.iterations.increment()
        let start = ContinuousClock.now
        let startTime = context.clock.now()
        var sampleCount = 0
        var ruleSeconds = 0.0
        for index in rules.indices {
            let ruleStart = ContinuousClock.now
            let outcome = await evaluateRule(index, at: time)
            let seconds = (ContinuousClock.now - ruleStart).seconds
            if case .failure(.cancelled) = outcome { return }
            metrics.evaluations.increment()
            context.metrics.evaluationDuration.observe(seconds)
            ruleSeconds += seconds
            rules[index].evaluationTime = seconds
            rules[index].lastEvaluation = startTime
            switch outcome {
            case .success(let count): sampleCount += count
            case .failure(let error):
                metrics.failures.increment()
                rules[index].health = .err
                rules[index].lastError = error.description
                let rule = rules[index].definition.name
                context.logger.warning(
                    "Evaluating rule failed",
                    metadata: ["file": "\(file)", "group": "\(definition.name)", "name": "\(rule)", "err": "\(error)"])
            }
        }
        await endOrphans(at: time)
        await saveStates(at: time)
        evaluationTime = (ContinuousClock.now - start).seconds
        lastEvaluation = startTime
        context.metrics.groupDuration.observe(evaluationTime)
        metrics.lastDuration.set(evaluationTime)
        metrics.lastRuleDurationSum.set(ruleSeconds)
        metrics.lastSamples.set(Double(sampleCount))
        metrics.lastEvaluation.set(Double(startTime) / 1000)
    }

    /// - Returns: how many samples the rule gave.
    private func evaluateRule(_ index: Int, at time: Timestamp) async -> Result<Int, RuleError> {
        do throws(RuleError) {
            let samples: [RuleSample]
            switch rules[index].body {
            case .recording(let rule):
                samples = try await rule.evaluate(
                    at: time, offset: queryOffset, limit: definition.limit, in: context)
                rules[index].health = .ok
                rules[index].lastError = nil
            case .alerting(let rule, var lifecycle):
                let found = try await rule.find(at: time, offset: queryOffset, in: context)
                defer { rules[index].body = .alerting(rule, lifecycle) }
                try lifecycle.advance(
                    to: time, found: found, hold: rule.hold, keepFiringFor: rule.keepFiringFor,
                    limit: definition.limit)
                rules[index].health = .ok
                rules[index].lastError = nil
                let due = lifecycle.takeDue(
                    at: time, resendDelay: context.settings.resendDelay, interval: schedule.interval)
                if !due.isEmpty { await context.sink.send(due.map { notification($0, query: rule.query) }) }
                samples = rules[index].isRestored ? AlertingRule.samples(of: lifecycle.active) : []
            }
            try await write(samples, of: index, at: time.subtractingClamped(queryOffset))
            return .success(samples.count)
        } catch {
            return .failure(Task.isCancelled ? .cancelled : error)
        }
    }

    private func write(
        _ samples: [RuleSample], of index: Int, at time: Timestamp
    ) async throws(RuleError) {
        var writer = rules[index].writer
        let rejections: [AppendResult.Rejection: Int]
        do {
            rejections = try await writer.write(samples, at: time, to: context.storage)
        } catch {
            throw .failed("\(error)")
        }
        rules[index].writer = writer
        let named = AppendResult.Rejection.allCases.filter { rejections[$0] != nil }
        if let first = named.first { throw .failed(first.message) }
    }

    private func notification(_ alert: ActiveAlert, query: String) -> Alert {
        Alert(
            labels: alert.labels, annotations: alert.annotations, startsAt: alert.firedAt ?? alert.activeAt,
            endsAt: alert.resolvedAt ?? alert.validUntil ?? alert.activeAt,
            isResolved: alert.resolvedAt != nil,
            generatorURL: context.settings.externalURL + QueryLink.table(query))
    }

    private func endOrphans(at time: Timestamp) async {
        guard !orphans.isEmpty else { return }
        // A series that a rule writes again is nobody's orphan.
        let written = rules.reduce(into: Set<LabelSet>()) { $0.formUnion($1.writer.current.keys) }
        let ended = orphans.subtracting(written)
        do {
            try await RuleSeriesWriter.end(ended, at: time.subtractingClamped(queryOffset), in: context.storage)
            orphans = []
        } catch {
            context.logger.warning("Ending series of removed rules failed", metadata: ["err": "\(error)"])
        }
    }

    // MARK: State

    /// What a changed group takes over from its predecessor, which must have been stopped.
    struct State: Sendable {
        var rules: [EvaluatedRule]
        var orphans: Set<LabelSet>
        var lastEvaluation: Timestamp?
        var evaluationTime: Double
    }

    var state: State {
        State(rules: rules, orphans: orphans, lastEvaluation: lastEvaluation, evaluationTime: evaluationTime)
    }

    /// Takes over by rule name and labels; equal ones in their order.
    func take(over state: State) {
        var candidates = state.rules
        orphans = state.orphans
        lastEvaluation = state.lastEvaluation
        evaluationTime = state.evaluationTime
        for index in rules.indices {
            let wanted = rules[index].definition
            let match = candidates.firstIndex {
                $0.definition.name == wanted.name && $0.definition.labels == wanted.labels
                    && ($0.lifecycle == nil) == (rules[index].lifecycle == nil)
            }
            guard let match else { continue }
            let old = candidates.remove(at: match)
            rules[index].writer = old.writer
            rules[index].isRestored = old.isRestored
            rules[index].health = old.health
            rules[index].lastError = old.lastError
            rules[index].evaluationTime = old.evaluationTime
            rules[index].lastEvaluation = old.lastEvaluation
            if case .alerting(let rule, _) = rules[index].body, let lifecycle = old.lifecycle {
                rules[index].body = .alerting(rule, lifecycle)
            }
        }
        for old in candidates { orphans.formUnion(old.writer.current.keys) }
    }

    /// Everything the group's rules wrote last.
    var series: Set<LabelSet> {
        rules.reduce(into: orphans) { $0.formUnion($1.writer.current.keys) }
    }

    private func saveStates(at time: Timestamp) async {
        guard let store = context.states else { return }
        let stored = rules.compactMap { rule in
            rule.lifecycle.map {
                StoredAlertStates.Rule(
                    name: rule.definition.name, labels: rule.definition.labels,
                    alerts: $0.alerts.values.sorted { $0.labels < $1.labels })
            }
        }
        let state = StoredAlertStates(evaluatedAt: time, rules: stored.filter { !$0.alerts.isEmpty })
        // Groups without alerts, which are most, are not written again and again.
        guard !state.isEmpty || hasSavedState else { return }
        do {
            if state.isEmpty {
                try await store.remove(group: key)
            } else {
                try await store.save(state.encoded(), group: key)
            }
            hasSavedState = !state.isEmpty
        } catch {
            context.logger.warning("Saving alert states failed", metadata: ["group": "\(key)", "err": "\(error)"])
        }
    }

    /// Takes up saved states. Rules without one wait for `restoreFromSeries`.
    private func resumeStates() async {
        var saved: StoredAlertStates?
        do {
            saved = try await context.states?.load(group: key).flatMap(StoredAlertStates.init(decoding:))
        } catch {
            context.logger.warning("Loading alert states failed", metadata: ["group": "\(key)", "err": "\(error)"])
        }
        let now = context.clock.now()
        for index in rules.indices {
            guard case .alerting(let rule, _) = rules[index].body else { continue }
            let stored = saved?.rules.first {
                $0.name == rule.name && $0.labels == rules[index].definition.labels
            }
            if let saved, let stored {
                hasSavedState = true
                let alerts = AlertRestore.resumed(
                    stored.alerts, evaluatedAt: saved.evaluatedAt, now: now, hold: rule.hold,
                    settings: context.settings)
                rules[index].body = .alerting(rule, AlertLifecycle(restoring: alerts))
            } else {
                rules[index].isRestored = context.history == nil || rule.hold < context.settings.gracePeriod
            }
        }
    }

    private func restoreFromSeries(at now: Timestamp) async {
        let start = ContinuousClock.now
        for index in rules.indices where !rules[index].isRestored {
            defer { rules[index].isRestored = true }
            guard case .alerting(let rule, var lifecycle) = rules[index].body, let history = context.history else {
                continue
            }
            do {
                let traces = try await AlertRestore.traces(
                    of: rule.name, until: now, tolerance: context.settings.outageTolerance, in: history)
                for trace in traces where lifecycle.alerts[trace.labels] != nil {
                    let activeAt = AlertRestore.activeAt(
                        trace.activeAt, downAt: trace.downAt, now: now, hold: rule.hold,
                        grace: context.settings.gracePeriod)
                    lifecycle.setActiveAt(activeAt, of: trace.labels)
                }
                rules[index].body = .alerting(rule, lifecycle)
            } catch {
                context.logger.error(
                    "Failed to restore 'for' state", metadata: ["alert": "\(rule.name)", "err": "\(error)"])
            }
        }
        metrics.lastRestoreDuration.set((ContinuousClock.now - start).seconds)
    }

    // MARK: Status

    var status: RuleGroupStatus {
        RuleGroupStatus(
            name: definition.name, file: file, interval: schedule.interval, limit: definition.limit,
            evaluationTime: evaluationTime, lastEvaluation: lastEvaluation, rules: rules.map(\.status))
    }
}

extension Duration {
    fileprivate var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
