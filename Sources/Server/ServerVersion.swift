/// Who we say we are.
package enum ServerVersion {
    /// Our own.
    package static let hearth = "0.1.0"
    /// The Prometheus version whose behaviour is served; Grafana and others decide by it what they may ask.
    package static let prometheus = "3.14.0"

    package static let text = "hearth, version \(hearth) (serves the API of Prometheus \(prometheus))"
}
