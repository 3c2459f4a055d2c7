import FileIO
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// What a disk can refuse, and what a machine finds after the end of a process or the loss of power.
extension SimulatedFileSystem {
    /// What is counted, and fails on demand. Asking for names and sizes always works.
    package enum Operation: Sendable, CaseIterable {
        /// Of files, directories and second names.
        case create
        /// At the end of a file, or at a place.
        case write
        case truncate, sync, rename, remove, syncDirectory
        /// Opening, mapping, listing and reading.
        case read
    }

    /// What the failing write does.
    package enum WriteFailure: Sendable, Equatable {
        /// Nothing reaches the file.
        case whole
        /// Half of the bytes do.
        case half
        /// Half of the bytes do, and shortening the file afterwards fails as well.
        case halfAndTruncate
    }

    struct Faults {
        struct Failure {
            /// Nil for any.
            var operation: Operation?
            /// How many such calls work before.
            var remaining: Int
            var code: Int32
        }

        struct RefusedWrite {
            var code: Int32
            var isTruncateFailing = false
        }

        var writeCount = 0
        var writeFailure: (write: Int, kind: WriteFailure)?
        var failures: [Failure] = []
        var isSyncFailing = false
        var isReadOnly = false
        /// Bytes that can be written still; nil for any number.
        var room: Int?
        /// Of the whole disk; nil for any number. Bytes.
        var capacity: Int?
        var observer: (@Sendable (SimulatedFileSystem) -> Void)?

        /// Counts a call. - Returns: the error, if it fails.
        mutating func next(_ operation: Operation) -> Int32? {
            if isReadOnly, operation != .read { return EROFS }
            if isSyncFailing, operation == .sync { return EIO }
            for index in failures.indices
            where failures[index].operation == nil || failures[index].operation == operation {
                failures[index].remaining -= 1
                if failures[index].remaining < 0 { return failures.remove(at: index).code }
            }
            return nil
        }
    }

    // MARK: - Faults

    /// The write with this number (0 is the next one) fails for want of room, once.
    package func failWrite(_ index: Int, _ kind: WriteFailure = .whole) {
        state.withLock { $0.faults.writeFailure = ($0.faults.writeCount + index, kind) }
    }

    /// A call (0 is the next one) fails, once.
    /// - Parameters:
    ///   - operation: which calls count; nil for all.
    ///   - code: errno; a write that has no room (ENOSPC) gets half of its bytes into the file.
    package func failCall(_ index: Int, of operation: Operation? = nil, _ code: Int32 = EIO) {
        state.withLock {
            $0.faults.failures.append(Faults.Failure(operation: operation, remaining: index, code: code))
        }
    }

    /// What was asked to fail and has not yet does not.
    package func failNoCall() { state.withLock { $0.faults.failures = [] } }

    /// Syncing files fails from now on, or works again.
    package func failSyncs(_ isFailing: Bool) { state.withLock { $0.faults.isSyncFailing = isFailing } }

    /// Every change is refused from now on, or works again.
    package func setReadOnly(_ isReadOnly: Bool) { state.withLock { $0.faults.isReadOnly = isReadOnly } }

    /// So many bytes more can be written; nil for any number. Removing files gives no room.
    package func setRoom(_ bytes: Int?) { state.withLock { $0.faults.room = bytes } }

    /// The disk has so many bytes, and what the files take is not free; nil for any number. Removing files gives room.
    package func setCapacity(_ bytes: Int?) { state.withLock { $0.faults.capacity = bytes } }

    /// What the files take. Bytes.
    package var usedBytes: Int { state.withLock { $0.usedBytes } }

    /// How many writes were made so far.
    package var writeCount: Int { state.withLock { $0.faults.writeCount } }

    /// Shows the disk before every change, and in the middle of every write; nil to end that. Whoever looks may take
    /// `killProcess` or `losePower` of it.
    package func observeChanges(_ observer: (@Sendable (SimulatedFileSystem) -> Void)?) {
        state.withLock { $0.faults.observer = observer }
    }

    var isObserved: Bool { state.withLock { $0.faults.observer != nil } }

    func observe() {
        if let observer = state.withLock({ $0.faults.observer }) { observer(self) }
    }

    func begin(_ operation: Operation, _ path: String) throws(FileError) {
        if operation != .read { observe() }
        guard let code = state.withLock({ $0.faults.next(operation) }) else { return }
        throw FileError(operation: "\(operation)", path: path, code: code)
    }

    /// - Returns: how many of the bytes reach the file, and how the write fails, if it does.
    func beginWrite(_ path: String, _ count: Int) -> (kept: Int, failure: Faults.RefusedWrite?) {
        observe()
        return state.withLock { state in
            let index = state.faults.writeCount
            state.faults.writeCount += 1
            if let code = state.faults.next(.write) {
                return (code == ENOSPC ? count / 2 : 0, Faults.RefusedWrite(code: code))
            }
            if let failure = state.faults.writeFailure, failure.write == index {
                state.faults.writeFailure = nil
                return (
                    failure.kind == .whole ? 0 : count / 2,
                    Faults.RefusedWrite(code: ENOSPC, isTruncateFailing: failure.kind == .halfAndTruncate)
                )
            }
            if let capacity = state.faults.capacity {
                let room = max(0, capacity - state.usedBytes)
                return room < count ? (room, Faults.RefusedWrite(code: ENOSPC)) : (count, nil)
            }
            guard let room = state.faults.room else { return (count, nil) }
            state.faults.room = max(0, room - count)
            return room < count ? (room, Faults.RefusedWrite(code: ENOSPC)) : (count, nil)
        }
    }

    // MARK: - The end

    /// What the machine finds after a power cut, as a disk of its own.
    package func losePower(using random: inout SeededRandom) -> SimulatedFileSystem {
        var before = state.withLock { $0 }
        for (source, target) in before.unsyncedRenames.reversed()
        where before.directories.contains(target) && !before.directories.contains(source) {
            if Bool.random(using: &random) { before.renameDirectory(target, to: source) }
        }
        let after = SimulatedFileSystem()
        var survivors: [String: Node] = [:]
        for path in Set(before.files.keys).union(before.durableFiles.keys).sorted() {
            // Either state of an unsynced name may be there.
            let isNew = Bool.random(using: &random)
            guard let node = isNew ? before.files[path] : before.durableFiles[path] else { continue }
            let content = node.state.withLock { $0 }
            let copy = Node()
            let kept = content.fixedSize == nil ? content.keptEnd(&random) : content.keptPlaces(&random)
            copy.state.withLock { $0 = kept }
            survivors[path] = copy
        }
        var directories = before.directories
        for path in survivors.keys {
            var directory = FilePath.directory(of: path)
            while directories.insert(directory).inserted { directory = FilePath.directory(of: directory) }
        }
        let (files, names) = (survivors, directories)
        after.state.withLock {
            $0.files = files
            $0.durableFiles = files
            $0.directories = names
        }
        return after
    }

    /// What another process finds after this one was killed: everything written. What was not synced still is not.
    package func killProcess() -> SimulatedFileSystem {
        let before = state.withLock { $0 }
        let after = SimulatedFileSystem()
        var copies: [ObjectIdentifier: Node] = [:]
        func copy(_ node: Node) -> Node {
            if let known = copies[ObjectIdentifier(node)] { return known }
            let copy = Node()
            let content = node.state.withLock { $0 }
            copy.state.withLock { $0 = content }
            copies[ObjectIdentifier(node)] = copy
            return copy
        }
        let (files, durableFiles) = (before.files.mapValues(copy), before.durableFiles.mapValues(copy))
        after.state.withLock { state in
            state.directories = before.directories
            state.unsyncedRenames = before.unsyncedRenames
            state.files = files
            state.durableFiles = durableFiles
        }
        return after
    }
}

extension SimulatedFileSystem.Content {
    private static let sectorBytes = 512

    /// What the loss of power leaves of a file that grew at its end.
    fileprivate func keptEnd(_ random: inout SeededRandom) -> Self {
        let kept = Int.random(in: syncedCount...bytes.count, using: &random)
        var left = Array(bytes[..<kept])
        for lost in lostRanges {
            for index in lost.clamped(to: 0..<left.count) { left[index] = 0 }
        }
        if kept < bytes.count, Bool.random(using: &random) {
            let zeros = Int.random(in: 0...(bytes.count - kept), using: &random)
            left.append(contentsOf: repeatElement(0, count: zeros))
        }
        return Self(bytes: left, syncedCount: left.count)
    }

    /// What it leaves of a file that was written in places: any sectors.
    fileprivate func keptPlaces(_ random: inout SeededRandom) -> Self {
        var left = Self(bytes: syncedBytes, fixedSize: fixedSize)
        for (offset, bytes) in unsyncedWrites {
            let percent = random.pick([0, 50, 100])
            for start in stride(from: 0, to: bytes.count, by: Self.sectorBytes) where random.chance(percent) {
                left.write(Array(bytes[start..<min(start + Self.sectorBytes, bytes.count)]), at: offset + start)
            }
        }
        left.syncedCount = left.bytes.count
        left.syncedBytes = left.bytes
        return left
    }
}
