import Foundation
import FuzzTargets

#if canImport(Glibc)
    import Glibc
#endif

/// How a child ends that did not trap.
enum ChildExit: Int32 {
    case done = 0
    case finding = 73
    case hang = 74
    case memory = 75
}

/// Runs inputs one after the other, each written down before, until the time is over.
struct Child {
    /// Beyond this an allocation fails, which traps: far above what the watchdog allows, which tells more.
    private static let addressSpaceMax: rlim_t = 32 << 30

    private let target: FuzzTarget
    private let seed: UInt64
    private let seconds: Int
    private let file: InputFile

    init(_ options: FuzzOptions, inputFile: String) throws {
        guard let target = options.targets.first else { throw FuzzOptions.UsageError(description: "no target") }
        self.target = target
        seed = options.seed
        seconds = options.seconds
        file = try InputFile(creating: inputFile)
    }

    func run() async throws {
        var limit = rlimit(rlim_cur: Child.addressSpaceMax, rlim_max: Child.addressSpaceMax)
        setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
        let watchdog = try Watchdog()
        let run = try target.makeRun()
        var source = InputSource(target, seed: seed)
        var (count, taken) = (0, 0)
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            let input = source.next()
            file.write(input)
            watchdog.inputBegan()
            do {
                if try await run(input) { taken += 1 }
            } catch {
                Child.end(.finding, "\(error)")
            }
            watchdog.inputEnded()
            count += 1
        }
        print("    \(target.name): \(count) inputs, \(taken) of them taken, seed \(seed)")
    }

    /// Runs one input that was kept, without limits.
    static func replay(_ file: String, _ options: FuzzOptions) async throws {
        let input = Array(try Data(contentsOf: URL(filePath: file)))
        for target in options.targets {
            print(target.explain(input))
            let isTaken = try await target.makeRun()(input)
            print("\(target.name): \(isTaken ? "taken" : "refused")")
        }
    }

    /// Leaves at once, whatever other threads do.
    static func end(_ reason: ChildExit, _ text: String) -> Never {
        FileHandle.standardError.write(Data("    \(reason): \(text)\n".utf8))
        _exit(reason.rawValue)
    }
}
