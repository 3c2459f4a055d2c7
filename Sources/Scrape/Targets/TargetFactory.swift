import Discovery
import Relabeling
import SeriesModel

/// Makes targets of discovered labels, by one scrape job's rules (inventory 3.5).
struct TargetFactory: Sendable {
    let config: ScrapeConfig

    /// What became of one discovered target.
    enum Outcome {
        case target(Target)
        /// Relabelling dropped it: the labels before.
        case dropped(LabelSet)
    }

    /// - Throws: `TargetError` where the relabelled labels do not make a target.
    func make(_ labels: LabelSet, group: LabelSet) throws(TargetError) -> Outcome {
        let discovered = discoveredLabels(labels, group: group)
        guard let relabelled = config.relabelRules.apply(to: discovered) else { return .dropped(discovered) }
        var builder = LabelSetBuilder(relabelled)
        let address = builder[TargetGroup.address] ?? ""
        guard !address.isEmpty else { throw TargetError(description: "no address") }
        guard !address.utf8.contains(UInt8(ascii: "/")) else {
            throw TargetError(description: "\(GoQuote.quote(address)) is not a valid hostname")
        }
        let (interval, timeout) = try timing(builder)
        let histograms = try histograms(builder)
        builder.keep { !$0.utf8.starts(with: "__meta_".utf8) }
        if (builder[Label.instance] ?? "").isEmpty { builder.set(Label.instance, address) }
        let scheme = builder["__scheme__"] ?? ""
        let url = TargetURL.make(
            scheme: scheme.isEmpty ? "http" : scheme, address: address, path: builder["__metrics_path__"] ?? "",
            parameters: parameters(builder))
        let labels = builder.build()
        return .target(
            Target(
                identity: Target.Identity(labels: labels, url: url), discoveredLabels: discovered,
                labels: labels.dropping { $0.utf8.starts(with: "__".utf8) }, interval: interval, timeout: timeout,
                histograms: histograms, unixSocket: try unixSocket(builder)))
    }

    /// Where the target is asked in place of its address, which stays in the URL and the `Host` header.
    private func unixSocket(_ builder: LabelSetBuilder) throws(TargetError) -> String? {
        guard let path = builder["__unix_socket__"], !path.isEmpty else { return nil }
        guard path.utf8.first == UInt8(ascii: "/") else {
            throw TargetError(description: "__unix_socket__ \(GoQuote.quote(path)) is not an absolute path")
        }
        return path
    }

    /// What the job does with histograms, unless labels of the target say otherwise.
    private func histograms(_ builder: LabelSetBuilder) throws(TargetError) -> HistogramOptions {
        var options = config.histograms
        let keys: [(String, WritableKeyPath<HistogramOptions, Bool>)] = [
            ("__scrape_native_histograms__", \.scrapesNative),
            ("__convert_classic_histograms_to_nhcb__", \.convertsClassic),
            ("__always_scrape_classic_histograms__", \.alwaysScrapesClassic),
        ]
        for (name, path) in keys {
            guard let text = builder[name], !text.isEmpty else { continue }
            guard let value = Bool(text) else {
                throw TargetError(description: "error parsing \(name): \(GoQuote.quote(text)) is not a boolean")
            }
            options[keyPath: path] = value
        }
        return options
    }

    /// Target labels over group labels over what the job says.
    func discoveredLabels(_ labels: LabelSet, group: LabelSet) -> LabelSet {
        var builder = LabelSetBuilder(labels)
        for label in group where builder[label.name] == nil { builder.set(label.name, label.value) }
        let defaults = [
            (Label.job, config.jobName),
            ("__scrape_interval__", DurationText.format(config.scrapeInterval)),
            ("__scrape_timeout__", DurationText.format(config.scrapeTimeout)),
            ("__metrics_path__", config.metricsPath),
            ("__scheme__", config.scheme.rawValue),
        ]
        for (name, value) in defaults where (builder[name] ?? "").isEmpty { builder.set(name, value) }
        for parameter in config.parameters {
            if let first = parameter.values.first { builder.set("__param_" + parameter.name, first) }
        }
        return builder.build()
    }

    private func timing(_ builder: LabelSetBuilder) throws(TargetError) -> (interval: Int64, timeout: Int64) {
        let intervalText = builder["__scrape_interval__"] ?? ""
        let timeoutText = builder["__scrape_timeout__"] ?? ""
        let interval: Int64
        let timeout: Int64
        do {
            interval = try DurationText.parse(intervalText)
        } catch { throw TargetError(description: "error parsing scrape interval: \(error)") }
        guard interval > 0 else { throw TargetError(description: "scrape interval cannot be 0") }
        do {
            timeout = try DurationText.parse(timeoutText)
        } catch { throw TargetError(description: "error parsing scrape timeout: \(error)") }
        guard timeout > 0 else { throw TargetError(description: "scrape timeout cannot be 0") }
        guard timeout <= interval else {
            throw TargetError(
                description: "scrape timeout cannot be greater than scrape interval "
                    + "(\(GoQuote.quote(timeoutText)) > \(GoQuote.quote(intervalText)))")
        }
        return (interval, timeout)
    }

    /// The job's parameters; a `__param_` label replaces the first value.
    private func parameters(_ builder: LabelSetBuilder) -> [(name: String, values: [String])] {
        var parameters = config.parameters.map { (name: $0.name, values: $0.values) }
        for label in builder.current where label.name.utf8.starts(with: "__param_".utf8) {
            // By bytes: a combining mark after the prefix belongs to the name.
            let name = String(decoding: label.name.utf8.dropFirst("__param_".utf8.count), as: UTF8.self)
            if let index = parameters.firstIndex(where: { $0.name == name }) {
                if parameters[index].values.isEmpty {
                    parameters[index].values = [label.value]
                } else {
                    parameters[index].values[0] = label.value
                }
            } else {
                parameters.append((name, [label.value]))
            }
        }
        return parameters
    }
}
