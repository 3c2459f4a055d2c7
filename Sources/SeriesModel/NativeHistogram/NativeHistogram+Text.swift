extension NativeHistogram: CustomStringConvertible {
    /// Upstream's notation: `{count:4, sum:2.5, [-1,-0.5):1, [-0.001,0.001]:1, (0.5,1]:2}`. Empty buckets are left out.
    package var description: String {
        var text = "{count:\(NumberText.general(count)), sum:\(NumberText.general(sum))"
        var negativeCursor = HistogramSide.Cursor(negative, reversed: true)
        while let (index, count, _) = negativeCursor.next() {
            if count != 0 { text += ", " + bucket(index, count, isPositive: false).description }
        }
        if zeroCount != 0 { text += ", " + zeroBucket.description }
        var positiveCursor = HistogramSide.Cursor(positive)
        while let (index, count, _) = positiveCursor.next() {
            if count != 0 { text += ", " + bucket(index, count, isPositive: true).description }
        }
        return text + "}"
    }

    /// The literal of test scripts: `{{schema:1 count:22 sum:3 buckets:[5 10 7]}}`. Gaps between spans are filled with
    /// empty buckets, as the literal has one run on each side.
    package var testNotation: String {
        var parts: [String] = []
        func put(_ key: String, _ value: Double) {
            if value != 0 { parts.append("\(key):\(NumberText.general(value))") }
        }
        if schema != 0 { parts.append("schema:\(schema)") }
        put("count", count)
        put("sum", sum)
        put("z_bucket", zeroCount)
        put("z_bucket_w", zeroThreshold)
        if usesCustomBounds { parts.append("custom_values:" + NativeHistogram.list(customBounds)) }
        switch counterResetHint {
        case .unknown: break
        case .reset: parts.append("counter_reset_hint:reset")
        case .notReset: parts.append("counter_reset_hint:not_reset")
        case .gauge: parts.append("counter_reset_hint:gauge")
        }
        for (side, prefix) in [(positive, ""), (negative, "n_")] {
            var filled = side
            // A histogram from outside may have a gap of billions.
            filled.compact(emptyBucketsMax: 10_000)
            guard let first = filled.spans.first else { continue }
            if first.offset != 0 { parts.append("\(prefix)offset:\(first.offset)") }
            parts.append("\(prefix)buckets:" + NativeHistogram.list(filled.counts))
        }
        return "{{" + parts.joined(separator: " ") + "}}"
    }

    private static func list(_ values: [Double]) -> String {
        "[" + values.map(NumberText.general).joined(separator: " ") + "]"
    }
}

extension NativeHistogram.Bucket: CustomStringConvertible {
    /// `(0.5,1]:2`
    package var description: String {
        (lowerIsInclusive ? "[" : "(") + NumberText.general(lower) + "," + NumberText.general(upper)
            + (upperIsInclusive ? "]" : ")") + ":" + NumberText.general(count)
    }
}
