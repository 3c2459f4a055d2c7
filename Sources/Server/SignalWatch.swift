import Dispatch

#if canImport(Glibc)
    import Glibc
#endif

/// Signals of the process as a stream.
final class SignalWatch: Sendable {
    enum Event: Sendable {
        case stop, reload
    }

    let events: AsyncStream<Event>
    private let source: AsyncStream<Event>.Continuation
    /// Held so that they go on; nobody touches them after `init`.
    nonisolated(unsafe) private let watches: [any DispatchSourceSignal]

    init() {
        let (events, source) = AsyncStream<Event>.makeStream()
        self.events = events
        self.source = source
        watches = [(SIGTERM, Event.stop), (SIGINT, .stop), (SIGHUP, .reload)].map { number, event in
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
}
