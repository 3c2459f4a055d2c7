import ByteCoding
import Logging
import SelfMetrics
package import SeriesModel

/// What is known of metrics by name, from whoever scrapes them; where targets disagree there are several entries.
package typealias MetadataProvider = @Sendable () async -> [String: [MetricMetadata]]

/// Sends types and help texts now and then: with version 1 in requests of their own, with version 2 along with samples.
struct MetadataSender {
    private let context: QueueContext
    private let provider: MetadataProvider

    init(_ context: QueueContext, provider: @escaping MetadataProvider) {
        self.context = context
        self.provider = provider
    }

    /// How often what goes along with samples is looked up. ms
    private static let interval: Int64 = 60_000
    /// The same while nothing is known: at the start no target has been scraped, and samples go out bare. ms
    private static let firstInterval: Int64 = 3000

    /// Until the task is cancelled.
    func run() async {
        switch context.section.message {
        case .version1: await runVersion1()
        case .version2: await runVersion2()
        }
    }

    private func runVersion1() async {
        guard context.section.metadata.isSent else { return }
        while !Task.isCancelled {
            do {
                try await context.clock.sleep(milliseconds: max(context.section.metadata.interval, 1000))
            } catch { return }
            await sendAll()
        }
    }

    /// As upstream, whatever `metadata_config` says: that is about version 1.
    private func runVersion2() async {
        while !Task.isCancelled {
            let all = await provider()
            context.table.withLock { $0.book.replace(all) }
            let pause = all.isEmpty ? MetadataSender.firstInterval : MetadataSender.interval
            do { try await context.clock.sleep(milliseconds: pause) } catch { return }
        }
    }

    private func sendAll() async {
        let entries = await provider().sorted { $0.key < $1.key }.flatMap { family, all in
            all.map { FamilyMetadata(family: family, metadata: $0) }
        }
        let countMax = max(1, context.section.metadata.samplesPerSendMax)
        var start = 0
        while start < entries.count, !Task.isCancelled {
            let end = min(start + countMax, entries.count)
            await send(entries[start..<end])
            start = end
        }
    }

    private func send(_ entries: ArraySlice<FamilyMetadata>) async {
        let body = Snappy.compress(FamilyMetadata.request(entries))
        let count = Double(entries.count)
        var failures = 0
        while !Task.isCancelled {
            switch await context.client.send(body, attempt: failures) {
            case .accepted:
                context.metrics.metadataSent.increment(by: count)
                context.metrics.metadataBytes.increment(by: Double(body.count))
                return
            case .refused(let refusal):
                context.metrics.metadataFailed.increment(by: count)
                context.gate.warn(
                    "Remote write receiver refuses metadata", ["count": "\(entries.count)", "err": "\(refusal.reason)"])
                return
            case .cancelled: return
            case .failed(let reason, let retryAfter):
                failures += 1
                context.metrics.metadataRetried.increment(by: count)
                context.gate.warn(
                    "Failed to send metadata, retrying",
                    ["attempt": "\(failures)", "count": "\(entries.count)", "err": "\(reason)"])
                do {
                    try await context.clock.sleep(milliseconds: retryAfter ?? context.backoff(failures))
                } catch { return }
            }
        }
    }
}
