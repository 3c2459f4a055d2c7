import SeriesModel
import Testing

@testable import Scrape

@Suite("The turns of a target")
struct ScrapeScheduleTests {
    @Test("Turns are an interval apart and keep their place, whenever one looks")
    func turns() {
        for hash: UInt64 in [0, 1, 7_777_777, .max] {
            let schedule = ScrapeSchedule(interval: 15_000, hash: hash)
            for time: Timestamp in [-20_000, -1, 0, 1, 14_999, 15_000, 1_700_000_000_123] {
                let next = schedule.turn(atOrAfter: time)
                let last = schedule.turn(atOrBefore: time)
                #expect(next >= time && next - time < 15_000)
                #expect(last <= time && time - last < 15_000)
                #expect((next - schedule.offset) % 15_000 == 0)
                #expect((next - last) % 15_000 == 0)
            }
        }
    }

    @Test("A scrape that is hardly late carries the turn's time, a later one its own")
    func stamps() {
        let slow = ScrapeSchedule(interval: 15_000, hash: 0)
        #expect(slow.stamp(at: 30_000) == 30_000)
        #expect(slow.stamp(at: 30_002) == 30_000)
        #expect(slow.stamp(at: 30_003) == 30_003)
        // One per cent of a short interval is less than two milliseconds.
        let fast = ScrapeSchedule(interval: 100, hash: 0)
        #expect(fast.stamp(at: 201) == 200)
        #expect(fast.stamp(at: 202) == 202)
    }

    @Test("A steady target is scraped at each turn")
    func steady() {
        var life = ScrapeLife(schedule: ScrapeSchedule(interval: 1000, hash: 300))
        #expect(life.begin(now: 10_000) == .sleep(until: 10_300))
        #expect(life.awoke(now: 10_301) == .scrape(at: 10_300))
        #expect(life.scraped(now: 10_500) == .sleep(until: 11_300))
        #expect(life.awoke(now: 11_200) == .sleep(until: 11_300))
        #expect(life.awoke(now: 11_300) == .scrape(at: 11_300))
    }

    @Test("Turns that pass during a long scrape are skipped")
    func skipping() {
        var life = ScrapeLife(schedule: ScrapeSchedule(interval: 1000, hash: 0))
        _ = life.begin(now: 1000)
        #expect(life.awoke(now: 1000) == .scrape(at: 1000))
        #expect(life.scraped(now: 3500) == .sleep(until: 4000))
        // The machine slept: the turn that is current counts.
        #expect(life.awoke(now: 9001) == .scrape(at: 9000))
        #expect(life.scraped(now: 9100) == .sleep(until: 10_000))
    }

    @Test("A clock that is set back does not stop the scrapes")
    func clockSetBack() {
        var life = ScrapeLife(schedule: ScrapeSchedule(interval: 1000, hash: 0))
        _ = life.begin(now: 100_000)
        _ = life.awoke(now: 100_000)
        #expect(life.scraped(now: 5000) == .sleep(until: 5000))
        var waiting = ScrapeLife(schedule: ScrapeSchedule(interval: 1000, hash: 0))
        #expect(waiting.begin(now: 99_001) == .sleep(until: 100_000))
        #expect(waiting.awoke(now: 4001) == .sleep(until: 5000))
    }

    @Test("A retired target's end has the time of the next scrape and is written an interval later")
    func retirement() {
        var life = ScrapeLife(schedule: ScrapeSchedule(interval: 1000, hash: 0))
        _ = life.begin(now: 1000)
        _ = life.awoke(now: 1000)
        _ = life.scraped(now: 1100)
        #expect(life.retire(now: 1200) == .sleep(until: 3100))
        #expect(life.awoke(now: 3100) == .writeEnd(at: 2000))
    }

    @Test("A target that was never scraped has no end")
    func retiredBeforeFirst() {
        var life = ScrapeLife(schedule: ScrapeSchedule(interval: 1000, hash: 500))
        _ = life.begin(now: 1000)
        #expect(life.retire(now: 1200) == .stop)
    }
}
