/// The slots of the series that have a label: up to two in place, more in containers of 65,536 slots each, as a sorted
/// array up to 4,096 entries and as a bitset above (the scheme of Roaring bitmaps, Lemire et al., 2016). Adding and
/// removing a slot in the middle of a million costs no more than one container.
struct SlotSet {
    private(set) var count: UInt32 = 0
    private var first: UInt32 = 0
    private var second: UInt32 = 0
    private var containers: SlotContainers?

    @inline(__always)
    func contains(_ slot: UInt32) -> Bool {
        if let containers { return containers.contains(slot) }
        return count > 0 && first == slot || count > 1 && second == slot
    }

    mutating func insert(_ slot: UInt32) {
        if let containers {
            if containers.insert(slot) { count += 1 }
            return
        }
        if contains(slot) { return }
        switch count {
        case 0: first = slot
        case 1: (first, second) = (min(first, slot), max(first, slot))
        default:
            let many = SlotContainers()
            for slot in [first, second, slot] { _ = many.insert(slot) }
            containers = many
        }
        count += 1
    }

    mutating func remove(_ slot: UInt32) {
        if let containers {
            if containers.remove(slot) { count -= 1 }
            if count == 0 { self.containers = nil }
            return
        }
        guard contains(slot) else { return }
        if first == slot { first = second }
        count -= 1
    }

    /// Ascending.
    func append(to slots: inout [UInt32]) {
        if let containers {
            slots.reserveCapacity(slots.count + Int(count))
            containers.append(to: &slots)
            return
        }
        if count > 0 { slots.append(first) }
        if count > 1 { slots.append(second) }
    }
}

/// The containers of one set, ascending by the upper half of the slots in them.
private final class SlotContainers {
    private struct Container {
        static let arrayMax = 4096

        let key: UInt16
        var count = 0
        /// Sorted; not used once there are bits.
        var array: [UInt16] = []
        var bits: [UInt64] = []

        init(key: UInt16) { self.key = key }

        func contains(_ low: UInt16) -> Bool {
            if !bits.isEmpty { return bits[Int(low >> 6)] & (1 &<< UInt64(low & 63)) != 0 }
            let place = position(of: low)
            return place < array.count && array[place] == low
        }

        /// Where in the array a number is, or would be.
        private func position(of low: UInt16) -> Int {
            if let last = array.last, last < low { return array.count }
            var (start, end) = (0, array.count)
            while start < end {
                let middle = (start + end) / 2
                if array[middle] < low { start = middle + 1 } else { end = middle }
            }
            return start
        }

        mutating func insert(_ low: UInt16) -> Bool {
            if !bits.isEmpty {
                let bit: UInt64 = 1 &<< UInt64(low & 63)
                if bits[Int(low >> 6)] & bit != 0 { return false }
                bits[Int(low >> 6)] |= bit
                count += 1
                return true
            }
            let place = position(of: low)
            if place < array.count, array[place] == low { return false }
            array.insert(low, at: place)
            count += 1
            if count > Container.arrayMax { becomeBits() }
            return true
        }

        private mutating func becomeBits() {
            bits = [UInt64](repeating: 0, count: 1024)
            for low in array { bits[Int(low >> 6)] |= 1 &<< UInt64(low & 63) }
            array = []
        }

        mutating func remove(_ low: UInt16) -> Bool {
            if bits.isEmpty {
                let place = position(of: low)
                guard place < array.count, array[place] == low else { return false }
                array.remove(at: place)
            } else {
                let bit: UInt64 = 1 &<< UInt64(low & 63)
                guard bits[Int(low >> 6)] & bit != 0 else { return false }
                bits[Int(low >> 6)] &= ~bit
            }
            count -= 1
            // Well below the limit, so that a set around it does not change its form all the time.
            if !bits.isEmpty, count < Container.arrayMax / 2 {
                forEach { array.append($0) }
                bits = []
            }
            return true
        }

        func forEach(_ body: (UInt16) -> Void) {
            if bits.isEmpty {
                for low in array { body(low) }
                return
            }
            for index in bits.indices {
                var word = bits[index]
                while word != 0 {
                    body(UInt16(truncatingIfNeeded: index << 6 | word.trailingZeroBitCount))
                    word &= word &- 1
                }
            }
        }
    }

    private var containers: [Container] = []

    private func position(of key: UInt16) -> Int {
        if let last = containers.last, last.key <= key { return containers.count - (last.key == key ? 1 : 0) }
        var (start, end) = (0, containers.count)
        while start < end {
            let middle = (start + end) / 2
            if containers[middle].key < key { start = middle + 1 } else { end = middle }
        }
        return start
    }

    func contains(_ slot: UInt32) -> Bool {
        let key = UInt16(truncatingIfNeeded: slot >> 16)
        let place = position(of: key)
        guard place < containers.count, containers[place].key == key else { return false }
        return containers[place].contains(UInt16(truncatingIfNeeded: slot))
    }

    /// - Returns: whether it was not there.
    func insert(_ slot: UInt32) -> Bool {
        let key = UInt16(truncatingIfNeeded: slot >> 16)
        let place = position(of: key)
        if place == containers.count || containers[place].key != key {
            containers.insert(Container(key: key), at: place)
        }
        return containers[place].insert(UInt16(truncatingIfNeeded: slot))
    }

    /// - Returns: whether it was there.
    func remove(_ slot: UInt32) -> Bool {
        let key = UInt16(truncatingIfNeeded: slot >> 16)
        let place = position(of: key)
        guard place < containers.count, containers[place].key == key else { return false }
        let wasThere = containers[place].remove(UInt16(truncatingIfNeeded: slot))
        if containers[place].count == 0 { containers.remove(at: place) }
        return wasThere
    }

    func append(to slots: inout [UInt32]) {
        for container in containers {
            let base = UInt32(container.key) << 16
            container.forEach { slots.append(base | UInt32($0)) }
        }
    }
}
