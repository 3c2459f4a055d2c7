extension ExpositionParser {
    /// Lends a parser of a body in any format, histograms made what is wanted of them.
    /// - Parameter takesStarts: whether the parser shall tell when counters began; `_created` series of OpenMetrics say
    ///   that, and then are no series.
    /// - Throws: `ExpositionError` where the body cannot be decoded; what the reader throws.
    package static func withParser<Result>(
        of body: UnsafeRawBufferPointer, _ format: ExpositionFormat, _ histograms: HistogramHandling,
        takesStarts: Bool = false,
        _ read: (consuming ExpositionParser) throws -> Result
    ) throws -> Result {
        let decoded: DecodedExposition
        if format == .protobuf {
            decoded = try DecodedExposition(protobuf: body, histograms: histograms, keepsStarts: takesStarts)
        } else if takesStarts, format.isOpenMetrics {
            let starting = try DecodedExposition(takingStartsFrom: body, format)
            guard histograms.convertsClassic else {
                return try starting.texts.withUnsafeBytes { try read(ExpositionParser(starting, texts: $0)) }
            }
            decoded = try starting.texts.withUnsafeBytes {
                try DecodedExposition(
                    convertingClassic: ExpositionParser(starting, texts: $0), keepsClassic: histograms.keepsClassic,
                    keepsStarts: true)
            }
        } else if histograms.convertsClassic {
            decoded = try DecodedExposition(
                convertingClassic: ExpositionParser(body, format: format), keepsClassic: histograms.keepsClassic)
        } else {
            return try read(ExpositionParser(body, format: format))
        }
        return try decoded.texts.withUnsafeBytes { try read(ExpositionParser(decoded, texts: $0)) }
    }
}
