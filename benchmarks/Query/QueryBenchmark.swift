#if canImport(Glibc)
    import Glibc
#endif

/// Query speed, in two forms: the engine over a store inside this process, and servers side by side over HTTP.
///
/// ```
/// QueryBenchmark                  the engine inside this process; prints a table
/// QueryBenchmark feed --to URL…   sends the data of side_by_side.py to servers by remote write
/// ```
@main
enum QueryBenchmark {
    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard let command = arguments.first else { return try await InProcessQueries.run() }
        do {
            guard command == "feed" else { throw FeedError.usage("unknown command \(command)") }
            var feed = try FeedCommand(arguments: Array(arguments.dropFirst()))
            try feed.run()
        } catch let error as FeedError {
            let text = Array("\(error.text)\n".utf8)
            _ = write(STDERR_FILENO, text, text.count)
            exit(1)
        }
    }
}
