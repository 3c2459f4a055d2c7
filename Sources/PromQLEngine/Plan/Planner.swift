import PromQLSyntax
import SeriesModel
import StorageAPI

/// Turns an expression into a plan, and gathers the selections that its selectors need.
struct Planner {
    private var selections: [Selection] = []
    private var nodeCount = 0
    private let options: EngineOptions
    private let lookbackDelta: Int64
    /// The whole query's, which `start()`, `end()`, `step()` and `range()` mean also inside subqueries.
    private let outer: Grid
    private let isInstant: Bool

    init(options: EngineOptions, lookbackDelta: Int64, grid: Grid, isInstant: Bool) {
        self.options = options
        self.lookbackDelta = lookbackDelta
        outer = grid
        self.isInstant = isInstant
    }

    /// Where in the query a node stands.
    private struct Scope {
        var isInsideInvariant = false
        /// Within `histogram_count`, `histogram_sum` or `histogram_avg`.
        var isInsideStatistics = false
        /// Within something that wants whole histograms.
        var needsBuckets = false
    }

    /// - Returns: the plan after all rewrites.
    mutating func plan(_ expression: Expression) throws(QueryError) -> QueryPlan {
        let root = try plan(expression, outer, Scope())
        var plan = QueryPlan(root: root, selections: selections, nodeCount: nodeCount)
        for rewrite in Rewrites.standard { rewrite(&plan) }
        return plan
    }

    private mutating func nextID() -> Int {
        defer { nodeCount += 1 }
        return nodeCount
    }

    private mutating func plan(
        _ expression: Expression, _ grid: Grid, _ scope: Scope
    ) throws(QueryError) -> PlanNode {
        if !scope.isInsideInvariant, grid.count > 1, StepInvariance.holds(expression) {
            switch expression.unwrapped {
            case .number, .string, .matrixSelector, .subquery: break
            default:
                var inside = scope
                inside.isInsideInvariant = true
                let inner = try plan(expression, grid.first, inside)
                return .stepInvariant(
                    OperandPlan(
                        id: nextID(), operand: inner, isScalar: expression.valueType == .scalar,
                        range: expression.range))
            }
        }
        switch expression {
        case .number(let node): return .number(node.value)
        case .string(let node): return .string(node.value)
        case .parenthesized(let node): return try plan(node.expression, grid, scope)
        case .vectorSelector(let node): return .selector(try selector(node, grid, width: 0, scope))
        case .matrixSelector(let node): return .range(try matrix(node, grid, scope))
        case .subquery(let node): return .range(try subquery(node, grid))
        case .unary(let node):
            let operand = try plan(node.operand, grid, scope)
            if !node.isNegation { return operand }
            return .negate(
                OperandPlan(
                    id: nextID(), operand: operand, isScalar: node.operand.valueType == .scalar, range: node.range))
        case .binary(let node): return try binary(node, grid, scope)
        case .aggregate(let node): return try aggregate(node, grid, scope)
        case .call(let node): return try call(node, grid, scope)
        }
    }

    private mutating func binary(
        _ node: Binary, _ grid: Grid, _ scope: Scope
    ) throws(QueryError) -> PlanNode {
        var scope = scope
        if node.operation == .trimUpper || node.operation == .trimLower { scope.needsBuckets = true }
        return .binary(
            BinaryPlan(
                id: nextID(), operation: node.operation, left: try plan(node.left, grid, scope),
                right: try plan(node.right, grid, scope),
                isLeftScalar: node.left.valueType == .scalar, isRightScalar: node.right.valueType == .scalar,
                returnsBool: node.returnsBool, matching: node.matching, range: node.range))
    }

    private mutating func aggregate(
        _ node: Aggregation, _ grid: Grid, _ scope: Scope
    ) throws(QueryError) -> PlanNode {
        var parameter: PlanNode?
        if let expression = node.parameter {
            parameter = try plan(expression, grid, scope)
        }
        return .aggregate(
            AggregatePlan(
                id: nextID(), operation: node.operation,
                operand: try plan(node.expression, grid, scope), parameter: parameter,
                grouping: node.grouping, isWithout: node.isWithout, range: node.range,
                operandRange: node.expression.range, parameterRange: node.parameter?.range ?? node.range))
    }

    private mutating func call(
        _ node: Call, _ grid: Grid, _ scope: Scope
    ) throws(QueryError) -> PlanNode {
        let name = node.function.name
        guard let function = FunctionTable.named(name) else {
            throw .execution("function \"\(name)\" cannot be evaluated")
        }
        switch name {
        case "start": return .number(Double(outer.start) / 1000)
        case "end": return .number(Double(outer.end) / 1000)
        case "step": return .number(stepSeconds)
        case "range": return .number(rangeSeconds)
        default: break
        }
        var scope = scope
        switch name {
        case "histogram_count", "histogram_sum", "histogram_avg": scope.isInsideStatistics = true
        case "histogram_quantile", "histogram_quantiles", "histogram_fraction": scope.needsBuckets = true
        case "info": return try info(node, function, grid, scope)
        default: break
        }
        var arguments: [PlanNode] = []
        for argument in node.arguments {
            arguments.append(try plan(argument, grid, scope))
        }
        try checkExtension(node)
        return .call(
            CallPlan(
                id: nextID(), function: function, arguments: arguments, expressions: node.arguments,
                range: node.range))
    }

    /// The second argument is no expression to be evaluated: it says which info series to take which labels from. They
    /// are looked up at the times that the first argument's selector looks at.
    private mutating func info(
        _ node: Call, _ function: FunctionDefinition, _ grid: Grid, _ scope: Scope
    ) throws(QueryError) -> PlanNode {
        guard let operand = node.arguments.first else { throw .execution("info needs an argument") }
        let argument = try plan(operand, grid, scope)
        var given: [LabelMatcher] = []
        if case .vectorSelector(let selector)? = node.arguments.dropFirst().first?.unwrapped {
            given = selector.matchers
        }
        var names = given.filter { $0.name == Label.metricName }
        if names.isEmpty {
            names = [.equal(Label.metricName, "target_info")]
        } else if !names.contains(where: { $0.kind == .equal || $0.kind == .regex }) {
            // Names that are only excluded are excluded from what looks like an info metric.
            names.append(try Planner.anyInfoName())
        }
        let data = given.filter { $0.name != Label.metricName }
        let (offset, at) = try firstReference(operand) ?? (0, nil)
        var call = CallPlan(
            id: nextID(), function: function, arguments: [argument], expressions: node.arguments, range: node.range)
        let index = try select(names + data, .none, offset: offset, at: at, grid, width: 0)
        let selector = SelectorPlan(
            id: nextID(), selection: index, offset: offset, at: at, matchers: names + data, rangeExtension: .none,
            source: node.range)
        call.info = InfoPlan(selector: selector, nameMatchers: names, dataMatchers: data)
        return .call(call)
    }

    private static func anyInfoName() throws(QueryError) -> LabelMatcher {
        do {
            return try LabelMatcher(.regex, Label.metricName, ".+_info")
        } catch {
            throw .execution("invalid pattern of info metrics")
        }
    }

    /// The times that the first selector in an expression looks at, subqueries around it included. Nil for no selector.
    private func firstReference(
        _ expression: Expression
    ) throws(QueryError) -> (offset: Int64, at: Timestamp?)? {
        let shift: TimeShift
        var inner: (offset: Int64, at: Timestamp?) = (0, nil)
        switch expression {
        case .vectorSelector(let node): shift = node.shift
        case .subquery(let node):
            guard let found = try firstReference(node.expression) else { return nil }
            if found.at != nil { return found }
            inner = found
            shift = node.shift
        default:
            for child in expression.children {
                if let found = try firstReference(child) { return found }
            }
            return nil
        }
        let offset = try resolve(shift.offset, shift.offsetExpression)
        return (offset.addingClamped(inner.offset), resolve(shift.at))
    }

    /// Which functions know what to do with `anchored` and `smoothed`.
    private func checkExtension(_ node: Call) throws(QueryError) {
        for argument in node.arguments {
            guard case .matrixSelector(let matrix) = argument.unwrapped else { continue }
            let name = node.function.name
            switch matrix.selector.rangeExtension {
            case .none: break
            case .anchored where !["resets", "changes", "rate", "increase", "delta"].contains(name):
                throw .execution(
                    "anchored modifier can only be used with: changes, delta, increase, rate, resets - not with \(name)"
                )
            case .smoothed where !["rate", "increase", "delta"].contains(name):
                throw .execution("smoothed modifier can only be used with: delta, increase, rate - not with \(name)")
            case .anchored, .smoothed: break
            }
        }
    }

    // MARK: Selectors

    private mutating func selector(
        _ node: VectorSelector, _ grid: Grid, width: Int64, _ scope: Scope
    ) throws(QueryError) -> SelectorPlan {
        let offset = try resolve(node.shift.offset, node.shift.offsetExpression)
        let at = resolve(node.shift.at)
        let refines = scope.isInsideStatistics && !scope.needsBuckets
        let index = try select(
            node.matchers, node.rangeExtension, offset: offset, at: at, grid, width: width, needsOlder: refines)
        return SelectorPlan(
            id: nextID(), selection: index, width: width, offset: offset, at: at, matchers: node.matchers,
            rangeExtension: node.rangeExtension, source: node.range, refinesResetHints: refines)
    }

    /// - Returns: the index of the selection.
    private mutating func select(
        _ matchers: [LabelMatcher], _ rangeExtension: RangeExtension, offset: Int64, at: Timestamp?, _ grid: Grid,
        width: Int64, needsOlder: Bool = false
    ) throws(QueryError) -> Int {
        var span = try span(grid, width: width, offset: offset, at: at)
        // Left-open: a sample exactly one lookback old is not seen, one exactly at the beginning of a range neither.
        let reach = width == 0 ? lookbackDelta : 0
        switch rangeExtension {
        case .none: span.min = span.min &- reach &+ 1
        case .anchored, .smoothed: span.min = span.min &- max(reach, lookbackDelta) &+ 1
        }
        if rangeExtension == .smoothed { span.max = span.max &+ lookbackDelta }
        var hints = SelectHints()
        hints.step = isInstant ? 0 : grid.step
        hints.rangeWidth = width
        hints.wantsNewestOnly = width == 0 && grid.count == 1 && rangeExtension == .none && !needsOlder
        selections.append(Selection(matchers: matchers, range: span, hints: hints))
        return selections.count - 1
    }

    private mutating func matrix(
        _ node: MatrixSelector, _ grid: Grid, _ scope: Scope
    ) throws(QueryError) -> RangePlan {
        let width = try resolveWidth(node.width, node.widthExpression)
        let selector = try self.selector(node.selector, grid, width: width, scope)
        return RangePlan(
            id: nextID(), source: .selector(selector), width: width, offset: selector.offset, at: selector.at,
            range: node.range)
    }

    private mutating func subquery(_ node: Subquery, _ grid: Grid) throws(QueryError) -> RangePlan {
        let width = try resolveWidth(node.width, node.widthExpression)
        var step = try resolve(node.step, node.stepExpression)
        if node.stepExpression != nil, step <= 0 { throw .execution("duration must be greater than 0") }
        if step == 0 { step = max(1, options.defaultSubqueryStep) }
        let offset = try resolve(node.shift.offset, node.shift.offsetExpression)
        let at = resolve(node.shift.at)
        let span = try span(grid, width: width, offset: offset, at: at)
        // Steps lie at absolute multiples of the resolution; the window is open on the left.
        var start = step * (span.min / step)
        if start <= span.min { start += step }
        guard start <= span.max else {
            let inner = Grid(start: start, step: step, count: 1)
            return RangePlan(
                id: nextID(), source: .subquery(.call(FunctionTable.nothing(id: nextID())), inner), width: width,
                offset: offset, at: at, range: node.range)
        }
        let count = (span.max - start) / step + 1
        guard count <= Int64(Grid.countMax) else {
            throw .tooLarge("query processing would load too many samples into memory in query execution")
        }
        let inner = Grid(start: start, step: step, count: Int(count))
        let plan = try plan(node.expression, inner, Scope(needsBuckets: true))
        return RangePlan(
            id: nextID(), source: .subquery(plan, inner), width: width, offset: offset, at: at, range: node.range)
    }

    /// What a selector sees over all steps: from the left edge of the first window to the right edge of the last.
    private func span(_ grid: Grid, width: Int64, offset: Int64, at: Timestamp?) throws(QueryError) -> TimeRange {
        let first = (at ?? grid.start).subtractingClamped(offset).subtractingClamped(width)
        let last = (at ?? grid.end).subtractingClamped(offset)
        guard abs(first.clampedMagnitude) < Grid.timeMax, abs(last.clampedMagnitude) < Grid.timeMax else {
            throw .execution("time out of range")
        }
        return TimeRange(min: first, max: last)
    }

    // MARK: Durations

    private var stepSeconds: Double { isInstant ? 0 : Double(outer.step) / 1000 }
    private var rangeSeconds: Double { Double(outer.end - outer.start) / 1000 }

    private func resolve(_ at: AtModifier?) -> Timestamp? {
        switch at {
        case .timestamp(let time)?: time
        case .start?: outer.start
        case .end?: outer.end
        case nil: nil
        }
    }

    private func resolve(_ known: Int64, _ expression: DurationExpression?) throws(QueryError) -> Int64 {
        guard let expression else { return known }
        let seconds: Double
        do {
            seconds = try expression.evaluate(step: stepSeconds, range: rangeSeconds)
        } catch {
            throw .execution(error.text)
        }
        // Upstream cuts what is no whole millisecond.
        guard let milliseconds = Int64(clamping: (seconds * 1000).rounded(.towardZero)), abs(seconds) < 9_223_372_036
        else {
            throw .execution("duration is out of range")
        }
        return milliseconds
    }

    private func resolveWidth(_ known: Int64, _ expression: DurationExpression?) throws(QueryError) -> Int64 {
        let width = try resolve(known, expression)
        guard width > 0 else { throw .execution("duration must be greater than 0") }
        return width
    }
}

extension Int64 {
    fileprivate var clampedMagnitude: Int64 { self == .min ? .max : abs(self) }
}
