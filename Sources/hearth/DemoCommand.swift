import ArgumentParser
import Demo

/// `hearth demo`: a server with something to look at.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Start a simulated backend and a server that watches it, on loopback.")

    @Option(help: "Directory for data and generated files.") var data = ".demo-data"
    @Option(help: "The rule file to load and to copy with seconds for minutes.") var rules = "rules/backend_alerts.yml"
    @Option(help: "The port to try first; the next free one is taken.") var port = 9090

    func run() async throws {
        let code = await DemoServer(dataDirectory: data, ruleFile: rules, firstPort: port).run()
        if code != 0 { throw ExitCode(code) }
    }
}
