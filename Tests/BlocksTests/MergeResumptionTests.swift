import FileIO
import SeriesModel
import StorageAPI
import Synchronization
import TestSupport
import Testing

@testable import Blocks

@Suite("A merge that is interrupted")
struct MergeResumptionTests {
    private static let target = BlockIdentifier(high: 9, low: 9)
    private static let later = BlockIdentifier(high: 10, low: 10)
    private typealias Contents = [LabelSet: [MixedSample]]

    /// Two blocks with series of their own and common ones: regular and jittered times, buckets, histograms.
    private func sources(_ disk: SimulatedFileSystem) throws -> [BlockReader] {
        try (0..<2).map { number in
            var random = SeededRandom(seed: UInt64(number + 5))
            let range = TimeRange(min: Int64(number) * 100_000, max: Int64(number + 1) * 100_000)
            let identifier = BlockIdentifier(high: 1, low: UInt64(number + 1))
            var writer = try BlockWriter(
                fileSystem: disk, directory: BlockFixture.directory, identifier: identifier, range: range,
                lsn: UInt64(number + 1))
            var jittered: [Timestamp] = []
            for index in 0..<12 { jittered.append(range.min + Int64(index) * 5000 + Int64(random.below(900))) }
            var series: [(LabelSet, SampleBuffer)] = []
            for index in 0..<4 {
                let values = jittered.map { _ in Double(random.below(50)) }
                series.append(
                    (["__name__": "load", "i": "\(index * (number + 1))"], BlockFixture.samples(jittered, values)))
            }
            for bound in ["1", "2", "+Inf"] {
                let values = (0..<12).map { Double($0 * (bound.utf8.count + 1)) }
                series.append((["__name__": "t_bucket", "le": bound], BlockFixture.samples(jittered, values)))
            }
            var native = SampleBuffer()
            for index in 0..<6 { native.append(range.min + Int64(index) * 7000, Histograms.simple(index), start: 1) }
            series.append((["__name__": "native"], native))
            series.append((["__name__": "up"], BlockFixture.samples([range.min, range.min + 15_000], [1, 1])))
            for (labels, samples) in series.sorted(by: { $0.0 < $1.0 }) { try writer.addSeries(labels, samples) }
            _ = try writer.finish()
            return try open(disk, identifier)
        }
    }

    private func open(_ disk: SimulatedFileSystem, _ identifier: BlockIdentifier) throws -> BlockReader {
        try BlockReader(fileSystem: disk, path: BlockFixture.directory + "/" + identifier.description)
    }

    private func contents(_ reader: BlockReader) throws -> Contents {
        try reader.verify()
        var contents = Contents()
        for series in reader.allPostings() {
            var samples = SampleBuffer()
            try reader.read(series: series, into: &samples)
            let floats = zip(samples.timestamps, samples.values).map { MixedSample($0, $1) }
            let histograms = zip(samples.histogramTimestamps, samples.histograms).map { MixedSample($0, $1) }
            contents[try reader.labels(of: series)] = floats + histograms
            for (name, value) in try reader.labels(of: series).map({ ($0.name, $0.value) }) {
                #expect(try reader.postings(name: name, value: value).contains(series))
            }
        }
        return contents
    }

    private func merge(_ sources: [BlockReader], intervalBytes: Int = 1, context: [UInt8] = []) -> BlockMerge {
        var merge = BlockMerge(sources)
        merge.marks = MergeMarks(intervalBytes: intervalBytes, context: context)
        return merge
    }

    /// Merges up to a series, and leaves what is there.
    /// - Returns: false where the merge has less series, and ended.
    private func interrupt(
        _ merge: BlockMerge, _ disk: SimulatedFileSystem, after count: Int, as identifier: BlockIdentifier = target,
        resuming: InterruptedMerge? = nil
    ) throws -> Bool {
        var (merge, asked) = (merge, 0)
        merge.mayGoOn = {
            asked += 1
            return asked <= count
        }
        merge.isInterrupted = { true }
        do {
            _ = try merge.run(
                fileSystem: disk, directory: BlockFixture.directory, identifier: identifier, resuming: resuming)
            return false
        } catch BlockMerge.Stop.interrupted {
            return true
        }
    }

    private func find(_ disk: SimulatedFileSystem) throws -> InterruptedMerge? {
        try InterruptedMerge.find(fileSystem: disk, directory: BlockFixture.directory)
    }

    /// Goes on to the end.
    /// - Returns: the block, and how many series had been written.
    private func goOn(_ merge: BlockMerge, _ disk: SimulatedFileSystem) throws -> (reader: BlockReader, resumed: Int?) {
        var (merge, resumed) = (merge, Int?.none)
        merge.resumption = { if case .resumed(let series, _) = $0 { resumed = series } }
        let footer = try #require(
            try merge.run(
                fileSystem: disk, directory: BlockFixture.directory, identifier: MergeResumptionTests.later,
                resuming: find(disk)))
        #expect(try BlockDirectory.list(fileSystem: disk, directory: BlockFixture.directory).leftovers.isEmpty)
        let path = BlockFixture.directory + "/" + footer.identifier.description
        #expect(try disk.list(path) == ["data", "footer", "index"])
        return (try open(disk, footer.identifier), resumed)
    }

    private func whole() throws -> Contents {
        let disk = SimulatedFileSystem()
        return try contents(try goOn(merge(try sources(disk)), disk).reader)
    }

    @Test("at any series, again and again, gives the block that it gives in one go")
    func everySeries() throws {
        let expected = try whole()
        for step in 1..<14 {
            let disk = SimulatedFileSystem()
            let sources = try sources(disk)
            var rounds = 0
            while try interrupt(merge(sources), disk, after: step, resuming: find(disk)) {
                rounds += 1
                let found = try #require(try find(disk))
                #expect(found.sources == sources.map(\.identifier))
                #expect(found.path.hasSuffix(MergeResumptionTests.target.description + ".tmp"))
            }
            #expect(rounds == (expected.count - 1) / step)
            #expect(try contents(try open(disk, MergeResumptionTests.target)) == expected, "every \(step)")
        }
    }

    @Test("goes on in the files of a real disk")
    func realFiles() throws {
        let directory = try TemporaryDirectory()
        let disk = PosixFileSystem()
        let source = BlockIdentifier(high: 1, low: 1)
        let series = BlockFixture.series(20)
        var writer = try BlockWriter(
            fileSystem: disk, directory: directory.path, identifier: source, range: BlockFixture.range, lsn: 1)
        for one in series { try writer.addSeries(one.labels, one.samples) }
        _ = try writer.finish()
        let reader = try BlockReader(fileSystem: disk, path: directory.path + "/" + source.description)
        var resumed: [Int] = []
        for count in [7, 7, 100] {
            var merge = merge([reader])
            var asked = 0
            merge.mayGoOn = {
                asked += 1
                return asked <= count
            }
            merge.isInterrupted = { true }
            merge.resumption = { if case .resumed(let series, _) = $0 { resumed.append(series) } }
            _ = try? merge.run(
                fileSystem: disk, directory: directory.path, identifier: MergeResumptionTests.target,
                resuming: InterruptedMerge.find(fileSystem: disk, directory: directory.path))
        }
        #expect(resumed == [7, 14])
        let merged = try BlockReader(
            fileSystem: disk, path: directory.path + "/" + MergeResumptionTests.target.description)
        #expect(try contents(merged) == contents(reader))
    }

    /// What a merge leaves at each of its writes.
    private func crashPoints(_ disk: SimulatedFileSystem, _ merge: BlockMerge) throws -> [SimulatedFileSystem] {
        let points = Mutex<[SimulatedFileSystem]>([])
        disk.observeChanges { disk in points.withLock { $0.append(disk.killProcess()) } }
        defer { disk.observeChanges(nil) }
        _ = try merge.run(
            fileSystem: disk, directory: BlockFixture.directory, identifier: MergeResumptionTests.target,
            resuming: find(disk))
        return points.withLock { $0 }
    }

    /// The sources on another disk.
    private func reopened(_ disk: SimulatedFileSystem) throws -> [BlockReader] {
        try [1, 2].map { try open(disk, BlockIdentifier(high: 1, low: $0)) }
    }

    /// - Returns: whether the merge went on.
    private func check(_ disk: SimulatedFileSystem, _ expected: Contents, _ place: String) throws -> Bool {
        let finished = BlockFixture.directory + "/" + MergeResumptionTests.target.description
        if disk.exists(finished) {
            #expect(try contents(try open(disk, MergeResumptionTests.target)) == expected, "\(place)")
            return false
        }
        if try find(disk) == nil { try removeLeftovers(disk) }
        let (reader, resumed) = try goOn(merge(try reopened(disk)), disk)
        #expect(try contents(reader) == expected, "\(place)")
        return resumed != nil
    }

    @Test("by a kill or a power cut at any write goes on or is begun anew, with the same result", arguments: [1, 60])
    func crash(intervalBytes: Int) throws {
        let expected = try whole()
        var random = SeededRandom(seed: 3)
        let disk = SimulatedFileSystem()
        let points = try crashPoints(disk, merge(try sources(disk), intervalBytes: intervalBytes))
        #expect(points.count > 40)
        var resumedCount = 0
        for (index, point) in points.enumerated() {
            for isPowerLost in [false, true] {
                let after = isPowerLost ? point.losePower(using: &random) : point.killProcess()
                if try check(after, expected, "write \(index), power lost: \(isPowerLost)") { resumedCount += 1 }
            }
            // One that goes on ends at a write of its own.
            let after = point.losePower(using: &random)
            guard index % 5 == 0, try find(after) != nil else { continue }
            let further = try crashPoints(after, merge(try reopened(after), intervalBytes: intervalBytes))
            for _ in 0..<4 {
                let second = random.pick(further).losePower(using: &random)
                if try check(second, expected, "write \(index), twice") { resumedCount += 1 }
            }
        }
        #expect(resumedCount > points.count / 2)
    }

    @Test("leaves a file of which any changed byte means an earlier mark or a beginning anew, never another result")
    func flips() throws {
        let expected = try whole()
        let disk = SimulatedFileSystem()
        #expect(try interrupt(merge(try sources(disk)), disk, after: 5))
        let directory = BlockFixture.directory + "/" + MergeResumptionTests.target.description + ".tmp"
        var resumedCount = 0
        for name in ["progress", "data"] {
            let bytes = try #require(disk.bytes(directory + "/" + name))
            for index in bytes.indices {
                let flipped = disk.killProcess()
                var changed = bytes
                changed[index] ^= 1 << UInt8(index % 8)
                try flipped.overwrite(directory + "/" + name, changed)
                if try check(flipped, expected, "\(name), byte \(index)") { resumedCount += 1 }
                guard index % 7 == 0 else { continue }
                let after = disk.killProcess()
                try after.overwrite(directory + "/" + name, Array(bytes[..<index]))
                if try check(after, expected, "\(name), cut at \(index)") { resumedCount += 1 }
            }
        }
        #expect(resumedCount > 100)
    }

    @Test("is begun anew when something of a source was deleted meanwhile, and leaves that out")
    func deletion() throws {
        let disk = SimulatedFileSystem()
        var sources = try sources(disk)
        #expect(try interrupt(merge(sources), disk, after: 5))
        var tombstones = BlockTombstones()
        tombstones.add(0, .all)
        try tombstones.write(fileSystem: disk, path: sources[1].path)
        sources[1] = try open(disk, sources[1].identifier)
        let (reader, resumed) = try goOn(merge(sources), disk)
        #expect(resumed == nil)
        let found = try contents(reader)
        let fresh = SimulatedFileSystem()
        _ = try self.sources(fresh)
        try tombstones.write(fileSystem: fresh, path: sources[1].path)
        #expect(try found == contents(try goOn(merge(try reopened(fresh)), fresh).reader))
        #expect(try found != whole())
    }

    @Test("is begun anew with other sources, another context, and where it was to make no marks")
    func otherConditions() throws {
        for number in 0..<4 {
            let disk = SimulatedFileSystem()
            let sources = try sources(disk)
            #expect(try interrupt(merge(sources, context: [1]), disk, after: 5))
            var next = merge(number == 0 ? [sources[0]] : sources, context: number == 1 ? [2] : [1])
            if number == 2 { next.marks = nil }
            #expect(try goOn(next, disk).resumed == (number == 3 ? 5 : nil), "\(number)")
        }
    }

    @Test("leaves nothing where little was written, or a mark cannot be made")
    func notWorthIt() throws {
        let disk = SimulatedFileSystem()
        let sources = try sources(disk)
        for isFailing in [false, true] {
            disk.failSyncs(isFailing)
            #expect(throws: BlockMerge.Stop.cancelled) {
                try interrupt(merge(sources, intervalBytes: isFailing ? 3000 : 100_000), disk, after: 8)
            }
            #expect(try find(disk) == nil)
            #expect(try BlockDirectory.list(fileSystem: disk, directory: BlockFixture.directory).leftovers.isEmpty)
        }
        disk.failSyncs(true)
        #expect(throws: (any Error).self) { try interrupt(merge(sources), disk, after: 5) }
        disk.failSyncs(false)
        #expect(try BlockDirectory.list(fileSystem: disk, directory: BlockFixture.directory).leftovers.isEmpty)
    }

    @Test(
        "reads what there is to go on with in pieces: one that may not go on changes nothing, and is no beginning anew")
    func verification() throws {
        let disk = SimulatedFileSystem()
        let range = TimeRange(min: 0, max: 1_000_000)
        let source = BlockIdentifier(high: 1, low: 1)
        var random = SeededRandom(seed: 4)
        var writer = try BlockWriter(
            fileSystem: disk, directory: BlockFixture.directory, identifier: source, range: range, lsn: 1)
        for index in 0..<4 {
            // More than a piece.
            let values = (0..<50_000).map { _ in Double(random.below(1 << 50)) / 7 }
            try writer.addSeries(
                ["__name__": "m", "i": "\(index)"], BlockFixture.samples(values.indices.map { Int64($0) * 20 }, values))
        }
        _ = try writer.finish()
        let reader = try open(disk, source)
        #expect(try interrupt(merge([reader]), disk, after: 3))
        let directory = BlockFixture.directory + "/" + MergeResumptionTests.target.description + ".tmp"
        let before = try ["progress", "data"].map { try #require(disk.bytes(directory + "/" + $0)) }
        #expect(before[1].count > 1 << 20)
        for isInterrupted in [true, false] {
            var merge = merge([reader])
            merge.mayGoOn = { false }
            merge.isInterrupted = { isInterrupted }
            merge.resumption = { Issue.record("\($0)") }
            #expect(throws: BlockMerge.Stop.interrupted) {
                try merge.run(
                    fileSystem: disk, directory: BlockFixture.directory, identifier: MergeResumptionTests.later,
                    resuming: find(disk))
            }
            #expect(try ["progress", "data"].map { try #require(disk.bytes(directory + "/" + $0)) } == before)
        }
        let (merged, resumed) = try goOn(merge([reader]), disk)
        #expect(resumed == 3)
        #expect(try contents(merged) == contents(reader))
    }

    private func removeLeftovers(_ disk: SimulatedFileSystem) throws {
        for path in try BlockDirectory.list(fileSystem: disk, directory: BlockFixture.directory).leftovers {
            try BlockDirectory.remove(fileSystem: disk, path: path)
        }
    }
}
