import ByteCoding
package import SeriesModel

/// Writes an exposition as `io.prometheus.client.MetricFamily` messages, each behind its length.
///
/// The samples of a text are put together again: those of a histogram or summary are one metric there. Native
/// histograms have no form in a text: whoever has some writes families one by one.
package struct ProtobufWriter {
    private var bytes: [UInt8] = []
    private var family = Family()

    private struct Family {
        var name = ""
        var metadata = MetricMetadata()
        var metrics: [Metric] = []
        var numbers: [LabelSet: Int] = [:]
    }

    private struct Metric {
        let labels: [Label]
        var value = 0.0
        var count = 0.0
        var sum = 0.0
        /// Upper bounds with cumulative counts, or quantiles with values.
        var parts: [(key: Double, value: Double)] = []
        var timestamp: Timestamp?
        var native: NativeHistogram?
    }

    private enum Part {
        case value, count, sum
        case part(Double)
    }

    package init() {}

    /// The metrics that follow are of this family.
    package mutating func beginFamily(_ name: String, _ metadata: MetricMetadata) {
        endFamily()
        family.name = name
        family.metadata = metadata
    }

    /// A metric of a family that is no histogram and no summary.
    /// - Parameter labels: without the metric's name.
    package mutating func metric(_ labels: [Label], _ value: Double, timestamp: Timestamp?) {
        family.metrics.append(Metric(labels: labels, value: value, timestamp: timestamp))
    }

    /// A metric of a family of histograms, with exponential buckets.
    package mutating func metric(_ labels: [Label], _ histogram: NativeHistogram, timestamp: Timestamp?) {
        family.metrics.append(Metric(labels: labels, timestamp: timestamp, native: histogram))
    }

    /// A metric of a family of histograms, with classic buckets.
    /// - Parameter buckets: upper bounds with cumulative counts.
    package mutating func metric(
        _ labels: [Label], buckets: [(bound: Double, count: Double)], count: Double, sum: Double, timestamp: Timestamp?
    ) {
        let parts = buckets.map { (key: $0.bound, value: $0.count) }
        family.metrics.append(Metric(labels: labels, count: count, sum: sum, parts: parts, timestamp: timestamp))
    }

    /// What has been written so far, to be sent before the rest; the family is complete.
    package mutating func takeBytes() -> [UInt8] {
        endFamily()
        defer { bytes = [] }
        return bytes
    }

    /// The same exposition as a text says.
    /// - Throws: where it is none.
    package static func transcribe(_ text: [UInt8], _ format: ExpositionFormat) throws(ExpositionError) -> [UInt8] {
        do {
            return try text.withUnsafeBytes { body in
                var writer = ProtobufWriter()
                var parser = ExpositionParser(body, format: format)
                while let event = try parser.next() { try writer.take(event, parser, format) }
                writer.endFamily()
                return writer.bytes
            }
        } catch let error as ExpositionError {
            throw error
        } catch {
            throw ExpositionError(line: 0, message: "\(error)")
        }
    }

    // MARK: - What comes in

    private mutating func take(
        _ event: ExpositionEvent, _ parser: ExpositionParser, _ format: ExpositionFormat
    ) throws(ExpositionError) {
        switch event {
        case .help(let metric, let text):
            enter(parser.metricName(metric))
            family.metadata.help = parser.helpText(text)
        case .type(let metric, let kind):
            enter(parser.metricName(metric))
            family.metadata.kind = kind
        case .unit(let metric, let text):
            enter(parser.metricName(metric))
            family.metadata.unit = parser.string(text)
        case .comment: break
        case .series(let line): take(try parser.labels(of: line.text), line)
        }
    }

    private mutating func enter(_ name: String) {
        if family.metrics.isEmpty, family.name.hasSameBytes(as: name) { return }
        endFamily()
        family.name = name
    }

    private mutating func take(_ labels: LabelSet, _ line: SeriesLine) {
        let name = labels.metricName ?? ""
        let part: Part
        if let known = self.part(name, labels) {
            part = known
        } else {
            endFamily()
            family.name = name
            part = .value
        }
        let key = labels.dropping([Label.metricName, Label.bucketBound, Label.quantile])
        // A bound and a quantile are labels like any other where they are not of a histogram or summary.
        let identity = isComposite ? key : labels.dropping([Label.metricName])
        let number: Int
        if let existing = family.numbers[identity] {
            number = existing
        } else {
            number = family.metrics.count
            family.numbers[identity] = number
            family.metrics.append(Metric(labels: Array(identity)))
        }
        family.metrics[number].timestamp = line.timestamp
        switch part {
        case .value: family.metrics[number].value = line.value
        case .count: family.metrics[number].count = line.value
        case .sum: family.metrics[number].sum = line.value
        case .part(let key): family.metrics[number].parts.append((key, line.value))
        }
    }

    private var isComposite: Bool {
        switch family.metadata.kind {
        case .histogram, .gaugehistogram, .summary: true
        case .counter, .gauge, .info, .stateset, .unknown: false
        }
    }

    /// What a sample is of the family being gathered; nil where it is not of it.
    private func part(_ name: String, _ labels: LabelSet) -> Part? {
        let (own, metric) = (Array(family.name.utf8), Array(name.utf8))
        guard !own.isEmpty, metric.starts(with: own) else { return nil }
        let suffix = String(decoding: metric[own.count...], as: UTF8.self)
        let number = { (label: String) in labels[label].flatMap(NumberText.parse) }
        switch (family.metadata.kind, suffix) {
        case (.histogram, "_count"), (.summary, "_count"), (.gaugehistogram, "_gcount"): return .count
        case (.histogram, "_sum"), (.summary, "_sum"), (.gaugehistogram, "_gsum"): return .sum
        case (.histogram, "_bucket"), (.gaugehistogram, "_bucket"):
            return number(Label.bucketBound).map(Part.part)
        case (.summary, ""): return number(Label.quantile).map(Part.part)
        case (.counter, "_total"), (.counter, ""), (.gauge, ""), (.unknown, ""), (.info, "_info"), (.stateset, ""):
            return .value
        default: return nil
        }
    }

    // MARK: - What goes out

    private mutating func endFamily() {
        defer { family = Family() }
        guard !family.metrics.isEmpty else { return }
        var message = WireMessage()
        // Protobuf names a counter by its samples' name, as Prometheus does.
        let isBareCounter =
            family.metadata.kind == .counter && !family.name.utf8.suffix(6).elementsEqual("_total".utf8)
        message.append(ProtobufField.Family.name, family.name + (isBareCounter ? "_total" : ""))
        if !family.metadata.help.isEmpty { message.append(ProtobufField.Family.help, family.metadata.help) }
        message.append(ProtobufField.Family.type, type.rawValue)
        for metric in family.metrics { message.append(ProtobufField.Family.metric, encode(metric)) }
        if !family.metadata.unit.isEmpty { message.append(ProtobufField.Family.unit, family.metadata.unit) }
        Varint.append(UInt64(message.bytes.count), to: &bytes)
        bytes += message.bytes
    }

    private var type: ProtobufFamilyType {
        switch family.metadata.kind {
        case .counter: .counter
        case .gauge, .info, .stateset: .gauge
        case .summary: .summary
        case .unknown: .untyped
        case .histogram: .histogram
        case .gaugehistogram: .gaugeHistogram
        }
    }

    private func encode(_ metric: Metric) -> WireMessage {
        var message = WireMessage()
        for label in metric.labels {
            var pair = WireMessage()
            pair.append(ProtobufField.Pair.first, label.name)
            pair.append(ProtobufField.Pair.second, label.value)
            message.append(ProtobufField.Metric.label, pair)
        }
        var value = WireMessage()
        switch type {
        case .counter, .gauge, .untyped: value.append(ProtobufField.Pair.first, metric.value)
        case .summary:
            value.append(ProtobufField.Summary.count, UInt64(clamping: Int64(clamping: metric.count) ?? 0))
            value.append(ProtobufField.Summary.sum, metric.sum)
            for (quantile, number) in metric.parts {
                var pair = WireMessage()
                pair.append(ProtobufField.Pair.first, quantile)
                pair.append(ProtobufField.Pair.second, number)
                value.append(ProtobufField.Summary.quantile, pair)
            }
        case .histogram, .gaugeHistogram:
            if let native = metric.native {
                ProtobufWriter.append(native, to: &value)
                break
            }
            value.append(count: metric.count, ProtobufField.Histogram.count, ProtobufField.Histogram.countFloat)
            value.append(ProtobufField.Histogram.sum, metric.sum)
            for (bound, count) in metric.parts {
                var bucket = WireMessage()
                bucket.append(
                    count: count, ProtobufField.Bucket.cumulativeCount, ProtobufField.Bucket.cumulativeCountFloat)
                bucket.append(ProtobufField.Bucket.upperBound, bound)
                value.append(ProtobufField.Histogram.bucket, bucket)
            }
        }
        message.append(type.metricField, value)
        if let timestamp = metric.timestamp {
            message.append(ProtobufField.Metric.timestamp, UInt64(bitPattern: timestamp))
        }
        return message
    }
}

// MARK: - Native histograms

extension ProtobufWriter {
    /// With counts as floats, which hold whatever a store has.
    private static func append(_ histogram: NativeHistogram, to message: inout WireMessage) {
        typealias Field = ProtobufField.Histogram
        message.append(Field.countFloat, histogram.count)
        message.append(Field.sum, histogram.sum)
        message.append(Field.schema, Varint.zigzag(Int64(histogram.schema)))
        message.append(Field.zeroThreshold, histogram.zeroThreshold)
        message.append(Field.zeroCountFloat, histogram.zeroCount)
        append(
            histogram.negativeSpans, histogram.negativeBuckets, Field.negativeSpan, Field.negativeCount, to: &message)
        append(
            histogram.positiveSpans, histogram.positiveBuckets, Field.positiveSpan, Field.positiveCount, to: &message)
        let isEmpty = histogram.positiveSpans.isEmpty && histogram.negativeSpans.isEmpty
        if isEmpty, histogram.zeroThreshold == 0, histogram.zeroCount == 0 {
            // Nothing else would tell it from a classic histogram: a span of nothing says what it is.
            append(
                [NativeHistogram.Span(offset: 0, length: 0)], [], Field.positiveSpan, Field.positiveCount, to: &message)
        }
    }

    private static func append(
        _ spans: [NativeHistogram.Span], _ counts: [Double], _ spanField: Int, _ countField: Int,
        to message: inout WireMessage
    ) {
        for span in spans {
            var pair = WireMessage()
            pair.append(ProtobufField.Pair.first, Varint.zigzag(Int64(span.offset)))
            pair.append(ProtobufField.Pair.second, UInt64(span.length))
            message.append(spanField, pair)
        }
        for count in counts { message.append(countField, count) }
    }
}

/// The fields of one message.
private struct WireMessage {
    private(set) var bytes: [UInt8] = []

    mutating func append(_ field: Int, _ value: UInt64) {
        appendTag(field, WireCursor.WireType.varint)
        Varint.append(value, to: &bytes)
    }

    mutating func append(_ field: Int, _ value: Double) {
        appendTag(field, WireCursor.WireType.fixed64)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func append(_ field: Int, _ text: String) {
        appendSized(field, Array(text.utf8))
    }

    mutating func append(_ field: Int, _ message: WireMessage) {
        appendSized(field, message.bytes)
    }

    /// A count in the field for integers, or in the one for floats where it is no integer.
    mutating func append(count: Double, _ integerField: Int, _ floatField: Int) {
        if let integer = UInt64(exactly: count) {
            append(integerField, integer)
        } else {
            append(floatField, count)
        }
    }

    private mutating func appendSized(_ field: Int, _ content: [UInt8]) {
        appendTag(field, WireCursor.WireType.sized)
        Varint.append(UInt64(content.count), to: &bytes)
        bytes += content
    }

    private mutating func appendTag(_ field: Int, _ wireType: UInt8) {
        Varint.append(UInt64(field) << 3 | UInt64(wireType), to: &bytes)
    }
}
