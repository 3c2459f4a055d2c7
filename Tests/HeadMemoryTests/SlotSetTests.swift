import TestSupport
import Testing

@testable import HeadMemory

@Suite("Slot sets")
struct SlotSetTests {
    /// Slots in a range that a set of the wanted size fills in part.
    @Test(
        "A set holds what a naive one holds after the same operations",
        arguments: [(1, 3), (2, 60), (3, 9000), (4, 200_000)])
    func model(_ seed: UInt64, _ spread: Int) {
        var random = SeededRandom(seed: seed)
        var set = SlotSet()
        var model: Set<UInt32> = []
        for round in 0..<6 {
            // Growing and shrinking by turns: forms change in both directions.
            let insertions = round % 2 == 0 ? 80 : 15
            for _ in 0..<8000 {
                let slot = UInt32(random.below(spread)) &* (spread == 60 ? 40_000 : 1)
                if random.chance(insertions) {
                    set.insert(slot)
                    model.insert(slot)
                } else {
                    set.remove(slot)
                    model.remove(slot)
                }
                if Int(set.count) != model.count || set.contains(slot) != model.contains(slot) {
                    Issue.record("seed \(seed): \(slot): \(set.count) instead of \(model.count)")
                    return
                }
            }
            var found: [UInt32] = [7]
            set.append(to: &found)
            #expect(Array(found.dropFirst()) == model.sorted())
        }
        for slot in model { set.remove(slot) }
        #expect(set.count == 0)
    }

    @Test("A dense set that shrinks slot by slot keeps the others in each of its forms")
    func shrinking() {
        var set = SlotSet()
        for slot in 0..<UInt32(5000) { set.insert(slot * 13) }
        for slot in 0..<UInt32(5000) {
            set.remove(slot * 13)
            #expect(set.count == 4999 - slot)
            if slot < 4999 { #expect(set.contains((slot + 1) * 13)) }
            #expect(!set.contains(slot * 13))
        }
    }

    @Test("Slots at the ends of the scale are slots as any")
    func ends() {
        var set = SlotSet()
        for slot: UInt32 in [.max, 0, 65_535, 65_536, .max - 1] { set.insert(slot) }
        var found: [UInt32] = []
        set.append(to: &found)
        #expect(found == [0, 65_535, 65_536, .max - 1, .max])
    }
}
