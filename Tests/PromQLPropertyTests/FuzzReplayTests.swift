import FuzzTargets
import Testing

/// What fuzzing found stays found: `make fuzz` keeps inputs that fail in `Tests/Fuzz/Failures`.
@Suite("Fuzzing") struct FuzzReplayTests {
    private static let names = FuzzTarget.all.map(\.name)

    @Test("inputs that failed once are taken or refused, never worse", .timeLimit(.minutes(2)), arguments: names)
    func failures(name: String) async throws {
        let target = try #require(FuzzTarget.named(name))
        let run = try target.makeRun()
        for (file, input) in try FailureFolder.repository.inputs(of: target) {
            do {
                _ = try await run(input)
            } catch {
                Issue.record("Tests/Fuzz/Failures/\(name)/\(file): \(error)")
            }
        }
    }

    @Test("every target takes some of its inputs and refuses some", .timeLimit(.minutes(2)), arguments: names)
    func inputs(name: String) async throws {
        let target = try #require(FuzzTarget.named(name))
        let run = try target.makeRun()
        var source = InputSource(target, seed: 1)
        var taken = 0
        for _ in 0..<150 {
            let input = source.next()
            #expect(input.count <= InputSource.bytesMax)
            if try await run(input) { taken += 1 }
        }
        #expect(taken > 15 && taken < 135)
    }
}
