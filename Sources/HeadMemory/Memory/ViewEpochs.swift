import Synchronization

/// Tells when memory that a reader may still look at can be used again.
///
/// A reader enters before it takes pointers under the gate, and leaves when it has followed the last of them. The
/// committer retires a piece under the number of the moment at which it stopped being reachable; once every reader that
/// entered at that number or before has left, the piece is free.
package final class ViewEpochs: Sendable {
    private struct State {
        var current: UInt64 = 1
        /// How many readers entered at each number, those that are still there.
        var readers: [UInt64: Int] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// A reader's stay; it leaves with the last reference.
    package final class Stay: Sendable {
        private let epochs: ViewEpochs
        private let number: UInt64

        fileprivate init(_ epochs: ViewEpochs, _ number: UInt64) {
            self.epochs = epochs
            self.number = number
        }

        deinit { epochs.leave(number) }
    }

    /// To be called under the gate held shared, or before taking it.
    package func enter() -> Stay {
        let number = state.withLock { state in
            state.readers[state.current, default: 0] += 1
            return state.current
        }
        return Stay(self, number)
    }

    private func leave(_ number: UInt64) {
        state.withLock { state in
            guard let count = state.readers[number] else { return }
            state.readers[number] = count > 1 ? count - 1 : nil
        }
    }

    /// The committer: ends a moment.
    /// - Returns: the number under which to retire what became unreachable in it.
    func advance() -> UInt64 {
        state.withLock { state in
            defer { state.current += 1 }
            return state.current
        }
    }

    /// What was retired under a smaller number is free.
    var oldest: UInt64 { state.withLock { $0.readers.keys.min() ?? .max } }

    /// Readers that are still there.
    package var readerCount: Int { state.withLock { $0.readers.values.reduce(0, +) } }
}
