extension NativeHistogram {
    /// Checks what arithmetic takes for granted: a known schema, spans and counts that fit each other, no negative
    /// counts, custom bounds in order, and nothing that the schema does not have.
    package func validate() throws(HistogramError) {
        switch schema {
        case NativeHistogram.customSchema: try validateCustom()
        case NativeHistogram.exponentialSchemas:
            try prefixing("positive side") { () throws(HistogramError) in try positive.validateSpans() }
            try prefixing("negative side") { () throws(HistogramError) in try negative.validateSpans() }
            try prefixing("negative side") { () throws(HistogramError) in try negative.validateCounts() }
            if zeroCount < 0 {
                throw HistogramError(
                    description: "zero bucket has observation count of \(NumberText.general(zeroCount)): "
                        + "histogram has a bucket whose observation count is negative")
            }
            if !customBounds.isEmpty {
                throw HistogramError(description: "histogram with exponential schema must not have custom bounds")
            }
        default: throw HistogramError.invalidSchema(schema)
        }
        if count < 0 {
            throw HistogramError(
                description: "observation count is \(NumberText.general(count)): "
                    + "histogram's observation count is negative")
        }
        try prefixing("positive side") { () throws(HistogramError) in try positive.validateCounts() }
    }

    private func validateCustom() throws(HistogramError) {
        try prefixing("custom buckets") { () throws(HistogramError) in
            try validateBounds()
            try positive.validateSpans(allowsNegativeStart: false)
            let extent = positive.spans.reduce(0) { $0 + Int($1.offset) + Int($1.length) }
            if customBounds.count + 1 < extent {
                throw HistogramError(
                    description: "only \(customBounds.count) custom bounds defined which is insufficient to cover "
                        + "total span length of \(extent): histogram custom bounds are too few")
            }
        }
        let problem: String? =
            if zeroCount != 0 {
                "must have zero count of 0"
            } else if zeroThreshold != 0 {
                "must have zero threshold of 0"
            } else if !negative.spans.isEmpty {
                "must not have negative spans"
            } else if !negative.counts.isEmpty {
                "must not have negative buckets"
            } else {
                nil
            }
        if let problem { throw HistogramError(description: "custom buckets: " + problem) }
    }

    private func validateBounds() throws(HistogramError) {
        var previous = -Double.infinity
        for (index, bound) in customBounds.enumerated() {
            if bound.isNaN { throw HistogramError(description: "histogram custom bounds must not be NaN") }
            if index > 0, bound <= previous {
                let before = NumberText.fixed(previous, digits: 6)
                throw HistogramError(
                    description: "previous bound is \(before) and current is \(NumberText.fixed(bound, digits: 6)): "
                        + "histogram custom bounds must be in strictly increasing order")
            }
            previous = bound
        }
        if previous == .infinity {
            throw HistogramError(
                description: "last +Inf bound must not be explicitly defined: histogram custom bounds must be finite")
        }
    }

    private func prefixing(
        _ place: String, _ check: () throws(HistogramError) -> Void
    ) throws(HistogramError) {
        do {
            try check()
        } catch {
            throw HistogramError(description: place + ": " + error.description)
        }
    }
}

extension HistogramSide {
    /// - Parameter allowsNegativeStart: whether the first index may be below zero.
    fileprivate func validateSpans(allowsNegativeStart: Bool = true) throws(HistogramError) {
        var needed: Int64 = 0
        for (index, span) in spans.enumerated() {
            if span.offset < 0, index > 0 || !allowsNegativeStart {
                throw HistogramError(
                    description: "span number \(index + 1) with offset \(span.offset): "
                        + "histogram has a span whose offset is negative")
            }
            needed += Int64(span.length)
        }
        if needed != Int64(counts.count) {
            throw HistogramError(
                description: "spans need \(needed) buckets, have \(counts.count) buckets: "
                    + "histogram spans specify different number of buckets than provided")
        }
    }

    fileprivate func validateCounts() throws(HistogramError) {
        guard let index = counts.firstIndex(where: { $0 < 0 }) else { return }
        throw HistogramError(
            description: "bucket number \(index + 1) has observation count of \(NumberText.general(counts[index])): "
                + "histogram has a bucket whose observation count is negative")
    }
}
