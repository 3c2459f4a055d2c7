import Dispatch

#if canImport(Glibc)
    import Glibc
#endif

/// What a server has to react to as a process: signals, and that its start is over.
final class SignalWatch: Sendable {
    enum Event: Sendable {
        case stop, reload, started
    }

    let events: AsyncStream<Event>
    private let source: AsyncStream<Event>.Continuation
    /// Held so that they go on; nobody touches them after `init`.
    nonisolated(unsafe) private let watches: [any DispatchSourceSignal]

    static let standard: [(number: Int32, event: Event)] = [(SIGTERM, .stop), (SIGINT, .stop), (SIGHUP, .reload)]

    /// - Parameter signals: what they mean from now on, for the whole process.
    init(_ signals: [(number: Int32, event: Event)] = standard) {
        let (events, source) = AsyncStream<Event>.makeStream()
        self.events = events
        self.source = source
        watches = signals.map { number, event in
            // The default action would end the process before anybody hears of the signal.
            signal(number, SIG_IGN)
            let watch = DispatchSource.makeSignalSource(signal: number, queue: .global())
            watch.setEventHandler { source.yield(event) }
            watch.resume()
            return watch
        }
        // A peer that hangs up must not end us.
        signal(SIGPIPE, SIG_IGN)
    }

    func requestStop() { source.yield(.stop) }

    func noteStarted() { source.yield(.started) }
}
