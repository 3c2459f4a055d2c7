import SeriesModel
import Testing

@testable import Scrape

@Suite("Targets from discovered labels")
struct TargetFactoryTests {
    private func target(_ config: String, _ labels: LabelSet, group: LabelSet = .empty) throws -> Target? {
        switch try TargetFactory(config: job(config)).make(labels, group: group) {
        case .target(let target): target
        case .dropped: nil
        }
    }

    @Test("Labels, URL and timing come from the job, the group and the target, in rising order")
    func defaults() throws {
        let made = try #require(
            try target(
                "{job_name: api, scrape_interval: 30s, scrape_timeout: 5s}",
                ["__address__": "host:8000", "zone": "a"], group: ["zone": "b", "team": "x", "__meta_y": "z"]))
        #expect(made.labels == ["instance": "host:8000", "job": "api", "team": "x", "zone": "a"])
        #expect(made.url == "http://host:8000/metrics")
        #expect(made.interval == 30_000)
        #expect(made.timeout == 5000)
        #expect(
            made.discoveredLabels
                == [
                    "__address__": "host:8000", "__meta_y": "z", "__metrics_path__": "/metrics", "__scheme__": "http",
                    "__scrape_interval__": "30s", "__scrape_timeout__": "5s", "job": "api", "team": "x", "zone": "a",
                ])
    }

    @Test("Parameters are sorted, escaped, and replaced by __param_ labels")
    func parameters() throws {
        let made = try target(
            """
            job_name: probe
            metrics_path: /a b
            params: {target: [first, "second&"], module: [http]}
            relabel_configs:
            - {source_labels: [__address__], target_label: __param_target}
            - {target_label: __address__, replacement: "prober:9115"}
            """, ["__address__": "https://example.org/?q=1"])
        #expect(
            made?.url
                == "http://prober:9115/a%20b?module=http&target=https%3A%2F%2Fexample.org%2F%3Fq%3D1&target=second%26")
        #expect(made?.labels == ["instance": "prober:9115", "job": "probe"])
    }

    @Test("A socket of this machine stands in for the address, which stays in the URL; it tells targets apart")
    func unixSocket() throws {
        let config = "{job_name: j, relabel_configs: [{source_labels: [__meta_path], target_label: __unix_socket__}]}"
        let first = try #require(try target(config, ["__address__": "app:80", "__meta_path": "/run/A.sock"]))
        let second = try #require(try target(config, ["__address__": "app:80", "__meta_path": "/run/b.sock"]))
        #expect(first.unixSocket == "/run/A.sock" && second.unixSocket == "/run/b.sock")
        #expect(first.url == "http://app:80/metrics" && first.url == second.url)
        #expect(first.labels == ["instance": "app:80", "job": "j"] && first.identity != second.identity)
        let plain = try target(config, ["__address__": "app:80"])
        #expect(plain?.unixSocket == nil)
        #expect(throws: TargetError(description: "__unix_socket__ \"run/b\" is not an absolute path")) {
            try target(config, ["__address__": "app:80", "__meta_path": "run/b"])
        }
    }

    @Test("Relabelling sets scheme, path, interval and timeout, and may drop a target")
    func relabelling() throws {
        let config = """
            job_name: j
            relabel_configs:
            - {source_labels: [__address__], regex: "bad:.*", action: drop}
            - {target_label: __scheme__, replacement: https}
            - {target_label: __metrics_path__, replacement: m}
            - {target_label: __scrape_interval__, replacement: 5s}
            - {target_label: __scrape_timeout__, replacement: 2s}
            - {target_label: instance, replacement: mine}
            """
        let made = try target(config, ["__address__": "h:1"])
        #expect(made?.url == "https://h:1/m")
        #expect(made?.interval == 5000)
        #expect(made?.timeout == 2000)
        #expect(made?.labels == ["instance": "mine", "job": "j"])
        #expect(try target(config, ["__address__": "bad:1"]) == nil)
    }

    @Test(
        "What makes no target is an error that says why",
        arguments: [
            ("{target_label: __address__, replacement: \"\"}", "no address"),
            ("{target_label: __address__, replacement: \"a/b\"}", #""a/b" is not a valid hostname"#),
            ("{target_label: __scrape_interval__, replacement: \"0\"}", "scrape interval cannot be 0"),
            ("{target_label: __scrape_timeout__, replacement: \"0\"}", "scrape timeout cannot be 0"),
            (
                "{target_label: __scrape_timeout__, replacement: \"2h\"}",
                #"scrape timeout cannot be greater than scrape interval ("2h" > "1m")"#
            ),
            (
                "{target_label: __scrape_interval__, replacement: x}",
                #"error parsing scrape interval: not a valid duration string: "x""#
            ),
        ])
    func errors(rule: String, message: String) throws {
        let factory = TargetFactory(config: try job("{job_name: j, relabel_configs: [\(rule)]}"))
        #expect(throws: TargetError(description: message)) {
            _ = try factory.make(["__address__": "h:1"], group: .empty)
        }
    }

    @Test("Loopback names are replaced for those who look from elsewhere")
    func globalURLs() {
        let address = ExternalAddress(scheme: "https", host: "mon.example", port: "", listenPort: 9090)
        #expect(address.globalURL("http://localhost:9090/metrics") == "https://mon.example/metrics")
        #expect(address.globalURL("http://127.0.0.1:8000/m?x=1") == "http://mon.example:8000/m?x=1")
        #expect(address.globalURL("http://[::1]:8000/m") == "http://mon.example:8000/m")
        #expect(address.globalURL("http://backend:8000/m") == "http://backend:8000/m")
    }
}
