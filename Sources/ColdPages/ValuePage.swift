import ByteCoding
import CBitPacking

/// The values of up to 1,024 samples as bytes and back, to the last bit, by the smallest of a closed set of encodings.
/// Format: `docs/formats/cold-pages.md`. A page has no count and no checksum: what stores it has both.
package enum ValuePage {
    /// The most samples of a page.
    package static let samplesMax = 1024

    /// Appends a page.
    /// - Parameters:
    ///   - values: 1 to `samplesMax`.
    ///   - base: the values of another page at the same timestamps that move with these (the neighbouring bucket of a
    ///     histogram). Used only where the page becomes smaller: see `needsBase`.
    /// - Returns: the encoding chosen.
    @discardableResult
    package static func encode(
        values: UnsafeBufferPointer<Double>, base: UnsafeBufferPointer<Double>?, scratch: inout ValuePageScratch,
        into bytes: inout [UInt8]
    ) -> ValueEncoding {
        precondition(values.count >= 1 && values.count <= samplesMax, "\(values.count) samples in a page")
        let first = values[0].bitPattern
        if values.allSatisfy({ $0.bitPattern == first }) {
            ConstantEncoding.encode(values[0], into: &bytes)
            return .constant
        }
        let base = base.flatMap { $0.count == values.count ? $0 : nil }
        scratch.best.removeAll(keepingCapacity: true)
        let unscaled = consider(decimalsOf: values, base, &scratch)
        if unscaled > values.count / 8 {
            if let exponent = ValueScale.exponent(values) {
                stage(values, .binary(exponent: exponent), &scratch)
                consider(values, .binary(exponent: exponent), nil, &scratch)
            }
            stage(values, .bits, &scratch)
            consider(values, .bits, nil, &scratch)
        }
        // Each scale was checked value by value; this checks the rest of the way.
        if !verifies(scratch.best, values, base, scratch) { plain(values, &scratch.best) }
        bytes.append(contentsOf: scratch.best)
        return PageFlags(byte: scratch.best[0])?.encoding ?? .packed
    }

    /// Whether a page can be decoded only with the values of its base.
    package static func needsBase(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.first.flatMap { PageFlags(byte: $0) }?.hasBase ?? false
    }

    /// Decodes a page of `count` samples.
    /// - Parameters:
    ///   - bytes: the page and nothing else; any bytes are safe.
    ///   - base: the values with which the page was encoded, if it needs some.
    ///   - values: room for exactly `count` values. After an error it holds anything.
    package static func decode(
        _ bytes: UnsafeRawBufferPointer, count: Int, base: UnsafeBufferPointer<Double>?,
        into values: UnsafeMutablePointer<Double>
    ) throws(ColdPageError) {
        guard count >= 1, count <= samplesMax else { throw .count(count) }
        var cursor = ByteCursor(bytes)
        let flags = try readFlags(&cursor)
        var baseAddress: UnsafePointer<Double>?
        if flags.hasBase {
            guard let base, base.count >= count else { throw .noBase }
            baseAddress = base.baseAddress
        }
        do throws(ByteError) {
            if flags.encoding == .constant { return try ConstantEncoding.decode(&cursor, count, into: values) }
            let scale = try ValueScale(&cursor)
            // The same memory holds the numbers and then the doubles that are made of them.
            let numbers = UnsafeMutableRawPointer(values).assumingMemoryBound(to: Int64.self)
            try IntegerColumn.decode(&cursor, flags, count, into: numbers)
            if let baseAddress { hearth_add_base(numbers, count, baseAddress) }
            scale.apply(numbers, count)
            if flags.hasOddValues { try OddValues.apply(&cursor, values, count) }
        } catch {
            throw .malformed(error)
        }
        guard cursor.isAtEnd else { throw .trailing(offset: cursor.position) }
    }

    private static func readFlags(_ cursor: inout ByteCursor) throws(ColdPageError) -> PageFlags {
        do throws(ByteError) {
            guard let flags = PageFlags(byte: try cursor.byte()) else { throw .outOfBounds(offset: 0, what: "flags") }
            return flags
        } catch {
            throw .malformed(error)
        }
    }

    // MARK: Choice

    /// Returns how many values are no decimals, all of them where it was not worth a try.
    private static func consider(
        decimalsOf values: UnsafeBufferPointer<Double>, _ base: UnsafeBufferPointer<Double>?,
        _ scratch: inout ValuePageScratch
    ) -> Int {
        guard var digits = ValueScale.digits(values) else { return values.count }
        stage(values, .decimal(digits: digits), &scratch)
        if !scratch.odd.isEmpty, let more = ValueScale.digits(values, odd: scratch.odd), more > digits {
            let odd = scratch.odd.count
            stage(values, .decimal(digits: more), &scratch)
            if scratch.odd.count < odd {
                digits = more
            } else {
                stage(values, .decimal(digits: digits), &scratch)
            }
        }
        guard scratch.odd.count < values.count else { return values.count }
        consider(values, .decimal(digits: digits), nil, &scratch)
        if digits == 0, let base { consider(values, .decimal(digits: 0), base, &scratch) }
        return scratch.odd.count
    }

    /// Puts the numbers of the values and the places of those that have none into the scratch.
    private static func stage(
        _ values: UnsafeBufferPointer<Double>, _ scale: ValueScale, _ scratch: inout ValuePageScratch
    ) {
        scratch.odd.removeAll(keepingCapacity: true)
        let numbers = scratch.numbers
        switch scale {
        case .decimal(let digits):
            let power = ValueScale.powers[digits]
            for index in values.indices {
                if let number = ValueScale.decimalNumber(values[index], power) {
                    numbers[index] = number
                } else {
                    scratch.odd.append(UInt16(truncatingIfNeeded: index))
                }
            }
        case .binary(let exponent):
            let up = ValueScale.power(exponent)
            for index in values.indices {
                if let number = ValueScale.binaryNumber(values[index], exponent, up) {
                    numbers[index] = number
                } else {
                    scratch.odd.append(UInt16(truncatingIfNeeded: index))
                }
            }
        case .bits:
            for index in values.indices { numbers[index] = Int64(bitPattern: values[index].bitPattern) }
        }
    }

    /// Encodes the staged numbers, less the base's, and keeps the page if it is smaller than the best so far.
    private static func consider(
        _ values: UnsafeBufferPointer<Double>, _ scale: ValueScale, _ base: UnsafeBufferPointer<Double>?,
        _ scratch: inout ValuePageScratch
    ) {
        let integers = scratch.integers
        for index in values.indices { integers[index] = scratch.numbers[index] }
        if let base, let address = base.baseAddress {
            // The decoder's own addition, undone.
            integers.update(repeating: 0, count: values.count)
            hearth_add_base(integers, values.count, address)
            for index in values.indices { integers[index] = scratch.numbers[index] &- integers[index] }
        }
        bridge(scratch.odd, integers, values.count)
        var page = scratch.candidate
        page.removeAll(keepingCapacity: true)
        page.append(0)
        scale.write(into: &page)
        var flags = IntegerColumn.encode(integers, values.count, scratch, into: &page)
        flags.hasBase = base != nil
        flags.hasOddValues = !scratch.odd.isEmpty
        page[0] = flags.byte
        OddValues.write(scratch.odd, of: values, into: &page)
        scratch.candidate = page
        if scratch.best.isEmpty || page.count < scratch.best.count { swap(&scratch.best, &scratch.candidate) }
    }

    /// An odd value's number is that of the sample before it, or of the first that has one: it disturbs least.
    private static func bridge(_ odd: [UInt16], _ numbers: UnsafeMutablePointer<Int64>, _ count: Int) {
        guard !odd.isEmpty else { return }
        var first = 0
        while first < odd.count, Int(odd[first]) == first { first += 1 }
        let lead = first < count ? numbers[first] : 0
        for index in 0..<first { numbers[index] = lead }
        for place in odd.dropFirst(first) { numbers[Int(place)] = numbers[Int(place) - 1] }
    }

    private static func verifies(
        _ page: [UInt8], _ values: UnsafeBufferPointer<Double>, _ base: UnsafeBufferPointer<Double>?,
        _ scratch: borrowing ValuePageScratch
    ) -> Bool {
        let decoded = scratch.decoded
        let done: Void? = page.withUnsafeBytes { bytes in
            try? decode(bytes, count: values.count, base: base, into: decoded)
        }
        guard done != nil else { return false }
        return values.indices.allSatisfy { values[$0].bitPattern == decoded[$0].bitPattern }
    }

    /// All bits as they are.
    private static func plain(_ values: UnsafeBufferPointer<Double>, _ page: inout [UInt8]) {
        page.removeAll(keepingCapacity: true)
        page.append(PageFlags(encoding: .packed).byte)
        ValueScale.bits.write(into: &page)
        // First number, width, reference.
        page += [0, 64, 0]
        for value in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { page.append(contentsOf: $0) } }
    }
}
