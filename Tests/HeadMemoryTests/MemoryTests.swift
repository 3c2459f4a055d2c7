import SeriesModel
import TestSupport
import Testing

@testable import HeadMemory

@Suite("Slabs")
struct SlabAllocatorTests {
    private struct Piece {
        var address: UnsafeMutableRawPointer
        var bytes: Int
        var fill: UInt8

        /// Whether what was written into all of the room is there still.
        var isWhole: Bool {
            UnsafeRawBufferPointer(start: address, count: SlabAllocator.room(for: bytes)).allSatisfy { $0 == fill }
        }
    }

    @Test("Pieces keep what was written into all of their room: they never overlap", arguments: Seeds.fixed(3))
    func overlaps(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let slabs = SlabAllocator()
        var pieces: [Piece] = []
        for step in 0..<12_000 {
            if random.chance(step / 2000 % 2 == 0 ? 70 : 30) || pieces.isEmpty {
                let bytes =
                    random.chance(3) ? 2049 + random.below(9000) : 1 + random.below(random.chance(80) ? 200 : 2048)
                let piece = Piece(address: slabs.allocate(bytes), bytes: bytes, fill: UInt8(step & 255))
                #expect(Int(bitPattern: piece.address) % 16 == 0)
                #expect(SlabAllocator.room(for: bytes) >= bytes)
                UnsafeMutableRawBufferPointer(start: piece.address, count: SlabAllocator.room(for: bytes))
                    .initializeMemory(as: UInt8.self, repeating: piece.fill)
                pieces.append(piece)
            } else {
                let piece = pieces.remove(at: random.below(pieces.count))
                if !piece.isWhole {
                    Issue.record("seed \(seed), step \(step): a piece of \(piece.bytes) bytes changed")
                }
                slabs.deallocate(piece.address, piece.bytes)
            }
        }
        for piece in pieces {
            #expect(piece.isWhole)
            slabs.deallocate(piece.address, piece.bytes)
        }
        // One slab of each of the 24 sizes may stay.
        #expect(slabs.bytesTaken <= 24 * 64 << 10)
    }

    @Test("After a burst the slabs go back, whatever the order in which the pieces do", arguments: [0, 1, 2])
    func burst(_ order: Int) {
        var random = SeededRandom(seed: 5)
        let slabs = SlabAllocator()
        let stays = slabs.allocate(64)
        var pieces = (0..<50_000).map { _ in slabs.allocate(64) }
        #expect(slabs.bytesTaken >= 50_000 * 64)
        switch order {
        case 0: pieces.reverse()
        case 1: pieces.shuffle(using: &random)
        default: break
        }
        for piece in pieces { slabs.deallocate(piece, 64) }
        #expect(slabs.bytesTaken <= 2 * 64 << 10)
        slabs.deallocate(stays, 64)
    }

    @Test("Pieces that come and go in turn take no more memory than once")
    func steady() {
        let slabs = SlabAllocator()
        for _ in 0..<10_000 {
            let pieces = [16, 100, 2048, 5000].map { (slabs.allocate($0), $0) }
            for (piece, bytes) in pieces { slabs.deallocate(piece, bytes) }
        }
        #expect(slabs.bytesTaken == 3 * 64 << 10)
    }
}

@Suite("Stable tables")
struct StableTableTests {
    @Test("Elements stay where they are while the table grows")
    func places() {
        let table = StableTable<Int>()
        var places: [UnsafeMutablePointer<Int>] = []
        for index in 0..<10_000 {
            table.append(index * 3)
            places.append(table[UInt32(index)])
        }
        #expect(table.count == 10_000)
        for index in 0..<10_000 {
            #expect(table[UInt32(index)] == places[index])
            #expect(places[index].pointee == index * 3)
        }
    }
}

@Suite("Views and the memory that they look at")
struct ViewEpochsTests {
    @Test("What is retired while a reader is there is free once that reader has left, not when a later one comes")
    func retired() {
        let epochs = ViewEpochs()
        var older: ViewEpochs.Stay? = epochs.enter()
        let number = epochs.advance()
        #expect(number >= epochs.oldest, "held by the older reader")
        let later = epochs.enter()
        #expect(number >= epochs.oldest)
        #expect(epochs.readerCount == 2)
        older = nil
        #expect(number < epochs.oldest, "the later one cannot reach it")
        _ = older
        withExtendedLifetime(later) {}
        #expect(epochs.readerCount <= 1)
    }

    @Test("Without readers everything retired is free")
    func nobody() {
        let epochs = ViewEpochs()
        let number = epochs.advance()
        #expect(number < epochs.oldest)
    }

    @Test(
        "Readers that come and go in any order hold exactly what was retired in their time", arguments: Seeds.fixed(3))
    func model(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let epochs = ViewEpochs()
        var moment = 1
        var readers: [(stay: ViewEpochs.Stay, moment: Int)] = []
        var retired: [(number: UInt64, moment: Int)] = []
        for _ in 0..<3000 {
            switch random.below(3) {
            case 0: readers.append((epochs.enter(), moment))
            case 1 where !readers.isEmpty: readers.remove(at: random.below(readers.count))
            default:
                retired.append((epochs.advance(), moment))
                moment += 1
            }
            if retired.count > 50 { retired.removeFirst(25) }
            let oldest = epochs.oldest
            for piece in retired {
                let isHeld = readers.contains { $0.moment <= piece.moment }
                if isHeld != (piece.number >= oldest) { Issue.record("seed \(seed): piece of \(piece.moment)") }
            }
        }
        #expect(epochs.readerCount == readers.count)
    }

    @Test("A head frees what a series held after the last view that could see it has ended")
    func head() throws {
        let test = try HeadFixture()
        for number in 0..<2000 {
            try test.append([(HeadFixture.labels(number), HeadFixture.start, 1)])
        }
        let before = test.head.memoryBytes
        var view: HeadSelection? = HeadFixture.select([], in: test.head)
        try test.truncate(to: HeadFixture.start + HeadFixture.blockRange)
        #expect(test.head.seriesCount == 0)
        #expect(test.head.memoryBytes == before, "nothing is free while the view is there")
        var samples = SampleBuffer()
        for index in 0..<2000 { try view?.read(index, newestOnly: false, into: &samples) }
        #expect(samples.count == 2000)
        #expect(view?.entries.last?.labels == HeadFixture.labels(1999))
        view = nil
        test.head.reclaim()
        #expect(test.head.memoryBytes < before)
    }
}
