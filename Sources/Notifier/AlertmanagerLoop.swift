import Logging
import OutboundHTTP
import Rules
import SelfMetrics
import SeriesModel

/// Sends alerts to one Alertmanager: batch after batch, and again after a failure, a little later each time.
///
/// What is queued also lies in the outbox until it is delivered, so that a restart, or a long absence of the
/// Alertmanager, loses no word; a newer word about an alert replaces the older.
actor AlertmanagerLoop {
    /// Waits between attempts, ms.
    private static let backoffMin: Int64 = 1000
    private static let backoffMax: Int64 = 30_000

    nonisolated let url: String
    private let client: HTTPClientSection
    private let timeout: Int64
    private let environment: NotifierEnvironment
    private let metrics: NotifierMetrics.PerAlertmanager
    private var queue: AlertQueue
    private var task: Task<Void, Never>?
    private var wakeUp: CheckedContinuation<Void, Never>?
    /// The wait between two attempts.
    private var nap: Task<Void, any Error>?
    private var isDraining = false

    init(url: String, section: AlertmanagerSection, environment: NotifierEnvironment) {
        self.url = url
        client = section.client
        timeout = section.timeout
        self.environment = environment
        metrics = environment.metrics.alertmanager(url)
        queue = AlertQueue(capacity: environment.options.queueCapacity)
    }

    func start() {
        guard task == nil else { return }
        task = Task { [self] in await run() }
    }

    /// Ends at once; what was not delivered stays in the outbox.
    func stop() async {
        task?.cancel()
        wake()
        await task?.value
        task = nil
    }

    /// Returns when all is delivered, or a delivery has failed. Does not wait for the next attempt's time.
    func drain() async {
        isDraining = true
        nap?.cancel()
        wake()
        await task?.value
    }

    func add(_ alerts: [Alert]) async {
        await drop(queue.add(alerts), "Alert notification queue full, dropping alerts")
        metrics.queueLength.set(Double(queue.count))
        wake()
    }

    private func wake() {
        wakeUp?.resume()
        wakeUp = nil
    }

    private func run() async {
        var backoff = AlertmanagerLoop.backoffMin
        while !Task.isCancelled {
            let (batch, expired) = queue.take(environment.options.batchMax, now: environment.clock.now())
            await drop(expired, "Alert notifications have lost their validity, dropping alerts")
            metrics.queueLength.set(Double(queue.count))
            if batch.isEmpty {
                if isDraining { return }
                await waitForWork()
            } else if await deliver(batch) {
                backoff = AlertmanagerLoop.backoffMin
            } else {
                if isDraining { return }
                await pause(backoff)
                backoff = min(backoff * 2, AlertmanagerLoop.backoffMax)
            }
        }
    }

    private func pause(_ milliseconds: Int64) async {
        let clock = environment.clock
        let nap = Task { try await clock.sleep(milliseconds: milliseconds) }
        self.nap = nap
        await withTaskCancellationHandler {
            _ = await nap.result
        } onCancel: {
            nap.cancel()
        }
        self.nap = nil
    }

    private func waitForWork() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled || isDraining || queue.count > 0 {
                    continuation.resume()
                } else {
                    wakeUp = continuation
                }
            }
        } onCancel: {
            Task { await self.wake() }
        }
    }

    /// - Returns: false where it should be tried again.
    private func deliver(_ batch: [Alert]) async -> Bool {
        let start = ContinuousClock.now
        let request = OutboundRequest(
            .post, url, headers: [("Content-Type", "application/json")], body: AlertPayload.json(batch), client: client,
            timeout: timeout, bodyBytesMax: 64 << 10)
        var status = 0
        let complaint: String
        do throws(OutboundError) {
            let response = try await environment.transport.send(request)
            status = response.status
            complaint = "bad response status \(response.status) \(response.reason)"
        } catch {
            complaint = error.description
        }
        if (200..<300).contains(status) {
            let elapsed = ContinuousClock.now - start
            let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
            metrics.latency.observe(seconds)
            metrics.latencyHistogram.observe(seconds)
            metrics.sent.increment(by: Double(batch.count))
            await forget(batch)
            return true
        }
        if !Task.isCancelled {
            metrics.errors.increment(by: Double(batch.count))
            environment.logger.error(
                "Error sending alerts",
                metadata: ["alertmanager": "\(url)", "count": "\(batch.count)", "err": "\(complaint)"])
        }
        // What the other side calls malformed will be malformed the next time too, and would block the rest.
        if (400..<500).contains(status), status != 408, status != 429, status != 401, status != 403, status != 404 {
            await drop(batch, "Alertmanager refuses alerts, dropping them")
            return true
        }
        await drop(queue.giveBack(batch), "Alert notification queue full, dropping alerts")
        metrics.queueLength.set(Double(queue.count))
        return false
    }

    private func drop(_ alerts: [Alert], _ reason: Logger.Message) async {
        guard !alerts.isEmpty else { return }
        environment.metrics.dropped.increment(by: Double(alerts.count))
        environment.logger.warning(
            reason, metadata: ["alertmanager": "\(url)", "num_dropped": "\(alerts.count)"])
        await forget(alerts)
    }

    private func forget(_ alerts: [Alert]) async {
        do {
            try await environment.outbox.remove(alerts.map { $0.outboxEntry(for: url) })
        } catch {
            environment.logger.error("Error clearing the notification outbox", metadata: ["err": "\(error)"])
        }
    }
}

/// What all loops of a notifier share.
struct NotifierEnvironment: Sendable {
    let transport: any HTTPTransport
    let outbox: any NotificationOutbox
    let clock: any WallClock
    let options: NotifierOptions
    let metrics: NotifierMetrics
    let logger: Logger
}
