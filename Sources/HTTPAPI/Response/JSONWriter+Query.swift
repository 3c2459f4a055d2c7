package import PromQLEngine
import PromQLSyntax

extension JSONWriter {
    /// `timings` in seconds and `samples`, as the query API and the query log show them.
    package mutating func field(_ name: StaticString, _ statistics: QueryStatistics) {
        key(name)
        object { writer in
            writer.key("timings")
            writer.object { writer in
                writer.field("evalTotalTime", number: statistics.evalTotalTime)
                writer.field("resultSortTime", number: statistics.resultSortTime)
                writer.field("queryPreparationTime", number: statistics.queryPreparationTime)
                writer.field("innerEvalTime", number: statistics.innerEvalTime)
                writer.field("execQueueTime", number: statistics.execQueueTime)
                writer.field("execTotalTime", number: statistics.execTotalTime)
            }
            writer.key("samples")
            writer.object { writer in
                writer.field("totalQueryableSamples", integer: statistics.totalQueryableSamples)
                writer.field("peakSamples", integer: statistics.peakSamples)
                writer.field("samplesRead", integer: statistics.samplesRead)
            }
        }
    }

    /// An operator with those below it. Recurses as deep as the query is nested, which the parser bounds.
    package mutating func plan(_ report: PlanReport) {
        beginObject()
        field("operator", report.name)
        field("detail", report.detail)
        if let range = report.range {
            key("position")
            object { writer in
                writer.field("start", integer: range.start)
                writer.field("end", integer: range.end)
            }
        }
        field("series", integer: report.series)
        field("samples", integer: report.samples)
        field("seconds", number: report.seconds)
        key("children")
        beginArray()
        for child in report.children { plan(child) }
        endArray()
        endObject()
    }
}
