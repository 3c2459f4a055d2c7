import Foundation
import PromQLSyntax
import Testing

/// Runs the parser's shared vectors where they are present (`HEARTH_CONFORMANCE`, or `../shared/conformance`).
@Suite struct ParserConformanceTests {
    private static func cases(_ path: String) -> [[String: Any]]? {
        let root =
            ProcessInfo.processInfo.environment["HEARTH_CONFORMANCE"]
            ?? URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared/conformance").path
        guard let data = FileManager.default.contents(atPath: root + "/" + path) else {
            Swift.print("skipped: no conformance vectors at \(root)/\(path)")
            return nil
        }
        let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
        return object?["cases"] as? [[String: Any]]
    }

    private static func bytes(_ value: Any?) -> [UInt8] {
        if let text = value as? String { return Array(text.utf8) }
        let hex = (value as? [String: Any])?["hex"] as? String ?? ""
        return stride(from: 0, to: hex.count, by: 2).compactMap { offset in
            UInt8(hex.dropFirst(offset).prefix(2), radix: 16)
        }
    }

    private static let options: ParserOptions = {
        var options = ParserOptions.everything
        options.enablesFillModifiers = false
        return options
    }()

    @Test("queries are accepted or refused with the expected messages and places")
    func parse() throws {
        guard let cases = Self.cases("parser/parse.json") else { return }
        for vector in cases {
            let id = vector["id"] as? Int ?? 0
            let input = Self.bytes(vector["input"])
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
        guard let cases = Self.cases("parser/print.json") else { return }
        for vector in cases {
            let text = String(decoding: Self.bytes(vector["in"]), as: UTF8.self)
            let printed = try Parser.parse(text, options: .everything).description
            #expect(printed == vector["out"] as? String)
            #expect(try Parser.parse(printed, options: .everything).description == printed)
        }
    }

    @Test("string literals lose their quotes and escapes")
    func unquote() throws {
        guard let cases = Self.cases("formats/promql_string_literal.json") else { return }
        for vector in cases {
            let result = StringUnquoting.unquote(Self.bytes(vector["in"]))
            if vector["error"] as? Bool == true {
                #expect(result == nil, "\(vector)")
            } else {
                #expect(result == Self.bytes(vector["out"]), "\(vector)")
            }
        }
    }
}
