/// What flags say about notifications.
package struct NotifierOptions: Sendable {
    /// `--alertmanager.notification-queue-capacity`: alerts waiting for one Alertmanager; beyond it the oldest go.
    package var queueCapacity = 10_000
    /// `--alertmanager.notification-batch-size`: alerts in one request.
    package var batchMax = 256
    /// `--alertmanager.drain-notification-queue-on-shutdown`
    package var drainsOnStop = true
    /// How long stopping may wait for deliveries. ms
    package var drainTimeout: Int64 = 5000

    package init() {}
}

/// The Alertmanagers as the API lists them.
package struct AlertmanagerStatus: Sendable, Hashable {
    /// URLs that alerts are sent to.
    package var active: [String] = []
    /// URLs that relabelling dropped.
    package var dropped: [String] = []

    package init() {}
}
