/// Which slots a file has samples of, a bit for each, and how many samples: what a reader without the file's beginning
/// could not make sense of.
struct SlotMentions {
    private var words: [UInt64] = []
    private var slotCount = 0
    private var sampleCount = 0

    /// On average; 0 for none.
    var samplesPerSlot: Int { slotCount > 0 ? sampleCount / slotCount : 0 }

    mutating func add(_ slots: [UInt32]) {
        sampleCount += slots.count
        for slot in slots {
            let index = Int(slot >> 6)
            if index >= words.count {
                words.append(contentsOf: repeatElement(0, count: index + 1 - words.count))
            }
            let bit: UInt64 = 1 << UInt64(slot & 63)
            if words[index] & bit != 0 { continue }
            words[index] |= bit
            slotCount += 1
        }
    }

    mutating func removeAll() {
        for index in words.indices { words[index] = 0 }
        slotCount = 0
        sampleCount = 0
    }
}
