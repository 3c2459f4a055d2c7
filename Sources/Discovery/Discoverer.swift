package import SeriesModel

/// Targets that one source names together.
package struct TargetGroup: Sendable, Hashable {
    /// Unique within a discoverer: `0` for the first static group, `path:0` for the first one of a file. A later group
    /// of the same source takes the place of the earlier one.
    package var source: String
    /// For each target that does not say otherwise.
    package var labels: LabelSet
    /// Each with at least `__address__`.
    package var targets: [LabelSet]

    package init(source: String, labels: LabelSet, targets: [LabelSet]) {
        self.source = source
        self.labels = labels
        self.targets = targets
    }

    /// Labels that carry an address and the road to it through discovery.
    package static let address = "__address__"
}

/// Something that knows targets: the port for all kinds of service discovery.
package protocol Discoverer: Sendable {
    /// Tells the feed what there is, first as soon as it knows and then whenever it has changed. Returns when the task
    /// is cancelled, or when nothing can change any more.
    ///
    /// What cannot be asked keeps its last groups; the failure is told to the feed.
    func run(_ feed: DiscoveryFeed) async
}

/// A discoverer that asks all of its source every interval.
protocol RefreshingDiscoverer: Discoverer {
    /// ms
    var refreshInterval: Int64 { get }
    var clock: any WallClock { get }

    /// Asks once and tells the feed the answer.
    func refresh(_ feed: DiscoveryFeed) async throws(DiscoveryError)
}

extension RefreshingDiscoverer {
    /// After a failure the source is asked again sooner than after an interval, a second at first and then twice as
    /// long each time.
    func run(_ feed: DiscoveryFeed) async {
        var retryWait: Int64 = 1000
        while !Task.isCancelled {
            var wait = refreshInterval
            let start = ContinuousClock.now
            do throws(DiscoveryError) {
                try await refresh(feed)
                retryWait = 1000
            } catch {
                if Task.isCancelled { return }
                feed.refreshFailed(error)
                wait = min(refreshInterval, retryWait)
                retryWait = min(retryWait.multipliedReportingOverflow(by: 2).partialValue, 300_000)
            }
            feed.refreshed(in: start.duration(to: .now))
            do { try await clock.sleep(milliseconds: wait) } catch { return }
        }
    }
}

/// Why a source could not be asked, or did not make sense.
package struct DiscoveryError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What the one who asked may do about it.
    package enum Kind: Sendable, Hashable {
        /// The server has forgotten the state that was asked about (status 410): begin anew.
        case gone
        /// The answer is longer, or has more values, than is taken: ask for less.
        case tooLarge
        case other
    }

    package var kind: Kind
    package var message: String

    package init(_ message: String, kind: Kind = .other) {
        self.kind = kind
        self.message = message
    }

    package var description: String { message }
}
