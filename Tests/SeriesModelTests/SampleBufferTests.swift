import SeriesModel
import Testing

@Suite("Sample buffers")
struct SampleBufferTests {
    @Test("start timestamps take no column until one is known")
    func startTimestamps() {
        var buffer = SampleBuffer()
        buffer.append(1, 1.0, start: 0)
        #expect(buffer.startTimestamps.isEmpty)
        buffer.append(2, 2.0, start: 1)
        #expect(buffer.startTimestamps == [0, 1])
        buffer.append(3, 3.0, start: 0)
        #expect(buffer.startTimestamps == [0, 1, 0])
    }

    @Test("a stale histogram stands among the floats")
    func staleHistogram() {
        var buffer = SampleBuffer()
        buffer.append(1, NativeHistogram(count: 1, sum: 2))
        buffer.append(2, NativeHistogram(sum: StaleMarker.value))
        #expect(buffer.histogramTimestamps == [1])
        #expect(buffer.timestamps == [2])
        #expect(buffer.values.first.map(StaleMarker.isStale) == true)
        #expect(!buffer.isEmpty)
        buffer.removeAll()
        #expect(buffer.isEmpty)
    }
}
