package import ByteCoding

/// Why a cold page could not be decoded. Nothing of the page is used then.
package enum ColdPageError: Error, Sendable, Hashable {
    /// A field that the bytes do not hold, or that no encoder writes; the offset counts from the start of the page.
    case malformed(ByteError)
    /// More samples than a page may have, or none.
    case count(Int)
    /// The page is the difference to another one, which was not given or is shorter.
    case noBase
    /// Bytes behind the end of the page.
    case trailing(offset: Int)
}

extension ColdPageError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .malformed(let error): "malformed page: \(error)"
        case .count(let count): "a page cannot hold \(count) samples"
        case .noBase: "the page needs the values of another one"
        case .trailing(let offset): "the page goes on behind its end at byte \(offset)"
        }
    }
}
