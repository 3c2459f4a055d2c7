/// Why a scrape failed. The message is the target's `lastError`.
struct ScrapeFailure: Error, Hashable, Sendable, CustomStringConvertible {
    enum Kind: Sendable {
        /// No answer, or none that is an exposition.
        case fetch
        case bodyLimit
        case parse
        case invalid
        case labelLimit
        case sampleLimit
        /// A native histogram has more buckets than it may.
        case bucketLimit
        /// More targets than the job may have: nothing was asked.
        case targetLimit
        /// The store did not take the samples.
        case storage
    }

    let kind: Kind
    let description: String

    init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
