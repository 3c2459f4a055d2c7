import SeriesModel

/// When one target's turn is: at times that leave the same remainder when divided by the interval. The remainder
/// comes from a hash, so that targets are spread over the interval, keep their place through restarts, and two
/// servers of a pair do not ask at the same moment (inventory 6.1.6).
struct ScrapeSchedule: Sendable {
    /// ms
    let interval: Int64
    /// 0 ..< interval
    let offset: Int64

    /// - Parameter hash: of the target and of this server together.
    init(interval: Int64, hash: UInt64) {
        self.interval = max(interval, 1)
        offset = Int64(hash % UInt64(self.interval))
    }

    /// The first turn at or after a time.
    func turn(atOrAfter time: Timestamp) -> Timestamp {
        let remainder = time % interval
        let phase = remainder < 0 ? remainder + interval : remainder
        let wait = offset >= phase ? offset - phase : offset - phase + interval
        return time.addingClamped(wait)
    }

    /// The last turn at or before a time.
    func turn(atOrBefore time: Timestamp) -> Timestamp {
        let next = turn(atOrAfter: time)
        return next == time ? time : next.subtractingClamped(interval)
    }

    /// The timestamp for samples of a scrape that begins now: the turn itself where the clock is hardly past it. Equal
    /// distances make timestamps cost next to nothing in the store.
    func stamp(at now: Timestamp) -> Timestamp {
        let turn = turn(atOrBefore: now)
        let tolerance = min(interval / 100, 2)
        return now - turn <= tolerance ? turn : now
    }
}

/// The life of one target's loop, without clock, network or store: the shell reports what happened and does what comes
/// back. A scrape is never begun while another runs, and turns that passed meanwhile are skipped.
struct ScrapeLife: Sendable {
    enum Action: Equatable, Sendable {
        case sleep(until: Timestamp)
        /// Scrape now, with this timestamp.
        case scrape(at: Timestamp)
        /// Mark all series as ended, with this timestamp, then stop.
        case writeEnd(at: Timestamp)
        case stop
    }

    private enum Phase {
        case waiting(turn: Timestamp)
        case scraping(turn: Timestamp)
        /// Retired: the markers are written once it is sure that nobody else scrapes the target.
        case ending(at: Timestamp, due: Timestamp)
        case ended
    }

    let schedule: ScrapeSchedule
    private var phase = Phase.ended
    private var lastTurn: Timestamp?

    init(schedule: ScrapeSchedule) {
        self.schedule = schedule
    }

    mutating func begin(now: Timestamp) -> Action {
        wait(for: schedule.turn(atOrAfter: now))
    }

    private mutating func wait(for turn: Timestamp) -> Action {
        phase = .waiting(turn: turn)
        return .sleep(until: turn)
    }

    /// The sleep is over, or was cut short.
    mutating func awoke(now: Timestamp) -> Action {
        switch phase {
        case .waiting(let turn):
            if now < turn {
                // Far ahead: the wall clock was set back.
                return turn.subtractingClamped(now) > schedule.interval ? begin(now: now) : .sleep(until: turn)
            }
            let current = schedule.turn(atOrBefore: now)
            phase = .scraping(turn: current)
            return .scrape(at: schedule.stamp(at: now))
        case .ending(let time, let due):
            if now < due { return .sleep(until: due) }
            phase = .ended
            return .writeEnd(at: time)
        case .scraping, .ended: return .stop
        }
    }

    /// The scrape is over and its samples are written.
    mutating func scraped(now: Timestamp) -> Action {
        guard case .scraping(let turn) = phase else { return .stop }
        lastTurn = turn
        let isSetBack = now < turn.subtractingClamped(schedule.interval)
        return wait(for: schedule.turn(atOrAfter: isSetBack ? now : max(now, turn.addingClamped(1))))
    }

    /// The target is gone. Its end carries the time of the scrape that would have been next, and is written when one
    /// more interval and a bit have passed: a target that came back under another job has newer samples by then, and
    /// the late marker is refused as out of order.
    mutating func retire(now: Timestamp) -> Action {
        guard let lastTurn else {
            phase = .ended
            return .stop
        }
        let end = lastTurn.addingClamped(schedule.interval)
        let due = end.addingClamped(schedule.interval).addingClamped(schedule.interval / 10)
        phase = .ending(at: end, due: due)
        return awoke(now: now)
    }
}
