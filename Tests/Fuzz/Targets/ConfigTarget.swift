import ConfigTree
import PromQLSyntax
import Server
import TestSupport

extension FuzzTarget {
    /// Whole configuration files, and how they are shown.
    static let config = FuzzTarget(
        name: "config",
        seeds: {
            ConfigTarget.own.map { Array($0.utf8) }
                + SeedFiles.all(in: "config/testdata") { $0.hasSuffix(".yml") && !$0.contains("rules") }
        }, words: ConfigTarget.words, generate: { random in ConfigTarget.config(&random) },
        makeRun: { ConfigTarget.run })
}

private enum ConfigTarget {
    /// Nothing is there: what a file names is looked for in vain.
    private static let path = "/nonexistent/fuzz/prometheus.yml"

    static func run(_ input: [UInt8]) throws -> Bool {
        let text = String(decoding: input, as: UTF8.self)
        let config: ServerConfig
        do {
            config = try ServerConfig(text: text, path: path, syntax: ParserOptions(features: []))
        } catch {
            if "\(error)".isEmpty { throw FuzzFinding("an error without a word") }
            return false
        }
        let shown = config.yaml
        do {
            _ = try ConfigNode.parse(shown, file: "shown")
        } catch {
            throw FuzzFinding("what is shown is no YAML: \(error): \(shown)")
        }
        return true
    }

    static let own = [
        """
        global: {scrape_interval: 15s, scrape_timeout: 10s, external_labels: {dc: a}}
        scrape_configs:
          - job_name: a
            static_configs: [{targets: ['h:1', 'h:2'], labels: {x: 'y'}}]
            relabel_configs: [{source_labels: [__address__], target_label: host}]
          - job_name: b
            scheme: https
            basic_auth: {username: u, password: p}
            params: {m: [x, z]}
            body_size_limit: 1MB
            file_sd_configs: [{files: ['*.json']}]

        """,
        """
        alerting:
          alertmanagers:
            - static_configs: [{targets: ['am:9093']}]
              path_prefix: /x
          alert_relabel_configs: [{regex: replica, action: labeldrop}]
        storage:
          tsdb: {out_of_order_time_window: 30m}

        """,
    ]

    static let words = [
        "global:\n", "scrape_configs:\n", "  - job_name: a\n", "alerting:\n", "storage:\n", "    static_configs:\n",
        "      - targets: ['h:1']\n", "scrape_interval: ", "scrape_timeout: ", "15s", "1m", "0", "-1", "1h30m",
        "honor_labels: true\n", "params: ", "scheme: https\n", "metrics_path: /m\n", "basic_auth: ",
        "bearer_token: x\n",
        "tls_config: ", "relabel_configs: ", "metric_relabel_configs: ", "sample_limit: ", "body_size_limit: ", "1MB",
        "scrape_protocols: [PrometheusText0.0.4]\n", "external_labels: ", "\n", "  ", "- ", ": ", "{", "}", "[", "]",
        ",",
        "'", "\"", "&a ", "*a", "<<: *a", "~", "|\n", ">\n", "# ", "---\n", "!!str ", "$HOME", "${X}", "\u{e9}", "\0",
        "\t",
        "<secret>",
    ]

    static func config(_ random: inout SeededRandom) -> [UInt8] {
        var text = "global: {scrape_interval: \(1 + random.below(60))s, scrape_timeout: 1s}\nscrape_configs:\n"
        for job in 0..<1 + random.below(4) {
            text += "- job_name: j\(job)\n"
            let keys = [
                "  honor_labels: true\n", "  params: {a: ['1', \"x\"], b: []}\n", "  sample_limit: 5\n",
                "  metrics_path: '/m?x'\n",
                "  static_configs: [{targets: [h, 'h:1'], labels: {\(random.pick(["a", "é"])): b}}]\n",
                "  authorization: {type: T, credentials: c}\n",
                "  relabel_configs: [{target_label: x, replacement: \"\\n$1\"}]\n",
            ]
            for key in keys where random.chance(40) { text += key }
        }
        return Array(text.utf8)
    }
}
