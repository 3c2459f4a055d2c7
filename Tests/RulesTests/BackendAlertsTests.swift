import Foundation
import Rules
import SeriesModel
import Testing

@Suite("The shipped alerts")
struct BackendAlertsTests {
    private static let directory = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "rules")

    private static let names: Set = [
        "BackendServiceDown", "HighErrorRate", "VeryHighLatencyCritical", "DatabasePoolExhausted",
        "HighLatencyWarning", "MemoryLeakSuspected", "HighCPUUsage", "HighWebSocketErrors", "LowCacheHitRatio",
        "NoTicketsCreated", "HighAuthFailureRate",
    ]

    @Test("each of the eleven fires, and keeps silent, where its unit tests say so")
    func fire() async throws {
        let tests = RuleUnitTests(directory: Self.directory, file: "backend_alerts_test.yml")
        let (firing, silent) = try await tests.run()
        #expect(firing == Self.names)
        #expect(silent == Self.names)
    }

    @Test("the file is good, and every alert has a severity, a summary and a description")
    func file() throws {
        let path = Self.directory.appending(path: "backend_alerts.yml").path
        let check = RuleCheck(path: path)
        #expect(check.report == "SUCCESS: 11 rules found")
        for rule in try RuleFile(readingFrom: path).groups.flatMap(\.rules) {
            guard case .alerting(let hold, _, let annotations) = rule.kind else {
                Issue.record("\(rule.name) is no alert")
                continue
            }
            #expect(["critical", "warning", "info"].contains(LabelSet(rule.labels)["severity"]))
            #expect(annotations["summary"] != nil && annotations["description"] != nil && hold >= 120_000)
        }
    }
}
