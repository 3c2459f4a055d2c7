import SeriesModel

/// The histogram buckets that were written last, with their values: a bucket's values move with those of its neighbours,
/// so its pages may be written as differences to theirs. Bounded by bytes; the oldest go first.
struct BucketWindow {
    /// A bucket that can be the base of another one.
    struct Member {
        var series: UInt32
        var bound: Double
        /// How many pages are decoded to have one of its own.
        var depth: Int
        var layout: UInt32
        var values: [Double]
    }

    /// Which bucket of which histogram a series is.
    struct Place {
        /// The labels without `le`, packed.
        var histogram: [UInt8]
        var bound: Double
    }

    /// Values that are kept. Bytes.
    private static let bytesMax = 32 << 20

    private var histograms: [[UInt8]: [Member]] = [:]
    /// The histograms of the members in the order of their coming.
    private var order: [[UInt8]] = []
    /// How many of `order` are gone.
    private var gone = 0
    private var bytes = 0

    /// nil for what is no bucket.
    static func place(of labels: LabelSet) -> Place? {
        guard let value = labels.valueRange(of: "le"), let name = labels.valueRange(of: Label.metricName),
            labels.packed[name].suffix(7).elementsEqual("_bucket".utf8),
            let bound = Double(String(decoding: labels.packed[value], as: UTF8.self)), !bound.isNaN
        else { return nil }
        // Behind the length and the name, before the length of the value.
        var histogram = labels.packed
        histogram.removeSubrange(value)
        return Place(histogram: histogram, bound: bound)
    }

    /// The next lower and the next higher bucket that were written at the same times and are not at the end of a chain.
    func neighbours(of place: Place, layout: UInt32) -> (below: Member?, above: Member?) {
        var below: Member?
        var above: Member?
        for member in histograms[place.histogram] ?? []
        where member.layout == layout && member.depth < BlockFormat.baseDepthMax {
            if member.bound < place.bound, member.bound > below?.bound ?? -.infinity { below = member }
            if member.bound > place.bound, member.bound <= above?.bound ?? .infinity { above = member }
        }
        return (below, above)
    }

    mutating func add(_ member: Member, at place: Place) {
        histograms[place.histogram, default: []].append(member)
        order.append(place.histogram)
        bytes += member.values.count * 8
        while bytes > BucketWindow.bytesMax, gone < order.count {
            let histogram = order[gone]
            gone += 1
            if var members = histograms.removeValue(forKey: histogram), !members.isEmpty {
                bytes -= members.removeFirst().values.count * 8
                if !members.isEmpty { histograms[histogram] = members }
            }
        }
        if gone > 4096, gone * 2 > order.count {
            order.removeFirst(gone)
            gone = 0
        }
    }
}
