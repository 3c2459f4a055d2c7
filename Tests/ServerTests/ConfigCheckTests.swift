import Foundation
import SeriesModel
import TestSupport
import Testing

@testable import Server

@Suite("hearth check config")
struct ConfigCheckTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// - Returns: the exit status, and the lines of both streams in order, with the directory's name cut out.
    private func check(
        _ file: String = "p.yml", _ change: (inout ConfigCheck.Options) -> Void = { _ in }
    ) -> (status: Int32, lines: [String]) {
        var options = ConfigCheck.Options()
        change(&options)
        var lines: [String] = []
        var check = ConfigCheck(options) { _, line in lines.append(line) }
        let status = check.run([directory(file)])
        return (status, lines.map { $0.replacing(directory.path + "/", with: "") })
    }

    @Test("a good file is told to be good, with its rule files, also where the server would refuse it")
    func good() throws {
        try directory.write("p.yml", "rule_files: [r.yml]\nremote_write: [{url: 'http://a/'}]\n")
        try directory.write("r.yml", "groups: [{name: g, rules: [{record: a, expr: b}]}]\n")
        let (status, lines) = check()
        #expect(status == 0)
        #expect(
            lines == [
                "Checking p.yml", "  SUCCESS: 1 rule files found",
                " SUCCESS: p.yml is valid prometheus config file syntax", "", "Checking r.yml",
                "  SUCCESS: 1 rules found", "",
            ])
    }

    @Test("a bad file fails with upstream's words")
    func bad() throws {
        try directory.write("p.yml", "global:\n  nonsense: 1\n")
        let (status, lines) = check()
        #expect(status == 1)
        #expect(
            lines == [
                "Checking p.yml",
                "  FAILED: parsing YAML file p.yml: yaml: unmarshal errors:\n  line 2: field nonsense not found in type "
                    + "config.plain", "",
            ])
    }

    @Test(
        "a rule file that is named and missing is a mistake, a pattern without files is none, syntax alone looks at neither"
    )
    func missingRules() throws {
        try directory.write("p.yml", "rule_files: [nope.yml]\n")
        #expect(check().lines[1] == "  FAILED: \"nope.yml\" does not point to an existing file")
        #expect(check { $0.isSyntaxOnly = true }.status == 0)
        try directory.write("p.yml", "rule_files: ['n*.yml']\n")
        #expect(check().status == 0)
    }

    @Test("files of targets are looked into, missing ones warned of")
    func targetFiles() throws {
        try directory.write(
            "p.yml",
            """
            scrape_configs: [{job_name: b, file_sd_configs: [{files: [x.yml]}]}]
            alerting: {alertmanagers: [{file_sd_configs: [{files: [y.yml]}]}]}
            """)
        let (status, lines) = check()
        #expect(status == 0)
        #expect(lines[1] == "  WARNING: file \"x.yml\" for file_sd in scrape job \"b\" does not exist")
        #expect(lines[2] == "  WARNING: file \"y.yml\" for file_sd in alertmanager config does not exist")
        try directory.write("x.yml", "- targets: ['a/b']\n")
        #expect(check().status == 1)
        #expect(check().lines[1] == "  FAILED: instance 0 in group x.yml:0: \"a/b\" is not a valid hostname")
        try directory.write("x.yml", "- nonsense: 1\n")
        #expect(check().lines[1].hasPrefix("  FAILED: checking SD file \"x.yml\": "))
    }

    @Test("credentials and certificates must be there, unless the syntax alone is looked at")
    func credentials() throws {
        try directory.write("p.yml", "scrape_configs: [{job_name: b, authorization: {credentials_file: t}}]\n")
        let (status, lines) = check()
        #expect(status == 1)
        #expect(
            lines[1]
                == "  FAILED: error checking authorization credentials or bearer token file \"t\": stat t: no such file "
                + "or directory")
        #expect(check { $0.isSyntaxOnly = true }.status == 0)
        try directory.write(
            "p.yml", "scrape_configs: [{job_name: b, tls_config: {cert_file: c, key_file: k}}]\n")
        #expect(check().lines[1].hasPrefix("  FAILED: error checking client cert file \"c\": stat c: "))
    }

    @Test("lint errors are told, and are fatal with status 3 only where that is wanted")
    func lints() throws {
        try directory.write("p.yml", "rule_files: [r.yml]\nscrape_configs: [{job_name: slow, scrape_interval: 10m}]\n")
        try directory.write(
            "r.yml",
            "groups: [{name: g, rules: [{record: a, expr: b, labels: {l: v}}, {record: a, expr: c, labels: {l: v}}]}]\n"
        )
        let standard = check()
        #expect(standard.status == 0)
        #expect(
            standard.lines.suffix(6) == [
                "  FAILED:", "     lint error 1 duplicate rule(s) found.", "Metric: a\nLabel(s):", "\tl: v",
                "Might cause inconsistency while recording expressions", "",
            ])
        #expect(check { $0.isLintFatal = true }.status == 3)
        let none = check { options in
            options.isLintFatal = true
            options.setLints("all,none", lookbackDelta: 300_000)
        }
        #expect(none.status == 0 && none.lines.contains("  SUCCESS: 2 rules found"))
        let interval = check { options in
            options.isLintFatal = true
            options.setLints("too-long-scrape-interval", lookbackDelta: 300_000)
        }
        #expect(interval.status == 3)
        #expect(
            interval.lines.contains(
                "  FAILED: too long scrape interval found, data point will be marked as stale - job: slow, interval: 10m"
            ))
        #expect(check { $0.setLints("all", lookbackDelta: 300_000) }.lines.count == standard.lines.count + 1)
        #expect(check { $0.setLints("foo", lookbackDelta: 1) }.lines.first == "WARNING: unknown lint option foo")
    }

    @Test("unknown fields of rules are errors, unless they shall be ignored; those of the main file always are")
    func unknownFields() throws {
        try directory.write("p.yml", "rule_files: [r.yml]\n")
        try directory.write("r.yml", "groups: [{name: g, odd: 1, rules: [{record: a, expr: b, odder: 2}]}]\n")
        #expect(check().status == 1)
        #expect(check { $0.ignoresUnknownFields = true }.status == 0)
        try directory.write("p.yml", "odd: 1\n")
        #expect(check { $0.ignoresUnknownFields = true }.status == 1)
    }

    @Test("promtool's own files give their exit status")
    func conformance() throws {
        guard let folder = Conformance.folder("rules/promtool_check")?.path else { return }
        var checkedCount = 0
        for entry in try Conformance.cases("rules/promtool_check/index.json")
        where entry["check"] as? String == "config" {
            guard let file = entry["file"] as? String, let status = entry["exit"] as? Int else { continue }
            var lines: [String] = []
            var check = ConfigCheck(ConfigCheck.Options()) { _, line in lines.append(line) }
            #expect(check.run([folder + "/" + file]) == Int32(status), "\(file): \(lines)")
            let cause = entry["error_contains"] as? String ?? ""
            #expect(cause.isEmpty || lines.contains { $0.contains(cause) }, "\(file): \(lines)")
            checkedCount += 1
        }
        #expect(checkedCount > 3)
    }
}
