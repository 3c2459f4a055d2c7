import SeriesModel
package import StorageAPI

/// Samples as lines of text, in the words of `promtool tsdb dump`.
package enum SampleDump {
    package enum Format: Sendable {
        /// `{__name__="up", job="api"} 1 1700000000000`
        case plain
        /// `up{job="api"} 1 1700000000.000`, with `# EOF` at the end. OpenMetrics has no native histograms: they are
        /// left out.
        case openMetrics
    }

    /// Hands over the lines of all samples, series by series in the order of their labels.
    /// - Parameter emit: gets whole lines, many at a time.
    package static func write(
        _ set: any SeriesSet, as format: Format, _ emit: (String) throws -> Void
    ) throws {
        let order = (0..<set.count).map { (labels: set.labels(at: $0), index: $0) }.sorted { $0.labels < $1.labels }
        var buffer = SampleBuffer()
        var text = ""
        for (labels, index) in order {
            buffer.removeAll()
            try set.read(index, into: &buffer)
            switch format {
            case .plain: appendPlain(labels, buffer, to: &text)
            case .openMetrics: appendOpenMetrics(labels, buffer, to: &text)
            }
            if text.utf8.count >= 64 << 10 {
                try emit(text)
                text = ""
            }
        }
        if format == .openMetrics { text += "# EOF\n" }
        if !text.isEmpty { try emit(text) }
    }

    private static func appendPlain(_ labels: LabelSet, _ buffer: SampleBuffer, to text: inout String) {
        let name = labels.description
        var next = 0
        func appendHistograms(before end: Timestamp?, to text: inout String) {
            while next < buffer.histograms.count, end.map({ buffer.histogramTimestamps[next] < $0 }) ?? true {
                text += "\(name) \(buffer.histograms[next]) \(buffer.histogramTimestamps[next])\n"
                next += 1
            }
        }
        for (timestamp, value) in zip(buffer.timestamps, buffer.values) {
            appendHistograms(before: timestamp, to: &text)
            text += "\(name) \(NumberText.general(value)) \(timestamp)\n"
        }
        appendHistograms(before: nil, to: &text)
    }

    private static func appendOpenMetrics(_ labels: LabelSet, _ buffer: SampleBuffer, to text: inout String) {
        let name = labels.metricNotation
        for (timestamp, value) in zip(buffer.timestamps, buffer.values) {
            text += "\(name) \(NumberText.general(value)) \(seconds(timestamp))\n"
        }
    }

    /// With three decimals, exact for all times.
    private static func seconds(_ timestamp: Timestamp) -> String {
        let (whole, rest) = timestamp.magnitude.quotientAndRemainder(dividingBy: 1000)
        let digits = String(rest)
        return (timestamp < 0 ? "-" : "") + String(whole) + "."
            + String(repeating: "0", count: 3 - digits.utf8.count) + digits
    }
}
