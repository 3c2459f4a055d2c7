import ConfigTree
import OutboundHTTP
import SeriesModel
import TestSupport
import Testing

@testable import Discovery

@Suite("Consul's addresses and instances")
struct ConsulAddressTests {
    private func kind(_ keys: String) throws -> ConsulDiscovery {
        guard let kind = try one(section("consul_sd_configs: [{\(keys)}]").entries).kind as? ConsulDiscovery else {
            throw NotOne()
        }
        return kind
    }

    @Test(
        "An agent's address may be a URL, as Consul's own client takes it",
        arguments: [
            ("server: 'c:8500'", "http://c:8500"),
            ("server: 'c:8500', scheme: https, path_prefix: p/", "https://c:8500/p"),
            ("server: 'https://c:8501'", "https://c:8501"),
            ("server: 'http://c:8500/'", "http://c:8500"),
            ("server: 'http://c:8500', scheme: https", "https://c:8500"),
            ("server: 'http://c:8500/proxy/consul/', path_prefix: /p", "http://c:8500/proxy/consul"),
            ("server: 'http://c:8500', path_prefix: /p", "http://c:8500/p"),
            ("server: 'unix:///run/consul.sock'", "http+unix://%2Frun%2Fconsul.sock"),
        ])
    func endpoints(keys: String, endpoint: String) throws {
        #expect(try kind(keys).endpoint == endpoint)
    }

    @Test("What stands in the configuration is written out as it was")
    func output() throws {
        let text = try kind("server: 'https://c:8501/x'").output.yaml
        #expect(text.contains("server: https://c:8501/x\n"), "\(text)")
        #expect(text.contains("scheme: http\n"))
    }

    @Test(
        "Addresses that no client understands are refused",
        arguments: [
            ("ftp://c", "unknown scheme of server \"ftp://c\", must be http, https or unix"),
            ("https:///x", "host is missing in server \"https:///x\""),
            ("unix://run/c", "a socket needs an absolute path"),
        ])
    func mistakes(server: String, words: String) {
        let error = #expect(throws: (any Error).self) { try kind("server: '\(server)'") }
        #expect(error.map { String(describing: $0).contains(words) } == true, "\(String(describing: error))")
    }

    @Test("An agent behind a socket of this machine is asked there, with the token")
    func socket() async throws {
        let transport = ScriptedTransport { _ in
            ScriptedTransport.json(#"[{"Node":{"Address":"10.0.0.1"},"Service":{"Port":80}}]"#)
        }
        let bench = Bench(transport)
        let keys = "server: 'unix:///c.sock', services: [web], datacenter: d, token: t, proxy_url: 'http://p:1'"
        try await bench.run("consul_sd_configs: [{\(keys)}]") {
            #expect(await eventually { bench.addresses == ["10.0.0.1:80"] })
        }
        let request = try one(transport.requests)
        #expect(request.url.hasPrefix("http+unix://%2Fc.sock/v1/health/service/web?"))
        #expect(request.client.proxy == ProxySection())
        #expect(request.client.headers.map(\.name) == ["X-Consul-Token"])
    }

    private func target(_ text: String) throws -> LabelSet? {
        ConsulTarget.labels(try JSONValue(parsing: Array(text.utf8)), tagSeparator: ",")
    }

    @Test("An instance without any address is a target that has only the port")
    func noAddress() throws {
        let target = try target(#"{"Node":{"Node":"n","Address":""},"Service":{"Port":80}}"#)
        #expect(target?["__address__"] == ":80")
        #expect(try self.target(#"{"Node":{}}"#) == nil)
    }

    @Test(
        "The worst check is the health; maintenance comes first, and a status that nobody knows leaves it out",
        arguments: [
            ("", "passing"), ("passing,warning", "warning"), ("critical,warning", "critical"),
            ("critical,maintenance", "maintenance"), ("passing,unknown", nil), ("maintenance,unknown", nil),
            ("passing,", nil),
        ])
    func health(statuses: String, health: String?) throws {
        let checks = statuses.isEmpty ? [] : statuses.split(separator: ",", omittingEmptySubsequences: false)
        let list = checks.map { status in
            status == "maintenance"
                ? #"{"CheckID":"_service_maintenance:web","Status":"critical"}"# : #"{"Status":"\#(status)"}"#
        }.joined(separator: ",")
        let target = try target(#"{"Node":{"Address":"a"},"Service":{"Port":80},"Checks":[\#(list)]}"#)
        #expect(target?["__meta_consul_health"] == health)
    }
}
