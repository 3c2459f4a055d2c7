import SeriesModel

/// What to make of the histograms of a body (`scrape_native_histograms`, `always_scrape_classic_histograms`,
/// `convert_classic_histograms_to_nhcb`).
package struct HistogramHandling: Hashable, Sendable {
    /// Native ones are taken; otherwise only what they have of classic buckets is.
    package var takesNative: Bool
    /// The classic series are taken beside the native histogram that holds the same.
    package var keepsClassic: Bool
    /// Histograms that are classic alone become native ones with custom bounds.
    package var convertsClassic: Bool

    package init(takesNative: Bool = false, keepsClassic: Bool = false, convertsClassic: Bool = false) {
        self.takesNative = takesNative
        self.keepsClassic = keepsClassic
        self.convertsClassic = convertsClassic
    }
}

/// An exposition whose entries are not lines of a text: a protobuf message, or a text whose histograms were put
/// together. Its series have texts all the same, written here in the form `{"name","label"="value"}`, so that a scrape
/// cache knows them again; equal series have equal texts.
package struct DecodedExposition: Sendable {
    struct Histogram: Sendable {
        let histogram: NativeHistogram
        /// Of `exemplars`.
        let exemplars: Range<Int>
    }

    /// What the ranges of the events are ranges of.
    package private(set) var texts: [UInt8] = []
    private(set) var events: [ExpositionEvent] = []
    private(set) var histograms: [Histogram] = []
    private(set) var exemplars: [ExemplarText] = []
    /// For each event when the counter that it is a sample of began, in ms; 0 where nobody says. Empty unless wanted.
    private(set) var starts: [Timestamp] = []
    /// Whether `starts` is wanted.
    let keepsStarts: Bool
    /// That of the series that follow. ms
    var start: Timestamp?

    init(keepsStarts: Bool = false) { self.keepsStarts = keepsStarts }

    mutating func append(_ event: ExpositionEvent) {
        events.append(event)
        guard keepsStarts else { return }
        if case .series = event { starts.append(start ?? 0) } else { starts.append(0) }
    }

    mutating func append(
        _ text: Range<Int>, _ value: Double, _ timestamp: Timestamp?, _ exemplar: ExemplarText? = nil
    ) {
        let value = value.isNaN ? StaleMarker.ordinaryNaN : value
        append(.series(SeriesLine(text: text, value: value, timestamp: timestamp, exemplar: exemplar)))
    }

    mutating func append(
        _ text: Range<Int>, _ histogram: NativeHistogram, _ timestamp: Timestamp?, _ exemplars: [ExemplarText]
    ) {
        let start = self.exemplars.count
        self.exemplars += exemplars
        histograms.append(Histogram(histogram: histogram, exemplars: start..<self.exemplars.count))
        let line = SeriesLine(
            text: text, value: 0, timestamp: timestamp, exemplar: nil, histogram: histograms.count - 1)
        append(.series(line))
    }
}

// MARK: - Texts

extension DecodedExposition {
    /// Writes bytes with the escapes of quoted texts.
    mutating func write(escaped bytes: some Collection<UInt8>) -> Range<Int> {
        let start = texts.count
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\\"), UInt8(ascii: "\""):
                texts.append(UInt8(ascii: "\\"))
                texts.append(byte)
            case UInt8(ascii: "\n"):
                texts.append(UInt8(ascii: "\\"))
                texts.append(UInt8(ascii: "n"))
            default: texts.append(byte)
            }
        }
        return start..<texts.count
    }

    mutating func write(raw bytes: some Collection<UInt8>) -> Range<Int> {
        let start = texts.count
        texts.append(contentsOf: bytes)
        return start..<texts.count
    }

    /// Writes bytes that were written before once more.
    mutating func write(again range: Range<Int>) {
        texts.append(contentsOf: texts[range])
    }

    /// Writes `"name"="value"` with a comma before it, unless it is the first.
    mutating func writeLabel(_ name: some Collection<UInt8>, _ value: some Collection<UInt8>, isFirst: Bool) {
        if !isFirst { texts.append(UInt8(ascii: ",")) }
        texts.append(UInt8(ascii: "\""))
        _ = write(escaped: name)
        texts.append(contentsOf: "\"=\"".utf8)
        _ = write(escaped: value)
        texts.append(UInt8(ascii: "\""))
    }

    /// Writes the text of a series.
    /// - Parameters:
    ///   - name: of its family, as `write(escaped:)` wrote it.
    ///   - suffix: behind the name.
    ///   - labels: as `writeLabel` wrote them; may be empty.
    ///   - extra: one more label, whose value needs no escapes.
    mutating func writeSeries(
        _ name: Range<Int>, suffix: StaticString = "", _ labels: Range<Int>,
        extra: (name: StaticString, value: String)? = nil
    ) -> Range<Int> {
        let start = texts.count
        texts.append(contentsOf: "{\"".utf8)
        write(again: name)
        suffix.withUTF8Buffer { texts.append(contentsOf: $0) }
        texts.append(UInt8(ascii: "\""))
        if !labels.isEmpty {
            texts.append(UInt8(ascii: ","))
            write(again: labels)
        }
        if let extra {
            texts.append(contentsOf: ",\"".utf8)
            extra.name.withUTF8Buffer { texts.append(contentsOf: $0) }
            texts.append(contentsOf: "\"=\"".utf8)
            texts.append(contentsOf: extra.value.utf8)
            texts.append(UInt8(ascii: "\""))
        }
        texts.append(UInt8(ascii: "}"))
        return start..<texts.count
    }
}
