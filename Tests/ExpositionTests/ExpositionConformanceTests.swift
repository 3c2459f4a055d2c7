import Exposition
import Foundation
import SeriesModel
import TestSupport
import Testing

@Suite("Exposition: conformance vectors")
struct ExpositionConformanceTests {
    @Test("every entry of the reference bodies is read as upstream reads it")
    func entries() throws {
        for test in try Conformance.cases("exposition/parse_entries.json") {
            let format: ExpositionFormat = test["format"] as? String == "openmetrics" ? .openMetrics100 : .text100
            let expected = test["entries"] as? [[String: Any]] ?? []
            let read = try Entries(Conformance.bytes(test["input"]), format).entries.filter { !isStartTimestamp($0) }
            #expect(read.count == expected.count, "case \(test["id"] ?? "")")
            for (entry, wanted) in zip(read, expected) { check(entry, wanted) }
        }
    }

    /// The vectors are made with start timestamps switched on, which turns these lines into something else.
    private func isStartTimestamp(_ entry: Entries.Entry) -> Bool {
        guard case .sample(let sample) = entry, let name = sample.labels.metricName else { return false }
        return name.hasSuffix("_created") && name != "fizz_created"
    }

    private func check(_ entry: Entries.Entry, _ wanted: [String: Any]) {
        switch entry {
        case .sample(let sample):
            let labels = LabelSet((wanted["labels"] as? [String: String] ?? [:]).map { Label($0.key, $0.value) })
            #expect(sample.labels == labels)
            let value = Conformance.number(wanted["value"])
            #expect(sample.value == value || (sample.value.isNaN && value?.isNaN == true))
            #expect(sample.timestamp == (wanted["t_ms"] as? Int).map(Int64.init))
            let exemplar = (wanted["exemplars"] as? [[String: Any]])?.first
            #expect(
                sample.exemplar
                    == (exemplar?["labels"] as? [String: String]).map { LabelSet($0.map { Label($0.key, $0.value) }) })
            #expect(sample.exemplarValue == exemplar.flatMap { Conformance.number($0["value"]) })
            #expect(sample.exemplarTimestamp == (exemplar?["t_ms"] as? Int).map(Int64.init))
        case .type(let metric, let kind):
            #expect(metric == wanted["type_of"] as? String)
            #expect(kind.rawValue == wanted["type"] as? String)
        case .help(let metric, let text):
            #expect(metric == wanted["help_of"] as? String)
            #expect(text == wanted["help"] as? String)
        case .unit(let metric, let text):
            #expect(metric == wanted["unit_of"] as? String)
            #expect(text == wanted["unit"] as? String)
        case .comment(let text): #expect(text == wanted["comment"] as? String)
        }
    }

    @Test(
        "bodies are taken and refused as upstream does, with its words",
        arguments: [("errors_text.json", ExpositionFormat.text100), ("errors_openmetrics.json", .openMetrics100)])
    func errors(file: String, format: ExpositionFormat) throws {
        for test in try Conformance.cases("exposition/" + file) {
            let error = Entries.error(Conformance.bytes(test["input"]), format)
            let isWanted = test["ok"] as? Bool == true
            #expect((error == nil) == isWanted, "case \(test["id"] ?? ""): \(error.map(\.message) ?? "accepted")")
            if let error, let wanted = test["error"] as? String { #expect(error.message == wanted) }
        }
    }

    @Test("the OpenMetrics corpus gets the verdicts of a Prometheus scrape")
    func corpus() throws {
        for test in try Conformance.cases("exposition/openmetrics_corpus/index.json") {
            guard let name = test["file"] as? String,
                let body = try Conformance.file("exposition/openmetrics_corpus/" + name)
            else { continue }
            // Since 2.42, exemplars have been let onto every line, and a trailing comma behind the labels.
            let oldError = test["prometheus_2_42_error"] as? String ?? ""
            let isAcceptedNow =
                oldError.hasSuffix("does not support exemplars")
                || oldError == "expected label name, got \"BCLOSE\""
            let error = Entries.error(Array(body), .openMetrics100)
            #expect(
                (error == nil) == (test["prometheus_2_42_ok"] as? Bool == true || isAcceptedNow),
                "\(name): \(error.map(\.message) ?? "accepted")")
        }
    }

    @Test(
        "bodies of real programs give the samples that a server stores",
        arguments: [
            "alertmanager_0.25.0.prom", "fastapi_instrumentator_8.1.0.prom", "node_exporter_1.5.0.prom",
            "prometheus_2.42.0.prom", "upstream_1histogram.om.txt", "upstream_alltypes.237mfs.nometa.prom.txt",
            "upstream_alltypes.237mfs.prom.txt", "upstream_alltypes.5mfs.om.txt",
        ])
    func bodies(name: String) throws {
        let stem = name.hasSuffix(".txt") ? String(name.dropLast(4)) : name
        guard let body = try Conformance.file("exposition/bodies/" + name),
            let list = try Conformance.file("exposition/bodies/\(stem).samples.json"),
            let wanted = try JSONSerialization.jsonObject(with: list) as? [String: Any],
            let series = wanted["series"] as? [[String: Any]]
        else { return }
        let samples = try Entries(Array(body), name.contains(".om") ? .openMetrics100 : .text004).samples
        #expect(samples.count == series.count)
        for (sample, wanted) in zip(samples, series) {
            let labels = wanted["labels"] as? [String: String] ?? [:]
            #expect(sample.labels == LabelSet(labels.map { Label($0.key, $0.value) }))
            let value = (wanted["value"] as? String).flatMap(NumberText.parse)
            #expect(sample.value.bitPattern == value?.bitPattern)
        }
    }
}
