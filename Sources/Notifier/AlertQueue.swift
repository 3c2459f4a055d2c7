import Rules
import SeriesModel

/// What one Alertmanager has still to be told: one word for each alert, the newest, in the order in which the alerts
/// first came. A value without I/O.
struct AlertQueue {
    let capacity: Int
    private var alerts: [LabelSet: Alert] = [:]
    /// Each key once; the front is sent first.
    private var order: [LabelSet] = []

    init(capacity: Int) { self.capacity = max(1, capacity) }

    var count: Int { order.count }

    /// - Returns: the oldest ones, pushed out for want of room.
    mutating func add(_ new: [Alert]) -> [Alert] {
        for alert in new {
            if alerts.updateValue(alert, forKey: alert.labels) == nil { order.append(alert.labels) }
        }
        let excess = order.count - capacity
        guard excess > 0 else { return [] }
        return removeFirst(excess)
    }

    /// Takes the front of the queue.
    /// - Parameter now: firing alerts whose word has lost its validity are taken out and given apart: sent, they would
    ///   count as resolved.
    mutating func take(_ countMax: Int, now: Timestamp) -> (batch: [Alert], expired: [Alert]) {
        var expired: [Alert] = []
        var batch: [Alert] = []
        while batch.count < countMax, !order.isEmpty {
            for alert in removeFirst(min(countMax - batch.count, order.count)) {
                if alert.isResolved || alert.endsAt > now {
                    batch.append(alert)
                } else {
                    expired.append(alert)
                }
            }
        }
        return (batch, expired)
    }

    /// Puts a batch that could not be delivered back to the front, but for alerts of which there is newer word.
    /// - Returns: what had to give way.
    mutating func giveBack(_ batch: [Alert]) -> [Alert] {
        let old = batch.filter { alerts[$0.labels] == nil }
        for alert in old { alerts[alert.labels] = alert }
        order.insert(contentsOf: old.map(\.labels), at: 0)
        let excess = order.count - capacity
        guard excess > 0 else { return [] }
        return removeFirst(excess)
    }

    private mutating func removeFirst(_ count: Int) -> [Alert] {
        let removed = order.prefix(count).compactMap { alerts.removeValue(forKey: $0) }
        order.removeFirst(min(count, order.count))
        return removed
    }
}
