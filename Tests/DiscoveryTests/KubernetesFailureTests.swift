import OutboundHTTP
import SeriesModel
import Synchronization
import TestSupport
import Testing

@testable import Discovery

@Suite("Kubernetes discovery where things go wrong")
struct KubernetesFailureTests {
    private let pods = "/api/v1/pods"

    private func watches(_ api: FakeAPIServer) -> [String] {
        api.requests.map(\.path).filter { $0.contains("watch=true") }
    }

    @Test("Each request has a connection of its own, for the streams of a shared one would run out")
    func noHTTP2() async throws {
        let transport = ScriptedTransport { _ in ScriptedTransport.status(403) }
        let bench = Bench(transport)
        try await bench.run("kubernetes_sd_configs: [{role: pod, api_server: 'http://k'}]") {
            #expect(await eventually { bench.failureCount == 1 })
        }
        #expect(transport.requests.map(\.client.enablesHTTP2) == [false])
    }

    @Test("Pages that are too large are asked for again at half the size, from the beginning")
    func tooLarge() async throws {
        let transport = ScriptedTransport { request throws(OutboundError) in
            if request.url.contains("watch=true") {
                try? await Task.sleep(for: .seconds(3600))
                throw OutboundError(.cancelled, "cancelled")
            }
            let isSmall = request.url.contains("limit=125")
            let isSecond = request.url.contains("continue=")
            // The second page of 250 is larger than the first.
            guard isSmall || (request.url.contains("limit=250") && !isSecond) else {
                throw OutboundError(.bodyTooLong, "body size limit exceeded")
            }
            let next = isSecond ? "" : "t"
            let pod = isSecond ? FakeAPIServer.pod("b", "10.0.0.2") : FakeAPIServer.pod("a", "10.0.0.1")
            return ScriptedTransport.json(
                #"{"metadata":{"resourceVersion":"5","continue":"\#(next)"},"items":[\#(pod)]}"#)
        }
        let bench = Bench(transport)
        try await bench.run("kubernetes_sd_configs: [{role: pod, api_server: 'http://k'}]") {
            #expect(await eventually { bench.addresses == ["10.0.0.1:80", "10.0.0.2:80"] })
        }
        let queries = transport.requests.map { String($0.url.drop { $0 != "?" }) }
        #expect(
            queries.prefix(5) == [
                "?limit=500", "?limit=250", "?limit=250&continue=t", "?limit=125", "?limit=125&continue=t",
            ])
        #expect(bench.failureCount == 0)
    }

    @Test("A single object that is too large is a failure like others")
    func hopeless() async throws {
        let transport = ScriptedTransport { _ throws(OutboundError) in
            throw OutboundError(.bodyTooLong, "body size limit exceeded")
        }
        let clock = ManualClock(now: 0)
        let bench = Bench(transport, clock: clock)
        try await bench.run("kubernetes_sd_configs: [{role: pod, api_server: 'http://k'}]") {
            #expect(await eventually { bench.failureCount == 1 && clock.sleeperCount == 1 })
        }
        #expect(
            transport.requests.map { $0.url.split(separator: "=").last.map(String.init) ?? "" }
                == ["500", "250", "125", "62", "31", "15", "7", "3", "1"])
    }

    @Test("A list whose second page comes too late (410) is read from the beginning")
    func goneInList() async throws {
        try await withAPIServer("role: pod") { api in
            let first = FakeAPIServer.page([FakeAPIServer.pod("a", "10.0.0.1")], version: 5, next: "t")
            api.list(
                pods,
                [
                    first, .answer(status: "410 Gone", body: []), first,
                    FakeAPIServer.page([FakeAPIServer.pod("b", "10.0.0.2")], version: 5),
                ])
        } _: { api, bench in
            #expect(await eventually { bench.addresses == ["10.0.0.1:80", "10.0.0.2:80"] })
            #expect(api.requests.map { $0.path.contains("continue=t") }.prefix(4) == [false, true, false, true])
            #expect(bench.failureCount == 0)
        }
    }

    @Test("An error in a watch that is no 410 is a failure, and the watch goes on from the version it had")
    func otherError() async throws {
        let clock = ManualClock(now: 0)
        try await withAPIServer("role: pod", clock: clock) { api in
            api.list(pods, [FakeAPIServer.pod("a", "10.0.0.1")], version: 5)
            api.answerWatches(pods, with: [FakeAPIServer.events([("ERROR", #"{"code":500,"message":"etcd"}"#)])])
        } _: { api, bench in
            #expect(await eventually { bench.failureCount == 1 && clock.sleeperCount == 1 })
            #expect(bench.addresses == ["10.0.0.1:80"])
            clock.advance(by: 1000)
            #expect(await eventually { api.hasWatch(pods) })
            #expect(watches(api).allSatisfy { $0.contains("resourceVersion=5&") })
        }
    }

    @Test("A server that ends each watch after one event is asked with growing pauses, and that is a failure")
    func shortWatches() async throws {
        let clock = ManualClock(now: 0)
        try await withAPIServer("role: pod", clock: clock) { api in
            api.list(pods, [String](), version: 5)
            api.answerWatches(
                pods,
                with: (1...3).map { number in
                    FakeAPIServer.events([("ADDED", FakeAPIServer.pod("p\(number)", "10.0.0.\(number)"))])
                })
        } _: { api, bench in
            for (count, wait) in [(1, 2000), (2, 4000)] {
                #expect(await eventually { bench.failureCount == count && clock.sleeperCount == 1 })
                #expect(watches(api).count == count + 1)
                clock.advance(by: Int64(wait))
            }
            #expect(await eventually { api.hasWatch(pods) })
            #expect(bench.addresses == ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"])
        }
    }

    @Test("Pauses grow to half a minute, and what goes well ends them")
    func pace() {
        var pace = KubernetesPace()
        #expect((1...7).map { _ in pace.failed() } == [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
        pace.listed()
        #expect(pace.failed() == 1000)
        #expect((1...4).map { _ in pace.gone() } == [0, 1000, 2000, 4000])
        #expect(pace.watched(eventCount: 0, isShort: true) == 1000)
        #expect(pace.watched(eventCount: 3, isShort: true) == 2000)
        #expect(pace.gone() == 0)
        #expect(pace.watched(eventCount: 0, isShort: false) == 0)
        #expect(pace.gone() == 0)
        #expect(pace.watched(eventCount: 3, isShort: true) == 0)
    }

    @Test("A namespace that may not be read holds back nothing but itself")
    func forbiddenNamespace() async throws {
        let clock = ManualClock(now: 0)
        let (a, b) = ("/api/v1/namespaces/a/pods", "/api/v1/namespaces/b/pods")
        try await withAPIServer("role: pod, namespaces: {names: [a, b]}", clock: clock) { api in
            api.list(a, [FakeAPIServer.pod("x", "10.0.0.1", namespace: "a")])
            api.list(
                b,
                [
                    .answer(status: "403 Forbidden", body: []),
                    FakeAPIServer.page([FakeAPIServer.pod("y", "10.0.0.2", namespace: "b")], version: 1),
                ])
        } _: { api, bench in
            #expect(await eventually { bench.addresses == ["10.0.0.1:80"] && bench.failureCount == 1 })
            #expect(await eventually { api.hasWatch(a) && clock.sleeperCount == 1 })
            api.send(a, "ADDED", FakeAPIServer.pod("z", "10.0.0.3", namespace: "a", version: 2))
            #expect(await eventually { bench.addresses == ["10.0.0.1:80", "10.0.0.3:80"] })
            clock.advance(by: 1000)
            #expect(await eventually { bench.addresses == ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"] })
        }
    }

    @Test("Where too many watches hang at the server already, the other lists are read every half a minute")
    func tooManyWatches() async throws {
        let lists = Mutex(0)
        let transport = ScriptedTransport { request throws(OutboundError) in
            if request.url.contains("watch=true") {
                try? await Task.sleep(for: .seconds(3600))
                throw OutboundError(.cancelled, "cancelled")
            }
            let number = lists.withLock { lists in
                lists += 1
                return lists
            }
            let pod = FakeAPIServer.pod("p\(number)", "10.0.0.\(number)", namespace: "n")
            return ScriptedTransport.json(#"{"metadata":{"resourceVersion":"5"},"items":[\#(pod)]}"#)
        }
        let clock = ManualClock(now: 0)
        let bench = Bench(transport, clock: clock)
        var context = bench.context
        context.hangingRequests = HangingRequests(max: 1)
        let text = "kubernetes_sd_configs: [{role: pod, api_server: 'http://k', namespaces: {names: [a, b]}}]"
        await bench.run(try one(section(text).entries).kind.discoverer(context)) {
            #expect(await eventually { transport.requests.count == 3 && clock.sleeperCount == 1 })
            clock.advance(by: 30_000)
            #expect(await eventually { transport.requests.count == 4 && clock.sleeperCount == 1 })
            #expect(transport.requests.count { $0.url.contains("watch=true") } == 1)
            #expect(bench.failureCount == 0)
        }
    }

    @Test("Events that change nothing wake nobody")
    func noNews() async throws {
        try await withAPIServer("role: pod") { api in
            api.list(pods, [FakeAPIServer.pod("a", "10.0.0.1")], version: 5)
        } _: { api, bench in
            #expect(await eventually { bench.addresses == ["10.0.0.1:80"] && api.hasWatch(pods) })
            for version in 6...9 { api.send(pods, "MODIFIED", FakeAPIServer.pod("a", "10.0.0.1", version: version)) }
            api.send(pods, "DELETED", FakeAPIServer.pod("nobody", "10.0.0.7", version: 10))
            api.send(pods, "ADDED", FakeAPIServer.pod("b", "10.0.0.2", version: 11))
            #expect(await eventually { bench.addresses.count == 2 })
            #expect(bench.metrics.contains("prometheus_sd_received_updates_total{name=\"scrape\"} 2\n"))
        }
    }

    @Test("The end of a discoverer closes the connection of a watch that hangs")
    func cancellation() async throws {
        try await withAPIServer("role: pod") { api in
            api.list(pods, [FakeAPIServer.pod("a", "10.0.0.1")])
        } _: { api, bench in
            #expect(await eventually { bench.addresses == ["10.0.0.1:80"] && api.hasWatch(pods) })
            #expect(api.isConnected(pods))
        } after: { api in
            #expect(await eventually { !api.isConnected(pods) })
        }
    }
}
