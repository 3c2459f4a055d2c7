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
}

extension NativeHistogram.Bucket: CustomStringConvertible {
    /// `(0.5,1]:2`
    package var description: String {
        (lowerIsInclusive ? "[" : "(") + NumberText.general(lower) + "," + NumberText.general(upper)
            + (upperIsInclusive ? "]" : ")") + ":" + NumberText.general(count)
    }
}
