/// How the numbers of a page are written: the closed set. Each is a file; this is the table that names them.
///
/// | number | file | for |
/// |---:|---|---|
/// | 0 | `ConstantEncoding` | all samples have the same bits |
/// | 1 | `PackedEncoding` | frame of reference, bit-packed, with patched exceptions |
/// | 2 | `EntropyEncoding` | skewed distributions: high bits through an entropy coder, low bits packed |
package enum ValueEncoding: UInt8, Sendable, CaseIterable {
    case constant = 0
    case packed = 1
    case entropy = 2
}
