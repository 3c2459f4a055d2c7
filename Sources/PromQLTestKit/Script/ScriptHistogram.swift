package import SeriesModel

/// A native histogram as a script writes it: `{{schema:0 count:3 sum:2.5 buckets:[1 2]}}`. Taken as written, sound or
/// not.
package struct ScriptHistogram: Sendable {
    package var histogram = NativeHistogram()
    /// Expectations compare the counter reset hint only where it is written.
    package var isHintWritten = false

    /// From `{{` to behind `}}`.
    init(parsing cursor: inout ByteCursor) throws(NotationError) {
        guard cursor.accept("{{") else { throw SeriesNotation.unexpected(cursor) }
        var seen: Set<String> = []
        var offsets: (positive: Int32, negative: Int32) = (0, 0)
        while !cursor.accept("}}") {
            if !seen.isEmpty {
                // The blanks that separate entries were skipped behind the last one.
                guard cursor.bytes[cursor.position - 1] == 0x20 || cursor.bytes[cursor.position - 1] == 0x09 else {
                    throw SeriesNotation.unexpected(cursor)
                }
            }
            let key = cursor.take(while: ByteCursor.isWord).lowercased()
            guard !key.isEmpty, cursor.accept(UInt8(ascii: ":")) else { throw SeriesNotation.unexpected(cursor) }
            guard seen.insert(key).inserted else { throw NotationError("\(key) occurs twice in a histogram") }
            switch key {
            case "offset": offsets.positive = try ScriptHistogram.integer(&cursor)
            case "n_offset": offsets.negative = try ScriptHistogram.integer(&cursor)
            default: try set(key, &cursor)
            }
            cursor.skipBlanks()
        }
        histogram.positive.spans = ScriptHistogram.spans(histogram.positiveBuckets, offset: offsets.positive)
        histogram.negative.spans = ScriptHistogram.spans(histogram.negativeBuckets, offset: offsets.negative)
    }

    private static func spans(_ buckets: [Double], offset: Int32) -> [NativeHistogram.Span] {
        buckets.isEmpty ? [] : [NativeHistogram.Span(offset: offset, length: UInt32(clamping: buckets.count))]
    }

    private mutating func set(_ key: String, _ cursor: inout ByteCursor) throws(NotationError) {
        switch key {
        case "schema": histogram.schema = try ScriptHistogram.integer(&cursor)
        case "count": histogram.count = try SeriesNotation.number(&cursor, allowsPlus: false)
        case "sum": histogram.sum = try SeriesNotation.number(&cursor, allowsPlus: false)
        case "z_bucket": histogram.zeroCount = try SeriesNotation.number(&cursor, allowsPlus: false)
        case "z_bucket_w":
            guard cursor.peek != UInt8(ascii: "-") else { throw SeriesNotation.unexpected(cursor) }
            histogram.zeroThreshold = try SeriesNotation.number(&cursor, allowsPlus: false)
        case "buckets": histogram.positive.counts = try ScriptHistogram.list(&cursor)
        case "n_buckets": histogram.negative.counts = try ScriptHistogram.list(&cursor)
        case "custom_values": histogram.customBounds = try ScriptHistogram.list(&cursor)
        case "counter_reset_hint":
            let word = cursor.take(while: ByteCursor.isWord).lowercased()
            guard let hint = ScriptHistogram.hints.first(where: { $0.word == word })?.hint else {
                throw NotationError("bad counter_reset_hint \(GoQuote.quote(word))")
            }
            histogram.counterResetHint = hint
            isHintWritten = true
        default: throw NotationError("bad key \(GoQuote.quote(key)) in a histogram")
        }
    }

    private static let hints: [(word: String, hint: NativeHistogram.CounterResetHint)] = [
        ("unknown", .unknown), ("reset", .reset), ("not_reset", .notReset), ("gauge", .gauge),
    ]

    static func word(of hint: NativeHistogram.CounterResetHint) -> String {
        hints.first { $0.hint == hint }?.word ?? "unknown"
    }

    private static func integer(_ cursor: inout ByteCursor) throws(NotationError) -> Int32 {
        let start = cursor
        let sign = cursor.accept(UInt8(ascii: "-")) ? "-" : ""
        guard let value = Int32(sign + cursor.take(while: ByteCursor.isDigit)) else {
            throw SeriesNotation.unexpected(start)
        }
        return value
    }

    private static func list(_ cursor: inout ByteCursor) throws(NotationError) -> [Double] {
        guard cursor.accept(UInt8(ascii: "[")) else { throw SeriesNotation.unexpected(cursor) }
        var values = [try SeriesNotation.number(&cursor, allowsPlus: false)]
        while true {
            let isSeparated = cursor.skipBlanks()
            if cursor.accept(UInt8(ascii: "]")) { return values }
            guard isSeparated else { throw SeriesNotation.unexpected(cursor) }
            values.append(try SeriesNotation.number(&cursor, allowsPlus: false))
        }
    }
}

extension ScriptHistogram {
    /// Equality up to rounding; of the hint only where it is written.
    func matches(_ other: NativeHistogram) -> Bool {
        if isHintWritten, histogram.counterResetHint != other.counterResetHint { return false }
        return histogram.isNearlyEqual(to: other)
    }
}

extension ScriptHistogram: CustomStringConvertible {
    package var description: String {
        ScriptHistogram.notation(histogram, withHint: isHintWritten)
    }

    /// A histogram in the notation of scripts. Gaps between spans are filled with empty buckets.
    static func notation(_ histogram: NativeHistogram, withHint: Bool) -> String {
        var parts: [String] = []
        func add(_ key: String, _ value: Double) {
            if value != 0 { parts.append("\(key):\(NumberText.general(value))") }
        }
        func add(_ key: String, _ values: [Double]) {
            if values.isEmpty { return }
            parts.append("\(key):[" + values.map { NumberText.general($0) }.joined(separator: " ") + "]")
        }
        if histogram.schema != 0 { parts.append("schema:\(histogram.schema)") }
        add("count", histogram.count)
        add("sum", histogram.sum)
        add("z_bucket", histogram.zeroCount)
        add("z_bucket_w", histogram.zeroThreshold)
        if withHint { parts.append("counter_reset_hint:" + word(of: histogram.counterResetHint)) }
        add("custom_values", histogram.customBounds)
        for (prefix, side) in [("", histogram.positive), ("n_", histogram.negative)] {
            if let first = side.spans.first, first.offset != 0 { parts.append("\(prefix)offset:\(first.offset)") }
            add(prefix + "buckets", filled(side))
        }
        return "{{" + parts.joined(separator: " ") + "}}"
    }

    private static func filled(_ side: HistogramSide) -> [Double] {
        var out: [Double] = []
        var rest = side.counts[...]
        for (index, span) in side.spans.enumerated() {
            if index > 0 { out += repeatElement(0, count: Int(max(0, min(span.offset, 1000)))) }
            out += rest.prefix(Int(span.length))
            rest = rest.dropFirst(Int(span.length))
        }
        return out
    }
}

extension ScriptHistogram {
    /// The next of a series that grows, or falls, by the increment.
    mutating func combine(with increment: ScriptHistogram, isSum: Bool) throws(NotationError) {
        guard histogram.schema <= increment.histogram.schema else {
            throw NotationError(
                "cannot merge from schema \(increment.histogram.schema) to \(histogram.schema) in a histogram series")
        }
        do throws(HistogramError) {
            if isSum {
                _ = try histogram.add(increment.histogram)
            } else {
                _ = try histogram.subtract(increment.histogram)
            }
        } catch {
            throw NotationError(error.description)
        }
    }
}
