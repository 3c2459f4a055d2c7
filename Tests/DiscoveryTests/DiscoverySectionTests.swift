import ConfigTree
import Testing

@testable import Discovery

@Suite("Discovery in the configuration")
struct DiscoverySectionTests {
    private func failure(_ text: String) -> String {
        do {
            _ = try section(text)
            return ""
        } catch { return String(describing: error) }
    }

    @Test("Defaults are those of Prometheus, and written out")
    func defaults() throws {
        let all = try section(
            """
            http_sd_configs: [{url: 'http://h/p'}]
            dns_sd_configs: [{names: [_x._tcp.example.org]}]
            docker_sd_configs: [{host: 'unix:///var/run/docker.sock'}]
            consul_sd_configs: [{}]
            kubernetes_sd_configs: [{role: pod}]
            file_sd_configs: [{files: [a.json]}]
            """)
        let text = ConfigOutput.mapping(all.output).yaml
        for line in [
            "refresh_interval: 1m", "type: SRV", "refresh_interval: 30s", "host_networking_host: localhost",
            "match_first_network: true", "port: 80", "server: localhost:8500", "allow_stale: true",
            "tag_separator: \",\"", "role: pod", "own_namespace: false", "- /etc/hearth/a.json",
        ] {
            #expect(text.contains(line), "\(line) in \(text)")
        }
        #expect(all.entries.map(\.mechanism) == ["consul", "dns", "docker", "file", "http", "kubernetes"])
    }

    @Test("What is written out is read as the same")
    func roundTrip() throws {
        let first = try section(
            """
            dns_sd_configs: [{names: [a, b.c], type: mx, port: 25, refresh_interval: 5s}]
            docker_sd_configs:
            - {host: 'tcp://d:2375', port: 9100, match_first_network: false, host_networking_host: x,
               filters: [{name: label, values: [a, b]}]}
            consul_sd_configs:
            - {server: 'c:1', datacenter: d, namespace: n, partition: p, tag_separator: ';', scheme: https,
               allow_stale: false, services: [a], tags: [t], node_meta: {r: '1'}, filter: f, health_filter: g,
               path_prefix: /x, refresh_interval: 1s}
            kubernetes_sd_configs:
            - {role: endpoints, api_server: 'https://k', namespaces: {names: [a]}, attach_metadata: {node: true},
               selectors: [{role: pod, label: 'a=b', field: 'c=d'}], follow_redirects: false}
            """)
        let second = try section(ConfigOutput.mapping(first.output).yaml)
        #expect(first == second)
        #expect(first.hashValue == second.hashValue)
    }

    @Test("Secrets are masked")
    func secrets() throws {
        let text = ConfigOutput.mapping(
            try section(
                """
                consul_sd_configs: [{token: hush1}, {username: u, password: hush2}]
                kubernetes_sd_configs: [{role: pod, api_server: 'https://k', bearer_token: hush3}]
                """
            ).output
        ).yaml
        #expect(!text.contains("hush"))
        #expect(text.contains("<secret>"))
    }

    @Test("Kinds that are not built are refused as not supported, never as unknown keys")
    func unsupported() {
        for kind in DiscoveryKinds.unsupported {
            let words = failure("\(kind)_sd_configs: [{}]")
            #expect(words.contains("\"\(kind)_sd_configs\" is not supported by Hearth yet"), "\(words)")
        }
        #expect(failure("consult_sd_configs: []").contains("field consult_sd_configs not found"))
    }

    @Test(
        "Mistakes are named",
        arguments: [
            ("http_sd_configs: [{}]", "URL is missing"),
            ("http_sd_configs: [{url: invalid}]", "URL scheme must be 'http' or 'https'"),
            ("http_sd_configs: [{url: 'http://'}]", "host is missing in URL"),
            ("http_sd_configs: [{url: 'http://h', nope: 1}]", "field nope not found in type http.plain"),
            ("http_sd_configs: [{url: 'http://h', refresh_interval: 0s}]", "refresh_interval must be positive"),
            ("http_sd_configs: [null]", "empty or null section in http_sd_configs"),
            ("dns_sd_configs: [{}]", "DNS-SD config must contain at least one SRV record name"),
            ("dns_sd_configs: [{names: [a], type: TXT}]", "invalid DNS-SD records type TXT"),
            ("dns_sd_configs: [{names: [a], type: A}]", "a port is required in DNS-SD configs for all record types"),
            ("dns_sd_configs: [{names: ['a..b']}]", "is not a valid domain name"),
            ("docker_sd_configs: [{}]", "host missing"),
            ("docker_sd_configs: [{host: 'npipe://x'}]", "unable to parse docker host"),
            ("docker_sd_configs: [{host: 'tcp://x', port: 99999}]", "invalid port"),
            ("consul_sd_configs: [{server: ' '}]", "consul SD configuration requires a server address"),
            (
                "consul_sd_configs: [{username: a, basic_auth: {username: b}}]",
                "at most one of consul SD configuration username and password and basic auth can be configured"
            ),
            (
                "consul_sd_configs: [{token: a, authorization: {credentials: b}}]",
                "at most one of consul SD token, authorization, or oauth2 can be configured"
            ),
            (
                "kubernetes_sd_configs: [{}]",
                "role missing (one of: pod, service, endpoints, endpointslice, node, ingress)"
            ),
            ("kubernetes_sd_configs: [{role: x}]", "unknown Kubernetes SD role \"x\""),
            (
                "kubernetes_sd_configs: [{role: pod, bearer_token: x}]",
                "to use custom HTTP client configuration please provide the 'api_server' URL explicitly"
            ),
            (
                "kubernetes_sd_configs: [{role: pod, api_server: 'http://k', namespaces: {own_namespace: true}}]",
                "cannot use 'api_server' and 'namespaces.own_namespace' simultaneously"
            ),
            (
                "kubernetes_sd_configs: [{role: pod, selectors: [{role: pod}, {role: pod}]}]",
                "duplicated selector role: pod"
            ),
        ])
    func mistakes(text: String, words: String) {
        #expect(failure(text).contains(words), "\(failure(text))")
    }
}
