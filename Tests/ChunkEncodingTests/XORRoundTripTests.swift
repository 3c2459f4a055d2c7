import ChunkEncoding
import SeriesModel
import Testing

@Suite("XOR chunks")
struct XORRoundTripTests {
    private func roundTrip(_ timestamps: [Timestamp], _ values: [Double], _ comment: Comment? = nil) throws {
        let chunk = XORAppender.encode(timestamps: timestamps[...], values: values[...])
        var buffer = SampleBuffer()
        try XORDecoder.decode(chunk, into: &buffer)
        #expect(buffer.timestamps == timestamps, comment)
        #expect(buffer.values.map(\.bitPattern) == values.map(\.bitPattern), comment)
    }

    @Test("hold deltas of deltas at the edges of every class")
    func deltaClasses() throws {
        let edges: [Int64] = [
            0, 1, -1, 8191, 8192, 8193, -8190, -8191, -8192, 65535, 65536, 65537, -65534, -65535, -65536, 524_287,
            524_288, 524_289, -524_286, -524_287, -524_288, 1 << 31, -(1 << 31), 1 << 40,
        ]
        for edge in edges {
            // A delta of 2^41 leaves room for any of the edges to either side.
            let delta: Int64 = 1 << 41
            let times = [0, delta, 2 * delta + edge, 3 * delta + 2 * edge, 4 * delta + 2 * edge]
            try roundTrip(times, [1, 2, 3, 4, 5], "delta of delta \(edge)")
        }
    }

    @Test("hold the first and the last timestamps there are")
    func extremeTimes() throws {
        try roundTrip([.min], [1])
        try roundTrip([.max], [1])
        try roundTrip([.min, .min + 1, 0], [1, 2, 3])
        try roundTrip([-1, 0, 1, .max], [1, 2, 3, 4])
    }

    @Test("hold values with every number of leading and trailing zeros in their difference")
    func windows() throws {
        var values: [Double] = [0]
        for leading in 0..<64 {
            for trailing in 0..<(64 - leading) {
                let xor = (UInt64.max >> UInt64(leading)) & (UInt64.max << UInt64(trailing))
                values.append(Double(bitPattern: (values.last ?? 0).bitPattern ^ xor))
            }
        }
        try roundTrip(values.indices.map { Int64($0) * 1000 }, values)
    }

    @Test("keep stale markers, payloads of NaN and the sign of zero")
    func specialValues() throws {
        let values = [
            StaleMarker.value, 0, -0.0, StaleMarker.ordinaryNaN, Double(bitPattern: 0x7FF8_DEAD_BEEF_0001), .infinity,
            Double(bitPattern: 0xFFFF_FFFF_FFFF_FFFF), StaleMarker.value,
        ]
        try roundTrip(values.indices.map { Int64($0) }, values)
    }

    @Test("of random lifelike series come back, whatever the length")
    func random() throws {
        var random = SplitMix(seed: 11)
        for round in 0..<300 {
            let count = Int.random(in: 1...200, using: &random)
            var time = Int64.random(in: -1_000_000...2_000_000_000_000, using: &random)
            var times: [Timestamp] = []
            var values: [Double] = []
            var value = 0.0
            for _ in 0..<count {
                times.append(time)
                values.append(value)
                time += Int64.random(in: 1...30_000, using: &random)
                switch round % 4 {
                case 0: value += Double(Int.random(in: 0...100, using: &random))
                case 1: value = Double.random(in: -1...1, using: &random)
                case 2: value = Double(bitPattern: random.next())
                default: break
                }
            }
            try roundTrip(times, values, "round \(round)")
        }
    }

    @Test("take as many samples as the header can count")
    func full() throws {
        let count = XORFormat.samplesMax
        try roundTrip((0..<count).map { Int64($0) * 15_000 }, (0..<count).map { Double($0) })
    }

    @Test("are the same whether they are written sample by sample, in columns, or after having been opened again")
    func roads() throws {
        let times = (0..<300).map { Int64($0 * $0 * 17) }
        let values = (0..<300).map { Double($0 % 7) * 1.1 }
        let whole = XORAppender.encode(timestamps: times[...], values: values[...])
        var appender = XORAppender()
        var words: [UInt64] = []
        for index in 0..<300 {
            if index % 50 == 13 { (appender, words) = try XORAppender.resume(appender.chunk(words: words)) }
            appender.append(times[index], values[index], to: &words)
        }
        #expect(appender.chunk(words: words) == whole)
    }

    @Test("can be copied while they grow: the copy keeps its samples")
    func snapshot() throws {
        var appender = XORAppender()
        var words: [UInt64] = []
        for index in 0..<10 { appender.append(Int64(index), Double(index) / 3, to: &words) }
        let (state, wordsThen) = (appender, words)
        for index in 10..<50 { appender.append(Int64(index), Double(index) / 3, to: &words) }
        #expect(Array(words[..<wordsThen.count]) == wordsThen, "words once given out do not change")
        var buffer = SampleBuffer()
        try XORDecoder.decode(state.chunk(words: wordsThen), into: &buffer)
        #expect(buffer.timestamps == Array(0..<10))
    }

    @Test("give only the samples of the range, behind what the buffer holds")
    func ranges() throws {
        let times = (0..<20).map { Int64($0) * 10 }
        let chunk = XORAppender.encode(timestamps: times[...], values: times.map(Double.init)[...])
        for low in stride(from: -5, through: 200, by: 5) {
            for high in stride(from: low - 5, through: 205, by: 5) {
                var buffer = SampleBuffer()
                buffer.append(-100, 7)
                try XORDecoder.decode(chunk, into: &buffer, range: TimeRange(min: Int64(low), max: Int64(high)))
                let expected = times.filter { $0 >= low && $0 <= high }
                #expect(buffer.timestamps == [-100] + expected, "\(low)...\(high)")
                #expect(buffer.values == [7] + expected.map(Double.init))
            }
        }
    }

    @Test("without samples are two zeros")
    func empty() throws {
        #expect(XORAppender().chunk(words: []) == [0, 0])
        var buffer = SampleBuffer()
        try XORDecoder.decode([0, 0], into: &buffer)
        #expect(buffer.isEmpty)
    }

    @Test("have a state of 48 bytes")
    func stateSize() {
        #expect(MemoryLayout<XORAppender>.stride == 48)
    }

    @Test("carry upstream's number")
    func encodingNumbers() {
        #expect(ChunkEncoding.allCases.map(\.rawValue) == [1, 2, 3])
    }
}

/// The same numbers for the same seed.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
