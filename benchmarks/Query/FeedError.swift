/// Why a feed ended early, in words for the terminal.
enum FeedError: Error {
    case usage(String)
    /// A server that cannot be reached, breaks off, or does not take what it is sent.
    case server(url: String, reason: String)

    var text: String {
        switch self {
        case .usage(let reason): "\(reason)\n\(FeedOptions.usage)"
        case .server(let url, let reason): "\(url): \(reason)"
        }
    }
}
