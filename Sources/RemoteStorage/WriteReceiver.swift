import ByteCoding
package import Logging
package import SelfMetrics
package import SeriesModel
package import StorageAPI

/// The receiving end of remote write 1.0: makes one batch of a request and has the store take all of it or nothing.
///
/// As upstream's storage/remote/write_handler.go: series whose labels are invalid are left out and counted, a sample
/// that the store refuses has the whole request refused, and samples that are out of order within the request itself
/// are left out in silence. Exemplars never have a request refused: one that is out of order is left out and logged, one
/// of a series that is not there is left out. Metadata is left out.
///
/// Decoding takes time in proportion to the body: call it from a thread that may compute.
package final class WriteReceiver: Sendable {
    package enum Outcome: Sendable, Hashable {
        case stored
        /// The sender's fault: it must not try again. The reason is for its log.
        case refused(String)
        /// Ours: the sender may try again.
        case failed(String)
    }

    /// Bytes of a message once decompressed.
    package static let messageBytesMax = 32 << 20

    private let storage: any Appendable
    private let samplesMax: Int
    private let clock: any WallClock
    private let logger: Logger
    private let invalidLabels: Counter

    /// - Parameter samplesMax: of a request. A sample takes 18 bytes of a message but for zeros; nobody writes millions
    ///   of them, other than to fill the memory.
    package init(
        storage: any Appendable, clock: any WallClock, registry: MetricsRegistry, logger: Logger,
        samplesMax: Int = 4_000_000
    ) {
        self.storage = storage
        self.samplesMax = samplesMax
        self.clock = clock
        self.logger = logger
        invalidLabels = registry.counter(
            "prometheus_api_remote_write_invalid_labels_samples_total",
            "The total number of received remote write samples and histogram samples which were rejected due to invalid labels."
        )
    }

    /// - Parameter body: a snappy block of a `prometheus.WriteRequest`.
    package func receive(_ body: [UInt8]) async -> Outcome {
        let batch: SampleBatch
        do {
            batch = try self.batch(of: try WriteReceiver.decompress(body))
        } catch let error as Refusal {
            return .refused(error.reason)
        } catch {
            return .refused("\(error)")
        }
        if batch.isEmpty { return .stored }
        do {
            let result = try await storage.append(batch)
            if result.exemplarsOutOfOrder > 0 {
                logger.warning(
                    "Error on ingesting out-of-order exemplars",
                    metadata: ["num_dropped": "\(result.exemplarsOutOfOrder)"])
            }
            guard let refusal = result.refusal else { return .stored }
            let reason = text(of: refusal, in: batch)
            logger.warning(
                "Remote write request refused",
                metadata: [
                    "err": "\(reason)", "series": "\(shown(WriteReceiver.series(of: refusal.sample, in: batch)))",
                    "timestamp": "\(batch.timestamps[refusal.sample])",
                ])
            return .refused(reason)
        } catch {
            logger.error("Remote write request not stored", metadata: ["err": "\(error)"])
            return .failed("\(error)")
        }
    }

    /// Senders can put megabytes into a label.
    private func shown(_ text: String) -> String {
        text.utf8.count > 500 ? text.prefixBytes(500) + "..." : text
    }

    // MARK: Decoding

    private struct Refusal: Error {
        let reason: String
    }

    private static func decompress(_ body: [UInt8]) throws(Refusal) -> [UInt8] {
        do {
            return try Snappy.decompress(body, sizeMax: messageBytesMax)
        } catch {
            switch error {
            case .malformed: throw Refusal(reason: "snappy: corrupt input")
            case .tooLarge(_, let sizeMax): throw Refusal(reason: "decoded size exceeds the \(sizeMax) bytes limit")
            }
        }
    }

    private func batch(of message: [UInt8]) throws -> SampleBatch {
        var batch = SampleBatch()
        batch.isAllOrNothing = true
        var faults: (count: Int, first: WriteRequestReader.LabelFault?) = (0, nil)
        try message.withUnsafeBytes { bytes in
            var reader = WriteRequestReader(bytes)
            while let labels = try reader.next() {
                switch labels {
                case .valid(let labels): try add(labels, &reader, to: &batch)
                case .invalid(let fault):
                    faults = (faults.count + 1, faults.first ?? fault)
                    // What is malformed behind invalid labels is malformed all the same.
                    while try reader.nextSample() != nil {}
                    while try reader.nextHistogram() != nil {}
                    while try reader.nextExemplar() != nil {}
                }
            }
        }
        if let first = faults.first {
            invalidLabels.increment(by: Double(faults.count))
            logger.warning(
                "Series with invalid labels left out of a remote write request",
                metadata: ["series": "\(faults.count)", "first": "\(shown("\(first)"))"])
        }
        return batch
    }

    private func add(_ labels: LabelSet, _ reader: inout WriteRequestReader, to batch: inout SampleBatch) throws {
        let series = batch.addSeries(labels)
        while let sample = try reader.nextSample() {
            guard batch.count < samplesMax else { throw tooMany }
            batch.append(new: series, sample.timestamp, sample.value)
        }
        while let sample = try reader.nextHistogram() {
            guard batch.count < samplesMax else { throw tooMany }
            batch.append(new: series, sample.timestamp, sample.histogram)
        }
        while let exemplar = try reader.nextExemplar() {
            guard batch.exemplars.count < samplesMax else { throw tooMany }
            batch.append(exemplar, of: .new(series))
        }
    }

    private var tooMany: Refusal { Refusal(reason: "request holds more than \(samplesMax) samples") }

    // MARK: Refusals

    /// Upstream's texts.
    private func text(of refusal: AppendResult.Refusal, in batch: SampleBatch) -> String {
        switch refusal.reason {
        case .outOfOrder: return "out of order sample"
        case .tooOld: return "too old sample"
        case .outOfBounds:
            let isAhead = batch.timestamps[refusal.sample] > clock.now()
            return isAhead ? "out of bounds: timestamp is too far in the future" : "out of bounds"
        case .duplicateTimestamp:
            guard let existing = refusal.existing, !batch.histogramRows.contains(refusal.sample) else {
                return "duplicate sample for timestamp"
            }
            return "duplicate sample for timestamp \(batch.timestamps[refusal.sample]); overrides not allowed: "
                + "existing \(NumberText.general(existing)), "
                + "new value \(NumberText.general(batch.values[refusal.sample]))"
        case .unknownSeries: return "series cannot be created, its labels are too long or there are too many series"
        case .invalidHistogram: return WriteReceiver.histogram(of: refusal.sample, in: batch)
        }
    }

    /// What is wrong with a histogram.
    private static func histogram(of sample: Int, in batch: SampleBatch) -> String {
        guard let row = batch.histogramRows.firstIndex(of: sample) else { return "invalid histogram" }
        do {
            try batch.histograms[row].validate()
            return "histogram has too many buckets"
        } catch {
            return "\(error)"
        }
    }

    private static func series(of sample: Int, in batch: SampleBatch) -> String {
        guard case .new(let index) = batch.series[sample] else { return "" }
        return batch.newSeries[index].metricNotation
    }
}
