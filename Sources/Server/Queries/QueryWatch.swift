import PromQLEngine

/// What the engine tells of its queries, passed on to the list of active ones and to the log.
struct QueryWatch: QueryObserver {
    /// Nil where the file cannot be made.
    let active: ActiveQueryFile?
    let log: QueryLog

    func queryBegan(_ text: String) -> Int { active?.insert(text) ?? -1 }

    func queryEnded(_ ticket: Int) { active?.remove(ticket) }

    func queryAnswered(_ record: QueryRecord) { log.add(record) }
}
