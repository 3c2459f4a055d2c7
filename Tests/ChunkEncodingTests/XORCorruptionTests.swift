import ChunkEncoding
import SeriesModel
import Testing

@Suite("Damaged XOR chunks")
struct XORCorruptionTests {
    private func decode(_ bytes: [UInt8]) -> (error: ChunkError?, samples: SampleBuffer) {
        var buffer = SampleBuffer()
        do throws(ChunkError) {
            try XORDecoder.decode(bytes, into: &buffer)
            return (nil, buffer)
        } catch {
            return (error, buffer)
        }
    }

    private let chunk: [UInt8] = {
        let times = (0..<50).map { Int64($0) * 15_000 + Int64($0 % 3) }
        let values = (0..<50).map { Double($0) * 1.25 }
        return XORAppender.encode(timestamps: times[...], values: values[...])
    }()

    @Test("that are cut anywhere are refused, and give no sample")
    func cut() {
        for length in 0..<chunk.count {
            let (error, samples) = decode(Array(chunk[..<length]))
            #expect(error != nil, "\(length) bytes")
            #expect(samples.isEmpty)
        }
    }

    @Test("that declare more samples than their bits can hold are refused before anything is allocated")
    func count() {
        #expect(decode([0xFF, 0xFF, 0, 0, 0]).error == .truncated)
    }

    @Test("with a first timestamp of more than ten bytes are refused")
    func varint() {
        let bytes = [0, 1] + [UInt8](repeating: 0xFF, count: 30)
        #expect(decode(bytes).error == .malformed(bit: 80))
    }

    @Test("with more than 64 bits of value are refused")
    func window() {
        // Two samples; of the second: delta 1, value changed, own window of 31 leading zeros and 63 bits.
        var bytes: [UInt8] = [0, 2, 0] + [UInt8](repeating: 0, count: 8) + [1]
        bytes += [0b1111_1111, 0b1111_1000] + [UInt8](repeating: 0, count: 16)
        #expect(decode(bytes).error == .malformed(bit: 80))
    }

    @Test("whose timestamps do not ascend are refused")
    func order() {
        for times: [Timestamp] in [[5, 5], [5, 4], [0, 10, 10], [0, 10, 20, 5], [.min, .max]] {
            let values = [Double](repeating: 1, count: times.count)
            let bytes = XORAppender.encode(timestamps: times[...], values: values[...])
            #expect(decode(bytes).error == .notAscending(sample: times.count - 1), "\(times)")
        }
    }

    @Test("never trap, whatever their bits (seed 3)")
    func flippedBits() {
        var random = SplitMix(seed: 3)
        for _ in 0..<5000 {
            var bytes = chunk
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
            let (error, samples) = decode(bytes)
            #expect(error == nil || samples.isEmpty)
            #expect(zip(samples.timestamps, samples.timestamps.dropFirst()).allSatisfy { $0 < $1 })
        }
    }

    @Test("of random bytes never trap (seed 4)")
    func randomBytes() {
        var random = SplitMix(seed: 4)
        for _ in 0..<5000 {
            var bytes = (0..<Int.random(in: 0...80, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            if bytes.count > 2 { bytes[0] = 0 }
            _ = decode(bytes)
        }
    }
}
