import Blocks
import FileIO
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import TSDB

@Suite("A store with one byte changed")
struct ByteFlipTests {
    private let a: LabelSet = ["__name__": "m", "i": "a"]
    private let b: LabelSet = ["__name__": "m", "i": "b"]
    private let histogram: LabelSet = ["__name__": "h"]

    /// A store that has a block with tombstones, head chunks that a checkpoint names, and a log behind it.
    private func filled() async throws -> TestStore {
        let test = try TestStore()
        var random = SeededRandom(seed: 1)
        func append(until minute: Int64) async throws {
            while test.clock.now() < TestStore.start + minute * 60_000 {
                test.clock.advance(by: 600_000)
                let now = test.clock.now()
                // Values that differ: one that takes the place of another is seen.
                try await test.append([a, b].map { ($0, now, Double(random.below(10_000)) / 8) })
                if random.chance(30) { try await test.append([(histogram, now, Histograms.simple(random.below(99)))]) }
            }
        }
        try await append(until: 210)
        try test.store.deleteSeries(
            matching: [[.equal("i", "b")]],
            in: TimeRange(min: TestStore.start + 1_800_000, max: TestStore.start + 3_600_000))
        try test.store.maintain()
        try await append(until: 250)
        try test.store.deleteSeries(
            matching: [[.equal("i", "a")]], in: TimeRange(min: TestStore.start, max: TestStore.start + 900_000))
        try test.store.checkpoint()
        try await append(until: 280)
        return test
    }

    /// Opens the store with each byte of a file changed in turn. A sample that is served is one that was appended and
    /// not deleted; one that is missing is told of.
    /// - Parameter stride: every how many bytes, where the file is large.
    private func flip(_ suffix: (String) -> Bool, step: Int = 1) async throws {
        let test = try await filled()
        let expected = try test.faultContents()
        let before = test.disk.killProcess()
        let paths = before.paths.filter(suffix)
        #expect(!paths.isEmpty)
        for path in paths {
            let bytes = try #require(before.bytes(path))
            for index in stride(from: 0, to: bytes.count, by: step) {
                let disk = before.killProcess()
                var changed = bytes
                changed[index] ^= UInt8(1 << (index % 8))
                try disk.overwrite(path, changed)
                do {
                    try test.restart(on: disk)
                    let found = try test.faultContents()
                    let verdict = Self.verdict(found, expected, isTold: !test.store.damages.isEmpty)
                    if let verdict { Issue.record("byte \(index) of \(path): \(verdict)") }
                } catch let error as StorageError {
                    // A query that fails says so; the next one, after the damage was set aside, is answered.
                    guard case .corruption = error else { throw error }
                    try? test.store.maintain()
                    let found = try test.faultContents()
                    let verdict = Self.verdict(found, expected, isTold: !test.store.damages.isEmpty)
                    if let verdict { Issue.record("byte \(index) of \(path), set aside: \(verdict)") }
                }
            }
        }
    }

    private static func verdict(
        _ found: FaultModel.Contents, _ expected: FaultModel.Contents, isTold: Bool
    ) -> String? {
        for (labels, samples) in found {
            for (timestamp, sample) in samples where expected[labels]?[timestamp] != sample {
                return "\(labels) \(sample) in place of \(String(describing: expected[labels]?[timestamp]))"
            }
        }
        let isMissing = expected.contains { labels, samples in samples.count != found[labels]?.count ?? 0 }
        return isMissing && !isTold ? "samples are missing, and nobody is told" : nil
    }

    private func flip(in directory: String, _ name: String = "", step: Int = 1) async throws {
        try await flip({ $0.contains("/\(directory)/") && (name.isEmpty || $0.hasSuffix("/" + name)) }, step: step)
    }

    @Test("in a segment of the log")
    func segment() async throws { try await flip({ $0.contains("/wal/0") }) }

    @Test("in a checkpoint")
    func checkpoint() async throws { try await flip({ $0.contains("/wal/checkpoint") }) }

    @Test("in the file of head chunks")
    func headChunks() async throws { try await flip(in: "chunks_head") }

    @Test("in a block's data, index, footer or tombstones", arguments: ["data", "index", "footer", "tombstones"])
    func block(name: String) async throws { try await flip(in: "blocks", name) }
}
