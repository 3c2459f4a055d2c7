import SeriesModel
import Testing

@testable import RemoteStorage

@Suite("Retry-After")
struct RetryAfterTests {
    /// Sun, 06 Nov 1994 08:49:37 GMT
    private static let moment: Timestamp = 784_111_777_000

    @Test(
        "seconds and dates are understood, and nothing else",
        arguments: [
            ("2", 2000), (" 120 ", 120_000), ("0", nil), ("-1", nil), ("1.5", nil), ("soon", nil), ("", nil),
            ("99999999999", RetryAfter.waitMax), ("9999999999999999999999", nil),
            ("Sun, 06 Nov 1994 08:49:47 GMT", 10_000), ("Sun, 06 Nov 1994 08:49:37 GMT", nil),
            ("Sun, 06 Nov 1994 08:40:00 GMT", nil), ("Sun, 06 Foo 1994 08:49:47 GMT", nil),
            ("Sun, 06 Nov 1994 8:4 GMT", nil), ("Fri, 31 Dec 9999 23:59:59 GMT", RetryAfter.waitMax),
            ("Sun, 99 Nov 1994 08:49:47 GMT", nil), ("Sun, 06 Nov 99999999999999999999 08:49:47 GMT", nil),
        ] as [(String, Int64?)])
    func forms(text: String, expected: Int64?) {
        #expect(RetryAfter.milliseconds(text, now: RetryAfterTests.moment) == expected)
    }
}
