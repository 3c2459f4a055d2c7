import Rules
import SeriesModel
import Testing

@testable import Notifier

@Suite("The queue of an Alertmanager")
struct AlertQueueTests {
    private func alert(_ name: String, endsAt: Timestamp = 100, isResolved: Bool = false) -> Alert {
        NotifierBench.alert(name, endsAt: endsAt, isResolved: isResolved)
    }

    private func names(_ alerts: [Alert]) -> [String] { alerts.map { $0.labels["alertname"] ?? "" } }

    @Test("batches come in order, the newest word for each alert only")
    func order() {
        var queue = AlertQueue(capacity: 10)
        #expect(queue.add([alert("a"), alert("b"), alert("c")]).isEmpty)
        _ = queue.add([alert("a", endsAt: 7, isResolved: true)])
        let (first, _) = queue.take(2, now: 0)
        #expect(names(first) == ["a", "b"] && first.first?.isResolved == true)
        #expect(names(queue.take(2, now: 0).batch) == ["c"])
    }

    @Test("beyond the capacity the oldest go")
    func capacity() {
        var queue = AlertQueue(capacity: 2)
        #expect(names(queue.add([alert("a"), alert("b"), alert("c")])) == ["a"])
        #expect(queue.count == 2)
    }

    @Test("a firing alert that has lost its validity is not sent; a resolved one is")
    func expiry() {
        var queue = AlertQueue(capacity: 10)
        _ = queue.add([alert("a", endsAt: 50), alert("b", endsAt: 50, isResolved: true), alert("c", endsAt: 51)])
        let (batch, expired) = queue.take(10, now: 50)
        #expect(names(batch) == ["b", "c"] && names(expired) == ["a"])
    }

    @Test("what could not be delivered goes back to the front, unless there is newer word")
    func giveBack() {
        var queue = AlertQueue(capacity: 10)
        _ = queue.add([alert("a"), alert("b"), alert("c")])
        let (batch, _) = queue.take(2, now: 0)
        _ = queue.add([alert("b", endsAt: 1, isResolved: true)])
        #expect(queue.giveBack(batch).isEmpty)
        let all = queue.take(10, now: 0).batch
        #expect(names(all) == ["a", "c", "b"] && all.last?.isResolved == true)
    }

    @Test("an alert survives its coding, and damage is noticed")
    func coding() {
        let bytes = alert("a", isResolved: true).encoded()
        #expect(Alert(decoding: bytes) == alert("a", isResolved: true))
        for length in 0..<bytes.count { #expect(Alert(decoding: Array(bytes.prefix(length))) == nil) }
    }

    @Test(
        "times are RFC 3339 with milliseconds",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1_709_210_096_789, "2024-02-29T12:34:56.789Z"),
            (-1, "1969-12-31T23:59:59.999Z"), (Int64.max, "9999-12-31T23:59:59.999Z"),
        ] as [(Int64, String)])
    func times(time: Int64, text: String) { #expect(RFC3339.text(time) == text) }
}
