import SeriesModel
import Testing

@Suite("Quoting and UTF-8")
struct QuotingTests {
    @Test("quoting is Go's")
    func quote() {
        #expect(
            GoQuote.quote("a\"\\\n\t\u{07}\u{7F}é\u{200B}\u{E000}\u{10FFFF}")
                == #""a\"\\\n\t\a\x7fé\u200b\ue000\U0010ffff""#)
    }

    @Test("bytes that are no UTF-8 are quoted one by one")
    func quoteBytes() {
        #expect(GoQuote.quote(bytes: [0x61, 0xFF, 0xC3, 0xA9, 0xC3, 0x0A, 0xE2, 0x82]) == #""a\xffé\xc3\n\xe2\x82""#)
    }

    @Test("a combining mark beside a quote or a byte that is no UTF-8 stays")
    func quoteCombiningMark() {
        #expect(GoQuote.quote("\u{1034}").unicodeScalars.map(\.value) == [0x22, 0x1034, 0x22])
        let quoted = GoQuote.quote(bytes: [0xFF, 0xE1, 0x80, 0xB4, 0xFF])
        #expect(Array(quoted.utf8) == Array(#""\xff"#.utf8) + [0xE1, 0x80, 0xB4] + Array(#"\xff""#.utf8))
    }

    @Test("UTF-8 is checked as the standard library does, over all short sequences of interesting bytes")
    func validation() {
        let bytes: [UInt8] = [
            0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED, 0xEF, 0xF0,
            0xF1, 0xF4, 0xF5, 0xFF,
        ]
        var checked = 0
        for a in bytes {
            for b in bytes {
                for c in bytes {
                    for tail in [[], [0x80], [0x41]] as [[UInt8]] {
                        let text = [a, b, c] + tail
                        checked += 1
                        #expect(UTF8Text.isValid(text) == (String(validating: text, as: UTF8.self) != nil), "\(text)")
                    }
                }
            }
        }
        #expect(checked == 3 * bytes.count * bytes.count * bytes.count)
    }
}
