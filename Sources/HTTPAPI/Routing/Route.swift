package import HTTPTypes

/// One entry of the route table.
package struct Route: Sendable {
    package typealias Handler = @Sendable (APIRequest) async throws -> APIResponse

    /// `GET` implies `HEAD`.
    package let methods: [HTTPRequest.Method]
    /// Segments separated by `/`; one that begins with `:` matches any text and gives it its name. Also the `handler`
    /// label of the HTTP metrics.
    package let pattern: String
    /// Answers before the server is ready, and while it stops.
    package let isAlwaysAvailable: Bool
    /// What other methods are told.
    package let wrongMethodText: String
    package let handler: Handler

    package init(
        _ methods: [HTTPRequest.Method], _ pattern: String, isAlwaysAvailable: Bool = false,
        wrongMethodText: String = "Method Not Allowed\n", _ handler: @escaping Handler
    ) {
        self.methods = methods
        self.pattern = pattern
        self.isAlwaysAvailable = isAlwaysAvailable
        self.wrongMethodText = wrongMethodText
        self.handler = handler
    }

    package func accepts(_ method: HTTPRequest.Method) -> Bool {
        methods.contains(method) || method == .head && methods.contains(.get)
    }
}
