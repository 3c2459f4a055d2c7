import PromQLSyntax
import SeriesModel

/// What is wrong with a series line.
struct NotationError: Error, Hashable, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// The series notation: `metric{label="value"} 1 2+3x4 _ stale {{…}}`.
enum SeriesNotation {
    /// More positions than this in one series are a mistake.
    private static let positionsMax = 4_000_000

    static func parse(_ line: String) throws(NotationError) -> ScriptSeries {
        let labels: LabelSet
        var cursor: ByteCursor
        do {
            let (parsed, byteCount) = try Parser.parseMetricPrefix(line)
            labels = parsed
            cursor = ByteCursor(line, at: byteCount)
        } catch {
            throw NotationError("\(error)")
        }
        var values: [ScriptValue] = []
        while true {
            let isSeparated = cursor.skipBlanks()
            if cursor.isAtEnd { return ScriptSeries(labels: labels, values: values) }
            guard isSeparated else { throw unexpected(cursor) }
            try item(&cursor, into: &values)
        }
    }

    private static func item(_ cursor: inout ByteCursor, into values: inout [ScriptValue]) throws(NotationError) {
        if cursor.peek == UInt8(ascii: "{") { return try histograms(&cursor, into: &values) }
        if cursor.peek == UInt8(ascii: "_") {
            cursor.position += 1
            let repeats = cursor.accept(UInt8(ascii: "x"))
            return try append(.omitted, count: repeats ? try count(&cursor) : 1, to: &values)
        }
        if cursor.accept("stale") {
            guard cursor.peek.map({ $0 == 0x20 || $0 == 0x09 }) ?? true else { throw unexpected(cursor) }
            return try append(.float(StaleMarker.value), count: 1, to: &values)
        }
        try floats(&cursor, into: &values)
    }

    private static func floats(_ cursor: inout ByteCursor, into values: inout [ScriptValue]) throws(NotationError) {
        let first = try number(&cursor)
        guard cursor.peek == UInt8(ascii: "+") || cursor.peek == UInt8(ascii: "-") else {
            let times = cursor.accept(UInt8(ascii: "x")) ? try count(&cursor) : 0
            return try append(.float(first), count: times + 1, to: &values)
        }
        let increment = try number(&cursor)
        guard cursor.accept(UInt8(ascii: "x")) else { throw unexpected(cursor) }
        let times = try count(&cursor)
        var current = first
        for _ in 0...times {
            try append(.float(current), count: 1, to: &values)
            current += increment
        }
    }

    private static func histograms(
        _ cursor: inout ByteCursor, into values: inout [ScriptValue]
    ) throws(NotationError) {
        var current = try ScriptHistogram(parsing: &cursor)
        let isSum = cursor.peek == UInt8(ascii: "+")
        guard isSum || cursor.peek == UInt8(ascii: "-") else {
            let times = cursor.accept(UInt8(ascii: "x")) ? try count(&cursor) : 0
            return try append(.histogram(current), count: times + 1, to: &values)
        }
        cursor.position += 1
        let increment = try ScriptHistogram(parsing: &cursor)
        guard cursor.accept(UInt8(ascii: "x")) else { throw unexpected(cursor) }
        let times = try count(&cursor)
        current.isHintWritten = increment.isHintWritten
        try append(.histogram(current), count: 1, to: &values)
        for _ in 0..<times {
            try current.combine(with: increment, isSum: isSum)
            try append(.histogram(current), count: 1, to: &values)
        }
    }

    /// A number with an optional sign. Integers follow Go's rules (a leading 0 is octal), floats have a fraction or an
    /// exponent. No hexadecimal: `0x5` is a repetition.
    static func number(_ cursor: inout ByteCursor, allowsPlus: Bool = true) throws(NotationError) -> Double {
        let start = cursor
        let isNegative = cursor.accept(UInt8(ascii: "-"))
        if !isNegative, allowsPlus { _ = cursor.accept(UInt8(ascii: "+")) }
        let magnitude: Double
        if let byte = cursor.peek, ByteCursor.isLetter(byte) {
            let word = cursor.take(while: ByteCursor.isWord).lowercased()
            switch word {
            case "inf": magnitude = .infinity
            case "nan": magnitude = StaleMarker.ordinaryNaN
            default: throw unexpected(start)
            }
        } else {
            guard let value = NumberSyntax.parse(digits(&cursor)) else { throw unexpected(start) }
            magnitude = value
        }
        return isNegative ? -magnitude : magnitude
    }

    private static func digits(_ cursor: inout ByteCursor) -> String {
        var text = cursor.take(while: ByteCursor.isDigit)
        if cursor.accept(UInt8(ascii: ".")) { text += "." + cursor.take(while: ByteCursor.isDigit) }
        if let mark = cursor.peek, mark | 0x20 == UInt8(ascii: "e") {
            cursor.position += 1
            text += "e"
            if cursor.accept(UInt8(ascii: "-")) { text += "-" } else { _ = cursor.accept(UInt8(ascii: "+")) }
            text += cursor.take(while: ByteCursor.isDigit)
        }
        return text
    }

    /// The N of `xN`.
    static func count(_ cursor: inout ByteCursor) throws(NotationError) -> Int {
        let start = cursor
        guard let count = Int(cursor.take(while: ByteCursor.isDigit)) else { throw unexpected(start) }
        guard count <= positionsMax else { throw NotationError("more than \(positionsMax) positions in a series") }
        return count
    }

    static func append<Value>(_ value: Value, count: Int, to values: inout [Value]) throws(NotationError) {
        guard values.count + count <= positionsMax else {
            throw NotationError("more than \(positionsMax) positions in a series")
        }
        values.append(contentsOf: repeatElement(value, count: count))
    }

    static func unexpected(_ cursor: ByteCursor) -> NotationError {
        NotationError("unexpected \(GoQuote.quote(cursor.rest)) in a series")
    }
}
