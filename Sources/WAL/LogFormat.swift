package import StorageFiles

/// Constants of the write-ahead log and of checkpoint files: see `docs/formats/wal.md`.
package enum LogFormat {
    static let magic: [UInt8] = Array("HEARTHWL".utf8)
    static let version: UInt32 = 1
    static let fileHeaderBytes = 40
    static let frameHeaderBytes = 24
    /// The most that a record's payload may take before compression. A reader allocates no more than this.
    static let payloadBytesMax = 64 << 20
    /// Payloads below this are not worth compressing.
    static let compressedBytesMin = 96
    /// Slots must be below: it bounds the tables that a reader keeps.
    package static let slotLimit: UInt32 = 1 << 26
    /// Segment numbers and LSNs must be below: counting on from them cannot overflow.
    static let numberLimit: UInt64 = 1 << 62
    /// Bit 0 of a frame's flags: the payload is an LZ4 block.
    static let compressedFlag: UInt8 = 1

    enum FileKind: UInt32 {
        case segment = 1
        case checkpoint = 2
    }

    package enum RecordType: UInt8, Sendable {
        case batch = 1
        /// Spans of time in which series are to be empty.
        case deletions = 2
        case checkpointEnd = 3
        /// A batch, and behind it the histograms of some of its rows.
        case histogramBatch = 4
        /// Exemplars, with the labels of their series.
        case exemplars = 5
        /// A batch, and behind it which of its rows are out of order.
        case outOfOrderBatch = 6
        /// A batch, behind it the histograms of some of its rows, and behind them which are out of order.
        case outOfOrderHistogramBatch = 7
        /// In checkpoints: what is said once of the head. The first record.
        case headState = 8
        /// In checkpoints: what the head holds of the series that a batch before has announced.
        case seriesStates = 9

        /// Of the record that holds a batch.
        init(of batch: LogBatch) {
            if !batch.deletions.isEmpty {
                self = .deletions
                return
            }
            if !batch.exemplars.isEmpty {
                self = .exemplars
                return
            }
            switch (batch.histogramRows.isEmpty, batch.outOfOrderRows.isEmpty) {
            case (true, true): self = .batch
            case (false, true): self = .histogramBatch
            case (true, false): self = .outOfOrderBatch
            case (false, false): self = .outOfOrderHistogramBatch
            }
        }

        var isBatch: Bool { self != .checkpointEnd && self != .headState && self != .seriesStates }
        var hasHistograms: Bool { self == .histogramBatch || self == .outOfOrderHistogramBatch }
        var hasOutOfOrderRows: Bool { self == .outOfOrderBatch || self == .outOfOrderHistogramBatch }
    }

    // MARK: - Names

    /// Eight digits at least, so that names sort like numbers for as long as anybody lives.
    static func segmentName(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }

    static func segmentNumber(_ name: String) -> UInt64? {
        guard name.utf8.count >= 8, name.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return UInt64(name).flatMap { $0 < numberLimit ? $0 : nil }
    }

    package static func checkpointName(_ lsn: LSN) -> String {
        let digits = String(lsn)
        return checkpointPrefix + String(repeating: "0", count: max(0, 20 - digits.count)) + digits
    }

    package static func checkpointLSN(_ name: String) -> LSN? {
        guard name.hasPrefix(checkpointPrefix) else { return nil }
        let digits = name.dropFirst(checkpointPrefix.count)
        guard digits.utf8.count == 20, digits.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return LSN(digits).flatMap { $0 < numberLimit ? $0 : nil }
    }

    private static let checkpointPrefix = "checkpoint-"
    /// What was cut off a damaged file is kept under the file's name and this.
    static let tornSuffix = ".torn"
    static let temporarySuffix = ".tmp"
}
