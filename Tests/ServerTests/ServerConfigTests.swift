import Foundation
import Notifier
import PromQLSyntax
import Rules
import Scrape
import SeriesModel
import Testing

@testable import Server

@Suite struct ServerConfigTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func load(_ text: String) throws -> ServerConfig {
        try ServerConfig(text: text, path: "test.yml", syntax: ParserOptions())
    }

    @Test("the example of the backend's set-up loads, with its rules and Alertmanager")
    func example() throws {
        let path = Self.root.appending(path: "docs/examples/prometheus.yml").path
        let config = try ServerConfig.load(path: path, syntax: ParserOptions())
        #expect(config.globals.scrapeInterval == 15_000)
        #expect(config.globals.evaluationInterval == 15_000)
        #expect(config.scrapeConfigs.map(\.jobName) == ["backend", "hearth"])
        #expect(config.alerting.alertmanagers.count == 1)
        #expect(config.ruleFiles.flatMap(\.groups).flatMap(\.rules).count == 11)
        #expect(config.yaml.contains("backend:8000"))
    }

    @Test("an empty file is all defaults")
    func empty() throws {
        let config = try Self.load("")
        #expect(config.globals.scrapeInterval == 60_000)
        #expect(config.scrapeConfigs.isEmpty)
    }

    @Test(
        "what is wrong is told with file, line and column",
        arguments: [
            (
                "global:\n  scrape_intervall: 5s\n",
                "test.yml:2:3: field scrape_intervall not found in type config.plain"
            ),
            ("no_such_section: 1\n", "test.yml:1:1: field no_such_section not found in type config.plain"),
            (
                "remote_write:\n  - url: http://a\n",
                "test.yml:1:1: config.plain: \"remote_write\" is not supported by Hearth yet"
            ),
            ("scrape_configs:\n  - job_name: a\n    ec2_sd_configs: []\n", "test.yml:3:5: "),
            ("global: [1\n", "test.yml:"),
            ("global:\n  scrape_interval: 5s\nglobal: {}\n", "already defined"),
            ("rule_files: ['*/a.yml']\n", "test.yml:1:14: invalid rule file path"),
        ])
    func errors(text: String, message: String) {
        do {
            _ = try Self.load(text)
            Issue.record("accepted: \(text)")
        } catch {
            #expect("\(error)".contains(message), "\(error)")
        }
    }

    @Test("the configuration shown keeps no secret")
    func secrets() throws {
        let config = try Self.load(
            "scrape_configs:\n  - job_name: a\n    basic_auth: {username: u, password: hunter2}\n")
        #expect(!config.yaml.contains("hunter2"))
        #expect(config.yaml.contains("<secret>"))
    }
}
