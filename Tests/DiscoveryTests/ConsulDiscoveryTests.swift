import ConfigTree
import OutboundHTTP
import SeriesModel
import Synchronization
import TestSupport
import Testing

@testable import Discovery

@Suite("Consul discovery")
struct ConsulDiscoveryTests {
    private static let web = """
        [{"Node":{"Node":"n1","Address":"10.0.0.1","Meta":{"rack-1":"r"},"TaggedAddresses":{"lan":"10.0.0.1"}},
          "Service":{"ID":"web1","Service":"web","Address":"","Port":80,"Tags":["a","b"],"Meta":{"v":"1"},
                     "Namespace":"ns","Partition":"pt"},
          "Checks":[{"CheckID":"x","Status":"passing"},{"CheckID":"y","Status":"warning"}]},
         {"Node":{"Node":"n2","Address":"10.0.0.2"},"Service":{"ID":"web2","Address":"fd00::1","Port":81,"Tags":null},
          "Checks":[{"CheckID":"_node_maintenance","Status":"critical"}]}]
        """

    @Test("Services of the catalog are watched while they are there, with all their labels")
    func catalog() async throws {
        let agent = FakeAgent()
        agent.set(catalog: #"{"web":["a","b"],"db":[]}"#, services: ["web": Self.web])
        let clock = ManualClock(now: 0)
        let bench = Bench(agent.transport, clock: clock)
        try await bench.run("consul_sd_configs: [{server: 'c:8500'}]") {
            #expect(await eventually { bench.addresses == ["10.0.0.1:80", "[fd00::1]:81"] })
            #expect(
                bench.targets.first == [
                    "__address__": "10.0.0.1:80", "__meta_consul_address": "10.0.0.1", "__meta_consul_dc": "dc1",
                    "__meta_consul_health": "warning", "__meta_consul_metadata_rack_1": "r",
                    "__meta_consul_namespace": "ns", "__meta_consul_node": "n1", "__meta_consul_partition": "pt",
                    "__meta_consul_service": "web", "__meta_consul_service_id": "web1",
                    "__meta_consul_service_metadata_v": "1", "__meta_consul_service_port": "80",
                    "__meta_consul_tagged_address_lan": "10.0.0.1", "__meta_consul_tags": ",a,b,",
                ])
            #expect(bench.targets.last?["__meta_consul_health"] == "maintenance")
            #expect(bench.targets.last?["__meta_consul_service_address"] == "fd00::1")
            #expect(bench.feed.groups.map(\.source) == ["web"])
            // Three watches have asked, and wait out their interval; then they hang at the agent.
            #expect(await eventually { clock.sleeperCount == 3 })
            clock.advance(by: 30_000)
            #expect(await eventually { clock.sleeperCount == 0 })
            agent.set(catalog: #"{"db":[]}"#, services: [:])
            #expect(await eventually { bench.addresses.isEmpty })
            #expect(bench.metrics.contains("prometheus_sd_consul_rpc_failures_total 0\n"))
            #expect(
                bench.metrics.contains(
                    #"prometheus_sd_consul_rpc_duration_seconds_count{endpoint="catalog",call="services"} "#))
        }
    }

    @Test("Only named services are asked for, with all that the configuration says")
    func parameters() async throws {
        let agent = FakeAgent()
        agent.set(catalog: "{}", services: ["web": Self.web])
        let transport = agent.transport
        let bench = Bench(transport)
        let text = """
            consul_sd_configs:
            - {server: 'c:1', scheme: https, path_prefix: /p/, services: [web], datacenter: d, namespace: n,
               partition: q, token: t, health_filter: 'a == b', node_meta: {k: v}, tag_separator: ';'}
            """
        try await bench.run(text) { #expect(await eventually { bench.addresses.count == 2 }) }
        let request = try one(transport.requests)
        #expect(
            request.url == "https://c:1/p/v1/health/service/web?filter=a%20%3D%3D%20b&index=0&wait=120s&dc=d&ns=n"
                + "&partition=q&stale=&node-meta=k%3Av")
        #expect(request.client.headers.contains { $0.name == "X-Consul-Token" && $0.secrets.map(\.text) == ["t"] })
        #expect(bench.targets.first?["__meta_consul_tags"] == ";a;b;")
    }

    @Test("Services without all wanted tags are left alone")
    func tags() async throws {
        let agent = FakeAgent()
        agent.set(catalog: #"{"web":["a","b"],"db":["a"]}"#, services: ["web": Self.web, "db": Self.web])
        let transport = agent.transport
        let bench = Bench(transport)
        try await bench.run("consul_sd_configs: [{tags: [a, b], datacenter: d}]") {
            #expect(await eventually { bench.feed.groups.map(\.source) == ["web"] })
        }
        #expect(transport.requests.contains { $0.url.contains("/v1/health/service/web?tag=a&tag=b&") })
        #expect(!transport.requests.contains { $0.url.contains("/db") })
    }

    @Test("A failure keeps the targets, is counted, and is tried again after a while")
    func failure() async throws {
        let agent = FakeAgent()
        agent.set(catalog: #"{"web":[]}"#, services: ["web": Self.web])
        let clock = ManualClock(now: 0)
        let bench = Bench(agent.transport, clock: clock)
        try await bench.run("consul_sd_configs: [{refresh_interval: 1s, datacenter: d, services: [web]}]") {
            #expect(await eventually { bench.addresses.count == 2 && clock.sleeperCount == 1 })
            agent.fail(500)
            clock.advance(by: 1000)
            #expect(await eventually { bench.failureCount == 1 && clock.sleeperCount == 1 })
            #expect(bench.metrics.contains("prometheus_sd_consul_rpc_failures_total 1\n"))
            #expect(bench.addresses.count == 2)
            agent.fail(nil)
            agent.set(catalog: #"{"web":[]}"#, services: [:])
            clock.advance(by: 15_000)
            #expect(await eventually { bench.addresses.isEmpty })
        }
    }
}
