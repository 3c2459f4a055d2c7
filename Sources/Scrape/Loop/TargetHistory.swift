import Exposition
import SeriesModel
import StorageAPI

/// What one target's scrapes have been so far, and how the next one becomes a batch for the store. A value without any
/// I/O: an answer goes in, a batch comes out, the store's verdict goes in.
///
/// The batch of a scrape is all or nothing: either every sample of the body, or, where the body is bad, only the stale
/// markers of what was there before. In both cases the report series are in it, so that queries see all of it at once.
struct TargetHistory: Sendable {
    enum Answer: Sendable {
        case body([UInt8], ExpositionFormat)
        case failure(ScrapeFailure)
    }

    /// A scrape, ready for the store.
    struct Digest: Sendable {
        var batch = SampleBatch()
        /// Nil for a good scrape.
        var failure: ScrapeFailure?
        var report: ScrapeReport
        /// For each of the batch's new series, whose it is.
        fileprivate var owners: [Owner] = []
        /// Where the markers begin, and behind them the report.
        fileprivate var markerStart = 0
        fileprivate var reportStart = 0
        /// Samples that occurred twice in the body.
        var duplicateCount = 0
    }

    fileprivate enum Owner: Sendable {
        case line(Int)
        case report(Int)
    }

    /// What the store made of a batch.
    struct Settlement: Sendable {
        var duplicateCount = 0
        var outOfOrderCount = 0
        var outOfBoundsCount = 0
        var exemplarsOutOfOrder = 0
        /// Some series had left the store: digest the same answer again, once.
        var needsAnother = false
    }

    private let config: ScrapeConfig
    private let target: Target
    private let takesStarts: Bool
    private let labels: SampleLabels
    private let reportLabels: [LabelSet]
    private var reportRefs: [SeriesRef?]
    private var lines = LineCache()
    private(set) var metadata = MetadataCache()
    /// Nil where series get no labels from their family's metadata.
    private var family: FamilyLabels?
    /// Whether the lines of `lines.order` have not been marked as ended yet.
    private var isAlive = false
    /// Series whose lines stand for others now: they have ended.
    private var replaced: [SeriesRef] = []

    /// - Parameters:
    ///   - addsTypeAndUnitLabels: the feature `type-and-unit-labels`.
    ///   - takesStarts: the feature `created-timestamp-zero-ingestion`.
    init(target: Target, config: ScrapeConfig, addsTypeAndUnitLabels: Bool = false, takesStarts: Bool = false) {
        self.target = target
        self.takesStarts = takesStarts
        family = addsTypeAndUnitLabels ? FamilyLabels() : nil
        self.config = config
        labels = SampleLabels(target, config)
        reportLabels = ScrapeReport.names(extra: config.addsExtraMetrics).map {
            target.labels.setting(Label.metricName, $0)
        }
        reportRefs = [SeriesRef?](repeating: nil, count: reportLabels.count)
    }

    /// Lines remembered, for tests of the cache's bounds.
    var lineCount: Int { lines.entries.count }

    // MARK: - A scrape

    /// - Parameters:
    ///   - stamp: for samples without timestamps, markers and the report.
    ///   - duration: seconds since the scrape began, asked for when everything else is done.
    ///   - again: the report of the first attempt, where this is a second one.
    mutating func digest(
        _ answer: Answer, stamp: Timestamp, duration: () -> Double, again: ScrapeReport? = nil
    ) -> Digest {
        var digest = Digest(
            report: ScrapeReport(
                isUp: true, duration: 0, samplesScraped: 0, samplesAfterRelabelling: 0, seriesAdded: 0, bodyBytes: 0))
        switch answer {
        case .body(let body, let format):
            digest.report.bodyBytes = body.count
            do {
                try take(body, format, stamp, &digest)
                addMarkersOfVanished(stamp, &digest)
                lines.commit()
                isAlive = true
                // The meaning of a text depends on its family's type, and with labels from metadata on all of them.
                if metadata.hasChangedType || metadata.hasChanged && family != nil { lines.forgetMeanings() }
            } catch {
                lines.rollBack()
                fail(error, stamp, &digest)
            }
        case .failure(let failure):
            if failure.kind == .bodyLimit { digest.report.bodyBytes = -1 }
            fail(failure, stamp, &digest)
        }
        digest.report.duration = duration()
        if let again { digest.report = again }
        digest.reportStart = digest.batch.count
        digest.batch.rowsInOrder = digest.markerStart..<digest.reportStart
        addReport(digest.report, stamp, &digest)
        return digest
    }

    private mutating func take(
        _ body: [UInt8], _ format: ExpositionFormat, _ stamp: Timestamp, _ digest: inout Digest
    ) throws(ScrapeFailure) {
        lines.beginRound()
        metadata.beginRound()
        if family != nil { family = FamilyLabels() }
        digest.batch.reserveCapacity(lines.order.count + reportLabels.count)
        do {
            try body.withUnsafeBytes { bytes in
                try ExpositionParser.withParser(
                    of: bytes, format, target.histograms.handling, takesStarts: takesStarts
                ) { parser in try take(parser, stamp, &digest) }
            }
        } catch let error as ExpositionError {
            throw ScrapeFailure(.parse, error.description)
        } catch let failure as ScrapeFailure {
            throw failure
        } catch {
            throw ScrapeFailure(.parse, String(describing: error))
        }
    }

    private mutating func take(
        _ parser: consuming ExpositionParser, _ stamp: Timestamp, _ digest: inout Digest
    ) throws {
        try takeLines(of: &parser, stamp, &digest)
        let limit = config.limits.samples
        guard limit == 0 || digest.report.samplesAfterRelabelling <= limit else {
            throw ScrapeFailure(.sampleLimit, "sample limit exceeded")
        }
        metadata.commit(parser)
    }

    private mutating func takeLines(
        of parser: inout ExpositionParser, _ stamp: Timestamp, _ digest: inout Digest
    ) throws {
        while true {
            let expected = try lines.withExpectedText { (text) throws(ExpositionError) in
                try parser.next(expecting: text)
            }
            if let line = expected {
                let (index, sample) = (lines.takeExpected(), digest.batch.count)
                if lines.entries[index].state == .unresolved {
                    try resolve(index, line, &parser, stamp, isNew: false, &digest)
                } else {
                    try take(line, index, stamp, parser, &digest)
                }
                if line.hasExemplars { takeExemplars(of: line, index, sample, parser, &digest) }
                if takesStarts { takeStart(index, sample, parser, &digest) }
                continue
            }
            guard let event = try parser.next() else { return }
            guard case .series(let line) = event else {
                metadata.add(event, of: parser.body)
                family?.see(event, parser)
                continue
            }
            try takeUnexpected(line, of: &parser, stamp, &digest)
        }
    }

    private mutating func takeUnexpected(
        _ line: SeriesLine, of parser: inout ExpositionParser, _ stamp: Timestamp, _ digest: inout Digest
    ) throws {
        let sample = digest.batch.count
        let found = lines.find(UnsafeRawBufferPointer(rebasing: parser.body[line.text]))
        switch found {
        case .hit(let index):
            if !lines.isInOrder(index), lines.entries[index].state != .dropped { digest.report.seriesAdded += 1 }
            if lines.entries[index].state == .unresolved {
                try resolve(index, line, &parser, stamp, isNew: false, &digest)
            } else {
                try take(line, index, stamp, parser, &digest)
            }
        case .duplicate(let index):
            if line.timestamp != nil, config.honorsTimestamps, lines.entries[index].state == .known {
                try take(line, index, stamp, parser, &digest)
            } else {
                guard line.timestamp == nil || !config.honorsTimestamps || lines.entries[index].state != .unresolved
                else {
                    try resolve(index, line, &parser, stamp, isNew: false, &digest)
                    break
                }
                digest.report.samplesScraped += 1
                guard lines.entries[index].state != .dropped else { return }
                digest.report.samplesAfterRelabelling += 1
                digest.duplicateCount += 1
            }
        case .new(let index):
            try resolve(index, line, &parser, stamp, isNew: true, &digest)
        }
        if line.hasExemplars { takeExemplars(of: line, found.index, sample, parser, &digest) }
        if takesStarts { takeStart(found.index, sample, parser, &digest) }
    }

    /// When the counter of a line began, unless the line said the same last time.
    /// - Parameter sample: the line's, if it has become one.
    private mutating func takeStart(
        _ index: Int, _ sample: Int, _ parser: ExpositionParser, _ digest: inout Digest
    ) {
        guard sample == digest.batch.count - 1, let start = parser.startTimestamp else { return }
        let isNews = lines.noteStart(index, start)
        if case .known = digest.batch.series[sample], !isNews { return }
        digest.batch.append(startOfLast: start)
    }

    /// The exemplars of a line, unless the line had the same ones last time. One without a time has that of the sample.
    /// - Parameter sample: the line's, if it has become one.
    private mutating func takeExemplars(
        of line: SeriesLine, _ index: Int, _ sample: Int, _ parser: ExpositionParser, _ digest: inout Digest
    ) {
        guard digest.batch.series.indices.contains(sample) else { return }
        if let exemplar = line.exemplar {
            takeExemplars(CollectionOfOne(exemplar), index, sample, parser, &digest)
        } else if let histogram = line.histogram {
            // Each is older than the next: the store takes them in the order of time only.
            let exemplars = parser.exemplars(ofHistogram: histogram)
            takeExemplars(exemplars.sorted { $0.timestamp ?? 0 < $1.timestamp ?? 0 }, index, sample, parser, &digest)
        }
    }

    private mutating func takeExemplars(
        _ exemplars: some Collection<ExemplarText>, _ index: Int, _ sample: Int, _ parser: ExpositionParser,
        _ digest: inout Digest
    ) {
        if exemplars.isEmpty { return }
        var hash: UInt64 = 0
        for exemplar in exemplars {
            var seed = hash &* 31 &+ exemplar.value.bitPattern
            if let own = exemplar.timestamp { seed = seed &* 31 &+ UInt64(bitPattern: own) }
            hash = StableHash.hash(UnsafeRawBufferPointer(rebasing: parser.body[exemplar.labels]), seed: seed)
        }
        let isRepeated = !lines.noteExemplar(index, hash: hash)
        let series = digest.batch.series[sample]
        if case .known = series, isRepeated { return }
        for exemplar in exemplars {
            // One with a label twice says nothing, and the sample is good without it.
            guard let labels = try? parser.labels(of: exemplar) else { continue }
            let time = exemplar.timestamp ?? digest.batch.timestamps[sample]
            digest.batch.append(Exemplar(labels: labels, value: exemplar.value, timestamp: time), of: series)
        }
    }

    /// Enters the value of a line. - Throws: where a native histogram has more buckets than it may.
    private func append(
        _ line: SeriesLine, _ series: SampleBatch.Series, _ time: Timestamp, _ parser: ExpositionParser,
        _ digest: inout Digest
    ) throws(ScrapeFailure) {
        guard let index = line.histogram else {
            switch series {
            case .known(let ref): digest.batch.append(ref, time, line.value)
            case .new(let new): digest.batch.append(new: new, time, line.value)
            }
            return
        }
        let histogram = try target.histograms.limited(parser.histogram(index))
        switch series {
        case .known(let ref): digest.batch.append(ref, time, histogram)
        case .new(let new): digest.batch.append(new: new, time, histogram)
        }
    }

    /// A line whose series is known, or is known to be dropped.
    private mutating func take(
        _ line: SeriesLine, _ index: Int, _ stamp: Timestamp, _ parser: ExpositionParser, _ digest: inout Digest
    ) throws(ScrapeFailure) {
        digest.report.samplesScraped += 1
        let entry = lines.entries[index]
        guard entry.state == .known else { return }
        digest.report.samplesAfterRelabelling += 1
        let time = timestamp(of: line, index, stamp)
        if line.histogram == nil {
            digest.batch.append(entry.ref, time, line.value)
        } else {
            try append(line, .known(entry.ref), time, parser, &digest)
        }
    }

    /// A line whose labels must be made.
    private mutating func resolve(
        _ index: Int, _ line: SeriesLine, _ parser: inout ExpositionParser, _ stamp: Timestamp, isNew: Bool,
        _ digest: inout Digest
    ) throws {
        digest.report.samplesScraped += 1
        var exposed = try parser.labelPairs(of: line.text)
        family?.add(to: &exposed)
        guard let made = try labels.make(exposed) else {
            lines.update(index) { $0.state = .dropped }
            return
        }
        if isNew { digest.report.seriesAdded += 1 }
        digest.report.samplesAfterRelabelling += 1
        let new = digest.batch.addSeries(made)
        digest.owners.append(.line(index))
        try append(line, .new(new), timestamp(of: line, index, stamp), parser, &digest)
    }

    private mutating func timestamp(of line: SeriesLine, _ index: Int, _ stamp: Timestamp) -> Timestamp {
        let own = config.honorsTimestamps ? line.timestamp : nil
        let isTracked = own == nil || config.tracksTimestampStaleness
        if lines.entries[index].isTracked != isTracked { lines.update(index) { $0.isTracked = isTracked } }
        return own ?? stamp
    }

    // MARK: - Ends

    private mutating func addMarkersOfVanished(_ stamp: Timestamp, _ digest: inout Digest) {
        digest.markerStart = digest.batch.count
        guard isAlive else { return }
        var vanished = replaced
        replaced = []
        for index in lines.order where !lines.wasSeen(Int(index)) {
            let entry = lines.entries[Int(index)]
            if entry.state == .known, entry.isTracked { vanished.append(entry.ref) }
        }
        guard !vanished.isEmpty else { return }
        // Another line may stand for the same series (labels in another order): then it has not ended.
        var ended = Set(vanished)
        for index in lines.current where lines.entries[Int(index)].state == .known {
            ended.remove(lines.entries[Int(index)].ref)
        }
        for ref in vanished where ended.contains(ref) { digest.batch.append(ref, stamp, StaleMarker.value) }
    }

    /// Nothing of this scrape counts; all that was there has ended.
    private mutating func fail(_ failure: ScrapeFailure, _ stamp: Timestamp, _ digest: inout Digest) {
        digest.failure = failure
        digest.report.isUp = false
        digest.batch.removeAll()
        digest.owners.removeAll()
        digest.duplicateCount = 0
        digest.markerStart = 0
        addMarkersOfAll(stamp, &digest.batch)
        isAlive = false
    }

    private func addMarkersOfAll(_ stamp: Timestamp, _ batch: inout SampleBatch) {
        guard isAlive else { return }
        var marked: Set<SeriesRef> = []
        for index in lines.order {
            let entry = lines.entries[Int(index)]
            guard entry.state == .known, entry.isTracked, marked.insert(entry.ref).inserted else { continue }
            batch.append(entry.ref, stamp, StaleMarker.value)
        }
    }

    /// The target is gone: markers for everything, the report series included.
    mutating func end(at stamp: Timestamp) -> SampleBatch {
        var batch = SampleBatch()
        addMarkersOfAll(stamp, &batch)
        isAlive = false
        for case let ref? in reportRefs { batch.append(ref, stamp, StaleMarker.value) }
        batch.rowsInOrder = 0..<batch.count
        return batch
    }

    private func addReport(_ report: ScrapeReport, _ stamp: Timestamp, _ digest: inout Digest) {
        let values = report.values(
            extra: config.addsExtraMetrics, timeout: target.timeout, sampleLimit: config.limits.samples)
        for (index, value) in values.enumerated() {
            if let ref = reportRefs[index] {
                digest.batch.append(ref, stamp, value)
            } else {
                digest.batch.append(reportLabels[index], stamp, value)
                digest.owners.append(.report(index))
            }
        }
    }

    // MARK: - The store's verdict

    mutating func settle(_ digest: Digest, _ result: AppendResult) -> Settlement {
        for (owner, ref) in zip(digest.owners, result.refs) {
            switch owner {
            case .line(let index):
                guard let ref else { continue }
                let old = lines.entries[index].ref
                if old.generation != 0, old != ref { replaced.append(old) }
                lines.update(index) {
                    $0.ref = ref
                    $0.state = .known
                }
            case .report(let index): reportRefs[index] = ref
            }
        }
        var settlement = Settlement()
        settlement.duplicateCount = digest.duplicateCount
        settlement.exemplarsOutOfOrder = result.exemplarsOutOfOrder
        var departed: Set<SeriesRef> = []
        for (sample, reason) in result.rejected where digest.batch.series.indices.contains(sample) {
            let isMarker = sample >= digest.markerStart && sample < digest.reportStart
            switch reason {
            case .unknownSeries:
                if case .known(let ref) = digest.batch.series[sample], !isMarker { departed.insert(ref) }
            case _ where sample >= digest.markerStart: break
            case .duplicateTimestamp: settlement.duplicateCount += 1
            case .outOfOrder, .tooOld: settlement.outOfOrderCount += 1
            case .outOfBounds: settlement.outOfBoundsCount += 1
            case .invalidHistogram: break
            }
        }
        if !departed.isEmpty {
            forget(departed)
            settlement.needsAnother = true
        }
        return settlement
    }

    /// The store has not taken what the last scrape brought: its exemplars and starts are told once more.
    mutating func forgetNotes() { lines.forgetNotes() }

    private mutating func forget(_ departed: Set<SeriesRef>) {
        for index in lines.entries.indices
        where lines.entries[index].state == .known && departed.contains(lines.entries[index].ref) {
            lines.update(index) { $0.state = .unresolved }
        }
        for (index, ref) in reportRefs.enumerated() {
            if let ref, departed.contains(ref) { reportRefs[index] = nil }
        }
    }
}
