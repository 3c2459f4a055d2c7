import SeriesModel
import TestSupport
import Testing

@testable import HeadMemory

@Suite("Tables of the head's labels")
struct PairTableTests {
    private struct Pair: Hashable {
        var name: String
        var value: String

        /// Length, name, length, value; short ones.
        var packed: [UInt8] {
            [UInt8(name.utf8.count)] + Array(name.utf8) + [UInt8(value.utf8.count)] + Array(value.utf8)
        }
    }

    private func enter(_ pair: Pair, _ table: PairTable) -> UInt32 {
        pair.packed.withUnsafeBytes { table.enter($0, name: 1..<1 + pair.name.utf8.count) }
    }

    private func expect(_ table: PairTable, holds model: [Pair: UInt32]) {
        #expect(table.count == model.count)
        #expect(Set(table.usedNames) == Set(model.keys.map(\.name)))
        for (pair, number) in model {
            #expect(table.number(name: pair.name, value: pair.value) == number)
            #expect(table.value(of: number) == pair.value)
        }
        for name in Set(model.keys.map(\.name)) {
            #expect(Set(table.pairs(ofName: name)) == Set(model.filter { $0.key.name == name }.values))
        }
    }

    @Test("Pairs are found under the numbers that they were given, whatever came and went", arguments: Seeds.fixed(4))
    func model(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let table = PairTable(SlabAllocator())
        var model: [Pair: UInt32] = [:]
        var removed: [UInt32] = []
        for step in 0..<6000 {
            let pair = Pair(
                name: random.pick(["a", "job", "é"]),
                value: String(repeating: "v", count: random.below(3)) + "\(random.below(400))")
            if random.chance(step / 1000 % 2 == 0 ? 70 : 30) {
                let number = enter(pair, table)
                if let known = model[pair] {
                    #expect(number == known)
                } else {
                    #expect(!model.values.contains(number) && !removed.contains(number), "a number that is in use")
                    model[pair] = number
                }
            } else if let number = model.removeValue(forKey: pair) {
                table.remove(number)
                #expect(table.number(name: pair.name, value: pair.value) == nil)
                // A view may still make label sets of it.
                #expect(table.value(of: number) == pair.value)
                removed.append(number)
            }
            if random.chance(10), let number = removed.popLast() { table.release(number) }
            if step % 500 == 0 { expect(table, holds: model) }
        }
        expect(table, holds: model)
    }

    @Test("Canonically equal texts of other bytes are other pairs")
    func bytes() {
        let table = PairTable(SlabAllocator())
        let composed = enter(Pair(name: "a", value: "\u{E9}"), table)
        let decomposed = enter(Pair(name: "a", value: "e\u{301}"), table)
        #expect(composed != decomposed)
        #expect(table.count == 2)
    }

    @Test("Pairs are ordered by name, then value, both by their bytes")
    func order() {
        let table = PairTable(SlabAllocator())
        let pairs = ["a|b", "a|ba", "aa|a", "b|", "b|\u{7F}", "b|\u{80}"].map { text in
            let parts = text.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
            return enter(Pair(name: parts[0], value: parts[1]), table)
        }
        for (i, a) in pairs.enumerated() {
            for (j, b) in pairs.enumerated() { #expect(table.precedes(a, b) == (i < j)) }
        }
    }
}

@Suite("The index of label hashes")
struct LabelHashIndexTests {
    @Test("Slots are found by their hashes, equal ones and those at the table's end too", arguments: Seeds.fixed(4))
    func model(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var index = LabelHashIndex()
        var hashes: [UInt32: UInt64] = [:]
        // Few homes, many of them the last buckets: chains are long and go round.
        func home(_ random: inout SeededRandom) -> UInt64 {
            (random.chance(50) ? UInt64(Int(UInt32.max) - random.below(3)) : UInt64(random.below(1000))) << 20
        }
        var next: UInt32 = 0
        for step in 0..<6000 {
            if random.chance(step < 3000 ? 70 : 30) {
                let hash = home(&random)
                index.insert(next, hash: hash) { hashes[$0] ?? 0 }
                hashes[next] = hash
                next += 1
            } else if let slot = hashes.keys.min(by: { ($0 &* 7919) % 1009 < ($1 &* 7919) % 1009 }) {
                let hash = hashes[slot] ?? 0
                index.remove(slot, hash: hash) { hashes[$0] ?? 0 }
                hashes[slot] = nil
                #expect(index.find(hash) { $0 == slot } == nil)
            }
            #expect(index.count == hashes.count)
            if step % 1000 == 999 {
                for (slot, hash) in hashes { #expect(index.find(hash) { $0 == slot } == slot) }
            }
        }
    }
}
