import SeriesModel
import Testing

@Suite("Numbers as text")
struct NumberTextTests {
    @Test(
        "Go's ParseFloat",
        arguments: [
            ("1", 1), ("+1", 1), ("-1.5e3", -1500), ("0x1p-2", 0.25), ("0X1.8P1", 3), ("inf", .infinity),
            ("-Infinity", -.infinity), (".5", 0.5), ("5.", 5), ("1e-400", 0), ("1E5", 1e5),
        ] as [(String, Double)])
    func parse(text: String, value: Double) {
        #expect(NumberText.parse(text) == value)
    }

    @Test(
        "what is no number is nil",
        arguments: [
            "", "+", "-", ".", "e5", "1e", "1e+", "1_0", "0x", "0x10", "0x1p", "1.2.3", "+-1", "--1", "infinit", "nano",
            "+nan", "1e999", " 1", "1 ", "0x-1p2", "١",
        ])
    func refused(text: String) {
        #expect(NumberText.parse(text) == nil)
    }

    @Test("NaN is read as the ordinary one")
    func nan() {
        #expect(NumberText.parse("NaN")?.bitPattern == StaleMarker.ordinaryNaNBits)
    }

    @Test("digits after the point are as many as wanted")
    func fixedDigits() {
        #expect(NumberText.fixed(0.5, digits: 0) == "0")
        #expect(NumberText.fixed(1.005, digits: 2) == "1.00")
        #expect(NumberText.fixed(-1e21, digits: 3) == "-1000000000000000000000.000")
        #expect(NumberText.fixed(.infinity, digits: 3) == "+Inf")
        #expect(NumberText.scientific(12345, digits: 2) == "1.23e+04")
    }

    @Test("OpenMetrics' form always looks like a float")
    func openMetrics() {
        let texts = [1, 0, -1, 1e6, 0.25, .nan, .infinity, 100_000].map(NumberText.openMetrics)
        #expect(texts == ["1.0", "0.0", "-1.0", "1e+06", "0.25", "NaN", "+Inf", "100000.0"])
    }
}
