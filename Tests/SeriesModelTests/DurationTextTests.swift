import SeriesModel
import Testing

@Suite("Durations")
struct DurationTextTests {
    @Test(
        "durations are read",
        arguments: [
            ("0", 0), ("1ms", 1), ("90s", 90_000), ("1h30m", 5_400_000), ("1y2w3d4h5m6s7ms", 33_019_506_007),
            ("0s", 0), ("36500d", 3_153_600_000_000),
        ] as [(String, Int64)])
    func read(text: String, milliseconds: Int64) throws {
        #expect(try DurationText.parse(text) == milliseconds)
    }

    @Test(
        "what is no duration is refused",
        arguments: ["", "1", "s", "1s1m", "1m1m", "1.5h", "-1s", " 1s", "1 s", "1x", "9999999999999999999s", "300y"])
    func refused(text: String) {
        #expect(throws: DurationText.ParseError.self) { try DurationText.parse(text) }
    }

    @Test("the texts of errors are upstream's")
    func messages() {
        let messages = ["", "1x", "1s1m"].map { text in
            #expect(throws: DurationText.ParseError.self) { try DurationText.parse(text) }?.description
        }
        #expect(
            messages == [
                "empty duration string", "unknown unit \"x\" in duration \"1x\"",
                "not a valid duration string: \"1s1m\"",
            ])
    }

    @Test("what is written is read back", arguments: [1, 999, 60_000, 86_400_000 * 7, 86_400_000 * 8, 31_536_000_001])
    func roundTrip(milliseconds: Int64) throws {
        #expect(try DurationText.parse(DurationText.format(milliseconds)) == milliseconds)
    }

    @Test("the least number can be written")
    func extremes() {
        #expect(DurationText.format(.min).hasPrefix("-"))
        #expect(DurationText.format(-1500) == "-1s500ms")
    }
}
