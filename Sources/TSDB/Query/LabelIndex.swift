import HeadMemory
import SeriesModel

/// What the head and a block can look up, so that matchers are resolved by one piece of code for both.
/// A reference is the head's slot or the block's series number.
protocol LabelIndex {
    /// In any order.
    func labelNames() throws -> [String]
    /// The values of a label, in any order; empty for a label that no series has.
    func labelValues(of name: String) throws -> [String]
    /// The series with a label of that value, ascending.
    func postings(name: String, value: String) throws -> [UInt32]
    /// All series, ascending.
    func allPostings() throws -> [UInt32]
}

/// Slots are the references.
extension HeadIndex: LabelIndex {}
