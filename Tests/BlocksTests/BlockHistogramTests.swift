import Blocks
import ChunkEncoding
import FileIO
import SeriesModel
import StorageAPI
import TestSupport
import Testing

@testable import Blocks

@Suite("A block with histograms")
struct BlockHistogramTests {
    private let disk = SimulatedFileSystem()
    private let h: LabelSet = ["__name__": "h"]

    private func chunk(_ encoding: ChunkEncoding, _ times: [Timestamp], from count: Int) -> BlockChunk {
        var open: HistogramAppender?
        for (index, time) in times.enumerated() {
            let histogram = Histograms.simple(count + index)
            if open == nil {
                open = HistogramAppender(encoding, .unknown, time, histogram)
            } else {
                #expect(open?.append(time, histogram) == nil)
            }
        }
        return BlockChunk(
            encoding: encoding, range: TimeRange(min: times.first ?? 0, max: times.last ?? 0),
            sampleCount: times.count, bytes: open?.bytes ?? [])
    }

    private func write(_ chunks: [BlockChunk]) throws -> BlockReader {
        try BlockFixture.write([.init(labels: h, chunks: chunks)], to: disk)
        return try BlockFixture.open(disk)
    }

    @Test("gives back chunks of all encodings of one series, and finds nothing wrong with them")
    func roundTrip() throws {
        let chunks = [
            chunk(.histogram, [10, 20, 30], from: 1), BlockFixture.chunk([40, 50], [1, 2]),
            chunk(.floatHistogram, [60, 70], from: 5),
        ]
        let reader = try write(chunks)
        try reader.verify()
        #expect(reader.footer.sampleCount == 7)
        #expect(try reader.chunks(of: 0).map(reader.chunk) == chunks)
        var buffer = SampleBuffer()
        for chunk in try reader.chunks(of: 0) {
            try reader.read(chunk, range: TimeRange(min: 20, max: 60), into: &buffer)
        }
        #expect(buffer.timestamps == [40, 50])
        #expect(buffer.histogramTimestamps == [20, 30, 60])
        #expect(buffer.histograms == [2, 3, 5].map { Histograms.simple($0) })
    }

    @Test(
        "refuses a chunk that is not what its encoding says, or not where the index says, and leaves the buffer alone")
    func damaged() throws {
        var garbage = chunk(.histogram, [10, 20, 30], from: 1)
        garbage.bytes.removeLast(4)
        var elsewhere = chunk(.histogram, [110, 120], from: 1)
        elsewhere.range = TimeRange(min: 111, max: 120)
        var floats = BlockFixture.chunk([210, 220], [1, 2])
        floats.encoding = .floatHistogram
        let reader = try write([garbage, elsewhere, floats])
        for reference in try reader.chunks(of: 0) {
            var buffer = SampleBuffer()
            buffer.append(1, 2)
            buffer.append(3, Histograms.simple(1))
            #expect(throws: StorageError.self) { try reader.read(reference, into: &buffer) }
            #expect(buffer.count == 1)
            #expect(buffer.histograms.count == 1)
        }
        #expect(throws: StorageError.self) { try reader.verify() }
    }
}
