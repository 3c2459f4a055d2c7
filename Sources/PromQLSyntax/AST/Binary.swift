package struct Binary: Sendable {
    package var operation: BinaryOperator
    package var left: Expression
    package var right: Expression
    package var returnsBool: Bool
    /// Nil where a side is a scalar.
    package var matching: VectorMatching?
    package var range: SourceRange
}

package enum BinaryOperator: String, Sendable, CaseIterable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case modulo = "%"
    case power = "^"
    case atan2
    case equal = "=="
    case notEqual = "!="
    case greater = ">"
    case less = "<"
    case greaterOrEqual = ">="
    case lessOrEqual = "<="
    case trimUpper = "</"
    case trimLower = ">/"
    case and, or, unless

    package var isComparison: Bool {
        switch self {
        case .equal, .notEqual, .greater, .less, .greaterOrEqual, .lessOrEqual: true
        default: false
        }
    }

    package var isSetOperator: Bool { self == .and || self == .or || self == .unless }

    /// The higher, the tighter it binds.
    var precedence: Int {
        switch self {
        case .or: 1
        case .and, .unless: 2
        case .equal, .notEqual, .greater, .less, .greaterOrEqual, .lessOrEqual, .trimUpper, .trimLower: 3
        case .add, .subtract: 4
        case .multiply, .divide, .modulo, .atan2: 5
        case .power: 6
        }
    }

    /// Where unary signs stand between the binary operators.
    static let unaryPrecedence = 5
}

/// Which series of two vectors belong together.
package struct VectorMatching: Sendable {
    package enum Cardinality: Sendable {
        case oneToOne, manyToOne, oneToMany, manyToMany
    }

    package var cardinality = Cardinality.oneToOne
    package var labels: [String] = []
    /// `on` rather than `ignoring`.
    package var isOn = false
    /// Labels that `group_left`/`group_right` take from the "one" side.
    package var include: [String] = []
    /// Values for series missing on a side.
    package var fillLeft: Double?
    package var fillRight: Double?

    package init() {}
}
