import OutboundHTTP
import SeriesModel

/// One thing to scrape, made from discovered labels by relabelling. Immutable: other labels are another target.
struct Target: Sendable {
    /// What makes two targets the same: they are scraped once.
    struct Identity: Hashable, Sendable {
        /// After relabelling, without meta labels; the `__*` ones that steer the scrape are in it.
        let labels: LabelSet
        let url: String

        /// The same in every process: where in its interval a target's turn is.
        var stableHash: UInt64 { labels.stableHash ^ StableHash.hash(Array(url.utf8)) }
    }

    let identity: Identity
    /// Before relabelling.
    let discoveredLabels: LabelSet
    /// What its samples carry.
    let labels: LabelSet
    /// ms
    let interval: Int64
    /// ms
    let timeout: Int64
    /// What the job says, or the labels `__scrape_native_histograms__` and its like do.
    var histograms = HistogramOptions()
    /// The path of a socket of this machine where the target is asked, by its label `__unix_socket__`.
    var unixSocket: String?

    var url: String { identity.url }
}

/// Why a discovered target cannot be scraped: relabelling made it so, or discovery did.
struct TargetError: Error, Hashable, CustomStringConvertible {
    let description: String
}
