import ByteCoding
package import SeriesModel

/// The state of an open XOR chunk, 48 bytes: the last sample, the value window, and the bits that do not fill a word
/// yet. Full words are the caller's, in the order they were given out, and never change once written. So the state and
/// the words together are a snapshot of the chunk that needs no decoding and no lock.
///
/// The format is that of Prometheus' `tsdb/chunkenc/xor.go` after Pelkonen et al., "Gorilla: A Fast, Scalable,
/// In-Memory Time Series Database", VLDB 2015. The chunk's bits are those that Prometheus would write (where they end
/// with a byte, some of its versions leave an empty byte behind them).
///
/// Timestamps must ascend; the caller has decided that. The appender takes any and wraps.
@usableFromInline package struct XORAppender: Sendable {
    /// ms; of the newest sample.
    package private(set) var lastTimestamp: Timestamp = 0
    /// The newest value's bits.
    package private(set) var lastValueBits: UInt64 = 0
    private var lastDelta: UInt64 = 0
    private(set) var pendingWord: UInt64 = 0
    /// How many words were given out.
    package private(set) var wordCount: UInt32 = 0
    @usableFromInline var samples: UInt16 = 0
    private var pendingBits: UInt8 = 0
    private var leading: UInt8 = XORFormat.noWindow
    private var trailing: UInt8 = 0

    package init() {}

    /// Samples in the chunk.
    @inlinable package var count: Int { Int(samples) }
    package var lastValue: Double { Double(bitPattern: lastValueBits) }
    package var isFull: Bool { count == XORFormat.samplesMax }

    /// What the chunk's bytes will number.
    package var byteCount: Int { XORFormat.headerBytes + Int(wordCount) * 8 + (Int(pendingBits) + 7) / 8 }

    /// The chunk ended: the state begins a new one. What was the newest sample is still told.
    package mutating func restart() {
        let (timestamp, bits) = (lastTimestamp, lastValueBits)
        self = XORAppender()
        note(timestamp, bits)
    }

    /// Tells of a newest sample that is not in this chunk. - Precondition: the chunk is empty
    package mutating func note(_ timestamp: Timestamp, _ bits: UInt64) {
        lastTimestamp = timestamp
        lastValueBits = bits
    }

    /// Adds a sample. Words that it completes are appended to `words`.
    /// - Precondition: the chunk is not full, and `words` holds what earlier calls gave out.
    package mutating func append(_ timestamp: Timestamp, _ value: Double, to words: inout [UInt64]) {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: XORFormat.wordsPerSampleMax) { room in
            guard let base = room.baseAddress else { return }
            let written = append(timestamp, value, at: base)
            // Most samples complete no word or one.
            for index in 0..<written { words.append(base[index]) }
        }
    }

    /// Adds a sample; the words that it completes are stored from `target` on.
    /// - Precondition: the chunk is not full; room for `XORFormat.wordsPerSampleMax` words at `target`.
    /// - Returns: the number of words stored.
    package mutating func append(
        _ timestamp: Timestamp, _ value: Double, at target: UnsafeMutablePointer<UInt64>
    ) -> Int {
        precondition(!isFull, "a full chunk cannot take a sample")
        var encoder = XOREncoder(self, target)
        encoder.add(timestamp, value.bitPattern, isStarting: samples < 2, index: Int(samples))
        return finish(encoder, samples: 1, target)
    }

    /// Adds a column of samples.
    /// - Precondition: they fit into the chunk; room for `XORFormat.wordsPerSampleMax` words for each at `target`.
    /// - Returns: the number of words stored.
    package mutating func append(
        _ timestamps: UnsafePointer<Timestamp>, _ values: UnsafePointer<Double>, _ sampleCount: Int,
        at target: UnsafeMutablePointer<UInt64>
    ) -> Int {
        precondition(sampleCount <= XORFormat.samplesMax - count, "chunk of \(count) cannot take \(sampleCount) more")
        var encoder = XOREncoder(self, target)
        var index = 0
        while index < sampleCount, count + index < 2 {
            encoder.add(timestamps[index], values[index].bitPattern, isStarting: true, index: count + index)
            index += 1
        }
        while index < sampleCount {
            encoder.add(timestamps[index], values[index].bitPattern, isStarting: false, index: 2)
            index &+= 1
        }
        return finish(encoder, samples: sampleCount, target)
    }

    /// Takes the fields back. - Returns: the number of words stored.
    @inline(__always)
    private mutating func finish(
        _ encoder: XOREncoder, samples newSamples: Int, _ target: UnsafeMutablePointer<UInt64>
    ) -> Int {
        let written = encoder.writer.target - target
        pendingWord = encoder.writer.word
        pendingBits = UInt8(truncatingIfNeeded: encoder.writer.used)
        lastTimestamp = encoder.timestamp
        lastDelta = encoder.delta
        lastValueBits = encoder.bits
        leading = UInt8(truncatingIfNeeded: encoder.window.leading)
        trailing = UInt8(truncatingIfNeeded: encoder.window.trailing)
        wordCount &+= UInt32(truncatingIfNeeded: written)
        samples &+= UInt16(truncatingIfNeeded: newSamples)
        return written
    }

    /// The bits that do not fill a word, padded with zeros to whole bytes.
    func appendPendingBytes(to bytes: inout [UInt8]) {
        var rest = pendingWord
        var bits = Int(pendingBits)
        while bits > 0 {
            bytes.append(UInt8(truncatingIfNeeded: rest >> 56))
            rest <<= 8
            bits -= 8
        }
    }

    /// Everything but `lastTimestamp`, `lastValueBits` and `wordCount`: for whoever stores the state.
    package var fields: XORAppenderFields {
        get {
            XORAppenderFields(
                lastDelta: lastDelta, pendingWord: pendingWord, samples: samples, pendingBits: pendingBits,
                leading: leading, trailing: trailing)
        }
        set {
            lastDelta = newValue.lastDelta
            pendingWord = newValue.pendingWord
            samples = newValue.samples
            pendingBits = newValue.pendingBits
            leading = newValue.leading
            trailing = newValue.trailing
        }
    }

    /// A state as it was stored.
    /// - Returns: nil for fields that no appender has: going on from them would write a chunk that cannot be read.
    package init?(lastTimestamp: Timestamp, lastValueBits: UInt64, wordCount: UInt32, fields: XORAppenderFields) {
        let hasWindow = fields.leading != XORFormat.noWindow
        guard fields.pendingBits < 64, !hasWindow || Int(fields.leading) + Int(fields.trailing) < 64,
            hasWindow || fields.trailing == 0, fields.samples > 0 || wordCount == 0
        else { return nil }
        self.lastTimestamp = lastTimestamp
        self.lastValueBits = lastValueBits
        self.wordCount = wordCount
        self.fields = fields
    }

    fileprivate var encoderFields: (delta: UInt64, word: UInt64, used: UInt8, leading: UInt8, trailing: UInt8) {
        (lastDelta, pendingWord, pendingBits, leading, trailing)
    }
}

/// What an appender has to remember besides the newest sample.
package struct XORAppenderFields: Sendable, Hashable {
    package var lastDelta: UInt64
    package var pendingWord: UInt64
    package var samples: UInt16
    package var pendingBits: UInt8
    package var leading: UInt8
    package var trailing: UInt8

    package init(
        lastDelta: UInt64, pendingWord: UInt64, samples: UInt16, pendingBits: UInt8, leading: UInt8, trailing: UInt8
    ) {
        self.lastDelta = lastDelta
        self.pendingWord = pendingWord
        self.samples = samples
        self.pendingBits = pendingBits
        self.leading = leading
        self.trailing = trailing
    }
}

/// The fields of an appender while samples are added: locals in the loop, written back once.
private struct XOREncoder {
    var writer: BitWriter
    var timestamp: Timestamp
    var delta: UInt64
    var bits: UInt64
    var window: ValueWindow

    @inline(__always)
    init(_ state: XORAppender, _ target: UnsafeMutablePointer<UInt64>) {
        let fields = state.encoderFields
        writer = BitWriter(word: fields.word, used: UInt64(fields.used), target: target)
        timestamp = state.lastTimestamp
        delta = fields.delta
        bits = state.lastValueBits
        window = ValueWindow(leading: UInt64(fields.leading), trailing: UInt64(fields.trailing))
    }

    /// - Parameter isStarting: whether this is one of the first two samples, as `index` then says.
    @inline(__always)
    mutating func add(_ newTimestamp: Timestamp, _ newBits: UInt64, isStarting: Bool, index: Int) {
        let newDelta = UInt64(bitPattern: newTimestamp &- timestamp)
        if isStarting {
            start(newTimestamp, newDelta, newBits, index)
        } else {
            writeDeltaOfDelta(Int64(bitPattern: newDelta &- delta))
            window.write(newBits ^ bits, to: &writer)
            delta = newDelta
        }
        timestamp = newTimestamp
        bits = newBits
    }

    private mutating func start(_ newTimestamp: Timestamp, _ newDelta: UInt64, _ newBits: UInt64, _ index: Int) {
        if index == 0 {
            writer.writeVarint(Varint.zigzag(newTimestamp))
            writer.write(newBits, 64)
        } else {
            writer.writeVarint(newDelta)
            window.write(newBits ^ bits, to: &writer)
            delta = newDelta
        }
    }

    /// Prefix code by size; a size of n bits holds -(2^(n-1))+1 ... 2^(n-1). Milliseconds, hence wider classes than the
    /// paper's seconds.
    @inline(__always)
    private mutating func writeDeltaOfDelta(_ dod: Int64) {
        let bits = UInt64(bitPattern: dod)
        if dod == 0 {
            writer.write(0, 1)
        } else if dod >= -8191, dod <= 8192 {
            writer.write(0b10 &<< 14 | (bits & 0x3FFF), 16)
        } else if dod >= -65535, dod <= 65536 {
            writer.write(0b110 &<< 17 | (bits & 0x1FFFF), 20)
        } else if dod >= -524_287, dod <= 524_288 {
            writer.write(0b1110 &<< 20 | (bits & 0xFFFFF), 24)
        } else {
            writer.write(0b1111, 4)
            writer.write(bits, 64)
        }
    }
}

/// The significant bits of the last value that announced its own: further values that fit into them repeat neither count.
struct ValueWindow {
    var leading: UInt64
    var trailing: UInt64

    @inline(__always)
    mutating func write(_ xor: UInt64, to writer: inout BitWriter) {
        if xor == 0 {
            writer.write(0, 1)
            return
        }
        let newLeading = min(UInt64(truncatingIfNeeded: xor.leadingZeroBitCount), XORFormat.leadingZerosMax)
        let newTrailing = UInt64(truncatingIfNeeded: xor.trailingZeroBitCount)
        if leading != UInt64(XORFormat.noWindow), newLeading >= leading, newTrailing >= trailing {
            let count = 64 &- leading &- trailing
            if count <= 62 {
                writer.write(0b10 &<< count | xor &>> trailing, count &+ 2)
            } else {
                writer.write(0b10, 2)
                writer.write(xor &>> trailing, count)
            }
            return
        }
        leading = newLeading
        trailing = newTrailing
        let count = 64 &- newLeading &- newTrailing
        // 64 does not fit into six bits and is written as 0, which no value needs.
        writer.write(0b11 &<< 11 | newLeading &<< 6 | (count & 63), 13)
        writer.write(xor &>> newTrailing, count)
    }
}
