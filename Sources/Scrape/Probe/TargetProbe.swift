import Discovery
package import OutboundHTTP
package import SeriesModel

/// Asks one target once, as a scrape of a job would, and tells all that happened instead of storing it. For whoever
/// wonders why a target is down, or what relabelling makes of it.
package struct TargetProbe: Sendable {
    private let config: ScrapeConfig
    private let transport: any HTTPTransport
    private let userAgent: String
    private var address = ""
    private var addsTypeAndUnitLabels = false
    private var takesStarts = false

    /// - Parameters:
    ///   - config: whose client settings, limits and relabelling rules hold.
    ///   - address: where it asks.
    package init(
        _ address: ProbeAddress, config: ScrapeConfig, transport: any HTTPTransport,
        userAgent: String = ScrapeManager.Options().userAgent
    ) {
        self.init(config: address.applied(to: config), transport: transport, userAgent: userAgent)
        self.address = address.address
    }

    private init(config: ScrapeConfig, transport: any HTTPTransport, userAgent: String) {
        self.config = config
        self.transport = transport
        self.userAgent = userAgent
    }

    /// - Parameter labels: what discovery would have said of the target, beside its address.
    package func run(labels: LabelSet = .empty) async -> ProbeReport {
        var report = ProbeReport(job: config.jobName)
        let target: Target
        do {
            let discovered = labels.setting(TargetGroup.address, address)
            switch try TargetFactory(config: config).make(discovered, group: .empty) {
            case .dropped(let labels):
                report.discoveredLabels = labels
                report.problems.append("relabelling drops this target: it would not be scraped")
                return report
            case .target(let made): target = made
            }
        } catch {
            report.problems.append("relabelling makes no target of it: \(error)")
            return report
        }
        await ask(target, &report)
        return report
    }

    /// The same of a target that is scraped anyway.
    static func run(_ target: Target, config: ScrapeConfig, _ environment: ScrapeEnvironment) async -> ProbeReport {
        var report = ProbeReport(job: config.jobName)
        var probe = TargetProbe(config: config, transport: environment.transport, userAgent: environment.userAgent)
        probe.addsTypeAndUnitLabels = environment.addsTypeAndUnitLabels
        probe.takesStarts = environment.takesStarts
        await probe.ask(target, &report)
        return report
    }

    private func ask(_ target: Target, _ report: inout ProbeReport) async {
        report.discoveredLabels = target.discoveredLabels
        report.labels = target.labels
        report.url = target.url
        report.timeout = target.timeout
        let fetch = ScrapeFetch(target: target, config: config, transport: transport, userAgent: userAgent)
        let start = ContinuousClock.now
        do {
            let response = try await transport.send(fetch.request)
            report.answerSeconds = start.duration(to: .now).seconds
            report.answer = ProbeReport.Answer(response)
            switch fetch.answer(to: response) {
            case .failure(let failure):
                report.problems.append(failure.description)
                report.answer?.beginning = Array(response.body.prefix(ProbeReport.shownBytesMax))
            case .body(let body, let format):
                report.format = format
                report.content = ProbeContent(
                    body, format, target, config, addsTypeAndUnitLabels: addsTypeAndUnitLabels,
                    takesStarts: takesStarts)
                report.problems += report.content?.problems ?? []
            }
        } catch {
            report.answerSeconds = start.duration(to: .now).seconds
            report.problems.append(ScrapeFetch.failure(error).description)
        }
    }
}
