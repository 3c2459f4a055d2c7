import Logging
import OutboundHTTP
import OwnThreads
import SelfMetrics
import SeriesModel
import StorageAPI
import Synchronization

/// What all loops of a server share.
struct ScrapeEnvironment: Sendable {
    let appendable: any Appendable
    let transport: any HTTPTransport
    let clock: any WallClock
    let alarm: LoopAlarm
    let metrics: ScrapeMetrics
    let threads: TaskThreads
    let userAgent: String
    let externalAddress: ExternalAddress?
    let addsTypeAndUnitLabels: Bool
    let takesStarts: Bool
    let failures: (any ScrapeFailureSink)?
    let logger: Logger
}

/// The running loop of one target: does what `ScrapeLife` and `TargetHistory` decide. One task on the scrape threads
/// owns both; everybody else sees the published state only.
final class ScrapeLoop: Sendable {
    let target: Target
    private let config: ScrapeConfig
    private let environment: ScrapeEnvironment
    private let job: JobMetrics
    private let fetch: ScrapeFetch
    private let schedule: ScrapeSchedule
    private let shared = Mutex(Shared())

    private struct Shared {
        var task: Task<Void, Never>?
        /// The loop, while it sleeps.
        var sleeper: CheckedContinuation<Void, Never>?
        /// Number of the sleep: whoever wakes for an earlier one comes too late.
        var sleepNumber: UInt64 = 0
        var isInterruptible = false
        var isRetired = false
        var isStopped = false
        var isFinished = false
        var forcedFailure: ScrapeFailure?
        var health = TargetStatus.Health.unknown
        var lastError = ""
        var lastScrape: Timestamp?
        var lastDuration = 0.0
        var metadata: [String: MetricMetadata] = [:]
        var metadataBytes = 0
        /// Of the history's metadata.
        var metadataVersion = 0
    }

    /// - Parameter seed: of this server; see `ScrapeSchedule`.
    init(target: Target, config: ScrapeConfig, environment: ScrapeEnvironment, job: JobMetrics, seed: UInt64) {
        self.target = target
        self.config = config
        self.environment = environment
        self.job = job
        fetch = ScrapeFetch(
            target: target, config: config, transport: environment.transport, userAgent: environment.userAgent)
        schedule = ScrapeSchedule(interval: target.interval, hash: target.identity.stableHash ^ seed)
    }

    // MARK: - Control

    func startIfNeeded() {
        shared.withLock { shared in
            guard shared.task == nil else { return }
            shared.task = Task(executorPreference: environment.threads) { await self.run() }
        }
    }

    /// The target is gone: a running scrape is finished, then its series are marked as ended.
    func retire() {
        let sleeper = shared.withLock { shared in
            shared.isRetired = true
            return shared.isInterruptible ? shared.sleeper.take() : nil
        }
        sleeper?.resume()
    }

    /// The server is going down: a running request is abandoned, nothing is marked.
    func stop() {
        let (task, sleeper) = shared.withLock { shared in
            shared.isStopped = true
            return (shared.task, shared.sleeper.take())
        }
        task?.cancel()
        sleeper?.resume()
    }

    func waitUntilFinished() async { await shared.withLock { $0.task }?.value }

    var isFinished: Bool { shared.withLock { $0.isFinished } }

    /// Makes every scrape fail without asking the target, or ends that.
    func setForcedFailure(_ failure: ScrapeFailure?) { shared.withLock { $0.forcedFailure = failure } }

    var forcedFailure: ScrapeFailure? { shared.withLock { $0.forcedFailure } }

    // MARK: - State

    var status: TargetStatus {
        shared.withLock { shared in
            TargetStatus(
                discoveredLabels: target.discoveredLabels, labels: target.labels, scrapeURL: target.url,
                globalURL: environment.externalAddress?.globalURL(target.url) ?? target.url,
                lastError: shared.lastError, lastScrape: shared.lastScrape,
                lastScrapeDuration: shared.lastDuration, health: shared.health,
                scrapeInterval: target.interval, scrapeTimeout: target.timeout)
        }
    }

    var metadata: [String: MetricMetadata] { shared.withLock { $0.metadata } }

    // MARK: - The loop

    private func run() async {
        var life = ScrapeLife(schedule: schedule)
        var history = TargetHistory(
            target: target, config: config, addsTypeAndUnitLabels: environment.addsTypeAndUnitLabels,
            takesStarts: environment.takesStarts)
        var pace = Pace(metrics: environment.metrics, interval: target.interval)
        var isEnding = false
        var action = life.begin(now: environment.clock.now())
        loop: while !Task.isCancelled {
            switch action {
            case .sleep(let time):
                await sleep(until: time, isInterruptible: !isEnding)
                guard !Task.isCancelled else { break loop }
                action = life.awoke(now: environment.clock.now())
            case .scrape(let stamp):
                pace.scrapeBegins()
                await scrape(&history, stamp, bytesExpected: pace.lastBodyBytes) { pace.lastBodyBytes = $0 }
                action = life.scraped(now: environment.clock.now())
            case .writeEnd(let stamp):
                _ = try? await environment.appendable.append(history.end(at: stamp))
                break loop
            case .stop: break loop
            }
            if !isEnding, shared.withLock({ $0.isRetired }) {
                isEnding = true
                action = life.retire(now: environment.clock.now())
            }
        }
        forgetMetadata()
        shared.withLock { $0.isFinished = true }
    }

    /// Sleeps, but not beyond `stop`, and perhaps not beyond `retire`. Whoever wakes looks at the clock.
    private func sleep(until time: Timestamp, isInterruptible: Bool) async {
        let number = shared.withLock { shared in
            shared.sleepNumber += 1
            shared.isInterruptible = isInterruptible
            return shared.sleepNumber
        }
        // The alarm keeps its call until then, perhaps for a day: a loop that has ended meanwhile need not stay.
        let alarm = environment.alarm.call(at: time, now: environment.clock.now()) { [weak self] in self?.wake(number) }
        await withCheckedContinuation { continuation in
            let isOver = shared.withLock { shared in
                // The alarm may have been first.
                if shared.isStopped || shared.sleepNumber != number || isInterruptible && shared.isRetired {
                    return true
                }
                shared.sleeper = continuation
                return false
            }
            if isOver { continuation.resume() }
        }
        alarm?.cancel()
    }

    private func wake(_ number: UInt64) {
        let sleeper = shared.withLock { shared -> CheckedContinuation<Void, Never>? in
            guard shared.sleepNumber == number else { return nil }
            shared.sleepNumber += 1
            return shared.sleeper.take()
        }
        sleeper?.resume()
    }

    private func scrape(
        _ history: inout TargetHistory, _ stamp: Timestamp, bytesExpected: Int, _ didReceive: (Int) -> Void
    ) async {
        let start = ContinuousClock.now
        let began = environment.clock.now()
        let answer: TargetHistory.Answer
        if let failure = shared.withLock({ $0.forcedFailure }) {
            answer = .failure(failure)
        } else {
            answer = await fetch.answer(bytesExpected: bytesExpected)
        }
        guard !Task.isCancelled else { return }
        if case .body(let body, _) = answer { didReceive(body.count) }
        let digest = history.digest(answer, stamp: stamp) { start.duration(to: .now).seconds }
        var failure = digest.failure
        do {
            try await store(digest, answer, stamp, &history)
        } catch {
            failure = ScrapeFailure(.storage, "storage: \(error)")
            history.forgetNotes()
        }
        count(failure)
        publish(history, failure, began, digest.report.duration)
    }

    private func store(
        _ digest: TargetHistory.Digest, _ answer: TargetHistory.Answer, _ stamp: Timestamp,
        _ history: inout TargetHistory
    ) async throws {
        var settlement = history.settle(digest, try await environment.appendable.append(digest.batch))
        if settlement.needsAnother {
            // The same samples once more, now with labels where references had died; what is stored already is
            // recognised as a repetition.
            let again = history.digest(answer, stamp: stamp, duration: { 0 }, again: digest.report)
            let second = history.settle(again, try await environment.appendable.append(again.batch))
            settlement.duplicateCount = max(settlement.duplicateCount, second.duplicateCount)
            settlement.exemplarsOutOfOrder += second.exemplarsOutOfOrder
        }
        let metrics = environment.metrics
        if settlement.duplicateCount > 0 { metrics.duplicates.increment(by: Double(settlement.duplicateCount)) }
        if settlement.outOfOrderCount > 0 { metrics.outOfOrder.increment(by: Double(settlement.outOfOrderCount)) }
        if settlement.outOfBoundsCount > 0 { metrics.outOfBounds.increment(by: Double(settlement.outOfBoundsCount)) }
        if settlement.exemplarsOutOfOrder > 0 {
            metrics.exemplarsOutOfOrder.increment(by: Double(settlement.exemplarsOutOfOrder))
        }
    }

    private func count(_ failure: ScrapeFailure?) {
        switch failure?.kind {
        case .bodyLimit: environment.metrics.bodyLimitExceeded.increment()
        case .labelLimit: environment.metrics.labelLimitsExceeded.increment()
        case .sampleLimit: environment.metrics.sampleLimitExceeded.increment()
        case .bucketLimit: environment.metrics.bucketLimitExceeded.increment()
        case .fetch, .parse, .invalid, .targetLimit, .storage, nil: break
        }
    }

    private func publish(
        _ history: TargetHistory, _ failure: ScrapeFailure?, _ began: Timestamp, _ duration: Double
    ) {
        if let failure {
            environment.logger.debug(
                "Scrape failed",
                metadata: ["scrape_pool": "\(config.jobName)", "target": "\(target.url)", "err": "\(failure)"])
            if !config.failureLogFile.isEmpty {
                environment.failures?.scrapeFailed(
                    FailedScrape(
                        file: config.failureLogFile, time: environment.clock.now(), job: config.jobName,
                        target: target.url, message: failure.description))
            }
        }
        // What a target says of its metrics holds whether the store takes their samples or not.
        let version = history.metadata.version
        let isNews = shared.withLock { $0.metadataVersion != version }
        let metadata = isNews ? history.metadata.current : nil
        let bytes = metadata == nil ? 0 : history.metadata.byteCount
        let (oldCount, oldBytes) = shared.withLock { shared in
            shared.health = failure == nil ? .up : .down
            shared.lastError = failure?.description ?? ""
            shared.lastScrape = began
            shared.lastDuration = duration
            let old = (shared.metadata.count, shared.metadataBytes)
            if let metadata {
                shared.metadata = metadata
                shared.metadataVersion = version
                shared.metadataBytes = bytes
            }
            return old
        }
        if let metadata {
            job.metadataEntries.increment(by: Double(metadata.count - oldCount))
            job.metadataBytes.increment(by: Double(bytes - oldBytes))
        }
    }

    private func forgetMetadata() {
        let (count, bytes) = shared.withLock { shared in
            let old = (shared.metadata.count, shared.metadataBytes)
            shared.metadata = [:]
            shared.metadataBytes = 0
            return old
        }
        job.metadataEntries.decrement(by: Double(count))
        job.metadataBytes.decrement(by: Double(bytes))
    }
}

/// What a loop remembers of its own speed.
private struct Pace {
    private let intervals: Summary
    private let intervalHistogram: Histogram
    private var lastBegin: ContinuousClock.Instant?
    var lastBodyBytes = 0

    init(metrics: ScrapeMetrics, interval: Int64) {
        intervals = metrics.intervalLength(DurationText.format(interval))
        intervalHistogram = metrics.intervalLengthHistogram(DurationText.format(interval))
    }

    mutating func scrapeBegins() {
        let now = ContinuousClock.now
        if let seconds = lastBegin?.duration(to: now).seconds {
            intervals.observe(seconds)
            intervalHistogram.observe(seconds)
        }
        lastBegin = now
    }
}
