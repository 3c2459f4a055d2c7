import Foundation
package import SeriesModel
package import StorageAPI

/// What a block of Prometheus' says of itself in `meta.json`. Fields that are not known here are left out.
package struct PrometheusMeta: Sendable, Hashable, Codable {
    package struct Statistics: Sendable, Hashable, Codable {
        package var numSamples: UInt64?
        package var numSeries: UInt64?
        package var numChunks: UInt64?
        package var numTombstones: UInt64?
        package var numFloatSamples: UInt64?
        package var numHistogramSamples: UInt64?

        package init() {}
    }

    /// Names a block that this one was made of.
    package struct Parent: Sendable, Hashable, Codable {
        package var ulid: String
        package var minTime: Timestamp
        package var maxTime: Timestamp
    }

    package struct Compaction: Sendable, Hashable, Codable {
        package var level: Int
        /// The blocks of level 1 whose samples are in this one.
        package var sources: [String]?
        package var deletable: Bool?
        package var parents: [Parent]?
        package var failed: Bool?
        package var hints: [String]?

        package init(level: Int, sources: [String]) {
            self.level = level
            self.sources = sources
        }
    }

    package var ulid: String
    /// ms; the first that may be in the block.
    package var minTime: Timestamp
    /// ms; the first behind the block, unlike elsewhere.
    package var maxTime: Timestamp
    package var stats: Statistics?
    package var compaction: Compaction?
    package var version: Int

    package init(ulid: String, minTime: Timestamp, maxTime: Timestamp) {
        self.ulid = ulid
        self.minTime = minTime
        self.maxTime = maxTime
        compaction = Compaction(level: 1, sources: [ulid])
        version = 1
    }

    /// Closed: the last ms that may be in the block is `max`.
    package var range: TimeRange { TimeRange(min: minTime, max: maxTime.subtractingClamped(1)) }

    /// Whether the block holds samples that came late: such a block says nothing about how far the log was cut.
    package var isFromLateSamples: Bool { compaction?.hints?.contains("from-out-of-order") ?? false }

    // MARK: - Bytes

    /// - Throws: `StorageError.corruption` for what is no description of a block, or one of another version.
    package init(_ bytes: [UInt8], file: String) throws(StorageError) {
        do {
            self = try JSONDecoder().decode(PrometheusMeta.self, from: Data(bytes))
        } catch {
            throw .corruption(file: file, offset: 0, reason: "not the description of a block: \(error)")
        }
        guard version == 1 else { throw .corruption(file: file, offset: 0, reason: "version \(version)") }
        guard minTime <= maxTime else {
            throw .corruption(file: file, offset: 0, reason: "minTime \(minTime) behind maxTime \(maxTime)")
        }
    }

    /// The file, its fields sorted by name.
    func encoded(file: String) throws(StorageError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        do {
            return [UInt8](try encoder.encode(self)) + [UInt8(ascii: "\n")]
        } catch {
            throw .invalid(reason: "\(file): \(error)")
        }
    }
}
