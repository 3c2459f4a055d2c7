import FileIO
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import Blocks

@Suite("A block")
struct BlockRoundTripTests {
    private let disk = SimulatedFileSystem()

    @Test("gives back its series, labels, lists and samples", arguments: [1, 10, 700])
    func roundTrip(count: Int) throws {
        let series = BlockFixture.series(count)
        try BlockFixture.write(series, to: disk)
        let reader = try BlockFixture.open(disk)
        try reader.verify()
        #expect(reader.seriesCount == count)
        for (number, expected) in series.enumerated() {
            #expect(try reader.labels(of: UInt32(number)) == expected.labels)
            var samples = SampleBuffer()
            try reader.read(series: UInt32(number), range: .all, into: &samples)
            #expect(samples.timestamps == expected.samples.timestamps)
            #expect(samples.values == expected.samples.values)
        }
    }

    @Test("finds names, values and lists as a search through all series does")
    func lookUps() throws {
        let series = BlockFixture.series(700)
        try BlockFixture.write(series, to: disk)
        let reader = try BlockFixture.open(disk)
        let names = Set(series.flatMap { $0.labels.map(\.name) })
        #expect(try reader.labelNames() == names.sorted { $0.precedesByBytes($1) })
        for name in names {
            let values = Set(series.compactMap { $0.labels[name] }).sorted { $0.precedesByBytes($1) }
            #expect(try reader.labelValues(of: name) == values)
            for value in values {
                let expected = series.indices.filter { series[$0].labels[name] == value }.map(UInt32.init)
                #expect(try reader.postings(name: name, value: value) == expected)
            }
        }
        #expect(reader.allPostings() == Array(0..<700))
    }

    @Test("answers empty for what it does not have")
    func missing() throws {
        try BlockFixture.write(BlockFixture.series(10), to: disk)
        let reader = try BlockFixture.open(disk)
        #expect(try reader.labelValues(of: "nope") == [])
        #expect(try reader.labelValues(of: "host-1") == [], "a symbol that is no name")
        #expect(try reader.postings(name: "job", value: "nope") == [])
        #expect(try reader.postings(name: "job", value: "host-1") == [], "a symbol that is no value of it")
        #expect(try reader.postings(name: "", value: "") == [])
        #expect(throws: StorageError.self) { try reader.labels(of: 10) }
    }

    @Test("tells texts apart that only look the same")
    func bytes() throws {
        let composed = BlockFixture.Series(labels: ["a": "\u{E9}"], samples: BlockFixture.samples([1], [1]))
        let decomposed = BlockFixture.Series(labels: ["a": "e\u{301}"], samples: BlockFixture.samples([1], [2]))
        try BlockFixture.write([composed, decomposed].sorted { $0.labels < $1.labels }, to: disk)
        let reader = try BlockFixture.open(disk)
        #expect(try reader.labelValues(of: "a").count == 2)
        #expect(try reader.postings(name: "a", value: "\u{E9}") == [1])
        #expect(try reader.postings(name: "a", value: "e\u{301}") == [0])
    }

    @Test("reads only the samples of a range")
    func range() throws {
        let one = BlockFixture.Series(
            labels: ["a": "b"], samples: BlockFixture.samples([10, 20, 30], [1, 2, 3]))
        try BlockFixture.write([one], to: disk)
        let reader = try BlockFixture.open(disk)
        var samples = SampleBuffer()
        try reader.read(series: 0, range: TimeRange(min: 15, max: 25), into: &samples)
        #expect(samples.timestamps == [20])
        try reader.read(series: 0, range: TimeRange(min: 25, max: 15), into: &samples)
        #expect(samples.timestamps == [20])
    }

    @Test("describes itself in its footer")
    func footer() throws {
        let series = BlockFixture.series(20)
        let written = try BlockFixture.write(series, to: disk)
        let footer = try BlockReader.footer(fileSystem: disk, path: BlockFixture.path)
        #expect(footer == written)
        #expect(footer.identifier == BlockFixture.identifier)
        #expect(footer.range == BlockFixture.range)
        #expect(footer.seriesCount == 20)
        #expect(footer.sampleCount == series.reduce(0) { $0 + $1.samples.count })
        #expect(footer.level == 2)
        #expect(footer.parents == [BlockIdentifier(high: 1, low: 2), BlockIdentifier(high: 3, low: 4)])
        #expect(footer.lsn == 77)
        let sizes = ["data", "index", "footer"].map { disk.bytes(BlockFixture.path + "/" + $0)?.count ?? 0 }
        #expect(footer.bytes == sizes.reduce(0, +))
    }

    @Test("may hold no series at all, and a series without labels")
    func extremes() throws {
        try BlockFixture.write([], to: disk)
        let empty = try BlockFixture.open(disk)
        try empty.verify()
        #expect(try empty.labelNames() == [])
        #expect(try empty.postings(name: "a", value: "b") == [])
        let other = SimulatedFileSystem()
        try BlockFixture.write(
            [BlockFixture.Series(labels: .empty, samples: BlockFixture.samples([1], [1]))], to: other)
        let reader = try BlockFixture.open(other)
        try reader.verify()
        #expect(try reader.labels(of: 0) == .empty)
    }

    @Test("lies on the machine's disk as well, and can be read after it was removed")
    func posix() throws {
        let files = PosixFileSystem()
        let root = "/tmp/hearth-block-\(UInt64.random(in: 0...UInt64.max))"
        defer { try? files.remove(root) }
        let series = BlockFixture.series(50)
        var writer = try BlockWriter(
            fileSystem: files, directory: root, identifier: BlockFixture.identifier, range: BlockFixture.range, lsn: 1)
        for one in series { try writer.addSeries(one.labels, one.samples) }
        _ = try writer.finish()
        let path = FilePath.join(root, BlockFixture.identifier.description)
        let reader = try BlockReader(fileSystem: files, path: path)
        try BlockDirectory.remove(fileSystem: files, path: path)
        #expect(!files.exists(path))
        try reader.verify()
    }

    @Test("can be read from many threads at once")
    func threads() async throws {
        let series = BlockFixture.series(300)
        try BlockFixture.write(series, to: disk)
        let reader = try BlockFixture.open(disk)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 { group.addTask { try BlockFixture.readAll(reader) } }
            try await group.waitForAll()
        }
    }
}
