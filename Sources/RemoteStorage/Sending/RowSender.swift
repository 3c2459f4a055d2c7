import ByteCoding
import Logging
import SelfMetrics
import SeriesModel

/// Sends one shard's batches, one after the other, each until the receiver has taken it or refuses it for good.
///
/// After a kill the log gives records once more that have been delivered: how far a queue has come is saved now and then.
/// Some receivers refuse the whole of a request for one sample that they have. So what such a request is refused for is
/// sent record by record, until the first is taken: what follows is new.
struct RowSender {
    /// What became of rows.
    private enum Fate {
        case accepted
        case refused(WriteClient.Refusal)
        /// All of them have grown too old.
        case dropped
        case cancelled
    }

    private let context: QueueContext
    private var encoder: RowEncoder
    /// Nothing has been taken yet.
    private var isFirst = true

    init(_ context: QueueContext) {
        self.context = context
        encoder = RowEncoder(context.section.message)
    }

    /// - Parameter rows: lose what becomes too old on the way.
    /// - Returns: false where the task was cancelled before the batch's fate was known.
    mutating func deliver(_ rows: inout SampleRows) async -> Bool {
        let begin = ContinuousClock.now
        let count = rows.count
        let isKnown = await settle(&rows)
        if isKnown { context.progress.left(rows: count, after: ContinuousClock.now - begin) }
        return isKnown
    }

    private mutating func settle(_ rows: inout SampleRows) async -> Bool {
        let fate = await send(&rows)
        switch fate {
        case .accepted, .dropped: return true
        case .cancelled: return false
        case .refused(let refusal):
            let mayBeRepeated = isFirst && refusal.blamesContent && rows.firstRecord <= context.doubt.end
            let parts = mayBeRepeated ? rows.byRecord : []
            if parts.count > 1 { return await settle(parts) }
            refused(rows, refusal)
            return true
        }
    }

    private mutating func settle(_ parts: [SampleRows]) async -> Bool {
        for var part in parts {
            switch await send(&part) {
            case .accepted, .dropped: break
            case .cancelled: return false
            case .refused(let refusal): refused(part, refusal)
            }
        }
        return true
    }

    /// Tries until the receiver decides.
    private mutating func send(_ rows: inout SampleRows) async -> Fate {
        // It may have waited for long behind others.
        _ = dropOld(&rows)
        guard !rows.isEmpty else { return .dropped }
        var body = encode(rows)
        var failures = 0
        while !rows.isEmpty {
            let start = ContinuousClock.now
            let outcome = await context.client.send(body, attempt: failures)
            context.metrics.batchDuration.observe(seconds(since: start))
            switch outcome {
            case .accepted(let written):
                guard let complaint = accepted(rows, written, bytes: body.count) else {
                    isFirst = false
                    return .accepted
                }
                return .refused(WriteClient.Refusal(reason: complaint))
            case .refused(let refusal): return .refused(refusal)
            case .cancelled: return .cancelled
            case .failed(let reason, let retryAfter):
                failures += 1
                guard await wait(rows, reason, retryAfter, failures) else { return .cancelled }
            }
            if dropOld(&rows) { body = encode(rows) }
        }
        return .dropped
    }

    private mutating func encode(_ rows: SampleRows) -> [UInt8] {
        let message = context.table.withLock { state in encoder.encode(rows, &state.table, state.book) }
        return Snappy.compress(message)
    }

    private func seconds(since start: ContinuousClock.Instant) -> Double {
        let parts = (ContinuousClock.now - start).components
        return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
    }

    /// - Returns: why it counts as refused all the same; nil where all is well.
    private func accepted(_ rows: SampleRows, _ written: WriteClient.Written, bytes: Int) -> String? {
        let counts = rows.counts
        guard context.section.message == .version2 else {
            context.metrics.sent(counts)
            note(rows, bytes)
            return nil
        }
        // Who knows version 2 says what he has written; who does not has not understood a word of it.
        if written.total == 0 {
            return "sent v2 request with \(counts.samples) samples, \(counts.histograms) histograms and "
                + "\(counts.exemplars) exemplars; got 2xx, but PRW 2.0 response header statistics indicate none were "
                + "accepted; assuming failure e.g. the target only supports PRW 1.0 prometheus.WriteRequest, but does "
                + "not check the Content-Type header correctly"
        }
        let failed = counts - written
        context.metrics.sent(counts - failed)
        context.metrics.failed(failed)
        if failed.total > 0 {
            context.gate.warn(
                "Remote write receiver has not written all of a request",
                [
                    "samples": "\(failed.samples)", "histograms": "\(failed.histograms)",
                    "exemplars": "\(failed.exemplars)",
                ])
        }
        note(rows, bytes)
        return nil
    }

    /// Something has been sent.
    private func note(_ rows: SampleRows, _ bytes: Int) {
        context.metrics.bytes.increment(by: Double(bytes))
        context.progress.sent(newest: rows.newest ?? 0, at: context.clock.now())
        context.metrics.highestSent.set((Double(context.progress.highestSent) / 1000).rounded(.down))
    }

    private func refused(_ rows: SampleRows, _ refusal: WriteClient.Refusal) {
        let failed = rows.counts - refusal.written
        context.metrics.sent(rows.counts - failed)
        context.metrics.failed(failed)
        context.gate.warn(
            "Remote write receiver refuses samples, dropping them",
            [
                "samples": "\(failed.samples)", "histograms": "\(failed.histograms)",
                "exemplars": "\(failed.exemplars)", "err": "\(refusal.reason)",
            ])
    }

    /// - Returns: false where the task is cancelled.
    private func wait(_ rows: SampleRows, _ reason: String, _ retryAfter: Int64?, _ failures: Int) async -> Bool {
        context.metrics.retried(rows.counts)
        context.gate.warn(
            "Failed to send batch, retrying", ["attempt": "\(failures)", "count": "\(rows.count)", "err": "\(reason)"])
        let pause = retryAfter ?? context.backoff(failures)
        // More shards would only make it worse.
        context.progress.disableResharding(until: context.clock.now().addingClamped(pause * 2))
        do {
            try await context.clock.sleep(milliseconds: pause)
            return !Task.isCancelled
        } catch { return false }
    }

    /// - Returns: whether anything had become too old.
    private func dropOld(_ rows: inout SampleRows) -> Bool {
        guard let limit = context.ageLimit, let oldest = rows.oldest, oldest < limit else { return false }
        context.metrics.dropped(rows.drop(before: limit), .tooOld)
        return true
    }
}
