extension ExpositionParser {
    /// Lends a parser of a body in any format, histograms made what is wanted of them.
    /// - Throws: `ExpositionError` where the body cannot be decoded; what the reader throws.
    package static func withParser<Result>(
        of body: UnsafeRawBufferPointer, _ format: ExpositionFormat, _ histograms: HistogramHandling,
        _ read: (consuming ExpositionParser) throws -> Result
    ) throws -> Result {
        let decoded: DecodedExposition
        if format == .protobuf {
            decoded = try DecodedExposition(protobuf: body, histograms: histograms)
        } else if histograms.convertsClassic {
            decoded = try DecodedExposition(
                convertingClassic: body, format, keepsClassic: histograms.keepsClassic)
        } else {
            return try read(ExpositionParser(body, format: format))
        }
        return try decoded.texts.withUnsafeBytes { try read(ExpositionParser(decoded, texts: $0)) }
    }
}
