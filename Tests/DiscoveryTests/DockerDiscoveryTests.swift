import NIOPosix
import OutboundHTTP
import SeriesModel
import Synchronization
import TestSupport
import Testing

@testable import Discovery

@Suite("Docker discovery")
struct DockerDiscoveryTests {
    private static let networks = """
        [{"Id":"n1","Name":"front","Scope":"local","Internal":false,"Ingress":false,"Labels":{"a.b":"c"}},
         {"Id":"n2","Name":"back","Scope":"local","Internal":true,"Ingress":false,"Labels":null}]
        """

    private static let containers = """
        [{"Id":"c1","Names":["/web"],"Labels":{"com.x/y":"z"},"HostConfig":{"NetworkMode":"front"},
          "Ports":[{"IP":"0.0.0.0","PrivatePort":80,"PublicPort":8080,"Type":"tcp"},
                   {"PrivatePort":443,"Type":"tcp"},{"PrivatePort":53,"Type":"udp"}],
          "NetworkSettings":{"Networks":{"front":{"IPAddress":"172.1.0.2","NetworkID":"n1"},
                                          "back":{"IPAddress":"172.2.0.2","NetworkID":"n2"}}}},
         {"Id":"c2","Names":["/sidecar"],"HostConfig":{"NetworkMode":"container:c1"},"Ports":[],
          "NetworkSettings":{"Networks":{}}},
         {"Id":"c3","Names":["/host"],"HostConfig":{"NetworkMode":"host"},"Ports":[],
          "NetworkSettings":{"Networks":{"host":{"IPAddress":"","NetworkID":"n9"}}}},
         {"Id":"c4","Names":["/ring"],"HostConfig":{"NetworkMode":"container:c5"},"NetworkSettings":{"Networks":{}}},
         {"Id":"c5","Names":["/ring2"],"HostConfig":{"NetworkMode":"container:c4"},"NetworkSettings":{}},
         {"Id":"c6","Names":[]}, 7, null]
        """

    private static func reply(_ path: String) -> String? {
        if path.hasPrefix("/containers/json") { return containers }
        return path == "/networks" ? networks : nil
    }

    private func targets(_ keys: String) async throws -> [LabelSet] {
        let transport = ScriptedTransport { request in
            let path = String(request.url.dropFirst("http://d:1".count))
            return DockerDiscoveryTests.reply(path).map { ScriptedTransport.json($0) } ?? ScriptedTransport.status(404)
        }
        let bench = Bench(transport)
        try await bench.run("docker_sd_configs: [{host: 'tcp://d:1'\(keys)}]") {
            #expect(await eventually { !bench.targets.isEmpty })
        }
        #expect(bench.feed.groups.map(\.source) == ["Docker"])
        return bench.targets
    }

    @Test("Each TCP port of the first network is a target, with labels of container and network")
    func ports() async throws {
        let all = try await targets("")
        #expect(
            all.map { $0["__address__"] ?? "" } == ["172.2.0.2:443", "172.2.0.2:80", "172.2.0.2:80", "localhost"])
        #expect(
            all.first { $0["__meta_docker_port_public"] != nil } == [
                "__address__": "172.2.0.2:80", "__meta_docker_container_id": "c1",
                "__meta_docker_container_label_com_x_y": "z", "__meta_docker_container_name": "/web",
                "__meta_docker_container_network_mode": "front", "__meta_docker_network_id": "n2",
                "__meta_docker_network_ingress": "false", "__meta_docker_network_internal": "true",
                "__meta_docker_network_ip": "172.2.0.2", "__meta_docker_network_name": "back",
                "__meta_docker_network_scope": "local", "__meta_docker_port_private": "80",
                "__meta_docker_port_public": "8080", "__meta_docker_port_public_ip": "0.0.0.0",
            ])
    }

    @Test("All networks, the port of containers without one and the host's name are as configured")
    func options() async throws {
        let all = try await targets(", match_first_network: false, port: 9, host_networking_host: me")
        #expect(
            all.map { $0["__address__"] ?? "" } == [
                "172.1.0.2:443", "172.1.0.2:80", "172.1.0.2:9", "172.2.0.2:443", "172.2.0.2:80", "172.2.0.2:9", "me",
            ])
        #expect(all.contains { $0["__meta_docker_network_label_a_b"] == "c" })
    }

    @Test("A container without a network is a target without a host, as in Prometheus")
    func noNetwork() throws {
        let entry = try one(section("docker_sd_configs: [{host: 'tcp://d:1'}]").entries)
        guard let section = entry.kind as? DockerDiscovery else { throw NotOne() }
        let text = """
            [{"Id":"c1","Names":["/none"],"HostConfig":{"NetworkMode":"none"},"Ports":[],
              "NetworkSettings":{"Networks":{"none":{"IPAddress":"","NetworkID":"n0"}}}}]
            """
        let view = DockerView(
            section: section, containers: try JSONValue(parsing: Array(text.utf8)), networks: .array([]))
        let target = try one(view.targets)
        #expect(target["__address__"] == ":80")
        #expect(target["__meta_docker_container_network_mode"] == "none")
        #expect(target["__meta_docker_network_ip"] == nil)
    }

    @Test("A daemon behind a socket of this machine is asked there, with the filters")
    func unixSocket() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let paths = Mutex<[String]>([])
        let socket = directory.path + "/docker.sock"
        let server = try await LoopbackServer.start(socketPath: socket) { request in
            paths.withLock { $0.append(request.path) }
            return DockerDiscoveryTests.reply(request.path).map { .answer(body: Array($0.utf8)) }
                ?? .answer(status: "404 Not Found", body: [])
        }
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let bench = Bench(transport)
        let text = "docker_sd_configs: [{host: 'unix://\(socket)', filters: [{name: label, values: [b, 'a\"']}]}]"
        try await bench.run(text) {
            #expect(await eventually { bench.addresses.count == 4 }, "\(bench.metrics)")
        }
        #expect(
            paths.withLock { $0 } == [
                "/containers/json?filters=%7B%22label%22%3A%7B%22a%5C%22%22%3Atrue%2C%22b%22%3Atrue%7D%7D", "/networks",
            ])
        await transport.shutdown()
        await server.stop()
    }

    @Test("A daemon that is not there is a failure that keeps the targets")
    func failure() async throws {
        let transport = ScriptedTransport { _ in ScriptedTransport.json("{}") }
        let bench = Bench(transport)
        bench.feed.update([TargetGroup(source: "Docker", labels: .empty, targets: [["__address__": "old:1"]])])
        try await bench.run("docker_sd_configs: [{host: 'http://d'}]") {
            #expect(await eventually { bench.failureCount == 1 })
        }
        #expect(bench.addresses == ["old:1"])
    }
}
