/// How a target shall write metric names outside the legacy alphabet.
package enum MetricNameEscaping: String, Sendable, CaseIterable {
    case allowUTF8 = "allow-utf-8"
    case underscores, dots, values
}

/// Which metric and label names are taken.
package enum NameValidation: String, Sendable, CaseIterable {
    case utf8, legacy

    /// The escaping that goes with it unless another is said.
    var escaping: MetricNameEscaping { self == .legacy ? .underscores : .allowUTF8 }
}
