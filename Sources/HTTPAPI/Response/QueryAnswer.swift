import PromQLEngine
import SeriesModel

/// A query's result on its way to the client: written part by part, so that a large one never lies in memory as text.
struct QueryAnswer: Sendable {
    var result: QueryResult
    var includesStatistics: Bool

    private static let partBytes = 256 << 10
    /// Answers up to this many samples are written in one go and have a length.
    private static let smallCountMax = 8192
    /// How many floats a histogram weighs.
    private static let histogramWeight = 64
    /// How many samples are written between two looks at the part's size.
    private static let runCount = 4096

    func response() async throws -> APIResponse {
        if sampleCount <= QueryAnswer.smallCountMax {
            var writer = JSONWriter()
            try await write(to: &writer) { _ in }
            return APIResponse(contentType: APIResponse.jsonType, body: .bytes(writer.takeBytes()))
        }
        let answer = self
        return APIResponse(
            contentType: APIResponse.jsonType,
            body: .stream { emit in
                var writer = JSONWriter()
                try await answer.write(to: &writer) { writer in
                    if writer.bytes.count >= QueryAnswer.partBytes { try await emit(writer.takeBytes()) }
                }
                try await emit(writer.takeBytes())
            })
    }

    private var sampleCount: Int {
        switch result.value {
        case .scalar, .string: 1
        case .vector(let samples): samples.count
        case .matrix(let series):
            series.reduce(0) { $0 + $1.samples.count + $1.samples.histograms.count * QueryAnswer.histogramWeight }
        }
    }

    /// - Parameter drain: looks at what is written, and takes it when it is enough.
    private func write(
        to writer: inout JSONWriter, drain: (inout JSONWriter) async throws -> Void
    ) async throws {
        writer.beginSuccess()
        writer.beginObject()
        writer.field("resultType", result.value.typeName)
        writer.key("result")
        switch result.value {
        case .scalar(let time, let value):
            // Unlike samples, scalars never have an exponent.
            writer.array { writer in
                writer.timestamp(time)
                writer.string(NumberText.fixed(value))
            }
        case .string(let time, let text):
            writer.array { writer in
                writer.timestamp(time)
                writer.string(text)
            }
        case .vector(let samples):
            writer.beginArray()
            for sample in samples {
                writer.object { QueryAnswer.write(sample, to: &$0) }
                try await drain(&writer)
            }
            writer.endArray()
        case .matrix(let series):
            writer.beginArray()
            for element in series { try await QueryAnswer.write(element, to: &writer, drain: drain) }
            writer.endArray()
        }
        if includesStatistics { writer.field("stats", result.statistics) }
        if let plan = result.plan {
            writer.key("explain")
            writer.plan(plan)
        }
        writer.endObject()
        writer.endSuccess(warnings: result.warnings, infos: result.infos)
    }

    private static func write(_ sample: VectorSample, to writer: inout JSONWriter) {
        writer.field("metric", labels: sample.labels)
        if let histogram = sample.histogram {
            writer.key("histogram")
            writer.point(sample.timestamp, histogram)
        } else {
            writer.key("value")
            writer.point(sample.timestamp, sample.value)
        }
    }

    private static func write(
        _ series: MatrixSeries, to writer: inout JSONWriter, drain: (inout JSONWriter) async throws -> Void
    ) async throws {
        writer.beginObject()
        writer.field("metric", labels: series.labels)
        let samples = series.samples
        if samples.count > 0 {
            writer.key("values")
            writer.beginArray()
            for start in stride(from: 0, to: samples.count, by: runCount) {
                let run = start..<min(samples.count, start + runCount)
                writer.points(samples.timestamps[run], samples.values[run])
                try await drain(&writer)
            }
            writer.endArray()
        }
        if !samples.histograms.isEmpty {
            writer.key("histograms")
            writer.beginArray()
            for (time, histogram) in zip(samples.histogramTimestamps, samples.histograms) {
                writer.point(time, histogram)
                try await drain(&writer)
            }
            writer.endArray()
        }
        writer.endObject()
    }
}
