import Foundation
import HTTPTypes
import PromQLEngine
import SelfMetrics
import SeriesModel
import Testing

@testable import HTTPAPI

@Suite("docs/http-api.md")
struct DocumentationTests {
    @Test("describes exactly the routes that exist, with their methods")
    func routesAreDocumented() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "docs/http-api.md"), encoding: .utf8)
        let sections = page.split(separator: "\n## ")
        // The pages are the web module's, and held by its own test.
        let documented = sections.filter { !$0.hasPrefix("Pages") }.flatMap { $0.split(separator: "\n") }
            .filter { $0.hasPrefix("### `") }.map { String($0.dropFirst(5).dropLast()) }
        let registry = MetricsRegistry()
        let services = APIServices(
            engine: QueryEngine(storage: ListStore(), options: EngineOptions(), metrics: registry),
            storage: ListStore(), storageStatus: FixedStorageStatus(), registry: registry,
            clock: ManualClock(now: 0), build: BuildInfo(hearthVersion: "0"))
        let routes = APIRoutes(services).all.map { route in
            route.methods.map(\.rawValue).joined(separator: ", ") + " " + route.pattern
        }
        #expect(Set(documented) == Set(routes))
        #expect(documented.count == routes.count)
    }
}
