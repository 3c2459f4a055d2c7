import Glibc
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import OutboundHTTP

@Suite("Plain HTTP in numbers", .serialized)
struct PlainHTTPStressTests {
    @Test("A thousand requests at once are answered, and no descriptor stays behind")
    func many() async throws {
        let body = [UInt8](repeating: 0x61, count: 3000)
        let server = try await LoopbackServer.start { _ in .answer(body: body) }
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let request = OutboundRequest(.get, server.url(), timeout: 60_000)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<1000 { group.addTask { try await transport.send(request).body.count } }
            for try await count in group { #expect(count == 3000) }
        }
        #expect(server.connectionCount <= 1000)
        await transport.shutdown()
        #expect(socketCount(connectedTo: server.port) == 0)
        await server.stop()
    }

    @Test("Servers that close anywhere and callers that give up anywhere: each request ends, once, and in time")
    func chaos() async throws {
        let random = Mutex(SeededRandom(seed: 11))
        let whole =
            Array("HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n".utf8) + [UInt8](repeating: 0x62, count: 2000)
        let server = try await LoopbackServer.start { _ in
            random.withLock { random in
                switch random.below(10) {
                case 0: .close
                case 1: .hang
                case 2, 3: .raw(Array(whole.prefix(random.below(whole.count))))
                case 4: .raw(whole)
                default: .answer(body: [UInt8](repeating: 0x62, count: 2000))
                }
            }
        }
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let tally = Tally()
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<16 {
                group.addTask { await work(UInt64(worker), transport, server.url(), tally) }
            }
        }
        await transport.shutdown()
        #expect(socketCount(connectedTo: server.port) == 0)
        await server.stop()
        let counts = tally.counts.withLock { $0 }
        #expect(counts.values.reduce(0, +) == 16 * 60)
        for kind in ["answer", "cancelled", "timeout", "connection"] { #expect(counts[kind] ?? 0 > 0, "\(counts)") }
        #expect(Set(counts.keys).isSubset(of: ["answer", "cancelled", "timeout", "connection"]), "\(counts)")
    }

    private final class Tally: Sendable { let counts = Mutex<[String: Int]>([:]) }

    private func work(
        _ seed: UInt64, _ transport: HTTPClientTransport, _ url: String, _ tally: Tally
    ) async {
        var random = SeededRandom(seed: seed)
        for _ in 0..<60 {
            let request = OutboundRequest(.get, url, timeout: Int64(random.chance(80) ? 300 : random.below(3)))
            let task = Task { () -> String in
                do {
                    let body = try await transport.send(request).body
                    return body == [UInt8](repeating: 0x62, count: 2000) ? "answer" : "wrong"
                } catch let error as OutboundError { return "\(error.kind)" } catch { return "\(error)" }
            }
            if random.chance(30) {
                for _ in 0..<random.below(20) { await Task.yield() }
                if random.chance(50) { try? await Task.sleep(for: .microseconds(random.below(800))) }
                task.cancel()
            }
            let kind = await task.value
            tally.counts.withLock { $0[kind, default: 0] += 1 }
        }
    }

    @Test("Shutting down in the midst of many requests ends them all")
    func shutdown() async throws {
        let server = try await LoopbackServer.start { _ in .answer(body: [1]) }
        for round in 0..<10 {
            let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
            let request = OutboundRequest(.get, server.url(), timeout: 60_000)
            let tasks = (0..<50).map { _ in
                Task { () -> OutboundError.Kind? in
                    do throws(OutboundError) {
                        for _ in 0..<100 { _ = try await transport.send(request) }
                        return nil
                    } catch { return error.kind }
                }
            }
            for _ in 0..<round * 20 { await Task.yield() }
            await transport.shutdown()
            for task in tasks {
                let kind = await task.value
                #expect(kind == nil || kind == .cancelled)
            }
        }
        #expect(socketCount(connectedTo: server.port) == 0)
        await server.stop()
    }
}
