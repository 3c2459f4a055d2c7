import Foundation
import PromQLTestKit
import Testing

/// Runs the shared scripts of the PromQL test language where they are present (`HEARTH_CONFORMANCE`, or
/// `../shared/conformance`).
@Suite struct ConformanceScriptTests {
    private static let scripts: [String] = {
        let root =
            ProcessInfo.processInfo.environment["HEARTH_CONFORMANCE"]
            ?? URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared/conformance").path
        let folder = root + "/promql"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        if names.isEmpty { Swift.print("skipped: no conformance scripts at \(folder)") }
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
