import SeriesModel

/// The items of an `@st` line: where each sample's start timestamp lies, relative to the sample. Nil for none.
enum StartOffsetNotation {
    /// - Returns: ms for each position.
    static func parse(_ text: String) throws(NotationError) -> [Int64?] {
        var cursor = ByteCursor(text)
        var offsets: [Int64?] = []
        while true {
            let isSeparated = cursor.skipBlanks()
            if cursor.isAtEnd { return offsets }
            guard isSeparated else { throw NotationError("unexpected \(GoQuote.quote(cursor.rest)) in an @st line") }
            try item(&cursor, into: &offsets)
        }
    }

    private static func item(_ cursor: inout ByteCursor, into offsets: inout [Int64?]) throws(NotationError) {
        if cursor.accept(UInt8(ascii: "_")) {
            let count = try repetitions(&cursor)
            guard count != 0 else { throw NotationError("_x0 in an @st line") }
            return try SeriesNotation.append(nil, count: count ?? 1, to: &offsets)
        }
        let first = try offset(&cursor)
        var increment: Int64 = 0
        let hasIncrement = cursor.peek == UInt8(ascii: "+") || cursor.peek == UInt8(ascii: "-")
        if hasIncrement { increment = try offset(&cursor) }
        guard let count = try repetitions(&cursor) else {
            if hasIncrement { throw NotationError("an increment without a count in an @st line") }
            return offsets.append(first)
        }
        var current = first
        for index in 0...count {
            try SeriesNotation.append(current, count: 1, to: &offsets)
            if index < count { current = current.addingClamped(increment) }
        }
    }

    private static func repetitions(_ cursor: inout ByteCursor) throws(NotationError) -> Int? {
        guard cursor.accept(UInt8(ascii: "x")) else { return nil }
        return try SeriesNotation.count(&cursor)
    }

    /// Optional sign, digits, one unit; a bare 0 too.
    private static func offset(_ cursor: inout ByteCursor) throws(NotationError) -> Int64 {
        let isNegative = cursor.accept(UInt8(ascii: "-"))
        if !isNegative { _ = cursor.accept(UInt8(ascii: "+")) }
        let digits = cursor.take(while: ByteCursor.isDigit)
        // The `x` of a repetition is no unit.
        let unit = cursor.take { ByteCursor.isLetter($0) && $0 != UInt8(ascii: "x") }
        do {
            let magnitude = try DurationText.parse(digits + unit)
            return isNegative ? -magnitude : magnitude
        } catch {
            throw NotationError("bad start timestamp offset: \(error)")
        }
    }
}
