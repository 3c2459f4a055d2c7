import Exposition
import SeriesModel
import TestSupport
import Testing

@Suite("Expositions: any bytes")
struct ExpositionFuzzTests {
    private static let seeds = [
        "# HELP a b\n# TYPE a histogram\na_bucket{le=\"1\",x=\"é\\\"\\n\"} 1 123\n"
            + "a_sum 1e-5\n\n{\"a.b\",c=\"d\"} NaN\n",
        "# TYPE a_seconds counter\n# UNIT a_seconds seconds\na_total{x=\"1\"} 1.5 1.5 # {t=\"u\"} 0.5 1.25\n# EOF\n",
    ]

    @Test("mutated bodies are read or refused, never worse", arguments: 0..<8)
    func mutations(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let alphabet = Array("{}=\",# \n\t\\_:+-.0189eEaxNTYPEHLUIOF\0\u{FF}é".utf8)
        for _ in 0..<400 {
            var body = Array(ExpositionFuzzTests.seeds[Int(random.next() % 2)].utf8)
            for _ in 0...(random.next() % 6) {
                let place = Int(random.next() % UInt64(body.count))
                switch random.next() % 4 {
                case 0: body[place] = alphabet[Int(random.next() % UInt64(alphabet.count))]
                case 1: body.insert(alphabet[Int(random.next() % UInt64(alphabet.count))], at: place)
                case 2 where body.count > 1: body.remove(at: place)
                default: body = Array(body[..<max(place, 1)])
                }
            }
            for format in [ExpositionFormat.text100, .openMetrics100] { check(body, format) }
        }
    }

    @Test("random bytes are read or refused, never worse", arguments: 100..<104)
    func noise(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<400 {
            let body = (0..<random.next() % 40).map { _ in UInt8(truncatingIfNeeded: random.next() >> 24) }
            for format in [ExpositionFormat.text100, .openMetrics100] { check(body, format) }
        }
    }

    /// What was read once is read the same when it is expected.
    private func check(_ body: [UInt8], _ format: ExpositionFormat) {
        guard let entries = try? Entries(body, format) else { return }
        let count = body.withUnsafeBytes { bytes in
            var parser = ExpositionParser(bytes, format: format)
            var expected = ExpositionParser(bytes, format: format)
            var count = 0
            while let event = try? parser.next() {
                guard case .series(let line) = event else {
                    _ = try? expected.next()
                    continue
                }
                count += 1
                let text = UnsafeRawBufferPointer(rebasing: bytes[line.text])
                if let again = try? expected.next(expecting: text) {
                    #expect(again.text == line.text && again.value.bitPattern == line.value.bitPattern)
                    #expect(again.timestamp == line.timestamp && again.exemplar?.labels == line.exemplar?.labels)
                } else {
                    _ = try? expected.next()
                }
            }
            return count
        }
        #expect(count == entries.samples.count)
    }
}
