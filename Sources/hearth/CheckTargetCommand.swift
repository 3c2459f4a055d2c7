import ArgumentParser
import NIOPosix
import OutboundHTTP
import Scrape
import SeriesModel
import Server

extension CheckCommand {
    /// Needs no server: it fetches itself, so that no server has to fetch what somebody names.
    struct Target: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "target",
            abstract: "Scrape a target once and show what a server would make of the answer.",
            discussion: """
                Status, headers, timing, format, the first line that cannot be read, limits, counts, and labels before and \
                after relabelling. With --config.file the target is asked as a job of that file asks.
                """)

        @Option(name: .customLong("config.file"), help: "A configuration file, for a job's settings.")
        var configFile: String?
        @Option(help: "The job of the configuration file; may be left out where there is one only.") var job: String?
        @Option(help: "A label that discovery would give: NAME=VALUE.") var label: [String] = []
        @OptionGroup var features: FeatureOptions
        @Argument(help: "The target: host:port, or a URL whose scheme, path and query go before the job's.")
        var target: String

        func run() async throws {
            let config = try scrapeConfig()
            let address: ProbeAddress
            do {
                address = try ProbeAddress(target)
            } catch { throw failure("\(error)") }
            let transport = HTTPClientTransport(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
            let report = await TargetProbe(address, config: config, transport: transport).run(labels: try labels())
            await transport.shutdown()
            print(report.text)
            if !report.isGood { throw ExitCode(1) }
        }

        private func scrapeConfig() throws -> ScrapeConfig {
            guard let configFile else {
                guard job == nil else { throw ValidationError("--job needs --config.file") }
                return ScrapeConfig(jobName: "probe")
            }
            let jobs: [ScrapeConfig]
            do {
                jobs = try ServerConfig.load(path: configFile, syntax: features.syntax).scrapeConfigs
            } catch { throw failure("\(error)") }
            let wanted = job.map { name in jobs.filter { $0.jobName.hasSameBytes(as: name) } } ?? jobs
            guard let config = wanted.first, wanted.count == 1 else {
                let names = jobs.map(\.jobName).joined(separator: ", ")
                throw failure("name one of the jobs of \(configFile) with --job: \(names)")
            }
            return config
        }

        private func labels() throws -> LabelSet {
            LabelSet(
                try label.map { text in
                    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                    guard parts.count == 2, LabelName.isValid(String(parts[0])) else {
                        throw ValidationError("expected NAME=VALUE, got '\(text)'")
                    }
                    return Label(String(parts[0]), String(parts[1]))
                })
        }
    }
}
