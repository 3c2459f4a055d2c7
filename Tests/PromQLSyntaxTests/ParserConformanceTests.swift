import Foundation
import PromQLSyntax
import TestSupport
import Testing

/// Runs the parser's shared vectors where they are present.
@Suite struct ParserConformanceTests {
    private static let options: ParserOptions = {
        var options = ParserOptions.everything
        options.enablesFillModifiers = false
        return options
    }()

    @Test("queries are accepted or refused with the expected messages and places")
    func parse() throws {
        let cases = try Conformance.cases("parser/parse.json")
        for vector in cases {
            let id = vector["id"] as? Int ?? 0
            let input = Conformance.bytes(vector["input"])
            let text = String(decoding: input, as: UTF8.self)
            do throws(ParseError) {
                let expression = try Parser.parse(bytes: input, options: Self.options)
                #expect(vector["ok"] as? Bool == true, "case \(id): \(text) was accepted as \(expression)")
            } catch {
                guard let wanted = vector["errors"] as? [[String: Any]] else {
                    Issue.record("case \(id): \(text) was refused: \(error)")
                    continue
                }
                #expect(error.findings.count == wanted.count, "case \(id): \(text): \(error.findings)")
                for (finding, want) in zip(error.findings, wanted) {
                    #expect(finding.range.start == want["start"] as? Int, "case \(id): \(text): \(finding)")
                    #expect(finding.range.end == want["end"] as? Int, "case \(id): \(text): \(finding)")
                    if let message = want["message"] as? String {
                        #expect(finding.message == message, "case \(id): \(text)")
                    }
                }
            }
        }
    }

    @Test("expressions print in their canonical form, which parses to the same")
    func canonicalText() throws {
        let cases = try Conformance.cases("parser/print.json")
        for vector in cases {
            let text = String(decoding: Conformance.bytes(vector["in"]), as: UTF8.self)
            let printed = try Parser.parse(text, options: .everything).description
            #expect(printed == vector["out"] as? String)
            #expect(try Parser.parse(printed, options: .everything).description == printed)
        }
    }

    @Test("string literals lose their quotes and escapes")
    func unquote() throws {
        let cases = try Conformance.cases("formats/promql_string_literal.json")
        for vector in cases {
            let result = StringUnquoting.unquote(Conformance.bytes(vector["in"]))
            if vector["error"] as? Bool == true {
                #expect(result == nil, "\(vector)")
            } else {
                #expect(result == Conformance.bytes(vector["out"]), "\(vector)")
            }
        }
    }
}
