/// The buckets on one side of zero: runs of neighbouring indexes and a count for each bucket in them.
///
/// What comes from outside may be inconsistent (see `NativeHistogram.validate`); every walk stops where either runs or
/// counts end.
package struct HistogramSide: Sendable {
    package var spans: [NativeHistogram.Span]
    package var counts: [Double]

    package init(spans: [NativeHistogram.Span] = [], counts: [Double] = []) {
        self.spans = spans
        self.counts = counts
    }

    package var isEmpty: Bool { counts.isEmpty }

    /// Adds a bucket behind all others.
    /// - Precondition: `index` is above that of the last bucket, whose index is `last`; nil for none.
    mutating func append(_ count: Double, at index: Int, last: Int?) {
        counts.append(count)
        if let last, index == last + 1, !spans.isEmpty {
            spans[spans.count - 1].length += 1
        } else {
            let gap = last.map { index - $0 - 1 } ?? index
            spans.append(NativeHistogram.Span(offset: Int32(clamping: gap), length: 1))
        }
    }

    /// Whether both have the same buckets, whatever spans describe them.
    func hasSameLayout(as other: HistogramSide) -> Bool {
        if spans == other.spans { return true }
        return normalizedSpans == other.normalizedSpans
    }

    /// The spans with empty ones folded away and adjacent ones joined.
    private var normalizedSpans: [NativeHistogram.Span] {
        var out: [NativeHistogram.Span] = []
        var gap: Int64 = 0
        for span in spans {
            gap += Int64(span.offset)
            if span.length == 0 { continue }
            if gap == 0, let last = out.indices.last {
                out[last].length &+= span.length
            } else {
                out.append(NativeHistogram.Span(offset: Int32(clamping: gap), length: span.length))
            }
            gap = 0
        }
        return out
    }
}

// MARK: - Walking

extension HistogramSide {
    /// Walks over the buckets by index, upwards or downwards.
    struct Cursor {
        private let side: HistogramSide
        private let isReversed: Bool
        private var span: Int
        /// Buckets of the current span that are left.
        private var left: Int
        private var index: Int
        private var position: Int

        init(_ side: HistogramSide, reversed: Bool = false) {
            self.side = side
            isReversed = reversed
            if reversed {
                // One behind the last bucket.
                index = side.spans.reduce(0) { $0 + Int($1.offset) + Int($1.length) }
                span = side.spans.count - 1
                position = side.counts.count - 1
                left = side.spans.last.map { Int($0.length) } ?? 0
            } else {
                index = side.spans.first.map { Int($0.offset) - 1 } ?? -1
                span = 0
                position = 0
                left = side.spans.first.map { Int($0.length) } ?? 0
            }
        }

        mutating func next() -> (index: Int, count: Double, position: Int)? {
            isReversed ? previousBucket() : nextBucket()
        }

        private mutating func nextBucket() -> (index: Int, count: Double, position: Int)? {
            guard position < side.counts.count else { return nil }
            while left == 0 {
                span += 1
                guard span < side.spans.count else { return nil }
                left = Int(side.spans[span].length)
                index += Int(side.spans[span].offset)
            }
            left -= 1
            index += 1
            defer { position += 1 }
            return (index, side.counts[position], position)
        }

        private mutating func previousBucket() -> (index: Int, count: Double, position: Int)? {
            guard position >= 0 else { return nil }
            while left == 0 {
                guard span > 0 else { return nil }
                index -= Int(side.spans[span].offset)
                span -= 1
                left = Int(side.spans[span].length)
            }
            left -= 1
            index -= 1
            defer { position -= 1 }
            return (index, side.counts[position], position)
        }
    }

    /// Calls the body for each bucket, upwards; stops where it returns false.
    @inline(__always)
    func forEach(_ body: (_ index: Int, _ count: Double) -> Bool) {
        var cursor = Cursor(self)
        while let (index, count, _) = cursor.next() {
            if !body(index, count) { return }
        }
    }
}
