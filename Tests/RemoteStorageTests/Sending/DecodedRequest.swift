import ByteCoding
import SeriesModel

@testable import RemoteStorage

/// What a receiver finds in a request, of either version.
struct DecodedRequest: Sendable {
    struct Series: Sendable {
        var labels: LabelSet
        var samples: [MixedSampleColumn] = []
        var exemplars: [Exemplar] = []
        var metadata: (kind: UInt64, help: String, unit: String)?
    }

    enum MixedSampleColumn: Sendable {
        case float(Timestamp, Double)
        case histogram(Timestamp, NativeHistogram)
    }

    struct Malformed: Error {}

    var series: [Series] = []
    /// Of version 1.
    var metadata: [(family: String, kind: UInt64, help: String, unit: String)] = []
    var symbols: [String] = []

    static func version1(_ message: [UInt8]) throws -> DecodedRequest {
        var request = DecodedRequest()
        try message.withUnsafeBytes { bytes in
            var reader = WriteRequestReader(bytes)
            while let labels = try reader.next() {
                guard case .valid(let labels) = labels else { throw Malformed() }
                var series = Series(labels: labels)
                while let sample = try reader.nextSample() {
                    series.samples.append(.float(sample.timestamp, sample.value))
                }
                while let sample = try reader.nextHistogram() {
                    series.samples.append(.histogram(sample.timestamp, sample.histogram))
                }
                while let exemplar = try reader.nextExemplar() { series.exemplars.append(exemplar) }
                request.series.append(series)
            }
            var fields = WireCursor(bytes)
            while let tag = try fields.tag() {
                guard tag.field == 3 else {
                    try fields.skip(tag)
                    continue
                }
                request.metadata.append(try familyMetadata(try fields.message(tag)))
            }
        }
        return request
    }

    private static func familyMetadata(
        _ cursor: WireCursor
    ) throws -> (family: String, kind: UInt64, help: String, unit: String) {
        var fields = cursor
        var found = (family: "", kind: UInt64(0), help: "", unit: "")
        while let tag = try fields.tag() {
            switch tag.field {
            case 1: found.kind = try fields.integer(tag)
            case 2: found.family = text(fields.buffer, try fields.bytes(tag))
            case 4: found.help = text(fields.buffer, try fields.bytes(tag))
            case 5: found.unit = text(fields.buffer, try fields.bytes(tag))
            default: try fields.skip(tag)
            }
        }
        return found
    }

    private static func text(_ buffer: UnsafeRawBufferPointer, _ range: Range<Int>) -> String {
        String(decoding: buffer[range], as: UTF8.self)
    }

    // MARK: Version 2

    static func version2(_ message: [UInt8]) throws -> DecodedRequest {
        var request = DecodedRequest()
        try message.withUnsafeBytes { bytes in
            var fields = WireCursor(bytes)
            while let tag = try fields.tag() {
                if tag.field == 4 {
                    request.symbols.append(text(bytes, try fields.bytes(tag)))
                } else {
                    try fields.skip(tag)
                }
            }
            fields = WireCursor(bytes)
            while let tag = try fields.tag() {
                if tag.field == 5 {
                    request.series.append(try request.series(try fields.message(tag)))
                } else {
                    try fields.skip(tag)
                }
            }
        }
        return request
    }

    private func symbol(_ number: UInt64) throws -> String {
        guard number < UInt64(symbols.count) else { throw Malformed() }
        return symbols[Int(number)]
    }

    private func labels(_ fields: inout WireCursor, _ tag: WireCursor.Tag) throws -> LabelSet {
        var numbers = try fields.message(tag)
        var labels: [Label] = []
        while !numbers.isAtEnd { labels.append(Label(try symbol(numbers.varint()), try symbol(numbers.varint()))) }
        guard zip(labels, labels.dropFirst()).allSatisfy({ $0.name.precedesByBytes($1.name) }) else {
            throw Malformed()
        }
        return LabelSet(labels)
    }

    private func series(_ cursor: WireCursor) throws -> Series {
        var fields = cursor
        var series = Series(labels: .empty)
        while let tag = try fields.tag() {
            switch tag.field {
            case 1: series.labels = try labels(&fields, tag)
            case 2:
                var inner = try fields.message(tag)
                var (time, value) = (Timestamp(0), 0.0)
                while let tag = try inner.tag() {
                    if tag.field == 1 {
                        value = try inner.double(tag)
                    } else {
                        time = Int64(bitPattern: try inner.integer(tag))
                    }
                }
                series.samples.append(.float(time, value))
            case 3:
                var reader = HistogramReader(fields.buffer, try fields.bytes(tag))
                let histogram = try reader.read()
                series.samples.append(.histogram(reader.timestamp, histogram))
            case 4: series.exemplars.append(try exemplar(try fields.message(tag)))
            case 5:
                var inner = try fields.message(tag)
                var found = (kind: UInt64(0), help: "", unit: "")
                while let tag = try inner.tag() {
                    let number = try inner.integer(tag)
                    switch tag.field {
                    case 1: found.kind = number
                    case 3: found.help = try symbol(number)
                    default: found.unit = try symbol(number)
                    }
                }
                series.metadata = found
            default: try fields.skip(tag)
            }
        }
        return series
    }

    private func exemplar(_ cursor: WireCursor) throws -> Exemplar {
        var fields = cursor
        var exemplar = Exemplar(labels: .empty, value: 0, timestamp: 0)
        while let tag = try fields.tag() {
            switch tag.field {
            case 1: exemplar.labels = try labels(&fields, tag)
            case 2: exemplar.value = try fields.double(tag)
            case 3: exemplar.timestamp = Int64(bitPattern: try fields.integer(tag))
            default: try fields.skip(tag)
            }
        }
        return exemplar
    }
}
