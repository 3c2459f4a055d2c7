import Testing

@testable import HTTPAPI

@Suite("Bodies of forms in parts")
struct MultipartTests {
    @Test(
        "the boundary is that of the content type",
        arguments: [
            ("multipart/form-data; boundary=abc", "abc"), ("Multipart/Form-Data;Boundary=\"a b\"", "a b"),
            ("multipart/form-data; charset=utf-8; boundary=x", "x"), ("multipart/form-data", nil),
            ("multipart/form-data; boundary=", nil), ("multipart/mixed; boundary=abc", nil), ("", nil),
            ("multipart/form-data; boundary=" + String(repeating: "a", count: 71), nil),
        ])
    func boundaries(type: String, boundary: String?) {
        #expect(MultipartForm.boundary(in: type) == boundary)
    }

    private func fields(_ lines: String...) -> [String] {
        let body = Array(lines.joined(separator: "\r\n").utf8)
        return MultipartForm.fields(of: body, boundary: "B").map { "\($0.name)=\($0.value)" }
    }

    @Test("fields are read in order, files and what is no field left out")
    func wellFormed() {
        #expect(
            fields(
                "preamble", "--B", "Content-Disposition: form-data; name=\"query\"", "", "up", "--B",
                "content-type: text/plain", "content-disposition: form-data; name=\"a\\\"b\"", "", "1\r\n2", "--B",
                "Content-Disposition: form-data; name=\"f\"; filename=\"x.txt\"", "", "file", "--B",
                "Content-Disposition: form-data; name=query", "", "", "--B--", "epilogue")
                == ["query=up", "a\"b=1\r\n2", "query="])
    }

    @Test("a broken body is read as far as it goes")
    func broken() {
        #expect(fields("") == [])
        #expect(fields("--B") == [])
        #expect(fields("--B", "Content-Disposition: form-data; name=\"a\"", "", "1") == [])
        #expect(fields("--B", "Content-Disposition: form-data; name=\"a\"", "", "1", "--B", "x", "--B--") == ["a=1"])
        #expect(fields("--B--", "", "--B") == [])
        #expect(fields("--B", "Content-Disposition: attachment; name=\"a\"", "", "1", "--B--") == [])
        #expect(fields("--B", "Content-Disposition", "", "1", "--B--") == [])
    }

    @Test("a query may come in parts; what the URL says goes first")
    func overHTTP() async throws {
        let client = try await TestServer.shared.client
        let body =
            ["query": "1+1", "time": "5"].sorted { $0.key < $1.key }.map {
                "--B\r\nContent-Disposition: form-data; name=\"\($0.key)\"\r\n\r\n\($0.value)\r\n"
            }.joined() + "--B--\r\n"
        let type = ["Content-Type": "multipart/form-data; boundary=B"]
        let alone = try await client.post("/api/v1/query", body, type)
        #expect(alone.text.contains(#"[5,"2"]"#), "\(alone.text)")
        let both = try await client.post("/api/v1/query?time=7", body, type)
        #expect(both.text.contains(#"[7,"2"]"#), "\(both.text)")
    }
}
