import Scrape
import SeriesModel

/// `targets/probe`: asks a target that is scraped anyway, and shows what came. A caller names one of the server's
/// targets; what the server does not scrape it does not fetch.
extension APIRoutes {
    func probeTarget(_ request: APIRequest) async throws -> APIResponse {
        let pool = try scrapePoolName(request)
        let url = request.form["scrapeUrl"]
        guard !url.isEmpty else { throw APIError(.badData, "no scrapeUrl parameter provided") }
        switch await services.probe(pool, url) {
        case .unknown:
            throw APIError(.notFound, "scrape pool \(GoQuote.quote(pool)) has no target \(GoQuote.quote(url))")
        case .busy: throw APIError(.timeout, "another probe is under way")
        case .report(let report): return .success { APIRoutes.write(report, to: &$0) }
        }
    }

    private static func write(_ report: ProbeReport, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("scrapePool", report.job)
            writer.field("scrapeUrl", report.url)
            writer.field("discoveredLabels", labels: report.discoveredLabels)
            writer.field("labels", labels: report.labels ?? .empty)
            writer.field("success", boolean: report.isGood)
            writer.field("problems", array: report.problems)
            writer.field("answerSeconds", number: report.answerSeconds ?? 0)
            if let answer = report.answer { write(answer, to: &writer) }
            if let format = report.formatName { writer.field("format", format) }
            if let content = report.content { write(content, to: &writer) }
        }
    }

    private static func write(_ answer: ProbeReport.Answer, to writer: inout JSONWriter) {
        writer.field("status", integer: answer.status)
        writer.key("headers")
        writer.array(of: answer.headers) { writer, header in
            writer.object { writer in
                writer.field("name", header.name)
                let isCookie = header.name.lowercased() == "set-cookie"
                writer.field("value", isCookie ? "<secret>" : header.value)
            }
        }
        writer.field("bodyBytes", integer: answer.bodyBytes)
    }

    private static func write(_ content: ProbeContent, to writer: inout JSONWriter) {
        writer.field("samples", integer: content.samples)
        writer.field("samplesStored", integer: content.samplesKept)
        writer.field("series", integer: content.seriesCount)
        writer.field("metricNames", integer: content.metricNameCount)
        writer.field("families", integer: content.familyCount)
        writer.field("duplicates", integer: content.duplicates)
        writer.field("exemplars", integer: content.exemplars)
        writer.field("ownTimestamps", integer: content.ownTimestamps)
        writer.field("readSeconds", number: content.readingSeconds)
        writer.key("relabelled")
        writer.array(of: content.relabellings) { writer, example in
            writer.object { writer in
                writer.field("before", labels: example.before)
                writer.field("after", labels: example.after ?? .empty)
                writer.field("keep", boolean: example.after != nil)
            }
        }
    }
}
