import ByteCoding
import RemoteStorage

#if canImport(Glibc)
    import Glibc
#endif

/// Sends one body after the other to all servers. While they work on a body the next one is made.
struct BatchSender {
    let connections: [LoopbackConnection]
    private(set) var sampleTotal = 0
    private(set) var requestTotal = 0
    private(set) var byteTotal = 0
    /// Seconds in which there was nothing to do but to wait for a server.
    private(set) var waited = 0.0
    private var isAwaited = false

    init(connections: [LoopbackConnection]) { self.connections = connections }

    mutating func send(_ body: WriteRequestWriter) throws(FeedError) {
        let block = Snappy.compress(body.bytes)
        try finish()
        let began = BatchSender.seconds()
        for connection in connections { try connection.send(block) }
        waited += BatchSender.seconds() - began
        isAwaited = true
        sampleTotal += body.sampleCount
        requestTotal += 1
        byteTotal += block.count
    }

    /// Waits for the answers to the last body.
    mutating func finish() throws(FeedError) {
        guard isAwaited else { return }
        let began = BatchSender.seconds()
        for connection in connections { try connection.receiveAnswer() }
        waited += BatchSender.seconds() - began
        isAwaited = false
    }

    /// Of a clock that only goes forward.
    static func seconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
