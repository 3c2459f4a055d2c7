import ConfigTree
import Discovery
import Exposition
import OutboundHTTP
import SeriesModel
import Testing

@testable import Scrape

@Suite("Scrape configuration")
struct ScrapeConfigTests {
    private func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return ""
        } catch { return String(describing: error) }
    }

    @Test("Defaults are those of Prometheus")
    func defaults() throws {
        let globals = try ScrapeGlobals(nil, baseDirectory: ".")
        #expect(globals.scrapeInterval == 60_000)
        #expect(globals.scrapeTimeout == 10_000)
        #expect(globals.evaluationInterval == 60_000)
        let config = try job("job_name: j")
        #expect(config.metricsPath == "/metrics")
        #expect(config.scheme == .http)
        #expect(config.honorsTimestamps && !config.honorsLabels && config.enablesCompression)
        #expect(config.client.followsRedirects && config.client.enablesHTTP2)
    }

    @Test("A timeout above the interval is an error where it is said, and cut where it is not")
    func timeouts() throws {
        #expect(
            message { _ = try job("{job_name: j, scrape_interval: 5s, scrape_timeout: 6s}") }.contains(
                "scrape timeout greater than scrape interval for scrape config with job name \"j\""))
        #expect(
            message { _ = try job("job_name: j", globals: "{scrape_interval: 5s, scrape_timeout: 6s}") }.contains(
                "global scrape timeout greater than scrape interval"))
        #expect(try job("{job_name: j, scrape_interval: 5s}").scrapeTimeout == 5000)
        #expect(try job("job_name: j", globals: "{scrape_interval: 3s}").scrapeTimeout == 3000)
        #expect(try job("job_name: j", globals: "{scrape_timeout: 1h, scrape_interval: 1h}").scrapeTimeout == 3_600_000)
    }

    @Test("External labels take variables from the environment, and nothing else does")
    func externalLabels() throws {
        let node = try yaml(
            #"{external_labels: {a: "x-$HOST-${HOST}", b: "$$", c: "$MISSING", d: "a${b$.c", e: "$$HOST"}}"#)
        let globals = try ScrapeGlobals(node, baseDirectory: ".") { $0 == "HOST" ? "h1" : nil }
        #expect(globals.externalLabels == ["a": "x-h1-h1", "b": "$", "d": "ab$.c", "e": "$HOST"])
        #expect(globals.warnings.count == 1)
        #expect(try job("{job_name: $HOST}").jobName == "$HOST")
    }

    @Test(
        "Mistakes are reported with their place",
        arguments: [
            ("{job_name: j, nonsense: 1}", "test.yml:1:15: field nonsense not found in type config.ScrapeConfig"),
            ("{scheme: http}", "job_name is empty"),
            ("{job_name: j, scheme: ftp}", "unknown scheme \"ftp\""),
            ("{job_name: j, scrape_protocols: [nope]}", "scrape_protocols: unknown scrape protocol nope, supported: ["),
            (
                "{job_name: j, scrape_protocols: [PrometheusText0.0.4, PrometheusText0.0.4]}",
                "duplicated protocol in scrape_protocols, got [PrometheusText0.0.4 PrometheusText0.0.4]"
            ),
            ("{job_name: j, static_configs: [{targets: [\"http://bad\"]}]}", "\"http://bad\" is not a valid hostname"),
            ("{job_name: j, static_configs: [null]}", "empty or null section in static_configs"),
            ("{job_name: j, relabel_configs: [null]}", "empty or null target relabeling rule"),
            ("{job_name: j, metric_relabel_configs: [null]}", "empty or null metric relabeling rule"),
            ("{job_name: j, body_size_limit: 100}", "units: unknown unit  in 100"),
            (
                "{job_name: j, bearer_token: a, basic_auth: {username: u}}",
                "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured"
            ),
            (
                "{job_name: j, authorization: {credentials: a}, basic_auth: {username: u}}",
                "at most one of basic_auth, oauth2 & authorization must be configured"
            ),
            (
                "{job_name: j, bearer_token: a, bearer_token_file: f}",
                "at most one of bearer_token & bearer_token_file must be configured"
            ),
            (
                "{job_name: j, metric_name_validation_scheme: legacy, metric_name_escaping_scheme: allow-utf-8}",
                "utf8 metric names requested but validation scheme is not set to UTF8"
            ),
            ("{job_name: j, file_sd_configs: [{files: [a.txt]}]}", "is not valid for file discovery"),
        ])
    func mistakes(text: String, expected: String) {
        let found = message { _ = try job(text) }
        #expect(found.contains(expected), "\(found)")
        #expect(found.hasPrefix("test.yml:"))
    }

    @Test(
        "What Prometheus knows and Hearth does not serve yet is refused with just these words",
        arguments: [
            "ec2_sd_configs: []", "azure_sd_configs: [{nonsense: 1}]", "proxy_url: 'https://x'",
        ])
    func unsupported(key: String) {
        #expect(message { _ = try job("{job_name: j, \(key)}") }.contains("is not supported by Hearth yet"))
    }

    @Test("Where native histograms are wanted, the one format that has them is asked for first")
    func histograms() throws {
        let native = try job(
            """
            {job_name: j, convert_classic_histograms_to_nhcb: true, native_histogram_bucket_limit: 5,
            native_histogram_min_bucket_factor: 1.1}
            """, globals: "{scrape_native_histograms: true}")
        #expect(native.scrapeProtocols.first == .protobuf)
        #expect(native.histograms.bucketLimit == 5 && native.histograms.minBucketFactor == 1.1)
        #expect(native.histograms.scrapesNative && native.histograms.convertsClassic)
        #expect(try job("{job_name: j}").scrapeProtocols == ExpositionFormat.standard)
        #expect(try job("{job_name: j, scrape_native_histograms: true}").scrapeProtocols.first == .protobuf)
    }

    @Test("A job without limits of its own has those of global, and 0 is none of its own")
    func inheritedLimits() throws {
        let globals =
            "{sample_limit: 7, body_size_limit: 1MB, scrape_failure_log_file: f.log, extra_scrape_metrics: true}"
        let config = try job("{job_name: j, sample_limit: 0}", globals: globals)
        #expect(config.limits.samples == 7 && config.limits.bodyBytes == 1 << 20)
        #expect(config.failureLogFile == "/etc/hearth/f.log" && config.addsExtraMetrics)
        let own = try job(
            "{job_name: j, sample_limit: 9, scrape_failure_log_file: /x, extra_scrape_metrics: false}", globals: globals
        )
        #expect(own.limits.samples == 9 && own.failureLogFile == "/x" && !own.addsExtraMetrics)
    }

    @Test("Escaping follows the validation, unless it is said")
    func escaping() throws {
        let legacy = "{metric_name_validation_scheme: legacy, metric_name_escaping_scheme: dots}"
        #expect(try job("job_name: j", globals: legacy).nameEscaping == .dots)
        #expect(
            try job("{job_name: j, metric_name_validation_scheme: utf8}", globals: legacy).nameEscaping == .allowUTF8)
        #expect(try job("{job_name: j, metric_name_validation_scheme: legacy}").nameEscaping == .underscores)
        #expect(try job("{job_name: j, metric_name_escaping_scheme: values}", globals: legacy).nameEscaping == .values)
    }

    @Test("A job name may occur once only")
    func duplicateJobs() throws {
        let nodes = [try yaml("job_name: a"), try yaml("job_name: a")]
        #expect(
            message { _ = try ScrapeConfig.parseAll(nodes, globals: ScrapeGlobals(), baseDirectory: ".") }.contains(
                "found multiple scrape configs with job name \"a\""))
        #expect(
            message {
                _ = try ScrapeConfig.parseAll([yaml("")], globals: ScrapeGlobals(), baseDirectory: ".")
            }.contains("empty or null scrape config section"))
    }

    @Test("Relative files are relative to the configuration")
    func relativeFiles() throws {
        let config = try job(
            """
            job_name: j
            file_sd_configs: [{files: [sub/*.yml, /abs/t.json]}]
            basic_auth: {username: u, password_file: pw}
            """)
        #expect(config.discovery.filePatterns == ["/etc/hearth/sub/*.yml", "/abs/t.json"])
        #expect(config.client.basicAuth?.password == .file("/etc/hearth/pw"))
    }

    @Test("The rendering reads back as the same job, with defaults in it and secrets out of it")
    func rendering() throws {
        let text = """
            job_name: "yes"
            scrape_interval: 30s
            params: {q: ["a: b", "1"]}
            sample_limit: 7
            body_size_limit: 10MB
            authorization: {credentials: top-secret}
            static_configs: [{targets: ["h:1", "h:2"], labels: {a: "#x"}}]
            relabel_configs: [{source_labels: [a], target_label: b}]
            """
        let config = try job(text)
        let rendered = config.output.yaml
        #expect(!rendered.contains("top-secret"))
        #expect(rendered.contains("credentials: <secret>"))
        #expect(rendered.contains("scrape_timeout: 10s"))
        #expect(!String(reflecting: config).contains("top-secret"))
        var again = try job(rendered)
        again.client = config.client
        #expect(again == config)
    }

    @Test("The Accept header follows the protocols and the escaping")
    func accept() throws {
        let config = try job("job_name: j")
        #expect(
            ExpositionFormat.acceptHeader(config.scrapeProtocols, escaping: config.nameEscaping)
                == "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                + "application/openmetrics-text;version=0.0.1;q=0.5,"
                + "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2")
        #expect(
            ExpositionFormat.acceptHeader([.text100], escaping: .underscores).contains("escaping=underscores;q="))
    }
}
