import Testing

@testable import OutboundHTTP

@Suite("References of redirects")
struct URLReferenceTests {
    @Test(
        "lead where RFC 3986 says",
        arguments: [
            ("/x", "http://h/x"), ("x", "http://h/a/x"), ("?q=1", "http://h/a/b?q=1"), ("//o/x", "http://o/x"),
            ("https://o/x", "https://o/x"), ("/login?rd=https://sso/", "http://h/login?rd=https://sso/"),
            ("../x", "http://h/x"), ("./x/../y?p=../z", "http://h/a/y?p=../z"), ("../../../x", "http://h/x"),
            ("/a/./b/..", "http://h/a/"), (".", "http://h/a/"), ("x#f", "http://h/a/x#f"),
        ])
    func resolved(location: String, expected: String) throws {
        #expect(try #require(URLReference("http://h/a/b?c=d")).resolving(location) == expected)
    }

    @Test("that are no HTTP URLs lead nowhere", arguments: ["ftp://h/", "javascript:alert(1)", "http://", "a:b"])
    func refused(location: String) throws {
        #expect(try #require(URLReference("http://h/a")).resolving(location) == nil)
    }

    @Test(
        "have a host of plain characters, so that nobody reads another one",
        arguments: ["http://evil/\u{301}@good/x", "http://h\u{301}/", "http://hé/"])
    func host(url: String) {
        let host = URLReference(url)?.host
        #expect(host == nil || host == "evil")
    }

    @Test(
        "have ports of sixteen bits", arguments: [("http://h:70000/", nil), ("http://h:81/", 81), ("https://h/", 443)])
    func port(url: String, expected: Int?) {
        #expect(URLReference(url)?.port == expected)
    }
}
