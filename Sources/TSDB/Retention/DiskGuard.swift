import FileIO
import Logging
import SelfMetrics
import SeriesModel
import StorageAPI
import Synchronization

/// Watches the free space of the file system, and does something about it in this order:
///
/// 1. below twice the floor no merge is begun;
/// 2. below the floor, or when a write finds no room, the reserve is given up, what is kept of the log for consumers goes,
///    and a checkpoint shortens the log;
/// 3. the oldest blocks are deleted, if that is allowed (`TSDB+Shedding`);
/// 4. samples are refused, with an error that a sender retries.
///
/// Queries go on. When there is room again the reserve is taken again, and everything goes on by itself.
final class DiskGuard: Sendable {
    private let fileSystem: any FileSystem
    private let directory: String
    /// Bytes; 0 for none.
    private let floor: Int64
    private let reserve: DiskReserve
    private let isShedding: Bool
    private let logger: Logger
    private let health: HealthRegister
    private let free: Gauge
    private let reserved: Gauge
    private let refused: Counter
    private let state = Mutex(State())
    private let isRefusing = Atomic(false)
    /// A write has found no room, and none has found any since.
    private let isFull = Atomic(false)
    /// Bytes; as of the last look.
    private let lastFree = Atomic(Int64.max)

    private struct State {
        /// There is less free than the floor.
        var isBelow = false
        /// There is no block left that may be deleted.
        var isShedDone = false
        /// Somebody is to shorten the log.
        var wantsRoom = false
    }

    init(_ options: TSDBOptions, _ health: HealthRegister) {
        fileSystem = options.fileSystem
        directory = options.directory
        floor = max(0, options.freeDiskMin)
        reserve = DiskReserve(options)
        isShedding = options.shedBlocksOlderThan != nil
        logger = options.logger
        self.health = health
        free = options.metrics.gauge("hearth_tsdb_disk_free_bytes", "Free space of the data directory's file system.")
        reserved = options.metrics.gauge(
            "hearth_tsdb_disk_reserve_bytes", "Size of the file that is given up when the disk is full; 0 while it is.")
        refused = options.metrics.counter(
            "hearth_tsdb_appends_refused_disk_total", "Batches refused as the disk has too little free space.")
    }

    // MARK: - Looking

    /// Looks at the disk. Cheap: it is called every second.
    func check() {
        guard var space = try? fileSystem.space(directory) else { return }
        state.withLock { state in
            if space.free < floor {
                if giveUpReserve(space.free) { space = (try? fileSystem.space(directory)) ?? space }
            } else if !reserve.isHeld, space.free.subtractingClamped(floor) / 2 >= Int64(reserve.size), reserve.take() {
                isFull.store(false, ordering: .relaxed)
                space = (try? fileSystem.space(directory)) ?? space
            }
            free.set(Double(space.free))
            lastFree.store(space.free, ordering: .relaxed)
            let isBelow = space.free < floor
            if isBelow, !state.isBelow { state.wantsRoom = true }
            state.isBelow = isBelow
            settle(&state)
        }
    }

    /// A write found no room.
    func noteFull() {
        if isFull.exchange(true, ordering: .relaxed) { return }
        state.withLock { state in
            _ = giveUpReserve(0)
            state.wantsRoom = true
            settle(&state)
        }
    }

    /// A batch was written. With a reserve that proves nothing: it may have been written into the room of that.
    func noteWritten() {
        guard reserve.size == 0, isFull.load(ordering: .relaxed) else { return }
        isFull.store(false, ordering: .relaxed)
        state.withLock { settle(&$0) }
    }

    private func giveUpReserve(_ free: Int64) -> Bool {
        guard reserve.release() else { return false }
        logger.warning("the disk is full, the reserve is given up", metadata: ["free": "\(free)"])
        return true
    }

    private func settle(_ state: inout State) {
        reserved.set(reserve.isHeld ? Double(reserve.size) : 0)
        let isFull = isFull.load(ordering: .relaxed)
        if !state.isBelow, !isFull {
            state.isShedDone = false
            state.wantsRoom = false
            isRefusing.store(false, ordering: .relaxed)
            health.clear(.diskSpace)
            return
        }
        // Without floor and reserve every write is tried: that is how room is noticed.
        let refuses = (state.isBelow || reserve.size > 0) && (!isShedding || state.isShedDone)
        isRefusing.store(refuses, ordering: .relaxed)
        let known = state.isBelow ? "less than \(floor) bytes are free on it" : "a write found no room"
        health.raise(
            .diskSpace,
            "The disk of the data directory is full (\(known))"
                + (refuses ? ": samples are refused until there is more" : ""))
    }

    // MARK: - What follows

    /// - Throws: `.diskFull` while samples are refused.
    func admit() throws(StorageError) {
        if !isRefusing.load(ordering: .relaxed) { return }
        countRefusal()
        throw .diskFull(reason: "the disk has too little free space, try again later")
    }

    /// A batch was refused as a write of it found no room.
    func countRefusal() { refused.increment() }

    /// Whether there is room for a merge that writes so many bytes.
    func hasRoom(for bytes: Int64) -> Bool {
        lastFree.load(ordering: .relaxed).subtractingClamped(bytes) >= floor.addingClamped(floor)
    }

    /// There is no room for what comes next, as far as known.
    var isShort: Bool { isFull.load(ordering: .relaxed) || state.withLock { $0.isBelow } }

    /// Merges are left for what is more urgent. Without floor and reserve they are tried, like everything else.
    var holdsMerges: Bool { state.withLock { $0.isBelow } || reserve.size > 0 && isFull.load(ordering: .relaxed) }

    /// Blocks may have to be deleted.
    var wantsShedding: Bool { isShedding && isShort && !state.withLock { $0.isShedDone } }

    /// Bytes that are missing to the floor; 0 where a write found no room, whatever the disk says.
    var missing: Int64 { max(0, floor.subtractingClamped(lastFree.load(ordering: .relaxed))) }

    /// A block was deleted: its room is worth trying.
    func noteShed() {
        if reserve.size == 0 { isFull.store(false, ordering: .relaxed) }
        check()
    }

    /// No block may be deleted any more.
    func noteShedDone() {
        state.withLock { state in
            state.isShedDone = true
            settle(&state)
        }
    }

    /// Whether the log is to be shortened; true once each time that the disk becomes full.
    func takeWantsRoom() -> Bool {
        state.withLock { state in
            defer { state.wantsRoom = false }
            return state.wantsRoom
        }
    }

    /// Whether maintenance has something to do for the disk.
    var wantsMaintenance: Bool { state.withLock { $0.wantsRoom } || wantsShedding }
}
