import Foundation
import FuzzTargets

#if canImport(Glibc)
    import Glibc
#endif

/// Runs a target's inputs in a child until the time is over; when the child dies of one, keeps it and goes on with
/// another child.
struct Supervisor {
    /// So many failures are enough for one run.
    private static let failuresMax = 10
    /// What a child may take beyond its time to begin and to end. Seconds.
    private static let grace = 90.0

    private let options: FuzzOptions
    private let target: FuzzTarget
    private let inputFile: String

    init(_ options: FuzzOptions, _ target: FuzzTarget) throws {
        self.options = options
        self.target = target
        let name = "hearth-fuzz-\(target.name)-\(getpid())"
        inputFile = FileManager.default.temporaryDirectory.appending(path: name).path
    }

    /// - Returns: how many inputs failed.
    func run() throws -> Int {
        print("==> \(target.name): \(options.seconds) s, seed \(options.seed)")
        fflush(nil)
        defer { try? FileManager.default.removeItem(atPath: inputFile) }
        let end = Date(timeIntervalSinceNow: Double(options.seconds))
        var failures: Set<String> = []
        var seed = options.seed
        while end.timeIntervalSinceNow > 0, failures.count < Supervisor.failuresMax {
            let seconds = max(1, Int(end.timeIntervalSinceNow.rounded(.up)))
            guard let reason = try runChild(seed: seed, seconds: seconds) else { break }
            seed &+= 1
            guard let input = InputFile.read(inputFile) else { throw ChildFailure(reason: reason) }
            let file = try options.failures.keep(input, of: target)
            failures.insert(file.path)
            print("    FAILED: \(reason)")
            print("    input: \(String(decoding: input.prefix(500), as: UTF8.self).debugDescription)")
            let meaning = target.explain(input)
            if !meaning.isEmpty { print("    \(meaning)") }
            print("    kept; again with: hearth-fuzz --target \(target.name) --replay \(file.path)")
            fflush(nil)
        }
        return failures.count
    }

    struct ChildFailure: Error, CustomStringConvertible {
        let reason: String

        var description: String { "the child died before its first input: \(reason)" }
    }

    /// - Returns: what the child died of; nil where it came to its end.
    private func runChild(seed: UInt64, seconds: Int) throws -> String? {
        try? FileManager.default.removeItem(atPath: inputFile)
        let child = Process()
        child.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        child.arguments = [
            "--target", target.name, "--seconds", "\(seconds)", "--seed", "\(seed)", "--child", inputFile,
        ]
        // A trap writes its message at once; taking the stack apart would take a minute each.
        child.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
        try child.run()
        let deadline = Date(timeIntervalSinceNow: Double(seconds) + Supervisor.grace)
        while child.isRunning, deadline.timeIntervalSinceNow > 0 { usleep(50_000) }
        if child.isRunning {
            kill(child.processIdentifier, SIGKILL)
            child.waitUntilExit()
            return "did not come to its end"
        }
        switch (child.terminationReason, child.terminationStatus) {
        case (.exit, ChildExit.done.rawValue): return nil
        case (.exit, let status):
            return ChildExit(rawValue: status).map { "\($0)" } ?? "exited with status \(status)"
        case (_, let signal): return "died of signal \(signal)"
        }
    }
}
