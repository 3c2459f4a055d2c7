import Logging
import NIOCore
import SeriesModel
import TestSupport
import Testing

@testable import Discovery

@Suite("DNS discovery")
struct DNSDiscoveryTests {
    private let noTransport = ScriptedTransport { _ in ScriptedTransport.status(404) }

    private func discoverer(_ text: String, _ bench: Bench, _ configuration: ResolverConfiguration) throws
        -> DNSDiscoverer
    {
        let entry = try one(section(text).entries)
        guard var discoverer = entry.kind.discoverer(bench.context) as? DNSDiscoverer else { throw NotOne() }
        discoverer.configuration = { configuration }
        return discoverer
    }

    @Test("Records of each type are targets with their meta labels")
    func types() async throws {
        let server = try await NameServer.start { question in
            switch question.type {
            case 1: [question.answer([(1, [10, 0, 0, 1]), (1, [10, 0, 0, 2])])]
            case 28: [question.answer([(28, [UInt8](repeating: 0, count: 15) + [1])])]
            case 33: [question.answer([(33, [0, 0, 0, 0, 0x1F, 0x90, 1, 0x78, 0xC0, 12])])]
            case 15: [question.answer([(15, [0, 5, 2, 0x6D, 0x78, 0])])]
            default: [question.answer([(2, [2, 0x6E, 0x73, 0xC0, 12])])]
            }
        }
        for (type, targets): (String, [LabelSet]) in [
            (
                "A",
                [
                    ["__address__": "10.0.0.1:80", "__meta_dns_name": "a.x."],
                    ["__address__": "10.0.0.2:80", "__meta_dns_name": "a.x."],
                ]
            ),
            ("AAAA", [["__address__": "[::1]:80", "__meta_dns_name": "a.x."]]),
            (
                "SRV",
                [
                    [
                        "__address__": "x.a.x:8080", "__meta_dns_name": "a.x.",
                        "__meta_dns_srv_record_target": "x.a.x.", "__meta_dns_srv_record_port": "8080",
                    ]
                ]
            ),
            ("MX", [["__address__": "mx:80", "__meta_dns_name": "a.x.", "__meta_dns_mx_record_target": "mx."]]),
            (
                "NS",
                [["__address__": "ns.a.x:80", "__meta_dns_name": "a.x.", "__meta_dns_ns_record_target": "ns.a.x."]]
            ),
        ] {
            let bench = Bench(noTransport)
            let text = "dns_sd_configs: [{names: [a.x.], type: \(type), port: 80}]"
            try await bench.run(discoverer(text, bench, server.configuration)) {
                #expect(await eventually { bench.targets == targets }, "\(type): \(bench.targets)")
            }
            #expect(bench.feed.groups.map(\.source) == ["a.x."])
        }
        await server.stop()
    }

    @Test("An answer that is cut off is asked for again over TCP")
    func overTCP() async throws {
        let server = try await NameServer.start { question in
            question.isTCP
                ? [question.answer([(1, [10, 0, 0, 9])])] : [question.answer(flags: 0x8380, [])]
        }
        let resolver = DNSResolver(configuration: server.configuration)
        #expect(try await resolver.lookUp("a.x.", .a) == [.address("10.0.0.9")])
        #expect(server.seen.map(\.isTCP) == [false, true])
        await server.stop()
    }

    @Test("A server from before EDNS is asked without")
    func withoutEDNS() async throws {
        let server = try await NameServer.start { question in
            question.hasEDNS ? [question.answer(flags: 0x8181)] : [question.answer([(1, [10, 0, 0, 9])])]
        }
        let resolver = DNSResolver(configuration: server.configuration)
        #expect(try await resolver.lookUp("a.x.", .a) == [.address("10.0.0.9")])
        #expect(server.seen.map(\.hasEDNS) == [true, false])
        await server.stop()
    }

    @Test("Forged answers before the true one are passed over")
    func forged() async throws {
        let server = try await NameServer.start { question in
            var other = question
            other.identifier &+= 1
            var elsewhere = question
            elsewhere.name = "b.x"
            return [
                [], [1, 2, 3], other.answer([(1, [6, 6, 6, 6])]), elsewhere.answer([(1, [6, 6, 6, 6])]),
                question.answer([(1, [10, 0, 0, 9])]),
            ]
        }
        let resolver = DNSResolver(configuration: server.configuration)
        #expect(try await resolver.lookUp("a.x.", .a) == [.address("10.0.0.9")])
        await server.stop()
    }

    @Test("The search list is gone through until a name exists; where none does there are no targets")
    func searchList() async throws {
        let server = try await NameServer.start { question in
            question.name == "a.two"
                ? [question.answer([(1, [10, 0, 0, 9])])] : [question.answer(flags: 0x8183)]
        }
        var configuration = server.configuration
        configuration.search = ["one", "two"]
        let resolver = DNSResolver(configuration: configuration)
        #expect(try await resolver.lookUp("a", .a) == [.address("10.0.0.9")])
        #expect(server.seen.map(\.name) == ["a.one", "a.two"])
        #expect(try await resolver.lookUp("b", .a) == [])
        #expect(server.seen.map(\.name) == ["a.one", "a.two", "b.one", "b.two", "b"])
        await server.stop()
    }

    @Test("A server that fails, is silent or not there gives its turn to the next")
    func nextServer() async throws {
        let failing = try await NameServer.start { [$0.answer(flags: 0x8182)] }
        let silent = try await NameServer.start { _ in [] }
        let absent = try await NameServer.start { _ in [] }
        await absent.stop()
        let good = try await NameServer.start { [$0.answer([(1, [10, 0, 0, 9])])] }
        var configuration = good.configuration
        configuration.servers = [failing.address, absent.address, silent.address, good.address]
        let resolver = DNSResolver(configuration: configuration)
        #expect(try await resolver.lookUp("a.", .a) == [.address("10.0.0.9")])
        configuration.servers.removeLast()
        configuration.timeout = 100
        let error = await #expect(throws: DiscoveryError.self) {
            try await DNSResolver(configuration: configuration).lookUp("a.", .a)
        }
        #expect(error?.message.contains("could not resolve \"a.\"") == true)
        for server in [failing, silent, good] { await server.stop() }
    }

    @Test("A name that cannot be looked up keeps its targets while the others change")
    func failureKeeps() async throws {
        let server = try await NameServer.start { question in
            question.name.hasPrefix("bad")
                ? [question.answer(flags: 0x8182)]
                : [question.answer([(1, [10, 0, 0, UInt8(question.name.utf8.count)])])]
        }
        let clock = ManualClock(now: 0)
        let bench = Bench(noTransport, clock: clock)
        bench.feed.update([TargetGroup(source: "bad.", labels: .empty, targets: [["__address__": "old:1"]])])
        let text = "dns_sd_configs: [{names: [bad., good.], type: A, port: 1}]"
        try await bench.run(discoverer(text, bench, server.configuration)) {
            #expect(await eventually { bench.addresses == ["10.0.0.4:1", "old:1"] })
            #expect(await eventually { clock.sleeperCount == 1 })
            #expect(bench.metrics.contains("prometheus_sd_dns_lookups_total 2\n"))
            #expect(bench.metrics.contains("prometheus_sd_dns_lookup_failures_total 1\n"))
            #expect(bench.failureCount == 0)
        }
        let all = "dns_sd_configs: [{names: [bad.], type: A, port: 1}]"
        try await bench.run(discoverer(all, bench, server.configuration)) {
            #expect(await eventually { bench.failureCount == 1 })
        }
        #expect(bench.addresses == ["10.0.0.4:1", "old:1"])
        await server.stop()
    }

    @Test("Cancelling ends a look-up that waits for a silent server")
    func cancellation() async throws {
        let silent = try await NameServer.start { _ in [] }
        var configuration = silent.configuration
        configuration.timeout = 30_000
        let bench = Bench(noTransport)
        let start = ContinuousClock.now
        let text = "dns_sd_configs: [{names: [a.], type: A, port: 1}]"
        try await bench.run(discoverer(text, bench, configuration)) {
            #expect(await eventually { !silent.seen.isEmpty })
        }
        #expect(start.duration(to: .now) < .seconds(20))
        await silent.stop()
    }
}
