private import SeriesModel

/// The functions that every Go template has.
enum GoFunctions {
    static let all: [TemplateFunction] = [
        TemplateFunction("and", [], kind: .shortCircuit(false)),
        TemplateFunction("or", [], kind: .shortCircuit(true)),
        TemplateFunction("not", [.any]) { arguments, _ throws(FunctionStop) in
            .bool(!(arguments.first ?? .none).isTrue)
        },
        TemplateFunction("len", [.any]) { arguments, _ throws(FunctionStop) in
            .int(Int64(try length(arguments.first ?? .none)))
        },
        TemplateFunction("index", [.any], variadic: .any) { arguments, _ throws(FunctionStop) in
            try index(arguments)
        },
        TemplateFunction("slice", [.any], variadic: .any) { arguments, _ throws(FunctionStop) in
            try slice(arguments)
        },
        TemplateFunction("call", [.any], variadic: .any) { arguments, _ throws(FunctionStop) in
            throw .failure("non-function of type \((arguments.first ?? .none).typeName)")
        },
        TemplateFunction("print", [], variadic: .any) { arguments, _ throws(FunctionStop) in
            .string(GoFormat.print(arguments))
        },
        TemplateFunction("println", [], variadic: .any) { arguments, _ throws(FunctionStop) in
            .string(arguments.map(\.printed).joined(separator: " ") + "\n")
        },
        TemplateFunction("printf", [.string], variadic: .any) { arguments, _ throws(FunctionStop) in
            guard case .string(let format)? = arguments.first else { return .string("") }
            return .string(try GoFormat.format(format, Array(arguments.dropFirst())))
        },
        TemplateFunction("html", [], variadic: .any) { arguments, _ throws(FunctionStop) in
            .string(GoEscape.html(GoFormat.print(arguments)))
        },
        TemplateFunction("js", [], variadic: .any) { arguments, _ throws(FunctionStop) in
            .string(GoEscape.script(GoFormat.print(arguments)))
        },
        TemplateFunction("urlquery", [], variadic: .any) { arguments, _ throws(FunctionStop) in
            .string(GoEscape.query(GoFormat.print(arguments)))
        },
        TemplateFunction("eq", [.any], variadic: .any) { arguments, _ throws(FunctionStop) in
            guard let first = arguments.first, arguments.count > 1 else {
                throw .failure("missing argument for comparison")
            }
            for other in arguments.dropFirst() where try isEqual(first, other) { return .bool(true) }
            return .bool(false)
        },
        comparison("ne") { a, b throws(FunctionStop) in try !isEqual(a, b) },
        comparison("lt") { a, b throws(FunctionStop) in try isLess(a, b) },
        comparison("le") { a, b throws(FunctionStop) in
            let less = try isLess(a, b)
            return try less ? true : isEqual(a, b)
        },
        comparison("gt") { a, b throws(FunctionStop) in
            let less = try isLess(a, b)
            return try less ? false : !isEqual(a, b)
        },
        comparison("ge") { a, b throws(FunctionStop) in try !isLess(a, b) },
    ]

    private static func comparison(
        _ name: String,
        _ compare: @escaping @Sendable (TemplateValue, TemplateValue) throws(FunctionStop) -> Bool
    ) -> TemplateFunction {
        TemplateFunction(name, [.any, .any]) { arguments, _ throws(FunctionStop) in
            guard let a = arguments.first, let b = arguments.last else { return .bool(false) }
            return .bool(try compare(a, b))
        }
    }

    /// Go compares an int with an int and a float with a float; never the one with the other.
    private static func isEqual(_ a: TemplateValue, _ b: TemplateValue) throws(FunctionStop) -> Bool {
        switch (a, b) {
        case (.none, .none): return true
        case (.none, _), (_, .none): return false
        case (.bool(let x), .bool(let y)): return x == y
        case (.float(let x), .float(let y)): return x == y
        case (.time(let x), .time(let y)): return x == y
        default: break
        }
        if let x = a.text, let y = b.text { return x.hasSameBytes(as: y) }
        if let x = a.integer, let y = b.integer { return x == y }
        if a.isBasic && b.isBasic { throw .failure("incompatible types for comparison") }
        throw .failure("non-comparable type \(a.typeName)")
    }

    private static func isLess(_ a: TemplateValue, _ b: TemplateValue) throws(FunctionStop) -> Bool {
        if case (.float(let x), .float(let y)) = (a, b) { return x < y }
        if let x = a.text, let y = b.text { return x.precedesByBytes(y) }
        if let x = a.integer, let y = b.integer { return x < y }
        if a.isBasic && b.isBasic { throw .failure("incompatible types for comparison") }
        throw .failure("invalid type for comparison")
    }

    private static func length(_ value: TemplateValue) throws(FunctionStop) -> Int {
        switch value {
        case .string(let text), .safeHTML(let text): return text.utf8.count
        case .list(let list): return list.count
        case .vector(let samples): return samples.count
        case .labels(let map): return map.count
        case .map(let map): return map.count
        case .none: throw .failure("len of nil pointer")
        default: throw .failure("len of type \(value.typeName)")
        }
    }

    private static func index(_ arguments: [TemplateValue]) throws(FunctionStop) -> TemplateValue {
        var value = arguments.first ?? .none
        for key in arguments.dropFirst() {
            switch value {
            case .labels(let map):
                guard let name = key.text else { throw .failure("value has type \(key.typeName); should be string") }
                value = .string(map[name] ?? "")
            case .map(let map):
                guard let name = key.text else { throw .failure("value has type \(key.typeName); should be string") }
                value = map[name] ?? .none
            case .list(let list): value = list[try position(key, in: list.count)]
            case .vector(let samples): value = .sample(samples[try position(key, in: samples.count)])
            case .string(let text): value = .uint(UInt64(Array(text.utf8)[try position(key, in: text.utf8.count)]))
            case .none: throw .failure("index of untyped nil")
            default: throw .failure("can't index item of type \(value.typeName)")
            }
        }
        return value
    }

    private static func position(_ key: TemplateValue, in count: Int) throws(FunctionStop) -> Int {
        guard let index = key.integer else { throw .failure("cannot index slice/array with type \(key.typeName)") }
        guard index >= 0, index < count else { throw .failure("index out of range: \(index)") }
        return Int(truncatingIfNeeded: index)
    }

    private static func slice(_ arguments: [TemplateValue]) throws(FunctionStop) -> TemplateValue {
        guard let value = arguments.first else { return .none }
        guard arguments.count <= 4 else {
            throw .failure("too many slice indexes: \(arguments.count - 1)")
        }
        let count: Int
        switch value {
        case .string, .list, .vector: count = try length(value)
        case .none: throw .failure("slice of untyped nil")
        default: throw .failure("can't slice item of type \(value.typeName)")
        }
        var bounds = [0, count]
        for (offset, key) in arguments.dropFirst().prefix(2).enumerated() {
            guard let index = key.integer else {
                throw .failure("cannot index slice/array with type \(key.typeName)")
            }
            guard index >= 0, index <= count else { throw .failure("index out of range: \(index)") }
            bounds[offset] = Int(truncatingIfNeeded: index)
        }
        guard bounds[0] <= bounds[1] else {
            throw .failure("invalid slice index: \(bounds[0]) > \(bounds[1])")
        }
        switch value {
        case .string(let text): return .string(String(decoding: Array(text.utf8)[bounds[0]..<bounds[1]], as: UTF8.self))
        case .list(let list): return .list(Array(list[bounds[0]..<bounds[1]]))
        case .vector(let samples): return .vector(Array(samples[bounds[0]..<bounds[1]]))
        default: return .none
        }
    }
}

extension TemplateValue {
    fileprivate var text: String? {
        switch self {
        case .string(let text), .safeHTML(let text): text
        default: nil
        }
    }

    /// Wide enough for both signed and unsigned.
    fileprivate var integer: Int128? {
        switch self {
        case .int(let value), .duration(let value), .named(let value, _, _): Int128(value)
        case .uint(let value): Int128(value)
        default: nil
        }
    }

    fileprivate var isBasic: Bool {
        switch self {
        case .bool, .int, .uint, .float, .string, .safeHTML, .duration, .named: true
        default: false
        }
    }
}
