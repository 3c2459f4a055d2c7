extension WireCursor {
    /// The value of a field that is a varint.
    package mutating func integer(_ tag: Tag) throws(WireError) -> UInt64 {
        try expect(WireType.varint, tag)
        return try varint()
    }

    /// The value of a field that is a signed number (`sint32`, `sint64`).
    package mutating func signed(_ tag: Tag) throws(WireError) -> Int64 { Varint.unzigzag(try integer(tag)) }

    /// The value of a field that is a double.
    package mutating func double(_ tag: Tag) throws(WireError) -> Double {
        try expect(WireType.fixed64, tag)
        return Double(bitPattern: try fixed64())
    }

    /// The bytes of a text.
    package mutating func bytes(_ tag: Tag) throws(WireError) -> Range<Int> {
        try expect(WireType.sized, tag)
        return try sized()
    }

    /// The fields of a message within this one.
    package mutating func message(_ tag: Tag) throws(WireError) -> WireCursor {
        WireCursor(buffer, try bytes(tag))
    }

    /// Repeated signed integers: packed behind one length, or each behind its own tag.
    package mutating func appendSigned(_ tag: Tag, to values: inout [Int64]) throws(WireError) {
        guard tag.wireType == WireType.sized else {
            values.append(try signed(tag))
            return
        }
        var packed = WireCursor(buffer, try sized())
        while !packed.isAtEnd { values.append(Varint.unzigzag(try packed.varint())) }
    }

    /// Repeated doubles, in either form.
    package mutating func appendDoubles(_ tag: Tag, to values: inout [Double]) throws(WireError) {
        guard tag.wireType == WireType.sized else {
            values.append(try double(tag))
            return
        }
        var packed = WireCursor(buffer, try sized())
        while !packed.isAtEnd { values.append(Double(bitPattern: try packed.fixed64())) }
    }
}
