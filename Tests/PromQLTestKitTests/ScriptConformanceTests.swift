import Foundation
import TestSupport
import Testing

@testable import PromQLTestKit

/// Reads the shared scripts where they are present.
@Suite struct ScriptConformanceTests {
    @Test("every shared script is sound")
    func scriptsParse() throws {
        guard let folder = Conformance.folder("promql")?.path else { return }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
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
