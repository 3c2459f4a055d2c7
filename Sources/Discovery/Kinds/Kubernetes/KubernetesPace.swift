/// How long a watch pauses before it asks again: longer and longer while things do not go as they should.
struct KubernetesPace {
    /// ms
    private static let waitMin: Int64 = 1000
    private static let waitMax: Int64 = 30_000

    /// Failures in a row.
    private(set) var failureCount = 0
    /// Watches in a row that ended too soon.
    private(set) var shortCount = 0
    private var goneCount = 0

    /// 1 s, 2 s, 4 s and so on.
    private static func wait(_ count: Int) -> Int64 { min(waitMin << Int64(min(max(count - 1, 0), 10)), waitMax) }

    mutating func listed() { failureCount = 0 }

    /// - Parameter isShort: it lasted for less than a second.
    /// - Returns: ms
    mutating func watched(eventCount: Int, isShort: Bool) -> Int64 {
        failureCount = 0
        if eventCount > 0 || !isShort { goneCount = 0 }
        shortCount = isShort ? shortCount + 1 : 0
        // One that told something may end by chance: the server restarts. Where each ends like that, the server would be
        // asked without pause.
        if !isShort || (shortCount == 1 && eventCount > 0) { return 0 }
        return KubernetesPace.wait(shortCount)
    }

    /// The server has forgotten the version: once the list may be read anew without pause. - Returns: ms
    mutating func gone() -> Int64 {
        goneCount += 1
        return goneCount > 1 ? KubernetesPace.wait(goneCount - 1) : 0
    }

    /// - Returns: ms
    mutating func failed() -> Int64 {
        failureCount += 1
        return KubernetesPace.wait(failureCount)
    }
}
