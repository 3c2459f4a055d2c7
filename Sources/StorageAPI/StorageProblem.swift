package import SeriesModel

/// Something of a store that does not work now. It goes by itself when it works again.
package struct StorageProblem: Sendable, Hashable {
    /// What does not work: one problem of each kind at a time. The raw value is the label on the metric.
    package enum Kind: String, Sendable, CaseIterable {
        /// Batches cannot be logged, and are refused.
        case logWrite = "log_write"
        /// What was logged cannot be synced: the loss of power would take it.
        case logSync = "log_sync"
        /// Closed chunks stay in memory.
        case headChunks = "head_chunks"
        /// No block can be cut from the head, which grows.
        case blockCut = "block_cut"
        /// The log cannot be shortened.
        case checkpoint
        case merge
        /// Looking at the block directories, retention, quarantine.
        case maintenance
        /// `catalog.sqlite` cannot be used.
        case catalog
        /// `state.sqlite` could not be used at the start.
        case stateDatabase = "state_database"
        /// The disk is short of space.
        case diskSpace = "disk_space"
        /// The machine's clock was set, and samples are refused for it.
        case clock
    }

    package var kind: Kind
    /// A sentence for people.
    package var text: String
    /// ms
    package var since: Timestamp

    package init(kind: Kind, text: String, since: Timestamp) {
        self.kind = kind
        self.text = text
        self.since = since
    }
}
