import ByteCoding
import SeriesModel

/// Reads one metric of a family: a sample, or those of a summary or histogram.
struct ProtobufMetricReader {
    private let metric: WireCursor
    private let type: ProtobufFamilyType
    private let family: Range<Int>
    private let handling: HistogramHandling
    /// As `DecodedExposition.writeLabel` wrote them.
    private var labels: Range<Int> = 0..<0
    /// ms
    private var timestamp: Timestamp?

    /// - Parameter family: its name among the texts.
    init(_ metric: WireCursor, type: ProtobufFamilyType, family: Range<Int>, handling: HistogramHandling) {
        self.metric = metric
        self.type = type
        self.family = family
        self.handling = handling
    }

    mutating func read(into out: inout DecodedExposition) throws(WireError) {
        // What is not there reads as zeros, as protobuf has it.
        var value = WireCursor(metric.buffer, metric.end..<metric.end)
        let valueField = type.metricField
        let start = out.texts.count
        var fields = metric
        while let tag = try fields.tag() {
            switch tag.field {
            case ProtobufField.Metric.label:
                try writeLabel(fields.message(tag), isFirst: out.texts.count == start, into: &out)
            case ProtobufField.Metric.timestamp:
                let milliseconds = Int64(bitPattern: try fields.integer(tag))
                timestamp = milliseconds == 0 ? nil : milliseconds
            case valueField: value = try fields.message(tag)
            default: try fields.skip(tag)
            }
        }
        labels = start..<out.texts.count
        if out.keepsStarts { out.start = try startTimestamp(value) }
        defer { out.start = nil }
        switch type {
        case .summary: try readSummary(value, into: &out)
        case .histogram, .gaugeHistogram: try readHistogram(ProtobufHistogram(value), into: &out)
        case .counter, .gauge, .untyped: try readNumber(value, into: &out)
        }
    }

    /// When the counter began. - Parameter value: the message that holds the metric's value.
    private func startTimestamp(_ value: WireCursor) throws(WireError) -> Timestamp? {
        let wanted: Int
        switch type {
        case .counter: wanted = ProtobufField.Counter.start
        case .summary: wanted = ProtobufField.Summary.start
        case .histogram, .gaugeHistogram: wanted = ProtobufField.Histogram.start
        case .gauge, .untyped: return nil
        }
        var fields = value
        var start: Timestamp?
        while let tag = try fields.tag() {
            if tag.field == wanted { start = try milliseconds(fields.message(tag)) } else { try fields.skip(tag) }
        }
        return start
    }

    private func writeLabel(
        _ message: WireCursor, isFirst: Bool, into out: inout DecodedExposition
    ) throws(WireError) {
        var fields = message
        var name = 0..<0
        var value = 0..<0
        while let tag = try fields.tag() {
            switch tag.field {
            case ProtobufField.Pair.first: name = try fields.bytes(tag)
            case ProtobufField.Pair.second: value = try fields.bytes(tag)
            default: try fields.skip(tag)
            }
        }
        out.writeLabel(fields.buffer[name], fields.buffer[value], isFirst: isFirst)
    }

    // MARK: - Numbers

    private func readNumber(_ message: WireCursor, into out: inout DecodedExposition) throws(WireError) {
        var fields = message
        var value = 0.0
        var exemplar: WireCursor?
        while let tag = try fields.tag() {
            switch tag.field {
            case ProtobufField.Pair.first: value = try fields.double(tag)
            case ProtobufField.Counter.exemplar where type == .counter: exemplar = try fields.message(tag)
            default: try fields.skip(tag)
            }
        }
        let text = out.writeSeries(family, labels)
        out.append(text, value, timestamp, try readExemplar(exemplar, into: &out))
    }

    private func readSummary(_ message: WireCursor, into out: inout DecodedExposition) throws(WireError) {
        var fields = message
        var count = 0.0
        var sum = 0.0
        var quantiles: [(quantile: Double, value: Double)] = []
        while let tag = try fields.tag() {
            switch tag.field {
            case ProtobufField.Summary.count: count = Double(try fields.integer(tag))
            case ProtobufField.Summary.sum: sum = try fields.double(tag)
            case ProtobufField.Summary.quantile: quantiles.append(try quantile(fields.message(tag)))
            default: try fields.skip(tag)
            }
        }
        out.append(out.writeSeries(family, suffix: "_count", labels), count, timestamp)
        out.append(out.writeSeries(family, suffix: "_sum", labels), sum, timestamp)
        for (quantile, value) in quantiles {
            let extra: (name: StaticString, value: String) = ("quantile", NumberText.openMetrics(quantile))
            out.append(out.writeSeries(family, labels, extra: extra), value, timestamp)
        }
    }

    private func quantile(_ message: WireCursor) throws(WireError) -> (quantile: Double, value: Double) {
        var fields = message
        var pair = (quantile: 0.0, value: 0.0)
        while let tag = try fields.tag() {
            switch tag.field {
            case ProtobufField.Pair.first: pair.quantile = try fields.double(tag)
            case ProtobufField.Pair.second: pair.value = try fields.double(tag)
            default: try fields.skip(tag)
            }
        }
        return pair
    }

    // MARK: - Histograms

    private func readHistogram(
        _ histogram: ProtobufHistogram, into out: inout DecodedExposition
    ) throws(WireError) {
        var takesClassic = true
        if handling.takesNative, histogram.isNative {
            let text = out.writeSeries(family, labels)
            let exemplars = try readExemplars(of: histogram, into: &out)
            out.append(text, histogram.native(isGauge: type == .gaugeHistogram), timestamp, exemplars)
            takesClassic = handling.keepsClassic && !histogram.buckets.isEmpty
        } else if handling.convertsClassic, type == .histogram {
            try convert(histogram, into: &out)
            takesClassic = handling.keepsClassic
        }
        if takesClassic { try readClassic(histogram, into: &out) }
    }

    private func convert(_ histogram: ProtobufHistogram, into out: inout DecodedExposition) throws(WireError) {
        var classic = ClassicHistogram()
        classic.setCount(histogram.observations)
        classic.setSum(histogram.sum)
        for bucket in histogram.buckets { classic.setBucket(bucket.bound, bucket.cumulative) }
        guard let converted = classic.converted(), (try? converted.validate()) != nil else { return }
        let text = out.writeSeries(family, labels)
        out.append(text, converted, timestamp, try readExemplars(of: histogram, into: &out))
    }

    private func readClassic(_ histogram: ProtobufHistogram, into out: inout DecodedExposition) throws(WireError) {
        out.append(out.writeSeries(family, suffix: "_count", labels), histogram.observations, timestamp)
        out.append(out.writeSeries(family, suffix: "_sum", labels), histogram.sum, timestamp)
        for bucket in histogram.buckets {
            try append(bucket.bound, bucket.cumulative, bucket.exemplar, into: &out)
        }
        if histogram.buckets.last?.bound != .infinity {
            try append(.infinity, histogram.observations, nil, into: &out)
        }
    }

    private func append(
        _ bound: Double, _ value: Double, _ exemplar: WireCursor?, into out: inout DecodedExposition
    ) throws(WireError) {
        let extra: (name: StaticString, value: String) = ("le", NumberText.openMetrics(bound))
        let text = out.writeSeries(family, suffix: "_bucket", labels, extra: extra)
        out.append(text, value, timestamp, try readExemplar(exemplar, into: &out))
    }

    // MARK: - Exemplars

    /// Those of a native histogram: its own, or else those of its buckets; only such as have a time.
    private func readExemplars(
        of histogram: ProtobufHistogram, into out: inout DecodedExposition
    ) throws(WireError) -> [ExemplarText] {
        var exemplars: [ExemplarText] = []
        let messages = histogram.exemplars.isEmpty ? histogram.buckets.compactMap(\.exemplar) : histogram.exemplars
        for message in messages {
            if let exemplar = try readExemplar(message, into: &out), exemplar.timestamp != nil {
                exemplars.append(exemplar)
            }
        }
        return exemplars
    }

    private func readExemplar(
        _ message: WireCursor?, into out: inout DecodedExposition
    ) throws(WireError) -> ExemplarText? {
        guard var fields = message else { return nil }
        let start = out.texts.count
        var value = 0.0
        var timestamp: Timestamp?
        while let tag = try fields.tag() {
            switch tag.field {
            case ProtobufField.Exemplar.label:
                try writeLabel(fields.message(tag), isFirst: out.texts.count == start, into: &out)
            case ProtobufField.Exemplar.value: value = try fields.double(tag)
            case ProtobufField.Exemplar.timestamp: timestamp = try milliseconds(fields.message(tag))
            default: try fields.skip(tag)
            }
        }
        return ExemplarText(labels: start..<out.texts.count, value: value, timestamp: timestamp)
    }

    /// Of a `google.protobuf.Timestamp`.
    private func milliseconds(_ message: WireCursor) throws(WireError) -> Timestamp {
        var fields = message
        var seconds: Int64 = 0
        var nanoseconds: Int32 = 0
        while let tag = try fields.tag() {
            switch tag.field {
            case ProtobufField.Pair.first: seconds = Int64(bitPattern: try fields.integer(tag))
            case ProtobufField.Pair.second: nanoseconds = Int32(truncatingIfNeeded: try fields.integer(tag))
            default: try fields.skip(tag)
            }
        }
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        return overflow ? (seconds < 0 ? .min : .max) : product.addingClamped(Int64(nanoseconds / 1_000_000))
    }
}
