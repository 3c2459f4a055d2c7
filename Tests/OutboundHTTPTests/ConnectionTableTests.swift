import Testing

@testable import OutboundHTTP

@Suite("Connections that are kept")
struct ConnectionTableTests {
    private static let second: Int64 = 1_000_000_000
    private let here = Destination.tcp(host: "here", port: 1)
    private let there = Destination.tcp(host: "there", port: 1)

    /// A table whose changes can stand in an expectation.
    private final class Subject {
        var table = ConnectionTable()

        /// A connection without a socket.
        func add(_ destination: Destination, deadline: Int64 = 1) throws -> PlainConnection {
            let address = try #require(SocketAddress(path: "/x"))
            return table.add(deadline: deadline) { token in
                PlainConnection(to: destination, at: address, socket: -1, isConnected: true, poll: -1, token: token)
            }.0
        }

        func keep(_ connection: PlainConnection) -> Bool { table.keep(connection, now: 0) }

        func take(_ destination: Destination) -> PlainConnection? { table.takeIdle(destination, deadline: 1)?.0 }

        func find(_ token: UInt64) -> PlainConnection? { table.connection(of: token) }

        func expired(now: Int64) -> [Int] {
            var exchanges: [PlainConnection] = []
            var idle: [PlainConnection] = []
            table.takeExpired(now: now, exchanges: &exchanges, idle: &idle)
            for connection in idle { table.remove(connection) }
            return [exchanges.count, idle.count]
        }
    }

    @Test("The last one that was kept is used first, for its own destination only, and by one request at a time")
    func reuse() throws {
        let subject = Subject()
        let (first, second, other) = (try subject.add(here), try subject.add(here), try subject.add(there))
        for connection in [first, second, other] { #expect(subject.keep(connection)) }
        #expect(!subject.keep(first))
        #expect(subject.take(here) === second)
        #expect(subject.take(here) === first)
        #expect(subject.take(here) == nil)
        #expect(subject.take(there) === other)
        #expect(subject.table.count == 3)
    }

    @Test("A connection is kept for five minutes")
    func idleTime() throws {
        let subject = Subject()
        let connection = try subject.add(here)
        #expect(subject.keep(connection))
        #expect(subject.expired(now: 299 * Self.second) == [0, 0])
        #expect(subject.table.earliestDeadline == 300 * Self.second)
        #expect(subject.expired(now: 300 * Self.second) == [0, 1])
        #expect(subject.take(here) == nil && subject.table.count == 0 && subject.table.earliestDeadline == .max)
    }

    @Test("An exchange whose time is up is named again soon, until it ends or is given more time")
    func deadlines() throws {
        let subject = Subject()
        let connection = try subject.add(here, deadline: 10 * Self.second)
        _ = try subject.add(here, deadline: 20 * Self.second)
        #expect(subject.expired(now: 10 * Self.second) == [1, 0])
        #expect(subject.table.earliestDeadline < 11 * Self.second)
        #expect(subject.expired(now: 11 * Self.second) == [1, 0])
        subject.table.setDeadline(15 * Self.second, of: connection, number: 7)
        #expect(subject.expired(now: 12 * Self.second) == [1, 0])
        subject.table.setDeadline(15 * Self.second, of: connection, number: 1)
        #expect(subject.expired(now: 13 * Self.second) == [0, 0])
        #expect(subject.table.earliestDeadline == 15 * Self.second)
        subject.table.remove(connection)
        #expect(subject.expired(now: 16 * Self.second) == [0, 0])
        #expect(subject.table.earliestDeadline == 20 * Self.second)
    }

    @Test("No more than a thousand are kept for one destination")
    func bound() throws {
        let subject = Subject()
        let connections = try (0..<1001).map { _ in try subject.add(here) }
        let keptCount = connections.count { subject.keep($0) }
        #expect(keptCount == 1000)
        let other = try subject.add(there)
        #expect(subject.keep(other))
        let taken = subject.table.takeIdle()
        #expect(taken.count == 1001)
        let left = subject.take(here)
        #expect(left == nil)
    }

    @Test("A place is used again, its token is not; an event ends the keeping")
    func tokens() throws {
        let subject = Subject()
        let first = try subject.add(here)
        subject.table.remove(first)
        subject.table.remove(first)
        let second = try subject.add(here)
        #expect(subject.table.count == 1 && first.token != second.token)
        #expect(subject.find(first.token) == nil && subject.find(.max) == nil)
        #expect(!subject.keep(first) && subject.keep(second))
        #expect(subject.find(second.token) === second)
        #expect(subject.take(here) == nil)
    }
}
