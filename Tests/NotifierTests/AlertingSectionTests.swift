import ConfigTree
import Notifier
import Testing

@Suite("The alerting section")
struct AlertingSectionTests {
    @Test("defaults are filled in")
    func defaults() throws {
        let section = try NotifierBench.section("alertmanagers: [{static_configs: [{targets: ['am:9093']}]}]")
        let entry = try #require(section.alertmanagers.first)
        #expect(entry.scheme == "http" && entry.pathPrefix.isEmpty && entry.timeout == 10_000)
        let yaml = try #require(section.output).yaml
        #expect(yaml.contains("api_version: v2") && yaml.contains("timeout: 10s") && yaml.contains("- am:9093"))
    }

    @Test("an absent section says nothing")
    func absent() throws {
        #expect(try AlertingSection(nil, baseDirectory: ".").output == nil)
    }

    @Test("the old version of Alertmanager's API is taken for the new one, with a warning")
    func oldVersion() throws {
        let old = try NotifierBench.section("alertmanagers: [{api_version: v1}]")
        #expect(old.warnings.count == 1)
        #expect(old.output?.yaml.contains("api_version: v2") == true)
        #expect(try NotifierBench.section("alertmanagers: [{api_version: v2}]").warnings.isEmpty)
    }

    @Test(
        "what is wrong is said with its place",
        arguments: [
            (
                "alertmanagers: [{api_version: v3}]",
                "c.yml:1:31: expected Alertmanager api version to be one of [v2] but got v3"
            ),
            ("alert_relabel_configs:\n-", "empty or null alert relabeling rule"),
            ("alertmanagers:\n- relabel_configs:\n  -", "empty or null Alertmanager target relabeling rule"),
            ("alertmanagers: [{sigv4: {}}]", "\"sigv4\" is not supported by Hearth yet"),
            ("alertmanagers: [{eureka_sd_configs: []}]", "\"eureka_sd_configs\" is not supported by Hearth yet"),
            ("alertmanagers: [{targets: []}]", "field targets not found in type config.AlertmanagerConfig"),
            ("alertmanager: []", "field alertmanager not found in type config.AlertingConfig"),
            ("alertmanagers: [{scheme: ftp}]", "scheme must be http or https, got \"ftp\""),
            (
                "alertmanagers: [{static_configs: [{targets: ['http://bad']}]}]",
                "\"http://bad\" is not a valid hostname"
            ),
        ])
    func wrong(yaml: String, expected: String) {
        do {
            _ = try NotifierBench.section(yaml)
            Issue.record("accepted: \(yaml)")
        } catch {
            #expect("\(error)".contains(expected), "\(error)")
        }
    }
}
