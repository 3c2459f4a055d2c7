import SeriesModel

/// What the query API answers.
struct QueryAnswer: Decodable {
    struct Payload: Decodable {
        var resultType: String
        var result: Result
        var explain: PlanOperator?

        private enum Key: CodingKey {
            case resultType, result, explain
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            resultType = try container.decode(String.self, forKey: .resultType)
            explain = try container.decodeIfPresent(PlanOperator.self, forKey: .explain)
            switch resultType {
            case "vector": result = .vector(try container.decode([Series].self, forKey: .result))
            case "matrix": result = .matrix(try container.decode([Series].self, forKey: .result))
            default: result = .point(try container.decode(Point.self, forKey: .result))
            }
        }

        /// As promtool prints it.
        var text: String {
            switch result {
            case .vector(let series):
                series.map { "\($0.notation) => \($0.value?.text ?? "")" }.joined(separator: "\n")
            case .matrix(let series):
                series.map { "\($0.notation) =>\n\(($0.values ?? []).map(\.text).joined(separator: "\n"))" }
                    .joined(separator: "\n")
            case .point(let point): resultType == "scalar" ? "scalar: \(point.text)" : point.value
            }
        }
    }

    enum Result: Encodable {
        case vector([Series])
        case matrix([Series])
        case point(Point)

        func encode(to encoder: any Encoder) throws {
            switch self {
            case .vector(let series), .matrix(let series): try series.encode(to: encoder)
            case .point(let point): try point.encode(to: encoder)
            }
        }
    }

    struct Series: Codable {
        var metric: [String: String]
        var value: Point?
        var values: [Point]?

        /// `name{label="value", …}`
        var notation: String {
            let name = metric[Label.metricName] ?? ""
            let labels = metric.filter { $0.key != Label.metricName }.sorted { $0.key < $1.key }
                .map { "\(LabelName.quotedIfNeeded($0.key))=\(GoQuote.quote($0.value))" }
            if labels.isEmpty { return name.isEmpty ? "{}" : name }
            return name + "{" + labels.joined(separator: ", ") + "}"
        }
    }

    /// A pair of seconds and value text.
    struct Point: Codable {
        var seconds: Double
        var value: String

        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            seconds = try container.decode(Double.self)
            value = try container.decode(String.self)
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.unkeyedContainer()
            try container.encode(seconds)
            try container.encode(value)
        }

        var text: String {
            let number = NumberText.parse(value).map(NumberText.fixed) ?? value
            return "\(number) @[\(NumberText.fixed(seconds))]"
        }
    }

    var status: String
    var data: Payload?
    var errorType: String?
    var error: String?
    var warnings: [String]?
}
