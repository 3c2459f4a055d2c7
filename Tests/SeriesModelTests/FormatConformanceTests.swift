import Foundation
import SeriesModel
import TestSupport
import Testing

@Suite("Formats: conformance vectors")
struct FormatConformanceTests {
    @Test("durations are read and written as upstream's")
    func durations() throws {
        for test in try Conformance.cases("formats/duration.json") {
            let text = test["in"] as? String ?? ""
            let isSigned = test["signed"] as? Bool == true
            let value = try? isSigned ? DurationText.parseSigned(text) : DurationText.parse(text)
            #expect(value == (test["ms"] as? Int).map(Int64.init), "\(text)")
            if let value { #expect(DurationText.format(value) == test["string"] as? String) }
        }
    }

    @Test("numbers are written as Go writes them")
    func numbers() throws {
        for test in try Conformance.cases("formats/number.json") {
            guard let value = NumberText.parse(test["value"] as? String ?? "") else {
                Issue.record("\(test)")
                continue
            }
            #expect(NumberText.apiValue(value) == test["json"] as? String)
            #expect(NumberText.fixed(value) == test["json_scalar"] as? String)
            #expect(NumberText.general(value) == test["metrics_text"] as? String)
        }
    }

    @Test("label sets are written in Prometheus' notation")
    func labelSets() throws {
        for test in try Conformance.cases("formats/labels_string.json") {
            let labels = (test["labels"] as? [String: String] ?? [:]).map { Label($0.key, $0.value) }
            #expect(LabelSet(labels).description == test["string"] as? String)
        }
    }

    @Test("names are valid where upstream says so")
    func names() throws {
        for test in try Conformance.cases("formats/name_validation.json") {
            let bytes = Conformance.bytes(test["name"])
            let isUTF8 = UTF8Text.isValid(bytes)
            let name = String(decoding: bytes, as: UTF8.self)
            let isMetric = test["kind"] as? String == "metric"
            let isLegacy = isMetric ? LabelName.isLegacyMetricName(name) : LabelName.isLegacyLabelName(name)
            #expect((isUTF8 && LabelName.isValid(name)) == (test["utf8_valid"] as? Bool == true), "\(name)")
            #expect((isUTF8 && isLegacy) == (test["legacy_valid"] as? Bool == true), "\(name)")
        }
    }

    @Test("keys of other systems are made label names")
    func sanitizing() throws {
        for test in try Conformance.cases("formats/sanitize_label.json") {
            let key = test["in"] as? String ?? ""
            let isFull = test["kind"] as? String == "full_label"
            #expect((isFull ? LabelName.fullySanitized(key) : LabelName.sanitized(key)) == test["out"] as? String)
        }
    }

    @Test("every list of small formats, and every list for the parser, is read by some test")
    func everyList() throws {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        var sources = ""
        for name in try FileManager.default.contentsOfDirectory(atPath: tests.path) {
            let folder = tests.appending(path: name).resolvingSymlinksInPath()
            for file in FileManager.default.subpaths(atPath: folder.path) ?? [] where file.hasSuffix(".swift") {
                sources += try String(contentsOf: folder.appending(path: file), encoding: .utf8)
            }
        }
        for part in ["formats", "parser"] {
            guard let folder = Conformance.folder(part) else { return }
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name.hasSuffix(".json") {
                #expect(sources.contains("\"\(part)/\(name)\""), "no test reads \(part)/\(name)")
            }
        }
    }
}
