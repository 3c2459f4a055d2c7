import HTTPTypes

/// Receivers that are off: senders are told which flag they wait for.
extension APIRoutes {
    var switchedOffRoutes: [Route] {
        [
            Route([.post], "/api/v1/write", isAlwaysAvailable: true) { _ in
                .text(
                    "remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n", status: 404)
            },
            Route([.post], "/api/v1/otlp/v1/metrics", isAlwaysAvailable: true) { _ in
                .text("otlp write receiver needs to be enabled with --web.enable-otlp-receiver\n", status: 404)
            },
        ]
    }
}
