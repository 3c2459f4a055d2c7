import ConfigTree
import Testing

@Suite("Sizes")
struct ByteSizeTests {
    @Test(
        "units are powers of 1024",
        arguments: [
            ("0", 0), ("1B", 1), ("1KB", 1024), ("1KiB", 1024), ("512MB", 536_870_912), ("1.5GiB", 1_610_612_736),
            ("7EB", 8_070_450_532_247_928_832), ("10G", 10_737_418_240),
        ] as [(String, Int64)])
    func parse(text: String, bytes: Int64) {
        #expect(ByteSize.parse(text) == bytes)
    }

    @Test("what is no size is nil", arguments: ["", "1", "B", "-1B", "1XB", "9EB", "1..5GB", "1 GB", "٣B", "1gb"])
    func refused(text: String) {
        #expect(ByteSize.parse(text) == nil)
    }

    @Test(
        "why a text is no size is told in upstream's words",
        arguments: [
            ("100", "units: unknown unit  in 100"), ("1XB", "units: unknown unit XB in 1XB"),
            ("B", "units: invalid B"), ("-1B", "units: invalid -1B"),
        ])
    func complaints(text: String, message: String) throws {
        let value = try #require(try ConfigNode.parse("a: \(text)", file: "t").entries().first?.value)
        let error = #expect(throws: ConfigError.self) { _ = try value.size() }
        #expect(error?.message == message)
    }

    @Test("what is written is read back", arguments: [0, 1, 1023, 1024, 1 << 40, 3 << 30] as [Int64])
    func roundTrip(bytes: Int64) {
        #expect(ByteSize.parse(ByteSize.format(bytes)) == bytes)
    }
}
