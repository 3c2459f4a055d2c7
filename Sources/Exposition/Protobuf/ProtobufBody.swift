import ByteCoding
import SeriesModel

extension DecodedExposition {
    /// Decodes a body of `io.prometheus.client.MetricFamily` messages, each behind its length.
    /// - Throws: `ExpositionError` where the bytes are no such messages, or say what an exposition may not say.
    package init(
        protobuf body: UnsafeRawBufferPointer, histograms: HistogramHandling, keepsStarts: Bool = false
    ) throws(ExpositionError) {
        self.init(keepsStarts: keepsStarts)
        var cursor = WireCursor(body)
        do {
            while !cursor.isAtEnd {
                var family = FamilyReader(try WireCursor(body, cursor.sized()), handling: histograms)
                try family.read(into: &self)
            }
        } catch let error as WireError {
            throw ExpositionError(line: 0, message: error.description)
        } catch let error as ExpositionError {
            throw error
        } catch {
            throw ExpositionError(line: 0, message: "\(error)")
        }
    }
}

/// Reads one metric family. Its fields may come in any order, so they are looked for before the metrics are read.
private struct FamilyReader {
    private let fields: WireCursor
    private let handling: HistogramHandling
    private var name: Range<Int> = 0..<0
    private var help: Range<Int> = 0..<0
    private var unit: Range<Int> = 0..<0
    private var type: UInt64 = 0
    private var metrics: [WireCursor] = []
    /// The name as it stands in the texts.
    private var written: Range<Int> = 0..<0

    init(_ fields: WireCursor, handling: HistogramHandling) {
        self.fields = fields
        self.handling = handling
    }

    mutating func read(into out: inout DecodedExposition) throws {
        var cursor = fields
        while let tag = try cursor.tag() {
            switch tag.field {
            case ProtobufField.Family.name: name = try cursor.bytes(tag)
            case ProtobufField.Family.help: help = try cursor.bytes(tag)
            case ProtobufField.Family.type: type = try cursor.integer(tag)
            case ProtobufField.Family.metric: metrics.append(try cursor.message(tag))
            case ProtobufField.Family.unit: unit = try cursor.bytes(tag)
            default: try cursor.skip(tag)
            }
        }
        // One without metrics says nothing.
        if metrics.isEmpty { return }
        let type = try checkedType()
        written = out.write(escaped: fields.buffer[name])
        out.append(.help(metric: written, text: out.write(escaped: fields.buffer[help])))
        out.append(.type(metric: written, kind: type.kind))
        if !unit.isEmpty { out.append(.unit(metric: written, text: out.write(raw: fields.buffer[unit]))) }
        for metric in metrics {
            var reader = ProtobufMetricReader(metric, type: type, family: written, handling: handling)
            try reader.read(into: &out)
        }
    }

    private func checkedType() throws(ExpositionError) -> ProtobufFamilyType {
        let bytes = fields.buffer
        guard !name.isEmpty, UTF8Text.isValid(UnsafeRawBufferPointer(rebasing: bytes[name])) else {
            let text = ExpositionError.quote(bytes, name)
            throw ExpositionError(line: 0, message: "invalid metric name: \(text)")
        }
        let quoted = ExpositionError.quote(bytes, name)
        guard UTF8Text.isValid(UnsafeRawBufferPointer(rebasing: bytes[help])) else {
            throw ExpositionError(
                line: 0, message: "invalid help for metric \(quoted): \(ExpositionError.quote(bytes, help))")
        }
        guard let type = ProtobufFamilyType(rawValue: type) else {
            throw ExpositionError(line: 0, message: "unknown metric type for metric \(quoted): \(self.type)")
        }
        try checkUnit(type, quoted)
        return type
    }

    private func checkUnit(_ type: ProtobufFamilyType, _ quoted: String) throws(ExpositionError) {
        if unit.isEmpty { return }
        let bytes = fields.buffer
        var metric = name
        let total = "_total".utf8
        let isCounter = type == .counter && bytes[metric.suffix(total.count)].elementsEqual(total)
        if isCounter { metric = metric.dropLast(total.count) }
        let separator = metric.upperBound - unit.count - 1
        guard separator >= metric.lowerBound, bytes[separator] == UInt8(ascii: "_"),
            bytes[separator + 1..<metric.upperBound].elementsEqual(bytes[unit])
        else {
            let what = isCounter ? "counter" : "metric"
            throw ExpositionError(
                line: 0,
                message: "unit \(ExpositionError.quote(bytes, unit)) not a suffix of \(what) \(quoted)")
        }
    }
}
