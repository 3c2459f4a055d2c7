private import ConfigTree
private import SeriesModel

/// The flags of one invocation, checked against the table: every value has the form its flag asks for.
package struct FlagValues: Sendable {
    /// What is wrong with a command line; the process then exits with status 2.
    package struct UsageError: Error, Sendable, Hashable, CustomStringConvertible {
        package let description: String
    }

    private var given: [String: [String]] = [:]
    /// `-h`, `--help`
    package private(set) var wantsHelp = false
    /// `--version`
    package private(set) var wantsVersion = false

    /// - Parameter arguments: without the program's name.
    package init(_ arguments: [String]) throws(UsageError) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "-h", "--help": wantsHelp = true
            case "--version": wantsVersion = true
            default: try take(argument, &rest)
            }
        }
    }

    private mutating func take(_ argument: String, _ rest: inout ArraySlice<String>) throws(UsageError) {
        guard argument.hasPrefix("--") else { throw UsageError(description: "unexpected \(argument)") }
        let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        var name = String(parts.first ?? "")
        var value = parts.count > 1 ? String(parts[1]) : nil
        if value == nil, name.hasPrefix("no-"), FlagTable.definition(named: String(name.dropFirst(3)))?.kind == .boolean
        {
            name = String(name.dropFirst(3))
            value = "false"
        }
        guard let definition = FlagTable.definition(named: name) else {
            throw UsageError(description: "unknown long flag '--\(name)'")
        }
        if definition.kind == .boolean {
            value = value ?? "true"
        } else if value == nil {
            value = rest.popFirst()
        }
        guard let value else { throw UsageError(description: "expected argument for flag '--\(name)'") }
        try FlagValues.check(value, definition)
        if definition.kind == .repeated {
            given[name, default: []].append(value)
        } else if given[name] != nil {
            throw UsageError(description: "flag '\(name)' cannot be repeated")
        } else {
            given[name] = [value]
        }
    }

    private static func check(_ value: String, _ definition: FlagDefinition) throws(UsageError) {
        let isGood: Bool
        switch definition.kind {
        case .text, .repeated: isGood = true
        case .boolean: isGood = value == "true" || value == "false"
        case .duration: isGood = (try? DurationText.parse(value)) != nil
        case .size: isGood = ByteSize.parse(value) != nil
        case .integer: isGood = Int(value).map { $0 >= 0 } ?? false
        case .real: isGood = Double(value) != nil
        case .choice(let choices):
            guard choices.contains(value) else {
                let list = choices.joined(separator: ",")
                throw UsageError(description: "enum value must be one of \(list), got '\(value)'")
            }
            isGood = true
        }
        if !isGood { throw UsageError(description: "invalid value '\(value)' for flag '--\(definition.name)'") }
    }
}

// MARK: - Access

extension FlagValues {
    package func isGiven(_ name: String) -> Bool { given[name] != nil }

    /// The names of the flags given, sorted.
    package var givenNames: [String] { given.keys.sorted() }

    package func strings(_ name: String) -> [String] {
        given[name] ?? FlagTable.definition(named: name).map { $0.defaultValue.isEmpty ? [] : [$0.defaultValue] } ?? []
    }

    package func string(_ name: String) -> String { strings(name).last ?? "" }

    package func bool(_ name: String) -> Bool { string(name) == "true" }

    /// ms; nil where neither a value nor a default is there.
    package func duration(_ name: String) -> Int64? { try? DurationText.parse(string(name)) }

    /// Bytes.
    package func size(_ name: String) -> Int64? { ByteSize.parse(string(name)) }

    /// Nil where neither a value nor a default is there.
    package func real(_ name: String) -> Double? { Double(string(name)).flatMap { $0.isFinite ? $0 : nil } }

    package func integer(_ name: String) -> Int { Int(string(name)) ?? 0 }

    /// The features asked for, in order.
    package var features: [String] {
        (given["enable-feature"] ?? []).flatMap { $0.split(separator: ",").map(String.init) }
    }

    /// All flags as `/api/v1/status/flags` shows them.
    package var all: [(name: String, value: String)] {
        FlagTable.all.map { definition in
            let values = given[definition.name]
            return (definition.name, values.map { $0.joined(separator: ",") } ?? definition.defaultValue)
        }
    }

    /// What to warn of at start: flags and features that have nothing behind them yet, and unknown features.
    package var warnings: [String] {
        var warnings: [String] = []
        for name in givenNames where FlagTable.definition(named: name)?.effect == FlagDefinition.Effect.none {
            warnings.append("flag --\(name) has no effect yet")
        }
        for feature in features {
            switch FeatureTable.all[feature] {
            case nil: warnings.append("unknown option \(feature) for --enable-feature")
            case .some(.none): warnings.append("feature \(feature) has no effect yet")
            case .some(.active), .some(.settled): break
            }
        }
        return warnings
    }
}
