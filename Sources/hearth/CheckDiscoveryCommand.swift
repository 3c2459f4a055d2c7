import ArgumentParser
import NIOPosix
import OutboundHTTP
import PromQLSyntax
import Scrape
import SeriesModel
import Server

/// `hearth check service-discovery`: what discovery finds for a job now, with labels before and after relabelling.
struct CheckDiscoveryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "service-discovery",
        abstract: "Perform service discovery for the given job name and report the results, including relabeling.")

    @Option(help: "The time to wait for discovery results.") var timeout = "30s"
    @Argument(help: "The configuration file.") var configFile: String
    @Argument(help: "The job to run service discovery for.") var job: String

    func run() async throws {
        let config: ServerConfig
        do {
            config = try ServerConfig.load(path: configFile, syntax: ParserOptions(features: []))
        } catch {
            printError("Cannot load config \(error)")
            throw ExitCode(1)
        }
        guard let scrape = config.scrapeConfigs.first(where: { $0.jobName == job }) else {
            let names = config.scrapeConfigs.map { "\t" + $0.jobName }
            printError((["Job \(job) not found. Select one of:"] + names).joined(separator: "\n"))
            throw ExitCode(1)
        }
        let milliseconds: Int64
        do {
            milliseconds = try DurationText.parse(timeout)
        } catch {
            throw ValidationError("\(error)")
        }
        let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let results = await DiscoveryCheck.run(
            scrape, transport: transport, clock: SystemClock(), timeout: milliseconds)
        await transport.shutdown()
        print(DiscoveryCheck.json(results))
    }
}
