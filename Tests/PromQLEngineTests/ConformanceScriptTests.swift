import Foundation
import PromQLTestKit
import TestSupport
import Testing

/// Runs the shared scripts of the PromQL test language where they are present.
@Suite struct ConformanceScriptTests {
    private static let scripts: [String] = {
        guard let folder = Conformance.folder("promql")?.path else { return [] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(".test") }.sorted().map { folder + "/" + $0 }
    }()

    @Test("every evaluation of the shared scripts gives what is expected", arguments: scripts)
    func script(path: String) async throws {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let report = await ScriptRunner().run(text, file: (path as NSString).lastPathComponent)
        #expect(report.failed == 0, "\(report.failures.map(\.description).joined(separator: "\n"))")
        #expect(report.passed > 0)
    }
}
