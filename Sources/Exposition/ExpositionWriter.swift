package import SeriesModel

/// Writes families and samples in one of the text formats: for `/federate`, and for programs that expose metrics.
///
/// The caller keeps a family's samples together behind its `beginFamily`.
package struct ExpositionWriter {
    package let format: ExpositionFormat
    private let escaping: NameEscaping
    private var bytes: [UInt8] = []

    /// - Parameters:
    ///   - format: one of `ExpositionFormat.texts`.
    ///   - escaping: what becomes of names beyond the legacy alphabet where the format cannot quote them.
    package init(format: ExpositionFormat = .text004, escaping: NameEscaping = .underscores) {
        self.format = format
        self.escaping = escaping
    }

    /// Writes what is known of a family: `# HELP`, `# TYPE`, and in OpenMetrics `# UNIT`.
    /// - Parameter name: the family's name in Prometheus' sense: that of a counter ends in `_total`.
    package mutating func beginFamily(_ name: String, _ metadata: MetricMetadata) {
        var family = name
        var kind = metadata.kind.rawValue
        if format.isOpenMetrics {
            if metadata.kind == .counter {
                // OpenMetrics names a counter's family without the suffix that its samples must have.
                if name.hasSuffix("_total") { family = String(name.dropLast(6)) } else { kind = "unknown" }
            }
        } else {
            switch metadata.kind {
            case .unknown, .gaugehistogram: kind = "untyped"
            case .info, .stateset: kind = "gauge"
            case .counter, .gauge, .histogram, .summary: break
            }
        }
        if !metadata.help.isEmpty {
            put("# HELP ")
            putFamilyName(family)
            put(" ")
            putEscaped(metadata.help, quotes: format.isOpenMetrics)
            put("\n")
        }
        put("# TYPE ")
        putFamilyName(family)
        put(" " + kind + "\n")
        if format.isOpenMetrics, !metadata.unit.isEmpty, family.hasSuffix("_" + metadata.unit) {
            put("# UNIT ")
            putFamilyName(family)
            put(" " + metadata.unit + "\n")
        }
    }

    /// Writes one sample line.
    /// - Parameter timestamp: milliseconds; nil for none.
    package mutating func sample(_ labels: LabelSet, _ value: Double, timestamp: Timestamp? = nil) {
        sample(labels.metricName ?? "", labels, value, timestamp: timestamp)
    }

    /// Writes one sample line.
    /// - Parameter labels: in the order of their names; that of the metric's name is left out.
    package mutating func sample(
        _ metricName: String, _ labels: some Sequence<Label>, _ value: Double, timestamp: Timestamp? = nil
    ) {
        let name = escaped(metricName)
        let isPlain = LabelName.isLegacyMetricName(name)
        if isPlain { put(name) }
        var isFirst = true
        if !isPlain, !name.isEmpty {
            put("{")
            putQuoted(name)
            isFirst = false
        }
        for label in labels where !label.name.hasSameBytes(as: Label.metricName) {
            put(isFirst ? "{" : ",")
            isFirst = false
            let labelName = escaped(label.name)
            if LabelName.isLegacyLabelName(labelName) { put(labelName) } else { putQuoted(labelName) }
            put("=")
            putQuoted(label.value)
        }
        if !isFirst { put("}") }
        put(" ")
        put(format.isOpenMetrics ? NumberText.openMetrics(value) : NumberText.general(value))
        if let timestamp {
            put(" ")
            put(format.isOpenMetrics ? ExpositionWriter.seconds(timestamp) : String(timestamp))
        }
        put("\n")
    }

    /// What has been written so far, to be sent before the rest.
    package mutating func takeBytes() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    /// The body written; OpenMetrics gets its end mark.
    package consuming func finish() -> [UInt8] {
        if format.isOpenMetrics { put("# EOF\n") }
        return bytes
    }

    private static func seconds(_ timestamp: Timestamp) -> String {
        let (whole, rest) = timestamp.magnitude.quotientAndRemainder(dividingBy: 1000)
        let sign = timestamp < 0 ? "-" : ""
        if rest == 0 { return sign + String(whole) }
        let digits = String(rest)
        return sign + String(whole) + "." + String(repeating: "0", count: 3 - digits.count) + digits
    }

    private func escaped(_ name: String) -> String { format.canQuoteNames ? name : escaping.escape(name) }

    private mutating func put(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func putFamilyName(_ name: String) {
        let name = escaped(name)
        if LabelName.isLegacyMetricName(name) { put(name) } else { putQuoted(name) }
    }

    private mutating func putQuoted(_ text: String) {
        put("\"")
        putEscaped(text, quotes: true)
        put("\"")
    }

    private mutating func putEscaped(_ text: String, quotes: Bool) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): put("\\\\")
            case UInt8(ascii: "\n"): put("\\n")
            case UInt8(ascii: "\"") where quotes: put("\\\"")
            default: bytes.append(byte)
            }
        }
    }
}
