package import SeriesModel

/// The template of a label or annotation of an alerting rule, with the variables that such templates begin with:
/// `$labels`, `$value`, `$externalLabels`, `$externalURL`.
package enum AlertTemplate {
    private static let prologue =
        "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}"
        + "{{$value := .Value}}"
    private static let dataTypeName =
        "struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }"

    /// - Throws: `TemplateError`. Columns count the prologue, as upstream's do.
    package static func parse(_ text: String, alert: String) throws(TemplateError) -> Template {
        try Template(prologue + text, name: "__alert_" + alert)
    }

    /// What the template sees of one element of the rule's result. A query's own metric name is among the labels.
    package static func data(
        labels: LabelSet, value: Double, externalLabels: LabelSet, externalURL: String
    ) -> TemplateValue {
        .record(
            [
                "Labels": .labels(TemplateSample.dictionary(labels)),
                "ExternalLabels": .labels(TemplateSample.dictionary(externalLabels)),
                "ExternalURL": .string(externalURL),
                "Value": .float(value),
            ], typeName: dataTypeName)
    }
}

extension TemplateSample {
    package init(labels: LabelSet, value: Double) {
        self.init(labels: TemplateSample.dictionary(labels), value: .float(value))
    }

    fileprivate static func dictionary(_ labels: LabelSet) -> [String: String] {
        Dictionary(labels.map { ($0.name, $0.value) }, uniquingKeysWith: { _, last in last })
    }
}
