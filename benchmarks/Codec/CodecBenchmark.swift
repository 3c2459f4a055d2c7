import ChunkEncoding
import SeriesModel

#if canImport(Glibc)
    import Glibc
#endif

/// What the chunk codec costs: 120-sample XOR chunks of lifelike series, encoded column by column and decoded whole into
/// a reused buffer, on one thread. Best of five rounds by the thread's CPU time, so
/// that other work on the machine disturbs little; without disk and checksums.
@main
struct CodecBenchmark {
    private static let seriesCount = 200
    private static let samplesPerSeries = 5760
    private static let samplesPerChunk = 120
    private static let rounds = 5

    static func main() {
        print(
            "XOR chunks of \(samplesPerChunk) samples; \(seriesCount) series x \(samplesPerSeries) samples at 15 s each"
        )
        print(
            "M samples per second of CPU on one thread, best of \(rounds): encode = whole columns, append = sample by")
        print("sample as in the head, decode = whole chunks; bytes per sample with timestamps and chunk headers")
        print(pad("series", 28) + pad("encode", 10) + pad("append", 10) + pad("decode", 10) + "bytes/sample")
        var all: [Series] = []
        for kind in SeriesKind.allCases {
            let series = (0..<seriesCount).map { Series(kind, seed: UInt64($0), count: samplesPerSeries) }
            report(kind.rawValue, series)
            // The mix of a web service's exposition: half of its series are histogram buckets.
            all += kind == .bucket ? series + series + series : series
        }
        report("mix (half buckets)", all)
    }

    private static func report(_ name: String, _ series: [Series]) {
        let samples = Double(series.count * samplesPerSeries)
        var chunks: [[UInt8]] = []
        let encode = best {
            chunks.removeAll(keepingCapacity: true)
            for one in series { one.encode(samplesPerChunk, into: &chunks) }
        }
        let append = best { for one in series { one.append(samplesPerChunk) } }
        var buffer = SampleBuffer()
        var decoded = 0
        let decode = best {
            decoded = 0
            for chunk in chunks {
                buffer.removeAll()
                guard (try? XORDecoder.decode(chunk, into: &buffer)) != nil else {
                    preconditionFailure("chunk did not decode")
                }
                decoded += buffer.count
            }
        }
        precondition(decoded == series.count * samplesPerSeries, "decoded \(decoded) samples")
        let bytes = Double(chunks.reduce(0) { $0 + $1.count }) / samples
        print(
            pad(name, 28) + pad(decimal(samples / encode / 1e6), 10) + pad(decimal(samples / append / 1e6), 10)
                + pad(decimal(samples / decode / 1e6), 10) + decimal(bytes))
    }

    /// Seconds of CPU.
    private static func best(_ body: () -> Void) -> Double {
        var best = Double.infinity
        for _ in 0..<rounds {
            let start = threadSeconds()
            body()
            best = min(best, threadSeconds() - start)
        }
        return best
    }

    private static func threadSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    private static func decimal(_ value: Double) -> String {
        let hundredths = Int(value * 100 + 0.5)
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}

private enum SeriesKind: String, CaseIterable {
    case constant = "constant"
    case counter = "counter (requests)"
    case seconds = "counter (CPU seconds)"
    case gauge = "gauge (bytes)"
    case float = "gauge (full precision)"
    case bucket = "histogram bucket"
}

/// Two columns, and how they are made.
private struct Series {
    var timestamps: [Timestamp] = []
    var values: [Double] = []

    init(_ kind: SeriesKind, seed: UInt64, count: Int) {
        var random = Random(state: seed &* 0x9E37_79B9_7F4A_7C15 &+ 1)
        var value = Double(random.below(100_000))
        // Scrape timestamps are aligned; one in 500 scrapes came too late for that.
        for index in 0..<count {
            timestamps.append(1_700_000_000_000 + Int64(index) * 15_000 + (random.below(500) == 0 ? 7 : 0))
            switch kind {
            case .constant: break
            case .counter: value += Double(random.below(60))
            case .seconds: value = ((value + Double(random.below(200)) / 100) * 100).rounded() / 100
            case .gauge: value = Double(1_000_000 + random.below(4000) * 4096)
            case .float: value = Double(random.below(1 << 30)) / 1.7e8
            // Most buckets of most handlers see nothing in most intervals.
            case .bucket: if random.below(10) < 4 { value += Double(1 + random.below(5)) }
            }
            values.append(value)
        }
    }

    func encode(_ samplesPerChunk: Int, into chunks: inout [[UInt8]]) {
        for start in stride(from: 0, to: timestamps.count, by: samplesPerChunk) {
            let end = min(start + samplesPerChunk, timestamps.count)
            chunks.append(XORAppender.encode(timestamps: timestamps[start..<end], values: values[start..<end]))
        }
    }

    /// As the head does it: sample by sample, words into an array.
    func append(_ samplesPerChunk: Int) {
        var words: [UInt64] = []
        for start in stride(from: 0, to: timestamps.count, by: samplesPerChunk) {
            var appender = XORAppender()
            words.removeAll(keepingCapacity: true)
            for index in start..<min(start + samplesPerChunk, timestamps.count) {
                appender.append(timestamps[index], values[index], to: &words)
            }
        }
    }
}

private struct Random {
    var state: UInt64

    mutating func below(_ limit: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(truncatingIfNeeded: (state >> 33) % UInt64(limit))
    }
}
