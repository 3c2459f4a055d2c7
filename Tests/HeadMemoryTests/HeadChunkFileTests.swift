import ByteCoding
import ChunkEncoding
import FileIO
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import HeadMemory

@Suite("Head-chunk files")
struct HeadChunkFileTests {
    private let t = HeadFixture.start
    private static let directory = "/data/chunks_head"

    private func chunk(_ index: Int, count: Int = 10) -> MemoryChunk {
        let timestamps = (0..<count).map { t + Int64(index * 100_000 + $0 * 15_000) }
        let values = (0..<count).map { Double(index * 7 + $0 * $0) / 3 }
        return MemoryChunk(
            encoding: .xor, range: TimeRange(min: timestamps[0], max: timestamps[count - 1]),
            bytes: XORAppender.encode(timestamps: timestamps[...], values: values[...]))
    }

    private func entry(_ index: Int, count: Int = 10) -> HeadChunkWriter.Entry {
        .init(slot: UInt32(index % 5), generation: 2, chunk: chunk(index, count: count), isOutOfOrder: index % 2 == 1)
    }

    private func writer(
        _ disk: SimulatedFileSystem, fileBytes: Int = 1000, place: HeadChunkPlace? = nil
    ) throws -> HeadChunkWriter {
        try HeadChunkWriter(
            fileSystem: disk, dataDirectory: "/data", fileBytes: fileBytes, place: place, isReadOnly: false)
    }

    /// Writes, shows, and checks that all were written.
    private func write(_ entries: [HeadChunkWriter.Entry], to writer: HeadChunkWriter) throws -> [ClosedChunk] {
        let (chunks, set, failure) = writer.write(entries)
        if let set { writer.show(set) }
        if let failure { throw failure }
        #expect(chunks.count == entries.count)
        return chunks
    }

    @Test("Chunks come back as they were written, from as many files as they fill")
    func roundTrip() throws {
        let disk = SimulatedFileSystem()
        let writer = try writer(disk)
        let entries = (0..<60).map { entry($0, count: 1 + $0 * 2) }
        var chunks: [ClosedChunk] = []
        for first in stride(from: 0, to: 60, by: 20) {
            chunks += try write(Array(entries[first..<first + 20]), to: writer)
        }
        #expect(Set(chunks.map(\.place.file)).count > 5)
        #expect(chunks.map(\.place) == chunks.map(\.place).sorted())
        #expect(try disk.list(HeadChunkFileTests.directory).count == writer.files.files.count)
        for (entry, chunk) in zip(entries, chunks) {
            let found = try writer.files.chunk(chunk, of: entry.slot)
            #expect(found.encoding == .xor)
            #expect(found.bytes == entry.chunk.bytes)
            #expect(chunk.range == entry.chunk.range)
        }
        // A chunk that is larger than a file gets a file of its own.
        let large = try write([entry(99, count: 400)], to: writer)
        #expect(try writer.files.chunk(large[0], of: 4).bytes == chunk(99, count: 400).bytes)
    }

    @Test("After a restart the files are written on from the checkpoint's place, what stands behind is forgotten")
    func writtenOn() throws {
        let disk = SimulatedFileSystem()
        let first = try writer(disk)
        let kept = try write((0..<12).map { entry($0) }, to: first)
        let place = first.place
        _ = try write((12..<40).map { entry($0) }, to: first)
        let after = disk.killProcess()
        let second = try writer(after, place: place)
        #expect(second.files.files.map(\.number).max() == place.file)
        let more = try write((50..<60).map { entry($0) }, to: second)
        #expect(more[0].place >= place)
        for (index, chunk) in zip(Array(0..<12) + Array(50..<60), kept + more) {
            #expect(try second.files.chunk(chunk, of: UInt32(index % 5)).bytes == self.chunk(index).bytes)
        }
    }

    @Test("Where the file of the checkpoint's place is lost, no new file takes a number that a chunk names")
    func lostFile() throws {
        let disk = SimulatedFileSystem()
        let first = try writer(disk)
        // All of one length: a file that is written anew has records in the same places.
        func entries(_ numbers: Range<Int>) -> [HeadChunkWriter.Entry] {
            numbers.map { number in
                let time = t + Int64(number) * 15_000
                let bytes = XORAppender.encode(timestamps: [time], values: [1])
                let chunk = MemoryChunk(encoding: .xor, range: TimeRange(min: time, max: time), bytes: bytes)
                return .init(slot: 0, generation: 1, chunk: chunk, isOutOfOrder: false)
            }
        }
        let chunks = try write(entries(0..<200), to: first)
        let place = first.place
        for lost in (place.file - 1)...place.file {
            try disk.remove(FilePath.join(HeadChunkFileTests.directory, HeadChunkFormat.name(lost)))
        }
        let second = try writer(disk.killProcess(), place: place)
        _ = try write(entries(200..<400), to: second)
        for chunk in chunks where chunk.place.file >= place.file - 1 {
            #expect(throws: StorageError.self) { try second.files.chunk(chunk, of: 0) }
        }
    }

    @Test("A flipped bit anywhere in a record is an error, and never another value")
    func flipped() throws {
        let disk = SimulatedFileSystem()
        let writer = try writer(disk)
        let chunk = try write([entry(3)], to: writer)[0]
        let path = FilePath.join(HeadChunkFileTests.directory, HeadChunkFormat.name(0))
        let bytes = try #require(disk.bytes(path))
        #expect(bytes.count == Int(chunk.place.offset + chunk.length))
        for index in Int(chunk.place.offset)..<bytes.count {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[index] ^= 1 << UInt8(bit)
                disk.put(path, damaged)
                let file = try disk.openRandomAccess(path, isReadOnly: true)
                var samples = SampleBuffer()
                #expect(throws: StorageError.self) {
                    try HeadChunkFileSet([(0, file)], in: "/").read(chunk, of: 3, .all, into: &samples)
                }
                #expect(samples.isEmpty)
            }
        }
    }

    @Test("A file that is missing is named with its directory, whatever that is called")
    func missingFile() throws {
        let chunk = ClosedChunk(
            place: HeadChunkPlace(file: 7, offset: 24), range: TimeRange(min: 0, max: 1), length: 50)
        let files = HeadChunkFileSet([], in: "/data/chunks_head-hearth")
        #expect {
            _ = try files.chunk(chunk, of: 0)
        } throws: { error in
            guard case .corruption(let file, 24, _)? = error as? StorageError else { return false }
            return file == "/data/chunks_head-hearth/00000007"
        }
    }

    @Test("A place, a length or a series that is not the chunk's is an error")
    func wrongPlace() throws {
        let writer = try writer(SimulatedFileSystem())
        let chunk = try write([entry(0), entry(1)], to: writer)[0]
        func expectError(slot: UInt32 = 0, _ change: (inout ClosedChunk) -> Void) {
            var other = chunk
            change(&other)
            #expect(throws: StorageError.self) { try writer.files.chunk(other, of: slot) }
        }
        expectError(slot: 1) { _ in }
        expectError { $0.place.offset += 1 }
        expectError { $0.place.offset = .max }
        expectError { $0.place.file = 7 }
        expectError { $0.length = 0 }
        expectError { $0.length = 4 }
        expectError { $0.length = 5 }
        expectError { $0.length += 1 }
        expectError { $0.length = .max }
    }

    @Test("A view reads on in a file that was removed")
    func removed() throws {
        let test = try HeadFixture { $0.chunkFileBytes = 2048 }
        let labels = HeadFixture.labels(0)
        for index in 0..<1000 {
            try test.append([(labels, t + Int64(index) * 15_000, Double(index * index % 97) / 7)])
        }
        let before = try test.contents()
        let view = HeadFixture.select([], in: test.head)
        let count = try test.disk.list(HeadChunkFileTests.directory).count
        try test.truncate(to: t + HeadFixture.blockRange)
        #expect(try test.disk.list(HeadChunkFileTests.directory).count < count)
        var samples = SampleBuffer()
        try view.read(0, newestOnly: false, into: &samples)
        #expect(samples.mixed == before[labels])
        #expect(
            try test.contents()[labels] == before[labels]?.filter { $0.timestamp >= t + HeadFixture.blockRange })
    }

    @Test(
        "Chunks that cannot be written stay in memory, are read from there, and are written the next time",
        arguments: [SimulatedFileSystem.WriteFailure.whole, .half])
    func failure(_ kind: SimulatedFileSystem.WriteFailure) throws {
        let test = try HeadFixture { $0.chunkFileBytes = 4096 }
        test.head.outOfOrderWindow = HeadFixture.blockRange
        var model = HeadModel(blockRange: HeadFixture.blockRange, window: HeadFixture.blockRange)
        var history = RandomHistory(seed: 9)
        for _ in 0..<150 {
            let samples = history.next()
            try test.append(SampleBatch(samples), flushes: false)
            _ = model.append(samples)
        }
        let before = test.head.closedBytes
        // Each write of the flush fails in turn: those of headers and those of chunks.
        for write in 0..<4 {
            test.disk.failWrite(write, kind)
            #expect(throws: StorageError.self) { try test.head.flushClosed() }
            #expect(try test.contents() == model.contents)
            // More comes in the meantime.
            let samples = history.next()
            try test.append(SampleBatch(samples), flushes: false)
            _ = model.append(samples)
        }
        try test.head.flushClosed()
        #expect(!test.head.hasUnflushedChunks)
        #expect(test.head.closedBytes > before)
        #expect(try test.contents() == model.contents)
        try test.checkpoint()
        try test.restart()
        #expect(try test.contents() == model.contents)
    }

    @Test("A file without room or directory is an error that leaves everything readable")
    func noDirectory() throws {
        let test = try HeadFixture()
        for index in 0..<130 {
            var batch = SampleBatch()
            batch.append(HeadFixture.labels(0), t + Int64(index), Double(index))
            try test.append(batch, flushes: false)
        }
        try test.disk.remove(HeadChunkFileTests.directory)
        #expect(throws: StorageError.self) { try test.head.flushClosed() }
        #expect(try test.contents()[HeadFixture.labels(0)]?.count == 130)
        try test.disk.createDirectory(HeadChunkFileTests.directory)
        try test.head.flushClosed()
        #expect(try test.contents()[HeadFixture.labels(0)]?.count == 130)
    }

    @Test("A record and a file's header are these bytes")
    func golden() throws {
        let disk = SimulatedFileSystem()
        let writer = try writer(disk)
        let chunk = MemoryChunk(
            encoding: .xor, range: TimeRange(min: 1_700_000_000_000, max: 1_700_000_015_000),
            bytes: XORAppender.encode(timestamps: [1_700_000_000_000, 1_700_000_015_000], values: [1, 2]))
        let entries = [HeadChunkWriter.Entry(slot: 300, generation: 1, chunk: chunk, isOutOfOrder: false)]
        #expect(try write(entries, to: writer)[0].place == HeadChunkPlace(file: 0, offset: 24))
        let bytes = try #require(disk.bytes(FilePath.join(HeadChunkFileTests.directory, "00000000")))
        #expect(Hex.text(Array(bytes[..<24])) == "4845415254484843010000000000000000000000f7e1e5e9")
        #expect(Hex.text(Array(bytes[24...])) == "56229b2015ac02010100000280a0abfef9623ff00000000000009875c25fff")
    }

    @Test("Names of files are eight digits at least; others are not the head's")
    func names() {
        #expect(HeadChunkFormat.name(7) == "00000007")
        #expect(HeadChunkFormat.name(123_456_789) == "123456789")
        #expect(HeadChunkFormat.number("00000007") == 7)
        for name in ["7", "0000000x", "00000007.tmp", "99999999999", "1073741824", ""] {
            #expect(HeadChunkFormat.number(name) == nil)
        }
    }
}
