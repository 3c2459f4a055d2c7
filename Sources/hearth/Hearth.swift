import ArgumentParser
import FileIO
import Server

#if canImport(Glibc)
    import Glibc
#endif

/// The program. Without a subcommand it serves, with Prometheus' flags; the tools are subcommands.
@main
struct Hearth {
    static func main() async {
        SystemAllocator.returnsFreeMemory()
        let arguments = Array(CommandLine.arguments.dropFirst())
        // A tool's name comes first; anything else is a flag of the server.
        if let first = arguments.first, Tools.names.contains(first) {
            await Tools.main(arguments)
        } else {
            exit(await ServeCommand.run(arguments))
        }
    }
}

/// The subcommands.
struct Tools: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hearth", abstract: "A monitoring server that takes Prometheus' configuration, flags and API.",
        discussion: "Without a subcommand it serves; `hearth --help` lists the flags.",
        subcommands: [
            CheckCommand.self, QueryCommand.self, TestCommand.self, TSDBCommand.self, DemoCommand.self,
        ])

    static let names: Set<String> = ["check", "query", "test", "tsdb", "demo", "help"]
}

/// Ends a tool with a message on standard error. - Returns: what to throw.
func failure(_ message: String, code: Int32 = 1) -> ExitCode {
    printError(message)
    return ExitCode(code)
}

func printError(_ message: String, terminator: String = "\n") {
    var text = message + terminator
    text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
