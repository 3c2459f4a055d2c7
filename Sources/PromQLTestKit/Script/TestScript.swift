package import PromQLSyntax
package import SeriesModel

/// A script of the PromQL test language: data to load, queries, and what they must give.
package struct TestScript: Sendable {
    package enum Command: Sendable {
        case clear
        case load(Load)
        case evaluate(Evaluation)
    }

    /// Why a text is no script; nothing of such a file is run.
    package struct SyntaxError: Error, Sendable, Hashable, CustomStringConvertible {
        /// From 1.
        package var line: Int
        package var message: String

        package var description: String { "line \(line): \(message)" }
    }

    package var commands: [Command]

    /// - Throws: `SyntaxError`, also where a query does not parse.
    package init(_ text: String) throws(SyntaxError) {
        var parser = ScriptParser(text)
        commands = try parser.script()
    }
}

/// One position of a series as a script writes it.
package enum ScriptValue: Sendable {
    case omitted
    case float(Double)
    indirect case histogram(ScriptHistogram)
}

/// A series line: labels and the values of consecutive positions.
package struct ScriptSeries: Sendable {
    package var labels: LabelSet
    package var values: [ScriptValue]
}

extension TestScript {
    package struct Load: Sendable {
        /// From 1.
        package var line: Int
        /// ms between positions.
        package var step: Int64
        package var addsCustomBucketHistograms: Bool
        package var series: [LoadedSeries]
    }

    package struct LoadedSeries: Sendable {
        package var line: Int
        package var labels: LabelSet
        package var values: [ScriptValue]
        /// ms relative to each sample; empty, or as long as `values`.
        package var startOffsets: [Int64?]
    }

    package struct Evaluation: Sendable {
        package enum Time: Sendable {
            /// ms
            case instant(Timestamp)
            /// ms each
            case range(start: Timestamp, end: Timestamp, step: Int64)
        }

        /// From 1.
        package var line: Int
        package var query: String
        package var expression: Expression
        package var time: Time
        package var failure: FailureExpectation?
        package var warnings = AnnotationExpectation.unchecked
        package var infos = AnnotationExpectation.unchecked
        package var isOrdered = false
        package var result = ResultExpectation()
    }

    /// A text that must be met.
    package enum TextExpectation: Sendable {
        case any
        case equal(String)
        case matching(TextPattern)
    }

    package enum FailureExpectation: Sendable {
        case failure(TextExpectation)
    }

    package enum AnnotationExpectation: Sendable {
        case unchecked
        case none
        /// At least one, and where there are texts, each text met by one and each one met by a text.
        case some([TextExpectation])
    }

    package struct ResultExpectation: Sendable {
        package var scalar: Double?
        package var string: String?
        package var series: [LabelSet: ExpectedSeries] = [:]
        /// The times of the values of an instant query that returns a range vector. ms
        package var rangeVector: (start: Timestamp, end: Timestamp, step: Int64)?
    }

    package struct ExpectedSeries: Sendable {
        package var line: Int
        /// Counted over the series lines, from 0.
        package var position: Int
        package var values: [ScriptValue]
    }
}
