import FileIO
import SeriesModel
import TestSupport
import Testing

@testable import Blocks

@Suite("A block with histograms")
struct BlockHistogramTests {
    private let disk = SimulatedFileSystem()
    private let h: LabelSet = ["__name__": "h"]

    /// Whole and broken counts, floats between them, and a stale marker.
    private func mixed() -> SampleBuffer {
        var samples = SampleBuffer()
        for (index, time) in [10, 20, 30].enumerated() { samples.append(Timestamp(time), Histograms.simple(1 + index)) }
        samples.append(40, 1)
        samples.append(50, 2)
        var half = Histograms.simple(5)
        half.positive.counts[0] += 0.5
        half.count += 0.5
        samples.append(60, half)
        samples.append(70, half)
        samples.append(80, Histograms.stale)
        return samples
    }

    @Test("gives back both kinds of samples of one series, and finds nothing wrong with them")
    func roundTrip() throws {
        let samples = mixed()
        try BlockFixture.write([.init(labels: h, samples: samples)], to: disk)
        let reader = try BlockFixture.open(disk)
        try reader.verify()
        #expect(reader.footer.sampleCount == 8)
        var buffer = SampleBuffer()
        try reader.read(series: 0, range: .all, into: &buffer)
        #expect(buffer.mixed == samples.mixed)
        buffer.removeAll()
        try reader.read(series: 0, range: TimeRange(min: 20, max: 60), into: &buffer)
        #expect(buffer.mixed == samples.mixed.filter { (20...60).contains($0.timestamp) })
    }

    @Test("never gives a wrong sample, whichever byte of its data was changed, and leaves the buffer alone")
    func damaged() throws {
        let samples = mixed()
        try BlockFixture.write([.init(labels: h, samples: samples)], to: disk)
        let path = BlockFixture.path + "/data"
        let bytes = try #require(disk.bytes(path))
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 0x11
            disk.put(path, changed)
            guard let reader = try? BlockFixture.open(disk) else { continue }
            var buffer = SampleBuffer()
            buffer.append(1, 2)
            if (try? reader.read(series: 0, range: .all, into: &buffer)) != nil {
                #expect(Array(buffer.mixed.dropFirst()) == samples.mixed, "byte \(index)")
            } else {
                #expect(buffer.mixed.count == 1, "byte \(index)")
            }
        }
    }
}
