import ByteCoding

extension WireCursor {
    /// The value of a field that is a varint.
    mutating func integer(_ tag: Tag) throws(WireError) -> UInt64 {
        try expect(WireType.varint, tag)
        return try varint()
    }

    /// The value of a field that is a double.
    mutating func double(_ tag: Tag) throws(WireError) -> Double {
        try expect(WireType.fixed64, tag)
        return Double(bitPattern: try fixed64())
    }

    /// The bytes of a text.
    mutating func bytes(_ tag: Tag) throws(WireError) -> Range<Int> {
        try expect(WireType.sized, tag)
        return try sized()
    }

    /// The fields of a message within this one.
    mutating func message(_ tag: Tag) throws(WireError) -> WireCursor {
        WireCursor(buffer, try bytes(tag))
    }

    /// Repeated signed integers: packed behind one length, or each behind its own tag.
    mutating func appendZigzags(_ tag: Tag, to values: inout [Int64]) throws(WireError) {
        guard tag.wireType == WireType.sized else {
            values.append(Varint.unzigzag(try integer(tag)))
            return
        }
        var packed = WireCursor(buffer, try sized())
        while !packed.isAtEnd { values.append(Varint.unzigzag(try packed.varint())) }
    }

    /// Repeated doubles, in either form.
    mutating func appendDoubles(_ tag: Tag, to values: inout [Double]) throws(WireError) {
        guard tag.wireType == WireType.sized else {
            values.append(try double(tag))
            return
        }
        var packed = WireCursor(buffer, try sized())
        while !packed.isAtEnd { values.append(Double(bitPattern: try packed.fixed64())) }
    }
}
