import ChunkEncoding
import SeriesModel
import TestSupport
import Testing

@Suite("Damaged histogram chunks")
struct HistogramCorruptionTests {
    /// Chunks of both encodings, of exponential and of custom buckets, with a stale marker at the end.
    private static let chunks: [(encoding: ChunkEncoding, bytes: [UInt8])] = {
        var chunks: [(ChunkEncoding, [UInt8])] = []
        for seed in UInt64(1)...4 {
            var random = SeededRandom(seed: seed)
            var first = HistogramSource.histogram(schema: 2, using: &random)
            if seed == 4 {
                first = NativeHistogram(
                    schema: -53, count: 6, sum: 2, positiveSpans: [.init(offset: 0, length: 3)],
                    positiveBuckets: [1, 2, 3], customBounds: [0.5, 1.0 / 3])
            }
            let encoding: ChunkEncoding = seed % 2 == 0 ? .histogram : .floatHistogram
            var open = HistogramAppender(encoding, .unknown, 1_700_000_000_000, first)
            var next = first
            for step in 1...6 {
                next.positive.counts = next.positiveBuckets.map { $0 + Double(step) }
                next.count += 100
                next.sum += 0.1
                _ = open.append(1_700_000_000_000 + Int64(step) * 15_000, next)
            }
            _ = open.append(1_700_000_100_000, NativeHistogram(sum: StaleMarker.value))
            chunks.append((encoding, open.bytes))
        }
        return chunks
    }()

    private func decode(
        _ encoding: ChunkEncoding, _ bytes: [UInt8]
    ) -> (error: ChunkError?, samples: SampleBuffer) {
        var buffer = SampleBuffer()
        do throws(ChunkError) {
            try encoding.decode(bytes, into: &buffer)
            return (nil, buffer)
        } catch {
            return (error, buffer)
        }
    }

    @Test("that are cut anywhere are refused, and give no sample")
    func cut() {
        for (encoding, bytes) in HistogramCorruptionTests.chunks {
            #expect(decode(encoding, bytes).samples.histograms.count == 7)
            for length in 0..<bytes.count {
                let (error, samples) = decode(encoding, Array(bytes[..<length]))
                #expect(error != nil, "\(length) bytes")
                #expect(samples.isEmpty)
            }
        }
    }

    @Test("never trap, whichever byte is changed and how, and give samples in order or none")
    func everyByte() {
        for (encoding, bytes) in HistogramCorruptionTests.chunks {
            for index in bytes.indices {
                for change in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF, 0x55] as [UInt8] {
                    var changed = bytes
                    changed[index] ^= change
                    let (error, samples) = decode(encoding, changed)
                    if error != nil {
                        #expect(samples.isEmpty)
                    } else {
                        let times = samples.histogramTimestamps
                        #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
                        for histogram in samples.histograms { _ = histogram.description }
                    }
                }
            }
        }
    }

    @Test("never trap, whatever their bytes (seed 5)")
    func fuzz() {
        var random = SeededRandom(seed: 5)
        for _ in 0..<4000 {
            guard let (encoding, bytes) = HistogramCorruptionTests.chunks.randomElement(using: &random) else { return }
            var changed = bytes
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                changed[Int.random(in: changed.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            _ = decode(encoding, changed)
            _ = decode(encoding == .histogram ? .floatHistogram : .histogram, changed)
        }
        for length in 0..<200 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            _ = decode(.histogram, bytes)
            _ = decode(.floatHistogram, bytes)
        }
    }

    @Test("that declare more spans or buckets than their bits can hold are refused before anything is allocated")
    func counts() {
        // One sample; zero threshold 0; schema 0; spans without end: eight ones, then a huge number.
        let spans: [UInt8] = [0, 1, 0, 0, 0b0111_1111, 0b1001_1111, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]
        #expect(decode(.histogram, spans).error != nil)
        // One span of 2^31 buckets.
        let buckets: [UInt8] = [0, 1, 0, 0, 0b0100_0111, 0b1111_1000, 0x00, 0x00, 0x00, 0x80, 0, 0, 0, 0, 0, 0, 0, 0]
        #expect(decode(.histogram, buckets).error != nil)
        #expect(decode(.floatHistogram, buckets).error != nil)
    }

    @Test("of schemas that nobody knows are refused")
    func schema() {
        var good = HistogramAppender(.histogram, .unknown, 0, NativeHistogram(schema: 8)).bytes
        #expect(decode(.histogram, good).error == nil)
        good = HistogramAppender(.histogram, .unknown, 0, NativeHistogram(schema: 9)).bytes
        guard case .malformed? = decode(.histogram, good).error else {
            Issue.record("schema 9 was read")
            return
        }
    }

    @Test("whose timestamps do not ascend are refused")
    func order() {
        for times: [Timestamp] in [[5, 5], [5, 4], [0, 10, 10], [.min, .max]] {
            var open = HistogramAppender(.histogram, .unknown, times[0], NativeHistogram(count: 1))
            for time in times.dropFirst() { #expect(open.append(time, NativeHistogram(count: 1)) == nil) }
            #expect(decode(.histogram, open.bytes).error == .notAscending(sample: times.count - 1), "\(times)")
        }
    }
}
