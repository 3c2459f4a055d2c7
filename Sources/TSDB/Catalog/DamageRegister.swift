import Blocks
import FileIO
import StorageAPI
import Synchronization

/// What was met of damaged files since the start: blocks are set aside by the next round of maintenance.
final class DamageRegister: Sendable {
    private struct State {
        var known: [StorageDamage]
        var blocks: Set<BlockIdentifier> = []
        var chunks: [(file: String, offset: Int)] = []
    }

    private let state: Mutex<State>
    /// More are counted, but not told one by one.
    private static let knownMax = 1000

    init(_ known: [StorageDamage]) { state = Mutex(State(known: known)) }

    var known: [StorageDamage] { state.withLock { $0.known } }

    func note(_ damage: StorageDamage) {
        state.withLock {
            if $0.known.count < DamageRegister.knownMax, !$0.known.contains(damage) { $0.known.append(damage) }
        }
    }

    /// Something is wrong with a file of a block.
    func suspect(_ block: BlockIdentifier) { state.withLock { _ = $0.blocks.insert(block) } }

    /// A chunk in a head-chunk file cannot be read.
    func suspect(chunkIn file: String, at offset: Int) {
        state.withLock { if $0.chunks.count < DamageRegister.knownMax { $0.chunks.append((file, offset)) } }
    }

    func takeSuspects() -> (blocks: Set<BlockIdentifier>, chunks: [(file: String, offset: Int)]) {
        state.withLock { state in
            defer {
                state.blocks = []
                state.chunks = []
            }
            return (state.blocks, state.chunks)
        }
    }
}
