import ArgumentParser
import Foundation
import NIOPosix
import OutboundHTTP
import SeriesModel

/// `hearth query`: asks a server, ours or Prometheus, with promtool's options and output.
struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query", abstract: "Run a query against a server.",
        subcommands: [Instant.self, Range.self, Explain.self])

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case promql, json
    }

    struct Instant: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "instant", abstract: "Run an instant query.")

        @Option(name: [.short, .long], help: "Output format.") var output = Format.promql
        @Option(help: "Evaluation time (RFC3339 or Unix timestamp); now when left out.") var time: String?
        @Argument(help: "The server, for example http://localhost:9090.") var server: String
        @Argument(help: "The expression.") var expression: String

        func run() async throws {
            let parameters = [("query", expression)] + (time.map { [("time", $0)] } ?? [])
            try await QueryCommand.run(server, "query", parameters, output)
        }
    }

    struct Range: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "range", abstract: "Run a range query.")

        @Option(name: [.short, .long], help: "Output format.") var output = Format.promql
        @Option(help: "Start (RFC3339 or Unix timestamp); five minutes before the end when left out.") var start:
            String?
        @Option(help: "End (RFC3339 or Unix timestamp); now when left out.") var end: String?
        @Option(help: "Step, a duration; a 250th of the range when left out.") var step: String?
        @Option(help: "Extra headers: NAME=VALUE.") var header: [String] = []
        @Argument(help: "The server, for example http://localhost:9090.") var server: String
        @Argument(help: "The expression.") var expression: String

        func run() async throws {
            let window = try QueryCommand.window(start: start, end: end, step: step)
            try await QueryCommand.run(
                server, "query_range", [("query", expression)] + window, output, headers: header)
        }
    }

    struct Explain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "explain",
            abstract: "Run a query and show what each operator of its plan did.",
            discussion: "An instant query, or a range query where --start, --end or --step is given.")

        @Option(help: "Evaluation time (RFC3339 or Unix timestamp); now when left out.") var time: String?
        @Option(help: "Start (RFC3339 or Unix timestamp); five minutes before the end when left out.") var start:
            String?
        @Option(help: "End (RFC3339 or Unix timestamp); now when left out.") var end: String?
        @Option(help: "Step, a duration; a 250th of the range when left out.") var step: String?
        @Argument(help: "The server, for example http://localhost:9090.") var server: String
        @Argument(help: "The expression.") var expression: String

        func validate() throws {
            if time != nil, isRange { throw ValidationError("--time does not go with --start, --end and --step") }
        }

        private var isRange: Bool { start != nil || end != nil || step != nil }

        func run() async throws {
            let window = isRange ? try QueryCommand.window(start: start, end: end, step: step) : []
            let time = self.time.map { [("time", $0)] } ?? []
            let answer = try await QueryCommand.answer(
                server, isRange ? "query_range" : "query", [("query", expression), ("explain", "true")] + time + window)
            guard let plan = answer.data?.explain else { throw failure("the server does not explain queries") }
            print(plan.text)
        }
    }

    /// The parameters of a range query, defaults filled in as promtool does.
    private static func window(start: String?, end: String?, step: String?) throws -> [(String, String)] {
        let end = try end.map(seconds) ?? Date().timeIntervalSince1970
        let start = try start.map(seconds) ?? end - 300
        guard start <= end else { throw failure("start time is not before end time") }
        var width = max(1, ((end - start) / 250).rounded(.down))
        if let step {
            do {
                width = try Double(DurationText.parse(step)) / 1000
            } catch {
                throw failure("invalid step: \(error)")
            }
        }
        return [
            ("start", NumberText.fixed(start)), ("end", NumberText.fixed(end)), ("step", NumberText.fixed(width)),
        ]
    }

    private static func seconds(_ text: String) throws -> Double {
        if let seconds = Double(text) { return seconds }
        let formatter = ISO8601DateFormatter()
        for options: ISO8601DateFormatter.Options in [
            [.withInternetDateTime], [.withInternetDateTime, .withFractionalSeconds],
        ] {
            formatter.formatOptions = options
            if let date = formatter.date(from: text) { return date.timeIntervalSince1970 }
        }
        throw failure("cannot parse \"\(text)\" to a valid timestamp")
    }

    // MARK: Asking

    private static func run(
        _ server: String, _ path: String, _ parameters: [(String, String)], _ format: Format, headers: [String] = []
    ) async throws {
        try show(try await answer(server, path, parameters, headers: headers), format)
    }

    /// - Throws: also what the server says against the query.
    private static func answer(
        _ server: String, _ path: String, _ parameters: [(String, String)], headers: [String] = []
    ) async throws -> QueryAnswer {
        var base = server.contains("://") ? server : "http://" + server
        while base.hasSuffix("/") { base.removeLast() }
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        var fields: [(name: String, value: String)] = [("Content-Type", "application/x-www-form-urlencoded")]
        for header in headers {
            let parts = header.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw failure("expected NAME=VALUE, got '\(header)'") }
            fields.append((parts[0], parts[1]))
        }
        let body = parameters.map { $0.0 + "=" + PercentEncoding.encode($0.1) }.joined(separator: "&")
        let request = OutboundRequest(
            .post, base + "/api/v1/" + path, headers: fields, body: Array(body.utf8), timeout: 120_000)
        let outcome: Result<OutboundResponse, OutboundError>
        do throws(OutboundError) {
            outcome = .success(try await transport.send(request))
        } catch {
            outcome = .failure(error)
        }
        await transport.shutdown()
        switch outcome {
        case .failure(let error): throw failure("query error: \(error)")
        case .success(let response): return try decode(response)
        }
    }

    private static func decode(_ response: OutboundResponse) throws -> QueryAnswer {
        let answer: QueryAnswer
        do {
            answer = try JSONDecoder().decode(QueryAnswer.self, from: Data(response.body))
        } catch {
            throw failure("query error: \(response.statusError): not an answer of the query API")
        }
        for warning in answer.warnings ?? [] { printError("Warning: \(warning)") }
        guard answer.status == "success", answer.data != nil else {
            throw failure("query error: \(answer.errorType ?? "error"): \(answer.error ?? response.statusError)")
        }
        return answer
    }

    private static func show(_ answer: QueryAnswer, _ format: Format) throws {
        guard let data = answer.data else { return }
        switch format {
        case .promql: print(data.text)
        case .json:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(data.result), as: UTF8.self))
        }
    }
}
