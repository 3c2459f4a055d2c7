import Exposition
import OutboundHTTP
package import SeriesModel

/// What a probe has seen, from the target's labels to the last sample.
package struct ProbeReport: Sendable {
    /// Bytes shown of a body or a line.
    static let shownBytesMax = 240

    package struct Answer: Sendable {
        package let status: Int
        let reason: String
        package let headers: [(name: String, value: String)]
        /// After decompression.
        package let bodyBytes: Int
        /// Of a body that is no exposition.
        var beginning: [UInt8] = []

        init(_ response: OutboundResponse) {
            status = response.status
            reason = response.reason
            headers = response.headers
            bodyBytes = response.body.count
        }
    }

    package let job: String
    package internal(set) var discoveredLabels = LabelSet.empty
    /// Nil where there is no target.
    package internal(set) var labels: LabelSet?
    package internal(set) var url = ""
    /// ms
    var timeout: Int64 = 0
    /// From asking to the last byte.
    package internal(set) var answerSeconds: Double?
    /// Nil where there was none.
    package internal(set) var answer: Answer?
    var format: ExpositionFormat?
    /// Nil where the answer is no exposition.
    package internal(set) var content: ProbeContent?
    /// Each of these alone would fail the scrape.
    package internal(set) var problems: [String] = []

    init(job: String) { self.job = job }

    /// The name in `scrape_protocols` of what the answer was read as.
    package var formatName: String? { format?.rawValue }

    /// Whether a scrape would have been taken.
    package var isGood: Bool { problems.isEmpty }
}

// MARK: - As text

extension ProbeReport {
    /// Lines for people.
    package var text: String {
        var lines = ["Job \(job)"]
        if !discoveredLabels.isEmpty { lines += ["  labels before relabelling"] + ProbeReport.lines(discoveredLabels) }
        if let labels { lines += ["  labels after"] + ProbeReport.lines(labels) }
        if !url.isEmpty { lines.append("Asked \(url), timeout \(DurationText.format(timeout))") }
        if let answerSeconds {
            let time = ProbeReport.milliseconds(answerSeconds)
            lines.append(answer == nil ? "  no answer after \(time)" : "  answered in \(time)")
        }
        if let answer { lines += ProbeReport.lines(answer) }
        if let format { lines.append("Read as \(format.rawValue)") }
        if let content { lines += ProbeReport.lines(content) }
        lines += problems.map { "FAILED: " + $0 }
        if problems.isEmpty { lines.append("SUCCESS: this scrape would be stored") }
        return lines.joined(separator: "\n")
    }

    private static func lines(_ labels: LabelSet) -> [String] {
        labels.map { "    \(LabelName.quotedIfNeeded($0.name))=\(GoQuote.quote($0.value))" }
    }

    private static func lines(_ answer: Answer) -> [String] {
        var lines = ["  status \(answer.status)" + (answer.reason.isEmpty ? "" : " " + answer.reason)]
        // What a stranger sends does not reach the terminal as it is.
        lines += answer.headers.map { "  \(GoQuote.escaped($0.name)): \(GoQuote.escaped($0.value))" }
        lines.append("  body of \(answer.bodyBytes) bytes, unpacked")
        if !answer.beginning.isEmpty { lines.append("  it begins with \(GoQuote.quote(bytes: answer.beginning))") }
        return lines
    }

    private static func lines(_ content: ProbeContent) -> [String] {
        var lines = [
            "  samples \(content.samples), stored \(content.samplesKept) as \(content.seriesCount) series",
            "  metric names \(content.metricNameCount), families declared \(content.familyCount)",
        ]
        let counts = [
            ("samples twice", content.duplicates), ("exemplars", content.exemplars),
            ("samples with their own time", content.ownTimestamps),
        ]
        for (what, count) in counts where count > 0 { lines.append("  \(what) \(count)") }
        lines.append("  read in \(milliseconds(content.readingSeconds))")
        guard !content.relabellings.isEmpty else { return lines }
        lines.append("Metric relabelling, for example")
        for example in content.relabellings {
            lines.append("    \(example.before.metricNotation)")
            lines.append("      " + (example.after.map { "becomes " + $0.metricNotation } ?? "is dropped"))
        }
        return lines
    }

    private static func milliseconds(_ seconds: Double) -> String {
        NumberText.fixed(seconds * 1000, digits: 1) + " ms"
    }
}
