import SeriesModel

/// The strings of one remote write 2.0 request, each once: labels name them by number. Number 0 is the empty string, as
/// the format wants it. Open addressing over the strings' bytes; the memory is used again for the next request.
struct SymbolTable: Sendable {
    private struct Entry {
        var hash: UInt64
        var start: Int
        var count: Int
    }

    private static let empty = UInt32.max
    private var bytes: [UInt8] = []
    private var entries: [Entry] = [Entry(hash: 0, start: 0, count: 0)]
    /// Entries' numbers; a power of two, at most half full.
    private var places = [UInt32](repeating: SymbolTable.empty, count: 1024)

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        entries.removeSubrange(1...)
        for index in places.indices { places[index] = SymbolTable.empty }
    }

    var count: Int { entries.count }

    /// The number of a string, a new one where it is new.
    mutating func number(_ text: UnsafeRawBufferPointer) -> UInt32 {
        if text.isEmpty { return 0 }
        let hash = StableHash.hash(text)
        var place = Int(truncatingIfNeeded: hash) & (places.count - 1)
        while places[place] != SymbolTable.empty {
            let number = places[place]
            if entries[Int(number)].hash == hash, holds(text, number) { return number }
            place = (place + 1) & (places.count - 1)
        }
        let number = UInt32(truncatingIfNeeded: entries.count)
        entries.append(Entry(hash: hash, start: bytes.count, count: text.count))
        bytes.append(contentsOf: text)
        places[place] = number
        if entries.count * 2 > places.count { grow() }
        return number
    }

    private func holds(_ text: UnsafeRawBufferPointer, _ number: UInt32) -> Bool {
        let entry = entries[Int(number)]
        guard entry.count == text.count else { return false }
        return bytes.withUnsafeBytes { $0[entry.start..<entry.start + entry.count].elementsEqual(text) }
    }

    private mutating func grow() {
        places = [UInt32](repeating: SymbolTable.empty, count: places.count * 2)
        for (number, entry) in entries.enumerated().dropFirst() {
            var place = Int(truncatingIfNeeded: entry.hash) & (places.count - 1)
            while places[place] != SymbolTable.empty { place = (place + 1) & (places.count - 1) }
            places[place] = UInt32(truncatingIfNeeded: number)
        }
    }

    /// Appends all of them in order as a repeated field.
    func write(field: UInt64, to writer: inout WireWriter) {
        bytes.withUnsafeBytes { all in
            for entry in entries {
                writer.sized(field, UnsafeRawBufferPointer(rebasing: all[entry.start..<entry.start + entry.count]))
            }
        }
    }
}
