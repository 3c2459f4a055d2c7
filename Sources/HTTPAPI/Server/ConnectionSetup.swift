import HummingbirdCore
import Logging
import NIOCore

/// Sets up accepted connections: limits on heads and idleness, and a watch on the client.
struct ConnectionSetup: ServerChildChannel {
    struct Value: ServerChildChannelValue {
        let http: HTTP1Channel.Value
        let watch: ConnectionWatch

        var channel: any Channel { http.channel }
    }

    let options: APIOptions
    let exchange: Exchange

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let watch = ConnectionWatch()
        let configuration = HTTP1Channel.Configuration(
            additionalChannelHandlers: [watch], idleTimeout: .milliseconds(options.readTimeout),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: options.headBytesMax, maxHeaderListSize: options.headBytesMax))
        return HTTP1Channel(responder: { _, _, _ in }, configuration: configuration)
            .setup(channel: channel, logger: logger)
            .map { Value(http: $0, watch: watch) }
    }

    func handle(value: Value, logger: Logger) async {
        let watch = value.watch
        let connection = HTTP1Channel(responder: { [exchange] request, writer, channel in
            try await exchange.run(request, writer, on: channel, watch)
        })
        // On the threads that work on requests: one change of threads less for each.
        await withTaskExecutorPreference(Exchange.workers) {
            await connection.handle(value: value.http, logger: logger)
        }
    }
}
