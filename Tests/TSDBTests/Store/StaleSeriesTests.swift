import HeadMemory
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import TSDB

@Suite("Series that have ended")
struct StaleSeriesTests {
    @Test("give up the memory of their open chunks within minutes, and keep their samples and their end")
    func closed() async throws {
        let test = try TestStore()
        let labels = (0..<500).map { LabelSet([Label("__name__", "job"), Label("run", "\($0)")]) }
        let up: LabelSet = ["__name__": "up"]
        for step in 0..<20 {
            let time = test.clock.now()
            try await test.append(
                labels.map { ($0, time, step == 19 ? StaleMarker.value : Double(step * step)) } + [(up, time, 1)])
            test.clock.advance(by: 15_000)
        }
        let before = try test.contents()
        let memory = test.store.head.memoryBytes
        test.clock.advance(by: 6 * 60_000)
        try await test.append([(up, test.clock.now(), 1)])
        try test.store.maintain()
        #expect(test.store.head.memoryBytes < memory || test.store.head.chunkFileBytes > 500 * 20)
        var after = try test.contents()
        #expect(after[up]?.count == 21)
        after[up]?.removeLast()
        #expect(after == before)
        try test.kill()
        #expect(try test.contents()[labels[7]] == before[labels[7]])
        // One that begins again goes on.
        try await test.append([(labels[7], test.clock.now(), 7)])
        #expect(try test.contents()[labels[7]]?.last?.timestamp == test.clock.now())
    }
}
