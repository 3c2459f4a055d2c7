import Discovery
import Relabeling
import SeriesModel

/// Makes Alertmanagers' URLs of discovered labels.
enum AlertmanagerTarget {
    enum Outcome: Equatable {
        case url(String)
        /// Relabelling dropped it: the URL it would have had.
        case dropped(String)
        /// The labels do not make a URL.
        case invalid(String)
    }

    private static let schemeLabel = "__scheme__"
    /// Set before relabelling, which may change it.
    private static let pathLabel = "__alerts_path__"

    static func make(_ labels: LabelSet, group: LabelSet, _ section: AlertmanagerSection) -> Outcome {
        var builder = LabelSetBuilder(labels)
        for label in group where builder[label.name] == nil { builder.set(label.name, label.value) }
        builder.set(schemeLabel, section.scheme)
        builder.set(pathLabel, section.pathPrefix + "/api/v2/alerts")
        let before = builder
        guard section.relabelRules.apply(to: &builder) else { return .dropped(url(before)) }
        let address = builder[TargetGroup.address] ?? ""
        if address.isEmpty { return .invalid("no address") }
        if address.utf8.contains(UInt8(ascii: "/")) {
            return .invalid("\(GoQuote.quote(address)) is not a valid hostname")
        }
        return .url(url(builder))
    }

    private static func url(_ labels: LabelSetBuilder) -> String {
        let path = labels[pathLabel] ?? ""
        return (labels[schemeLabel] ?? "http") + "://" + (labels[TargetGroup.address] ?? "")
            + (path.hasPrefix("/") ? path : "/" + path)
    }
}
