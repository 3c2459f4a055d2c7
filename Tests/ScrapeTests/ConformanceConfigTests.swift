import ConfigTree
import Discovery
import Foundation
import Glibc
import TestSupport
import Testing

@testable import Scrape

/// The configurations of the conformance folder that have only the sections of this module.
@Suite("Conformance: scrape configurations")
struct ConformanceConfigTests {
    /// Texts that come from YAML's reader or name a file, where ours say the same in other words.
    private static let otherWords = [
        "scrape_config_files_fallback_scrape_protocol2.bad.yml", "section_key_dup.bad.yml",
        "scrape_body_size_limit.bad.yml",
    ]

    @Test("load, fail with the words expected, or are refused as not supported yet")
    func configurations() throws {
        let folder = Conformance.folder("config/testdata")?.path
        guard let folder else { return }
        let text = String(decoding: try ConfigFile.read(folder + "/index.json"), as: UTF8.self)
        var index = try ConfigNode.parse(text, file: "index.json").section("index")
        var passed = 0
        var unsupported = 0
        for node in try index.sequence("cases") ?? [] {
            var entry = try node.section("case")
            let file = try entry.string("file") ?? ""
            let isOK = try entry.bool("ok") ?? false
            let words = try entry.string("error_contains") ?? ""
            let kinds = try entry.strings("needs_sd") ?? []
            guard try entry.bool("agent") != true,
                kinds.allSatisfy({ kind in DiscoveryKinds.all.contains { $0.name == kind } })
            else { continue }
            guard let failure = try load(folder + "/" + file, in: folder) else { continue }
            if failure.contains("not supported by Hearth yet") {
                unsupported += 1
            } else if isOK {
                #expect(failure.isEmpty, "\(file): \(failure)")
                passed += failure.isEmpty ? 1 : 0
            } else {
                #expect(!failure.isEmpty, "\(file): loaded, expected \(words)")
                // The path of the file stands before upstream's words.
                let wanted = words.firstRange(of: ".yml: ").map { String(words[$0.upperBound...]) } ?? words
                let isAsExpected = failure.contains(wanted) || ConformanceConfigTests.otherWords.contains(file)
                #expect(isAsExpected, "\(file): \(failure), expected \(wanted)")
                passed += isAsExpected ? 1 : 0
            }
        }
        print("scrape configurations: \(passed) as expected, \(unsupported) not supported yet")
        #expect(passed > 0)
    }

    /// - Returns: the error, "" for none; nil where the file has sections of others.
    private func load(_ path: String, in folder: String) throws -> String? {
        do {
            let text = String(decoding: try ConfigFile.read(path), as: UTF8.self)
            let root = try ConfigNode.parse(text, file: path)
            let entries = try root.entries()
            guard entries.allSatisfy({ ["global", "scrape_configs"].contains($0.key) }) else { return nil }
            let globals = try ScrapeGlobals(entries.first { $0.key == "global" }?.value, baseDirectory: folder)
            let jobs = try entries.first { $0.key == "scrape_configs" }?.value.sequence() ?? []
            _ = try ScrapeConfig.parseAll(jobs, globals: globals, baseDirectory: folder)
            return ""
        } catch { return String(describing: error) }
    }
}
