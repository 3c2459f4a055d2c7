import PromQLSyntax
import SeriesModel

/// What a binary operator does to two points of vectors, floats or histograms.
struct PointOperation {
    /// What came of two points.
    enum Outcome {
        /// The operator is not defined for them: they are as if they were not there.
        case undefined
        /// A comparison that did not hold.
        case rejected
        case value(PointValue)
    }

    private let operation: BinaryOperator
    private let returnsBool: Bool
    private let range: SourceRange
    private let context: EvaluationContext
    let scalar: ScalarOperation
    /// A comparison that lets its left side through where it holds.
    let isFilter: Bool

    init(_ plan: BinaryPlan, _ context: EvaluationContext) {
        operation = plan.operation
        returnsBool = plan.returnsBool
        range = plan.range
        self.context = context
        scalar = ScalarOperation(plan.operation)
        isFilter = plan.operation.isComparison && !plan.returnsBool
    }

    /// Whether floats are combined with floats at all.
    var isDefinedForFloats: Bool { operation != .trimUpper && operation != .trimLower }

    func apply(_ left: PointValue, _ right: PointValue) -> Outcome {
        switch (left, right) {
        case (.float(let a), .float(let b)):
            guard isDefinedForFloats else { return undefined(left, right) }
            if !operation.isComparison { return .value(.float(scalar.arithmetic(a, b))) }
            return compared(scalar.compare(a, b), left)
        case (.float(let factor), .histogram(let histogram)):
            guard operation == .multiply else { return undefined(left, right) }
            return changed(histogram) { $0.multiply(by: factor) }
        case (.histogram(let histogram), .float(let number)):
            switch operation {
            case .multiply: return changed(histogram) { $0.multiply(by: number) }
            case .divide: return changed(histogram) { $0.divide(by: number) }
            case .trimUpper: return changed(histogram) { $0.trim(.keepingBelow, at: number) }
            case .trimLower: return changed(histogram) { $0.trim(.keepingAbove, at: number) }
            default: return undefined(left, right)
            }
        case (.histogram(let a), .histogram(let b)):
            switch operation {
            case .add, .subtract: return sum(a, b)
            case .equal: return compared(a == b, left)
            case .notEqual: return compared(a != b, left)
            default: return undefined(left, right)
            }
        }
    }

    private func compared(_ holds: Bool, _ left: PointValue) -> Outcome {
        if returnsBool { return .value(.float(holds ? 1 : 0)) }
        return holds ? .value(left) : .rejected
    }

    private func changed(_ histogram: NativeHistogram, _ change: (inout NativeHistogram) -> Void) -> Outcome {
        var histogram = histogram
        change(&histogram)
        histogram.compact()
        return .value(.histogram(histogram))
    }

    private func sum(_ a: NativeHistogram, _ b: NativeHistogram) -> Outcome {
        let isSum = operation == .add
        var result = a
        let outcome: NativeHistogram.Reconciliation
        do throws(HistogramError) {
            outcome = isSum ? try result.add(b) : try result.subtract(b)
        } catch {
            context.annotations.warn(
                "incompatible bucket layout encountered for binary operator \(operation.rawValue)", at: range)
            return .undefined
        }
        if !isSum { result.counterResetHint = .gauge }
        let name = isSum ? "addition" : "subtraction"
        if outcome.hasCounterResetCollision {
            context.annotations.warn("conflicting counter resets during histogram \(name)", at: range)
        }
        if outcome.hasReconciledBounds {
            context.annotations.info("mismatched custom buckets were reconciled during \(name)", at: range)
        }
        result.compact()
        return .value(.histogram(result))
    }

    private func undefined(_ left: PointValue, _ right: PointValue) -> Outcome {
        let symbol = operation.rawValue
        context.annotations.info(
            "incompatible sample types encountered for binary operator \"\(symbol)\": "
                + "\(left.typeName) \(symbol) \(right.typeName)", at: range)
        return .undefined
    }
}
