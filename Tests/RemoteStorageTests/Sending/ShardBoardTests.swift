import OwnThreads
import SeriesModel
import StorageAPI
import Synchronization
import TestSupport
import Testing

@testable import RemoteStorage

@Suite("Rows between reader and shards")
struct ShardBoardTests {
    private func rows(_ hashes: [UInt32]) -> RecordRows {
        var rows = RecordRows()
        for (index, hash) in hashes.enumerated() {
            rows.slots.append(UInt32(index))
            rows.hashes.append(hash)
            rows.timestamps.append(Timestamp(index))
            rows.values.append(Double(hash))
        }
        return rows
    }

    private func take(_ board: ShardBoard, _ shard: Int) async throws -> SampleRows {
        try #require(await board.next(shard))
    }

    @Test("what is released is the minimum over all shards")
    func releases() async throws {
        let board = ShardBoard(shardCount: 2, rowsMax: 2, capacity: 10)
        #expect(board.distribute(rows([0, 0]), record: 1) {})
        #expect(board.distribute(rows([1, 1]), record: 2) {})
        #expect(board.distribute(rows([0, 0]), record: 3) {})
        #expect(board.released == 0)
        let second = try await take(board, 1)
        board.finish(1, second.counts, second)
        // The first shard still has record 1.
        #expect(board.released == 0)
        let first = try await take(board, 0)
        #expect(first.firstRecord == 1)
        board.finish(0, first.counts, first)
        #expect(board.released == 2)
        let third = try await take(board, 0)
        board.finish(0, third.counts, third)
        #expect(board.released == 3)
        #expect(board.pending == SampleRows.Counts())
    }

    @Test("a record without rows is released at once where nothing waits")
    func emptyRecords() {
        let board = ShardBoard(shardCount: 1, rowsMax: 2, capacity: 10)
        #expect(board.distribute(RecordRows(), record: 1) {})
        #expect(board.released == 1)
        #expect(board.distribute(rows([0]), record: 2) {})
        #expect(board.distribute(RecordRows(), record: 3) {})
        #expect(board.released == 1)
    }

    @Test("a record that is spread over batches is released with its last row")
    func spreadRecord() async throws {
        let board = ShardBoard(shardCount: 1, rowsMax: 2, capacity: 10)
        #expect(board.distribute(rows([0, 0, 0]), record: 1) {})
        let first = try await take(board, 0)
        board.finish(0, first.counts, first)
        #expect(board.released == 0)
        board.enter(.stopping)
        let second = try await take(board, 0)
        board.finish(0, second.counts, second)
        #expect(board.released == 1)
        #expect(await board.next(0) == nil)
    }

    @Test("the reader waits while a shard is full, and goes on when there is room")
    func backpressure() async throws {
        let board = ShardBoard(shardCount: 1, rowsMax: 2, capacity: 4)
        let waits = Atomic(0)
        let result = Mutex<Bool?>(nil)
        let rows = rows([UInt32](repeating: 0, count: 20))
        let ended = OneShot()
        try SystemThread.start("test") {
            let all = board.distribute(rows, record: 1) { waits.add(1, ordering: .relaxed) }
            result.withLock { $0 = all }
            ended.signal()
        }
        #expect(await eventually { waits.load(ordering: .relaxed) > 0 })
        // Two full batches and an open one.
        #expect(board.pending.samples == 6)
        var values: [Timestamp] = []
        while values.count < 20 {
            let batch = try await take(board, 0)
            values += batch.timestamps
            #expect(board.pending.samples <= 8)
            board.finish(0, batch.counts, batch)
        }
        await ended.wait()
        #expect(result.withLock { $0 } == true)
        #expect(values == (0..<20).map { Timestamp($0) })
    }

    @Test("an open batch is due when its deadline is over")
    func deadline() async throws {
        let board = ShardBoard(shardCount: 1, rowsMax: 100, capacity: 100)
        board.advanceTick()
        #expect(board.distribute(rows([0]), record: 1) {})
        let taken = Atomic(false)
        let task = Task {
            let rows = await board.next(0)
            taken.store(true, ordering: .relaxed)
            return rows?.count
        }
        for _ in 1..<ShardBoard.ticksPerDeadline { board.advanceTick() }
        let isEarly = taken.load(ordering: .relaxed)
        #expect(!isEarly)
        #expect(board.pending.samples == 1)
        board.advanceTick()
        #expect(await task.value == 1)
    }

    @Test("closing ends the reader and the shards at once")
    func closing() async throws {
        let board = ShardBoard(shardCount: 1, rowsMax: 1, capacity: 1)
        #expect(board.distribute(rows([0]), record: 1) {})
        let ended = OneShot()
        let result = Mutex<Bool?>(nil)
        let rows = rows([0, 0, 0])
        try SystemThread.start("test") {
            let all = board.distribute(rows, record: 2) {}
            result.withLock { $0 = all }
            ended.signal()
        }
        board.enter(.closed)
        await ended.wait()
        #expect(result.withLock { $0 } == false)
        #expect(await board.next(0) == nil)
        #expect(!board.restart(shardCount: 3))
    }
}
