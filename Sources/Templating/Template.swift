package import SeriesModel

/// A parsed template: the subset of Go's `text/template` that alerting rules use, with Prometheus' functions.
///
/// Expansion is a pure computation. A `query` whose answer is not there yet stops it; the answer is fetched through
/// the caller's closure and the expansion starts again, so nothing in here waits and a template sees one answer for
/// one query.
package struct Template: Sendable {
    /// Asks the query engine.
    /// - Throws: anything; its text becomes the template's error.
    package typealias Query = @Sendable (_ query: String, _ time: Timestamp) async throws -> [TemplateSample]

    package let name: String
    private let text: String
    private let bodies: [String: [TemplateNode]]
    /// Longest text, in bytes.
    private static let bytesMax = 1 << 20
    /// Distinct queries in one expansion.
    private static let queriesMax = 100

    /// - Throws: `TemplateError` with the line.
    package init(_ text: String, name: String) throws(TemplateError) {
        guard text.utf8.count <= Template.bytesMax else {
            throw TemplateError(parsing: name, line: 1, "template is longer than \(Template.bytesMax) bytes")
        }
        self.name = name
        self.text = text
        bodies = try TemplateParser.parse(text, name: name)
    }

    /// - Parameter data: what `.` and `$` are at the beginning.
    /// - Throws: `TemplateError` with line and column.
    package func expand(
        _ data: TemplateValue, in environment: TemplateEnvironment, query: @escaping Query
    ) async throws(TemplateError) -> String {
        var answers: [String: TemplateExecutor.Answer] = [:]
        while true {
            var executor = TemplateExecutor(
                name: name, text: text, bodies: bodies, environment: environment, answers: answers)
            do throws(ExecutionStop) {
                return try executor.run(data)
            } catch {
                switch error {
                case .failed(let failure): throw failure
                case .needsQuery(let text):
                    if answers.count >= Template.queriesMax {
                        answers[text] = .failure("more than \(Template.queriesMax) queries in one template")
                    } else {
                        answers[text] = await Template.answer(query, text, environment.timestamp)
                    }
                }
            }
        }
    }

    private static func answer(
        _ query: Query, _ text: String, _ time: Timestamp
    ) async -> TemplateExecutor.Answer {
        do {
            return .samples(try await query(text, time))
        } catch {
            return .failure("\(error)")
        }
    }
}

/// What an expansion knows besides its data.
package struct TemplateEnvironment: Sendable {
    /// What a missing key of a map gives.
    package enum MissingKey: Sendable {
        /// The zero of the map's values: "" for labels.
        case zero
        case error
    }

    /// The time of `now` and of queries, ms.
    package var timestamp: Timestamp
    /// Under which users reach this server; "" where nobody said.
    package var externalURL: String
    package var missingKey = MissingKey.zero
    /// Writes values escaped for HTML text.
    package var escapesHTML = false
    /// Longest output, in bytes.
    package var outputBytesMax = 1 << 20
    /// Nodes and function calls executed.
    package var stepsMax = 1_000_000

    package init(timestamp: Timestamp, externalURL: String) {
        self.timestamp = timestamp
        self.externalURL = externalURL
    }
}
