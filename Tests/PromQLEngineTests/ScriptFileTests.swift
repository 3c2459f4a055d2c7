import Foundation
import PromQLSyntax
import PromQLTestKit
import Testing

/// Runs the scripts of the PromQL test language beside this file, and sees that between them they leave nothing of the
/// language out.
@Suite struct ScriptFileTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Scripts")

    private static let names: [String] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".test") }.sorted()
    }()

    private static func text(_ name: String) throws -> String {
        try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }

    @Test("every evaluation gives what was computed by hand", arguments: names)
    func script(name: String) async throws {
        let report = await ScriptRunner().run(try Self.text(name), file: name)
        #expect(report.failed == 0, "\(report.failures.map(\.description).joined(separator: "\n"))")
        #expect(report.passed > 0)
    }

    @Test("each function, aggregation, operator and modifier occurs in some evaluation that succeeds")
    func coverage() throws {
        var seen = SeenElements()
        for name in Self.names {
            for case .evaluate(let evaluation) in try TestScript(try Self.text(name)).commands
            where evaluation.failure == nil {
                seen.add(evaluation.expression)
            }
        }
        let missing = Set(SeenElements.all).subtracting(seen.names)
        #expect(missing.isEmpty, "no script has \(missing.sorted())")
    }

    @Test("a query of the scripts means the same when it is broken into lines")
    func formatting() throws {
        for name in Self.names {
            for case .evaluate(let evaluation) in try TestScript(try Self.text(name)).commands {
                let text = evaluation.expression.description
                let long = String(repeating: "label_replace((a), \"b\", \"c\", \"d\", \"e\") or ", count: 3)
                let query = evaluation.expression.valueType == .vector ? long + text : text
                let pretty = try Parser.parse(query, options: .everything).pretty
                let again = try Parser.parse(pretty, options: .everything).description
                #expect(again == (try Parser.parse(query, options: .everything).description), "\(pretty)")
            }
        }
    }
}
