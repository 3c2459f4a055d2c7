import Foundation
import PromQLEngine
import SeriesModel
import Testing

/// The plans of `Plans/*.plan`: each file holds queries, and below each the plan it must have. With `HEARTH_GOLDEN=write`
/// in the environment the files are written anew, to be read before they are committed.
@Suite struct PlanTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Plans")

    private static let files: [URL] =
        ((try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? [])
        .filter { $0.pathExtension == "plan" }
        .sorted { $0.path < $1.path }

    @Test("golden files of plans are there")
    func filesExist() {
        #expect(!PlanTests.files.isEmpty)
    }

    @Test("a query has the plan that its golden file shows", arguments: files)
    func golden(file: URL) async throws {
        let fixture = EngineFixture()
        let text = try String(contentsOf: file, encoding: .utf8)
        var written = ""
        for block in text.components(separatedBy: "\n\n") {
            let lines = block.split(separator: "\n", omittingEmptySubsequences: true)
            guard let query = lines.first else { continue }
            let plan = try await self.plan(String(query), fixture)
            written += "\(query)\n\(plan)\n\n"
            if ProcessInfo.processInfo.environment["HEARTH_GOLDEN"] != "write" {
                #expect(lines.dropFirst().joined(separator: "\n") == plan, "\(query)")
            }
        }
        if ProcessInfo.processInfo.environment["HEARTH_GOLDEN"] == "write" {
            try written.write(to: file, atomically: true, encoding: .utf8)
        }
    }

    private func plan(_ query: String, _ fixture: EngineFixture) async throws -> String {
        var options = QueryOptions()
        options.explains = true
        let result = try await fixture.engine.range(query, from: 0, to: 600_000, step: 60_000, options: options)
        return result.plan?.outline ?? "no plan"
    }

    @Test("an answer without explain has no plan")
    func withoutExplain() async throws {
        let fixture = EngineFixture()
        #expect(try await fixture.engine.instant("1", at: 0).plan == nil)
    }

    @Test("explain tells for each operator the series and samples that came out of it")
    func figures() async throws {
        let fixture = EngineFixture()
        for instance in ["a", "b", "c"] {
            let labels = LabelSet([Label("__name__", "x_total"), Label("instance", instance), Label("job", "j")])
            try fixture.load(labels, (0..<10).map { Double($0) })
        }
        var options = QueryOptions()
        options.explains = true
        let result = try await fixture.engine.range(
            "sum by (job) (rate(x_total[3m]))", from: 180_000, to: 540_000, step: 180_000, options: options)
        let fold = try #require(result.plan)
        let rate = try #require(fold.children.first)
        let selector = try #require(rate.children.first?.children.first)
        #expect((fold.series, fold.samples) == (1, 3))
        #expect((rate.series, rate.samples) == (3, 9))
        #expect((selector.series, selector.samples) == (3, 27))
        #expect(fold.seconds >= rate.seconds)
        #expect(rate.seconds >= selector.seconds)
        #expect(selector.seconds > 0)
    }

    @Test("explain tells the same of a query that several threads work on")
    func figuresOfThreads() async throws {
        func plan(_ parallelism: Int) async throws -> PlanReport? {
            let fixture = EngineFixture { $0.parallelism = parallelism }
            for number in 0..<600 {
                let labels = LabelSet([Label("__name__", "x_total"), Label("n", String(number))])
                try fixture.load(labels, (0..<10).map { Double($0 * number) })
            }
            var options = QueryOptions()
            options.explains = true
            let result = try await fixture.engine.range(
                "sum(abs(rate(x_total[3m])) * 2)", from: 180_000, to: 540_000, step: 60_000, options: options)
            return result.plan.map(withoutTimes)
        }
        #expect(try await plan(1) == plan(3))
    }

    private func withoutTimes(_ report: PlanReport) -> PlanReport {
        var report = report
        report.seconds = 0
        report.children = report.children.map(withoutTimes)
        return report
    }
}
