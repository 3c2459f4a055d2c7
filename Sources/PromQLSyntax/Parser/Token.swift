private import SeriesModel

/// A lexical element of PromQL.
struct Token: Sendable {
    enum Kind: Hashable, Sendable {
        case end
        case identifier, metricIdentifier, number, duration, string
        case leftParenthesis, rightParenthesis, leftBrace, rightBrace, leftBracket, rightBracket
        case comma, assign, colon, at
        case equalRegex, notEqualRegex
        case binary(BinaryOperator)
        case aggregation(AggregationOperator)
        case keyword(Keyword)
    }

    enum Keyword: String, CaseIterable, Sendable {
        case offset, by, without, on, ignoring, bool, start, end, step, range, anchored, smoothed, fill
        case groupLeft = "group_left"
        case groupRight = "group_right"
        case minOf = "min_of"
        case maxOf = "max_of"
        case fillLeft = "fill_left"
        case fillRight = "fill_right"
    }

    var kind: Kind
    var text: String
    var range: SourceRange

    /// How error messages name the token.
    var description: String {
        switch kind {
        case .end: return "end of input"
        case .identifier: return "identifier " + GoQuote.quote(text)
        case .metricIdentifier: return "metric identifier " + GoQuote.quote(text)
        case .number: return "number " + Token.shortened(text)
        case .duration: return "duration " + Token.shortened(text)
        case .string: return "string " + Token.shortened(text)
        case .binary, .at, .equalRegex, .notEqualRegex: return "<op:\(text)>"
        case .aggregation: return "<aggr:\(text)>"
        case .keyword: return "<\(text)>"
        case .leftParenthesis, .rightParenthesis, .leftBrace, .rightBrace, .leftBracket, .rightBracket, .comma, .assign,
            .colon:
            return GoQuote.quote(text)
        }
    }

    private static func shortened(_ text: String) -> String {
        let scalars = text.unicodeScalars
        if text.utf8.count <= 10 { return GoQuote.quote(text) }
        return GoQuote.quote(String(String.UnicodeScalarView(scalars.prefix(10)))) + "..."
    }

    /// What a word means, whatever its case.
    static func kind(ofWord word: String) -> Kind? { words[word.lowercased()] }

    private static let words: [String: Kind] = {
        var words: [String: Kind] = ["inf": .number, "nan": .number]
        for keyword in Keyword.allCases { words[keyword.rawValue] = .keyword(keyword) }
        for operation in AggregationOperator.allCases { words[operation.rawValue] = .aggregation(operation) }
        for operation in [BinaryOperator.and, .or, .unless, .atan2] { words[operation.rawValue] = .binary(operation) }
        return words
    }()
}
