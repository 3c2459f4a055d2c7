import ByteCoding
import Testing

@Suite("CRC-32C")
struct CRC32CTests {
    /// The vectors of RFC 3720, B.4, and the usual check value.
    @Test(
        "gives the values that iSCSI's standard lists",
        arguments: [
            (Array("123456789".utf8), 0xE306_9283),
            ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
            ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
            (Array(0..<32), 0x46DD_794E),
            (Array((0..<32).reversed()), 0x113F_DB5C),
            ([], 0),
        ] as [([UInt8], UInt32)])
    func vectors(bytes: [UInt8], checksum: UInt32) {
        #expect(CRC32C.checksum(bytes) == checksum)
    }

    @Test("of a whole is that of its end extending that of its beginning, wherever it is cut")
    func extending() {
        let bytes = (0..<100).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        let whole = CRC32C.checksum(bytes)
        for cut in 0...bytes.count {
            #expect(CRC32C.checksum(bytes[cut...], extending: CRC32C.checksum(bytes[..<cut])) == whole, "cut at \(cut)")
        }
    }
}
