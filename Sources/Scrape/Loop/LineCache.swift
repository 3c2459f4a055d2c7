import Glibc
import SeriesModel
import StorageAPI

/// What the lines of a target's last scrapes stood for: series text → series.
///
/// A target answers with the same lines in the same order nearly always. So line after line is first compared, byte
/// for byte, with the line that followed last time; only where that fails it is looked up by hash, and after a hit the
/// comparison goes on from there. A steady scrape costs one memory compare a line, no string, no label.
///
/// All texts lie in one array, all entries in another; about 40 bytes a series beside the text. One scrape is one
/// *round*; a round is either kept (`commit`) or leaves no trace of its new lines (`rollBack`).
struct LineCache: Sendable {
    struct Entry: Sendable {
        fileprivate var textStart: UInt32
        fileprivate var textCount: UInt32
        fileprivate var hash: UInt32
        /// Where in `order` it stands, if it does.
        fileprivate var position: UInt32
        /// The round it was last seen in.
        fileprivate(set) var round: UInt32
        var state = State.unresolved
        /// Whether its end is marked when it vanishes: not so for series with timestamps of their own.
        var isTracked = true
        var ref = SeriesRef(slot: 0, generation: 0)
    }

    enum State: UInt8, Sendable {
        /// The store has not given a reference (yet, or any more): labels must be made from the text.
        case unresolved
        case known
        /// Relabelling drops it.
        case dropped
    }

    /// What a line turned out to be.
    enum Find: Equatable {
        case hit(Int)
        /// The same text occurred before in this round.
        case duplicate(Int)
        /// Unknown until now; an entry has been made.
        case new(Int)

        var index: Int {
            switch self {
            case .hit(let index), .duplicate(let index), .new(let index): index
            }
        }
    }

    private(set) var entries: [Entry] = []
    private var texts: [UInt8] = []
    /// Open addressing: entry index + 1, 0 for empty; at most half full.
    private var table: [UInt32] = []
    /// The entries of the last kept round, by line.
    private(set) var order: [UInt32] = []
    /// The same for the running round.
    private(set) var current: [UInt32] = []
    /// Hashes of exemplars.
    private var exemplars = RoundNotes<UInt64>()
    private var starts = RoundNotes<Timestamp>()
    private var round: UInt32 = 0
    private var cursor = 0
    private var entryCountBefore = 0
    /// Bytes of the texts of `order`.
    private var orderTextBytes = 0

    /// Texts that are not in use may take as much as those that are, and this.
    private static let idleTextBytesMax = 8 << 20
    /// No target can know which of its lines fall together.
    private static let hashSeed = UInt64.random(in: .min ... .max)

    // MARK: - A round

    /// Entries keep their indexes until the next round begins.
    mutating func beginRound() {
        // What has not been seen for long is forgotten once it outweighs what is alive.
        let areTextsIdle = texts.count > 2 * orderTextBytes + LineCache.idleTextBytesMax
        if entries.count > 2 * order.count + 1000 || areTextsIdle { compact() }
        round &+= 1
        cursor = 0
        current.removeAll(keepingCapacity: true)
        exemplars.beginRound()
        starts.beginRound()
        entryCountBefore = entries.count
    }

    /// Notes the exemplar of a line of this round.
    /// - Parameter hash: of what the line says of it.
    /// - Returns: whether it is another than in the last kept round.
    mutating func noteExemplar(_ index: Int, hash: UInt64) -> Bool {
        exemplars.note(index, hash)
    }

    /// Notes when the counter of a line of this round began. - Returns: whether that is news.
    mutating func noteStart(_ index: Int, _ start: Timestamp) -> Bool { starts.note(index, start) }

    /// The next exemplar and start of each line count as others.
    mutating func forgetNotes() {
        exemplars.forget()
        starts.forget()
    }

    /// Lends the text that comes next if this scrape goes on like the last one; empty where nothing is expected.
    func withExpectedText<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard cursor < order.count else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
        let entry = entries[Int(order[cursor])]
        guard entry.round != round else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
        let range = Int(entry.textStart)..<Int(entry.textStart) + Int(entry.textCount)
        return try texts.withUnsafeBufferPointer { (bytes) throws(Failure) -> Result in
            try body(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[range])))
        }
    }

    /// The line was the expected one. - Returns: its entry.
    mutating func takeExpected() -> Int {
        let index = Int(order[cursor])
        cursor += 1
        see(index)
        return index
    }

    /// Looks a text up that was not the expected one.
    mutating func find(_ text: UnsafeRawBufferPointer) -> Find {
        let hash = UInt32(truncatingIfNeeded: StableHash.hash(text, seed: LineCache.hashSeed))
        if let index = lookUp(text, hash) {
            if entries[index].round == round { return .duplicate(index) }
            if isInOrder(index) { cursor = Int(entries[index].position) + 1 }
            see(index)
            return .hit(index)
        }
        let index = insert(text, hash)
        current.append(UInt32(truncatingIfNeeded: index))
        return .new(index)
    }

    private mutating func see(_ index: Int) {
        entries[index].round = round
        current.append(UInt32(truncatingIfNeeded: index))
    }

    /// Whether the entry was part of the last kept round.
    func isInOrder(_ index: Int) -> Bool {
        let position = Int(entries[index].position)
        return position < order.count && Int(order[position]) == index
    }

    func wasSeen(_ index: Int) -> Bool { entries[index].round == round }

    mutating func update(_ index: Int, _ change: (inout Entry) -> Void) {
        change(&entries[index])
    }

    /// The round becomes the one to compare with.
    mutating func commit() {
        swap(&order, &current)
        exemplars.commit()
        starts.commit()
        orderTextBytes = 0
        for (position, index) in order.enumerated() {
            entries[Int(index)].position = UInt32(truncatingIfNeeded: position)
            orderTextBytes &+= Int(entries[Int(index)].textCount)
        }
    }

    /// Forgets the round's new lines.
    mutating func rollBack() {
        current.removeAll(keepingCapacity: true)
        guard entries.count > entryCountBefore else { return }
        let textEnd = Int(entries[entryCountBefore].textStart)
        entries.removeLast(entries.count - entryCountBefore)
        texts.removeLast(texts.count - textEnd)
        rebuildTable(capacity: table.count)
    }

    /// Makes every known line unresolved: what its text means has changed.
    mutating func forgetMeanings() {
        for index in entries.indices { entries[index].state = .unresolved }
    }

    // MARK: - Storage

    private func isText(of index: Int, _ text: UnsafeRawBufferPointer) -> Bool {
        let entry = entries[index]
        guard Int(entry.textCount) == text.count else { return false }
        return texts.withUnsafeBytes { bytes in
            let start = Int(entry.textStart)
            return UnsafeRawBufferPointer(rebasing: bytes[start..<start + text.count]).hasSameBytes(as: text)
        }
    }

    private func lookUp(_ text: UnsafeRawBufferPointer, _ hash: UInt32) -> Int? {
        guard !table.isEmpty else { return nil }
        let mask = table.count - 1
        var slot = Int(hash) & mask
        while table[slot] != 0 {
            let index = Int(table[slot]) - 1
            if entries[index].hash == hash, isText(of: index, text) { return index }
            slot = (slot + 1) & mask
        }
        return nil
    }

    private mutating func insert(_ text: UnsafeRawBufferPointer, _ hash: UInt32) -> Int {
        entries.append(
            Entry(
                textStart: UInt32(clamping: texts.count), textCount: UInt32(clamping: text.count), hash: hash,
                position: .max, round: round))
        texts.append(contentsOf: text)
        if entries.count * 2 > table.count {
            rebuildTable(capacity: max(64, table.count * 2))
        } else {
            place(entries.count - 1)
        }
        return entries.count - 1
    }

    private mutating func place(_ index: Int) {
        let mask = table.count - 1
        var slot = Int(entries[index].hash) & mask
        while table[slot] != 0 { slot = (slot + 1) & mask }
        table[slot] = UInt32(truncatingIfNeeded: index + 1)
    }

    private mutating func rebuildTable(capacity: Int) {
        var capacity = max(capacity, 64)
        while capacity < entries.count * 2 { capacity *= 2 }
        table = [UInt32](repeating: 0, count: capacity)
        for index in entries.indices { place(index) }
    }

    private mutating func compact() {
        var kept: [Entry] = []
        var keptTexts: [UInt8] = []
        kept.reserveCapacity(order.count)
        for (position, old) in order.enumerated() {
            var entry = entries[Int(old)]
            let start = Int(entry.textStart)
            entry.textStart = UInt32(clamping: keptTexts.count)
            keptTexts.append(contentsOf: texts[start..<start + Int(entry.textCount)])
            kept.append(entry)
            order[position] = UInt32(truncatingIfNeeded: position)
        }
        entries = kept
        texts = keptTexts
        // They are told once more.
        forgetNotes()
        rebuildTable(capacity: 64)
    }
}

extension UnsafeRawBufferPointer {
    func hasSameBytes(as other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        guard let a = baseAddress, let b = other.baseAddress else { return true }
        return memcmp(a, b, count) == 0
    }
}
