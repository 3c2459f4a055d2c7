import Foundation
import HTTPAPI
import HTTPTypes
import PromQLEngine
import SelfMetrics
import SeriesModel
import StorageAPI
import Testing

@testable import WebUI

@Suite("Pages")
struct WebPagesTests {
    private func routes(title: String = "Hearth") -> [Route] {
        let registry = MetricsRegistry()
        let storage = EmptyStore()
        var options = APIOptions()
        options.pageTitle = title
        return WebPages(
            APIServices(
                engine: QueryEngine(storage: storage, options: EngineOptions(), metrics: registry), storage: storage,
                storageStatus: EmptyStore(), registry: registry, clock: ManualClock(now: 0), options: options,
                build: BuildInfo(hearthVersion: "0"))
        ).all
    }

    private func answer(_ path: String, title: String = "Hearth") async throws -> (APIResponse, text: String) {
        let route = try #require(routes(title: title).first { $0.pattern == path }, "\(path)")
        let request = APIRequest(method: .get, path: path, queryString: "", headers: HTTPFields())
        let response = try await route.handler(request)
        guard case .bytes(let bytes) = response.body else { return (response, "") }
        return (response, String(decoding: bytes, as: UTF8.self))
    }

    @Test("each page has its menu entry marked, and loads only assets that exist")
    func pagesLoadWhatExists() async throws {
        let patterns = Set(routes().map(\.pattern))
        for page in ["/query", "/alerts", "/rules", "/targets", "/status"] {
            let (response, text) = try await answer(page)
            #expect(response.headers[.contentType] == "text/html; charset=utf-8")
            #expect(text.contains("<a href=\"\(page.dropFirst())\" aria-current=\"page\">"))
            let parts = text.split(separator: "\"").filter { $0.hasPrefix("assets/") }
            #expect(parts.count >= 4)
            for asset in parts { #expect(patterns.contains("/" + asset), "\(asset)") }
        }
    }

    @Test("nothing is loaded from elsewhere, and no page has a script or style of its own")
    func contentSecurity() async throws {
        for route in routes() {
            let (response, text) = try await answer(route.pattern)
            let policy = try #require(response.headers[.contentSecurityPolicy])
            #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"))
            let foreign = text.replacing("http://www.w3.org/2000/svg", with: "")
            #expect(!foreign.contains("http://") && !foreign.contains("https://"), "\(route.pattern)")
            #expect(!text.contains(" style=") && !text.contains("<style"))
            #expect(!text.contains("<script>") && !text.contains("onclick=\""))
        }
    }

    @Test("scripts put texts into the page as text only")
    func scriptsWriteTextOnly() {
        for asset in Asset.all where asset.name.hasSuffix(".js") {
            for way in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"] {
                #expect(!asset.text.contains(way), "\(asset.name): \(way)")
            }
        }
    }

    @Test("a title that looks like markup stays a title")
    func escapedTitle() async throws {
        let (_, text) = try await answer("/query", title: "<b>\"Mine\" & 'yours'</b>")
        #expect(text.contains("&lt;b&gt;&quot;Mine&quot; &amp; &#39;yours&#39;&lt;/b&gt;"))
        #expect(!text.contains("<b>"))
    }

    @Test("the pages that docs/http-api.md lists are those that exist")
    func pagesAreDocumented() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "docs/http-api.md"), encoding: .utf8)
        let section = try #require(page.split(separator: "\n## ").first { $0.hasPrefix("Pages") })
        let documented = section.split(separator: "\n").filter { $0.hasPrefix("### `GET ") }
            .map { String($0.dropFirst("### `GET ".count).dropLast()) }
        let served = routes().map(\.pattern).map { $0.hasPrefix("/assets/") ? "/assets/:name" : $0 }
        #expect(Set(documented) == Set(served))
    }
}

private struct EmptyStore: Queryable, StorageStatus {
    func select(_ selections: [Selection], cancellation: Cancellation) throws -> [any SeriesSet] { [] }

    func labelNames(matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation) throws -> [String] {
        []
    }

    func labelValues(
        of name: String, matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation
    ) throws -> [String] {
        []
    }

    func series(matching: [[LabelMatcher]], in range: TimeRange, cancellation: Cancellation) throws -> [LabelSet] { [] }

    func headStatistics() -> HeadStatistics { HeadStatistics() }

    func cardinality(limit: Int) -> Cardinality { Cardinality() }

    var retentionDescription: String { "" }
    var corruptionCount: Int { 0 }
}
