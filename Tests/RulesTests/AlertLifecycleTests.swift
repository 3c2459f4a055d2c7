import SeriesModel
import Testing

@testable import Rules

@Suite("The life of an alert")
struct AlertLifecycleTests {
    private let labels: LabelSet = ["alertname": "A", "x": "1"]
    private let minute: Int64 = 60_000

    private func found(at time: Timestamp, _ value: Double = 1, _ labels: LabelSet? = nil) -> [ActiveAlert] {
        [ActiveAlert(labels: labels ?? self.labels, annotations: ["v": "\(value)"], value: value, activeAt: time)]
    }

    @Test("without a hold it fires at once")
    func immediate() throws {
        var lifecycle = AlertLifecycle()
        try lifecycle.advance(to: 0, found: found(at: 0), hold: 0, keepFiringFor: 0, limit: 0)
        #expect(lifecycle.active.map(\.state) == [.firing])
        #expect(lifecycle.active.first?.firedAt == 0)
    }

    @Test("with a hold it is pending until the hold has passed, and its annotations follow the value")
    func pending() throws {
        var lifecycle = AlertLifecycle()
        var states: [AlertState] = []
        for step in 0...3 {
            let time = Int64(step) * minute
            try lifecycle.advance(
                to: time, found: found(at: time, Double(step)), hold: 2 * minute, keepFiringFor: 0, limit: 0)
            states.append(lifecycle.state)
        }
        #expect(states == [.pending, .pending, .firing, .firing])
        let alert = try #require(lifecycle.active.first)
        #expect(alert.activeAt == 0 && alert.firedAt == 2 * minute && alert.value == 3)
        #expect(alert.annotations == ["v": "3.0"])
    }

    @Test("a pending one that goes is forgotten, and nobody is told")
    func forgotten() throws {
        var lifecycle = AlertLifecycle()
        try lifecycle.advance(to: 0, found: found(at: 0), hold: minute, keepFiringFor: 0, limit: 0)
        #expect(lifecycle.takeDue(at: 0, resendDelay: minute, interval: minute).isEmpty)
        try lifecycle.advance(to: minute, found: [], hold: minute, keepFiringFor: 0, limit: 0)
        #expect(lifecycle.alerts.isEmpty)
    }

    @Test("a firing one that goes is resolved, told, and told again for fifteen minutes")
    func resolved() throws {
        var lifecycle = AlertLifecycle()
        try lifecycle.advance(to: 0, found: found(at: 0), hold: 0, keepFiringFor: 0, limit: 0)
        #expect(lifecycle.takeDue(at: 0, resendDelay: minute, interval: minute).map(\.validUntil) == [4 * minute])
        var tellings: [Int64] = []
        for step in 1...20 {
            let time = Int64(step) * minute
            try lifecycle.advance(to: time, found: [], hold: 0, keepFiringFor: 0, limit: 0)
            let due = lifecycle.takeDue(at: time, resendDelay: minute, interval: minute)
            if !due.isEmpty { tellings.append(Int64(step)) }
            #expect(due.allSatisfy { $0.resolvedAt == minute })
        }
        // More than a minute must have passed between two tellings.
        #expect(tellings == [1, 3, 5, 7, 9, 11, 13, 15])
        #expect(lifecycle.alerts.isEmpty)
    }

    @Test("one that comes back is a new alert")
    func again() throws {
        var lifecycle = AlertLifecycle()
        try lifecycle.advance(to: 0, found: found(at: 0), hold: 0, keepFiringFor: 0, limit: 0)
        try lifecycle.advance(to: minute, found: [], hold: 0, keepFiringFor: 0, limit: 0)
        try lifecycle.advance(to: 2 * minute, found: found(at: 2 * minute), hold: 0, keepFiringFor: 0, limit: 0)
        let alert = try #require(lifecycle.active.first)
        #expect(alert.activeAt == 2 * minute && alert.resolvedAt == nil && alert.lastSentAt == nil)
    }

    @Test("keep_firing_for bridges gaps, and a return starts its time anew")
    func kept() throws {
        var lifecycle = AlertLifecycle()
        let present = [true, false, true, false, false, false, false]
        var states: [AlertState] = []
        for (step, isThere) in present.enumerated() {
            let time = Int64(step) * minute
            try lifecycle.advance(
                to: time, found: isThere ? found(at: time) : [], hold: 0, keepFiringFor: 2 * minute, limit: 0)
            states.append(lifecycle.state)
        }
        #expect(states == [.firing, .firing, .firing, .firing, .firing, .inactive, .inactive])
    }

    @Test("a firing alert is told again when more than the resend delay has passed")
    func resend() throws {
        var lifecycle = AlertLifecycle()
        var tellings: [Int64] = []
        for step in 0..<12 {
            let time = Int64(step) * 30_000
            try lifecycle.advance(to: time, found: found(at: time), hold: 0, keepFiringFor: 0, limit: 0)
            if !lifecycle.takeDue(at: time, resendDelay: minute, interval: 30_000).isEmpty { tellings.append(time) }
        }
        #expect(tellings == [0, 90_000, 180_000, 270_000])
    }

    @Test("beyond the limit all alerts are forgotten")
    func limit() throws {
        var lifecycle = AlertLifecycle()
        let two = found(at: 0) + found(at: 0, 1, ["alertname": "A", "x": "2"])
        #expect(throws: RuleError.failed("exceeded limit of 1 with 2 alerts")) {
            try lifecycle.advance(to: 0, found: two, hold: 0, keepFiringFor: 0, limit: 1)
        }
        #expect(lifecycle.alerts.isEmpty)
    }

    @Test("a state survives its coding, and damage is noticed")
    func coding() throws {
        var lifecycle = AlertLifecycle()
        try lifecycle.advance(to: 5, found: found(at: 5, .nan), hold: 0, keepFiringFor: 0, limit: 0)
        _ = lifecycle.takeDue(at: 5, resendDelay: minute, interval: minute)
        let rule = StoredAlertStates.Rule(name: "A", labels: [Label("a", "b")], alerts: Array(lifecycle.alerts.values))
        let stored = StoredAlertStates(evaluatedAt: 7, rules: [rule])
        let bytes = stored.encoded()
        #expect(StoredAlertStates(decoding: bytes)?.encoded() == bytes)
        for length in 0..<bytes.count { #expect(StoredAlertStates(decoding: Array(bytes.prefix(length))) == nil) }
        #expect(StoredAlertStates(decoding: bytes + [0]) == nil)
    }

    @Test(
        "time waited before an outage counts, the outage does not",
        arguments: [
            // (active since, down at, now, hold, grace) in minutes → active since
            (0, 5, 20, 10, 10, 20),
            (0, 30, 40, 20, 10, 0),
            (0, 2, 20, 30, 10, 18),
            (0, 25, 60, 30, 10, 40),
            (0, 1, 9, 5, 10, 8),
        ] as [(Int64, Int64, Int64, Int64, Int64, Int64)])
    func outage(_ case: (active: Int64, down: Int64, now: Int64, hold: Int64, grace: Int64, expected: Int64)) {
        let activeAt = AlertRestore.activeAt(
            `case`.active * minute, downAt: `case`.down * minute, now: `case`.now * minute,
            hold: `case`.hold * minute, grace: `case`.grace * minute)
        #expect(activeAt == `case`.expected * minute)
    }
}
