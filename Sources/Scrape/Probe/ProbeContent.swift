import Exposition
package import SeriesModel

/// What a scrape would make of a body.
package struct ProbeContent: Sendable {
    /// A series before and after `metric_relabel_configs` and the target's labels.
    package struct Relabelling: Sendable {
        package let before: LabelSet
        /// Nil where it is dropped.
        package let after: LabelSet?
    }

    private static let examplesMax = 5

    package private(set) var samples = 0
    package private(set) var samplesKept = 0
    /// Samples with the labels of one before them.
    package private(set) var duplicates = 0
    package private(set) var exemplars = 0
    package private(set) var ownTimestamps = 0
    /// Seconds.
    package private(set) var readingSeconds = 0.0
    /// Series that metric relabelling dropped or changed, the first ones.
    package private(set) var relabellings: [Relabelling] = []
    private(set) var problems: [String] = []
    private var kept: Set<LabelSet> = []
    private var names: Set<String> = []
    private var families: Set<String> = []
    private var refusedCount = 0
    /// Nil where series get no labels from their family's metadata.
    private var family: FamilyLabels?

    package var seriesCount: Int { kept.count }
    package var metricNameCount: Int { names.count }
    package var familyCount: Int { families.count }

    /// - Parameters:
    ///   - addsTypeAndUnitLabels: as the scrapes do.
    ///   - takesStarts: as the scrapes do.
    init(
        _ body: [UInt8], _ format: ExpositionFormat, _ target: Target, _ config: ScrapeConfig,
        addsTypeAndUnitLabels: Bool = false, takesStarts: Bool = false
    ) {
        family = addsTypeAndUnitLabels ? FamilyLabels() : nil
        let start = ContinuousClock.now
        body.withUnsafeBytes { bytes in
            do {
                try ExpositionParser.withParser(
                    of: bytes, format, target.histograms.handling, takesStarts: takesStarts
                ) { parser in try take(parser, target, config) }
            } catch let error as ExpositionError {
                problems.append(ProbeContent.describe(error, in: bytes))
            } catch {
                problems.append("\(error)")
            }
        }
        if refusedCount > 1 { problems.append("\(refusedCount) samples break a limit; the first is shown") }
        if config.limits.samples > 0, samplesKept > config.limits.samples {
            problems.append("sample limit exceeded (\(samplesKept) samples, limit: \(config.limits.samples))")
        }
        readingSeconds = start.duration(to: .now).seconds
    }

    private mutating func take(
        _ parser: consuming ExpositionParser, _ target: Target, _ config: ScrapeConfig
    ) throws(ExpositionError) {
        while let event = try parser.next() { try take(event, parser, target, config) }
    }

    private mutating func take(
        _ event: ExpositionEvent, _ parser: ExpositionParser, _ target: Target, _ config: ScrapeConfig
    ) throws(ExpositionError) {
        switch event {
        case .series(let line):
            samples += 1
            if line.timestamp != nil { ownTimestamps += 1 }
            if line.exemplar != nil { exemplars += 1 }
            var exposed = try parser.labelPairs(of: line.text)
            family?.add(to: &exposed)
            if let histogram = line.histogram {
                exemplars += parser.exemplars(ofHistogram: histogram).count
                do {
                    _ = try target.histograms.limited(parser.histogram(histogram))
                } catch {
                    refuse(error)
                }
            }
            take(exposed, target, config)
        case .type(let metric, _), .help(let metric, _), .unit(let metric, _):
            family?.see(event, parser)
            families.insert(parser.metricName(metric))
        default: break
        }
    }

    private mutating func take(_ exposed: [Label], _ target: Target, _ config: ScrapeConfig) {
        let before = LabelSet(exposed)
        names.insert(before.metricName ?? "")
        do {
            let labels = try SampleLabels(target, config).make(exposed)
            if !config.metricRelabelRules.isEmpty { note(before, labels, exposed, target, config) }
            guard let labels else { return }
            samplesKept += 1
            if !kept.insert(labels).inserted { duplicates += 1 }
        } catch {
            refuse(error)
        }
    }

    private mutating func refuse(_ failure: ScrapeFailure) {
        refusedCount += 1
        if refusedCount == 1 { problems.append(failure.description) }
    }

    private mutating func note(
        _ before: LabelSet, _ after: LabelSet?, _ exposed: [Label], _ target: Target, _ config: ScrapeConfig
    ) {
        guard relabellings.count < ProbeContent.examplesMax else { return }
        var plain = config
        plain.metricRelabelRules = []
        let unchanged = try? SampleLabels(target, plain).make(exposed)
        if after != unchanged { relabellings.append(Relabelling(before: before, after: after)) }
    }

    /// With the line that is meant, as far as it is short.
    private static func describe(_ error: ExpositionError, in body: UnsafeRawBufferPointer) -> String {
        guard error.line > 0 else { return error.description }
        var rest = body[...]
        for _ in 1..<error.line {
            guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return error.description }
            rest = rest[(end + 1)...]
        }
        let line = rest.prefix { $0 != UInt8(ascii: "\n") }
        let shown = GoQuote.quote(bytes: line.prefix(ProbeReport.shownBytesMax))
        let cut =
            line.count > ProbeReport.shownBytesMax ? " and \(line.count - ProbeReport.shownBytesMax) bytes more" : ""
        return error.description + "\n    the line is " + shown + cut
    }
}
