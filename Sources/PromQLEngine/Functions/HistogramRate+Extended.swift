import PromQLSyntax
import SeriesModel

extension HistogramRate {
    /// rate, increase and delta over `anchored` and `smoothed` windows.
    static func extended(
        _ window: MixedWindow, _ call: WindowCall, isCounter: Bool, isRate: Bool
    ) -> PointValue? {
        let kind = call.range.rangeExtension
        let (start, end) = (window.floats.start, window.floats.end)
        let lookback = call.context.lookbackDelta
        let latest = kind == .smoothed ? end &+ lookback : end
        let seen = start &- lookback
        let hasFloats = window.floats.times.contains { $0 > seen && $0 <= latest }
        let hasHistograms = window.allTimes.contains { $0 > seen && $0 <= latest }
        if hasFloats, hasHistograms {
            warnOfMix(call, at: call.rangeArgument)
            return nil
        }
        if hasFloats {
            return ExtendedRange.rate(window.floats, call, isCounter: isCounter, isRate: isRate).map { .float($0) }
        }
        let edges = window.allTimes.withUnsafeBufferPointer { times in
            ExtendedRange(
                times, kind, from: start, to: end, low: window.times.startIndex, high: window.times.endIndex,
                lookback: lookback)
        }
        guard let edges, isUniform(window, edges, call, isCounter: isCounter) else { return nil }
        let interpolation = HistogramInterpolation(isCounter: isCounter, call: call)
        guard let left = left(window, edges, interpolation), let right = right(window, edges, interpolation) else {
            return nil
        }
        if !isCounter, left.counterResetHint != .gauge || right.counterResetHint != .gauge {
            warnNotGauge(call, at: call.rangeArgument)
        }
        var result: NativeHistogram? = right
        guard combine(&result, subtracting: left, call) else { return nil }
        if isCounter, !addResets(&result, window, edges, left, right, call) { return nil }
        if isRate { result?.divide(by: Double(call.range.width) / 1000) }
        result?.counterResetHint = .gauge
        result?.compact()
        return result.map { .histogram($0) }
    }

    private static func isUniform(
        _ window: MixedWindow, _ edges: ExtendedRange, _ call: WindowCall, isCounter: Bool
    ) -> Bool {
        let usesCustomBounds = window.allHistograms[edges.first].usesCustomBounds
        for histogram in window.allHistograms[edges.first...edges.last] {
            if histogram.usesCustomBounds != usesCustomBounds {
                incompatible(call)
                return false
            }
            if isCounter, histogram.counterResetHint == .gauge { warnNotCounter(call) }
        }
        return true
    }

    private static func left(
        _ window: MixedWindow, _ edges: ExtendedRange, _ interpolation: HistogramInterpolation
    ) -> NativeHistogram? {
        guard edges.interpolatesStart else { return window.allHistograms[edges.first] }
        return interpolation.value(window, edges.first, at: window.floats.start)
    }

    private static func right(
        _ window: MixedWindow, _ edges: ExtendedRange, _ interpolation: HistogramInterpolation
    ) -> NativeHistogram? {
        guard edges.interpolatesEnd else { return window.allHistograms[edges.last] }
        return interpolation.value(window, edges.last - 1, at: window.floats.end)
    }

    /// The edges stand for the first and the last sample, so only those between are looked at.
    private static func addResets(
        _ result: inout NativeHistogram?, _ window: MixedWindow, _ edges: ExtendedRange, _ left: NativeHistogram,
        _ right: NativeHistogram, _ call: WindowCall
    ) -> Bool {
        let all = window.allHistograms
        var first = edges.first + 1
        var previous = left
        if edges.interpolatesStart, all[first].isReset(after: all[edges.first]) {
            // The interpolated edge lies within that reset: it is accounted for.
            previous = all[first]
            first += 1
        }
        if first > edges.last { return true }
        for current in all[first..<edges.last] {
            if current.isReset(after: previous), !combine(&result, adding: previous, call) { return false }
            previous = current
        }
        return !right.isReset(after: previous) || combine(&result, adding: previous, call)
    }
}

/// The histogram on the line between two others.
struct HistogramInterpolation {
    let isCounter: Bool
    let call: WindowCall

    /// - Parameter index: of the sample before; the one after is its neighbour.
    func value(_ window: MixedWindow, _ index: Int, at time: Timestamp) -> NativeHistogram? {
        let (before, after) = (window.allHistograms[index], window.allHistograms[index + 1])
        let (t1, t2) = (window.allTimes[index], window.allTimes[index + 1])
        if time == t1 { return before }
        if time == t2 { return after }
        let fraction = Double(time &- t1) / Double(t2 &- t1)
        do throws(HistogramError) {
            return try HistogramInterpolation.between(before, after, fraction, isCounter: isCounter) {
                HistogramRate.noteReconciled($0, call)
            }
        } catch {
            return HistogramRate.incompatible(call)
        }
    }

    static func between(
        _ before: NativeHistogram, _ after: NativeHistogram, _ fraction: Double, isCounter: Bool,
        _ noteReconciled: (_ operation: String) -> Void
    ) throws(HistogramError) -> NativeHistogram {
        var result = after
        if isCounter, after.isReset(after: before) {
            // It climbs from zero.
            result.multiply(by: fraction)
            return result
        }
        if try result.subtract(before).hasReconciledBounds { noteReconciled("subtraction") }
        result.multiply(by: fraction)
        if try result.add(before).hasReconciledBounds { noteReconciled("addition") }
        return result
    }
}
