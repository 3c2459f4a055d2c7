import Testing

@testable import OutboundHTTP

@Suite("Connections that are kept")
struct ConnectionTableTests {
    private static let second: Int64 = 1_000_000_000
    private let here = Destination.tcp(host: "here", port: 1)
    private let there = Destination.tcp(host: "there", port: 1)

    /// A connection without a socket.
    private func add(_ table: inout ConnectionTable, _ destination: Destination, deadline: Int64 = 1) throws
        -> PlainConnection
    {
        let address = try #require(SocketAddress(path: "/x"))
        let (connection, _) = table.add(deadline: deadline) { token in
            PlainConnection(to: destination, at: address, socket: -1, isConnected: true, poll: -1, token: token)
        }
        return connection
    }

    private func expired(_ table: inout ConnectionTable, now: Int64) -> (exchanges: Int, idle: Int) {
        var exchanges: [PlainConnection] = []
        var idle: [PlainConnection] = []
        table.takeExpired(now: now, exchanges: &exchanges, idle: &idle)
        for connection in idle { table.remove(connection) }
        return (exchanges.count, idle.count)
    }

    @Test("The last one that was kept is used first, for its own destination only, and by one request at a time")
    func reuse() throws {
        var table = ConnectionTable()
        let (first, second, other) = (try add(&table, here), try add(&table, here), try add(&table, there))
        for connection in [first, second, other] { #expect(table.keep(connection, now: 0)) }
        #expect(!table.keep(first, now: 0))
        #expect(table.takeIdle(here, deadline: 1)?.0 === second)
        #expect(table.takeIdle(here, deadline: 1)?.0 === first)
        #expect(table.takeIdle(here, deadline: 1) == nil)
        #expect(table.takeIdle(there, deadline: 1)?.0 === other)
        #expect(table.count == 3)
    }

    @Test("A connection is kept for five minutes")
    func idleTime() throws {
        var table = ConnectionTable()
        let connection = try add(&table, here)
        #expect(table.keep(connection, now: 0))
        #expect(expired(&table, now: 299 * Self.second) == (0, 0))
        #expect(table.earliestDeadline == 300 * Self.second)
        #expect(expired(&table, now: 300 * Self.second) == (0, 1))
        #expect(table.takeIdle(here, deadline: 1) == nil && table.count == 0 && table.earliestDeadline == .max)
    }

    @Test("An exchange whose time is up is named again soon, until it ends or is given more time")
    func deadlines() throws {
        var table = ConnectionTable()
        let connection = try add(&table, here, deadline: 10 * Self.second)
        _ = try add(&table, here, deadline: 20 * Self.second)
        #expect(expired(&table, now: 10 * Self.second) == (1, 0))
        #expect(table.earliestDeadline < 11 * Self.second)
        #expect(expired(&table, now: 11 * Self.second) == (1, 0))
        table.setDeadline(15 * Self.second, of: connection, number: 7)
        #expect(expired(&table, now: 12 * Self.second) == (1, 0))
        table.setDeadline(15 * Self.second, of: connection, number: 1)
        #expect(expired(&table, now: 13 * Self.second) == (0, 0))
        #expect(table.earliestDeadline == 15 * Self.second)
        table.remove(connection)
        #expect(expired(&table, now: 16 * Self.second) == (0, 0))
        #expect(table.earliestDeadline == 20 * Self.second)
    }

    @Test("No more than a thousand are kept for one destination")
    func bound() throws {
        var table = ConnectionTable()
        let connections = try (0..<1001).map { _ in try add(&table, here) }
        #expect(connections.count { table.keep($0, now: 0) } == 1000)
        #expect(table.keep(try add(&table, there), now: 0))
        #expect(table.takeIdle().count == 1001)
        #expect(table.takeIdle(here, deadline: 1) == nil)
    }

    @Test("A place is used again, its token is not; an event ends the keeping")
    func tokens() throws {
        var table = ConnectionTable()
        let first = try add(&table, here)
        table.remove(first)
        table.remove(first)
        let second = try add(&table, here)
        #expect(table.count == 1 && first.token != second.token)
        #expect(table.connection(of: first.token) == nil && table.connection(of: .max) == nil)
        #expect(!table.keep(first, now: 0) && table.keep(second, now: 0))
        #expect(table.connection(of: second.token) === second)
        #expect(table.takeIdle(here, deadline: 1) == nil)
    }
}
