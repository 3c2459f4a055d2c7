import ByteCoding
package import SeriesModel

extension XORAppender {
    /// Appends the chunk's bytes: header, the words given out so far, the bits that wait.
    /// - Precondition: `words` are the `wordCount` words that this state gave out.
    package func appendChunk(words: UnsafeBufferPointer<UInt64>, to bytes: inout [UInt8]) {
        precondition(words.count == Int(wordCount), "\(words.count) words for a state of \(wordCount)")
        bytes.reserveCapacity(bytes.count + byteCount)
        let header = UInt16(truncatingIfNeeded: count)
        bytes.append(UInt8(truncatingIfNeeded: header >> 8))
        bytes.append(UInt8(truncatingIfNeeded: header))
        bytes.append(contentsOf: UnsafeRawBufferPointer(words))
        appendPendingBytes(to: &bytes)
    }

    /// Appends the chunk's samples within the range to the buffer.
    /// - Precondition: `words` are the `wordCount` words that this state gave out
    package func decode(
        words: UnsafePointer<UInt64>?, into buffer: inout SampleBuffer, range: TimeRange = .all
    ) throws(ChunkError) {
        let wordBytes = Int(wordCount) * 8
        let failure = withUnsafeTemporaryAllocation(
            byteCount: byteCount + 8 + XORDecoder.padding, alignment: 8
        ) { memory -> ChunkError? in
            memory.storeBytes(of: UInt16(truncatingIfNeeded: count).bigEndian, as: UInt16.self)
            if let words, let base = memory.baseAddress {
                (base + XORFormat.headerBytes).copyMemory(from: words, byteCount: wordBytes)
            }
            let end = XORFormat.headerBytes + wordBytes
            memory.storeBytes(of: pendingWord.bigEndian, toByteOffset: end, as: UInt64.self)
            for index in end + 8..<memory.count { memory[index] = 0 }
            do throws(ChunkError) {
                try XORDecoder.decode(
                    padded: UnsafeRawBufferPointer(rebasing: memory[..<byteCount]), into: &buffer, range: range)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    /// The chunk's bytes. - Precondition: as above
    package func chunk(words: [UInt64]) -> [UInt8] {
        var bytes: [UInt8] = []
        words.withUnsafeBufferPointer { appendChunk(words: $0, to: &bytes) }
        return bytes
    }

    /// The chunk of whole columns of the same length, at most `XORFormat.samplesMax`. Timestamps must ascend.
    package static func encode(timestamps: ArraySlice<Timestamp>, values: ArraySlice<Double>) -> [UInt8] {
        precondition(timestamps.count == values.count, "\(timestamps.count) timestamps, \(values.count) values")
        var appender = XORAppender()
        let room = timestamps.count * XORFormat.wordsPerSampleMax
        return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: room + 1) { words in
            guard let base = words.baseAddress else { return [] }
            let written = timestamps.withUnsafeBufferPointer { times in
                values.withUnsafeBufferPointer { values in
                    guard let times = times.baseAddress, let values = values.baseAddress else { return 0 }
                    return appender.append(times, values, timestamps.count, at: base)
                }
            }
            var bytes: [UInt8] = []
            appender.appendChunk(words: UnsafeBufferPointer(start: base, count: written), to: &bytes)
            return bytes
        }
    }

    /// Opens a chunk again so that more can be appended: the state, and its words.
    ///
    /// The samples are encoded afresh. For chunks of this encoder and of Prometheus' that gives the same bytes.
    package static func resume(_ chunk: [UInt8]) throws(ChunkError) -> (state: XORAppender, words: [UInt64]) {
        var samples = SampleBuffer()
        try XORDecoder.decode(chunk, into: &samples)
        var state = XORAppender()
        var words: [UInt64] = []
        for index in 0..<samples.count { state.append(samples.timestamps[index], samples.values[index], to: &words) }
        return (state, words)
    }
}
