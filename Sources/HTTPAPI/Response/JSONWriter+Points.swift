package import SeriesModel

extension JSONWriter {
    /// The points of a series, `[time, "value"]` each, as `point` writes them one by one.
    package mutating func points(_ times: ArraySlice<Timestamp>, _ values: ArraySlice<Double>) {
        times.withUnsafeBufferPointer { times in
            values.withUnsafeBufferPointer { values in
                withUnsafeTemporaryAllocation(of: UInt8.self, capacity: JSONWriter.scratchBytes) { scratch in
                    guard let base = scratch.baseAddress else { return }
                    var used = 0
                    for index in 0..<min(times.count, values.count) {
                        if used + JSONWriter.pointBytesMax > JSONWriter.scratchBytes { flush(scratch, &used) }
                        if let count = JSONWriter.write(times[index], values[index], base + used, needsComma) {
                            used += count
                            needsComma = true
                        } else {
                            flush(scratch, &used)
                            point(times[index], values[index])
                        }
                    }
                    flush(scratch, &used)
                }
            }
        }
    }

    private static let scratchBytes = 16_384
    /// Brackets, quotes, commas, a time with its three decimals, a value.
    private static let pointBytesMax = 12 + 2 * NumberText.writtenMax

    private mutating func flush(_ scratch: UnsafeMutableBufferPointer<UInt8>, _ used: inout Int) {
        append(UnsafeBufferPointer(rebasing: scratch[..<used]))
        used = 0
    }

    /// - Returns: the bytes written; nil where the value takes another form.
    private static func write(
        _ time: Timestamp, _ value: Double, _ target: UnsafeMutablePointer<UInt8>, _ needsComma: Bool
    ) -> Int? {
        guard time >= 0 else { return nil }
        var used = 0
        if needsComma {
            target[0] = UInt8(ascii: ",")
            used = 1
        }
        target[used] = UInt8(ascii: "[")
        used += 1
        let (seconds, fraction) = time.quotientAndRemainder(dividingBy: 1000)
        used += NumberText.write(seconds, to: target + used)
        if fraction != 0 {
            target[used] = UInt8(ascii: ".")
            target[used + 1] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: fraction / 100)
            target[used + 2] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: fraction / 10 % 10)
            target[used + 3] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: fraction % 10)
            used += 4
        }
        target[used] = UInt8(ascii: ",")
        target[used + 1] = UInt8(ascii: "\"")
        used += 2
        guard let count = NumberText.write(value, to: target + used) else { return nil }
        used += count
        target[used] = UInt8(ascii: "\"")
        target[used + 1] = UInt8(ascii: "]")
        return used + 2
    }
}
