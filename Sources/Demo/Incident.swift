/// Things that go wrong in the demo, and come right again, on a fixed timetable, so that within two minutes alerts
/// fire and resolve.
struct Incident: Sendable {
    enum Kind: Sendable, CaseIterable {
        case errorBurst, latencySpike, exhaustedPool, coldCache, failedLogins, brokenSockets, noTickets
    }

    let kind: Kind
    /// Seconds after the start of a cycle.
    let start: Double
    let length: Double

    /// Seconds; the timetable repeats.
    static let cycle = 240.0

    static let timetable: [Incident] = [
        Incident(kind: .errorBurst, start: 20, length: 35),
        Incident(kind: .exhaustedPool, start: 45, length: 30),
        Incident(kind: .latencySpike, start: 65, length: 40),
        Incident(kind: .brokenSockets, start: 110, length: 30),
        Incident(kind: .failedLogins, start: 130, length: 40),
        Incident(kind: .coldCache, start: 150, length: 40),
        Incident(kind: .noTickets, start: 100, length: 130),
    ]

    /// The kinds that are under way so many seconds after the start.
    static func active(at seconds: Double) -> Set<Kind> {
        let position = seconds.truncatingRemainder(dividingBy: cycle)
        return Set(timetable.filter { $0.start <= position && position < $0.start + $0.length }.map(\.kind))
    }
}
