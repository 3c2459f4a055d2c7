package import PromQLEngine
package import SeriesModel

/// What a query was answered, in a form that can be compared to the last bit and read when it differs.
package enum Answer: Hashable, Sendable {
    case failure(String)
    /// Lines in the order of the answer, then warnings and infos.
    case lines([String])

    /// - Parameters:
    ///   - hidesHints: leaves out what is known of counter resets between histograms: a store need not know it.
    ///   - ask: an instant or a range query.
    package init(hidesHints: Bool = false, _ ask: () async throws(QueryError) -> QueryResult) async {
        do throws(QueryError) {
            let result = try await ask()
            let messages = result.warnings.map { "warning: " + $0 } + result.infos.map { "info: " + $0 }
            self = .lines(
                AnswerText.lines(result.value, hidesHints: hidesHints)
                    + messages.filter { !hidesHints || !$0.contains("conflicting counter resets") })
        } catch {
            self = .failure("\(error)")
        }
    }

    /// The same with its lines sorted: instant vectors have an order only where they were asked to have one.
    package var unordered: Answer {
        if case .lines(let lines) = self { return .lines(lines.sorted()) }
        return self
    }

    package var hasData: Bool {
        if case .lines(let lines) = self { return !lines.isEmpty }
        return false
    }

    /// The first lines in which two answers differ; nil where they are the same.
    package func difference(from other: Answer) -> String? {
        if self == other { return nil }
        switch (self, other) {
        case (.lines(let a), .lines(let b)):
            let index = zip(a, b).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(a.count, b.count)
            return "line \(index) of \(a.count) and \(b.count): \(a.dropFirst(index).first ?? "nothing") | "
                + (b.dropFirst(index).first ?? "nothing")
        case (.failure(let a), .failure(let b)): return "\(a) | \(b)"
        case (.failure(let a), .lines): return "failure: \(a) | an answer"
        case (.lines, .failure(let b)): return "an answer | failure: \(b)"
        }
    }
}

/// Answers as text.
package enum AnswerText {
    /// One line for a series and time.
    package static func lines(_ value: QueryValue, hidesHints: Bool = false) -> [String] {
        switch value {
        case .scalar(let time, let value): return ["scalar @\(time) \(text(value))"]
        case .string(let time, let text): return ["string @\(time) \(text)"]
        case .vector(let samples): return samples.map { "\($0.labels) @\($0.timestamp) \(text($0, hidesHints))" }
        case .matrix(let series):
            return series.flatMap { one in
                points(one.samples, hidesHints).map { "\(one.labels) @\($0.time) \($0.text)" }
            }
        }
    }

    /// The points of an answer by time, whatever their order.
    package static func points(_ value: QueryValue) -> [Timestamp: [LabelSet: String]] {
        var points: [Timestamp: [LabelSet: String]] = [:]
        switch value {
        case .scalar(let time, let value): points[time, default: [:]][.empty] = text(value)
        case .string: break
        case .vector(let samples):
            for sample in samples { points[sample.timestamp, default: [:]][sample.labels] = text(sample) }
        case .matrix(let series):
            for one in series {
                for point in Self.points(one.samples) { points[point.time, default: [:]][one.labels] = point.text }
            }
        }
        return points
    }

    private static func points(_ samples: SampleBuffer, _ hidesHints: Bool = false) -> [(time: Timestamp, text: String)]
    {
        zip(samples.timestamps, samples.values).map { ($0, text($1)) }
            + zip(samples.histogramTimestamps, samples.histograms).map { ($0, text($1, hidesHints)) }
    }

    private static func text(_ sample: VectorSample, _ hidesHints: Bool = false) -> String {
        sample.histogram.map { text($0, hidesHints) } ?? text(sample.value)
    }

    /// All NaNs alike: results keep no promise on their payload.
    package static func text(_ value: Double) -> String {
        value.isNaN ? "NaN" : NumberText.general(value) + " " + String(value.bitPattern, radix: 16)
    }

    private static func text(_ histogram: NativeHistogram, _ hidesHints: Bool) -> String {
        let sides = [histogram.positive, histogram.negative].map { populated($0) }
        return "histogram \(histogram.schema) \(text(histogram.count)) \(text(histogram.sum)) "
            + "\(text(histogram.zeroThreshold)) \(text(histogram.zeroCount)) \(sides[0]) \(sides[1]) "
            + "\(histogram.customBounds)" + (hidesHints ? "" : " \(histogram.counterResetHint)")
    }
    /// The buckets that hold anything, by index: which empty ones lie between is a matter of the store.
    private static func populated(_ side: HistogramSide) -> String {
        var buckets: [String] = []
        var index = 0
        var rest = side.counts[...]
        for span in side.spans {
            index += Int(span.offset)
            for count in rest.prefix(Int(span.length)) {
                if count != 0 { buckets.append("\(index):\(text(count))") }
                index += 1
            }
            rest = rest.dropFirst(Int(span.length))
        }
        return buckets.joined(separator: ",")
    }
}
