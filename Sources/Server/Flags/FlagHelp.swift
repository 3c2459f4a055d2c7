extension FlagTable {
    /// The text of `--help`.
    package static var help: String {
        var text = """
            usage: hearth [<flags>]            serve: scrape, store, evaluate rules, answer queries
                   hearth check config|rules FILE...
                   hearth query instant|range URL EXPR
                   hearth test promql FILE...
                   hearth demo

            A monitoring server that takes Prometheus' configuration, flags and API.

            Flags:
              -h, --help                 Show this text.
                  --version              Show the version.

            """
        for flag in all where !flag.isHidden {
            let negation = flag.kind == .boolean ? "[no-]" : ""
            let value = flag.kind == .boolean ? "" : "=\(flag.defaultValue.isEmpty ? "..." : flag.defaultValue)"
            let note = flag.effect == FlagDefinition.Effect.none ? " (no effect yet)" : ""
            text += "      --\(negation)\(flag.name)\(value)\n            \(flag.help)\(note)\n"
        }
        let features = FeatureTable.all.filter { $0.value == .active }.keys.sorted()
        return text + "\nFeatures with an effect: " + features.joined(separator: ", ") + "\n"
    }
}
