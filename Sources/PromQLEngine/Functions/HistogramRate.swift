import PromQLSyntax
import SeriesModel

/// rate, increase, delta, irate and idelta of native histograms.
enum HistogramRate {
    // MARK: Extrapolation

    static func extrapolated(
        _ window: MixedWindow, _ call: WindowCall, isCounter: Bool, isRate: Bool
    ) -> PointValue? {
        if window.floats.count > 0, window.histogramCount > 0 {
            warnOfMix(call, at: call.rangeArgument)
            return nil
        }
        guard let oldest = window.histograms.first, let first = window.times.first, let last = window.times.last else {
            return nil
        }
        var result: NativeHistogram?
        if window.histogramCount > 1 {
            result = difference(window, call, isCounter: isCounter)
            if result == nil { return nil }
        }
        var stretch = Stretch(
            first: first, last: last, count: window.histogramCount, start: window.floats.start,
            end: window.floats.end)
        let began = window.startTimestamp(window.times.startIndex)
        if isCounter, began != 0, began > window.floats.start, began < first {
            stretch.begin(at: began, last: last)
            if result == nil {
                result = oldest
            } else if !combine(&result, adding: oldest, call) {
                return nil
            }
        } else if let difference = result {
            if isCounter, difference.count > 0, oldest.count >= 0 {
                stretch.limit(toZero: oldest.count / difference.count)
            }
        }
        guard var scaled = result else { return nil }
        scaled.multiply(by: stretch.factor(isRate ? call.range.width : nil))
        return .histogram(scaled)
    }

    /// The newest less the oldest, resets added back.
    private static func difference(_ window: MixedWindow, _ call: WindowCall, isCounter: Bool) -> NativeHistogram? {
        let points = window.histograms
        guard var previous = points.first, let last = points.last else { return nil }
        var usesCustomBounds = previous.usesCustomBounds
        if isCounter, previous.counterResetHint == .gauge || last.counterResetHint == .gauge { warnNotCounter(call) }
        if isCounter {
            // Where a reset follows at once the first histogram does not count, and so its layout does not matter.
            let second = points.startIndex + 1
            if pair(window, second).isReset || points[second].isReset(after: previous) {
                previous = NativeHistogram(schema: points[second].schema, customBounds: points[second].customBounds)
                usesCustomBounds = points[second].usesCustomBounds
            }
        }
        if last.usesCustomBounds != usesCustomBounds { return incompatible(call) }
        var schema = min(last.schema, previous.schema)
        if isCounter {
            for point in points.dropFirst().dropLast() {
                if point.counterResetHint == .gauge { warnNotCounter(call) }
                schema = min(schema, point.schema)
                if point.usesCustomBounds != usesCustomBounds { return incompatible(call) }
            }
        } else if points.first?.counterResetHint != .gauge || last.counterResetHint != .gauge {
            warnNotGauge(call, at: call.rangeArgument)
        }
        var result: NativeHistogram? = last
        result?.reduceResolution(to: schema)
        guard combine(&result, subtracting: previous, call) else { return nil }
        if isCounter, !addResets(&result, from: previous, window, call) { return nil }
        result?.counterResetHint = .gauge
        result?.compact()
        return result
    }

    private static func addResets(
        _ result: inout NativeHistogram?, from first: NativeHistogram, _ window: MixedWindow, _ call: WindowCall
    ) -> Bool {
        var previous = first
        var hasOverlap = false
        for index in window.histograms.indices.dropFirst() {
            let current = window.histograms[index]
            let pair = pair(window, index)
            hasOverlap = hasOverlap || pair.overlaps
            if pair.isReset || current.isReset(after: previous) {
                guard combine(&result, adding: previous, call) else { return false }
            }
            previous = current
        }
        if hasOverlap { StartTimestamps.warnOfOverlap(call) }
        return true
    }

    private static func pair(_ window: MixedWindow, _ index: Int) -> StartTimestamps.Pair {
        StartTimestamps.Pair(
            window.startTimestamp(index - 1), window.allTimes[index - 1], window.startTimestamp(index),
            window.allTimes[index])
    }

    // MARK: The last two samples

    static func instant(_ window: MixedWindow, _ call: WindowCall, isRate: Bool) -> NativeHistogram? {
        let last = window.histograms.endIndex - 1
        guard last > window.histograms.startIndex else { return nil }
        let interval = window.times[last] &- window.times[last - 1]
        guard interval != 0 else { return nil }
        let (previous, newest) = (window.histograms[last - 1], window.histograms[last])
        let areGauges = [previous.counterResetHint, newest.counterResetHint].map { $0 == .gauge }
        if isRate, areGauges.contains(true) { warnNotCounter(call) }
        if !isRate, areGauges.contains(false) { warnNotGauge(call, at: call.rangeArgument) }
        var result: NativeHistogram? = newest
        if !isRate || !(pair(window, last).isReset || newest.isReset(after: previous)) {
            guard combine(&result, subtracting: previous, call) else { return nil }
        }
        result?.counterResetHint = .gauge
        result?.compact()
        if isRate { result?.divide(by: Double(interval) / 1000) }
        return result
    }

    // MARK: Arithmetic with annotations

    static func combine(
        _ result: inout NativeHistogram?, adding other: NativeHistogram, _ call: WindowCall
    ) -> Bool {
        do throws(HistogramError) {
            if try result?.add(other).hasReconciledBounds ?? false { noteReconciled("addition", call) }
            return true
        } catch {
            return incompatible(call) != nil
        }
    }

    static func combine(
        _ result: inout NativeHistogram?, subtracting other: NativeHistogram, _ call: WindowCall
    ) -> Bool {
        do throws(HistogramError) {
            if try result?.subtract(other).hasReconciledBounds ?? false { noteReconciled("subtraction", call) }
            return true
        } catch {
            return incompatible(call) != nil
        }
    }

    static func noteReconciled(_ operation: String, _ call: WindowCall) {
        call.context.annotations.info(
            "mismatched custom buckets were reconciled during \(operation)", at: call.rangeArgument)
    }

    @discardableResult
    static func incompatible(_ call: WindowCall) -> NativeHistogram? {
        call.context.annotations.warn(
            "vector contains a mix of histograms with exponential and custom buckets schemas for metric name "
                + GoQuote.quote(call.metricName), at: call.rangeArgument)
        return nil
    }

    static func warnOfMix(_ call: WindowCall, at range: SourceRange) {
        call.context.annotations.warn(
            "encountered a mix of histograms and floats for metric name \(GoQuote.quote(call.metricName))", at: range)
    }

    static func warnNotCounter(_ call: WindowCall) {
        call.context.annotations.warn(
            "this native histogram metric is not a counter: \(GoQuote.quote(call.metricName))",
            at: call.rangeArgument)
    }

    static func warnNotGauge(_ call: WindowCall, at range: SourceRange) {
        call.context.annotations.warn(
            "this native histogram metric is not a gauge: \(GoQuote.quote(call.metricName))", at: range)
    }
}
