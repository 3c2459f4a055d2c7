import ConfigTree
import OutboundHTTP
import Testing

@testable import RemoteStorage

@Suite("Configuration of remote ends and OTLP")
struct RemoteSectionTests {
    private func node(_ text: String) throws -> ConfigNode { try ConfigNode.parse(text, file: "t.yml") }

    private func write(_ text: String) throws -> [RemoteWriteSection] {
        try RemoteWriteSection.list([node(text)], baseDirectory: "/etc/hearth")
    }

    private func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return ""
        } catch { return "\(error)" }
    }

    @Test("defaults are those of Prometheus")
    func defaults() throws {
        let section = try #require(try write("url: http://a/push").first)
        #expect(section.timeout == 30_000 && section.message == .version1 && !section.client.enablesHTTP2)
        #expect(section.queue == QueueSection() && section.metadata == MetadataSection())
        #expect(section.queue.capacity == 10_000 && section.queue.shardsMax == 50 && section.queue.backoffMin == 30)
        let read = try #require(try RemoteReadSection.list([node("url: http://a/read")], baseDirectory: ".").first)
        #expect(read.timeout == 60_000 && read.chunkedReadLimit == 50_000_000)
        #expect(read.filtersExternalLabels && read.client.enablesHTTP2)
        #expect(try OTLPSection(node("{}"), requiresLegacyNames: false) == OTLPSection())
    }

    @Test("every key is read")
    func keys() throws {
        let section = try #require(
            try write(
                """
                {url: 'http://a/', name: n, remote_timeout: 5s, headers: {X-A: b}, send_exemplars: true,
                send_native_histograms: true, round_robin_dns: true, failed_request_logging: true,
                protobuf_message: io.prometheus.write.v2.Request, enable_http2: true, basic_auth: {username: u,
                password_file: p}, write_relabel_configs: [{action: drop, source_labels: [a], regex: b}],
                queue_config: {capacity: 1, max_shards: 3, min_shards: 2, max_samples_per_send: 4,
                batch_send_deadline: 1s, min_backoff: 1ms, max_backoff: 2ms, retry_on_http_429: true,
                sample_age_limit: 1h}, metadata_config: {send: false, send_interval: 2m, max_samples_per_send: 7}}
                """
            ).first)
        #expect(section.name == "n" && section.headers == [RequestHeader(name: "X-A", value: "b")])
        #expect(section.sendsExemplars && section.sendsNativeHistograms && section.usesRoundRobinDNS)
        #expect(section.message == .version2 && section.client.enablesHTTP2 && section.logsFailedRequests)
        #expect(section.queue.sampleAgeLimit == 3_600_000 && section.queue.retriesOnRateLimit)
        #expect(!section.metadata.isSent && section.metadata.samplesPerSendMax == 7)
        #expect(section.client.basicAuth?.password == .file("/etc/hearth/p"))
        // What is shown is read back as the same.
        #expect(try write(section.output.yaml) == [section])
    }

    @Test(
        "mistakes are told in upstream's words",
        arguments: [
            ("name: a", "url for remote_write is empty"),
            ("{url: 'http://a/', nonsense: 1}", "field nonsense not found in type config.plain"),
            ("{url: '1.2.3.4:80'}", "first path segment in URL cannot contain colon"),
            ("{url: a, headers: {Authorization: b}}", "authorization header must be changed via the basic_auth"),
            ("{url: a, headers: {Host: b}}", "Host is a reserved header. It must not be changed"),
            ("{url: a, queue_config: {capacity: 0}}", "remote write queue capacity must be positive"),
            ("{url: a, queue_config: {min_backoff: 0s}}", "remote write queue min_backoff must be positive"),
            ("{url: a, queue_config: {min_shards: 51}}", "min_shards must not be greater than max_shards"),
            ("{url: a, sigv4: {}, basic_auth: {username: u}}", "Currently configured: [basic_auth sigv4]"),
            ("{url: a, sigv4: {region: b}}", "\"sigv4\" is not supported by Hearth yet"),
            ("{url: a, write_relabel_configs: [null]}", "empty or null relabeling rule in remote write config"),
        ])
    func mistakes(text: String, expected: String) {
        let found = message { _ = try write(text) }
        #expect(found.contains(expected), "\(found)")
    }

    @Test(
        "OTLP's keys fit together",
        arguments: [
            (
                "{promote_all_resource_attributes: true, promote_resource_attributes: [a]}",
                "cannot be configured simultaneously"
            ),
            ("{ignore_resource_attributes: [a]}", "cannot be configured unless"),
            ("{promote_resource_attributes: [a, ' a ']}", "duplicated promoted OTel resource attribute \"a\""),
            ("{promote_resource_attributes: ['']}", "empty promoted OTel resource attribute"),
            ("{translation_strategy: Nonsense}", "unsupported OTLP translation strategy \"Nonsense\""),
            ("{translation_strategy: NoTranslation}", "is not allowed when UTF8 is disabled"),
        ])
    func otlp(text: String, expected: String) {
        let found = message { _ = try OTLPSection(node(text), requiresLegacyNames: true) }
        #expect(found.contains(expected), "\(found)")
    }
}
