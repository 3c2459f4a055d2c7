import HTTPAPI
import PromQLEngine
import SeriesModel

/// A line of the query log: the JSON that Prometheus 3 writes through Go's `slog` (promql/engine.go). `ts` is what
/// Prometheus 2 called `time`; programs that read the log ask for either.
enum QueryLogLine {
    static func bytes(_ record: QueryRecord, at time: Timestamp) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("time", CivilTime(time).rfc3339Milliseconds)
            writer.field("ts", CivilTime(time).rfc3339Milliseconds)
            writer.field("level", "INFO")
            writer.field("msg", "promql query logged")
            writer.key("params")
            writer.object { writer in
                writer.field("end", CivilTime(record.end).rfc3339Milliseconds)
                writer.field("query", record.text)
                writer.field("start", CivilTime(record.start).rfc3339Milliseconds)
                writer.field("step", integer: record.step / 1000)
            }
            if let error = record.error { writer.field("error", error.description) }
            writer.field("stats", record.statistics)
            if let origin = record.origin { write(origin, to: &writer) }
        }
        return writer.takeBytes() + [UInt8(ascii: "\n")]
    }

    private static func write(_ origin: QueryOrigin, to writer: inout JSONWriter) {
        switch origin {
        case .request(let clientAddress, let method, let path):
            writer.key("httpRequest")
            writer.object { writer in
                if !clientAddress.isEmpty { writer.field("clientIP", clientAddress) }
                writer.field("method", method)
                writer.field("path", path)
            }
        case .ruleGroup(let file, let name):
            writer.key("ruleGroup")
            writer.object { writer in
                writer.field("file", file)
                writer.field("name", name)
            }
        }
    }
}
