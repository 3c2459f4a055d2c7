package import ByteCoding
package import SeriesModel

/// Reads a `prometheus.WriteRequest`, the message of remote write 1.0, series by series and without making strings.
///
///     while let labels = try reader.next() {
///         while let sample = try reader.nextSample() { … }
///         while let histogram = try reader.nextHistogram() { … }
///         while let exemplar = try reader.nextExemplar() { … }
///     }
///
/// The fields of a series may stand in any order: its labels are collected when it is reached, its samples, its native
/// histograms and its exemplars are walked after that, each by themselves. What is not asked for is stepped over, and so
/// is metadata. Allocates once a series, for the bytes of its label set, and for histograms and exemplars.
///
/// The reader borrows the message's bytes and must not outlive them.
package struct WriteRequestReader {
    /// What a series' labels are.
    package enum SeriesLabels: Sendable, Hashable {
        case valid(LabelSet)
        case invalid(LabelFault)
    }

    /// Why labels name no series. Bytes that are no UTF-8 are replaced in the texts.
    package enum LabelFault: Sendable, Hashable {
        case metricNameMissing
        case nameEmpty
        case notUTF8(name: String)
        case duplicateName(String)
    }

    /// Field numbers of the messages (prompb/remote.proto and types.proto upstream).
    private enum Field {
        static let timeSeries = 1
        static let seriesLabels = 1
        static let seriesSamples = 2
        static let seriesExemplars = 3
        static let seriesHistograms = 4
        static let sampleValue = 1
        static let sampleTimestamp = 2
        static let exemplarLabels = 1
        static let exemplarValue = 2
        static let exemplarTimestamp = 3
    }

    private var request: WireCursor
    /// Three walks over the same series.
    private var samples: WireCursor
    private var histograms: WireCursor
    private var exemplars: WireCursor
    private var labels: LabelPacker
    private var exemplarLabels: LabelPacker

    package init(_ message: UnsafeRawBufferPointer) {
        request = WireCursor(message)
        samples = WireCursor(message, 0..<0)
        histograms = samples
        exemplars = samples
        labels = LabelPacker(message)
        exemplarLabels = LabelPacker(message)
    }

    /// Moves to the next series; nil at the message's end.
    package mutating func next() throws(WireError) -> SeriesLabels? {
        while let tag = try request.tag() {
            guard tag.field == Field.timeSeries else {
                try request.skip(tag)
                continue
            }
            try request.expect(WireCursor.WireType.sized, tag)
            samples = WireCursor(request.buffer, try request.sized())
            histograms = samples
            exemplars = samples
            return try collectLabels(samples)
        }
        samples = WireCursor(request.buffer, request.end..<request.end)
        histograms = samples
        exemplars = samples
        return nil
    }

    private mutating func collectLabels(_ series: WireCursor) throws(WireError) -> SeriesLabels {
        labels.removeAll()
        var (hasHistograms, hasExemplars) = (false, false)
        var fields = series
        while let tag = try fields.tag() {
            switch tag.field {
            case Field.seriesLabels:
                try fields.expect(WireCursor.WireType.sized, tag)
                try labels.add(try fields.sized())
            case Field.seriesSamples, Field.seriesExemplars, Field.seriesHistograms:
                try fields.expect(WireCursor.WireType.sized, tag)
                _ = try fields.sized()
                if tag.field == Field.seriesHistograms { hasHistograms = true }
                if tag.field == Field.seriesExemplars { hasExemplars = true }
            default: try fields.skip(tag)
            }
        }
        // Most series have none, and need no walk of their own.
        if !hasHistograms { histograms = WireCursor(series.buffer, series.end..<series.end) }
        if !hasExemplars { exemplars = WireCursor(series.buffer, series.end..<series.end) }
        return labels.pack()
    }

    /// The next sample of the series that `next` moved to; nil after its last. The value may be any bit pattern, the
    /// time is in ms.
    package mutating func nextSample() throws(WireError) -> (timestamp: Timestamp, value: Double)? {
        while let tag = try samples.tag() {
            guard tag.field == Field.seriesSamples else {
                try samples.skip(tag)
                continue
            }
            return try sample(try samples.sized())
        }
        return nil
    }

    /// The next native histogram of the series; nil after its last. Time in ms. Whether its parts fit each other is not
    /// looked at; one of a resolution beyond the finest that is stored is brought down to that.
    package mutating func nextHistogram() throws(WireError) -> (timestamp: Timestamp, histogram: NativeHistogram)? {
        while let tag = try histograms.tag() {
            guard tag.field == Field.seriesHistograms else {
                try histograms.skip(tag)
                continue
            }
            var reader = HistogramReader(histograms.buffer, try histograms.sized())
            let histogram = try reader.read()
            return (reader.timestamp, histogram)
        }
        return nil
    }

    /// The next exemplar of the series; nil after its last. One with invalid labels is left out.
    package mutating func nextExemplar() throws(WireError) -> Exemplar? {
        while let tag = try exemplars.tag() {
            guard tag.field == Field.seriesExemplars else {
                try exemplars.skip(tag)
                continue
            }
            if let exemplar = try exemplar(try exemplars.sized()) { return exemplar }
        }
        return nil
    }

    private mutating func exemplar(_ range: Range<Int>) throws(WireError) -> Exemplar? {
        var fields = WireCursor(exemplars.buffer, range)
        exemplarLabels.removeAll()
        var timestamp: Timestamp = 0
        var value = 0.0
        while let tag = try fields.tag() {
            switch tag.field {
            case Field.exemplarLabels:
                try fields.expect(WireCursor.WireType.sized, tag)
                try exemplarLabels.add(try fields.sized())
            case Field.exemplarValue:
                try fields.expect(WireCursor.WireType.fixed64, tag)
                value = Double(bitPattern: try fields.fixed64())
            case Field.exemplarTimestamp:
                try fields.expect(WireCursor.WireType.varint, tag)
                timestamp = Int64(bitPattern: try fields.varint())
            default: try fields.skip(tag)
            }
        }
        return exemplarLabels.packExemplar().map { Exemplar(labels: $0, value: value, timestamp: timestamp) }
    }

    /// A field that is left out is 0, as protobuf has it.
    private func sample(_ range: Range<Int>) throws(WireError) -> (timestamp: Timestamp, value: Double) {
        var fields = WireCursor(samples.buffer, range)
        var timestamp: Timestamp = 0
        var value = 0.0
        while let tag = try fields.tag() {
            switch tag.field {
            case Field.sampleValue:
                try fields.expect(WireCursor.WireType.fixed64, tag)
                value = Double(bitPattern: try fields.fixed64())
            case Field.sampleTimestamp:
                try fields.expect(WireCursor.WireType.varint, tag)
                timestamp = Int64(bitPattern: try fields.varint())
            default: try fields.skip(tag)
            }
        }
        return (timestamp, value)
    }
}
