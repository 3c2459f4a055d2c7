import Synchronization

/// All connections of a client, which of them are kept for another request, and when the time of each is up.
///
/// A token names a connection for ever: the places are used again, the tokens are not.
struct ConnectionTable {
    private struct Place {
        var connection: PlainConnection?
        var generation: UInt32 = 0
        var isIdle = false
        /// Of the exchange that it was taken for last.
        var number: UInt64 = 0
        /// When the exchange, or the idleness, has lasted too long. ns
        var deadline = Int64.max
    }

    /// As upstream's client: so long, and so many, together and for one destination.
    private static let idleTime: Int64 = 300 * 1_000_000_000
    private static let idleMax = 20_000
    private static let idlePerDestinationMax = 1000
    /// ns
    private static let secondLook: Int64 = 50_000_000

    private var places: [Place] = []
    private var free: [Int] = []
    /// The places of connections to use again, the last one first.
    private var idle: [Destination: [Int]] = [:]
    private var idleCount = 0
    private var lastNumber: UInt64 = 0
    /// No deadline is before this one. ns
    private(set) var earliestDeadline = Int64.max

    var count: Int { places.count - free.count }

    /// A kept connection, if there is one, for an exchange of the number that is given with it.
    mutating func takeIdle(_ destination: Destination, deadline: Int64) -> (PlainConnection, number: UInt64)? {
        guard let index = idle[destination]?.popLast(), let connection = places[index].connection else { return nil }
        idleCount -= 1
        places[index].isIdle = false
        return (connection, begin(at: index, deadline))
    }

    /// Makes a connection, for an exchange of the number that is given with it.
    mutating func add(
        deadline: Int64, _ make: (_ token: UInt64) -> PlainConnection
    ) -> (PlainConnection, number: UInt64) {
        let index = free.popLast() ?? places.count
        if index == places.count { places.append(Place()) }
        let connection = make(UInt64(places[index].generation) << 32 | UInt64(index))
        places[index].connection = connection
        return (connection, begin(at: index, deadline))
    }

    private mutating func begin(at index: Int, _ deadline: Int64) -> UInt64 {
        lastNumber += 1
        places[index].number = lastNumber
        places[index].deadline = deadline
        note(deadline)
        return lastNumber
    }

    mutating func note(_ deadline: Int64) { earliestDeadline = min(earliestDeadline, deadline) }

    /// Keeps a connection for another request.
    /// - Returns: false where there are enough of them.
    mutating func keep(_ connection: PlainConnection, now: Int64) -> Bool {
        guard let index = index(of: connection.token), !places[index].isIdle, idleCount < ConnectionTable.idleMax,
            idle[connection.destination]?.count ?? 0 < ConnectionTable.idlePerDestinationMax
        else { return false }
        idle[connection.destination, default: []].append(index)
        idleCount += 1
        places[index].isIdle = true
        places[index].deadline = now + ConnectionTable.idleTime
        note(places[index].deadline)
        return true
    }

    mutating func remove(_ connection: PlainConnection) {
        guard let index = index(of: connection.token) else { return }
        stopIdling(index)
        // Destinations that are gone leave nothing behind.
        if idle[connection.destination]?.isEmpty == true { idle[connection.destination] = nil }
        places[index].connection = nil
        places[index].deadline = .max
        places[index].generation &+= 1
        free.append(index)
    }

    /// The connection of an event. One that was kept is so no longer: its server has closed it, or is out of step.
    mutating func connection(of token: UInt64) -> PlainConnection? {
        guard let index = index(of: token) else { return nil }
        stopIdling(index)
        return places[index].connection
    }

    mutating func setDeadline(_ deadline: Int64, of connection: PlainConnection, number: UInt64) {
        guard let index = index(of: connection.token), places[index].number == number, !places[index].isIdle else {
            return
        }
        places[index].deadline = deadline
        note(deadline)
    }

    /// The connections whose exchange may have lasted too long, and those that were kept too long, which are so no longer.
    mutating func takeExpired(now: Int64, exchanges: inout [PlainConnection], idle: inout [PlainConnection]) {
        guard now >= earliestDeadline else { return }
        earliestDeadline = .max
        for index in places.indices {
            if places[index].deadline <= now, let connection = places[index].connection {
                if places[index].isIdle {
                    stopIdling(index)
                    idle.append(connection)
                    places[index].deadline = .max
                } else {
                    exchanges.append(connection)
                    // Ends now, or is told a new one; or its exchange is just about to begin.
                    places[index].deadline = now + ConnectionTable.secondLook
                }
            }
            note(places[index].deadline)
        }
    }

    /// The connections that wait for another request, which are so no longer.
    mutating func takeIdle() -> [PlainConnection] {
        let connections = idle.values.joined().compactMap { places[$0].connection }
        for indices in idle.values { for index in indices { places[index].isIdle = false } }
        idle = [:]
        idleCount = 0
        return connections
    }

    var all: [PlainConnection] { places.compactMap(\.connection) }

    private mutating func stopIdling(_ index: Int) {
        guard places[index].isIdle, let connection = places[index].connection else { return }
        places[index].isIdle = false
        idleCount -= 1
        idle[connection.destination]?.removeAll { $0 == index }
    }

    private func index(of token: UInt64) -> Int? {
        let index = Int(token & 0xFFFF_FFFF)
        guard index < places.count, places[index].generation == UInt32(truncatingIfNeeded: token >> 32),
            places[index].connection != nil
        else { return nil }
        return index
    }
}
