import SeriesModel
import Testing

@Suite("Percent encoding")
struct PercentEncodingTests {
    @Test(
        "All but letters, digits and what is kept becomes %XX",
        arguments: [
            ("a-_.~Z0", "a-_.~Z0"), ("a b/c", "a%20b%2Fc"), ("ü+&", "%C3%BC%2B%26"), ("\n", "%0A"), ("", ""),
        ])
    func encoded(text: String, expected: String) {
        #expect(PercentEncoding.encode(text) == expected)
        #expect(PercentEncoding.decode(expected) == text)
    }

    @Test("Forms have + for a space; more can be kept")
    func forms() {
        #expect(PercentEncoding.encode("a b+c", spaceAsPlus: true) == "a+b%2Bc")
        #expect(PercentEncoding.decode("a+b%2Bc", plusIsSpace: true) == "a b+c")
        #expect(PercentEncoding.encode("/a:b?", keeping: "/:") == "/a:b%3F")
    }

    @Test("A percent sign that two digits do not follow stays", arguments: ["%", "%4", "%g1", "100%", "%+1"])
    func broken(text: String) {
        #expect(PercentEncoding.decode(text) == text)
    }

    @Test("Bytes that are no text are replaced")
    func invalid() {
        #expect(PercentEncoding.decode("%ff") == "\u{FFFD}")
    }
}
