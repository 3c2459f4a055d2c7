/// What is wrong with a histogram, or with putting two together. The texts are upstream's: queries and pushes show
/// them.
package struct HistogramError: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// Exponential and custom buckets cannot be added.
    package static let incompatibleSchemas = HistogramError(
        description:
            "cannot apply this operation on histograms with a mix of exponential and custom bucket schemas")

    package static func invalidSchema(_ schema: Int32) -> HistogramError {
        HistogramError(
            description: "histogram has an invalid schema, which must be between -4 and 8 for exponential buckets, "
                + "or -53 for custom buckets, got schema \(schema)")
    }
}
