/// The formats a target may answer with, by the names of `scrape_protocols`.
package enum ExpositionFormat: String, Sendable, Hashable, CaseIterable {
    /// `io.prometheus.client.MetricFamily` messages, each behind its length.
    case protobuf = "PrometheusProto"
    case text004 = "PrometheusText0.0.4"
    case text100 = "PrometheusText1.0.0"
    case openMetrics001 = "OpenMetricsText0.0.1"
    case openMetrics100 = "OpenMetricsText1.0.0"

    /// What is asked for unless the configuration says otherwise, best first.
    package static let standard: [ExpositionFormat] = [.openMetrics100, .openMetrics001, .text100, .text004]

    package var isOpenMetrics: Bool { self == .openMetrics001 || self == .openMetrics100 }

    /// Those that are texts.
    package static let texts: [ExpositionFormat] = allCases.filter { $0 != .protobuf }

    package var mediaType: String {
        switch self {
        case .protobuf: "application/vnd.google.protobuf"
        case .openMetrics001, .openMetrics100: "application/openmetrics-text"
        case .text004, .text100: "text/plain"
        }
    }

    private static let messageParameters = "proto=io.prometheus.client.MetricFamily;encoding=delimited"

    /// The content type of a body that we write.
    package var contentType: String {
        if self == .protobuf { return "\(mediaType); \(ExpositionFormat.messageParameters)" }
        let version = rawValue.drop { !$0.isNumber }
        let escaping = canQuoteNames ? "; escaping=allow-utf-8" : ""
        return "\(mediaType); version=\(version); charset=utf-8\(escaping)"
    }

    /// Whether names beyond the legacy alphabet may stand in quotes.
    package var canQuoteNames: Bool { self == .text100 || self == .openMetrics100 }
}

// MARK: - Asking

extension ExpositionFormat {
    /// The `Accept` header for the formats wanted, best first. Weights fall from 0.6 by tenths, as upstream's do: it
    /// has five protocols, whichever are asked for.
    package static func acceptHeader(_ formats: [ExpositionFormat] = standard) -> String {
        var tenths = 6
        var parts: [String] = []
        for format in formats {
            let version = "version=" + format.rawValue.drop { !$0.isNumber }
            let escaping = format.canQuoteNames ? ";escaping=allow-utf-8" : ""
            let parameters = format == .protobuf ? messageParameters : version + escaping
            parts.append("\(format.mediaType);\(parameters);q=0.\(tenths)")
            tenths -= 1
        }
        parts.append("*/*;q=0.\(max(tenths, 1))")
        return parts.joined(separator: ",")
    }
}

// MARK: - Understanding the answer

extension ExpositionFormat {
    /// What to read a body as, and what to tell the operator about a content type that had to be guessed.
    package struct Choice: Hashable, Sendable {
        package let format: ExpositionFormat
        package let warning: String?
    }

    /// What nearly all targets say, letter by letter: understood without taking it apart.
    private static let usualTypes: [String: ExpositionFormat] = [
        "text/plain; version=0.0.4; charset=utf-8": .text100,
        "text/plain; version=0.0.4; charset=utf-8; escaping=underscores": .text100,
        "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8": .text100,
        "application/openmetrics-text; version=0.0.1; charset=utf-8": .openMetrics100,
        "application/openmetrics-text; version=1.0.0; charset=utf-8": .openMetrics100,
        "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8": .openMetrics100,
    ]

    /// - Parameters:
    ///   - contentType: the response's header; nil counts as blank.
    ///   - fallback: `fallback_scrape_protocol`.
    /// - Throws: `ExpositionError` where the content type says nothing usable and there is no fallback.
    package static func choose(
        contentType: String?, fallback: ExpositionFormat?
    ) throws(ExpositionError) -> Choice {
        let header = contentType ?? ""
        if let format = usualTypes[header] { return Choice(format: format, warning: nil) }
        let problem: String
        let refusal: String
        if header.isEmpty {
            problem = "non-compliant scrape target sending blank Content-Type"
            refusal = problem + " and no fallback_scrape_protocol specified for target"
        } else if let mediaType = MediaType.parse(header) {
            switch mediaType.name {
            case "text/plain": return Choice(format: .text100, warning: nil)
            case "application/openmetrics-text": return Choice(format: .openMetrics100, warning: nil)
            case "application/vnd.google.protobuf": return Choice(format: .protobuf, warning: nil)
            default: break
            }
            let quoted = ExpositionError.quote(header)
            problem = "received unsupported Content-Type " + quoted
            refusal = problem + " and no fallback_scrape_protocol specified for target"
        } else {
            let quoted = ExpositionError.quote(header)
            problem = "could not parse received Content-Type " + quoted
            refusal = "cannot parse Content-Type \(quoted) and no fallback_scrape_protocol for target"
        }
        guard let fallback else { throw ExpositionError(line: 0, message: refusal) }
        return Choice(
            format: fallback, warning: "\(problem), using fallback_scrape_protocol \"\(fallback.mediaType)\"")
    }

    /// The format in which to answer a request: the first of the formats that the `Accept` header names with the
    /// highest weight; text 0.0.4 where none is.
    package static func negotiate(accept header: String?) -> ExpositionFormat {
        var best: (format: ExpositionFormat, weight: Double)?
        for part in (header ?? "").split(separator: ",") {
            guard let range = MediaType.parse(String(part)) else { continue }
            let weight = range.parameters["q"].flatMap(Double.init) ?? 1
            let allowsUTF8 = range.parameters["escaping"] == "allow-utf-8"
            let format: ExpositionFormat
            switch (range.name, range.parameters["version"]) {
            case ("application/vnd.google.protobuf", _):
                let parameters = range.parameters
                guard parameters["proto"] == "io.prometheus.client.MetricFamily", parameters["encoding"] == "delimited"
                else { continue }
                format = .protobuf
            case ("application/openmetrics-text", "1.0.0"?): format = allowsUTF8 ? .openMetrics100 : .openMetrics001
            case ("application/openmetrics-text", "0.0.1"?), ("application/openmetrics-text", nil):
                format = .openMetrics001
            case ("text/plain", "1.0.0"?): format = allowsUTF8 ? .text100 : .text004
            case ("text/plain", "0.0.4"?), ("text/plain", nil): format = .text004
            default: continue
            }
            if weight > (best?.weight ?? 0) { best = (format, weight) }
        }
        return best?.format ?? .text004
    }

    /// How names beyond the legacy alphabet are to be written where the format cannot quote them: the first way that the
    /// `Accept` header names.
    package static func negotiateEscaping(accept header: String?) -> NameEscaping {
        for part in (header ?? "").split(separator: ",") {
            let scheme = MediaType.parse(String(part))?.parameters["escaping"]
            if let scheme, let escaping = NameEscaping(rawValue: scheme) { return escaping }
        }
        return .underscores
    }
}
