import ChunkEncoding
import SeriesModel
import Testing

/// Chunks as `promtool tsdb create-blocks-from openmetrics` (Prometheus 2.42) put them into a block.
@Suite("XOR chunks of Prometheus")
struct XORGoldenTests {
    struct Golden: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var hex: String
        var samples: [(Timestamp, UInt64)]

        var bytes: [UInt8] {
            var digits = Array(hex.utf8)[...]
            var bytes: [UInt8] = []
            while digits.count >= 2 {
                bytes.append(UInt8(String(decoding: digits.prefix(2), as: UTF8.self), radix: 16) ?? 0)
                digits = digits.dropFirst(2)
            }
            return bytes
        }
    }

    static let start: Timestamp = 1_700_000_000_000

    static func samples(_ offsets: [Int64], _ values: [Double]) -> [(Timestamp, UInt64)] {
        zip(offsets, values).map { (start + $0, $1.bitPattern) }
    }

    static let all: [Golden] = [
        Golden(testDescription: "one sample", hex: "000180a0abfef962404500000000000000", samples: samples([0], [42])),
        Golden(
            testDescription: "two samples", hex: "000280a0abfef9624045000000000000f403c3f7ffc99999999999a0",
            samples: samples([0, 500], [42, 0.1])),
        Golden(
            testDescription: "a counter",
            hex: "000c80a0abfef96240340000000000009875d824b48ddb689e91ac7ca9d232d44f650151810540",
            samples: samples(
                (0..<12).map { $0 * 15_000 }, [20, 29, 54, 57, 61, 95, 101, 124, 161, 164, 196, 209])),
        Golden(
            testDescription: "every class of delta, special values",
            hex: "000f80a0abfef9623ff000000000000098753097ffe0007683bff4c07c0078015c005ff9000000000000ee2afc001000"
                + "00000000039fbcd400000000000000068300dffe0000000000001e000000000011076140000000000000007113645034"
                + "adc3f85f1e6b3fffffffffffeb1871201c0095cb428077f80000000002a7ee84833ade68a8fbe76ffffffffffff56046"
                + "13ff7ffffffffffff2401fffffffffffff00",
            samples: samples(
                [
                    0, 15_000, 30_000, 45_001, 59_990, 75_000, 75_001, 140_000, 141_000, 700_000, 1_400_000, 1_415_000,
                    7_000_000, 7_015_000, 7_030_000,
                ],
                [
                    1, 1, 2, 2.5, -3.25, StaleMarker.ordinaryNaN, .infinity, -.infinity, 0, -0.0, 1e-300,
                    123_456_789.123, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1,
                ])),
    ]

    @Test("are decoded to the bit", arguments: all)
    func decode(golden: Golden) throws {
        var buffer = SampleBuffer()
        try XORDecoder.decode(golden.bytes, into: &buffer)
        #expect(buffer.timestamps == golden.samples.map(\.0))
        #expect(buffer.values.map(\.bitPattern) == golden.samples.map(\.1))
    }

    /// Where the bits end with a byte, this version of Prometheus leaves an empty byte behind them; we do not.
    @Test("are written to the bit", arguments: all)
    func encode(golden: Golden) {
        var appender = XORAppender()
        var words: [UInt64] = []
        for (timestamp, bits) in golden.samples { appender.append(timestamp, Double(bitPattern: bits), to: &words) }
        let chunk = appender.chunk(words: words)
        #expect(chunk == golden.bytes || chunk + [0] == golden.bytes)
        #expect(appender.byteCount == chunk.count)
    }

    @Test("are opened again and give the same bytes", arguments: all)
    func resume(golden: Golden) throws {
        let (state, words) = try XORAppender.resume(golden.bytes)
        let chunk = state.chunk(words: words)
        #expect(chunk == golden.bytes || chunk + [0] == golden.bytes)
        #expect(state.lastTimestamp == golden.samples.last?.0)
        #expect(state.lastValueBits == golden.samples.last?.1)
    }
}
