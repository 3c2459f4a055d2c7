import PromQLSyntax
package import SeriesModel
import TestSupport

/// Writes random PromQL that parses and has the right types, over the series of `RandomSeries`. The same seed gives the
/// same queries.
///
/// Evaluating one may still fail, as queries of people do: by a match of many to many, by series that lose their names.
package struct ExpressionGenerator {
    package struct Options: Sendable {
        /// Levels of operators and calls above the selectors.
        package var depthMax = 3
        /// What durations are multiples and halves of, ms.
        package var unit: Int64 = 60_000
        /// Where `@` points to.
        package var times: ClosedRange<Timestamp>
        /// Whether queries may mention themselves: `start()`, `end()`, `step()`, `range()`, `@ start()`, `[step()]`.
        package var usesQueryBounds = true
        /// Whether native histograms are asked for.
        package var usesHistograms = true
        /// Whether what makes up an order of series may stand where that order matters, and whether there is `sort`.
        package var usesUnorderedOperands = true
        /// Odd spacing, comments, and operators in capitals.
        package var decorates = false

        package init(times: ClosedRange<Timestamp>) { self.times = times }
    }

    let options: Options
    var random: SeededRandom
    /// Whether the order of series must be that of the store.
    var needsStoreOrder = false

    package init(_ options: Options, seed: UInt64) {
        self.options = options
        random = SeededRandom(seed: seed)
    }

    /// An expression that a range query takes, too: an instant vector or a scalar.
    package mutating func expression() -> String {
        needsStoreOrder = false
        let depth = 1 + random.below(options.depthMax)
        return random.chance(8) ? scalar(depth) : vector(depth)
    }

    /// Any expression, ranges and strings among them.
    package mutating func anyExpression() -> String {
        switch random.below(20) {
        case 0: return string()
        case 1, 2:
            needsStoreOrder = false
            return range(options.depthMax)
        default: return expression()
        }
    }

    // MARK: Types

    mutating func vector(_ depth: Int) -> String {
        guard depth > 0 else { return instantSelector() }
        switch random.below(100) {
        case ..<8: return instantSelector()
        case ..<40: return vectorCall(depth - 1)
        case ..<60 where !needsStoreOrder || options.usesUnorderedOperands: return aggregation(depth - 1)
        case ..<70: return scalarOperation(depth - 1)
        case ..<84 where !needsStoreOrder || options.usesUnorderedOperands: return vectorOperation(depth - 1)
        case ..<93 where !needsStoreOrder || options.usesUnorderedOperands: return setOperation(depth - 1)
        case ..<96: return random.pick(["-", "+"]) + wrapped(vector(depth - 1))
        default: return "(" + gap() + vector(depth - 1) + gap() + ")"
        }
    }

    mutating func scalar(_ depth: Int) -> String {
        guard depth > 0 else { return number() }
        switch random.below(12) {
        case ..<4: return number()
        case 4: return "time()"
        case 5: return "scalar(" + vector(depth - 1) + ")"
        case 6: return "pi()"
        case 7: return random.pick(["max_of", "min_of"]) + "(\(scalar(depth - 1)),\(gap())\(scalar(depth - 1)))"
        case 8 where options.usesQueryBounds: return random.pick(["start", "end", "step", "range"]) + "()"
        case 9:
            let comparison = random.pick(Self.comparisons)
            return "\(wrapped(scalar(depth - 1))) \(comparison) bool \(wrapped(scalar(depth - 1)))"
        case 10: return "-" + wrapped(scalar(depth - 1))
        default:
            return "\(wrapped(scalar(depth - 1))) \(random.pick(Self.arithmetic)) \(wrapped(scalar(depth - 1)))"
        }
    }

    mutating func number() -> String {
        random.pick([
            "0", "1", "2", "3", "2.5", ".5", "1e3", "0x1F", "1_000", "0755", "1e-7", "1e300", "5e-324", "NaN", "(Inf)",
            "30s", "1m30s", "100", "(-1)", "(-0.5)",
        ])
    }

    mutating func string() -> String {
        random.pick([
            #""text""#, #"'it''s'"#.replacing("''", with: "\\'"), "`raw \\ \"`", #""\n\t\\ \u00e9 \xff""#, "\"\"",
        ])
    }

    // MARK: Spelling

    /// In parentheses, so that no operator beside can tear it apart.
    mutating func wrapped(_ text: String) -> String {
        let isAtom = text.utf8.allSatisfy {
            $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "-")
        }
        return isAtom && random.chance(80) && !text.hasPrefix("+") ? text : "(" + text + ")"
    }

    /// Between tokens where a blank may stand.
    mutating func gap() -> String {
        guard options.decorates, random.chance(25) else { return "" }
        return random.pick([" ", "  ", "\n", "\t", " # a comment\n", "\r\n"])
    }

    /// Between words.
    mutating func blank() -> String { " " + gap() }

    mutating func keyword(_ word: String) -> String {
        options.decorates && random.chance(15) ? word.uppercased() : word
    }

    static let arithmetic = ["+", "-", "*", "/", "%", "^", "atan2"]
    static let comparisons = ["==", "!=", ">", "<", ">=", "<="]
}
