private import SeriesModel

/// Commands, operands, fields and calls.
extension TemplateExecutor {
    /// - Parameter final: the value of the pipeline's stage before, which becomes the last argument.
    mutating func evaluate(
        _ command: TemplateCommand, _ dot: TemplateValue, final: TemplateValue?
    ) throws(ExecutionStop) -> TemplateValue {
        try countStep()
        guard let first = command.operands.first else { return .none }
        let arguments = Array(command.operands.dropFirst())
        switch first {
        case .field(let names, _):
            at(first)
            return try fields(names, of: dot, first, arguments, final, dot)
        case .chain(let base, let names, _):
            at(first)
            if case .none = base { throw failure("indirection through explicit nil in \(first.text)") }
            let value = try argument(base, .any, dot)
            return try fields(names, of: value, first, arguments, final, dot)
        case .identifier(let name, _):
            at(first)
            return try call(name, at: (command.position, command.text), arguments, final, dot)
        case .variable(let name, let names, _):
            at(first)
            let value = variable(name)
            if names.isEmpty {
                try refuseArguments(first, arguments, final)
                return value
            }
            return try fields(names, of: value, first, arguments, final, dot)
        case .pipeline(let pipeline):
            try refuseArguments(first, arguments, final)
            return try evaluate(pipeline, dot)
        case .none:
            at(first)
            try refuseArguments(first, arguments, final)
            throw failure("nil is not a command")
        case .dot, .bool, .number, .string:
            at(first)
            try refuseArguments(first, arguments, final)
            return try constant(first, dot)
        }
    }

    private func refuseArguments(
        _ operand: TemplateOperand, _ arguments: [TemplateOperand], _ final: TemplateValue?
    ) throws(ExecutionStop) {
        if !arguments.isEmpty || final != nil {
            throw failure("can't give argument to non-function \(operand.text)")
        }
    }

    private func constant(_ operand: TemplateOperand, _ dot: TemplateValue) throws(ExecutionStop) -> TemplateValue {
        switch operand {
        case .dot: return dot
        case .bool(let value, _): return .bool(value)
        case .string(let value, _, _): return .string(value)
        case .number(let number, _):
            if number.isFloat, let value = number.float { return .float(value) }
            guard let value = number.int else { throw failure("\(number.text) overflows int") }
            return .int(value)
        default: return .none
        }
    }

    // MARK: Fields

    /// Follows `.A.B.C`; only the last may be a method with arguments.
    private mutating func fields(
        _ names: [String], of receiver: TemplateValue, _ node: TemplateOperand, _ arguments: [TemplateOperand],
        _ final: TemplateValue?, _ dot: TemplateValue
    ) throws(ExecutionStop) -> TemplateValue {
        var value = receiver
        for name in names.dropLast() { value = try field(name, of: value, node, [], nil, dot) }
        guard let last = names.last else { return value }
        return try field(last, of: value, node, arguments, final, dot)
    }

    private mutating func field(
        _ name: String, of receiver: TemplateValue, _ node: TemplateOperand, _ arguments: [TemplateOperand],
        _ final: TemplateValue?, _ dot: TemplateValue
    ) throws(ExecutionStop) -> TemplateValue {
        if let method = TemplateMethod.find(name, on: receiver) {
            let values = try self.arguments(arguments, method.parameters, nil, name, final, dot)
            do throws(FunctionStop) {
                return try method.body(receiver, values)
            } catch {
                throw stop(error, calling: name, at: (node.position, node.text))
            }
        }
        let hasArguments = !arguments.isEmpty || final != nil
        switch receiver {
        case .none:
            if environment.missingKey == .error { throw failure("nil data; no entry for key \(GoQuote.quote(name))") }
            return .none
        case .labels(let map):
            if hasArguments { throw failure("\(name) is not a method but has arguments") }
            if let value = map[name] { return .string(value) }
            if environment.missingKey == .error { throw failure("map has no entry for key \(GoQuote.quote(name))") }
            return .string("")
        case .map(let map):
            if hasArguments { throw failure("\(name) is not a method but has arguments") }
            if let value = map[name] { return value }
            if environment.missingKey == .error { throw failure("map has no entry for key \(GoQuote.quote(name))") }
            return .none
        case .record(let fields, _):
            if let value = fields[name] {
                if hasArguments { throw failure("\(name) has arguments but cannot be invoked as function") }
                return value
            }
        case .sample(let sample):
            if name == "Labels" || name == "Value" {
                if hasArguments { throw failure("\(name) has arguments but cannot be invoked as function") }
                return name == "Labels" ? .labels(sample.labels) : sample.value
            }
        default: break
        }
        throw failure("can't evaluate field \(name) in type \(receiver.typeName)")
    }

    // MARK: Calls

    private mutating func call(
        _ name: String, at node: (Int, String), _ operands: [TemplateOperand], _ final: TemplateValue?,
        _ dot: TemplateValue
    ) throws(ExecutionStop) -> TemplateValue {
        guard let function = TemplateFunctionTable.all[name] else {
            throw failure("\(GoQuote.quote(name)) is not a defined function")
        }
        switch function.body {
        case .shortCircuit(let stopsAt):
            return try shortCircuit(name, stopsAt: stopsAt, operands, final, dot)
        case .plain(let body):
            let values = try arguments(operands, function.parameters, function.variadic, name, final, dot)
            do throws(FunctionStop) {
                return try body(values, FunctionContext(environment: environment, answers: answers))
            } catch {
                throw stop(error, calling: name, at: node)
            }
        case .template:
            let values = try arguments(operands, function.parameters, function.variadic, name, final, dot)
            guard case .string(let called)? = values.first else { return .none }
            return .safeHTML(try expanded(called, values.dropFirst().first ?? .none))
        }
    }

    /// `and` and `or` stop at the first argument that decides.
    private mutating func shortCircuit(
        _ name: String, stopsAt: Bool, _ operands: [TemplateOperand], _ final: TemplateValue?, _ dot: TemplateValue
    ) throws(ExecutionStop) -> TemplateValue {
        guard !operands.isEmpty || final != nil else {
            throw failure("wrong number of args for \(name): want at least 1 got 0")
        }
        var value = TemplateValue.none
        for operand in operands {
            value = try argument(operand, .any, dot)
            if value.isTrue == stopsAt { return value }
        }
        return final ?? value
    }

    private mutating func stop(
        _ reason: FunctionStop, calling name: String, at node: (position: Int, text: String)
    ) -> ExecutionStop {
        switch reason {
        case .needsQuery(let query): return .needsQuery(query)
        case .failure(let message):
            at(node.position, node.text)
            return failure("error calling \(name): \(message)")
        }
    }

    private mutating func arguments(
        _ operands: [TemplateOperand], _ parameters: [TemplateParameter], _ variadic: TemplateParameter?,
        _ name: String, _ final: TemplateValue?, _ dot: TemplateValue
    ) throws(ExecutionStop) -> [TemplateValue] {
        let count = operands.count + (final == nil ? 0 : 1)
        if variadic != nil, count < parameters.count {
            throw failure("wrong number of args for \(name): want at least \(parameters.count) got \(operands.count)")
        }
        if variadic == nil, count != parameters.count {
            throw failure("wrong number of args for \(name): want \(parameters.count) got \(count)")
        }
        var values: [TemplateValue] = []
        for (index, operand) in operands.enumerated() {
            let parameter = index < parameters.count ? parameters[index] : variadic ?? .any
            values.append(try argument(operand, parameter, dot))
        }
        if let final {
            let parameter = operands.count < parameters.count ? parameters[operands.count] : variadic ?? .any
            values.append(try check(final, parameter))
        }
        return values
    }

    private mutating func argument(
        _ operand: TemplateOperand, _ parameter: TemplateParameter, _ dot: TemplateValue
    ) throws(ExecutionStop) -> TemplateValue {
        at(operand)
        switch operand {
        case .dot: return try check(dot, parameter)
        case .none:
            if parameter.canBeNil { return .none }
            throw failure("cannot assign nil to \(parameter.typeName)")
        case .field, .variable, .chain, .identifier:
            let command = TemplateCommand(position: operand.position, operands: [operand])
            return try check(try evaluate(command, dot, final: nil), parameter)
        case .pipeline(let pipeline): return try check(try evaluate(pipeline, dot), parameter)
        case .bool, .number, .string:
            let value = try constant(operand, dot)
            if let converted = parameter.convert(value) { return converted }
            throw failure("expected \(parameter.constantName); found \(operand.text)")
        }
    }

    private func check(
        _ value: TemplateValue, _ parameter: TemplateParameter
    ) throws(ExecutionStop) -> TemplateValue {
        if let converted = parameter.accept(value) { return converted }
        if case .none = value { throw failure("invalid value; expected \(parameter.typeName)") }
        throw failure("wrong type for value; expected \(parameter.typeName); got \(value.typeName)")
    }
}
