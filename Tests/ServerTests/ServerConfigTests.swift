import Foundation
import Notifier
import OutboundHTTP
import PromQLSyntax
import Rules
import Scrape
import SeriesModel
import TestSupport
import Testing

@testable import Server

@Suite("The configuration file")
struct ServerConfigTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func load(_ text: String) throws -> ServerConfig {
        try ServerConfig(text: text, path: "test.yml", syntax: ParserOptions())
    }

    private static func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return ""
        } catch { return "\(error)" }
    }

    @Test("the example of the backend's set-up loads, with its rules and Alertmanager")
    func example() throws {
        let path = Self.root.appending(path: "docs/examples/prometheus.yml").path
        let config = try ServerConfig.loadServed(path: path, syntax: ParserOptions())
        #expect(config.globals.scrapeInterval == 15_000)
        #expect(config.globals.evaluationInterval == 15_000)
        #expect(config.scrapeConfigs.map(\.jobName) == ["backend", "hearth"])
        #expect(config.alerting.alertmanagers.count == 1)
        #expect(config.ruleFiles.flatMap(\.groups).flatMap(\.rules).count == 11)
        #expect(config.yaml.contains("backend:8000"))
    }

    @Test(
        "an empty file is all defaults",
        arguments: ["", "global:\n", "global: {}\nscrape_configs: []\notlp: {}\nremote_write: []\n"])
    func empty(text: String) throws {
        let config = try Self.load(text)
        #expect(config.globals.scrapeInterval == 60_000)
        #expect(config.scrapeConfigs.isEmpty)
        #expect(config.unserved.isEmpty)
    }

    @Test(
        "mistakes are told in upstream's words, with their place",
        arguments: [
            (
                "global:\n  scrape_intervall: 5s\n",
                "parsing YAML file test.yml: yaml: unmarshal errors:\n  line 2: field scrape_intervall not found in "
                    + "type config.plain"
            ),
            (
                "no_such_section: 1\n",
                "parsing YAML file test.yml: yaml: unmarshal errors:\n  line 1: field no_such_section not found in "
                    + "type config.plain"
            ),
            (
                "global:\n  scrape_interval: 5s\nglobal: {}\n",
                "parsing YAML file test.yml: yaml: unmarshal errors:\n  line 3: field global already set in type "
                    + "config.plain"
            ),
            (
                "global: {external_labels: {a: b, a: c}}\n",
                "parsing YAML file test.yml: yaml: unmarshal errors:\n  line 1: key \"a\" already set in map"
            ),
            ("global: [1\n", "parsing YAML file test.yml: yaml: line "),
            (
                "rule_files: ['*/a.yml']\n",
                "parsing YAML file test.yml: invalid rule file path \"*/a.yml\" (line 1, column 14)"
            ),
            (
                "scrape_config_files: ['*/a.yml']\n",
                "parsing YAML file test.yml: invalid scrape config file path \"*/a.yml\""
            ),
            (
                "scrape_configs:\n  - job_name: a\n    ec2_sd_configs: []\n",
                "\"ec2_sd_configs\" is not supported by Hearth yet"
            ),
            (
                "scrape_configs:\n- {job_name: a, honor_labels: maybe}\n",
                "line 2: cannot unmarshal !!str `maybe` into bool"
            ),
            ("runtime: {gogc: 5, x: 1}\n", "field x not found in type config.RuntimeConfig"),
        ])
    func errors(text: String, message: String) {
        let found = Self.message { _ = try Self.load(text) }
        #expect(found.contains(message), "\(found)")
    }

    @Test(
        "what the server does nothing about yet is read in full, and refused by the server alone",
        arguments: [
            ("remote_read: [{url: 'http://u:pw@a/read'}]\n", "\"remote_read\""),
            ("tracing: {endpoint: 'localhost:4317'}\n", "\"tracing\""),
            ("otlp: {promote_resource_attributes: [a]}\n", "\"otlp\""),
        ])
    func unserved(text: String, subject: String) throws {
        let directory = try TemporaryDirectory()
        try directory.write("p.yml", text)
        let config = try ServerConfig.load(path: directory("p.yml"), syntax: ParserOptions())
        #expect(config.unserved.count == 1)
        #expect(!config.yaml.contains("pw"))
        // What is shown is read back as the same.
        #expect(
            try ServerConfig(text: config.yaml, path: directory("p.yml"), syntax: ParserOptions()).yaml == config.yaml)
        let refusal = Self.message {
            _ = try ServerConfig.loadServed(path: directory("p.yml"), syntax: ParserOptions())
        }
        #expect(refusal.contains("\(subject) is not supported by Hearth yet"), "\(refusal)")
        #expect(refusal.contains("p.yml:1:"))
    }

    @Test("remote write is served, and its entries must differ in more than secrets")
    func remoteWrite() throws {
        let directory = try TemporaryDirectory()
        func load(_ entries: String) throws -> ServerConfig {
            try directory.write("p.yml", "remote_write: [\(entries)]\n")
            return try ServerConfig.loadServed(path: directory("p.yml"), syntax: ParserOptions())
        }
        #expect(try load("{url: 'http://a/'}, {url: 'http://a/', name: b}").remoteWrites.count == 2)
        let same = "{url: 'http://a/', bearer_token: x}, {url: 'http://a/', bearer_token: y}"
        #expect(
            Self.message { _ = try load(same) }
                == "duplicate remote write configs are not allowed, found duplicate for URL: http://a/")
    }

    @Test("the configuration shown keeps no secret, and reads back with its masks")
    func secrets() throws {
        let config = try Self.load(
            """
            scrape_configs:
              - job_name: a
                basic_auth: {username: u, password: hunter2}
                proxy_url: http://u:hunter2@proxy:3128
                proxy_connect_header: {X-Key: [hunter2]}
                http_headers: {X-Token: {secrets: [hunter2], values: [open]}}
                tls_config: {cert: public, key: hunter2, server_name: s, min_version: TLS12}
              - job_name: b
                oauth2: {client_id: i, client_secret: hunter2, token_url: 'http://t/', endpoint_params: {a: b}}
            remote_write:
              - url: http://u:hunter2@a/
                bearer_token: hunter2
                write_relabel_configs: [{action: drop, source_labels: [a], regex: b}]
                queue_config: {capacity: 5}
            """)
        #expect(!config.yaml.contains("hunter2"))
        #expect(config.yaml.contains("<secret>"))
        #expect(config.yaml.contains("http://u:xxxxx@proxy:3128"))
        #expect(try Self.load(config.yaml).yaml == config.yaml)
    }

    @Test("further files have their own base directory, and mistakes in them name them")
    func scrapeConfigFiles() throws {
        let directory = try TemporaryDirectory()
        try makeDirectory(directory("jobs"))
        try directory.write("p.yml", "scrape_config_files: [jobs/*.yml]\nscrape_configs: [{job_name: main}]\n")
        try directory.write(
            "jobs/one.yml", "scrape_configs: [{job_name: one, bearer_token_file: token, scrape_interval: 7s}]\n")
        let config = try ServerConfig.load(path: directory("p.yml"), syntax: ParserOptions())
        #expect(config.scrapeConfigs.map(\.jobName) == ["main", "one"])
        #expect(config.scrapeConfigs.last?.client.authorization?.credentials == .file(directory("jobs/token")))
        // As upstream: the main file's jobs and the patterns are shown.
        #expect(config.yaml.contains("jobs/*.yml") && !config.yaml.contains("job_name: one"))
        try directory.write("jobs/two.yml", "scrape_configs: [{job_name: one}]\n")
        #expect(
            Self.message { _ = try ServerConfig.load(path: directory("p.yml"), syntax: ParserOptions()) }.hasPrefix(
                "\"\(directory("jobs/two.yml"))\": found multiple scrape configs with job name \"one\", first found in "
                    + "\"\(directory("jobs/one.yml"))\""))
        try directory.write("jobs/two.yml", "global: {}\n")
        #expect(
            Self.message { _ = try ServerConfig.load(path: directory("p.yml"), syntax: ParserOptions()) }
                == "\"\(directory("jobs/two.yml"))\": yaml: unmarshal errors:\n  line 1: field global not found in type "
                + "config.ScrapeConfigs")
    }

    @Test("a fingerprint changes with the files that are named, and with nothing else")
    func fingerprint() throws {
        let directory = try TemporaryDirectory()
        try directory.write("p.yml", "rule_files: [r*.yml]\nscrape_config_files: [s.yml]\n")
        let first = try ConfigFingerprint.of(directory("p.yml"))
        try directory.write("other.yml", "x")
        #expect(try ConfigFingerprint.of(directory("p.yml")) == first)
        try directory.write("r1.yml", "groups: []\n")
        let second = try ConfigFingerprint.of(directory("p.yml"))
        #expect(second != first)
        try directory.write("r1.yml", "groups: [ ]\n")
        #expect(try ConfigFingerprint.of(directory("p.yml")) != second)
        try directory.write("s.yml", "")
        #expect(try ConfigFingerprint.of(directory("p.yml")).count == second.count + 2)
    }
}

private func makeDirectory(_ path: String) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
}
