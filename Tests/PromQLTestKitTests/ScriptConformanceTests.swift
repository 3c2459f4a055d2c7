import Foundation
import Testing

@testable import PromQLTestKit

/// Reads the shared scripts where they are present (`HEARTH_CONFORMANCE`, or `../shared/conformance`).
@Suite struct ScriptConformanceTests {
    @Test("every shared script is sound")
    func scriptsParse() throws {
        let root =
            ProcessInfo.processInfo.environment["HEARTH_CONFORMANCE"]
            ?? URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared/conformance").path
        let folder = root + "/promql"
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            Swift.print("skipped: no scripts in \(folder)")
            return
        }
        var evaluations = 0
        for name in names.sorted() where name.hasSuffix(".test") {
            let text = try String(contentsOfFile: folder + "/" + name, encoding: .utf8)
            do {
                evaluations += try TestScript(text).commands.count { $0.isEvaluation }
            } catch {
                Issue.record("\(name): \(error)")
            }
        }
        #expect(evaluations > 0)
    }
}
