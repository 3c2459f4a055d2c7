/// Milliseconds since 1970-01-01T00:00:00Z. May be negative.
@usableFromInline package typealias Timestamp = Int64

/// A closed interval of timestamps: both ends belong to it. Empty when `max < min`.
package struct TimeRange: Hashable, Sendable {
    package var min: Timestamp
    package var max: Timestamp

    package init(min: Timestamp, max: Timestamp) {
        self.min = min
        self.max = max
    }

    /// Everything that can be stored.
    package static let all = TimeRange(min: .min, max: .max)

    package func contains(_ timestamp: Timestamp) -> Bool { min <= timestamp && timestamp <= max }

    package func overlaps(_ other: TimeRange) -> Bool { min <= other.max && other.min <= max }
}

/// Arithmetic on times from outside: the result is pinned to the ends instead of trapping.
extension Int64 {
    package func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }

    package func subtractingClamped(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other < 0 ? .max : .min) : difference
    }

    /// The nearest representable integer (towards zero); nil for NaN. Never traps, unlike `Int64(_:)`.
    package init?(clamping value: Double) {
        guard !value.isNaN else { return nil }
        if value >= 9_223_372_036_854_775_808 {
            self = .max
        } else if value <= -9_223_372_036_854_775_808 {
            self = .min
        } else {
            self = Int64(value)
        }
    }
}
