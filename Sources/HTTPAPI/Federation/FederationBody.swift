import Exposition
import SeriesModel

/// Families as an exposition: floats as they are, without a type; histograms with custom bounds as classic ones; those with
/// exponential buckets over protobuf only, as no text has a form for them.
struct FederationBody {
    private let isText: Bool
    private var text: ExpositionWriter
    private var messages = ProtobufWriter()

    init(_ format: ExpositionFormat, _ escaping: NameEscaping) {
        isText = format != .protobuf
        text = ExpositionWriter(format: isText ? format : .text004, escaping: escaping)
    }

    mutating func add(_ family: Federation.Family) {
        if isText {
            FederationBody.add(family, to: &text)
        } else {
            FederationBody.add(family, to: &messages)
        }
    }

    /// What has been written so far, to be sent before the rest.
    mutating func takeBytes() -> [UInt8] { isText ? text.takeBytes() : messages.takeBytes() }

    /// The rest.
    consuming func finish() -> [UInt8] { isText ? text.finish() : messages.takeBytes() }

    // MARK: Text

    private static func add(_ family: Federation.Family, to text: inout ExpositionWriter) {
        var hasBegun = false
        func begin(_ kind: MetricMetadata.Kind) {
            if !hasBegun { text.beginFamily(family.name, MetricMetadata(kind: kind)) }
            hasBegun = true
        }
        for sample in family.samples {
            switch sample.value {
            case .float(let value):
                begin(.unknown)
                text.sample(family.name, sample.labels, value, timestamp: sample.timestamp)
            case .histogram(let histogram) where histogram.usesCustomBounds:
                begin(.histogram)
                for (bound, count) in histogram.classicBuckets {
                    let bound = Label(Label.bucketBound, NumberText.openMetrics(bound))
                    let labels = (sample.labels + [bound]).sorted { $0.name.precedesByBytes($1.name) }
                    text.sample(family.name + "_bucket", labels, count, timestamp: sample.timestamp)
                }
                text.sample(family.name + "_sum", sample.labels, histogram.sum, timestamp: sample.timestamp)
                text.sample(family.name + "_count", sample.labels, histogram.count, timestamp: sample.timestamp)
            case .histogram: continue
            }
        }
    }

    // MARK: Protobuf

    private static func add(_ family: Federation.Family, to messages: inout ProtobufWriter) {
        var kind: MetricMetadata.Kind?
        func begin(_ wanted: MetricMetadata.Kind) {
            if kind != wanted { messages.beginFamily(family.name, MetricMetadata(kind: wanted)) }
            kind = wanted
        }
        for sample in family.samples {
            switch sample.value {
            case .float(let value):
                begin(.unknown)
                messages.metric(sample.labels, value, timestamp: sample.timestamp)
            case .histogram(let histogram) where histogram.usesCustomBounds:
                begin(.histogram)
                messages.metric(
                    sample.labels, buckets: histogram.classicBuckets, count: histogram.count, sum: histogram.sum,
                    timestamp: sample.timestamp)
            case .histogram(let histogram):
                begin(histogram.counterResetHint == .gauge ? .gaugehistogram : .histogram)
                messages.metric(sample.labels, histogram, timestamp: sample.timestamp)
            }
        }
    }
}

extension NativeHistogram {
    /// Of a histogram with custom bounds: each bound, +Inf at last, with the observations up to it.
    fileprivate var classicBuckets: [(bound: Double, count: Double)] {
        var counts = [Double](repeating: 0, count: customBounds.count)
        for bucket in buckets where counts.indices.contains(bucket.index) { counts[bucket.index] += bucket.count }
        var sum = 0.0
        var all: [(bound: Double, count: Double)] = []
        for (bound, count) in zip(customBounds, counts) {
            sum += count
            all.append((bound, sum))
        }
        return all + [(.infinity, count)]
    }
}
