/// The sample that says "this series ended here": a signalling NaN with one fixed bit pattern. Any arithmetic, and any
/// trip through `Float`, would turn it into an ordinary NaN, so it is always compared by bits.
@usableFromInline package enum StaleMarker {
    @inlinable
    package static var bits: UInt64 { 0x7FF0_0000_0000_0002 }

    /// The bit pattern of an ordinary NaN, as scraped or computed.
    package static let ordinaryNaNBits: UInt64 = 0x7FF8_0000_0000_0001

    package static var value: Double { Double(bitPattern: bits) }
    package static var ordinaryNaN: Double { Double(bitPattern: ordinaryNaNBits) }

    @inlinable
    package static func isStale(_ value: Double) -> Bool { value.bitPattern == bits }
}
