import ConfigTree
import Foundation
import RemoteStorage
import Scrape
import SeriesModel
import TestSupport
import Testing

@testable import Server

/// The configurations of the conformance folder: each must be taken or refused as its index says, and a refusal must
/// name its cause.
@Suite("Conformance: configuration files")
struct ConfigConformanceTests {
    private struct Case {
        var file: String
        var isGood: Bool
        var cause: String
        var isForAgent: Bool
        var neededKinds: [String]
        var facts: [String: Any]

        init?(_ entry: [String: Any]) {
            guard let file = entry["file"] as? String, let isGood = entry["ok"] as? Bool else { return nil }
            self.file = file
            self.isGood = isGood
            cause = entry["error_contains"] as? String ?? ""
            isForAgent = entry["agent"] as? Bool ?? false
            neededKinds = entry["needs_sd"] as? [String] ?? []
            facts = entry["facts"] as? [String: Any] ?? [:]
        }
    }

    /// What upstream's own test checks: the main file, and the files of scrape configurations.
    private func load(
        _ path: String, isForAgent: Bool, environment: [String: String] = [:]
    ) throws(ConfigLoadError) -> ServerConfig {
        var config = try ServerConfig.read(path: path) { environment[$0] }
        try config.readScrapeConfigFiles()
        if isForAgent { try config.checkAgentMode() }
        return config
    }

    /// The kind of discovery that an error says is not built.
    private func missingKind(_ error: String) -> String? {
        guard let end = error.range(of: "_sd_configs\" is not supported by Hearth yet") else { return nil }
        return error[..<end.lowerBound].split(separator: "\"").last.map(String.init)
    }

    @Test("every file gives its verdict and names its cause")
    func verdicts() throws {
        guard let folder = Conformance.folder("config/testdata")?.path else { return }
        let entries = try Conformance.cases("config/testdata/index.json")
        let cases = entries.compactMap(Case.init)
        #expect(cases.count == entries.count)
        var missing: [String: Int] = [:]
        for one in cases {
            // The index names files as upstream's test does, from the folder above.
            let cause = one.cause.replacing("testdata/", with: folder + "/")
            do throws(ConfigLoadError) {
                _ = try load(folder + "/" + one.file, isForAgent: one.isForAgent)
                #expect(one.isGood, "\(one.file) was taken; expected: \(cause)")
            } catch {
                let text = error.description
                // The index does not mention these two, nor what files of further jobs need.
                let isUnmentioned = ["dns", "http"].contains(missingKind(text)) || (one.isGood && text.hasPrefix("\""))
                if let kind = missingKind(text), one.neededKinds.contains(kind) || isUnmentioned {
                    missing[kind, default: 0] += 1
                } else {
                    #expect(!one.isGood, "\(one.file) was refused: \(text)")
                    #expect(text.contains(cause), "\(one.file): \(text)\nexpected: \(cause)")
                }
            }
        }
        let kinds = missing.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        print("skipped: files with discovery that is not built: \(missing.values.reduce(0, +)) (\(kinds))")
        #expect(missing.values.reduce(0, +) < cases.count / 2)
    }

    @Test("what the index says of the contents is found in them")
    func facts() throws {
        guard let folder = Conformance.folder("config/testdata")?.path else { return }
        var checkedCount = 0
        for one in try Conformance.cases("config/testdata/index.json").compactMap(Case.init) where one.isGood {
            for (key, value) in one.facts {
                if key == "note" { continue }
                let environment =
                    key.hasPrefix("env TEST=")
                    ? ["TEST": String(key.dropFirst("env TEST=".count).filter { $0 != "\"" })] : [:]
                let config = try load(folder + "/" + one.file, isForAgent: one.isForAgent, environment: environment)
                let isKnown = try check(key, value, of: config)
                #expect(isKnown, "\(one.file): nothing is known of \(key)")
                checkedCount += 1
            }
        }
        #expect(checkedCount > 5)
    }

    /// - Returns: false where the fact is of an unknown kind.
    private func check(_ key: String, _ value: Any, of config: ServerConfig) throws -> Bool {
        switch key {
        case "remote_write urls": #expect(config.remoteWrites.map(\.url.text) == value as? [String])
        case "translation_strategy":
            #expect((config.otlp?.translation ?? .underscoreEscapingWithSuffixes).rawValue == value as? String)
        case "label_name_underscore_sanitization":
            #expect((config.otlp?.sanitizesLabelUnderscores ?? true) == value as? Bool)
        case "label_name_preserve_multiple_underscores":
            #expect((config.otlp?.preservesMultipleUnderscores ?? true) == value as? Bool)
        case "metric_name_validation_scheme":
            #expect(config.scrapeConfigs.first?.nameValidation.rawValue == value as? String)
        case "escaping": #expect(config.scrapeConfigs.first?.nameEscaping.rawValue == value as? String)
        case "storage.tsdb.retention.percentage": #expect(config.storage.retentionPercentage == value as? Double)
        case _ where key.hasPrefix("env TEST="):
            let labels = try #require((value as? [String: Any])?["external_labels"] as? [String: String])
            for (name, value) in labels { #expect((config.globals.externalLabels[name] ?? "") == value) }
        default: return false
        }
        return true
    }
}
