import Foundation
import FuzzTargets

/// `hearth-fuzz`: runs targets with random inputs for a while, and keeps the inputs that fail.
///
///     hearth-fuzz [--target NAME|all] [--seconds N] [--seed N] [--failures FOLDER]
///     hearth-fuzz --target NAME --replay FILE
///
/// The inputs run in a child process (`Child`), whose end, be it a trap, a hang or too much memory, the parent
/// (`Supervisor`) lays to the input that was running.
@main
struct HearthFuzz {
    static func main() async {
        do {
            let options = try FuzzOptions(Array(CommandLine.arguments.dropFirst()))
            switch options.mode {
            case .child(let inputFile): try await Child(options, inputFile: inputFile).run()
            case .replay(let file): try await Child.replay(file, options)
            case .parent:
                var failureCount = 0
                for target in options.targets { failureCount += try Supervisor(options, target).run() }
                exit(failureCount == 0 ? 0 : 1)
            }
        } catch {
            FileHandle.standardError.write(Data("hearth-fuzz: \(error)\n".utf8))
            exit(2)
        }
    }
}

struct FuzzOptions {
    enum Mode {
        case parent
        case child(inputFile: String)
        case replay(file: String)
    }

    struct UsageError: Error, CustomStringConvertible {
        let description: String
    }

    var mode = Mode.parent
    var targets = FuzzTarget.all
    /// For each target.
    var seconds = 60
    var seed = UInt64.random(in: 0...(.max))
    var failures = FailureFolder.repository

    init(_ arguments: [String]) throws(UsageError) {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            guard let value = rest.popFirst() else { throw UsageError(description: "\(name) needs a value") }
            switch name {
            case "--target": if value != "all" { targets = [try FuzzOptions.target(value)] }
            case "--seconds": seconds = Int(try FuzzOptions.number(value) % 1_000_000)
            case "--seed": seed = try FuzzOptions.number(value)
            case "--failures": failures = FailureFolder(root: URL(filePath: value))
            case "--child": mode = .child(inputFile: value)
            case "--replay": mode = .replay(file: value)
            default: throw UsageError(description: "unknown option \(name)")
            }
        }
    }

    private static func target(_ name: String) throws(UsageError) -> FuzzTarget {
        guard let target = FuzzTarget.named(name) else {
            let names = FuzzTarget.all.map(\.name).joined(separator: ", ")
            throw UsageError(description: "no target \(name); there are: \(names)")
        }
        return target
    }

    private static func number(_ text: String) throws(UsageError) -> UInt64 {
        guard let number = UInt64(text) else { throw UsageError(description: "not a number: \(text)") }
        return number
    }
}
