import Foundation
import PromQLEngine
import PromQLSyntax
import Testing

@testable import HTTPAPI

@Suite("explain")
struct ExplainTests {
    @Test("a plan is a tree of operators with figures")
    func json() {
        var selector = PlanReport(name: "selector", detail: #"up{job="a"}"#, range: SourceRange(4, 15))
        selector.series = 2
        selector.samples = 10
        selector.seconds = 0.25
        var sum = PlanReport(name: "aggregate", detail: "sum")
        sum.series = 1
        sum.samples = 1
        sum.seconds = 0.5
        sum.children = [selector]
        var writer = JSONWriter()
        writer.plan(sum)
        #expect(
            String(decoding: writer.takeBytes(), as: UTF8.self)
                == #"{"operator":"aggregate","detail":"sum","series":1,"samples":1,"seconds":0.5,"children":["#
                + #"{"operator":"selector","detail":"up{job=\"a\"}","position":{"start":4,"end":15},"series":2,"#
                + #""samples":10,"seconds":0.25,"children":[]}]}"#)
    }

    @Test(
        "an answer has its plan where it was asked for, and else nothing of it",
        arguments: [
            "/api/v1/query?query=sum(rate(http_requests_total%5B5m%5D))",
            "/api/v1/query_range?query=sum(rate(http_requests_total%5B5m%5D))&start=1700000000&end=1700000600&step=60",
        ])
    func overHTTP(target: String) async throws {
        let client = try await TestServer.shared.client
        let with = try await client.get(target + "&explain=true")
        #expect(with.status == 200)
        let answer = try #require(try JSONSerialization.jsonObject(with: Data(with.body)) as? [String: Any])
        let data = try #require(answer["data"] as? [String: Any])
        let plan = try #require(data["explain"] as? [String: Any], "\(with.text)")
        #expect(plan["operator"] is String)
        #expect((plan["children"] as? [Any])?.isEmpty == false)
        #expect((plan["seconds"] as? Double).map { $0 > 0 } == true)
        for target in [target, target + "&explain=false", target + "&explain="] {
            #expect(try await !client.get(target).text.contains("explain"))
        }
    }
}
